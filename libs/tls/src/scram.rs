//! SCRAM of a client, where it is more than the exchange itself: which mechanism is chosen, what the log-in is bound to, and how
//! much work a server may ask for.

use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS};

/// Most rounds of hashing that a server may ask for: about a second.
const MOST_ROUNDS: u32 = 2_000_000;

/// Head of `AuthenticationSASL`, behind type and length.
const HEAD: [u8; 4] = [0, 0, 0, 10];

/// The mechanisms that a body of an authentication request offers, each name ended by a zero byte; `None`: it asks for
/// something else.
pub fn offered(body: &[u8]) -> Option<&[u8]> {
    body.strip_prefix(&HEAD)
}

/// Whether a mechanism is among those.
pub fn offers(mechanisms: &[u8], mechanism: &str) -> bool {
    mechanisms
        .split(|byte| *byte == 0)
        .any(|name| name == mechanism.as_bytes())
}

/// The mechanism, and what the log-in is bound to: the certificate, where the server can do that. Where it says that it
/// can't, it is told that this side could: it sees then whether somebody between has taken its offer away. `end_point` is that
/// of the server's certificate, within TLS.
pub fn choose(mechanisms: &[u8], end_point: Option<Vec<u8>>) -> (&'static str, ChannelBinding) {
    match end_point {
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
        Some(hash) if offers(mechanisms, SCRAM_SHA_256_PLUS) => (
            SCRAM_SHA_256_PLUS,
            ChannelBinding::tls_server_end_point(hash),
        ),
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
    }
}

/// The server chooses how often the password is hashed; one that asks for too much would keep its client busy for ever.
/// Whether this is not too much.
pub fn may_ask(server_first: &[u8]) -> bool {
    let asked = server_first
        .split(|byte| *byte == b',')
        .find_map(|field| field.strip_prefix(b"i="))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse::<u32>().ok());
    matches!(asked, Some(1..=MOST_ROUNDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_in_is_bound_where_both_sides_can() {
        let both = offered(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0").unwrap();
        let plain = offered(b"\0\0\0\x0aSCRAM-SHA-256\0\0").unwrap();
        assert_eq!(offered(b"\0\0\0\x0b"), None);
        assert!(offers(both, SCRAM_SHA_256) && !offers(plain, SCRAM_SHA_256_PLUS));
        for (mechanisms, end_point, chosen) in [
            (both, Some(vec![1]), SCRAM_SHA_256_PLUS),
            (both, None, SCRAM_SHA_256),
            (plain, Some(vec![1]), SCRAM_SHA_256),
            (plain, None, SCRAM_SHA_256),
        ] {
            assert_eq!(choose(mechanisms, end_point).0, chosen);
        }
    }

    #[test]
    fn rounds_are_few_enough_or_refused() {
        for (first, may) in [
            (b"r=abc,s=QUJD,i=4096".as_slice(), true),
            (b"r=abc,s=QUJD,i=4294967295", false),
            (b"r=abc,s=QUJD,i=0", false),
            (b"r=abc,s=QUJD", false),
        ] {
            assert_eq!(may_ask(first), may);
        }
    }
}
