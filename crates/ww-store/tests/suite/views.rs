//! What a dashboard asks of a store: whole calendar periods, marks, windows, alerts, and all readings
//! in the order of their times.

use jiff::civil::date;
use ww_store::{
    Announcement, EvidenceSum, FindingKind, FindingSum, Ingest, InstallationId, Mark, MarkQuery,
    Moment, NewFinding, OfAll, Position, Proof, ReadingQuery, SensorProposal, Span, Store,
    StoreError, Verified, WholeWindow,
};
use ww_wire::{
    ChainIndex, ChainRecord, Gap, GapKind, Hash, MilliwattHours, Record, Revocation,
    RevocationReason, Text, UtcMillis,
};

use super::meter::{
    Meter, audit, bare, chained, live, operator_key, sealed, signature, tampered, utc,
};
use super::{Backend, active, all, assert_whole, everything, mwh, old_and_new, replace, take};

pub(crate) async fn a_whole_period_has_all_of_its_bars_with_and_without_readings<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    // The day of the change to winter: 2 mWh for each of its 25 hours.
    let mut batch = vec![live(meter.read(Some(utc("2025-10-25T21:59:50Z")), 0))];
    let start = utc("2025-10-25T22:00:00Z");
    for hour in 0..25 {
        let time = UtcMillis::new(start.get() + hour * 3_600_000);
        batch.push(live(meter.read(time, 2)));
    }
    batch.push(live(meter.read(Some(utc("2025-10-26T23:00:00Z")), 7)));
    take(&*store, batch).await;
    let day = |day| Moment::Day(date(2025, 10, day));
    let whole = async |span, moment| store.whole_chart(id, span, moment).await.unwrap().unwrap();
    let chart = whole(Span::Day, day(26)).await;
    assert_eq!((chart.bars.len(), chart.total), (25, mwh(50)));
    assert!(chart.bars.iter().all(|bar| bar.energy == mwh(2)));
    assert!(chart.bars.iter().all(|bar| bar.readings == 1));
    assert_eq!(chart.time_zone, "Europe/Berlin");
    assert_eq!(
        (chart.start, chart.end),
        (start, utc("2025-10-26T23:00:00Z"))
    );
    let noon = Moment::Time(utc("2025-10-26T12:00:00Z"));
    assert_eq!(whole(Span::Day, noon).await, chart);
    let week = whole(Span::Week, day(26)).await;
    assert_eq!((week.bars.len(), week.total), (7, mwh(50)));
    assert_eq!((week.bars[6].energy, week.end), (mwh(50), chart.end));
    let month = whole(Span::Month, day(1)).await;
    assert_eq!((month.bars.len(), month.total), (31, mwh(57)));
    let year = whole(Span::Year, day(1)).await;
    assert_eq!((year.bars.len(), year.bars[9].energy), (12, mwh(57)));
    // Nobody has measured in these.
    let empty = whole(Span::Month, Moment::Day(date(2028, 2, 29))).await;
    assert_eq!((empty.bars.len(), empty.total), (29, mwh(0)));
    let (first, second) = (&empty.bars[0], &empty.bars[1]);
    assert_eq!((first.readings, first.end), (0, second.start));
    assert_eq!(
        store
            .whole_chart(InstallationId(9), Span::Day, noon)
            .await
            .unwrap(),
        None
    );
}

pub(crate) async fn a_whole_period_goes_on_from_the_meter_that_was_replaced<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (_, mut new, replacement) = old_and_new(&*store).await;
    replace(&*store, replacement).await.unwrap();
    let first = new.read(Some(utc("2025-06-19T14:00:00Z")), 0);
    let second = new.read(Some(utc("2025-06-19T14:00:10Z")), 300);
    take(&*store, vec![live(first), live(second)]).await;
    let day = Moment::Day(date(2025, 6, 19));
    let chart = store.whole_chart(InstallationId(2), Span::Day, day).await;
    let bars = chart.unwrap().unwrap().bars;
    assert_eq!((bars[12].energy, bars[14].energy), (mwh(59 * 45), mwh(300)));
    assert_eq!((bars[12].readings, bars[14].readings), (60, 2));
}

/// The marks of a span, as far as half past noon on 2025-06-25.
async fn marks(store: &dyn Store, id: InstallationId, start: &str, end: &str) -> Vec<Mark> {
    let query = MarkQuery {
        installation: id,
        start: utc(start),
        end: utc(end),
        now: Some(utc("2025-06-25T12:30:00Z")),
        patience_ms: 30_000,
        limit: 500,
    };
    store.marks(query).await.unwrap()
}

fn outage(start: &str, end: &str, energy: Option<u64>) -> Mark {
    Mark::Outage {
        start: utc(start),
        end: Some(utc(end)),
        energy: energy.map(mwh),
    }
}

pub(crate) async fn a_time_without_readings_is_an_outage_that_begins_and_ends_with_one<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut batch = Vec::new();
    for (time, increment) in [
        ("2025-06-25T11:40:00Z", 0),
        // As far apart as they may be.
        ("2025-06-25T11:40:30Z", 5),
        ("2025-06-25T12:01:40Z", 70),
        ("2025-06-25T12:02:10.001Z", 3),
    ] {
        batch.push(live(meter.read(Some(utc(time)), increment)));
    }
    take(&*store, batch).await;
    let first = outage("2025-06-25T11:40:30Z", "2025-06-25T12:01:40Z", Some(70));
    let second = outage("2025-06-25T12:01:40Z", "2025-06-25T12:02:10.001Z", Some(3));
    let lasting = Mark::Outage {
        start: utc("2025-06-25T12:02:10.001Z"),
        end: None,
        energy: None,
    };
    let all = [first.clone(), second.clone(), lasting.clone()];
    for (start, end, expected) in [
        ("2025-06-25T00:00:00Z", "2025-06-26T00:00:00Z", &all[..]),
        ("2025-06-25T11:00:00Z", "2025-06-25T11:40:30Z", &all[..1]),
        // Of an outage that reaches beyond the span the whole is told.
        ("2025-06-25T11:50:00Z", "2025-06-25T11:51:00Z", &all[..1]),
        ("2025-06-25T12:02:00Z", "2025-06-25T12:02:01Z", &all[1..2]),
        ("2025-06-25T12:10:00Z", "2025-06-25T12:11:00Z", &all[2..]),
        // Before the first reading there is none.
        ("2025-06-24T00:00:00Z", "2025-06-25T11:39:59Z", &[]),
        ("2025-06-26T00:00:00Z", "2025-06-27T00:00:00Z", &[]),
    ] {
        assert_eq!(marks(&*store, id, start, end).await, expected, "{start}");
    }
    // A reading from the future ends nothing, and a meter out of service is not missed.
    let ahead = meter.read(Some(utc("2099-01-01T00:00:00Z")), 0);
    take(&*store, vec![live(ahead)]).await;
    let today = ("2025-06-25T00:00:00Z", "2025-06-26T00:00:00Z");
    assert_eq!(marks(&*store, id, today.0, today.1).await, all);
    let revocation = Revocation {
        operator: operator_key().id(),
        meter: meter.id(),
        time: utc("2025-06-25T12:20:00Z"),
        reason: RevocationReason::Lost,
        note: Text::EMPTY,
    };
    let revocation = Verified::vouched(revocation, signature(2));
    store.revoke(revocation, audit(None)).await.unwrap();
    assert_eq!(marks(&*store, id, today.0, today.1).await, all[..2]);
}

pub(crate) async fn outages_of_days_are_steps_without_a_reading_wherever_these_are_kept<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-21T00:00:00Z");
    let mut batch = Vec::new();
    for slot in 0..600_u64 {
        if matches!(slot, 100..=102 | 300) {
            continue;
        }
        // Late in each step.
        let time = UtcMillis::new(start.get() + slot * 600_000 + 500_000);
        let readings = [meter.read(time, 10)];
        let window = meter.seal(&readings);
        batch.push(match slot {
            // It was measured, and the readings are lost.
            200 => bare(window),
            _ => sealed(window, &readings),
        });
    }
    take(&*store, batch).await;
    let expected = [
        outage("2025-06-21T16:40:00Z", "2025-06-21T17:10:00Z", None),
        outage("2025-06-23T02:00:00Z", "2025-06-23T02:10:00Z", None),
        Mark::Outage {
            start: utc("2025-06-25T04:00:00Z"),
            end: None,
            energy: None,
        },
    ];
    let (from, to) = ("2025-06-20T00:00:00Z", "2025-06-26T00:00:00Z");
    assert_eq!(marks(&*store, id, from, to).await, expected);
    while store.maintain().await.unwrap().more {}
    assert!(store.statistics().await.unwrap().compacted_readings > 0);
    assert_eq!(marks(&*store, id, from, to).await, expected);
    // Years before the first reading count for nothing.
    let years = marks(&*store, id, "2005-06-20T00:00:00Z", to).await;
    assert_eq!(years, expected);
    // Of a shorter span the readings themselves say it.
    let query = MarkQuery {
        installation: id,
        start: utc("2025-06-21T10:00:00Z"),
        end: utc("2025-06-21T17:00:00Z"),
        now: None,
        patience_ms: 600_000,
        limit: 10,
    };
    let short = [outage(
        "2025-06-21T16:38:20Z",
        "2025-06-21T17:18:20Z",
        Some(10),
    )];
    assert_eq!(store.marks(query).await.unwrap(), short);
    assert_whole(&*store).await;
}

pub(crate) async fn outages_of_years_are_hours_without_a_reading<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let times = [
        "2022-06-25T10:05:00Z",
        "2022-06-25T11:55:00Z",
        "2022-06-25T13:05:00Z",
        "2025-06-25T12:05:00Z",
    ];
    let readings = times.map(|time| live(meter.read(Some(utc(time)), 10)));
    take(&*store, readings.to_vec()).await;
    let expected = [
        outage("2022-06-25T12:00:00Z", "2022-06-25T13:00:00Z", None),
        outage("2022-06-25T14:00:00Z", "2025-06-25T12:00:00Z", None),
    ];
    let (from, to) = ("2022-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    assert_eq!(marks(&*store, id, from, to).await, expected);
    // What lies at the edges of a span is found although it is years away.
    let (from, to) = ("2023-06-01T00:00:00Z", "2023-06-02T00:00:00Z");
    let whole = outage("2022-06-25T13:05:00Z", "2025-06-25T12:05:00Z", Some(10));
    assert_eq!(marks(&*store, id, from, to).await, [whole]);
}

pub(crate) async fn an_outage_beside_windows_without_readings_is_the_same_in_every_span<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut batch = Vec::new();
    for (start, is_bare) in [
        ("2025-06-21T10:00:00Z", false),
        ("2025-06-21T10:10:00Z", true),
        ("2025-06-25T11:00:00Z", true),
        ("2025-06-25T11:10:00Z", false),
    ] {
        let readings = meter.ten_minutes(utc(start), 45);
        let window = meter.seal(&readings);
        batch.push(match is_bare {
            true => bare(window),
            false => sealed(window, &readings),
        });
    }
    take(&*store, batch).await;
    let expected = outage("2025-06-21T10:19:50Z", "2025-06-25T11:00:00Z", None);
    for (start, end) in [
        ("2025-06-20T00:00:00Z", "2025-06-25T11:15:00Z"),
        // Of readings, and of steps, beginning and ending within the outage.
        ("2025-06-21T10:30:00Z", "2025-06-21T10:40:00Z"),
        ("2025-06-21T10:30:00Z", "2025-06-24T00:00:00Z"),
        ("2025-06-21T10:15:00Z", "2025-06-21T10:40:00Z"),
        ("2025-06-25T10:00:00Z", "2025-06-25T11:05:00Z"),
    ] {
        let marks = marks(&*store, id, start, end).await;
        assert_eq!(marks.first(), Some(&expected), "{start} {end}");
    }
}

pub(crate) async fn a_start_beside_a_window_of_a_wrong_clock_is_marked<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut batch = Vec::new();
    for (boot, start, reading) in [
        (1, "2025-06-25T08:00:00Z", "2025-06-25T08:00:20Z"),
        (2, "2025-06-25T09:00:00Z", "2099-06-25T09:00:20Z"),
        (3, "2025-06-25T10:00:00Z", "2025-06-25T10:00:20Z"),
        (4, "2025-06-25T11:00:00Z", "2025-06-24T23:00:00Z"),
        (5, "2025-06-25T12:00:00Z", "2099-06-25T12:00:20Z"),
        (6, "2025-06-25T12:10:00Z", ""),
    ] {
        meter.boot = boot;
        let boot = meter.start(Some(utc(start)));
        batch.push(chained(ChainRecord::Boot(boot)));
        if !reading.is_empty() {
            let readings = [meter.read(Some(utc(reading)), 10)];
            batch.push(sealed(meter.seal(&readings), &readings));
        }
    }
    for outcome in take(&*store, batch).await {
        super::receipt(&outcome);
    }
    for (from, to, starts) in [
        ("2025-06-25T00:00:00Z", "2025-06-26T00:00:00Z", 1..=6),
        ("2025-06-25T00:00:00Z", "2025-06-25T10:30:00Z", 1..=3),
    ] {
        let marks = marks(&*store, id, from, to).await;
        let boots = marks.iter().filter_map(|mark| match mark {
            Mark::Boot { boot, .. } => Some(boot.boot.get()),
            _ => None,
        });
        assert_eq!(
            boots.collect::<Vec<_>>(),
            starts.collect::<Vec<_>>(),
            "{to}"
        );
    }
}

pub(crate) async fn a_start_is_marked_when_it_was_or_with_the_first_reading_after_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut batch = Vec::new();
    let mut boots = Vec::new();
    for (boot, time, reading) in [
        (1, Some("2025-06-25T10:00:00Z"), "2025-06-25T10:00:20Z"),
        (2, None, "2025-06-25T11:00:20Z"),
        (3, None, "2025-06-25T12:00:20Z"),
    ] {
        meter.boot = boot;
        boots.push(meter.start(time.map(utc)));
        batch.push(chained(ChainRecord::Boot(boots[boots.len() - 1])));
        if boot < 3 {
            let readings = [meter.read(Some(utc(reading)), 10)];
            let window = meter.seal(&readings);
            batch.push(sealed(window, &readings));
        }
    }
    take(&*store, batch).await;
    let starts = async |from: &str, to: &str| -> Vec<(UtcMillis, u32)> {
        let marks = marks(&*store, id, from, to).await;
        let boots = marks.iter().filter_map(|mark| match mark {
            Mark::Boot { at, boot } => Some((*at, boot.boot.get())),
            _ => None,
        });
        boots.collect()
    };
    let (first, second) = (utc("2025-06-25T10:00:00Z"), utc("2025-06-25T11:00:20Z"));
    let day = ("2025-06-25T00:00:00Z", "2025-06-26T00:00:00Z");
    assert_eq!(starts(day.0, day.1).await, [(first, 1), (second, 2)]);
    let hour = ("2025-06-25T11:00:00Z", "2025-06-25T12:00:00Z");
    assert_eq!(starts(hour.0, hour.1).await, [(second, 2)]);
    // No reading came after the third: it is dated by its arrival.
    let all = starts(day.0, "2030-01-01T00:00:00Z").await;
    assert_eq!(all[2], (UtcMillis::new(1_790_000_000_123).unwrap(), 3));
}

pub(crate) async fn what_a_meter_gave_up_is_marked_when_it_was_measured<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut ten_minutes = |start: &str| {
        let readings = meter.ten_minutes(utc(start), 45);
        let window = meter.seal(&readings);
        (window, readings, meter.clone())
    };
    let (kept, kept_readings, _) = ten_minutes("2025-06-25T10:00:00Z");
    // This one never comes.
    let (lost, ..) = ten_minutes("2025-06-25T10:10:00Z");
    let lost_digest = lost.encode().unwrap().digest();
    let records = meter.give_up(1, 1, lost_digest);
    let mut batch = vec![
        sealed(kept, &kept_readings),
        chained(ChainRecord::Gap(records)),
    ];
    let readings = meter.ten_minutes(utc("2025-06-25T10:20:00Z"), 45);
    let bare_window = meter.seal(&readings);
    batch.push(bare(bare_window));
    let given_up = |meter: &mut Meter, window: u64| {
        let gap = Gap {
            time: Some(utc("2025-06-25T11:30:00Z")),
            kind: GapKind::Readings,
            first_sequence: Some(readings[0].sum().sequence),
            last_sequence: Some(readings[59].sum().sequence),
            produced_open: MilliwattHours::new(60 * 45).unwrap(),
            produced_close: MilliwattHours::new(120 * 45).unwrap(),
            last_digest: Hash::ZERO,
            ..meter.clone().give_up(window, window, Hash([1; 32]))
        };
        meter.previous = gap.encode().unwrap().digest();
        meter.next_index += 1;
        gap
    };
    let window = bare_window.chain_index.get();
    let early = given_up(&mut meter, window);
    let late = given_up(&mut meter, window);
    batch.push(chained(ChainRecord::Gap(early)));
    batch.push(chained(ChainRecord::Gap(late)));
    let readings = meter.ten_minutes(utc("2025-06-25T10:30:00Z"), 45);
    let last = meter.seal(&readings);
    batch.push(sealed(last, &readings));
    for outcome in take(&*store, batch).await {
        super::receipt(&outcome);
    }
    let marks = marks(&*store, id, "2025-06-25T10:00:00Z", "2025-06-25T10:39:50Z").await;
    let gap = |start, end, gap| Mark::Gap {
        start: utc(start),
        end: utc(end),
        gap,
    };
    // Nothing of it is an outage, and what a later Gap says again is told once.
    let expected = [
        gap("2025-06-25T10:09:50Z", "2025-06-25T10:20:00Z", records),
        gap("2025-06-25T10:20:00Z", "2025-06-25T10:29:50Z", late),
        Mark::Outage {
            start: utc("2025-06-25T10:39:50Z"),
            end: None,
            energy: None,
        },
    ];
    assert_eq!(marks, expected);
}

pub(crate) async fn of_too_many_marks_the_longest_outages_are_kept<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut time = utc("2025-06-25T06:00:00Z");
    let mut batch = Vec::new();
    for minutes in [0_u64, 5, 3, 9, 1, 7] {
        time = UtcMillis::new(time.get() + minutes * 60_000).unwrap();
        batch.push(live(meter.read(Some(time), 10)));
    }
    for boot in 1..=9 {
        meter.boot = boot;
        let boot = meter.start(UtcMillis::new(time.get() + u64::from(boot)));
        batch.push(chained(ChainRecord::Boot(boot)));
    }
    take(&*store, batch).await;
    let query = MarkQuery {
        installation: id,
        start: utc("2025-06-25T00:00:00Z"),
        end: time,
        now: Some(time),
        patience_ms: 30_000,
        limit: 4,
    };
    let shown = async |query| -> Vec<u64> {
        let marks = store.marks(query).await.unwrap();
        let minutes = marks.iter().map(|mark| match mark {
            Mark::Outage { start, end, .. } => (end.unwrap().get() - start.get()) / 60_000,
            Mark::Boot { boot, .. } => 100 + u64::from(boot.boot.get()),
            Mark::Gap { .. } => 0,
        });
        minutes.collect()
    };
    assert_eq!(shown(query).await, [5, 3, 9, 7]);
    let with_boots = MarkQuery {
        end: utc("2025-06-25T07:00:00Z"),
        ..query
    };
    assert_eq!(shown(with_boots).await, [9, 7, 108, 109]);
}

pub(crate) async fn a_window_comes_with_its_readings_and_neighbours_wherever_it_is_kept<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T00:00:00Z");
    let boot = meter.start(Some(start));
    let mut batch = vec![chained(ChainRecord::Boot(boot))];
    let mut windows = Vec::new();
    for number in 0..150_u64 {
        let time = UtcMillis::new(start.get() + number * 600_000);
        let readings = [
            meter.read(time, 45),
            meter.read(time.map(|t| UtcMillis::new(t.get() + 10_000).unwrap()), 45),
        ];
        let window = meter.seal(&readings);
        batch.push(match number {
            // The readings of the last one are lost.
            149 => bare(window),
            _ => sealed(window, &readings),
        });
        windows.push((window, readings));
    }
    take(&*store, batch).await;
    let index = |number: u64| ChainIndex::new(number).unwrap();
    let before = store.window(id, index(7)).await.unwrap().unwrap();
    while store.maintain().await.unwrap().more {}
    assert!(store.statistics().await.unwrap().compacted_readings > 0);
    let compact = store.window(id, index(7)).await.unwrap().unwrap();
    let bytes = |whole: &WholeWindow| -> Vec<_> {
        let readings = whole.readings.iter();
        readings
            .map(|stored| (stored.reading, stored.proof))
            .collect()
    };
    assert_eq!(bytes(&compact), bytes(&before));
    for (number, previous, next) in [
        (1, None, Some(2)),
        (7, Some(6), Some(8)),
        (144, Some(143), Some(145)),
        (145, Some(144), Some(146)),
        (150, Some(149), None),
    ] {
        let whole = store.window(id, index(number)).await.unwrap().unwrap();
        let (window, readings) = &windows[number as usize - 1];
        assert_eq!(whole.stored.window, *window);
        assert_eq!(whole.stored.signature, signature(5));
        assert_eq!(
            (whole.previous, whole.next),
            (previous.map(index), next.map(index)),
            "{number}"
        );
        let held: Vec<_> = whole.readings.iter().map(|stored| stored.reading).collect();
        assert_eq!(whole.stored.has_readings, number != 150);
        match number {
            150 => assert!(held.is_empty()),
            _ => assert_eq!(held, readings),
        }
        for (at, stored) in whole.readings.iter().enumerate() {
            let proof = Proof::Window {
                index: index(number),
                leaf: at as u32,
                enrolment: window.enrolment,
            };
            assert_eq!(stored.proof, proof);
        }
    }
    // A Boot is none, and there is none behind the last.
    for none in [0, 151] {
        assert_eq!(store.window(id, index(none)).await.unwrap(), None);
    }
    assert_eq!(
        store.window(InstallationId(9), index(7)).await.unwrap(),
        None
    );
}

pub(crate) async fn findings_of_a_week_are_counted_by_kind_and_evidence_by_meter<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (mut first, mut second) = (Meter::new(1), Meter::new(2));
    let ids = [
        active(&*store, &first, "UTC").await,
        active(&*store, &second, "UTC").await,
    ];
    let note = async |meter: &mut Meter, kind, received: Option<&str>| {
        let id = ids[usize::from(meter.key.0[0]) - 1];
        let number = meter.next_sequence;
        let reading = meter.read(Some(utc("2025-06-20T00:00:00Z")), 10);
        let finding = NewFinding {
            installation: id,
            kind,
            number,
            detail: format!("number {number}"),
        };
        let batch = vec![live(reading), Ingest::Finding(finding)];
        store.ingest(batch, received.map(utc)).await.unwrap();
    };
    let (power, future) = (FindingKind::PowerAboveRating, FindingKind::FutureTime);
    for (kind, received) in [
        (power, Some("2025-06-11T23:59:59Z")),
        (power, Some("2025-06-12T00:00:00Z")),
        (future, Some("2025-06-15T12:00:00Z")),
        (power, Some("2025-06-19T11:00:00Z")),
        (power, Some("2025-06-19T12:00:00Z")),
        (power, None),
    ] {
        note(&mut first, kind, received).await;
    }
    note(&mut second, power, Some("2025-06-18T12:00:00Z")).await;
    let sum = |id, kind, count, since: &str, number: u64| FindingSum {
        count,
        since: Some(utc(since)),
        newest: NewFinding {
            installation: id,
            kind,
            number,
            detail: format!("number {number}"),
        },
    };
    // The day of the moment is counted whole.
    let mut sums = store
        .finding_sums(utc("2025-06-12T12:00:00Z"))
        .await
        .unwrap();
    sums.sort_by_key(|sum| (sum.newest.installation, sum.newest.kind as u8));
    let expected = [
        sum(ids[0], power, 3, "2025-06-12T00:00:00Z", 5),
        sum(ids[0], future, 1, "2025-06-15T12:00:00Z", 3),
        sum(ids[1], power, 1, "2025-06-18T12:00:00Z", 1),
    ];
    assert_eq!(sums, expected);
    let none = store
        .finding_sums(utc("2025-06-20T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(none, []);

    assert_eq!(store.evidence_sums().await.unwrap(), []);
    let reading = second.read(Some(utc("2025-06-20T00:01:00Z")), 10);
    let received = Some(utc("2025-06-20T00:02:00Z"));
    let batch = vec![live(reading), live(tampered(reading))];
    store.ingest(batch, received).await.unwrap();
    let expected = EvidenceSum {
        installation: ids[1],
        count: 1,
        since: received,
        kind: FindingKind::EquivocatingReading,
        number: 2,
    };
    assert_eq!(store.evidence_sums().await.unwrap(), [expected]);
}

pub(crate) async fn a_park_is_told_as_each_of_its_meters_is<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (_, mut new, replacement) = old_and_new(&*store).await;
    replace(&*store, replacement).await.unwrap();
    let later = new.read(Some(utc("2025-06-20T14:00:00Z")), 300);
    take(&*store, vec![live(later)]).await;
    let unheard = active(&*store, &Meter::new(3), "UTC").await;
    let waiting = Announcement {
        name: "Shed".to_owned(),
        public_key: Meter::new(4).key,
        time_zone: None,
        sensor: SensorProposal::default(),
        shelly_payload: Vec::new(),
        boot_time: None,
    };
    store.announce(waiting, 9, audit(None)).await.unwrap();
    let ids = [InstallationId(1), InstallationId(2), unheard];
    let (mut latest, mut energies, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    let now = utc("2025-06-20T15:00:00Z");
    for id in ids {
        let newest = store.latest(id).await.unwrap();
        let end = newest.as_ref().and_then(|newest| newest.reading.sum().time);
        let end = end.unwrap_or(UtcMillis::ZERO);
        latest.extend(newest.map(|newest| (id, newest)));
        energies.push((id, store.energy(id, now).await.unwrap().unwrap()));
        unknown.push((id, store.energy(id, end).await.unwrap().unwrap()));
    }
    assert_eq!(told(store.latest_of_all().await), latest);
    assert_eq!(told(store.energies(Some(now)).await), energies);
    assert_eq!(told(store.energies(None).await), unknown);
    assert_ne!(energies, unknown);
}

fn told<T>(all: Result<OfAll<T>, StoreError>) -> Vec<(InstallationId, T)> {
    let all = all.unwrap().into_iter();
    all.map(|(id, found)| (id, found.unwrap())).collect()
}

pub(crate) async fn all_readings_come_oldest_first_page_by_page_without_loss_or_repetition<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T00:00:00Z");
    let mut batch = Vec::new();
    for number in 0..150_u64 {
        let time = UtcMillis::new(start.get() + number * 600_000);
        let later = UtcMillis::new(start.get() + number * 600_000 + 10_000);
        let readings = [meter.read(time, 45), meter.read(later, 45)];
        batch.push(sealed(meter.seal(&readings), &readings));
    }
    take(&*store, batch).await;
    while store.maintain().await.unwrap().more {}
    let end = start.get() + 150 * 600_000;
    let mut alone = Vec::new();
    for number in 0..7 {
        // Two at a time have the same time.
        let time = UtcMillis::new(end + number / 2 * 10_000);
        alone.push(live(meter.read(time, 45)));
    }
    take(&*store, alone).await;
    let mut newest_first = all(&*store, id).await;
    assert_eq!(newest_first.len(), 307);
    newest_first.reverse();
    for limit in [7, 100, 307, 1_000] {
        let mut query = ReadingQuery {
            limit: Some(limit),
            ..everything(id)
        };
        let mut listed = Vec::new();
        while listed.len() <= newest_first.len() {
            let page = store.oldest_readings(query).await.unwrap();
            let full = page.len() == limit as usize;
            query.after = page.last().map(|stored| Position {
                time: stored.reading.sum().time.unwrap(),
                sequence: stored.reading.sum().sequence,
            });
            listed.extend(page);
            if !full {
                break;
            }
        }
        assert_eq!(listed, newest_first, "{limit}");
    }
    let some = ReadingQuery {
        start: UtcMillis::new(start.get() + 600_000).unwrap(),
        end: UtcMillis::new(start.get() + 1_200_000).unwrap(),
        ..everything(id)
    };
    assert_eq!(
        store.oldest_readings(some).await.unwrap(),
        newest_first[2..5]
    );
}
