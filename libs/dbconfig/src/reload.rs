//! What a running server reads again of its configuration (`dbctl reload`, SIGHUP), and what waits for its next start.

use crate::config::{Config, Setting};
use crate::keys::Key;
use crate::keys::Section::{self, Archive, ForwardLog, Replication, Server};

/// The keys that hold anew without a restart.
const RELOADED: &[(Section, &str)] = &[
    (Server, "LogFlags"),
    (Server, "LogSlow"),
    (Server, "RepairFrom"),
    (Server, "ScrubRate"),
    (ForwardLog, "FwKeep"),
    (ForwardLog, "FwKeepForSlaves"),
    (Replication, "Sources"),
    (Replication, "MaxSources"),
    (Replication, "SyncSlaves"),
    (Replication, "SyncOnLoss"),
    (Replication, "SyncOnLossAfter"),
    (Archive, "Url"),
    (Archive, "Interval"),
    (Archive, "PartSize"),
    (Archive, "Bandwidth"),
    (Archive, "WarnBehind"),
];

/// The settings that a file has otherwise than before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that hold from now on.
    pub taken: Vec<Setting>,
    /// Those that hold from the next start on.
    pub waiting: Vec<Setting>,
}

impl Key {
    /// Whether a running server reads it again.
    pub fn is_reloaded(&self) -> bool {
        RELOADED.contains(&(self.section, self.name))
    }
}

impl Config {
    /// Takes from the file as it is now what needs no restart; all else stays as it was at the start.
    pub fn reload(&mut self, new: &Self) -> Changes {
        let changed =
            |setting: &&Setting| !self.settings.iter().any(|old| old.says_the_same(setting));
        let changed = new.settings.iter().filter(changed).cloned();
        let (taken, waiting) = changed.partition(|setting| setting.key.is_reloaded());
        self.server.log_flags.clone_from(&new.server.log_flags);
        self.server.log_slow = new.server.log_slow;
        self.server.repair_from.clone_from(&new.server.repair_from);
        self.server.scrub_rate = new.server.scrub_rate;
        self.forward_log.keep = new.forward_log.keep;
        self.forward_log.keep_for_slaves = new.forward_log.keep_for_slaves;
        let (held, sources) = (&mut self.replication.sources, &new.replication.sources);
        held.slaves.clone_from(&sources.slaves);
        held.limit = sources.limit;
        self.replication
            .synchronous
            .clone_from(&new.replication.synchronous);
        self.archives.clone_from(&new.archives);
        for old in self.settings.iter_mut().filter(|old| old.key.is_reloaded()) {
            if let Some(new) = new
                .settings
                .iter()
                .find(|new| new.place() == old.place() && new.key.name == old.key.name)
            {
                old.clone_from(new);
            }
        }
        self.take_sections(new);
        Changes { taken, waiting }
    }
}

impl Config {
    /// Sections that were not there, or are not any more.
    fn take_sections(&mut self, new: &Self) {
        let is_of_section = |it: &Setting| it.database.is_some() && it.key.is_reloaded();
        let is_in = |all: &[Setting], it: &Setting| {
            let mut all = all.iter();
            all.any(|other| other.place() == it.place() && other.key.name == it.key.name)
        };
        (self.settings).retain(|old| !is_of_section(old) || is_in(&new.settings, old));
        let added = new.settings.iter();
        let added = added.filter(|it| is_of_section(it) && !is_in(&self.settings, it));
        let added: Vec<Setting> = added.cloned().collect();
        self.settings.extend(added);
    }
}

impl Setting {
    fn says_the_same(&self, other: &Self) -> bool {
        self.place() == other.place() && self.key.name == other.key.name && self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::Keep;

    fn config(text: &str) -> Config {
        let text = format!("[Server]\nDataDir = /data\n{text}");
        Config::parse(Path::new("/etc/eloqdb.cfg"), &text).unwrap()
    }

    fn names(settings: &[Setting]) -> Vec<&str> {
        settings.iter().map(|setting| setting.key.name).collect()
    }

    #[test]
    fn what_needs_no_restart_is_taken_and_the_rest_is_named() {
        let mut held = config("Instance = north\n");
        let new = config(
            "Instance = north\nLogFlags = debug\nLogSlow = 2s\nRepairFrom = off\nScrubRate = 2m\nMaxSessions = 7\n\
             [ForwardLog]\nFwLog = l/fw-%N\nFwKeep = 10g\nFwKeepForSlaves = 5g\n\
             [Replication]\nPeerPasswordFile = pw\nSources = west@w:1\nMaxSources = 9\n\
             SyncSlaves = any 1\nSyncOnLoss = wait\nSyncOnLossAfter = 3s\n\
             [Archive far]\nUrl = s3://b/x\nInterval = 5s\nPartSize = 1m\nBandwidth = 1m\nWarnBehind = 1m\n",
        );
        let changes = held.reload(&new);
        let reloaded: Vec<_> = RELOADED.iter().map(|(_, name)| *name).collect();
        assert_eq!(names(&changes.taken), reloaded);
        let waiting = ["MaxSessions", "FwLog", "PeerPasswordFile"];
        assert_eq!(names(&changes.waiting), waiting);
        assert_eq!(held.server.log_flags, "debug");
        assert_eq!(held.server.log_slow, Duration::from_secs(2));
        assert!(held.server.repair_from.is_off());
        assert_eq!(held.server.scrub_rate, 2 << 20);
        assert_eq!(held.forward_log.keep, Keep::Bytes(10 << 30));
        assert_eq!(held.forward_log.keep_for_slaves, 5 << 30);
        assert_eq!(held.server.max_sessions, 1000);
        let sources = &held.replication.sources;
        assert_eq!(
            (sources.slaves[0].name.as_str(), sources.limit),
            ("west", 9)
        );
        let rule = held.replication.synchronous.slaves.as_ref();
        assert_eq!(rule.map(ToString::to_string).as_deref(), Some("any 1"));
        // What is known is not told again; what waits is.
        let again = held.reload(&new);
        assert_eq!(names(&again.taken), [""; 0]);
        assert_eq!(names(&again.waiting), waiting);
    }
}
