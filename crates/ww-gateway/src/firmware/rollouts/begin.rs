//! How a rollout begins: from what a person asks for to the meters that are in it, and the plan by which
//! the engine goes.

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use jiff::civil::Time;
use ww_api::{MaintenanceWindow, NewRollout, ProblemKind, RolloutDetail, RolloutWaveSize, hex};
use ww_release::release::HardwareClass;
use ww_rollout::{Changes, Percent, Plan, PlanError, WaveSize, Window, group};
use ww_store::{FirmwareDevice, InstallationId, StoredRollout};
use ww_wire::{Hash, MeterId, SignerId};

use super::held::{HeldRollout, StoredPlan, json};
use super::{DEVICES_AT_ONCE, people};
use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::firmware::view;
use crate::installations::JsonBody;
use crate::ota::catalogue::HeldRelease;
use crate::state::{Gateway, Shared, to_its_end};

/// The longest name of a rollout.
const MAX_NAME: usize = 64;

/// Names of installations in one group.
const MAX_LABELS: usize = 64;

/// Meters that are named in one group.
const MAX_METERS: usize = 1_000;

/// `POST /api/v1/firmware/rollouts`.
pub(crate) async fn begin(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    JsonBody(asked_for): JsonBody<NewRollout>,
) -> Result<(StatusCode, Json<RolloutDetail>)> {
    gateway.ota.keys()?;
    to_its_end(async move {
        let _alone = gateway.rollouts.publishing.lock().await;
        let release = release_of(&gateway, &asked_for)?;
        let plan = plan_of(&asked_for, &release)?;
        let members = members_of(&gateway, &asked_for, &release).await?;
        let stored = store(&gateway, &caller, asked_for, plan, members).await?;
        let detail = people::detail(&gateway, stored).await?;
        Ok((StatusCode::CREATED, Json(detail)))
    })
    .await
}

fn release_of(gateway: &Shared, asked_for: &NewRollout) -> Result<std::sync::Arc<HeldRelease>> {
    let digest = hex::decode_array(&asked_for.release).map(Hash);
    let digest = digest.ok_or_else(|| Failure::invalid("release", "is 64 hex digits"))?;
    let release = gateway.ota.catalogue.release(&digest).ok_or_else(|| {
        Failure::invalid(
            "release",
            "is the digest of a release that was published here",
        )
    })?;
    if release.withdrawal.is_some() {
        let detail = format!("release {digest} was withdrawn");
        return Err(Failure::new(ProblemKind::ReleaseWithdrawn, detail).field("release"));
    }
    // Their keys are given to devices: one that cannot be opened would fail on every device.
    if release
        .encodings
        .iter()
        .any(|encoding| encoding.key.is_none())
    {
        return Err(Failure::invalid(
            "release",
            "was published under this gateway's fleet key",
        ));
    }
    Ok(release)
}

fn plan_of(asked_for: &NewRollout, release: &HeldRelease) -> Result<Plan> {
    let length = asked_for.name.chars().count();
    if length == 0 || length > MAX_NAME || asked_for.name.chars().any(char::is_control) {
        let rule = format!("has 1 to {MAX_NAME} characters, none of them a control character");
        return Err(Failure::invalid("name", rule));
    }
    let share = |field, percent| {
        Percent::new(percent).ok_or_else(|| Failure::invalid(field, "is from 1 to 100"))
    };
    let wave = |size: &RolloutWaveSize| match (size.percent, size.count) {
        (Some(percent), None) => Ok(WaveSize::Percent(share("waves", percent)?)),
        (None, Some(count)) => Ok(WaveSize::Count(count)),
        _ => Err(Failure::invalid(
            "waves",
            "says of each either `percent` or `count`",
        )),
    };
    let mut id = [0; 16];
    rand::fill(&mut id)
        .map_err(|_| Failure::new(ProblemKind::Internal, "the system gives no randomness"))?;
    Ok(Plan {
        id: ww_rollout::RolloutId(id),
        release: release.digest,
        payload: release.payload,
        security_counter: release.security_counter,
        waves: asked_for.waves.iter().map(wave).collect::<Result<_>>()?,
        success_percent: share("success_percent", asked_for.success_percent)?,
        error_percent: share("error_percent", asked_for.error_percent)?,
        error_minimum: asked_for.error_minimum,
        soak_ms: u64::from(asked_for.soak_seconds) * 1_000,
        deadline_ms: u64::from(asked_for.deadline_seconds) * 1_000,
        window: asked_for.window.as_ref().map(window_of).transpose()?,
    })
}

fn window_of(window: &MaintenanceWindow) -> Result<Window> {
    let minute = |text: &str| {
        let time = Time::strptime("%H:%M", text)
            .ok()
            .filter(|_| text.len() == 5);
        let time = time.ok_or_else(|| Failure::invalid("window", "has times such as `22:00`"))?;
        // An hour is below 24 and a minute below 60.
        Ok::<_, Failure>(u16::from(time.hour() as u8) * 60 + u16::from(time.minute() as u8))
    };
    Ok(Window {
        from_minute: minute(&window.from)?,
        to_minute: minute(&window.to)?,
    })
}

/// The meters of a group that are in service. Left out are those that run the release already, and those
/// of other hardware, unless they are named.
async fn members_of(
    gateway: &Shared,
    asked_for: &NewRollout,
    release: &HeldRelease,
) -> Result<Vec<(MeterId, InstallationId)>> {
    let group = Group::of(asked_for, release)?;
    let mut members = Vec::new();
    let mut found = 0;
    let mut after = InstallationId(0);
    loop {
        let devices = gateway
            .store
            .firmware_devices(after, DEVICES_AT_ONCE)
            .await?;
        let Some(last) = devices.last() else {
            break;
        };
        after = last.installation;
        for device in &devices {
            let class = view::said(gateway, device).map(|(said, _)| said.class);
            if !group.has(device) {
                continue;
            }
            found += 1;
            let is_other = class.is_some_and(|class| class != release.class);
            if is_other && group.meters.is_some() {
                let rule = format!("has {}, whose hardware is another", device.meter);
                return Err(Failure::invalid("meters", rule));
            }
            let is_unknown = class.is_none() && group.by_class;
            let runs = device.last_boot.map(|boot| boot.firmware);
            if !is_other && !is_unknown && runs != Some(release.payload) {
                members.push((device.meter, device.installation));
            }
        }
    }
    if let Some(meters) = group.meters.filter(|meters| meters.len() > found) {
        let rule = format!("has {} meters, {found} of them in service", meters.len());
        return Err(Failure::invalid("meters", rule));
    }
    Ok(members)
}

/// Which meters a rollout is for.
struct Group {
    labels: Option<Vec<String>>,
    by_class: bool,
    meters: Option<std::collections::HashSet<MeterId>>,
}

impl Group {
    fn of(asked_for: &NewRollout, release: &HeldRelease) -> Result<Self> {
        let group = &asked_for.group;
        let class = group.hardware_class.as_deref().map(class_of).transpose()?;
        if class.is_some_and(|class| class != release.class) {
            let rule = format!("is that of the release, {}", view::uuid(&release.class));
            return Err(Failure::invalid("hardware_class", rule));
        }
        let labels = group.labels.clone();
        if labels
            .as_ref()
            .is_some_and(|all| !(1..=MAX_LABELS).contains(&all.len()))
        {
            return Err(Failure::invalid(
                "labels",
                format!("has 1 to {MAX_LABELS} names"),
            ));
        }
        let meters = group.meters.as_ref().map(|meters| {
            let read = |text: &String| hex::decode_array(text).map(SignerId);
            let all: Option<std::collections::HashSet<_>> = meters.iter().map(read).collect();
            all.filter(|_| (1..=MAX_METERS).contains(&meters.len()))
                .ok_or_else(|| {
                    let rule = format!("has 1 to {MAX_METERS} ids of 64 hex digits");
                    Failure::invalid("meters", rule)
                })
        });
        let group = Self {
            labels,
            by_class: class.is_some(),
            meters: meters.transpose()?,
        };
        if group.labels.is_none() && group.meters.is_none() && !group.by_class {
            return Err(Failure::invalid(
                "group",
                "says `labels`, `hardware_class` or `meters`",
            ));
        }
        Ok(group)
    }

    fn has(&self, device: &FirmwareDevice) -> bool {
        let fits = |label: &String| match label.strip_suffix('*') {
            Some(start) => device.name.starts_with(start),
            None => device.name == *label,
        };
        let labels = self.labels.as_ref();
        let meters = self.meters.as_ref();
        labels.is_none_or(|labels| labels.iter().any(fits))
            && meters.is_none_or(|meters| meters.contains(&device.meter))
    }
}

fn class_of(text: &str) -> Result<HardwareClass> {
    view::class(text).ok_or_else(|| Failure::invalid("hardware_class", "is a UUID"))
}

async fn store(
    gateway: &Shared,
    caller: &Caller,
    asked_for: NewRollout,
    plan: Plan,
    members: Vec<(MeterId, InstallationId)>,
) -> Result<StoredRollout> {
    let now = gateway.now().ok_or_else(|| {
        let detail = "the gateway does not know the time, by which rollouts go";
        Failure::new(ProblemKind::RolloutConflict, detail)
    })?;
    let numbers: std::collections::HashMap<_, _> = members.into_iter().collect();
    let order = group::ordered(plan.id, numbers.keys().copied());
    let installations: Vec<_> = order.iter().map(|meter| numbers[meter]).collect();
    let release = plan.release;
    let stored_plan = json(&StoredPlan {
        asked_for: asked_for.clone(),
        plan: plan.clone(),
    });
    let begun = ww_rollout::Rollout::new(plan, order, now.get());
    let (engine, changes) = begun.map_err(|error| unfit(&error))?;
    let row = json(&ww_rollout::Member::default());
    let detail = format!(
        "release {release}, {} meters: {}",
        installations.len(),
        asked_for.name
    );
    let audit = gateway.audit_of(caller, "rollout.begin", "", detail);
    let mut draft = StoredRollout {
        id: ww_store::RolloutId(0),
        release,
        plan: stored_plan,
        course: json(engine.course()),
        summary: Vec::new(),
        stage: ww_store::RolloutStage::Open,
        created: audit.at,
        created_by: audit.actor.clone(),
    };
    let held = HeldRollout::new(&draft, asked_for.clone(), engine);
    draft.summary = json(&held.summary(gateway));
    let new = ww_store::NewRollout {
        release,
        plan: draft.plan,
        course: draft.course,
        summary: draft.summary,
        members: installations
            .iter()
            .map(|one| (*one, row.clone()))
            .collect(),
    };
    let stored = gateway
        .store
        .add_rollout(new, audit)
        .await?
        .ok_or_else(|| {
            let detail = "a meter of the group is in another rollout that is not over";
            Failure::new(ProblemKind::RolloutConflict, detail).field("group")
        })?;
    gateway
        .rollouts
        .take_in(gateway, &stored, asked_for, held, changes, &installations);
    gateway.announce_change().await;
    Ok(stored)
}

fn unfit(error: &PlanError) -> Failure {
    let field = match error {
        PlanError::NoMembers | PlanError::TooManyMembers(_) | PlanError::MemberTwice(_) => "group",
        PlanError::NoWaves
        | PlanError::TooManyWaves(_)
        | PlanError::EmptyWave
        | PlanError::LeftOut(_) => "waves",
        PlanError::TooLong => "soak_seconds",
        PlanError::NoTime | PlanError::DeadlineBeforeWindow => "deadline_seconds",
        PlanError::NoSuchMinute | PlanError::EmptyWindow => "window",
    };
    let rule = error.to_string();
    Failure::new(ProblemKind::InvalidField, format!("`{field}`: {rule}"))
        .field(field)
        .rule(rule)
}

impl super::Rollouts {
    /// Lets a rollout that was stored tell its meters.
    fn take_in(
        &self,
        gateway: &Shared,
        stored: &StoredRollout,
        asked_for: NewRollout,
        held: HeldRollout,
        changes: Changes,
        members: &[InstallationId],
    ) {
        let mut rollout = HeldRollout::new(stored, asked_for, held.engine);
        rollout.note(gateway, changes, super::GATEWAY);
        let mut all = self.lock();
        all.of
            .extend(members.iter().map(|member| (*member, stored.id)));
        all.rollouts.insert(stored.id, rollout);
        drop(all);
        self.changed.notify_one();
    }
}
