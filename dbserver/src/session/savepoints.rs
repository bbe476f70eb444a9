//! Savepoints. Before the first write SQLite knows nothing of them: they are only names. When its transaction begins, it
//! gets them all, as `s0`, `s1` … by depth, each with the rows of that moment.

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::changes::Captured;

/// The savepoints of a transaction block, by depth.
#[derive(Default)]
pub(super) struct Savepoints(Vec<Savepoint>);

struct Savepoint {
    name: String,
    /// The changed rows as they were then.
    rows: Captured,
}

impl Savepoints {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The depth of the newest.
    pub(super) fn last(&self) -> Option<usize> {
        self.0.len().checked_sub(1)
    }

    /// One more.
    pub(super) fn push(&mut self, name: &str, rows: Captured) {
        self.0.push(Savepoint {
            name: name.to_owned(),
            rows,
        });
    }

    /// Forgets all from this depth on.
    pub(super) fn truncate(&mut self, depth: usize) {
        self.0.truncate(depth);
    }

    /// The changed rows of each, from the first on.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Captured> {
        self.0.iter().map(|savepoint| &savepoint.rows)
    }

    /// The changed rows of the one at this depth.
    pub(super) fn layer(&self, depth: usize) -> Option<&Captured> {
        self.0.get(depth).map(|savepoint| &savepoint.rows)
    }

    /// The depth of the newest of that name.
    ///
    /// Errors: 3B001.
    pub(super) fn find(&self, name: &str) -> Result<usize, Failure> {
        let found = self.0.iter().rposition(|known| known.name == name);
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
            savepoints.push(name, Captured::new());
        }
        let found = savepoints.find("a").unwrap();
        assert_eq!(found, 2);
        // Going back keeps the savepoint itself, releasing it does not.
        savepoints.truncate(found + 1);
        assert_eq!(
            savepoints.find("c").unwrap_err().sqlstate(),
            SqlState::INVALID_SAVEPOINT_SPECIFICATION
        );
        savepoints.truncate(found);
        assert_eq!(savepoints.find("a").unwrap(), 0);
        savepoints.truncate(0);
        assert!(savepoints.is_empty());
    }
}
