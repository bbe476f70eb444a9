//! What comes in, and how far it is.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use dbconfig::Apply;
use dbproto::base::{CutOffer, LogRange};
use fwlog::sealed_text::{self, Body};
use fwlog::{CommitNumber, DatabaseId, LogPoint, Position};

use crate::databases::control::{DatabaseEntry, Identity, RedoPoint, parse_value};
use crate::databases::layout::Layout;
use crate::databases::list::Databases;
use crate::error::EngineError;

/// Version of the file where a copy comes.
const OF_COPY: u32 = 1;
/// The same where the own state goes back to an earlier point: a server that knows nothing of that refuses it.
const OF_REWIND: u32 = 2;

/// How far it is. Each is durable before the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Pages and log come. The state that is served is the old one.
    Receiving,
    /// All is here and proved: the next start makes it the state.
    Complete,
    /// The log of the state before is out of the way; what stands in its place has come.
    Placing,
}

impl Stage {
    const WORDS: [(Self, &'static str); 3] = [
        (Self::Receiving, "receiving"),
        (Self::Complete, "complete"),
        (Self::Placing, "placing"),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Complete => "complete",
            Self::Placing => "placing",
        }
    }
}

/// What becomes of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PlannedLog {
    /// These segments come; those that are here are set aside.
    Arrives(LogRange),
    /// It begins behind the redo point, where the pages are complete; what is here is set aside.
    Begins,
    /// The own one ends at this point; what is behind it is set aside.
    EndsAt(LogPoint),
}

/// See the module's page. Text, as the control file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How far it is.
    pub(super) stage: Stage,
    /// What the environment will be.
    pub(super) identity: Identity,
    /// The commit that every page is of.
    pub(super) commit: CommitNumber,
    /// Pages of each database.
    pub(super) pages: BTreeMap<DatabaseId, u32>,
    /// The number that the next new database gets.
    pub(super) next_database: u32,
    /// The log.
    pub(super) log: PlannedLog,
    /// Files of databases that do not exist at the point where the log ends.
    pub(super) aside: Vec<String>,
    /// The directory that gets what is discarded, beside it.
    pub(super) lost: String,
}

impl Plan {
    /// The plan of a cut: databases that are here keep their files, and those that are not applied get no pages.
    pub(super) fn of(cut: &CutOffer, here: &Databases, apply: &Apply, lost: String) -> Self {
        let entry = |database: &dbproto::base::CutDatabase| {
            let id = DatabaseId::new(database.number);
            let file = match here.file_of(id) {
                Some(known) => known,
                None => here.file_for(id, &database.name),
            };
            let name = database.name.clone();
            let applied = apply.takes(&name);
            DatabaseEntry {
                id,
                name,
                file,
                applied,
            }
        };
        let pages = cut
            .databases
            .iter()
            .filter(|database| apply.takes(&database.name));
        Self {
            stage: Stage::Receiving,
            identity: Identity {
                environment: cut.environment,
                redo: RedoPoint {
                    point: cut.redo.point,
                    log_bytes: cut.redo.log_bytes,
                    commit: cut.redo.commit,
                },
                databases: cut.databases.iter().map(entry).collect(),
            },
            commit: cut.commit,
            pages: pages
                .map(|database| (DatabaseId::new(database.number), database.pages))
                .collect(),
            next_database: cut.next_database,
            log: cut.log.map_or(PlannedLog::Begins, PlannedLog::Arrives),
            aside: Vec::new(),
            lost,
        }
    }

    /// The version that has all that it says.
    fn format(&self) -> u32 {
        match self.log {
            PlannedLog::Arrives(_) | PlannedLog::Begins => OF_COPY,
            PlannedLog::EndsAt(_) => OF_REWIND,
        }
    }

    fn path(layout: &Layout) -> PathBuf {
        super::directory(layout).join(super::PLAN)
    }

    /// The plan that is there, if there is one.
    ///
    /// Errors: it can't be read, or is damaged.
    pub(super) fn read(layout: &Layout) -> Result<Option<Self>, EngineError> {
        let path = Self::path(layout);
        let content = match layout.disk().read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EngineError::file("read", path, &error)),
        };
        let text = String::from_utf8_lossy(&content);
        Self::parse(&text).map(Some).map_err(|why| {
            EngineError::state(
                format!("{} is damaged: {why}", path.display()),
                "It was replaced as a whole, so the disk has altered it. Move the directory away: the server starts with what it had, and dbrepl sends what is missing again.",
            )
        })
    }

    /// Replaces the file durably.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), EngineError> {
        let path = Self::path(layout);
        let written = layout
            .disk()
            .write_atomic(&path, self.to_text().as_bytes(), 0o600);
        written.map_err(|error| EngineError::file("write", path, &error))
    }

    /// There is nothing more to do.
    pub(super) fn remove(layout: &Layout) -> Result<(), EngineError> {
        let path = Self::path(layout);
        let removed = layout.disk().remove(&path);
        removed.map_err(|error| EngineError::file("remove", path, &error))
    }

    fn to_text(&self) -> String {
        let mut body = Body::default();
        body.line("format", self.format());
        body.line("stage", self.stage.word());
        self.identity.write(&mut body);
        body.line("commit", self.commit.get());
        for (id, pages) in &self.pages {
            body.line("pages", format!("{} {pages}", id.get()));
        }
        body.line("next_database", self.next_database);
        match &self.log {
            PlannedLog::Arrives(log) => {
                body.line("log_from", log.from);
                body.line("log_to", log.to);
            }
            PlannedLog::Begins => {}
            PlannedLog::EndsAt(end) => {
                body.line("ends_at", end.position);
                body.line("ends_at_hash", end.hash);
            }
        }
        for file in &self.aside {
            body.line("aside", file);
        }
        body.line("lost", &self.lost);
        body.seal()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let body = sealed_text::open(text)?;
        let mut values = BTreeMap::new();
        let (mut databases, mut pages, mut aside) = (Vec::new(), BTreeMap::new(), Vec::new());
        for entry in sealed_text::entries(body) {
            let (key, value) = entry?;
            if let Some(database) = DatabaseEntry::of_line(key, value) {
                databases.push(database?);
                continue;
            }
            match key {
                "pages" => {
                    let number =
                        |text: &str| text.parse().map_err(|_| format!("pages = '{value}'"));
                    let (id, count) = value.split_once(' ').unwrap_or((value, ""));
                    pages.insert(DatabaseId::new(number(id)?), number(count)?);
                }
                "aside" => aside.push(value.to_owned()),
                _ => drop(values.insert(key, value)),
            }
        }
        let format: u32 = parse_value(&values, "format")?;
        if format != OF_COPY && format != OF_REWIND {
            return Err(format!(
                "format {format}; this server reads {OF_COPY} and {OF_REWIND}"
            ));
        }
        let word: String = parse_value(&values, "stage")?;
        let stage = Stage::WORDS.into_iter().find(|(_, known)| *known == word);
        let log = if format == OF_REWIND {
            let (at, hash) = (
                parse_value(&values, "ends_at")?,
                parse_value(&values, "ends_at_hash")?,
            );
            PlannedLog::EndsAt(LogPoint::new(at, hash))
        } else if values.contains_key("log_from") {
            let to: Position = parse_value(&values, "log_to")?;
            let from = parse_value(&values, "log_from")?;
            PlannedLog::Arrives(LogRange { from, to })
        } else {
            PlannedLog::Begins
        };
        Ok(Self {
            stage: stage.ok_or(format!("stage = '{word}'"))?.0,
            identity: Identity::parse(&values, databases)?,
            commit: CommitNumber::new(parse_value(&values, "commit")?),
            pages,
            next_database: parse_value(&values, "next_database")?,
            log,
            aside,
            lost: parse_value(&values, "lost")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use fwlog::{ChainHash, EnvironmentId, SegmentId};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = LogPoint> {
        (1..99_u32, 1..99_u32, any::<u64>(), any::<[u8; 32]>()).prop_map(
            |(generation, sequence, offset, hash)| {
                let at = Position::new(SegmentId::new(generation, sequence), offset);
                LogPoint::new(at, ChainHash::from_bytes(hash))
            },
        )
    }

    fn log() -> impl Strategy<Value = PlannedLog> {
        prop_oneof![
            Just(PlannedLog::Begins),
            (point(), point()).prop_map(|(from, to)| PlannedLog::Arrives(LogRange {
                from: from.position.segment,
                to: to.position,
            })),
            point().prop_map(PlannedLog::EndsAt),
        ]
    }

    fn entry() -> impl Strategy<Value = DatabaseEntry> {
        (1..99_u32, "[a-z][a-z0-9_]{0,9}", "[a-z0-9]{1,9}[.]db").prop_map(|(id, name, file)| {
            DatabaseEntry {
                id: DatabaseId::new(id),
                name,
                file,
                applied: true,
            }
        })
    }

    prop_compose! {
        fn plan()(
            stage in 0..3_usize,
            (point, log) in (point(), log()),
            numbers in any::<[u64; 3]>(),
            databases in vec(entry(), 0..4),
            pages in btree_map(1..99_u32, any::<u32>(), 0..4),
            next_database in any::<u32>(),
            aside in vec("[a-z0-9]{1,9}[.]db", 0..3),
            lost in "[a-z0-9-]{0,20}",
        ) -> Plan {
            Plan {
                stage: Stage::WORDS[stage].0,
                identity: Identity {
                    environment: EnvironmentId::from_bytes([7; 16]),
                    redo: RedoPoint { point, log_bytes: numbers[0], commit: CommitNumber::new(numbers[1]) },
                    databases,
                },
                commit: CommitNumber::new(numbers[2]),
                pages: pages.into_iter().map(|(id, pages)| (DatabaseId::new(id), pages)).collect(),
                next_database,
                log,
                aside,
                lost,
            }
        }
    }

    proptest! {
        /// A start acts on it before it opens any file: it is what was written, or it is nothing.
        #[test]
        fn a_plan_reads_back_and_one_that_is_cut_or_altered_does_not(
            plan in plan(),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let text = plan.to_text();
            prop_assert_eq!(Plan::parse(&text), Ok(plan));
            let at = at.index(text.len());
            prop_assert!(Plan::parse(&text[..at]).is_err());
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let altered = String::from_utf8_lossy(&bytes);
            prop_assert!(altered == text || Plan::parse(&altered).is_err(), "{}", altered);
        }
    }
}
