//! The forks behind which an instance has lost transactions: rows of the database `system`, so every instance has them,
//! and a later root, too.

use fwlog::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::statement::{internal, read, write};
use crate::system::users;

/// Made with the first one.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS lost_forks (hash TEXT NOT NULL, instance_id TEXT NOT NULL, \
    instance TEXT NOT NULL, role TEXT NOT NULL, position TEXT NOT NULL, commit_number INTEGER NOT NULL, \
    transactions INTEGER NOT NULL, generations TEXT NOT NULL, registered TEXT NOT NULL, settled TEXT, PRIMARY KEY (hash, instance_id)) WITHOUT ROWID";

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
