//! `WWW-Authenticate` of a sensor: a challenge that is taken answers, and its header holds no line
//! break, whatever the sensor wrote.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_device::authentication::Challenge;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = core::str::from_utf8(bytes) else {
        return;
    };
    let Ok(mut challenge) = Challenge::parse(value) else {
        return;
    };
    if let Ok(header) = challenge.header("admin", "password", "/rpc", [7; 16]) {
        assert!(!header.as_str().contains(['\r', '\n']));
    }
});
