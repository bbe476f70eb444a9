//! Network addresses as text.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{EXCERPT_CHARS, excerpt};
use crate::{Inet, SqlState, ValueError};

impl Inet {
    /// Reads an `inet`; one of version 4 has four numbers.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        read(text, false).ok_or_else(|| ValueError::syntax("inet", text))
    }

    /// Reads a `cidr`, which may leave out numbers at the end and has no bits behind its prefix.
    pub fn parse_network(text: &str) -> Result<Self, ValueError> {
        let network = read(text, true).ok_or_else(|| ValueError::syntax("cidr", text))?;
        if network.address & network.host_mask() != 0 {
            let error = ValueError::new(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("invalid cidr value: \"{}\"", excerpt(text, EXCERPT_CHARS)),
            );
            return Err(error.with_detail("Value has bits set to right of mask."));
        }
        Ok(network)
    }

    /// The address without the length of its prefix.
    pub fn host(self) -> String {
        if !self.v6 {
            let address = u32::try_from(self.address).unwrap_or(0);
            return Ipv4Addr::from(address).to_string();
        }
        let address = Ipv6Addr::from(self.address);
        // With zeros in front of the last 32 bits, these are shown as in version 4.
        match address.segments() {
            [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                let low = (u32::from(high) << 16) | u32::from(low);
                format!("::{}", Ipv4Addr::from(low))
            }
            _ => address.to_string(),
        }
    }

    /// As a `cidr` is printed: always with the length of its prefix.
    pub fn network_text(self) -> String {
        format!("{}/{}", self.host(), self.bits)
    }
}

/// As an `inet` is printed.
impl fmt::Display for Inet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())?;
        if self.bits == self.width() {
            return Ok(());
        }
        write!(f, "/{}", self.bits)
    }
}

fn read(text: &str, is_network: bool) -> Option<Inet> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let v6 = address.contains(':');
    let (address, own_bits) = if v6 {
        // The length of a version 6 prefix has no zeros in front.
        if bits.is_some_and(|bits| bits.len() > 1 && bits.starts_with('0')) {
            return None;
        }
        (u128::from(read_v6(address)?), 128)
    } else {
        let short = read_v4(address, is_network)?;
        let bits = bits.map_or(Some(0), |bits| number(bits, 32))?;
        if !is_network && bits / 8 > short.count {
            return None;
        }
        let own_bits = if is_network {
            short.class_bits()
        } else if short.count == 4 {
            32
        } else {
            // An address of fewer numbers must say its prefix.
            NO_BITS
        };
        (u128::from(short.address), own_bits)
    };
    let width = if v6 { 128 } else { 32 };
    let bits = match bits {
        Some(bits) => number(bits, width)?,
        None => own_bits,
    };
    let bits = u8::try_from(bits)
        .ok()
        .filter(|bits| u32::from(*bits) <= width)?;
    Some(Inet { v6, bits, address })
}

/// More bits than any address has.
const NO_BITS: u32 = 255;

/// Decimal digits that are no larger than a limit.
fn number(text: &str, limit: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok();
    number.filter(|number| digits && *number <= limit)
}

/// An address whose last four bytes, when they are written as in version 4, may lack numbers at
/// their end.
fn read_v6(text: &str) -> Option<Ipv6Addr> {
    let points = text.bytes().filter(|byte| *byte == b'.').count();
    if points == 0 || points >= 3 {
        return text.parse().ok();
    }
    format!("{text}{}", ".0".repeat(3 - points)).parse().ok()
}

/// An address of version 4 that may lack numbers at its end.
struct Short {
    address: u32,
    /// The numbers that are written.
    count: u32,
}

impl Short {
    /// The bits of the network that the class of the address gives it, unless more are written.
    fn class_bits(&self) -> u32 {
        let of_class = match self.address >> 24 {
            240.. => 32,
            224 if self.count == 1 => return 4,
            224.. => 8,
            192.. => 24,
            128.. => 16,
            _ => 8,
        };
        of_class.max(self.count * 8)
    }
}

fn read_v4(text: &str, is_network: bool) -> Option<Short> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = hexadecimal.filter(|_| is_network) {
        return read_hexadecimal(digits);
    }
    let mut short = Short {
        address: 0,
        count: 0,
    };
    for part in text.split('.') {
        short.put(number(part, 255)?)?;
    }
    Some(short)
}

impl Short {
    /// Adds a byte; `None` when there are four.
    fn put(&mut self, byte: u32) -> Option<()> {
        let shift = 24_u32.checked_sub(8 * self.count)?;
        self.address |= byte << shift;
        self.count += 1;
        Some(())
    }
}

/// Two digits a byte; a single one at the end is its high half.
fn read_hexadecimal(digits: &str) -> Option<Short> {
    let mut short = Short {
        address: 0,
        count: 0,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for pair in digits.as_bytes().chunks(2) {
        let pair = std::str::from_utf8(pair).ok()?;
        let value = u32::from_str_radix(pair, 16).ok()?;
        short.put(if pair.len() == 1 { value << 4 } else { value })?;
    }
    Some(short)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Inet, SqlState};

    /// What PostgreSQL 15 makes of a text as inet and as cidr; `!mask`: there are bits behind the
    /// prefix.
    const TEXTS: &[(&str, Option<&str>, Option<&str>)] = &[
        ("192.168.1.5", Some("192.168.1.5"), Some("192.168.1.5/32")),
        ("192.168.1.5/24", Some("192.168.1.5/24"), Some("!mask")),
        ("10.0.0.1/32", Some("10.0.0.1"), Some("10.0.0.1/32")),
        ("0.0.0.0/0", Some("0.0.0.0/0"), Some("0.0.0.0/0")),
        ("010.1.2.3", Some("10.1.2.3"), Some("10.1.2.3/32")),
        ("1.2.3.4/024", Some("1.2.3.4/24"), Some("!mask")),
        ("10.1/16", Some("10.1.0.0/16"), Some("10.1.0.0/16")),
        ("10", None, Some("10.0.0.0/8")),
        ("10.1", None, Some("10.1.0.0/16")),
        ("10.1.2.3/8", Some("10.1.2.3/8"), Some("!mask")),
        ("256.1.1.1", None, None),
        ("1.2.3.4.5", None, None),
        ("10.", None, None),
        ("10.1.2", None, Some("10.1.2.0/24")),
        ("10/8", Some("10.0.0.0/8"), Some("10.0.0.0/8")),
        ("10.1/8", Some("10.1.0.0/8"), Some("!mask")),
        ("224", None, Some("224.0.0.0/4")),
        ("224.0.0.0", Some("224.0.0.0"), Some("224.0.0.0/32")),
        ("240", None, Some("240.0.0.0/32")),
        ("192", None, Some("192.0.0.0/24")),
        ("192.168", None, Some("192.168.0.0/24")),
        ("192.168.1.5/33", None, None),
        ("1.2.3.4/", None, None),
        ("/24", None, None),
        ("", None, None),
        (" 10.0.0.1", None, None),
        ("10.0.0.1 ", None, None),
        ("::1", Some("::1"), Some("::1/128")),
        ("::", Some("::"), Some("::/128")),
        ("::1.2.3.4", Some("::1.2.3.4"), Some("::1.2.3.4/128")),
        ("::2:0", Some("::0.2.0.0"), Some("::0.2.0.0/128")),
        (
            "::ffff:1.2.3.4",
            Some("::ffff:1.2.3.4"),
            Some("::ffff:1.2.3.4/128"),
        ),
        (
            "::ffff:0:1",
            Some("::ffff:0.0.0.1"),
            Some("::ffff:0.0.0.1/128"),
        ),
        ("2001:DB8::1/64", Some("2001:db8::1/64"), Some("!mask")),
        (
            "2001:db8::/32",
            Some("2001:db8::/32"),
            Some("2001:db8::/32"),
        ),
        (
            "2001:0db8:0:0:1:0:0:1",
            Some("2001:db8::1:0:0:1"),
            Some("2001:db8::1:0:0:1/128"),
        ),
        ("1::2::3", None, None),
        ("::g", None, None),
        ("12345::", None, None),
        ("::1/129", None, None),
        ("::1/064", None, None),
        ("::/0", Some("::/0"), Some("::/0")),
        ("fe80::1%eth0", None, None),
        ("0x0a", None, Some("10.0.0.0/8")),
        ("0x0a000001/8", None, Some("!mask")),
        (
            "1:2:3:4:5:6:7:8",
            Some("1:2:3:4:5:6:7:8"),
            Some("1:2:3:4:5:6:7:8/128"),
        ),
        (
            "1:2:3:4:5:6:7::",
            Some("1:2:3:4:5:6:7:0"),
            Some("1:2:3:4:5:6:7:0/128"),
        ),
        (
            "1:0:0:4:0:0:0:8",
            Some("1:0:0:4::8"),
            Some("1:0:0:4::8/128"),
        ),
        (
            "0:1:0:1:0:1:0:1",
            Some("0:1:0:1:0:1:0:1"),
            Some("0:1:0:1:0:1:0:1/128"),
        ),
        ("1.2.3.4/8/8", None, None),
        ("10.0.0.0/8", Some("10.0.0.0/8"), Some("10.0.0.0/8")),
        ("1.2..3", None, None),
        ("00000010.1.1.1", Some("10.1.1.1"), Some("10.1.1.1/32")),
        ("::1/", None, None),
        (
            "192.168.0.0/16",
            Some("192.168.0.0/16"),
            Some("192.168.0.0/16"),
        ),
        ("10/16", None, Some("10.0.0.0/16")),
        ("10/15", Some("10.0.0.0/15"), Some("10.0.0.0/15")),
        ("0xa", None, Some("160.0.0.0/16")),
        ("10.0", None, Some("10.0.0.0/16")),
        ("128", None, Some("128.0.0.0/16")),
        ("191.1", None, Some("191.1.0.0/16")),
        ("223.255.255", None, Some("223.255.255.0/24")),
        ("1:2", None, None),
        ("1", None, Some("1.0.0.0/8")),
        ("001.002.003.004", Some("1.2.3.4"), Some("1.2.3.4/32")),
        ("10.0.0.0/9", Some("10.0.0.0/9"), Some("10.0.0.0/9")),
        ("::1.2.3", Some("::1.2.3.0"), Some("::1.2.3.0/128")),
        ("::1.2.3.4.5", None, None),
        ("1.2.3.4::", None, None),
    ];

    #[test]
    fn addresses_are_read_and_printed_as_postgresql_does() {
        for (text, inet, cidr) in TEXTS.iter().copied() {
            let read = Inet::parse(text).map(|inet| inet.to_string());
            assert_eq!(read.as_deref().ok(), inet, "{text}");
            let read = match Inet::parse_network(text) {
                Ok(network) => Some(network.network_text()),
                Err(error) => {
                    assert_eq!(error.sqlstate, SqlState::INVALID_TEXT_REPRESENTATION);
                    error.detail.map(|_| "!mask".to_owned())
                }
            };
            assert_eq!(read.as_deref(), cidr, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_address_survives_its_text(v6: bool, address: u128, bits in 0_u8..=128) {
            let width = if v6 { 128 } else { 32 };
            let address = if v6 { address } else { address >> 96 };
            let inet = Inet { v6, bits: bits.min(width), address };
            prop_assert_eq!(Inet::parse(&inet.to_string()).unwrap(), inet);
        }

        #[test]
        fn reading_never_panics(text in "[0-9a-f.:/x ]{0,30}") {
            let read = [Inet::parse(&text), Inet::parse_network(&text)];
            prop_assert!(read.iter().all(|read| read.as_ref().is_ok_and(|i| i.bits <= i.width()) || read.is_err()));
        }
    }
}
