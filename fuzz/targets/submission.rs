//! The body of `POST /api/v1/readings/`: a number that is taken is the same when it is written and
//! read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_api::{Milli, Submission};

fuzz_target!(|bytes: &[u8]| {
    let Ok(submission) = Submission::parse(bytes) else {
        return;
    };
    let numbers = [
        submission.power_w,
        submission.total_wh,
        submission.timestamp,
        submission.sequence,
        submission.installation_id,
    ];
    for number in numbers.into_iter().flatten() {
        assert_eq!(Milli::parse(&number.to_string()), Ok(number));
    }
});
