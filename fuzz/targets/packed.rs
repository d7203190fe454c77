//! Packed readings: refused, or readings that pack and unpack to themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_wire::packed::{Codec, MAX_PACKED_READING, PackError};
use ww_wire::{AnyReading, RecordType, SignerId};

const METER: SignerId = SignerId([7; 32]);

fn unpack(block: &[u8]) -> Result<Vec<AnyReading>, PackError> {
    let (mut codec, mut rest) = Codec::open(METER, block)?;
    let mut readings = Vec::new();
    while !rest.is_empty() {
        let (reading, len) = codec.unpack(rest)?;
        assert!(len > 0);
        readings.push(reading);
        rest = &rest[len..];
    }
    Ok(readings)
}

fn pack(record_type: RecordType, readings: &[AnyReading]) -> Vec<u8> {
    let mut codec = Codec::new(METER, record_type).expect("it is a kind of reading");
    let mut block = codec.block_header().to_vec();
    for reading in readings {
        let mut out = [0; MAX_PACKED_READING];
        let len = codec.pack(reading, &mut out).expect("it is long enough");
        block.extend_from_slice(&out[..len]);
    }
    block
}

fuzz_target!(|block: &[u8]| {
    if let Ok(readings) = unpack(block) {
        let record_type = RecordType::of(&block[1..]).expect("the block was opened");
        assert_eq!(unpack(&pack(record_type, &readings)), Ok(readings));
    }
});
