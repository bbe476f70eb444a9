//! The control file: what a server must know before it can read anything else.
//!
//! Text, one `key = value` a line, the last line the BLAKE3 hash of all before it. It is replaced
//! as a whole (new file, fsync, rename, fsync of the directory), so a crash leaves the old one or
//! the new one.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::str::FromStr;

use dbconfig::Role;
use disk::Disk;
use fwlog::sealed_text::{self, Body};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId};

pub use crate::databases::database_entry::DatabaseEntry;
use crate::databases::fence::Fence;
use crate::databases::handover::Handover;
use crate::error::EngineError;

/// Version of the control file, of the directory's layout, and of the forms in which values are stored.
pub const CONTROL_VERSION: u32 = 3;

/// A point of the log from which redo can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedoPoint {
    /// The block border, with the hash that proves what is before it.
    pub point: LogPoint,
    /// Bytes of log since the environment began, up to the point.
    pub log_bytes: u64,
    /// The newest commit before the point.
    pub commit: CommitNumber,
}

impl RedoPoint {
    /// Before the first segment of an environment: redo takes everything.
    pub const BEGINNING: Self = Self {
        point: LogPoint {
            position: Position {
                segment: SegmentId::FIRST,
                offset: 0,
            },
            hash: ChainHash::ZERO,
        },
        log_bytes: 0,
        commit: CommitNumber::new(0),
    };

    /// The point for recovery; `None` is the log's beginning.
    pub fn for_recovery(&self) -> Option<LogPoint> {
        (*self != Self::BEGINNING).then_some(self.point)
    }
}

/// Where the log is written at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPlace {
    /// In the directory of FwLog: segments are kept.
    ForwardLog,
    /// In `journal/`: segments are recycled after each checkpoint.
    Journal,
}

impl LogPlace {
    /// The one of the two that it is not.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::ForwardLog => Self::Journal,
            Self::Journal => Self::ForwardLog,
        }
    }

    /// As this file and others beside it spell it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ForwardLog => "forwardlog",
            Self::Journal => "journal",
        }
    }

    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        [Self::ForwardLog, Self::Journal]
            .into_iter()
            .find(|place| place.word() == word)
            .ok_or(format!("log = '{word}'"))
    }
}

/// The identity that an environment gets once, at its beginning or when a slave adopts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The environment, the same on a master and all its slaves.
    pub environment: EnvironmentId,
    /// Where redo starts.
    pub redo: RedoPoint,
    /// The databases at that point.
    pub databases: Vec<DatabaseEntry>,
}

/// The control file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Name of this instance.
    pub instance: String,
    /// Role that the server has, or last ran as.
    pub role: Role,
    /// `Role` in the configuration when the server was last started: where that was edited since, the
    /// next start carries it out.
    pub configured_role: Role,
    /// Whether the server stopped cleanly: the data files are complete.
    pub clean: bool,
    /// Where the log is.
    pub log: LogPlace,
    /// The log up to the redo point is in another place, or on another server: the data files are
    /// complete up to there, and the log begins behind it.
    pub detached: bool,
    /// The number that the next new database gets; none is ever used twice.
    pub next_database: u32,
    /// `None`: an empty slave that adopts the environment of the first master that connects.
    pub identity: Option<Identity>,
    /// The SCRAM verifier of dba on an empty slave; afterwards users come from system.db.
    pub bootstrap: Option<String>,
    /// The journal may have audit records that are not in the audit log yet (`AuditOnly`).
    pub audit_open: bool,
    /// What it has promised of the role that writes.
    pub handover: Option<Handover>,
    /// It was the root and was left behind: it does not write.
    pub fence: Option<Fence>,
    /// Too few of `SyncSlaves` have answered: since then, in microseconds, its commits wait for none.
    pub alone_since: Option<u64>,
}

const KEYS: [&str; 19] = [
    "version",
    "page_size",
    "instance",
    "role",
    "configured_role",
    "clean",
    "log",
    "detached",
    "next_database",
    "environment",
    "redo",
    "redo_hash",
    "redo_log_bytes",
    "redo_commit",
    "bootstrap",
    "audit_open",
    "handover",
    "fenced",
    "alone_since",
];

/// The version that the file says, if it is whole and the version is another.
fn other_version(text: &str) -> Option<u32> {
    let body = sealed_text::open(text).ok()?;
    let mut lines = body.lines();
    let version = lines.find_map(|line| line.strip_prefix("version = "))?;
    version
        .parse()
        .ok()
        .filter(|version| *version != CONTROL_VERSION)
}

fn written_by_another(path: &Path, version: u32) -> EngineError {
    if version > CONTROL_VERSION {
        return EngineError::state(
            format!(
                "control file {} was written by a newer server: it has version {version}, and this server reads {CONTROL_VERSION}",
                path.display()
            ),
            "Use the server that wrote it, or a newer one. Nothing was changed.",
        );
    }
    EngineError::state(
        format!(
            "control file {} was written by an older server: it has version {version}, and this server reads {CONTROL_VERSION}",
            path.display()
        ),
        "Take the databases out with the server that wrote it ('dbctl database dump'), and bring them into a new DataDir with 'dbctl database restore'. Nothing was changed.",
    )
}

impl Control {
    /// Reads and checks the file. `Ok(None)`: there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, EngineError> {
        let damaged = |why: String| {
            EngineError::state(
                format!("control file {} is damaged: {why}", path.display()),
                "Bring DataDir back from a copy, or make it anew from the log or a slave: see docs/recovery.md, 'control is lost'. Nothing was changed.",
            )
        };
        match disk.read(path) {
            Ok(content) => {
                let text =
                    String::from_utf8(content).map_err(|_| damaged("it is not text".into()))?;
                Self::parse(&text)
                    .map(Some)
                    .map_err(|why| match other_version(&text) {
                        Some(version) => written_by_another(path, version),
                        None => damaged(why),
                    })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EngineError::file("read", path, &error)),
        }
    }

    /// Replaces the file durably.
    pub fn write(&self, disk: &Disk, path: &Path) -> Result<(), EngineError> {
        disk.write_atomic(path, self.to_text().as_bytes(), 0o600)
            .map_err(|error| EngineError::file("write", path, &error))
    }

    /// Whether the data files are complete up to the redo point and have nothing newer, so that a slave
    /// can go on from them without the log before it. Those of a slave may be newer: its redo point
    /// stays where its master's last checkpoint was.
    pub(crate) fn is_complete(&self) -> bool {
        self.detached || (self.clean && self.role != Role::Slave)
    }

    /// Redo starts at `redo` from now on, with these databases. An empty slave has no redo point.
    pub fn set_redo(&mut self, redo: RedoPoint, databases: Vec<DatabaseEntry>) {
        if let Some(identity) = &mut self.identity {
            identity.redo = redo;
            identity.databases = databases;
        }
    }

    fn to_text(&self) -> String {
        let mut body = Body::default();
        body.line("version", CONTROL_VERSION);
        body.line("page_size", fwlog::PAGE_SIZE);
        body.line("instance", &self.instance);
        body.line("role", role_word(self.role));
        body.line("configured_role", role_word(self.configured_role));
        body.line("clean", self.clean);
        body.line("log", self.log.word());
        body.line("detached", self.detached);
        body.line("next_database", self.next_database);
        if let Some(identity) = &self.identity {
            identity.write(&mut body);
        }
        if let Some(verifier) = &self.bootstrap {
            body.line("bootstrap", verifier);
        }
        // An older server knows no such line: it refuses what it would not do.
        if self.audit_open {
            body.line("audit_open", true);
        }
        if let Some(handover) = &self.handover {
            body.line("handover", handover);
        }
        if let Some(fence) = &self.fence {
            body.line("fenced", fence);
        }
        if let Some(since) = self.alone_since {
            body.line("alone_since", since);
        }
        body.seal()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let body = sealed_text::open(text)?;
        let mut values = BTreeMap::new();
        let mut databases = Vec::new();
        for entry in sealed_text::entries(body) {
            let (key, value) = entry?;
            if let Some(database) = DatabaseEntry::of_line(key, value) {
                databases.push(database?);
            } else if !KEYS.contains(&key) {
                return Err(format!("unknown key '{key}': a newer version wrote it"));
            } else {
                values.insert(key, value);
            }
        }
        let version: u32 = parse_value(&values, "version")?;
        if version != CONTROL_VERSION {
            return Err(format!(
                "version {version}; this server reads {CONTROL_VERSION}"
            ));
        }
        let page_size: usize = parse_value(&values, "page_size")?;
        if page_size != fwlog::PAGE_SIZE {
            return Err(format!(
                "page size {page_size}; this server uses {}",
                fwlog::PAGE_SIZE
            ));
        }
        Ok(Self {
            instance: parse_value(&values, "instance")?,
            role: parse_role(&parse_value::<String>(&values, "role")?)?,
            configured_role: parse_role(&parse_value::<String>(&values, "configured_role")?)?,
            clean: parse_value(&values, "clean")?,
            log: LogPlace::parse(&parse_value::<String>(&values, "log")?)?,
            detached: parse_value(&values, "detached")?,
            next_database: parse_value(&values, "next_database")?,
            identity: if values.contains_key("environment") {
                Some(Identity::parse(&values, databases)?)
            } else {
                None
            },
            bootstrap: values.get("bootstrap").map(ToString::to_string),
            audit_open: match values.get("audit_open") {
                None => false,
                Some(_) => parse_value(&values, "audit_open")?,
            },
            handover: match values.get("handover") {
                None => None,
                Some(_) => Some(parse_value(&values, "handover")?),
            },
            fence: match values.get("fenced") {
                None => None,
                Some(_) => Some(parse_value(&values, "fenced")?),
            },
            alone_since: match values.get("alone_since") {
                None => None,
                Some(_) => Some(parse_value(&values, "alone_since")?),
            },
        })
    }
}

impl Identity {
    /// Its lines, in this file and in others that tell of an environment.
    pub(crate) fn write(&self, body: &mut Body) {
        body.line("environment", self.environment);
        body.line("redo", self.redo.point.position);
        body.line("redo_hash", self.redo.point.hash);
        body.line("redo_log_bytes", self.redo.log_bytes);
        body.line("redo_commit", self.redo.commit.get());
        for entry in &self.databases {
            let value = format!("{} {} {}", entry.id.get(), entry.file, entry.name);
            body.line(entry.key(), value);
        }
    }

    /// What [`Identity::write`] has written: single lines by their keys, and those of databases.
    pub(crate) fn parse(
        values: &BTreeMap<&str, &str>,
        databases: Vec<DatabaseEntry>,
    ) -> Result<Self, String> {
        let position: Position = parse_value(values, "redo")?;
        let hash: ChainHash = parse_value(values, "redo_hash")?;
        Ok(Self {
            environment: parse_value(values, "environment")?,
            redo: RedoPoint {
                point: LogPoint { position, hash },
                log_bytes: parse_value(values, "redo_log_bytes")?,
                commit: CommitNumber::new(parse_value(values, "redo_commit")?),
            },
            databases,
        })
    }
}

pub(crate) fn parse_value<T: FromStr>(
    values: &BTreeMap<&str, &str>,
    key: &str,
) -> Result<T, String> {
    let text = values.get(key).ok_or(format!("'{key}' is missing"))?;
    text.parse().map_err(|_| format!("{key} = '{text}'"))
}

/// The word for a role, as in `Role = …`.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Standalone => "Standalone",
        Role::Master => "Master",
        Role::Slave => "Slave",
    }
}

fn parse_role(word: &str) -> Result<Role, String> {
    [Role::Standalone, Role::Master, Role::Slave]
        .into_iter()
        .find(|role| role_word(*role) == word)
        .ok_or(format!("role = '{word}'"))
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;
    use fwlog::DatabaseId;

    use super::*;
    use crate::databases::handover::HandoverId;

    fn sample() -> Control {
        Control {
            instance: "north".into(),
            role: Role::Slave,
            configured_role: Role::Standalone,
            clean: false,
            log: LogPlace::ForwardLog,
            detached: false,
            next_database: 6,
            identity: Some(Identity {
                environment: EnvironmentId::from_bytes([7; 16]),
                redo: RedoPoint {
                    point: LogPoint {
                        position: "12-3:184320".parse().unwrap(),
                        hash: ChainHash::from_bytes([9; 32]),
                    },
                    log_bytes: 1_000_000,
                    commit: CommitNumber::new(4711),
                },
                databases: vec![DatabaseEntry {
                    id: DatabaseId::new(5),
                    name: "the shop".into(),
                    file: "the_shop.db".into(),
                    applied: true,
                }],
            }),
            bootstrap: None,
            audit_open: true,
            handover: Some(Handover::Taken {
                id: HandoverId::new(3),
            }),
            fence: Some(
                format!("13 12-3:900 {} 4 unknown south", "ab".repeat(32))
                    .parse()
                    .unwrap(),
            ),
            alone_since: Some(7),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let control = sample();
        assert_eq!(Control::parse(&control.to_text()).unwrap(), control);
        let mut partial = control.clone();
        let identity = partial.identity.as_mut().unwrap();
        identity.databases[0].applied = false;
        let text = partial.to_text();
        assert!(
            text.contains("\nleft_out = 5 the_shop.db the shop\n"),
            "an older server refuses it"
        );
        assert_eq!(Control::parse(&text).unwrap(), partial);
        let empty = Control {
            identity: None,
            bootstrap: Some("SCRAM-SHA-256$4096:c2FsdA==$a:b".into()),
            ..control
        };
        assert_eq!(Control::parse(&empty.to_text()).unwrap(), empty);
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_found() {
        let machine = SimulatedDisk::new(1);
        let disk = machine.process().disk();
        let path = Path::new("/control");
        sample().write(&disk, path).unwrap();
        let text = machine.content(path).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                assert!(machine.flip(path, at as u64, bit));
                let read = Control::read(&disk, path);
                assert!(read.is_err(), "byte {at}, bit {bit}: {read:?}");
                assert!(machine.flip(path, at as u64, bit));
            }
            let cut = std::str::from_utf8(&text[..at]).unwrap();
            assert!(Control::parse(cut).is_err(), "cut at {at}");
        }
        assert_eq!(Control::read(&disk, path).unwrap(), Some(sample()));
    }

    /// Bug: a file of an older server was called damaged.
    #[test]
    fn the_file_of_another_server_is_told_from_a_damaged_one() {
        let machine = SimulatedDisk::new(1);
        let disk = machine.process().disk();
        let path = Path::new("/control");
        let said = |version: u32| {
            let mut body = Body::default();
            body.line("version", version);
            disk.write_atomic(path, body.seal().as_bytes(), 0o600)
                .unwrap();
            Control::read(&disk, path).unwrap_err().to_string()
        };
        assert!(said(CONTROL_VERSION - 1).contains("older server: it has version 2"));
        assert!(said(CONTROL_VERSION + 1).contains("newer server"));
        assert!(said(CONTROL_VERSION).contains("damaged"));
    }

    #[test]
    fn a_missing_file_is_not_an_error_and_a_written_one_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        let disk = Disk::real();
        assert_eq!(Control::read(&disk, &path).unwrap(), None);
        sample().write(&disk, &path).unwrap();
        assert_eq!(Control::read(&disk, &path).unwrap(), Some(sample()));
    }
}
