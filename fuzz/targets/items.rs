//! Bodies of `application/cose`: they end in a fault, or their items written again are the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_wire::cose::{Item, Items, byte_string_head};

fuzz_target!(|body: &[u8]| {
    let mut again = Vec::new();
    for item in Items::new(body) {
        match item {
            Ok(Item::Sign1(sign1)) => {
                again.extend_from_slice(&sign1.encode().expect("the payload is short enough"));
            }
            Ok(Item::Readings(block)) => {
                let (head, len) = byte_string_head(block.len() as u32);
                again.extend_from_slice(&head[..len]);
                again.extend_from_slice(block);
            }
            Err(_) => {
                assert!(body.starts_with(&again));
                return;
            }
        }
    }
    assert_eq!(again, body);
});
