//! Firmware for people: roots, releases and rollouts, who may do what, and when a rollout stops.

use reqwest::Response;
use serde_json::{Value, json};
use ww_release::assignment::Stage;
use ww_release::file::{Delta, Draft};
use ww_release::fleet::FleetKey;
use ww_release::question::UpdateState;
use ww_release::release::HardwareClass;
use ww_wire::{Hash, UpdateObstacle, UpdateOutcome};

use crate::fleet::{Device, Fleet, FleetWorld, OLD, Person, Published, draft};
use crate::world::{START_MS, problem};

const IMAGE: &[u8] = &[7; 5_000];

async fn kind_of(response: Response) -> String {
    let shown = problem(response).await;
    let kind = shown["type"].as_str().unwrap();
    kind.strip_prefix("/problems/").unwrap().to_owned()
}

async fn add_root(world: &FleetWorld, root: Vec<u8>) -> Response {
    world
        .post_bytes("/api/v1/firmware/roots", "application/cbor", root)
        .await
}

#[tokio::test]
async fn rotated_root_with_too_few_signatures() {
    let world = FleetWorld::start().await;
    let fleet = &world.fleet;
    let stranger = Person::new();
    let next = fleet.root_of(2);
    for (root, people) in [
        (next, vec![&fleet.root[0]]),
        (next, vec![&fleet.root[0], &stranger]),
        (next, vec![&fleet.release[0], &fleet.release[1]]),
        (fleet.root_of(3), fleet.root.iter().collect()),
    ] {
        let refused = add_root(&world, Fleet::signed_root(&root, &people)).await;
        assert_eq!(kind_of(refused).await, "root-untrusted");
    }
    let refused = add_root(&world, vec![0x80; 40]).await;
    assert_eq!(kind_of(refused).await, "root-malformed");
    let refused = add_root(&world, vec![0x80; 5_000]).await;
    assert_eq!(kind_of(refused).await, "body-too-large");
    let root = Fleet::signed_root(&next, &fleet.root.each_ref());
    assert_eq!(add_root(&world, root.clone()).await.status(), 201);
    assert_eq!(add_root(&world, root).await.status(), 200);
    let shown = world.world.json("/api/v1/firmware/roots").await;
    let numbers: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|root| &root["number"])
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(shown[1]["assigned_here"], true);
    assert_eq!(shown[1]["release"]["threshold"], 2);
}

#[tokio::test]
async fn the_first_root_has_to_be_signed_by_its_own_keys() {
    let fleet = Fleet::new();
    let world = crate::world::World::with(|config| fleet.configure(config)).await;
    let world = FleetWorld { world, fleet };
    let alone = [&world.fleet.root[0]];
    let root = Fleet::signed_root(&world.fleet.root_of(1), &alone);
    assert_eq!(
        kind_of(add_root(&world, root).await).await,
        "root-untrusted"
    );
    let device = world.device(1).await;
    let refused = world.post_cbor("/ota/check", device.proven()).await;
    assert_eq!(kind_of(refused).await, "firmware-not-configured");
    let file = world.fleet.good_file("1.0.0", 1, IMAGE);
    assert_eq!(kind_of(world.upload(file).await).await, "release-untrusted");
    let root = world.fleet.first_root();
    assert_eq!(add_root(&world, root).await.status(), 201);
    assert_eq!(
        world
            .post_cbor("/ota/check", device.proven())
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn what_devices_would_refuse_is_not_published() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    device.question.security_counter = 5;
    world.ask(&device, "/ota/check").await;
    let fleet = &world.fleet;
    let two = [&fleet.release[0], &fleet.release[1]];
    let one = fleet.file(&draft("1.0.0", 5, IMAGE), &two[..1]);
    let stranger = Person::new();
    let strangers = fleet.file(&draft("1.0.0", 5, IMAGE), &[two[0], &stranger]);
    let low = fleet.file(&draft("1.0.0", 4, IMAGE), &two);
    let mut foreign = Fleet::new();
    foreign.key = FleetKey::new([1; 32]);
    let foreign = foreign.file(&draft("1.0.0", 5, IMAGE), &two);
    let good = fleet.file(&draft("1.0.0", 5, IMAGE), &two);
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    for (what, file, kind) in [
        ("one of two signatures", one, "release-untrusted"),
        ("a stranger's signature", strangers, "release-untrusted"),
        ("a counter that falls", low, "release-unfit"),
        ("keys of another fleet", foreign, "release-unfit"),
        ("a flipped bit", flipped, "release-malformed"),
        ("a byte too few", cut, "release-malformed"),
        ("junk", vec![0xff; 100], "release-malformed"),
    ] {
        let refused = world.upload(file).await;
        assert_eq!(kind_of(refused).await, kind, "{what}");
    }
    assert_eq!(
        world.world.json("/api/v1/firmware/releases").await,
        json!([])
    );
    assert_eq!(world.upload(good.clone()).await.status(), 201);
    assert_eq!(world.upload(good).await.status(), 200, "the same again");
    // Other hardware has a counter of its own.
    let other = Draft {
        class: HardwareClass([1; 16]),
        ..draft("1.0.0", 1, b"other")
    };
    let other = fleet.file(&other, &two);
    assert_eq!(world.upload(other).await.status(), 201);
}

#[tokio::test]
async fn a_key_that_has_served_a_release_serves_no_other() {
    let world = FleetWorld::start().await;
    let people = [&world.fleet.release[0], &world.fleet.release[1]];
    let with_one_key = |image| {
        let draft = draft("1.0.0", 1, image);
        let bytes = draft.seal(&world.fleet.key, |bytes| {
            bytes.fill(4);
            Ok(())
        });
        let file = bytes.unwrap();
        people.iter().fold(file, |bytes, person| {
            let file = ww_release::file::ReleaseFile::decode(&bytes).unwrap();
            let content = file.signed().approved().content.to_vec();
            let domain = ww_release::signatures::Domain::Release;
            let (signer, signature) = person.sign(domain, &content);
            let es256 = ww_release::key::Algorithm::Es256;
            let signed = ww_release::signatures::Signed::new(signer, es256, &signature);
            file.with(signed.unwrap()).unwrap()
        })
    };
    assert_eq!(world.upload(with_one_key(b"one")).await.status(), 201);
    let refused = world.upload(with_one_key(b"two")).await;
    let shown = problem(refused).await;
    assert_eq!(shown["type"], "/problems/release-unfit");
    assert!(
        shown["rule"].as_str().unwrap().contains("serve twice"),
        "{shown}"
    );
}

#[tokio::test]
async fn endless_release_file() {
    let world = FleetWorld::with(|config| config.limits.release_body_bytes = 10_000).await;
    let refused = world.upload(vec![0x83; 10_001]).await;
    assert_eq!(kind_of(refused).await, "body-too-large");
    // One that does not say how long it is ends at the same place.
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0x83; 1_000]));
    let request = world
        .world
        .client
        .post(world.world.url("/api/v1/firmware/releases"));
    let request = request
        .bearer_auth(&world.world.admin_key)
        .header("content-type", "application/octet-stream")
        .body(reqwest::Body::wrap_stream(endless));
    // Whoever goes on sending may find the connection closed before he reads why.
    if let Ok(refused) = request.send().await {
        assert_eq!(kind_of(refused).await, "body-too-large");
    }
    let good = world.upload(world.fleet.good_file("1.0.0", 1, IMAGE)).await;
    assert_eq!(good.status(), 201);
}

#[tokio::test]
async fn unauthorised_publish() {
    let world = FleetWorld::start().await;
    let file = world.fleet.good_file("1.0.0", 1, IMAGE);
    for (role, status) in [
        (None, 401),
        (Some("viewer"), 403),
        (Some("operator"), 403),
        (Some("firmware"), 201),
    ] {
        let mut request = world
            .world
            .client
            .post(world.world.url("/api/v1/firmware/releases"))
            .header("content-type", "application/octet-stream")
            .body(file.clone());
        if let Some(role) = role {
            let (_, key) = world.world.key(&json!({"name": role, "role": role})).await;
            request = request.bearer_auth(key);
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{role:?}");
    }
    let audit = "/api/v1/audit?action=firmware.publish";
    let audit = world.world.admin_json(audit).await;
    assert_eq!(audit.as_array().unwrap().len(), 1);
    assert_eq!(audit[0]["actor"], "firmware");
}

#[tokio::test]
async fn a_release_is_listed_with_its_deltas_and_withdrawn_for_good() {
    let world = FleetWorld::start().await;
    let first = world.publish("1.0.0", 1, IMAGE).await;
    let delta = [Delta {
        base: first.payload,
        bytes: b"a delta",
    }];
    let second = Draft {
        deltas: &delta,
        ..draft("1.1.0", 1, b"second")
    };
    let people = [&world.fleet.release[0], &world.fleet.release[1]];
    let second = world.fleet.file(&second, &people);
    assert_eq!(world.upload(second).await.status(), 201);
    let listed = world.world.json("/api/v1/firmware/releases").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["version"], "1.1.0");
    assert_eq!(listed[0]["encodings"][1]["base_version"], "1.0.0");
    assert_eq!(listed[0]["signers"].as_array().unwrap().len(), 2);
    let page = world.world.get("/api/v1/firmware/releases?limit=1").await;
    assert!(page.headers().contains_key("link"));
    let path = format!("/api/v1/firmware/releases/{}/withdraw", first.digest);
    for _ in 0..2 {
        let withdrawn = world.world.admin_post(&path, &json!({})).await;
        let withdrawn: Value = withdrawn.json().await.unwrap();
        assert_eq!(withdrawn["state"], "withdrawn");
        assert_eq!(withdrawn["withdrawn_by"], "admin");
    }
    let refused = world.begin(&first, |_| {}).await;
    assert_eq!(kind_of(refused).await, "release-withdrawn");
    let world = world.restarted().await;
    let path = format!("/api/v1/firmware/releases/{}", first.digest);
    assert_eq!(world.world.json(&path).await["state"], "withdrawn");
}

#[tokio::test]
async fn a_device_is_given_the_key_of_the_delta_from_what_it_runs() {
    let world = FleetWorld::start().await;
    let device = world.device(1).await;
    let delta = [Delta {
        base: OLD,
        bytes: b"a delta",
    }];
    let release = Draft {
        deltas: &delta,
        ..draft("1.1.0", 1, IMAGE)
    };
    let people = [&world.fleet.release[0], &world.fleet.release[1]];
    let file = world.fleet.file(&release, &people);
    let shown: Value = world.upload(file).await.json().await.unwrap();
    let body = json!({
        "release": shown["digest"], "name": "n", "group": {"labels": ["Roof 1"]},
        "waves": [{"count": 1}], "success_percent": 100, "error_percent": 100,
        "soak_seconds": 0, "deadline_seconds": 3_600,
    });
    let begun = world
        .world
        .admin_post("/api/v1/firmware/rollouts", &body)
        .await;
    assert_eq!(begun.status(), 201);
    let answered = world.ask(&device, "/ota/check").await;
    let objects: Vec<_> = answered
        .keys
        .iter()
        .map(|(object, _)| object.to_string())
        .collect();
    let encodings = &shown["encodings"];
    assert_eq!(
        objects,
        [
            encodings[1]["object"].clone(),
            encodings[0]["object"].clone()
        ]
    );
}

/// A device goes through an update to its signed end.
async fn update(world: &FleetWorld, device: &mut Device, release: &Published) {
    device.is_at(UpdateState::Staged, release);
    let armed = world.ask(device, "/ota/verify").await;
    assert_eq!(armed.told(), (Stage::Arm, Some(release.digest)));
    world.start_device(device, release.payload).await;
    let report = device.report(release, UpdateOutcome::Confirmed, UpdateObstacle::None);
    assert_eq!(world.complete(device, &report).await.status(), 204);
}

#[tokio::test]
async fn waves_follow_one_another_by_what_devices_have_signed() {
    let world = FleetWorld::start().await;
    let mut devices = Vec::new();
    for number in 1..=3 {
        devices.push(world.device(number).await);
    }
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let waves = json!([{"count": 1}, {"percent": 100}]);
    let id = world.begun(&release, |body| body["waves"] = waves).await;
    let mut first = None;
    for (place, device) in devices.iter().enumerate() {
        let told = world.ask(device, "/ota/check").await.told();
        if told.0 == Stage::Fetch {
            assert_eq!(
                first.replace(place),
                None,
                "one device is in the first wave"
            );
        } else {
            assert_eq!(told, (Stage::Hold, None));
        }
    }
    let mut first = devices.remove(first.unwrap());
    update(&world, &mut first, &release).await;
    let shown = world.rollout(id).await;
    assert_eq!(shown["state"], "soaking", "{shown}");
    assert_eq!(shown["waves"][0]["counts"]["updated"], 1);
    assert_eq!(world.ask_anew(&mut devices[0]).await.told().0, Stage::Hold);
    world.world.clock.set(START_MS + 1_000 + 60_000);
    for device in &mut devices {
        assert_eq!(world.ask_anew(device).await.told().0, Stage::Fetch);
        update(&world, device, &release).await;
    }
    world.world.clock.set(START_MS + 1_000 + 120_000);
    world.ask_anew(&mut first).await;
    let shown = world.rollout(id).await;
    assert_eq!(shown["state"], "completed", "{shown}");
    assert_eq!(shown["counts"]["updated"], 3);
    let actions: Vec<_> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["action"])
        .collect();
    assert_eq!(actions.first().unwrap().as_str(), Some("rollout.complete"));
    assert_eq!(actions.last().unwrap().as_str(), Some("rollout.begin"));
}

#[tokio::test]
async fn a_failure_halts_the_rollout_before_the_next_device_starts_it() {
    let world = FleetWorld::start().await;
    let (mut one, mut other) = (world.device(1).await, world.device(2).await);
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    other.is_at(UpdateState::Staged, &release);
    assert_eq!(world.ask(&other, "/ota/verify").await.told().0, Stage::Arm);
    world.start_device(&mut one, OLD).await;
    let report = one.report(&release, UpdateOutcome::RolledBack, UpdateObstacle::Sensor);
    assert_eq!(world.complete(&one, &report).await.status(), 204);
    other.next_question();
    let told = world.ask(&other, "/ota/verify").await.told();
    assert_eq!(told, (Stage::Hold, Some(release.digest)));
    let shown = world.rollout(id).await;
    assert_eq!(shown["state"], "halted");
    assert_eq!(shown["counts"]["failed"], 1);
    assert_eq!(shown["counts"]["staged"], 1);
    let path = format!("/api/v1/firmware/rollouts/{id}/devices");
    let members = world.world.json(&path).await;
    let members = members.as_array().unwrap();
    let failed = members.iter().find(|one| one["rollout_state"] == "failed");
    assert_eq!(failed.unwrap()["failure"], "rolled back (sensor)");
    // An operator has looked and lets it go on.
    assert_eq!(world.order(id, "resume").await.status(), 200);
    other.next_question();
    assert_eq!(world.ask(&other, "/ota/verify").await.told().0, Stage::Arm);
}

#[tokio::test]
async fn a_silent_device_has_failed_at_its_deadline() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    world.device(2).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world
        .begun(&release, |body| body["deadline_seconds"] = json!(3_600))
        .await;
    update(&world, &mut device, &release).await;
    world.world.clock.set(START_MS + 1_000 + 3_600_000);
    world.ask_anew(&mut device).await;
    let shown = world.rollout(id).await;
    assert_eq!(shown["state"], "halted", "{shown}");
    assert_eq!(shown["counts"]["failed"], 1);
    assert_eq!(shown["counts"]["updated"], 1);
}

#[tokio::test]
async fn a_rollout_goes_on_after_a_new_start_of_the_gateway() {
    let world = FleetWorld::start().await;
    let (mut one, mut other) = (world.device(1).await, world.device(2).await);
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    update(&world, &mut one, &release).await;
    assert_eq!(world.order(id, "pause").await.status(), 200);
    let before = world.rollout(id).await;
    let world = world.restarted().await;
    let after = world.rollout(id).await;
    assert_eq!(after["state"], "paused");
    assert_eq!(after["waves"], before["waves"]);
    assert_eq!(after["plan"], before["plan"]);
    assert_eq!(world.ask_anew(&mut other).await.told().0, Stage::Hold);
    assert_eq!(world.order(id, "resume").await.status(), 200);
    let answered = world.ask_anew(&mut other).await;
    assert_eq!(answered.told(), (Stage::Fetch, Some(release.digest)));
    assert_eq!(answered.keys.len(), 1);
}

#[tokio::test]
async fn an_ended_rollout_is_shown_as_it_ended_and_lets_its_meters_go() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    let refused = world.begin(&release, |_| {}).await;
    assert_eq!(kind_of(refused).await, "rollout-conflict");
    assert_eq!(world.order(id, "abort").await.status(), 200);
    for word in ["pause", "resume", "abort"] {
        assert_eq!(
            kind_of(world.order(id, word).await).await,
            "rollout-conflict"
        );
    }
    let next = world.begun(&release, |_| {}).await;
    assert_eq!(world.ask_anew(&mut device).await.told().0, Stage::Fetch);
    let world = world.restarted().await;
    let shown = world.rollout(id).await;
    assert_eq!(shown["state"], "aborted");
    assert_eq!(shown["meters"], 1);
    let listed = world.world.json("/api/v1/firmware/rollouts").await;
    let states: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(states, ["running", "aborted"]);
    assert_eq!(listed[0]["id"], next);
    assert_eq!(
        world
            .world
            .get("/api/v1/firmware/rollouts/9")
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn a_withdrawn_release_takes_those_who_have_it_back_to_the_one_before() {
    let world = FleetWorld::start().await;
    let (mut one, mut other) = (world.device(1).await, world.device(2).await);
    let prior = world.publish("1.3.0", 2, b"the one before").await;
    // Devices that have confirmed the withdrawn one would refuse this.
    world.publish("1.2.1", 1, b"one with a lower counter").await;
    let release = world.publish("1.4.0", 2, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    update(&world, &mut one, &release).await;
    let path = format!("/api/v1/firmware/releases/{}/withdraw", release.digest);
    assert_eq!(
        world.world.admin_post(&path, &json!({})).await.status(),
        200
    );
    assert_eq!(world.rollout(id).await["state"], "withdrawn");
    one.question.state = UpdateState::Idle;
    let told = world.ask_anew(&mut one).await.told();
    assert_eq!(told, (Stage::Fetch, Some(prior.digest)));
    other.is_at(UpdateState::Staged, &release);
    assert_eq!(
        world.ask(&other, "/ota/verify").await.told(),
        (Stage::Hold, None)
    );
    let world = world.restarted().await;
    let told = world.ask_anew(&mut one).await.told();
    assert_eq!(told, (Stage::Fetch, Some(prior.digest)));
}

#[tokio::test]
async fn a_release_that_is_withdrawn_after_its_rollout_is_over_is_taken_back_too() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    let prior = world.publish("1.3.0", 1, b"the one before").await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world
        .begun(&release, |body| body["soak_seconds"] = json!(0))
        .await;
    update(&world, &mut device, &release).await;
    assert_eq!(world.rollout(id).await["state"], "completed");
    assert_eq!(
        world.ask_anew(&mut device).await.told(),
        (Stage::Hold, None)
    );
    let path = format!("/api/v1/firmware/releases/{}/withdraw", release.digest);
    assert_eq!(
        world.world.admin_post(&path, &json!({})).await.status(),
        200
    );
    device.question.state = UpdateState::Idle;
    let told = world.ask_anew(&mut device).await.told();
    assert_eq!(told, (Stage::Fetch, Some(prior.digest)));
}

#[tokio::test]
async fn a_release_before_with_a_lower_counter_is_given_to_nobody() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    world.publish("1.3.0", 1, b"the one before").await;
    let release = world.publish("1.4.0", 2, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    update(&world, &mut device, &release).await;
    let path = format!("/api/v1/firmware/releases/{}/withdraw", release.digest);
    assert_eq!(
        world.world.admin_post(&path, &json!({})).await.status(),
        200
    );
    assert_eq!(world.rollout(id).await["state"], "withdrawn");
    device.question.state = UpdateState::Idle;
    assert_eq!(
        world.ask_anew(&mut device).await.told(),
        (Stage::Hold, None)
    );
}

#[tokio::test]
async fn devices_start_a_release_in_the_window_of_their_site() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    let path = format!("/api/v1/installations/{}/label", device.meter.id);
    let label = json!({"time_zone": "Europe/Berlin"});
    assert_eq!(world.world.admin_post(&path, &label).await.status(), 200);
    let release = world.publish("1.4.0", 1, IMAGE).await;
    // It is 16:50 in UTC, 18:50 at the site.
    let window = json!({"from": "19:00", "to": "05:00"});
    world.begun(&release, |body| body["window"] = window).await;
    device.is_at(UpdateState::Staged, &release);
    let told = world.ask(&device, "/ota/verify").await.told();
    assert_eq!(told, (Stage::Hold, Some(release.digest)));
    world.world.clock.set(START_MS + 600_000);
    device.next_question();
    assert_eq!(world.ask(&device, "/ota/verify").await.told().0, Stage::Arm);
}

#[tokio::test]
async fn while_the_time_is_not_known_every_device_holds() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    world.begun(&release, |_| {}).await;
    world.world.clock.set(0);
    assert_eq!(
        world.ask_anew(&mut device).await.told(),
        (Stage::Hold, None)
    );
    let refused = world.begin(&release, |_| {}).await;
    assert_eq!(kind_of(refused).await, "rollout-conflict");
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_is_refused_by_field() {
    let world = FleetWorld::start().await;
    let device = world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let unknown = Hash([1; 32]).to_string();
    for (field, value) in [
        ("release", json!("zz")),
        ("release", json!(unknown)),
        ("name", json!("")),
        ("group", json!({})),
        ("group", json!({"labels": ["nowhere"]})),
        ("labels", json!([])),
        (
            "hardware_class",
            json!("00000000-0000-0000-0000-000000000000"),
        ),
        ("hardware_class", json!("c1")),
        ("meters", json!(["zz"])),
        ("meters", json!([unknown])),
        ("waves", json!([])),
        ("waves", json!([{}])),
        ("waves", json!([{"count": 1, "percent": 1}])),
        ("waves", json!([{"percent": 101}])),
        ("success_percent", json!(0)),
        ("error_percent", json!(0)),
        ("soak_seconds", json!(400 * 86_400)),
        ("deadline_seconds", json!(0)),
        ("window", json!({"from": "24:00", "to": "05:00"})),
        ("window", json!({"from": "05:00", "to": "05:00"})),
    ] {
        let refused = world
            .begin(&release, |body| match field {
                "labels" | "hardware_class" | "meters" => body["group"] = json!({field: value}),
                _ => body[field] = value.clone(),
            })
            .await;
        let shown = problem(refused).await;
        assert_eq!(
            shown["type"], "/problems/invalid-field",
            "{field} {value} {shown}"
        );
        assert_eq!(shown["field"], field, "{shown}");
    }
    // Named in full, and by the class that it has said.
    world.ask(&device, "/ota/check").await;
    let class = "c1c1c1c1-c1c1-c1c1-c1c1-c1c1c1c1c1c1";
    let group = json!({
        "labels": ["Roof 1"], "hardware_class": class,
        "meters": [device.meter.meter().to_string()],
    });
    world.begun(&release, |body| body["group"] = group).await;
}

#[tokio::test]
async fn operators_stop_rollouts_and_firmware_engineers_start_them() {
    let world = FleetWorld::start().await;
    world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    let (_, operator) = world
        .world
        .key(&json!({"name": "o", "role": "operator"}))
        .await;
    let (_, firmware) = world
        .world
        .key(&json!({"name": "f", "role": "firmware"}))
        .await;
    for (word, key, status) in [
        ("pause", &operator, 200),
        ("resume", &operator, 403),
        ("resume", &firmware, 200),
        ("pause", &firmware, 200),
        ("abort", &operator, 200),
    ] {
        let path = format!("/api/v1/firmware/rollouts/{id}/{word}");
        let request = world
            .world
            .client
            .post(world.world.url(&path))
            .bearer_auth(key);
        assert_eq!(request.send().await.unwrap().status(), status, "{word}");
    }
    let steps = world.rollout(id).await["steps"].clone();
    assert_eq!(steps[0]["action"], "rollout.abort");
    assert_eq!(steps[0]["actor"], "o");
}

#[tokio::test]
async fn who_failed_tries_again_when_somebody_says_so() {
    let world = FleetWorld::start().await;
    let mut device = world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let id = world.begun(&release, |_| {}).await;
    let report = device.report(&release, UpdateOutcome::Refused, UpdateObstacle::TooLarge);
    assert_eq!(world.complete(&device, &report).await.status(), 204);
    assert_eq!(world.ask_anew(&mut device).await.told().0, Stage::Hold);
    let word = format!("devices/{}/retry", device.meter.meter());
    assert_eq!(world.order(id, &word).await.status(), 200);
    assert_eq!(world.order(id, "resume").await.status(), 200);
    assert_eq!(world.ask_anew(&mut device).await.told().0, Stage::Fetch);
    assert_eq!(
        kind_of(world.order(id, &word).await).await,
        "rollout-conflict"
    );
}

#[tokio::test]
async fn changes_of_a_rollout_are_told_on_the_live_stream() {
    let world = FleetWorld::start().await;
    world.device(1).await;
    let release = world.publish("1.4.0", 1, IMAGE).await;
    let mut live = world.world.get("/api/v1/live").await;
    let id = world.begun(&release, |_| {}).await;
    assert_eq!(world.order(id, "pause").await.status(), 200);
    let mut text = String::new();
    while !text.contains("\"state\":\"paused\"") {
        let piece = live.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    let event = text
        .split("\n\n")
        .find(|event| event.contains("event: rollout"));
    let data = event.unwrap().split("data: ").nth(1).unwrap();
    let told: Value = serde_json::from_str(data).unwrap();
    assert_eq!(told["id"], id);
    assert_eq!(told["meters"], 1);
}
