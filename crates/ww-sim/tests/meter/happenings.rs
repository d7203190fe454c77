//! Random lives of a meter against the reference: whatever happens in whatever order, a reading
//! that was durable arrives as it was, or a signed Gap gives it up.

use proptest::prelude::*;

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_device::queue::Layout;
use ww_sim::flash::{CutPoint, PowerCut};
use ww_sim::meter::Stopped;
use ww_sim::network::LinkQuality;

#[derive(Clone, Copy, Debug)]
enum Happening {
    TimePasses { minutes: u64 },
    NetworkIsUp(bool),
    NetworkIsPoor(bool),
    PowerCut { in_operations: u64, point: CutPoint },
    PowerGoes,
    OrderlyStop,
    SensorIsReachable(bool),
    CountersReset,
    ClockIsKnown(bool),
    ClockIsSynchronised(bool),
    ClockSteps { by_s: i64 },
    GatewayLosesAnHour,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let point = prop_oneof![
        Just(CutPoint::Before),
        any::<u64>().prop_map(|seed| CutPoint::Torn { seed }),
        Just(CutPoint::After),
    ];
    prop_oneof![
        6 => (1..45u64).prop_map(|minutes| TimePasses { minutes }),
        2 => any::<bool>().prop_map(NetworkIsUp),
        1 => any::<bool>().prop_map(NetworkIsPoor),
        4 => (0..150u64, point).prop_map(|(in_operations, point)| PowerCut { in_operations, point }),
        1 => Just(PowerGoes),
        1 => Just(OrderlyStop),
        1 => any::<bool>().prop_map(SensorIsReachable),
        1 => Just(CountersReset),
        1 => any::<bool>().prop_map(ClockIsKnown),
        1 => any::<bool>().prop_map(ClockIsSynchronised),
        1 => (-7_200..7_200i64).prop_map(|by_s| ClockSteps { by_s }),
        1 => Just(GatewayLosesAnHour),
    ]
}

impl Bench {
    /// Lets time pass, and gives the power back whenever it goes.
    fn live(&mut self, duration_ms: u64) {
        let until = self.meter.now().checked_add_ms(duration_ms).unwrap();
        loop {
            let lived = self.meter.run_until(until, &mut self.gateway);
            self.note_readings();
            match lived {
                Ok(()) => return,
                Err(Stopped::PowerLost) => self.meter.power_on().map(drop).unwrap(),
                Err(stopped) => panic!("{stopped}: {stopped:?}"),
            }
        }
    }

    fn suffer(&mut self, happening: Happening) {
        let now = self.meter.now();
        match happening {
            Happening::TimePasses { minutes } => self.live(minutes * MINUTE_MS),
            Happening::NetworkIsUp(is_up) => self.meter.set_network_up(is_up),
            Happening::NetworkIsPoor(true) => self.meter.set_network(LinkQuality::POOR),
            Happening::NetworkIsPoor(false) => self.meter.set_network(LinkQuality::PERFECT),
            Happening::PowerCut {
                in_operations,
                point,
            } => {
                self.meter.parts_mut().flash.with(|chip| {
                    let operation = chip.counters().operations + in_operations;
                    chip.cut_power_at(PowerCut { operation, point });
                });
            }
            Happening::PowerGoes => {
                self.meter.power_off();
                self.meter.power_on().unwrap();
            }
            Happening::OrderlyStop => {
                if self.meter.stop() != Err(Stopped::PowerLost) {
                    self.meter
                        .parts_mut()
                        .flash
                        .with(|chip| assert!(chip.is_powered()));
                }
                self.meter.power_on().unwrap();
            }
            Happening::SensorIsReachable(is_reachable) => {
                self.meter.faults_mut().sensor.is_unreachable = !is_reachable;
            }
            Happening::CountersReset => self.meter.parts_mut().sensor.reset_counters(now),
            Happening::ClockIsKnown(is_known) => {
                self.meter.faults_mut().clock_is_unknown = !is_known;
            }
            Happening::ClockIsSynchronised(is_synchronised) => {
                self.meter.faults_mut().clock_is_informative = !is_synchronised;
            }
            Happening::ClockSteps { by_s } => {
                self.meter.faults_mut().clock_offset_ms += by_s * 1000;
            }
            Happening::GatewayLosesAnHour => {
                let backup = self.gateway.clone();
                self.live(HOUR_MS);
                self.gateway.restore(&backup);
            }
        }
    }

    /// Mends everything and sends all there is.
    fn mend(&mut self) {
        *self.meter.faults_mut() = Default::default();
        self.meter
            .parts_mut()
            .flash
            .with(|chip| chip.restore_power());
        self.meter.set_network(LinkQuality::PERFECT);
        self.meter.set_network_up(true);
        self.live(30 * MINUTE_MS);
        self.drain();
    }
}

fn without_regressions(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Default::default()
    }
}

proptest! {
    #![proptest_config(without_regressions(24))]

    #[test]
    fn with_room_for_days_everything_arrives(
        post in 0..3usize,
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let mut bench = Bench::enrolled(post);
        for happening in happenings {
            bench.suffer(happening);
        }
        bench.mend();
        bench.assert_complete();
    }

    #[test]
    fn with_hardly_any_room_what_is_lost_is_given_up_by_a_gap(
        post in 0..3usize,
        happenings in prop::collection::vec(happening(), 1..60),
    ) {
        let mut bench = Bench::enrolled_on(post, Layout::new(0, 4, 3).unwrap());
        for happening in happenings {
            bench.suffer(happening);
        }
        bench.mend();
        bench.assert_accounted();
    }
}
