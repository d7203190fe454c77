//! Payloads of every type: refused, or the only form of what they say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_wire::*;

fn only_form<R: Record>(bytes: &[u8]) {
    if let Ok(record) = R::decode(bytes) {
        let again = record.encode().expect("what was decoded keeps the rules");
        assert_eq!(&*again, bytes);
    }
}

fuzz_target!(|bytes: &[u8]| {
    only_form::<Reading>(bytes);
    only_form::<ThreePhaseReading>(bytes);
    only_form::<Window>(bytes);
    only_form::<Boot>(bytes);
    only_form::<Gap>(bytes);
    only_form::<Enrolment>(bytes);
    only_form::<Label>(bytes);
    only_form::<Correction>(bytes);
    only_form::<Revocation>(bytes);
    only_form::<Replacement>(bytes);
    only_form::<StatusReport>(bytes);
    only_form::<Acknowledgement>(bytes);
    only_form::<UpdateReport>(bytes);
    if let Ok(reading) = AnyReading::decode(bytes) {
        assert_eq!(&*reading.encode().expect("it keeps the rules"), bytes);
    }
    if let Ok(record) = ChainRecord::decode(bytes) {
        assert_eq!(&*record.encode().expect("it keeps the rules"), bytes);
    }
});
