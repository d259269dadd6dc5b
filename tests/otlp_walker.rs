//! The walker against prost: on random requests encoded by prost and by an unkind encoder, and on those bytes broken.

#[path = "common/otlp_oracle.rs"]
mod otlp_oracle;
#[path = "common/otlp_random.rs"]
mod otlp_random;

use otlp_oracle::{full, trimmed, walked};
use otlp_random::{Choices, shuffled};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use spangraph::otlp::Scratch;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: a valid request, as prost encodes it.
    /// Guarantees: the walker reads every used field as prost's full decode does.
    #[test]
    fn reads_what_prost_reads(bytes in vec(any::<u8>(), 0..3000)) {
        let request = Choices(&bytes).request().encode_to_vec();
        let expected = full(&request).expect("valid");
        prop_assert_eq!(walked(&request, &mut Scratch::default()), Ok(expected));
    }

    /// Scenario: the same with fields in any order, unknown fields, groups, split messages and overlong varints.
    /// Guarantees: the walker still reads what prost reads, and again with a scratch that was used before.
    #[test]
    fn reads_any_legal_encoding(bytes in vec(any::<u8>(), 0..3000), noise in vec(any::<u8>(), 0..2000)) {
        let request = Choices(&bytes).request();
        let request = shuffled(&mut Choices(&noise), &request);
        let expected = full(&request).expect("valid");
        let mut scratch = Scratch::default();
        prop_assert_eq!(&walked(&request, &mut scratch), &Ok(full(&request).expect("valid")));
        prop_assert_eq!(walked(&request, &mut scratch), Ok(expected));
    }

    /// Scenario: bytes changed, cut, doubled.
    /// Guarantees: no panic; malformed exactly where the trimmed schema says so, and never where prost's full types
    /// are content; nothing handed out of a malformed request.
    #[test]
    fn agrees_on_what_is_malformed(
        bytes in vec(any::<u8>(), 0..1500),
        noise in vec(any::<u8>(), 0..600),
        changes in vec((any::<u16>(), any::<u8>(), 0..6_u8), 1..6),
    ) {
        let request = Choices(&bytes).request();
        let mut request = shuffled(&mut Choices(&noise), &request);
        for (at, value, how) in changes {
            mutate(&mut request, usize::from(at), value, how);
        }
        let found = walked(&request, &mut Scratch::default()).ok();
        prop_assert_eq!(&found, &trimmed(&request));
        if let Some(expected) = full(&request) {
            prop_assert_eq!(found, Some(expected));
        }
    }

    /// Guarantees: bytes that were never a request do no harm.
    #[test]
    fn noise_does_no_harm(request in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(walked(&request, &mut Scratch::default()).ok(), trimmed(&request));
    }
}

fn mutate(bytes: &mut Vec<u8>, at: usize, value: u8, how: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match how {
        0 => bytes[at] = value,
        1 => bytes[at] ^= 1 << (value % 8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, value),
        4 => drop(bytes.remove(at)),
        _ => {
            let end = (at + usize::from(value)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}
