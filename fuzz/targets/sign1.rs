//! One COSE_Sign1: refused, or in the one form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_wire::{Domain, RecordType, Sign1};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sign1) = Sign1::decode(bytes) {
        let again = sign1.encode().expect("the payload is short enough");
        assert_eq!(&*again, bytes);
        if let Ok(record_type) = RecordType::of(sign1.payload) {
            assert!(sign1.to_be_signed(Domain::Record(record_type)).is_some());
        }
    }
});
