//! Versions of protocol 3: which one is spoken with a client, and the keys of its cancel requests that go with it.

use bytes::{Bytes, BytesMut};
use pgtypes::SqlState;
use pgwire::messages::startup::{NegotiateProtocolVersion, SecretKey, Startup};
use ring::rand::{SecureRandom, SystemRandom};

use crate::failure::Failure;
use crate::wire::output;

/// Bytes of a secret key from protocol 3.2 on; before it has four.
const LONG_KEY: usize = 32;
/// Version 3.0 as one number.
const PROTOCOL_3: i32 = 3 << 16;

/// A minor version of protocol 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MinorVersion(u16);

/// The first one with long keys.
const WITH_LONG_KEYS: MinorVersion = MinorVersion(2);

/// The version that is spoken with a client. One that asks for a newer one, or for options of the protocol, of which there
/// are none, is told so.
pub(super) fn negotiate(out: &mut BytesMut, startup: &Startup) -> MinorVersion {
    let asked = MinorVersion(startup.protocol_number_minor);
    let options: Vec<String> = startup
        .parameters
        .keys()
        .filter(|name| name.starts_with("_pq_."))
        .cloned()
        .collect();
    let agreed = asked.min(MinorVersion::NEWEST);
    if agreed != asked || !options.is_empty() {
        let message = NegotiateProtocolVersion::new(PROTOCOL_3 + i32::from(agreed.0), options);
        output::append(out, &message);
    }
    agreed
}

impl MinorVersion {
    /// The newest that is spoken here.
    pub(super) const NEWEST: Self = Self(2);

    /// A key that nobody can guess, as long as this version has it.
    pub(super) fn secret_key(self) -> Result<SecretKey, Failure> {
        let mut bytes = [0; LONG_KEY];
        SystemRandom::new().fill(&mut bytes).map_err(|_| {
            Failure::fatal(SqlState::INTERNAL_ERROR, "the system has no random numbers")
        })?;
        if self >= WITH_LONG_KEYS {
            return Ok(SecretKey::Bytes(Bytes::copy_from_slice(&bytes)));
        }
        Ok(SecretKey::I32(bytes::Buf::get_i32(&mut &bytes[..4])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_version_that_it_asks_for_or_the_newest() {
        for (asked, options, agreed, told) in [
            (0, &[][..], 0, None),
            (1, &[], 1, None),
            (2, &[], 2, None),
            (3, &[], 2, Some(0)),
            (9999, &[], 2, Some(0)),
            (0, &["_pq_.one", "_pq_.two"], 0, Some(2)),
            (3, &["_pq_.one"], 2, Some(1)),
        ] {
            let mut startup = Startup::new();
            startup.protocol_number_minor = asked;
            for name in options.iter().chain(&["user"]) {
                let name = (*name).to_owned();
                startup.parameters.insert(name, "x".to_owned());
            }
            let mut out = BytesMut::new();
            assert_eq!(negotiate(&mut out, &startup), MinorVersion(agreed));
            let expected = told.map(|count| {
                let mut message = vec![0, 3, 0, 2, 0, 0, 0, count];
                message[3] = u8::try_from(agreed).unwrap();
                for name in options {
                    message.extend(name.as_bytes());
                    message.push(0);
                }
                message
            });
            // Behind type and length.
            assert_eq!(out.get(5..), expected.as_deref(), "3.{asked} {options:?}");
        }
    }

    #[test]
    fn keys_are_as_long_as_the_version_says() {
        for old in [0, 1].map(MinorVersion) {
            assert!(matches!(old.secret_key(), Ok(SecretKey::I32(_))));
        }
        assert!(
            matches!(MinorVersion::NEWEST.secret_key(), Ok(SecretKey::Bytes(bytes)) if bytes.len() == LONG_KEY)
        );
    }
}
