//! Other servers that this one asks by itself: for pages that it has lost, and whether both have the same.

use std::path::PathBuf;
use std::time::Duration;

use crate::keys::START_GUARDS;
use crate::keys::Section::{Replication, Server};
use crate::reader::Reader;
use crate::service::{HostService, host_services};
use crate::tls::Tls;
use crate::value;

/// The word for the server's own log.
const LOG: &str = "log";
/// The word for nowhere.
const OFF: &str = "off";
/// Who asks, unless it is said otherwise.
pub(crate) const DEFAULT_USER: &str = "dba";
const DAY: u64 = 24 * 3600;

/// Where damaged pages of the data files come from by themselves: the log first, then each server in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairFrom {
    /// The server's own log.
    pub log: bool,
    /// Other servers that have the same databases.
    pub peers: Vec<HostService>,
}

impl RepairFrom {
    /// From nowhere: damage is told (`RepairFrom` = off).
    pub const OFF: Self = Self {
        log: false,
        peers: Vec::new(),
    };

    /// Whether damage is only told.
    pub fn is_off(&self) -> bool {
        *self == Self::OFF
    }

    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let words = || {
            text.split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
        };
        let is = |wanted: &'static str| move |word: &&str| word.eq_ignore_ascii_case(wanted);
        if words().any(|word| is(OFF)(&word)) {
            return match words().count() {
                1 => Ok(Self::OFF),
                _ => Err(
                    "`off` stands alone; without it: log, and host:service of other servers".into(),
                ),
            };
        }
        let others: Vec<&str> = words().filter(|word| !is(LOG)(word)).collect();
        let log = words().any(|word| is(LOG)(&word));
        if others.is_empty() && !log {
            return Err(
                "it is off, or log, or host:service of other servers, with commas between".into(),
            );
        }
        let peers = if others.is_empty() {
            Vec::new()
        } else {
            host_services(&others.join(","))?
        };
        Ok(Self { log, peers })
    }
}

impl Default for RepairFrom {
    fn default() -> Self {
        Self {
            log: true,
            peers: Vec::new(),
        }
    }
}

/// Whether a server that was the root asks others before it writes after a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartGuard {
    /// It asks nobody.
    #[default]
    Off,
    /// It asks, and goes on where nobody answers in time.
    Ask,
    /// It asks until one has answered.
    Require,
}

/// How this server logs in on its peers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerLogin {
    /// The user; it needs the privilege operator there.
    pub user: String,
    /// The file with its password, read at each login; none = the certificate of `TlsCert` says who it is.
    pub password_file: Option<PathBuf>,
}

/// When a slave compares itself with its master, and where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyAt {
    /// The time of the day.
    pub time: TimeOfDay,
    /// Addresses of the master, in the order in which they are tried.
    pub with: Vec<HostService>,
}

/// A time of the day, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeOfDay(Duration);

impl TimeOfDay {
    /// Since midnight.
    pub fn since_midnight(self) -> Duration {
        self.0
    }

    /// `03:15` or `03:15:30`.
    fn read(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |part: &&str, below: u64| {
            let digits =
                (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse()
                .ok()
                .filter(|number: &u64| digits && *number < below)
        };
        let seconds = match parts.as_slice() {
            [hour, minute] => number(hour, 24)
                .zip(number(minute, 60))
                .map(|(h, m)| (h * 60 + m) * 60),
            [hour, minute, second] => number(hour, 24)
                .zip(number(minute, 60))
                .zip(number(second, 60))
                .map(|((h, m), s)| (h * 60 + m) * 60 + s),
            _ => None,
        };
        let seconds = seconds.filter(|seconds| *seconds < DAY);
        seconds
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or_else(|| {
                format!("`{text}` is not a time of the day; write it as 03:15 or 03:15:30 (UTC)")
            })
    }
}

pub(crate) fn read_login(reader: &mut Reader) -> PeerLogin {
    let user = reader.optional(Replication, "PeerUser", crate::load::text);
    PeerLogin {
        user: user.unwrap_or_else(|| DEFAULT_USER.to_owned()),
        password_file: reader.path(Replication, "PeerPasswordFile"),
    }
}

/// Nobody can be asked where none is named: whoever wants that is told.
pub(crate) fn read_start_guard(reader: &mut Reader, peers: &[HostService]) -> StartGuard {
    const KEY: &str = "StartGuard";
    let guard = reader.get(Replication, KEY, |text| {
        Ok(match value::word(text, START_GUARDS)? {
            0 => StartGuard::Off,
            1 => StartGuard::Ask,
            _ => StartGuard::Require,
        })
    });
    if !peers.is_empty() || guard == StartGuard::Off {
        return guard;
    }
    if guard == StartGuard::Require && !reader.is_faulty(Replication, "Peers") {
        let message = "StartGuard = require needs Peers: host:service of the other servers that may be the root";
        reader.problem(Replication, KEY, message);
    } else if let Some(line) = reader.line(Replication, KEY) {
        reader.warn(line, "StartGuard = ask has no effect without Peers");
    }
    StartGuard::Off
}

/// Where no server is named, it is that of the writes.
pub(crate) fn read_verify_at(reader: &mut Reader, redirect: &[HostService]) -> Option<VerifyAt> {
    let with = reader.optional(Replication, "VerifyWith", host_services);
    let time = reader.optional(Replication, "VerifyAt", TimeOfDay::read)?;
    let with = with.unwrap_or_else(|| redirect.to_vec());
    let is_known = !with.is_empty()
        || ["VerifyWith", "RedirectWrite"]
            .into_iter()
            .any(|name| reader.is_faulty(Replication, name));
    if !is_known {
        let message = "VerifyAt needs VerifyWith: host:service of the master (or RedirectWrite, which has it)";
        reader.problem(Replication, "VerifyAt", message);
    }
    Some(VerifyAt { time, with })
}

/// Nobody is asked without saying who asks.
pub(crate) fn check_login(
    reader: &mut Reader,
    (login, tls): (&PeerLogin, Option<&Tls>),
    (repair, verify, peers): (&RepairFrom, Option<&VerifyAt>, &[HostService]),
) {
    let has_login = login.password_file.is_some()
        || tls.is_some()
        || reader.is_faulty(Replication, "PeerPasswordFile")
        || reader.is_faulty(Server, "TlsCert");
    if has_login {
        return;
    }
    let needs = "needs PeerPasswordFile in [Replication]: the file with the password of PeerUser on the other server (or TlsCert, where that one takes a certificate for a user)";
    if !repair.peers.is_empty() {
        let message = format!("RepairFrom with other servers {needs}");
        reader.problem(Server, "RepairFrom", message);
    }
    if verify.is_some() {
        reader.problem(Replication, "VerifyAt", format!("VerifyAt {needs}"));
    }
    if !peers.is_empty() {
        reader.problem(Replication, "Peers", format!("Peers {needs}"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Config, ConfigError};

    fn config(server: &str, replication: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "[Server]\nDataDir = /data\n{server}\n[Replication]\nPeerPasswordFile = pw\n{replication}\n"
        );
        Config::parse(Path::new("/etc/eloqdb.cfg"), &text)
    }

    fn repair_from(text: &str) -> Result<RepairFrom, String> {
        RepairFrom::read(text)
    }

    #[test]
    fn pages_come_from_the_log_from_servers_or_from_nowhere() {
        assert_eq!(repair_from("log"), Ok(RepairFrom::default()));
        assert_eq!(repair_from("OFF"), Ok(RepairFrom::OFF));
        let both = repair_from("log, south.example.com:8102, :9000").unwrap();
        assert!(both.log);
        let peers: Vec<String> = both.peers.iter().map(ToString::to_string).collect();
        assert_eq!(peers, ["south.example.com:8102", "127.0.0.1:9000"]);
        assert!(!repair_from("south:8102").unwrap().log);
        assert!(
            repair_from("off, south:8102")
                .unwrap_err()
                .contains("stands alone")
        );
        assert!(repair_from(",").is_err() && repair_from("log, a b").is_err());
    }

    #[test]
    fn a_time_of_the_day_is_read_and_nothing_else() {
        let read = |text| TimeOfDay::read(text).map(|time| time.since_midnight().as_secs());
        assert_eq!(read("03:15"), Ok(11_700));
        assert_eq!(read("23:59:59"), Ok(DAY - 1));
        assert_eq!(read("0:00"), Ok(0));
        for wrong in [
            "24:00", "3", "03:60", "3h", "-1:00", "03:15:99", "003:15", "+3:15",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_slave_must_know_its_master_and_a_password_to_compare_itself() {
        let at = |replication| config("", replication).map(|it| it.replication.verify_at);
        assert_eq!(at("").unwrap(), None);
        let own = at("VerifyAt = 03:15\nVerifyWith = north:8102\nRedirectWrite = east:1").unwrap();
        assert_eq!(own.unwrap().with, host_services("north:8102").unwrap());
        let redirect = at("VerifyAt = 03:15\nRedirectWrite = east:1").unwrap();
        assert_eq!(redirect.unwrap().with, host_services("east:1").unwrap());
        let missing = at("VerifyAt = 03:15").unwrap_err().to_string();
        assert!(missing.contains("VerifyAt needs VerifyWith"), "{missing}");
        let text = "[Server]\nDataDir = /data\nRepairFrom = log, south:8102\n[Replication]\nVerifyAt = 1:00\nVerifyWith = n:1\nPeers = n:1\n";
        let told = Config::parse(Path::new("/etc/eloqdb.cfg"), text)
            .unwrap_err()
            .to_string();
        assert_eq!(told.matches("needs PeerPasswordFile").count(), 3, "{told}");
    }

    #[test]
    fn peers_are_asked_unless_it_is_said_otherwise_and_nobody_is_where_none_is_named() {
        let guard = |replication| config("", replication).map(|it| it.replication.start_guard);
        assert_eq!(guard("").unwrap(), StartGuard::Off);
        assert_eq!(guard("Peers = south:8102").unwrap(), StartGuard::Ask);
        let required = guard("Peers = south:8102, east\nStartGuard = Require").unwrap();
        assert_eq!(required, StartGuard::Require);
        assert_eq!(
            guard("Peers = south\nStartGuard = off").unwrap(),
            StartGuard::Off
        );
        assert_eq!(guard("StartGuard = off").unwrap(), StartGuard::Off);
        let told = guard("StartGuard = require").unwrap_err().to_string();
        assert!(told.contains("StartGuard = require needs Peers"), "{told}");
        let asks = config("", "StartGuard = ask").unwrap();
        assert_eq!(asks.replication.start_guard, StartGuard::Off);
        assert!(asks.warnings[0].contains("StartGuard = ask has no effect without Peers"));
    }

    #[test]
    fn a_server_of_priority_0_never_leads() {
        let may_lead = |replication| config("", replication).map(|it| it.replication.may_lead);
        assert!(may_lead("").unwrap() && may_lead("Priority = 1").unwrap());
        assert!(!may_lead("Priority = 0").unwrap());
        may_lead("Priority = high").unwrap_err();
    }
}
