//! Savepoints. Before the first write SQLite knows nothing of them: they are only names. When its
//! transaction begins, it gets them all, as `s0`, `s1` … by depth.

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::sqlite::Sqlite;

/// The savepoints of a transaction block, by depth. Where `sqlite` is asked for, it is given while
/// SQLite's transaction is open.
#[derive(Default)]
pub(super) struct Savepoints(Vec<String>);

impl Savepoints {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// One more.
    pub(super) fn push(&mut self, name: &str, sqlite: Option<&Sqlite>) -> Result<(), Failure> {
        if let Some(sqlite) = sqlite {
            sqlite.run(&format!("SAVEPOINT s{}", self.0.len()))?;
        }
        self.0.push(name.to_owned());
        Ok(())
    }

    /// Forgets one and what came after it.
    pub(super) fn release(&mut self, name: &str, sqlite: Option<&Sqlite>) -> Result<(), Failure> {
        let depth = self.find(name)?;
        if let Some(sqlite) = sqlite {
            sqlite.run(&format!("RELEASE s{depth}"))?;
        }
        self.0.truncate(depth);
        Ok(())
    }

    /// Undoes what came after it.
    pub(super) fn go_back(&mut self, name: &str, sqlite: Option<&Sqlite>) -> Result<(), Failure> {
        let depth = self.find(name)?;
        if let Some(sqlite) = sqlite {
            sqlite.run(&format!("ROLLBACK TO s{depth}"))?;
        }
        self.0.truncate(depth + 1);
        Ok(())
    }

    /// Undoes what came after the last one; false when SQLite can't.
    pub(super) fn go_back_to_last(&self, sqlite: &Sqlite) -> bool {
        let last = self.0.len().checked_sub(1);
        sqlite.in_transaction()
            && last.is_some_and(|last| sqlite.run(&format!("ROLLBACK TO s{last}")).is_ok())
    }

    /// SQLite's transaction has begun: it gets them all.
    pub(super) fn hand_to(&self, sqlite: &Sqlite) -> Result<(), Failure> {
        (0..self.0.len()).try_for_each(|depth| sqlite.run(&format!("SAVEPOINT s{depth}")))
    }

    /// The depth of the newest of that name.
    ///
    /// Errors: 3B001.
    pub(super) fn find(&self, name: &str) -> Result<usize, Failure> {
        let found = self.0.iter().rposition(|known| known == name);
        found.ok_or_else(|| {
            Failure::new(
                SqlState::INVALID_SAVEPOINT_SPECIFICATION,
                format!("savepoint \"{name}\" does not exist"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_name_is_meant_and_what_came_after_it_goes() {
        let mut savepoints = Savepoints::default();
        for name in ["a", "b", "a", "c"] {
            savepoints.push(name, None).unwrap();
        }
        assert_eq!(savepoints.find("a").unwrap(), 2);
        savepoints.go_back("a", None).unwrap();
        assert_eq!(
            savepoints.find("c").unwrap_err().sqlstate(),
            SqlState::INVALID_SAVEPOINT_SPECIFICATION
        );
        // Going back keeps the savepoint itself, releasing it does not.
        savepoints.go_back("a", None).unwrap();
        savepoints.release("a", None).unwrap();
        assert_eq!(savepoints.find("a").unwrap(), 0);
        savepoints.release("a", None).unwrap();
        assert!(savepoints.is_empty());
    }
}
