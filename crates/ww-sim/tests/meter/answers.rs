//! What a gateway's answers do to a meter and what they cannot do: enrolments, acknowledgements,
//! checkpoints; and what the meter says of itself.

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_device::meter::{EnrolmentError, MeterError};
use ww_device::queue::Layout;
use ww_device::sampler::Enrolled;
use ww_device::shelly::Sensor;
use ww_device::signer::Signer;
use ww_device::uplink::{Refusal, Request, Standing};
use ww_sim::gateway::{Gateway, Limits, ReferenceGateway, Reply};
use ww_sim::signer::{ShamSigner, ShamVerifier};
use ww_wire::{
    Acknowledgement, ChainRecord, Hash, MeterId, ProductionCounter, ReadingFlags, Record,
    RecordType, Sign1, SignerId, StatusReport, UtcMillis, Window,
};

/// The reference gateway behind somebody who sees the requests and changes the answers.
struct Between<'a, F> {
    gateway: &'a mut ReferenceGateway<ShamVerifier>,
    change: F,
}

impl<F: FnMut(Request, &[u8], Reply) -> Reply> Gateway for Between<'_, F> {
    fn ask(&mut self, meter: MeterId, request: Request, body: &[u8], now: UtcMillis) -> Reply {
        let reply = self.gateway.ask(meter, request, body, now);
        (self.change)(request, body, reply)
    }
}

impl Bench {
    fn run_between(
        &mut self,
        duration_ms: u64,
        change: impl FnMut(Request, &[u8], Reply) -> Reply,
    ) {
        let until = self.meter.now().checked_add_ms(duration_ms).unwrap();
        let gateway = &mut self.gateway;
        let mut between = Between { gateway, change };
        self.meter.run_until(until, &mut between).unwrap();
        self.note_readings();
    }

    fn last_error(&self) -> Option<MeterError> {
        self.meter.mishaps().1
    }

    fn windows(&self) -> Vec<Window> {
        let records = self.gateway.records().values();
        let windows = records.filter_map(|received| match received.record {
            ChainRecord::Window(window) => Some(window),
            _ => None,
        });
        windows.collect()
    }

    /// A meter that runs and waits, whose operator then does this.
    fn waiting(approve: impl FnOnce(&mut Self)) -> Self {
        let mut bench = Self::new(0, Layout::ONE_MEBIBYTE);
        bench.meter.start().unwrap();
        bench.run(10 * MINUTE_MS);
        approve(&mut bench);
        bench.run(20 * MINUTE_MS);
        bench
    }

    /// An enrolment was not taken for this reason, nothing was sent, and a proper one is taken later.
    fn assert_not_enrolled(&mut self, reason: EnrolmentError) {
        assert_eq!(self.last_error(), Some(MeterError::Enrolment(reason)));
        let meter = self.meter.meter().unwrap();
        assert_eq!(meter.standing(), Standing::Waiting);
        assert!(self.gateway.readings().is_empty());
        assert!(!self.gateway.is_accepted());
        self.approve();
        self.run(10 * MINUTE_MS);
        assert!(self.gateway.is_accepted());
        self.drain();
        self.assert_complete();
    }
}

/// Changes an acknowledgement, and no other answer.
fn acknowledged(reply: Reply, change: impl FnOnce(&mut Acknowledgement)) -> Reply {
    let Reply::Done(body) = &reply else {
        return reply;
    };
    let Ok(mut answer) = Acknowledgement::decode(body) else {
        return reply;
    };
    change(&mut answer);
    Reply::Done(answer.encode().unwrap().to_vec())
}

#[test]
fn the_enrolment_decides_channel_and_counter_and_a_setting_only_proposes_them() {
    let mut bench = Bench::new(0, Layout::ONE_MEBIBYTE);
    let decided = bench.post.enrolled();
    let proposed = Enrolled {
        sensor: Sensor::new(decided.sensor.model(), 1).unwrap(),
        rules: ww_device::register::RegisterRules {
            production_counter: ProductionCounter::TotalReturned,
            ..decided.rules
        },
        mac: None,
    };
    bench.meter.parts_mut().proposed = proposed;
    bench.meter.start().unwrap();
    bench.run(MINUTE_MS);
    assert_eq!(*bench.meter.meter().unwrap().enrolled(), proposed);
    bench.approve();
    bench.run(HOUR_MS);
    assert_eq!(*bench.meter.meter().unwrap().enrolled(), decided);
    assert!(bench.meter.meter().unwrap().produced().get() > 0);
    bench.meter.stop().unwrap();
    bench.meter.start().unwrap();
    assert_eq!(*bench.meter.meter().unwrap().enrolled(), decided);
}

#[test]
fn forged_enrolment() {
    let mut bench = Bench::waiting(|bench| bench.approve_with(99, 98, |_| ()));
    bench.assert_not_enrolled(EnrolmentError::BadSignature);
}

#[test]
fn the_enrolment_of_another_meter_is_not_taken() {
    let other = ShamSigner::new(2).public_key();
    let mut bench =
        Bench::waiting(|bench| bench.approve_with(99, 99, |enrolment| enrolment.meter_key = other));
    bench.assert_not_enrolled(EnrolmentError::ForeignMeter(other.id()));
}

#[test]
fn an_enrolment_for_a_channel_that_the_sensor_does_not_have_is_not_taken() {
    let mut bench =
        Bench::waiting(|bench| bench.approve_with(99, 99, |enrolment| enrolment.channel = 2));
    bench.assert_not_enrolled(EnrolmentError::NoSuchChannel(2));
}

#[test]
fn the_enrolment_of_another_operator_changes_nothing() {
    let mut bench = Bench::enrolled(0);
    bench.run(HOUR_MS);
    let in_force = bench.windows().last().unwrap().enrolment;
    assert!(!in_force.is_zero());
    bench.approve_with(98, 98, |enrolment| {
        (enrolment.number, enrolment.channel) = (2, 1);
    });
    bench.run(HOUR_MS);
    let stranger = ShamSigner::new(98).public_key().id();
    let refused = EnrolmentError::ForeignOperator(stranger);
    assert_eq!(bench.last_error(), Some(MeterError::Enrolment(refused)));
    let meter = bench.meter.meter().unwrap();
    assert_eq!(*meter.enrolled(), bench.post.enrolled());
    assert_eq!(bench.windows().last().unwrap().enrolment, in_force);
}

#[test]
fn an_acknowledgement_for_another_meter_frees_nothing() {
    let mut bench = Bench::enrolled(0);
    bench.run(20 * MINUTE_MS);
    let foreign = SignerId([9; 32]);
    bench.run_between(HOUR_MS, |_, _, reply| {
        acknowledged(reply, |answer| answer.meter = foreign)
    });
    assert_eq!(bench.last_error(), Some(MeterError::ForeignAnswer(foreign)));
    assert!(bench.meter.meter().unwrap().depth().records >= 5);
    bench.drain();
    bench.assert_complete();
}

#[test]
fn every_window_names_the_newest_checkpoint_that_the_meter_has_received() {
    let mut bench = Bench::enrolled(0);
    let root = |size: u64| match size {
        0 => Hash::ZERO,
        _ => Hash::of(&[&size.to_be_bytes()]),
    };
    let mut named = Vec::new();
    for size in [0, 7, 9, 8] {
        bench.run_between(30 * MINUTE_MS, |_, _, reply| {
            acknowledged(reply, |answer| {
                (answer.log_size, answer.log_root) = (size, root(size));
            })
        });
        let newest = *bench.windows().last().unwrap();
        assert_eq!(newest.log_root, root(newest.log_size));
        named.push(newest.log_size);
    }
    assert_eq!(named, [0, 7, 9, 9], "an older one never comes back");
}

#[test]
fn a_status_report_tells_what_waits_and_what_failed() {
    let mut bench = Bench::enrolled(0);
    bench.run(5 * MINUTE_MS);
    bench.meter.faults_mut().sensor.is_unreachable = true;
    let failed = bench.run(2 * MINUTE_MS).len();
    bench.meter.faults_mut().sensor.is_unreachable = false;
    bench.meter.set_network_up(false);
    bench.run(HOUR_MS);
    bench.meter.set_network_up(true);
    let mut reports = Vec::new();
    bench.run_between(10 * MINUTE_MS, |request, body, reply| {
        if request == Request::Status {
            let sign1 = Sign1::decode(body).unwrap();
            assert_eq!(RecordType::of(sign1.payload), Ok(RecordType::StatusReport));
            reports.push(StatusReport::decode(sign1.payload).unwrap());
        }
        reply
    });
    let (first, last) = (reports.first().unwrap(), reports.last().unwrap());
    assert!(failed >= 11);
    assert_eq!(first.sensor_failures as usize, failed);
    assert!(first.upload_failures > 10, "{first:?}");
    assert!(last.time.unwrap() > first.time.unwrap());
    // At most one sealed window and the open one wait when the outage is over.
    assert!(last.queued_records <= 1, "{last:?}");
    assert!(last.queued_readings <= 120, "{last:?}");
    assert_eq!(bench.gateway.contradictions(), []);
}

#[test]
fn readings_behind_one_that_did_not_arrive_are_flagged_as_queued_and_no_others() {
    let mut bench = Bench::enrolled(0);
    let queued = |reading: &ww_wire::AnyReading| reading.sum().flags.contains(ReadingFlags::QUEUED);
    bench.run(10 * MINUTE_MS);
    assert!(!bench.run(10 * MINUTE_MS).iter().any(queued));
    bench.meter.set_network_up(false);
    let outage = bench.run(10 * MINUTE_MS);
    let (first, behind) = outage.split_first().unwrap();
    assert!(!queued(first), "the one before it had arrived");
    assert!(behind.len() > 50 && behind.iter().all(queued));
    bench.meter.set_network_up(true);
    bench.run(5 * MINUTE_MS);
    assert!(!bench.run(10 * MINUTE_MS).iter().any(queued));
}

#[test]
fn a_backlog_that_the_gateway_puts_off_holds_no_live_reading_back() {
    let mut bench = Bench::enrolled(0);
    bench.run(MINUTE_MS);
    bench.meter.set_network_up(false);
    bench.run(HOUR_MS);
    bench.meter.set_network_up(true);
    let later = Refusal::Unavailable {
        retry_after_ms: Some(HOUR_MS),
    };
    // A live reading is smaller than this, a window is not.
    bench.gateway.set_limits(Limits {
        bytes: 300,
        ..Limits::USUAL
    });
    let put_off = |request, _: &[u8], reply| match request {
        Request::Batch => Reply::Refused(later),
        _ => reply,
    };
    bench.run_between(5 * MINUTE_MS, put_off);
    for _ in 0..60 {
        bench.run_between(10_000, put_off);
        let newest = bench.recorded.keys().next_back().unwrap();
        assert!(bench.gateway.readings().contains_key(newest));
    }
    assert!(bench.meter.meter().unwrap().depth().records >= 6);
    bench.gateway.set_limits(Limits::USUAL);
    bench.run(HOUR_MS);
    bench.drain();
    bench.assert_complete();
}
