//! The product's meter in the simulated park, against the reference gateway: outages, lossy
//! networks, restarts, a restored gateway.

use std::time::Duration;

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_device::queue::Layout;
use ww_device::signer::Signer;
use ww_device::uplink::Standing;
use ww_sim::gateway::{Limits, ReferenceGateway};
use ww_sim::network::LinkQuality;
use ww_sim::signer::ShamVerifier;
use ww_wire::{AnyReading, ChainRecord, Gap, GapKind, ReadingFlags};

#[test]
fn an_hour_arrives_whole_from_every_kind_of_sensor() {
    for post in 0..3 {
        let mut bench = Bench::enrolled(post);
        bench.run(HOUR_MS + 15_000);
        // The poll that was under way when the enrolment came is given up.
        assert!(
            (361..=362).contains(&bench.recorded.len()),
            "{}",
            bench.post.name
        );
        assert!(bench.gateway.is_accepted());
        assert!(bench.last_sealed() >= 359);
        bench.assert_complete();
        assert!(bench.meter.meter().unwrap().produced().get() > 0);
        assert_eq!(bench.meter.mishaps(), (0, None));
    }
}

#[test]
fn a_live_reading_is_at_the_gateway_before_the_next_one_is_made() {
    let mut bench = Bench::enrolled(0);
    bench.run(30 * MINUTE_MS);
    let newest = *bench.recorded.keys().next_back().unwrap();
    assert!(bench.gateway.readings().contains_key(&newest));
}

#[test]
fn a_meter_that_waits_for_approval_loses_nothing() {
    let mut bench = Bench::new(0, Layout::ONE_MEBIBYTE);
    bench.meter.start().unwrap();
    bench.run(2 * HOUR_MS);
    assert_eq!(bench.gateway.readings().len(), 0);
    bench.approve();
    bench.run(HOUR_MS);
    assert_eq!(bench.meter.meter().unwrap().standing(), Standing::Enrolled);
    bench.drain();
    bench.assert_complete();
    assert!(bench.last_sealed() > 3 * 360);
}

#[test]
fn an_outage_of_a_day_comes_back_complete() {
    for post in [0, 2] {
        let mut bench = Bench::enrolled(post);
        bench.run(HOUR_MS);
        bench.meter.set_network_up(false);
        bench.run(24 * HOUR_MS);
        let before = bench.gateway.readings().len();
        bench.meter.set_network_up(true);
        bench.run(2 * HOUR_MS);
        bench.drain();
        assert!(bench.gateway.readings().len() > before + 8_640);
        bench.assert_complete();
        let gaps = bench.gateway.records().values();
        let gaps = gaps.filter(|received| matches!(received.record, ChainRecord::Gap(_)));
        assert_eq!(gaps.count(), 0, "{}", bench.post.name);
    }
}

#[test]
fn an_outage_of_a_week_comes_back_in_batches_that_a_gateway_takes() {
    // Readings last for some hours here, so that most windows come bare: hundreds fit the buffer.
    let mut bench = Bench::enrolled_on(0, Layout::new(0, 126, 6).unwrap());
    bench.run(HOUR_MS);
    bench.meter.faults_mut().is_offline = true;
    bench.run(7 * 24 * HOUR_MS);
    bench.meter.faults_mut().is_offline = false;
    bench.run(10 * MINUTE_MS);
    bench.drain();
    assert!(bench.gateway.records().len() > 1_000);
    assert_eq!(bench.meter.meter().unwrap().depth().records, 0);
    bench.assert_accounted();
}

#[test]
fn a_gateway_that_takes_little_at_a_time_gets_everything() {
    let mut bench = Bench::enrolled(0);
    bench.gateway.set_limits(Limits {
        records: 3,
        bytes: 9_000,
    });
    bench.run(HOUR_MS);
    bench.meter.set_network_up(false);
    bench.run(12 * HOUR_MS);
    bench.meter.set_network_up(true);
    bench.run(6 * HOUR_MS);
    assert!(bench.meter.meter().unwrap().depth().records < 3);
    bench.drain();
    bench.assert_complete();
}

#[test]
fn a_new_gateway_is_shown_the_enrolment_that_its_own_is_behind() {
    let mut bench = Bench::new(0, Layout::ONE_MEBIBYTE);
    bench.approve_with_number(99, 5);
    bench.meter.start().unwrap();
    bench.run(HOUR_MS);
    let in_force = bench.gateway.enrolment().unwrap();
    assert_eq!(in_force.number, 5);

    bench.gateway = ReferenceGateway::new(bench.signer.public_key(), ShamVerifier);
    bench.approve_with_number(99, 1);
    bench.run(HOUR_MS);
    assert_eq!(bench.gateway.enrolment(), Some(in_force));
    assert!(bench.gateway.is_accepted());
    let newest = *bench.recorded.keys().next_back().unwrap();
    assert!(bench.gateway.readings().contains_key(&newest));
    assert_eq!(bench.gateway.contradictions(), []);
}

#[test]
fn an_enrolment_by_a_stranger_delays_no_reading() {
    let mut bench = Bench::enrolled(0);
    bench.run(HOUR_MS);
    bench.approve_as(98);
    let (before, _) = bench.meter.mishaps();
    for reading in bench.run(HOUR_MS) {
        bench.recorded.remove(&reading.sum().sequence.get());
    }
    for _ in 0..60 {
        bench.run(10_000);
        let newest = *bench.recorded.keys().next_back().unwrap();
        assert!(
            bench.gateway.readings().contains_key(&newest),
            "reading {newest} waits"
        );
    }
    let (mishaps, _) = bench.meter.mishaps();
    assert!(
        (5..20).contains(&(mishaps - before)),
        "asked {} times",
        mishaps - before
    );
}

/// Records that were acknowledged and erased before the gateway forgot them: of an old backup, or
/// of all.
fn forgetful(restore: impl FnOnce(&mut Bench)) -> Bench {
    // Windows last for half a day here, readings for two hours.
    let mut bench = Bench::enrolled_on(0, Layout::new(0, 8, 6).unwrap());
    bench.run(2 * HOUR_MS);
    let backup = bench.gateway.clone();
    bench.run(20 * HOUR_MS);
    let complete = bench.gateway.clone();
    bench.gateway.restore(&backup);
    restore(&mut bench);
    bench.run(HOUR_MS);
    bench.drain();
    assert_eq!(bench.gateway.contradictions(), []);
    assert_eq!(bench.meter.meter().unwrap().depth().records, 0);
    let mut gaps: Vec<Gap> = Vec::new();
    for received in bench.gateway.records().values() {
        if let ChainRecord::Gap(gap) = received.record {
            gaps.push(gap);
        }
    }
    let [records, readings] = gaps[..] else {
        panic!("{gaps:?}");
    };
    assert_eq!(records.kind, GapKind::Records);
    assert_eq!(records.first_index.get(), 0, "what the meter does not hold");
    let first = records.last_index.get() + 1;
    assert!((40..100).contains(&first), "{first}");
    assert_eq!(records.last_digest, complete.records()[&(first - 1)].digest);
    assert_eq!(readings.kind, GapKind::Readings);
    assert!(readings.first_index.get() >= first);
    for (index, known) in complete.records().range(first..) {
        let received = &bench.gateway.records()[index];
        assert_eq!(received.digest, known.digest);
        if let ChainRecord::Window(window) = received.record {
            let is_declared = window.chain_index <= readings.last_index;
            assert!(received.is_whole != is_declared, "{window:?} {readings:?}");
        }
    }
    assert!(bench.gateway.next_index().get() > complete.next_index().get());
    bench.assert_accounted();
    bench
}

#[test]
fn a_gateway_restored_from_a_backup_older_than_the_ring_is_told_what_is_gone() {
    let bench = forgetful(|_| ());
    assert!(bench.gateway.records().len() > 80);
}

#[test]
fn a_new_gateway_is_told_what_is_gone() {
    let bench = forgetful(|bench| {
        let empty = ReferenceGateway::new(bench.signer.public_key(), ShamVerifier);
        bench.gateway.restore(&empty);
        bench.approve();
    });
    assert!(!bench.gateway.records().contains_key(&0));
}

#[test]
fn a_poor_network_delays_and_loses_nothing() {
    let mut bench = Bench::enrolled(1);
    bench.meter.set_network(LinkQuality::POOR);
    bench.run(6 * HOUR_MS);
    bench.meter.set_network(LinkQuality::PERFECT);
    for way in bench.meter.network() {
        assert!(
            way.lost > 100 && way.doubled > 25 && way.held > 50,
            "{way:?}"
        );
    }
    bench.drain();
    bench.assert_complete();
    assert!(bench.recorded.len() > 2_150);
}

#[test]
fn a_gateway_restored_from_a_backup_is_filled_again_by_the_meter() {
    let mut bench = Bench::enrolled(0);
    bench.run(2 * HOUR_MS);
    let backup = bench.gateway.clone();
    bench.run(4 * HOUR_MS);
    bench.gateway.restore(&backup);
    assert!(bench.gateway.readings().len() < 800);
    bench.run(HOUR_MS);
    bench.drain();
    bench.assert_complete();
}

#[test]
fn sequence_numbers_go_on_over_restarts_and_the_boot_counter_rises() {
    let mut bench = Bench::enrolled(0);
    for boot in 2..6 {
        bench.run(7 * MINUTE_MS + 3_000);
        bench.meter.power_off();
        let record = bench.meter.start().unwrap();
        assert_eq!(record.boot.get(), boot);
    }
    bench.drain();
    bench.assert_complete();
}

#[test]
fn a_sensor_out_of_reach_gives_flagged_readings_and_no_energy_is_lost() {
    let mut bench = Bench::enrolled(0);
    bench.run(20 * MINUTE_MS);
    bench.meter.faults_mut().sensor.is_unreachable = true;
    let failed = bench.run(HOUR_MS);
    assert!(failed.iter().all(|reading| {
        let sum = reading.sum();
        sum.flags.contains(ReadingFlags::SENSOR_UNREACHABLE)
            && sum.power.is_none()
            && sum.produced == failed[0].sum().produced
    }));
    bench.meter.faults_mut().sensor.is_unreachable = false;
    let back = bench.run(20_000);
    assert!(back[0].sum().flags.contains(ReadingFlags::RECOVERED));
    assert!(back[0].sum().produced > failed[0].sum().produced);
    bench.drain();
    bench.assert_complete();
}

#[test]
fn a_sensor_that_answers_too_late_counts_as_out_of_reach() {
    let mut bench = Bench::enrolled(0);
    let unreachable = |reading: &AnyReading| {
        reading
            .sum()
            .flags
            .contains(ReadingFlags::SENSOR_UNREACHABLE)
    };
    bench.run(MINUTE_MS);
    bench.meter.faults_mut().sensor.delay = Duration::from_millis(9_500);
    assert!(bench.run(MINUTE_MS).iter().all(unreachable));
    bench.meter.faults_mut().sensor.delay = Duration::from_millis(1_500);
    bench.run(20_000);
    assert!(!bench.run(MINUTE_MS).iter().any(unreachable));
}

#[test]
fn a_meter_without_a_clock_measures_on_and_its_readings_arrive() {
    let mut bench = Bench::enrolled(0);
    bench.meter.faults_mut().clock_is_unknown = true;
    let timeless = bench.run(HOUR_MS);
    assert!(timeless.iter().all(|reading| reading.sum().time.is_none()));
    bench.meter.faults_mut().clock_is_unknown = false;
    bench.run(HOUR_MS);
    bench.drain();
    bench.assert_complete();
    assert!(bench.recorded.len() > 700);
}

#[test]
fn a_queue_that_overflows_gives_up_single_readings_first_and_windows_last() {
    let mut bench = Bench::enrolled_on(2, Layout::new(0, 8, 3).unwrap());
    bench.run(HOUR_MS);
    let gaps = |bench: &Bench, kind| {
        let records = bench.gateway.records().values();
        let of_kind = |gap: &Gap| gap.kind == kind;
        let gaps = records.filter_map(|received| match received.record {
            ChainRecord::Gap(gap) => Some(gap),
            _ => None,
        });
        gaps.filter(of_kind).count()
    };
    // Readings last for about an hour here, windows for most of a day.
    bench.meter.set_network_up(false);
    bench.run(3 * HOUR_MS);
    bench.meter.set_network_up(true);
    bench.run(HOUR_MS);
    assert!(gaps(&bench, GapKind::Readings) > 0);
    assert_eq!(gaps(&bench, GapKind::Records), 0);
    bench.meter.set_network_up(false);
    bench.run(20 * HOUR_MS);
    bench.meter.set_network_up(true);
    bench.drain();
    assert!(gaps(&bench, GapKind::Records) > 0);
    bench.assert_accounted();
}
#[test]
fn a_signer_that_is_out_for_a_while_stops_no_measurement() {
    let mut bench = Bench::enrolled(0);
    bench.run(15 * MINUTE_MS);
    bench.signer.set_out(true);
    bench.run(HOUR_MS);
    bench.signer.set_out(false);
    let recorded = bench.recorded.len();
    assert!(recorded > 445, "{recorded} readings in 75 minutes");
    bench.run(HOUR_MS);
    bench.drain();
    bench.assert_complete();
}
