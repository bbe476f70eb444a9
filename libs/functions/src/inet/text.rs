//! Network addresses as text.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use pgtypes::{SqlState, ValueError};

use crate::inet::Inet;

impl Inet {
    /// Reads an `inet`; one of version 4 has four numbers.
    pub(crate) fn parse(text: &str) -> Result<Self, ValueError> {
        read(text, false).ok_or_else(|| syntax("inet", text))
    }

    /// Reads a `cidr`, which may leave out numbers at the end and has no bits behind its prefix.
    pub(crate) fn parse_network(text: &str) -> Result<Self, ValueError> {
        let network = read(text, true).ok_or_else(|| syntax("cidr", text))?;
        if network.address & network.host_mask() != 0 {
            let error = ValueError::new(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("invalid cidr value: \"{text}\""),
            );
            return Err(error.with_detail("Value has bits set to right of mask."));
        }
        Ok(network)
    }

    /// The address without the length of its prefix.
    pub(crate) fn host(self) -> String {
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
    pub(crate) fn network_text(self) -> String {
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

fn syntax(type_name: &str, text: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        format!("invalid input syntax for type {type_name}: \"{text}\""),
    )
}

fn read(text: &str, is_network: bool) -> Option<Inet> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(number(bits, 128)?)),
        None => (text, None),
    };
    let v6 = address.contains(':');
    let (address, own_bits) = if v6 {
        (u128::from(address.parse::<Ipv6Addr>().ok()?), 128)
    } else {
        read_v4(address, is_network)?
    };
    let width = if v6 { 128 } else { 32 };
    let bits = u8::try_from(bits.unwrap_or(own_bits)).ok()?;
    (bits <= width).then_some(Inet { v6, bits, address })
}

/// Decimal digits that are no larger than a limit.
fn number(text: &str, limit: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number| digits && *number <= limit)
}

/// The address, and the bits of the network that its class gives it where it is short.
fn read_v4(text: &str, is_network: bool) -> Option<(u128, u32)> {
    let mut address = 0_u32;
    let mut count = 0_u32;
    let mut first = 0;
    for part in text.split('.') {
        let part = number(part, 255)?;
        if count == 0 {
            first = part;
        }
        count += 1;
        if count > 4 {
            return None;
        }
        address = (address << 8) | part;
    }
    if count < 4 && !is_network {
        return None;
    }
    if count == 4 {
        return Some((address.into(), 32));
    }
    let of_class = match first {
        240.. => 32,
        224.. => 8,
        192.. => 24,
        128.. => 16,
        _ => 8,
    };
    let address = address << (8 * (4 - count));
    Some((address.into(), of_class.max(count * 8)))
}
