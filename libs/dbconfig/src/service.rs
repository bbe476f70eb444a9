//! Service names, ports and addresses.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Port of the service name `eloqdb`.
pub const DEFAULT_PORT: u16 = 8102;

/// The name that stands for [`DEFAULT_PORT`], whatever `/etc/services` says.
const DEFAULT_NAME: &str = "eloqdb";

/// Longest service name (RFC 6335 says 15; some systems have longer ones).
const MAX_SERVICE_CHARS: usize = 63;

/// Longest host name (RFC 1035).
const MAX_HOST_CHARS: usize = 255;

/// Which IP versions the service port serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFamily {
    /// No suffix: whatever Listen names.
    Any,
    /// `/4`: IPv4 only.
    V4,
    /// `/6`: IPv6 sockets; one on `::` takes IPv4 clients too.
    V6,
    /// `/46`: separate IPv4 and IPv6 sockets.
    V46,
}

/// A service: a port or a name for one, and the address family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    name: String,
    family: AddressFamily,
}

/// A service that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The text is neither name nor port.
    #[error(
        "`{0}` is not a service: write a port (0 to 65535) or a service name, then /4, /6 or /46 if wanted"
    )]
    Malformed(String),
    /// The number is above the largest port.
    #[error("`{0}` is not a port: ports are 0 to 65535")]
    NoPort(String),
    /// The name is not known on this machine.
    #[error("the service `{0}` is not in /etc/services")]
    Unknown(String),
    /// No address of Listen has the family that Service asks for.
    #[error("Service asks for {0} only, and Listen has no such address")]
    NoAddress(&'static str),
}

impl Default for Service {
    /// The service name `eloqdb`.
    fn default() -> Self {
        Self {
            name: DEFAULT_NAME.to_owned(),
            family: AddressFamily::Any,
        }
    }
}

impl FromStr for Service {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let malformed = || ServiceError::Malformed(shortened(text));
        let (name, family) = match text.trim().split_once('/') {
            None => (text.trim(), AddressFamily::Any),
            Some((name, "4")) => (name.trim(), AddressFamily::V4),
            Some((name, "6")) => (name.trim(), AddressFamily::V6),
            Some((name, "46")) => (name.trim(), AddressFamily::V46),
            Some(_) => return Err(malformed()),
        };
        let number = name.bytes().all(|b| b.is_ascii_digit());
        let word = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_+.".contains(&b));
        if name.is_empty() || name.len() > MAX_SERVICE_CHARS || !word {
            return Err(malformed());
        }
        if number && name.parse::<u16>().is_err() {
            return Err(ServiceError::NoPort(shortened(name)));
        }
        Ok(Self {
            name: name.to_owned(),
            family,
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.family {
            AddressFamily::Any => "",
            AddressFamily::V4 => "/4",
            AddressFamily::V6 => "/6",
            AddressFamily::V46 => "/46",
        };
        write!(f, "{}{suffix}", self.name)
    }
}

impl Service {
    /// The port. 0 means any free port.
    pub fn resolve(&self) -> Result<u16, ServiceError> {
        self.resolve_in(|| fs::read_to_string("/etc/services").unwrap_or_default())
    }

    fn resolve_in(&self, services: impl FnOnce() -> String) -> Result<u16, ServiceError> {
        if let Ok(port) = self.name.parse() {
            return Ok(port);
        }
        if self.name.eq_ignore_ascii_case(DEFAULT_NAME) {
            return Ok(DEFAULT_PORT);
        }
        port_of(&self.name, &services()).ok_or_else(|| ServiceError::Unknown(self.name.clone()))
    }

    /// The address family.
    pub fn family(&self) -> AddressFamily {
        self.family
    }

    /// The socket addresses of these addresses, without those of a family that is not wanted.
    pub fn sockets(&self, addresses: &[IpAddr]) -> Result<Vec<SocketAddr>, ServiceError> {
        let port = self.resolve()?;
        let wanted = |address: &&IpAddr| match self.family {
            AddressFamily::Any | AddressFamily::V46 => true,
            AddressFamily::V4 => address.is_ipv4(),
            AddressFamily::V6 => address.is_ipv6(),
        };
        let sockets: Vec<_> = addresses
            .iter()
            .filter(wanted)
            .map(|ip| SocketAddr::new(*ip, port))
            .collect();
        if sockets.is_empty() {
            let family = if self.family == AddressFamily::V4 {
                "IPv4"
            } else {
                "IPv6"
            };
            return Err(ServiceError::NoAddress(family));
        }
        Ok(sockets)
    }
}

/// Looks a name or alias up in the text of a services file: `name port/tcp alias... # comment`.
fn port_of(name: &str, services: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let official = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        let named = official == name || words.any(|alias| alias == name);
        if named { port.parse().ok() } else { None }
    })
}

/// A host and a service: `host:service`, `:service` (this machine), `host` (service eloqdb),
/// `[IPv6 address]:service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostService {
    /// Host name or address, without brackets.
    pub host: String,
    /// Its service.
    pub service: Service,
}

impl FromStr for HostService {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, service) = Self::split(text)?;
        let host = if host.is_empty() {
            "127.0.0.1".to_owned()
        } else {
            host
        };
        Ok(Self {
            host,
            service: service.unwrap_or_default(),
        })
    }
}

impl HostService {
    /// The host, empty where the text names none, and the service, if the text names one.
    pub fn split(text: &str) -> Result<(String, Option<Service>), String> {
        let text = text.trim();
        let (host, service) = split_host(text)
            .ok_or_else(|| format!("`{}` is not `host:service`", shortened(text)))?;
        let plain = |c: char| c.is_alphanumeric() || "-_.:%".contains(c);
        if host.len() > MAX_HOST_CHARS || !host.chars().all(plain) {
            return Err(format!(
                "`{}` is not the name or address of a host",
                shortened(host)
            ));
        }
        let service = service.map(str::parse::<Service>).transpose();
        Ok((host.to_owned(), service.map_err(|error| error.to_string())?))
    }
}

impl fmt::Display for HostService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The product's own name is the port that everybody sees.
        let mut service = self.service.clone();
        if service.name.eq_ignore_ascii_case(DEFAULT_NAME) {
            service.name = DEFAULT_PORT.to_string();
        }
        if self.host.contains(':') {
            return write!(f, "[{}]:{service}", self.host);
        }
        write!(f, "{}:{service}", self.host)
    }
}

fn split_host(text: &str) -> Option<(&str, Option<&str>)> {
    if text.is_empty() {
        return None;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        let service = if rest.is_empty() {
            None
        } else {
            Some(rest.strip_prefix(':')?)
        };
        return Some((host, service));
    }
    // An IPv6 address without brackets can't carry a service.
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some((text, None));
    }
    match text.split_once(':') {
        None => Some((text, None)),
        Some((_, "")) => None,
        Some((host, service)) => Some((host, Some(service))),
    }
}

/// A list of hosts with their services, in the order of the text.
pub(crate) fn host_services(text: &str) -> Result<Vec<HostService>, String> {
    let words = text.split(',').map(str::trim);
    let mut hosts: Vec<HostService> = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        let host: HostService = word.parse()?;
        // A name of /etc/services is looked up now: a session that is to be handed on must not meet it first.
        let port = host.service.resolve().map_err(|error| error.to_string())?;
        if port == 0 {
            return Err(format!("`{}` needs a port", shortened(word)));
        }
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        return Err("there must be at least one `host:service`".to_owned());
    }
    Ok(hosts)
}

/// A list of addresses to listen on; `*` stands for all, `localhost` for both loopbacks.
pub(crate) fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let bare = word
            .strip_prefix('[')
            .and_then(|word| word.strip_suffix(']'))
            .unwrap_or(word);
        let found = match bare {
            "*" => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => vec![bare.parse::<IpAddr>().map_err(|_| {
                format!(
                    "`{}` is not an IP address; write addresses with commas between, or *",
                    shortened(word)
                )
            })?],
        };
        addresses.extend(found);
    }
    if addresses.is_empty() {
        return Err("there must be at least one address to listen on".to_owned());
    }
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// The beginning of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        text.parse().expect("a service")
    }

    #[test]
    fn a_service_is_a_port_the_own_name_or_a_name_of_the_services_file() {
        let file = || "# x\nhttp 80/tcp www # w\nstrange 81/udp\nmine\t8202/tcp other".to_owned();
        assert_eq!(service("0").resolve(), Ok(0));
        assert_eq!(service("65535").resolve(), Ok(65535));
        assert_eq!(service("eloqdb").resolve(), Ok(DEFAULT_PORT));
        assert_eq!(service("other/4").resolve_in(file), Ok(8202));
        assert_eq!(service("www").resolve_in(file), Ok(80));
        assert_eq!(
            service("strange").resolve_in(file),
            Err(ServiceError::Unknown("strange".into()))
        );
    }

    #[test]
    fn what_is_no_service_is_refused() {
        for text in [
            "",
            "65536",
            "a/5",
            "a/",
            "a b",
            "/4",
            "a:b",
            &"x".repeat(100_000),
        ] {
            assert!(text.parse::<Service>().is_err(), "{}", shortened(text));
        }
    }

    #[test]
    fn a_number_that_is_no_port_is_called_that() {
        let why = "99999".parse::<Service>().unwrap_err().to_string();
        assert_eq!(why, "`99999` is not a port: ports are 0 to 65535");
    }

    #[test]
    fn the_suffix_picks_the_addresses() {
        let both = addresses("127.0.0.1, ::1").unwrap();
        let sockets = |text: &str| service(text).sockets(&both).unwrap().len();
        assert_eq!(sockets("8102"), 2);
        assert_eq!(sockets("8102/46"), 2);
        assert_eq!(
            service("8102/4").sockets(&both).unwrap(),
            ["127.0.0.1:8102".parse().unwrap()]
        );
        assert_eq!(
            service("8102/6").sockets(&both).unwrap(),
            ["[::1]:8102".parse().unwrap()]
        );
        let only_v4 = addresses("127.0.0.1").unwrap();
        assert_eq!(
            service("1/6").sockets(&only_v4),
            Err(ServiceError::NoAddress("IPv6"))
        );
    }

    #[test]
    fn a_host_with_service_is_read_in_all_its_forms() {
        for (text, shown) in [
            ("194.64.71.28:8202", "194.64.71.28:8202"),
            (":8604", "127.0.0.1:8604"),
            ("db.example.com", "db.example.com:8102"),
            ("[::1]:8102", "[::1]:8102"),
            ("fe80::1", "[fe80::1]:8102"),
            ("[::1]", "[::1]:8102"),
            ("db.example.com:www/4", "db.example.com:www/4"),
        ] {
            assert_eq!(text.parse::<HostService>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_bad_or_endless_host_is_refused_in_a_short_message() {
        for text in ["", "a:", "a:b:c", "[::1:5", "a b:1", &"h".repeat(1_000_000)] {
            let message = text.parse::<HostService>().unwrap_err();
            assert!(message.len() < 300, "{message}");
        }
    }

    #[test]
    fn hosts_are_a_list_in_its_order_and_each_once() {
        let shown = |text: &str| -> Vec<String> {
            let hosts = host_services(text).unwrap();
            hosts.iter().map(HostService::to_string).collect()
        };
        assert_eq!(
            shown(" b.example.com , 10.0.0.1:8202,[fd00::1]:8102, b.example.com:eloqdb,"),
            ["b.example.com:8102", "10.0.0.1:8202", "[fd00::1]:8102"]
        );
        let endless = format!("{}:1", "h".repeat(1_000_000));
        for (text, why) in [
            ("", "at least one"),
            (",,", "at least one"),
            ("a:1, b c:1", "name or address"),
            ("a:nosuchservice", "not in /etc/services"),
            ("a:0", "needs a port"),
            (endless.as_str(), "name or address"),
        ] {
            let message = host_services(text).unwrap_err();
            assert!(message.contains(why) && message.len() < 300, "{message}");
        }
    }

    #[test]
    fn addresses_are_a_list() {
        assert_eq!(addresses("*").unwrap().len(), 2);
        assert_eq!(addresses("localhost, 127.0.0.1").unwrap().len(), 2);
        assert!(addresses("").is_err());
        assert!(addresses("example.com").is_err());
    }
}
