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
use ww_sim::park::{Park, Post};
use ww_wire::{Mac, SensorModel, UtcMillis};

/// 2025-06-16T00:00:00Z.
const START_S: u64 = 1_750_032_000;
const MAC: Mac = Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]);
const MODELS: [SensorModel; 4] = [
    SensorModel::ShellyEmGen1,
    SensorModel::Shelly3EmGen1,
    SensorModel::ShellyEm1Gen2,
    SensorModel::ShellyEmGen2,
];

struct Bench {
    emulator: Emulator,
    clock: FakeClock,
    model: SensorModel,
}

async fn bench(model: SensorModel) -> Bench {
    let start = UtcMillis::new(START_S * 1000).unwrap();
    let clock = FakeClock::new(start);
    let example = Park::example(1, 5).posts.remove(0);
    let post = Post {
        model,
        mac: MAC,
        ..example
    };
    let sensor = post.sensor(start);
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let emulator = Emulator::start(address, sensor, Housing::default(), shared)
        .await
        .unwrap();
    Bench {
        emulator,
        clock,
        model,
    }
}

async fn polled(bench: &Bench) -> Result<SensorSample, PollError> {
    let mut poll = Poll::new(shelly::Sensor::new(bench.model, 0).unwrap());
    while let Some(target) = poll.request() {
        let mut stream = TcpStream::connect(bench.emulator.address()).await.unwrap();
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

fn observed(bench: &Bench) -> SensorSample {
    let now = bench.clock.utc();
    bench
        .emulator
        .with_sensor(|sensor| sensor.observe(now))
        .sample(bench.model, 0)
}

#[tokio::test]
async fn every_model_is_read_over_http_as_it_was_observed() {
    for model in MODELS {
        let bench = bench(model).await;
        // Night, dawn, noon, dusk.
        for hour in [1, 4, 11, 19] {
            bench.clock.advance_ms(hour * 3_600_000);
            assert_eq!(
                polled(&bench).await,
                Ok(observed(&bench)),
                "{model:?} after {hour} h"
            );
        }
    }
}

#[tokio::test]
async fn every_model_that_does_not_vouch_is_read_as_without_values() {
    for model in MODELS {
        let bench = bench(model).await;
        bench
            .emulator
            .with_sensor(|sensor| sensor.faults_mut().is_invalid = true);
        assert_eq!(polled(&bench).await.unwrap().values, None, "{model:?}");
    }
}

#[tokio::test]
async fn every_model_without_a_time_server_is_read_as_unset() {
    for model in MODELS {
        let bench = bench(model).await;
        bench
            .emulator
            .with_sensor(|sensor| sensor.faults_mut().clock_is_unset = true);
        assert_eq!(
            polled(&bench).await.unwrap().clock,
            SensorClock::Unset,
            "{model:?}"
        );
    }
}

#[tokio::test]
async fn no_truncated_answer_is_read_as_a_sample() {
    let bench = bench(SensorModel::ShellyEmGen1).await;
    for kept in [1, 100, 400, 700, 900] {
        let faults = HttpFaults {
            truncated_after_bytes: Some(kept),
            ..HttpFaults::default()
        };
        bench.emulator.set_faults(faults);
        assert!(polled(&bench).await.is_err(), "cut after {kept} bytes");
    }
}
