//! Hosts of a list: networks, and names of hosts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::net::{EVERYWHERE, Net, words};
use crate::service::shortened;

/// Longest name of a host, in characters: what a query can carry.
const MAX_NAME_CHARS: usize = 253;
/// Longest part of it between two dots.
const MAX_LABEL_CHARS: usize = 63;

/// The name of a host, in lower case. Which addresses it has is found when a client comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = shortened(text);
        if text.starts_with('.') {
            return Err(format!(
                "`{shown}` would be all hosts of a domain, which is not supported; write their network, or their names"
            ));
        }
        let plain = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !label.is_empty() && label.len() <= MAX_LABEL_CHARS && label.bytes().all(letters)
        };
        // An address with a typing mistake is no name: no domain at the top is a number.
        let last = plain.rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
        if plain.len() > MAX_NAME_CHARS || is_number || !plain.split('.').all(label) {
            return Err(format!(
                "`{shown}` is neither a network nor the name of a host; write an address, address/bits, a name, all or none"
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// One entry of a list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A network, or one address.
    Net(Net),
    /// A name, which may have any number of addresses.
    Name(HostName),
    /// The Unix socket of this machine.
    Local,
}

/// The word for the clients of the Unix socket.
const LOCAL: &str = "local";

/// A list of networks and names; `all` is every address and the Unix socket, `none` no one, `local` the Unix socket.
pub(crate) fn hosts_or_local(text: &str) -> Result<Vec<Host>, String> {
    let mut hosts = Vec::new();
    for word in words(text) {
        if word.eq_ignore_ascii_case(LOCAL) {
            hosts.push(Host::Local);
        } else {
            hosts.extend(self::hosts(word)?);
        }
    }
    Ok(hosts)
}

/// A list of networks and names; `all` is every address, `none` no one.
pub(crate) fn hosts(text: &str) -> Result<Vec<Host>, String> {
    let mut hosts = Vec::new();
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "all" => hosts.extend(EVERYWHERE.map(Host::Net)),
            "none" => {}
            LOCAL => {
                return Err(format!(
                    "`{}` is the Unix socket, and nothing is served there; for this machine's own clients write 127.0.0.1, ::1",
                    shortened(word)
                ));
            }
            _ => hosts.push(host(word)?),
        }
    }
    Ok(hosts)
}

fn host(word: &str) -> Result<Host, String> {
    // What has these is no name, and the mistake is one in a network.
    if word.contains(['/', ':']) || word.parse::<IpAddr>().is_ok() {
        return word.parse().map(Host::Net);
    }
    word.parse().map(Host::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_networks_and_names() {
        let list = hosts("10.0.0.0/8, DB.example, ::1,, till_3").unwrap();
        let name = |text: &str| Host::Name(text.parse().unwrap());
        assert_eq!(
            list,
            [
                Host::Net("10.0.0.0/8".parse().unwrap()),
                name("db.example"),
                Host::Net("::1".parse().unwrap()),
                name("till_3"),
            ]
        );
        assert_eq!(hosts("none").unwrap(), []);
        assert_eq!(hosts("ALL").unwrap().len(), 2);
    }

    #[test]
    fn local_is_a_host_where_the_unix_socket_is_served() {
        let list = hosts_or_local("10.0.0.1, Local").unwrap();
        assert_eq!(list, [Host::Net("10.0.0.1".parse().unwrap()), Host::Local]);
        let refused = hosts("local").unwrap_err();
        assert!(refused.contains("Unix socket"), "{refused}");
    }

    #[test]
    fn a_mistyped_address_is_no_name() {
        for text in [
            "10.0.0",
            "10.0.0.0.1",
            "10.0.0.256",
            "db.example/24",
            "fe80::x",
            "a b",
            "..",
            "ä.example",
            "db..example",
        ] {
            assert!(hosts(text).is_err(), "{text}");
        }
        assert!(hosts(&"a".repeat(64)).is_err());
        assert!(hosts(&"a.".repeat(200)).is_err());
        let domain = hosts("db.example, .example").unwrap_err();
        assert!(
            domain.contains("`.example`") && domain.contains("not supported"),
            "{domain}"
        );
    }
}
