//! Every record type has one canonical form, and nothing else is taken.

use proptest::prelude::*;
use ww_wire::record::{HEADER_LENGTH, MAX_PAYLOAD, VERSION};
use ww_wire::*;

use crate::arbitrary;

/// Changes of bytes: where (taken modulo the length) and by which bits.
fn changes(most: usize) -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<usize>(), 1..=u8::MAX), 1..=most)
}

fn changed(payload: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    for (at, bits) in changes {
        let at = at % bytes.len();
        bytes[at] ^= bits;
    }
    bytes
}

/// Whatever is accepted encodes to the very same bytes.
fn accepted_only_as_itself<R: Record>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(record) = R::decode(bytes) {
        let again = record.encode();
        prop_assert!(again.is_ok(), "{:?} is decoded but not encoded", record);
        prop_assert_eq!(&*again.unwrap(), bytes);
    }
    Ok(())
}

macro_rules! suite {
    ($($module:ident: $record:ty, $strategy:path;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn length_and_table_of_fields_agree() {
                let fields: usize = <$record>::FIELDS.iter().map(|field| field.width).sum();
                assert_eq!(HEADER_LENGTH + fields, <$record>::LENGTH);
                assert!(<$record>::LENGTH <= MAX_PAYLOAD);
            }

            proptest! {
                #[test]
                fn round_trip(record in $strategy()) {
                    let payload = record.encode();
                    prop_assert!(payload.is_ok(), "{payload:?}");
                    let payload = payload.unwrap();
                    prop_assert_eq!(payload.len(), <$record>::LENGTH);
                    prop_assert_eq!(payload[0], <$record>::TYPE as u8);
                    prop_assert_eq!(payload[1], VERSION);
                    prop_assert_eq!(&payload[2..HEADER_LENGTH], record.signer().0);
                    prop_assert_eq!(<$record>::decode(&payload), Ok(record));
                }

                #[test]
                fn the_payload_is_taken_by_its_own_type_only(record in $strategy()) {
                    use RecordType as T;
                    let payload = record.encode().unwrap();
                    let own = <$record>::TYPE;
                    prop_assert_eq!(RecordType::of(&payload), Ok(own));
                    prop_assert_eq!(takers(&payload), [own]);
                    let reading = matches!(own, T::Reading | T::ThreePhaseReading);
                    prop_assert_eq!(AnyReading::decode(&payload).is_ok(), reading);
                    let of_a_chain = matches!(own, T::Window | T::Boot | T::Gap);
                    prop_assert_eq!(ChainRecord::decode(&payload).is_ok(), of_a_chain);
                }

                #[test]
                fn a_decoded_payload_is_the_only_form_of_its_record(
                    record in $strategy(), changes in changes(4)
                ) {
                    let bytes = changed(&record.encode().unwrap(), &changes);
                    accepted_only_as_itself::<$record>(&bytes)?;
                }

                #[test]
                fn random_fields_are_refused_or_the_only_form(
                    fields in prop::collection::vec(any::<u8>(), <$record>::LENGTH - 2)
                ) {
                    let mut bytes = vec![<$record>::TYPE as u8, VERSION];
                    bytes.extend(fields);
                    accepted_only_as_itself::<$record>(&bytes)?;
                }

                #[test]
                fn another_length_is_refused(record in $strategy(), len in 0..MAX_PAYLOAD + 1) {
                    let payload = record.encode().unwrap();
                    let mut bytes = payload.to_vec();
                    bytes.resize(len, 0);
                    prop_assert_eq!(
                        <$record>::decode(&bytes).is_ok(),
                        len == <$record>::LENGTH,
                    );
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(16))]
                #[test]
                fn a_change_of_any_one_byte_is_refused_or_another_record(
                    record in $strategy(), bits in 1..=u8::MAX
                ) {
                    let payload = record.encode().unwrap();
                    for at in 0..payload.len() {
                        let bytes = changed(&payload, &[(at, bits)]);
                        match <$record>::decode(&bytes) {
                            Ok(other) => {
                                prop_assert_ne!(other, record, "byte {} is not in the record", at);
                                prop_assert_eq!(&*other.encode().unwrap(), &bytes[..]);
                            }
                            Err(_) => prop_assert!(at != 1 || bytes[1] != VERSION),
                        }
                    }
                }
            }
        }
    )*

        /// The types that take `payload`.
        fn takers(payload: &[u8]) -> Vec<RecordType> {
            [$((<$record>::TYPE, <$record>::decode(payload).is_ok())),*]
                .into_iter()
                .filter_map(|(record_type, taken)| taken.then_some(record_type))
                .collect()
        }

        #[test]
        fn every_record_type_has_its_suite() {
            assert_eq!([$(<$record>::TYPE),*], RecordType::ALL);
        }

        proptest! {
            #[test]
            fn random_bytes_end_in_an_error_value(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
                $(accepted_only_as_itself::<$record>(&bytes)?;)*
            }
        }
    };
}

suite! {
    reading: Reading, arbitrary::reading;
    three_phase_reading: ThreePhaseReading, arbitrary::three_phase_reading;
    window: Window, arbitrary::window;
    boot: Boot, arbitrary::boot;
    gap: Gap, arbitrary::gap;
    enrolment: Enrolment, arbitrary::enrolment;
    label: Label, arbitrary::label;
    correction: Correction, arbitrary::correction;
    revocation: Revocation, arbitrary::revocation;
    replacement: Replacement, arbitrary::replacement;
    status_report: StatusReport, arbitrary::status_report;
    acknowledgement: Acknowledgement, arbitrary::acknowledgement;
    update_report: UpdateReport, arbitrary::update_report;
}

#[test]
fn no_two_domains_are_one() {
    let mut names: Vec<&str> = RecordType::ALL.iter().map(|t| t.name()).collect();
    names.push(Domain::EnrolmentAcceptance.name());
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

proptest! {
    #[test]
    fn text_is_taken_as_it_is_or_not_at_all(text in any::<String>()) {
        match Text::<24>::new(&text) {
            Some(taken) => prop_assert_eq!(taken.as_str(), text),
            None => prop_assert!(text.len() > 24 || text.chars().any(char::is_control)),
        }
    }
}
