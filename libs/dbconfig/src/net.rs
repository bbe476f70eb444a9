//! Networks of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::service::shortened;

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    address: IpAddr,
    prefix: u8,
}

impl Net {
    /// Whether the address is in this network. An IPv4 address that came as IPv6
    /// (`::ffff:a.b.c.d`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let mask = mask_u32(self.prefix);
                net.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let mask = mask_u128(self.prefix);
                net.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Ones for the leading bits; a shift by all bits is no shift in Rust, hence the check.
fn mask_u32(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask_u128(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{}` is not a network; write an address, address/bits, all or none",
                shortened(text)
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match bits {
            None => most,
            Some(bits) => bits.trim().parse::<u8>().map_err(|_| bad())?,
        };
        if prefix > most {
            return Err(bad());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Every network there is.
pub(crate) const EVERYWHERE: [Net; 2] = [
    Net {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        prefix: 0,
    },
    Net {
        address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        prefix: 0,
    },
];

/// A list of networks; `all` is every address, `none` no one.
pub(crate) fn networks(text: &str) -> Result<Vec<Net>, String> {
    let mut nets = Vec::new();
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "all" => nets.extend(EVERYWHERE),
            "none" => {}
            _ => nets.push(word.parse()?),
        }
    }
    Ok(nets)
}

/// What stands between the commas of a list.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_may_be_anything_from_none_to_all_bits() {
        let host: Net = "192.0.2.7".parse().unwrap();
        assert_eq!(host.to_string(), "192.0.2.7/32");
        assert!(!host.contains("192.0.2.6".parse().unwrap()));
        let odd: Net = "192.0.2.7/31".parse().unwrap();
        assert!(odd.contains("192.0.2.6".parse().unwrap()));
        assert!(!odd.contains("192.0.2.8".parse().unwrap()));
        for text in [
            "192.0.2.7/33",
            "::1/129",
            "1.2.3/8",
            "1.2.3.4/",
            "1.2.3.4/x",
            "host",
        ] {
            assert!(text.parse::<Net>().is_err(), "{text}");
        }
    }
}
