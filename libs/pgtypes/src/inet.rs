//! Network addresses: types inet and cidr.

use std::cmp::Ordering;

use bytes::{Buf, BufMut, BytesMut};

use crate::ValueError;

/// The numbers of the address families in the binary form.
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// An address of version 4 or 6 with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inet {
    /// Version 6.
    pub v6: bool,
    /// Bits of the network.
    pub bits: u8,
    /// The address; one of version 4 is in the lowest 32 bits.
    pub address: u128,
}

impl Inet {
    /// The number of bits of such an address.
    pub const fn width(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// The bits of the host: those behind the first `bits`.
    pub fn host_mask(self) -> u128 {
        let host = self.width() - self.bits.min(self.width());
        if host >= 128 {
            u128::MAX
        } else {
            (1 << host) - 1
        }
    }

    /// All bits of such an address.
    pub fn full_mask(self) -> u128 {
        Self { bits: 0, ..self }.host_mask()
    }

    /// The first `bits` of the address.
    pub fn prefix(self, bits: u8) -> u128 {
        self.address & !Self { bits, ..self }.host_mask()
    }
}

impl Inet {
    /// Appends the binary form: family, length of the prefix, whether it is a network, number of
    /// bytes, bytes.
    pub(crate) fn put_binary(self, is_network: bool, out: &mut BytesMut) {
        out.put_u8(if self.v6 { FAMILY_V6 } else { FAMILY_V4 });
        out.put_u8(self.bits);
        out.put_u8(u8::from(is_network));
        out.put_u8(self.width() / 8);
        match u32::try_from(self.address) {
            Ok(address) if !self.v6 => out.put_u32(address),
            _ => out.put_u128(self.address),
        }
    }

    /// Reads the binary form.
    pub(crate) fn from_binary(mut bytes: &[u8], is_network: bool) -> Result<Self, ValueError> {
        let type_name = if is_network { "cidr" } else { "inet" };
        let invalid = |what: &str| {
            ValueError::binary(format!("invalid {what} in external \"{type_name}\" value"))
        };
        let mut next = || bytes.try_get_u8().map_err(|_| invalid("length"));
        let (family, bits, _network, length) = (next()?, next()?, next()?, next()?);
        let v6 = match family {
            FAMILY_V4 => false,
            FAMILY_V6 => true,
            _ => return Err(invalid("address family")),
        };
        let width = if v6 { 128 } else { 32 };
        if bits > width {
            return Err(invalid("bits"));
        }
        if length != width / 8 || bytes.len() != usize::from(length) {
            return Err(invalid("length"));
        }
        let address = bytes
            .iter()
            .fold(0, |address, byte| address << 8 | u128::from(*byte));
        let inet = Self { v6, bits, address };
        if is_network && address & inet.host_mask() != 0 {
            return Err(ValueError::binary("invalid external \"cidr\" value")
                .with_detail("Value has bits set to right of mask."));
        }
        Ok(inet)
    }
}

impl PartialOrd for Inet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By version, by the bits that both networks have, by the length of the prefix, by the host.
impl Ord for Inet {
    fn cmp(&self, other: &Self) -> Ordering {
        let shared = self.bits.min(other.bits);
        self.v6
            .cmp(&other.v6)
            .then_with(|| self.prefix(shared).cmp(&other.prefix(shared)))
            .then_with(|| self.bits.cmp(&other.bits))
            .then_with(|| self.address.cmp(&other.address))
    }
}

#[cfg(test)]
mod tests {
    use super::Inet;

    /// In PostgreSQL's order.
    #[test]
    fn addresses_are_ordered_by_network_and_then_by_host() {
        let sorted = [
            "10.0.0.0/8",
            "10.0.0.1/8",
            "10.0.0.0/16",
            "10.0.0.1",
            "11.0.0.0/8",
            "::/0",
            "::1",
        ];
        let parsed: Vec<Inet> = sorted
            .iter()
            .map(|text| Inet::parse(text).unwrap())
            .collect();
        assert!(parsed.is_sorted(), "{parsed:?}");
    }
}
