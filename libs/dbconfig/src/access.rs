//! Which client addresses may connect.

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

/// The rules of one access section. An address may connect when a network of `allow` has it and
/// no network of `deny` has it: deny wins, whatever the order in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Who may.
    pub allow: Vec<Net>,
    /// Who may not.
    pub deny: Vec<Net>,
}

impl Access {
    /// Whether a client at this address may connect.
    pub fn permits(&self, address: IpAddr) -> bool {
        let has = |nets: &[Net]| nets.iter().any(|net| net.contains(address));
        has(&self.allow) && !has(&self.deny)
    }
}

/// A list of networks; `all` is every address, `none` no one.
pub(crate) fn networks(text: &str) -> Result<Vec<Net>, String> {
    let everyone = [
        Net {
            address: Ipv4Addr::UNSPECIFIED.into(),
            prefix: 0,
        },
        Net {
            address: Ipv6Addr::UNSPECIFIED.into(),
            prefix: 0,
        },
    ];
    let mut nets = Vec::new();
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        match word.to_ascii_lowercase().as_str() {
            "all" => nets.extend(everyone),
            "none" => {}
            _ => nets.push(word.parse()?),
        }
    }
    Ok(nets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allow: &str, deny: &str) -> Access {
        Access {
            allow: networks(allow).unwrap(),
            deny: networks(deny).unwrap(),
        }
    }

    fn permits(access: &Access, address: &str) -> bool {
        access.permits(address.parse().unwrap())
    }

    #[test]
    fn deny_wins_over_allow() {
        let rules = access("10.0.0.0/8, fd00::/8", "10.1.0.0/16");
        assert!(permits(&rules, "10.2.0.1"));
        assert!(permits(&rules, "fd00::7"));
        assert!(!permits(&rules, "10.1.255.255"));
        assert!(!permits(&rules, "11.0.0.1"));
        assert!(!permits(&rules, "fe00::7"));
    }

    #[test]
    fn all_and_none_are_what_they_say() {
        let everyone = access("all", "none");
        assert!(permits(&everyone, "203.0.113.9") && permits(&everyone, "2001:db8::1"));
        let nobody = access("all", "ALL");
        assert!(!permits(&nobody, "127.0.0.1") && !permits(&nobody, "::1"));
        assert!(!permits(&access("", ""), "127.0.0.1"));
    }

    #[test]
    fn an_ipv4_client_on_an_ipv6_socket_counts_as_ipv4() {
        let rules = access("127.0.0.0/8", "");
        assert!(permits(&rules, "::ffff:127.0.0.1"));
        assert!(!permits(&rules, "::ffff:10.0.0.1"));
        assert!(!permits(&rules, "::1"));
    }

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
