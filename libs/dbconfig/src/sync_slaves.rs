//! `SyncSlaves`: for whose disks a commit waits before it is answered.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::config::Replication;
use crate::instance;
use crate::keys::SYNC_ON_LOSS;
use crate::keys::Section;
use crate::reader::Reader;
use crate::value;

/// Which slaves have to have a commit on their disks, in the words of PostgreSQL's `synchronous_standby_names`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncSlaves {
    /// So many of these, whichever are the first; of all that are fed where no names are given.
    Any {
        /// At least one.
        count: usize,
        /// Names of instances.
        of: Vec<String>,
    },
    /// The first so many of these that are fed at the moment.
    First {
        /// At least one.
        count: usize,
        /// Names of instances, at least `count`.
        of: Vec<String>,
    },
    /// So many that they are, with this server, more than half of it and all its sources.
    Majority,
}

impl SyncSlaves {
    /// The names that are given.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Any { of, .. } | Self::First { of, .. } => of,
            Self::Majority => &[],
        }
    }
}

impl FromStr for SyncSlaves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("majority") {
            return Ok(Self::Majority);
        }
        let odd = || {
            format!("`{text}` is none of: any K, any K (NAME, ...), first K (NAME, ...), majority")
        };
        let (word, rest) = text
            .split_once(|c: char| c.is_ascii_whitespace())
            .ok_or_else(odd)?;
        let (number, list) = match rest.split_once('(') {
            Some((number, list)) => {
                let list = list.trim_end().strip_suffix(')').ok_or_else(odd)?;
                (number, Some(list))
            }
            None => (rest, None),
        };
        let count: usize = number.trim().parse().map_err(|_| odd())?;
        if count == 0 {
            return Err("at least 1 slave has to be waited for; unset waits for none".to_owned());
        }
        let of = list.map_or_else(|| Ok(Vec::new()), names)?;
        if list.is_some() && of.len() < count {
            return Err(format!(
                "{count} of {} slaves are more than there are",
                of.len()
            ));
        }
        if word.eq_ignore_ascii_case("any") {
            Ok(Self::Any { count, of })
        } else if word.eq_ignore_ascii_case("first") && !of.is_empty() {
            Ok(Self::First { count, of })
        } else {
            Err(odd())
        }
    }
}

fn names(list: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for word in list.split(',') {
        let name = instance::checked(word.trim())?;
        if names.contains(&name) {
            return Err(format!("{name} is given twice"));
        }
        names.push(name);
    }
    Ok(names)
}

impl fmt::Display for SyncSlaves {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, count, of) = match self {
            Self::Any { count, of } => ("any", count, of),
            Self::First { count, of } => ("first", count, of),
            Self::Majority => return out.write_str("majority"),
        };
        write!(out, "{word} {count}")?;
        if of.is_empty() {
            return Ok(());
        }
        write!(out, " ({})", of.join(", "))
    }
}

/// What becomes of commits while too few slaves answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SyncOnLoss {
    /// They wait.
    #[default]
    Wait,
    /// After this time the master goes on alone, and says so, until enough have caught up.
    ContinueAfter(Duration),
}

/// Commits that wait for slaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synchronous {
    /// For whom they wait; none = for this server's disk alone.
    pub slaves: Option<SyncSlaves>,
    /// What becomes of them while too few answer.
    pub on_loss: SyncOnLoss,
}

pub(crate) fn read(reader: &mut Reader) -> Synchronous {
    use Section::Replication as S;
    let after = reader.get(S, "SyncOnLossAfter", value::duration);
    Synchronous {
        slaves: reader.optional(S, "SyncSlaves", str::parse),
        on_loss: reader.get(S, "SyncOnLoss", |text| {
            Ok(match value::word(text, SYNC_ON_LOSS)? {
                0 => SyncOnLoss::ContinueAfter(after),
                _ => SyncOnLoss::Wait,
            })
        }),
    }
}

/// Acknowledgements come through the sources of a server: whoever is none never acknowledges. One may be begun by
/// command, so that this is a warning.
pub(crate) fn warn(reader: &mut Reader, replication: &Replication, own: &str) {
    let sources = &replication.sources;
    let Some(rule) = &replication.synchronous.slaves else {
        return;
    };
    let is_fed = |name: &str| name == own || sources.slaves.iter().any(|it| it.name == name);
    let strangers: Vec<&str> = rule
        .names()
        .iter()
        .map(String::as_str)
        .filter(|name| !is_fed(name))
        .collect();
    let message = if !strangers.is_empty() {
        format!(
            "{} of SyncSlaves is not in Sources: only what this server feeds by itself acknowledges commits",
            strangers.join(", ")
        )
    } else if sources.slaves.is_empty() {
        "SyncSlaves waits for slaves, but there are no Sources: only what this server feeds by itself acknowledges commits".to_owned()
    } else {
        return;
    };
    if let Some(line) = reader.line(Section::Replication, "SyncSlaves") {
        reader.warn(line, &message);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    #[test]
    fn rules_read_back_as_they_are_shown() {
        for text in [
            "any 1",
            "any 2 (north, south, east)",
            "first 1 (south, east)",
            "majority",
        ] {
            let rule: SyncSlaves = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
        }
        let shouted: SyncSlaves = "ANY 1 ( south )".parse().unwrap();
        assert_eq!(shouted.to_string(), "any 1 (south)");
        assert_eq!("Majority".parse(), Ok(SyncSlaves::Majority));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, part) in [
            ("", "is none of"),
            ("any", "is none of"),
            ("any one", "is none of"),
            ("any 0", "at least 1"),
            ("some 1 (south)", "is none of"),
            ("first 1", "is none of"),
            ("first 1 (south", "is none of"),
            ("any 2 (south)", "more than there are"),
            ("any 1 (south, south)", "twice"),
            ("any 1 ()", "name"),
        ] {
            let told = text.parse::<SyncSlaves>().unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }

    #[test]
    fn who_is_no_source_is_named() {
        let config = |replication: &str| {
            let text = format!(
                "[Server]\nDataDir = /data\nInstance = north\n[ForwardLog]\nFwLog = log/fw-%N\n[Replication]\nRole = Master\nPeerPasswordFile = pw\n{replication}\n"
            );
            Config::parse(Path::new("/etc/eloqdb.cfg"), &text).unwrap()
        };
        let told = |replication: &str| {
            let config = config(replication);
            let warnings = config.warnings.iter().map(ToString::to_string);
            warnings
                .filter(|it| it.contains("SyncSlaves"))
                .collect::<Vec<_>>()
        };
        assert_eq!(told("Sources = south@s:1\nSyncSlaves = any 1"), [""; 0]);
        let file_of_all = "Sources = south@s:1\nSyncSlaves = first 1 (north, south)";
        assert_eq!(told(file_of_all), [""; 0]);
        let stranger = told("Sources = south@s:1\nSyncSlaves = any 1 (east)");
        assert!(stranger[0].contains("east of SyncSlaves"), "{stranger:?}");
        let nobody = told("SyncSlaves = any 1");
        assert!(nobody[0].contains("there are no Sources"), "{nobody:?}");
        let set = config("Sources = south@s:1\nSyncSlaves = majority\nSyncOnLoss = wait");
        let set = set.replication.synchronous;
        assert_eq!(set.slaves, Some(SyncSlaves::Majority));
        assert_eq!(set.on_loss, SyncOnLoss::Wait);
    }
}
