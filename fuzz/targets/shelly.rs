//! Answers of a sensor: the same sample or the same refusal however the bytes are cut.
//! The first byte picks the sensor; zero bytes stand between the answers of one poll.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_device::shelly::{
    AnswerError, Identity, IdentityReader, Poll, PollError, Sensor, SensorSample,
};
use ww_wire::SensorModel;

fn polled(sensor: Sensor, answers: &[u8], piece: usize) -> Result<SensorSample, PollError> {
    let mut poll = Poll::new(sensor);
    let mut answers = answers.split(|byte| *byte == 0);
    while poll.request().is_some() {
        let answer = answers.next();
        poll.begin(if answer.is_some() { 200 } else { 404 })?;
        for bytes in answer.unwrap_or_default().chunks(piece) {
            poll.push(bytes)?;
        }
        poll.end()?;
    }
    poll.sample()
}

fn identified(answer: &[u8], piece: usize) -> Result<Identity, AnswerError> {
    let mut reader = IdentityReader::new();
    for bytes in answer.chunks(piece) {
        reader.push(bytes)?;
    }
    reader.finish()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((pick, answers)) = bytes.split_first() else {
        return;
    };
    let model = SensorModel::ALL[usize::from(pick & 3)];
    if let Some(sensor) = Sensor::new(model, pick >> 2 & 3) {
        let whole = polled(sensor, answers, usize::MAX);
        assert_eq!(polled(sensor, answers, 1), whole);
        assert_eq!(polled(sensor, answers, 7), whole);
    }
    assert_eq!(identified(answers, 1), identified(answers, usize::MAX));
});
