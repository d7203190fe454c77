//! The product's own reading of sensors against the emulator: what goes over HTTP and JSON
//! arrives as what was observed.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ww_device::shelly::{self, Poll, PollError, SensorClock, SensorSample};
use ww_sim::clock::{Clock, FakeClock};
use ww_sim::emulator::{Emulator, Housing, HttpFaults};
use ww_sim::plant::{Plant, Production};
use ww_sim::sensor::Sensor;
use ww_sim::sun::{Plane, Site};
use ww_sim::weather::{Climate, Weather};
use ww_wire::{Mac, ProductionCounter, SensorModel, UtcMillis};

/// 2025-06-16T00:00:00Z.
const START_S: u64 = 1_750_032_000;
const MODELS: [SensorModel; 4] = [
    SensorModel::ShellyEmGen1,
    SensorModel::Shelly3EmGen1,
    SensorModel::ShellyEm1Gen2,
    SensorModel::ShellyEmGen2,
];

struct Park {
    emulator: Emulator,
    clock: FakeClock,
    model: SensorModel,
}

async fn park(model: SensorModel) -> Park {
    let site = Site {
        latitude_deg: 48.14,
        longitude_deg: 11.58,
        elevation_m: 520.0,
    };
    let plant = Plant {
        weather: Weather::new(site, Climate::CENTRAL_EUROPE, 5),
        plane: Plane {
            tilt_deg: 30.0,
            azimuth_deg: 180.0,
        },
        module_w: 7200.0,
        rated_w: 6000.0,
        standby_w: 1.2,
        cloud_delay_s: 0.0,
        seed: 9,
    };
    let start = UtcMillis::new(START_S * 1000).unwrap();
    let clock = FakeClock::new(start);
    let production = Production::new(plant, START_S as i64);
    let mac = Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]);
    let sensor = Sensor::new(model, mac, production, ProductionCounter::Total, start);
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let emulator = Emulator::start(address, sensor, Housing::default(), shared)
        .await
        .unwrap();
    Park {
        emulator,
        clock,
        model,
    }
}

async fn polled(park: &Park) -> Result<SensorSample, PollError> {
    let mut poll = Poll::new(shelly::Sensor::new(park.model, 0).unwrap());
    while let Some(target) = poll.request() {
        let mut stream = TcpStream::connect(park.emulator.address()).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: shelly\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        poll.begin(head.split(' ').nth(1).unwrap().parse().unwrap())?;
        for piece in body.as_bytes().chunks(7) {
            poll.push(piece)?;
        }
        poll.end()?;
    }
    poll.sample()
}

fn observed(park: &Park) -> SensorSample {
    let now = park.clock.utc();
    park.emulator
        .with_sensor(|sensor| sensor.observe(now))
        .sample(park.model, 0)
}

#[tokio::test]
async fn every_model_is_read_over_http_as_it_was_observed() {
    for model in MODELS {
        let park = park(model).await;
        // Night, dawn, noon, dusk.
        for hour in [1, 4, 11, 19] {
            park.clock.advance_ms(hour * 3_600_000);
            assert_eq!(
                polled(&park).await,
                Ok(observed(&park)),
                "{model:?} after {hour} h"
            );
        }
    }
}

#[tokio::test]
async fn every_model_that_does_not_vouch_is_read_as_without_values() {
    for model in MODELS {
        let park = park(model).await;
        park.emulator
            .with_sensor(|sensor| sensor.faults_mut().is_invalid = true);
        assert_eq!(polled(&park).await.unwrap().values, None, "{model:?}");
    }
}

#[tokio::test]
async fn every_model_without_a_time_server_is_read_as_unset() {
    for model in MODELS {
        let park = park(model).await;
        park.emulator
            .with_sensor(|sensor| sensor.faults_mut().clock_is_unset = true);
        assert_eq!(
            polled(&park).await.unwrap().clock,
            SensorClock::Unset,
            "{model:?}"
        );
    }
}

#[tokio::test]
async fn no_truncated_answer_is_read_as_a_sample() {
    let park = park(SensorModel::ShellyEmGen1).await;
    for kept in [1, 100, 400, 700, 900] {
        let faults = HttpFaults {
            truncated_after_bytes: Some(kept),
            ..HttpFaults::default()
        };
        park.emulator.set_faults(faults);
        assert!(polled(&park).await.is_err(), "cut after {kept} bytes");
    }
}
