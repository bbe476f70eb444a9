//! The forks behind which an instance has lost transactions: rows of the database `system`, so every instance has them,
//! and a later root, too.

use fwlog::{CommitNumber, LogPoint, LostForkId, Position, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::environment::log::read_error;
use crate::error::EngineError;
use crate::system::statement::{internal, read, write};
use crate::system::users;

/// Made with the first one.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS lost_forks (hash TEXT NOT NULL, instance_id TEXT NOT NULL, \
    instance TEXT NOT NULL, role TEXT NOT NULL, position TEXT NOT NULL, commit_number INTEGER NOT NULL, \
    transactions INTEGER NOT NULL, generations TEXT NOT NULL, registered TEXT NOT NULL, settled TEXT, PRIMARY KEY (hash, instance_id)) WITHOUT ROWID";

/// Made with the first that a person sets.
const FLOOR: &str = "CREATE TABLE IF NOT EXISTS lost_floor (single INTEGER PRIMARY KEY CHECK (single = 1), \
    position TEXT NOT NULL, hash TEXT NOT NULL, commit_number INTEGER NOT NULL, told TEXT NOT NULL)";

/// From where on a row counts as changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// The position in the log.
    pub position: String,
    /// The chain hash there.
    pub hash: String,
    /// The newest commit up to there.
    pub commit: u64,
    /// When a person has set it, in UTC; `None`: the forks say it.
    pub set: Option<String>,
    /// The instance whose fork it is.
    pub instance: Option<String>,
}

/// A fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostFork {
    /// The instance whose transactions are lost.
    pub instance: String,
    /// Its id.
    pub instance_id: String,
    /// `primary` or `secondary`.
    pub role: String,
    /// The last point in common.
    pub position: String,
    /// The chain hash there.
    pub hash: String,
    /// The newest commit up to there.
    pub commit: u64,
    /// So many transactions are lost.
    pub transactions: u64,
    /// The generations that those are in, by their ids; with blanks between.
    pub generations: String,
    /// When it was told here, in UTC.
    pub registered: String,
    /// When a person said that all was done.
    pub settled: Option<String>,
}

impl LostFork {
    /// One that was told at this time.
    pub fn told(fork: &fwlog::LostFork, now: Timestamp) -> Self {
        let role = if fork.was_root {
            "primary"
        } else {
            "secondary"
        };
        let generations: Vec<String> = fork.generations.iter().map(ToString::to_string).collect();
        Self {
            instance: fork.instance.clone(),
            instance_id: fork.id.to_string(),
            role: role.to_owned(),
            position: fork.fork.position.to_string(),
            hash: fork.fork.hash.to_string(),
            commit: fork.commit.get(),
            transactions: fork.transactions,
            generations: generations.join(" "),
            registered: now.to_string(),
            settled: None,
        }
    }

    /// What it is known by everywhere; `None`: by nothing, somebody has told nonsense.
    pub fn id(&self) -> Option<LostForkId> {
        Some(LostForkId {
            hash: self.hash.parse().ok()?,
            instance: self.instance_id.parse().ok()?,
        })
    }
}

/// Those of an environment.
pub struct LostForks<'a>(&'a Environment);

impl<'a> LostForks<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// All of them, the first that was told first.
    pub fn all(&self) -> Result<Vec<LostFork>, EngineError> {
        let Some(system) = users::system_with_users(self.0) else {
            return Ok(Vec::new());
        };
        read(&system, |connection| {
            if !connection.table_exists(None, "lost_forks")? {
                return Ok(Vec::new());
            }
            let mut statement = connection.prepare(
                "SELECT instance, instance_id, role, position, hash, commit_number, transactions, generations, registered, \
                 settled FROM lost_forks ORDER BY registered, instance",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(LostFork {
                    instance: row.get(0)?,
                    instance_id: row.get(1)?,
                    role: row.get(2)?,
                    position: row.get(3)?,
                    hash: row.get(4)?,
                    commit: row.get::<_, i64>(5)?.unsigned_abs(),
                    transactions: row.get::<_, i64>(6)?.unsigned_abs(),
                    generations: row.get(7)?,
                    registered: row.get(8)?,
                    settled: row.get(9)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Whether the log of this server has a point. Where the segments are gone, the history still has the points at which
    /// generations went on.
    ///
    /// Errors: the log can't be read.
    pub fn has(&self, point: LogPoint) -> Result<bool, EngineError> {
        let core = self.0.core();
        let goes_on = |history: &fwlog::History| {
            let mut lines = history.branch().iter();
            lines.any(|line| line.parent == point)
        };
        if core.instance().with_history(goes_on) {
            return Ok(true);
        }
        let hash = core.hash_of_log(point.position).map_err(read_error)?;
        Ok(hash == Some(point.hash))
    }

    /// Notes a fork; one that is known stays as it is.
    ///
    /// Errors: this server does not write.
    pub fn register(&self, fork: &LostFork) -> Result<(), EngineError> {
        self.change("register a fork", |connection| {
            let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
            let sql = "INSERT INTO lost_forks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL) ON CONFLICT DO NOTHING";
            connection.execute(
                sql,
                params![
                    fork.hash,
                    fork.instance_id,
                    fork.instance,
                    fork.role,
                    fork.position,
                    number(fork.commit),
                    number(fork.transactions),
                    fork.generations,
                    fork.registered
                ],
            )
        })
        .map(drop)
    }

    /// That which a person has set, else the oldest fork that is not settled.
    pub fn floor(&self) -> Result<Option<Floor>, EngineError> {
        let Some(system) = users::system_with_users(self.0) else {
            return Ok(None);
        };
        let set = read(&system, |connection| {
            if !connection.table_exists(None, "lost_floor")? {
                return Ok(None);
            }
            let sql = "SELECT position, hash, commit_number, told FROM lost_floor";
            let row = connection.query_row(sql, [], |row| {
                Ok(Floor {
                    position: row.get(0)?,
                    hash: row.get(1)?,
                    commit: row.get::<_, i64>(2)?.unsigned_abs(),
                    set: Some(row.get(3)?),
                    instance: None,
                })
            });
            row.optional()
        })?;
        if set.is_some() {
            return Ok(set);
        }
        let open = self
            .all()?
            .into_iter()
            .filter(|fork| fork.settled.is_none());
        let oldest = open.min_by_key(|fork| fork.position.parse::<Position>().ok());
        Ok(oldest.map(|fork| Floor {
            position: fork.position,
            hash: fork.hash,
            commit: fork.commit,
            set: None,
            instance: Some(fork.instance),
        }))
    }

    /// Sets it, or leaves it to the forks.
    ///
    /// Errors: this server does not write.
    pub fn set_floor(&self, floor: Option<(LogPoint, CommitNumber)>) -> Result<(), EngineError> {
        let now = self.0.core().host().clock.now().to_string();
        self.change("set the floor of lost transactions", |connection| {
            connection.execute_batch(FLOOR)?;
            connection.execute("DELETE FROM lost_floor", [])?;
            let Some((point, commit)) = floor else {
                return Ok(0);
            };
            let commit = i64::try_from(commit.get()).unwrap_or(i64::MAX);
            let (position, hash) = (point.position.to_string(), point.hash.to_string());
            connection.execute(
                "INSERT INTO lost_floor VALUES (1, ?1, ?2, ?3, ?4)",
                params![position, hash, commit, now],
            )
        })
        .map(drop)
    }

    /// All that are open are settled; how many those were.
    ///
    /// Errors: this server does not write.
    pub fn complete(&self) -> Result<usize, EngineError> {
        let now = Timestamp::now().to_string();
        self.change("complete lost transactions", |connection| {
            connection.execute(
                "UPDATE lost_forks SET settled = ?1 WHERE settled IS NULL",
                [&now],
            )
        })
    }

    fn change(
        &self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<usize, EngineError> {
        self.0.master(what)?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            connection.execute_batch(SCHEMA).map_err(internal)?;
            work(connection).map_err(internal)
        })
    }
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;

    use super::*;
    use crate::environment::testing::master_on;

    fn fork(instance: &str) -> LostFork {
        LostFork {
            instance: instance.to_owned(),
            instance_id: format!("id of {instance}"),
            role: "primary".to_owned(),
            position: "1-1:300".to_owned(),
            hash: "00".to_owned(),
            commit: 7,
            transactions: 3,
            generations: String::new(),
            registered: "2026-11-30 10:00:00.000Z".to_owned(),
            settled: None,
        }
    }

    #[test]
    fn the_floor_is_the_oldest_open_fork_unless_a_person_has_set_it() {
        let environment = master_on(&SimulatedDisk::new(1));
        let forks = LostForks::of(&environment);
        assert_eq!(forks.floor().unwrap(), None);
        forks.register(&fork("north")).unwrap();
        let older = LostFork {
            position: "1-1:200".to_owned(),
            commit: 5,
            ..fork("west")
        };
        forks.register(&older).unwrap();
        let oldest = forks.floor().unwrap().expect("a floor");
        assert_eq!(
            (oldest.instance.as_deref(), oldest.commit),
            (Some("west"), 5)
        );
        let end = environment.durable().unwrap();
        forks.set_floor(Some((end.point, end.commit))).unwrap();
        let set = forks.floor().unwrap().expect("a floor");
        assert_eq!(
            (set.position, set.instance),
            (end.point.position.to_string(), None)
        );
        forks.set_floor(None).unwrap();
        assert_eq!(forks.floor().unwrap(), Some(oldest));
        forks.complete().unwrap();
        assert_eq!(forks.floor().unwrap(), None);
    }

    #[test]
    fn a_fork_is_told_once_and_settled_with_all_others() {
        let environment = master_on(&SimulatedDisk::new(1));
        let forks = LostForks::of(&environment);
        assert_eq!(forks.all().unwrap(), []);
        forks.register(&fork("north")).unwrap();
        let again = LostFork {
            transactions: 9,
            ..fork("north")
        };
        forks.register(&again).unwrap();
        forks.register(&fork("west")).unwrap();
        assert_eq!(forks.all().unwrap(), [fork("north"), fork("west")]);
        assert_eq!(forks.complete().unwrap(), 2);
        assert!(
            forks
                .all()
                .unwrap()
                .iter()
                .all(|fork| fork.settled.is_some())
        );
        assert_eq!(forks.complete().unwrap(), 0);
        // Told again it is not open again.
        forks.register(&fork("north")).unwrap();
        assert!(
            forks
                .all()
                .unwrap()
                .iter()
                .all(|fork| fork.settled.is_some())
        );
    }
}
