//! How the list of databases was a while ago.

use fwlog::{DatabaseId, Position};

use crate::databases::control::DatabaseEntry;

/// What undoes a change of the list.
#[derive(Debug)]
pub(super) enum Undo {
    /// The database was made.
    Remove(DatabaseId),
    /// The database was dropped.
    Add(DatabaseEntry),
    /// The database got another name.
    Rename(DatabaseId, String),
}

/// Changes of the list since the last redo point, each with the start of its block.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: Vec<(Position, Undo)>,
}

impl History {
    /// The list changes at this block.
    pub(super) fn note(&mut self, at: Position, undo: Undo) {
        self.changes.push((at, undo));
    }

    /// The databases as they were at a redo point, of those that there are now: replay brings what
    /// came after. What came before is forgotten.
    pub(super) fn before(
        &mut self,
        redo: Position,
        mut entries: Vec<DatabaseEntry>,
    ) -> Vec<DatabaseEntry> {
        self.changes.retain(|(changed, _)| *changed >= redo);
        for (_, undo) in self.changes.iter().rev() {
            match undo {
                Undo::Remove(id) => entries.retain(|entry| entry.id != *id),
                Undo::Add(entry) => entries.push(entry.clone()),
                Undo::Rename(id, name) => {
                    let renamed = entries.iter_mut().find(|entry| entry.id == *id);
                    if let Some(entry) = renamed {
                        entry.name.clone_from(name);
                    }
                }
            }
        }
        entries.sort_by_key(|entry| entry.id);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, name: &str) -> DatabaseEntry {
        DatabaseEntry {
            id: DatabaseId::new(id),
            name: name.into(),
            file: format!("{id}.db"),
            applied: true,
        }
    }

    fn at(offset: u64) -> Position {
        Position {
            offset,
            ..Position::ORIGIN
        }
    }

    #[test]
    fn the_list_is_as_it_was_at_any_block() {
        let mut history = History::default();
        // a, b at first; then c is made, a becomes d, b is dropped.
        history.note(at(10), Undo::Remove(DatabaseId::new(3)));
        history.note(at(20), Undo::Rename(DatabaseId::new(1), "a".into()));
        history.note(at(30), Undo::Add(entry(2, "b")));
        let now = || vec![entry(1, "d"), entry(3, "c")];
        let (a, b, c, d) = (entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(1, "d"));
        assert_eq!(history.before(at(5), now()), [a.clone(), b.clone()]);
        assert_eq!(history.before(at(11), now()), [a, b.clone(), c.clone()]);
        assert_eq!(history.before(at(30), now()), [d, b, c]);
        assert_eq!(history.before(at(31), now()), now());
        assert_eq!(history.before(at(5), now()), now(), "the rest is forgotten");
    }
}
