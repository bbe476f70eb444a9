//! Network addresses: types inet and cidr.

mod functions;
mod text;

pub(crate) use crate::inet::functions::FUNCTIONS;

use std::cmp::Ordering;

/// An address of version 4 or 6 with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inet {
    /// Version 6.
    pub(crate) v6: bool,
    /// Bits of the network.
    pub(crate) bits: u8,
    /// The address; one of version 4 is in the lowest 32 bits.
    pub(crate) address: u128,
}

impl Inet {
    /// The number of bits of such an address.
    pub(crate) const fn width(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// The bits of the host: those behind the first `bits`.
    pub(crate) fn host_mask(self) -> u128 {
        let host = self.width() - self.bits.min(self.width());
        if host >= 128 {
            u128::MAX
        } else {
            (1 << host) - 1
        }
    }

    /// All bits of such an address.
    pub(crate) fn full_mask(self) -> u128 {
        Self { bits: 0, ..self }.host_mask()
    }

    /// The first `bits` of the address.
    pub(crate) fn prefix(self, bits: u8) -> u128 {
        self.address & !Self { bits, ..self }.host_mask()
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
