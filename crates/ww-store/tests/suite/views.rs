//! What a dashboard asks of a store: whole calendar periods, marks, windows, alerts, and all readings
//! in the order of their times.

use jiff::civil::date;
use ww_store::{InstallationId, Moment, Span};
use ww_wire::UtcMillis;

use super::meter::{Meter, live, utc};
use super::{Backend, active, mwh, old_and_new, replace, take};

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
