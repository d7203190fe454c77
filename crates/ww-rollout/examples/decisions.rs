//! How long a rollout over a fleet takes for one fact: `cargo run --release -p ww-rollout --example
//! decisions -- 100000`. Prints one line of JSON; times are in nanoseconds.

use std::io::{Error, ErrorKind, Write as _};
use std::time::Instant;

use ww_rollout::{Percent, Plan, Rollout, RolloutId, State, WaveSize, group};
use ww_wire::{
    BootCounter, Hash, MeterId, SignerId, TimeQuality, UpdateObstacle, UpdateOutcome, UpdateReport,
    UptimeMillis,
};

const RELEASE: Hash = Hash([1; 32]);
const PAYLOAD: Hash = Hash([2; 32]);

fn plan() -> Plan {
    let percent = |share| Percent::new(share).expect("it is from 1 to 100");
    Plan {
        id: RolloutId([7; 16]),
        release: RELEASE,
        payload: PAYLOAD,
        security_counter: 1,
        waves: vec![WaveSize::Percent(percent(100))],
        success_percent: percent(50),
        error_percent: percent(50),
        error_minimum: 1,
        soak_ms: 0,
        deadline_ms: 1,
        window: None,
    }
}

fn failure(meter: MeterId) -> UpdateReport {
    UpdateReport {
        meter,
        boot: BootCounter::new(2).expect("it is not the mark for absent"),
        time: None,
        uptime: UptimeMillis::ZERO,
        time_quality: TimeQuality::Unknown,
        release: RELEASE,
        payload: PAYLOAD,
        running: Hash([3; 32]),
        root_number: 1,
        security_counter: 1,
        outcome: UpdateOutcome::RolledBack,
        obstacle: UpdateObstacle::Crashes,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the clock; the rollout does not"
)]
fn main() -> Result<(), Error> {
    let invalid = |why| Error::new(ErrorKind::InvalidInput, why);
    let count = std::env::args().nth(1).unwrap_or("100000".into());
    let count: u64 = count
        .parse()
        .map_err(|_| invalid("not a number of meters"))?;
    let fleet = (0..count).map(|number| SignerId(Hash::of(&[&number.to_be_bytes()]).0));
    let plan = plan();
    let members = group::ordered(plan.id, fleet);
    let start = Instant::now();
    let made = Rollout::new(plan, members.clone(), 0);
    let (mut rollout, _) = made.map_err(|_| invalid("no fleet for a rollout"))?;
    let start_ns = start.elapsed().as_nanos();
    let mut report_ns = Vec::new();
    for meter in members {
        let report = failure(meter);
        let start = Instant::now();
        let changes = rollout.reported(0, &report);
        report_ns.push(start.elapsed().as_nanos());
        drop(changes);
        if matches!(rollout.state(), State::Halted(_)) {
            break;
        }
    }
    let halt_ns = *report_ns.last().expect("a fleet has a meter");
    report_ns.sort_unstable();
    let at = |share: usize| report_ns[(report_ns.len() - 1) * share / 100];
    writeln!(
        std::io::stdout(),
        r#"{{"meters":{count},"start_ns":{start_ns},"reports":{},"report_p50_ns":{},"report_p99_ns":{},"report_max_ns":{},"halt_ns":{halt_ns}}}"#,
        report_ns.len(),
        at(50),
        at(99),
        at(100),
    )
}
