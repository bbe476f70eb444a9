//! Row changes, commit after commit.

use std::sync::Arc;

use crate::change::Change;
use crate::error::Error;
use crate::node::{Node, Tree};
use crate::pages::{Header, Pages};
use crate::parents::Parents;
use crate::plan::{Concerned, Plan, Root};
use crate::schema::{Object, Pair, SCHEMA_ROOT, Schema};
use crate::table::Table;
use crate::table_diff::{Side, TableDiff};

/// Takes the changes one after another; an error ends the work.
pub type Sink<'a> = dyn FnMut(Change) -> Result<(), Error> + 'a;

/// One commit.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// The database before it.
    pub before: &'a dyn Pages,
    /// The database after it.
    pub after: &'a dyn Pages,
    /// The numbers of all pages that it has written, in any order. A page that is the same before and after may be among them.
    pub changed: &'a [u32],
}

/// Tells the row changes of the commits of one database, in order. See the [crate] for what it needs.
#[derive(Clone, Debug, Default)]
pub struct RowDiff {
    schema: Schema,
    parents: Parents,
}

/// What one commit is looked at with.
struct Work<'a> {
    step: Step<'a>,
    concerned: Concerned,
    before: Option<Header>,
    after: Option<Header>,
}

impl RowDiff {
    /// For a database that has no content yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// For a database as of some commit: all pages of its tables are read once.
    ///
    /// Errors: a page can't be read, or is damaged; it is no database.
    pub fn of(pages: &dyn Pages) -> Result<Self, Error> {
        let schema = Schema::read(pages)?;
        let mut parents = Parents::default();
        if let Some(header) = Header::read(pages)? {
            let mut note = |number, tree| {
                parents.note_tree(Root {
                    pages,
                    usable: header.usable,
                    tree,
                    number,
                })
            };
            note(SCHEMA_ROOT, Tree::Table)?;
            for object in schema.tables() {
                note(object.root, object.table()?.tree())?;
            }
        }
        Ok(Self { schema, parents })
    }

    /// Hands over what a commit has changed, and goes on behind it.
    ///
    /// Errors: a page can't be read, or is damaged; the sink has failed. What was told so far stays told, and this
    /// one can't be used any more: begin anew at a commit whose pages are at hand.
    pub fn commit(&mut self, step: Step<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
        let work = Work {
            step,
            concerned: Concerned {
                changed: step.changed.iter().copied().collect(),
                busy: self.parents.busy(step.changed),
            },
            before: Header::read(step.before)?,
            after: Header::read(step.after)?,
        };
        let newer = self.newer_schema(&work)?;
        let schema = std::mem::take(&mut self.schema);
        let Some(newer) = newer else {
            for object in schema.tables() {
                if work.concerned.busy.contains(&object.root) {
                    self.table(&work, (Some(object), Some(object)), sink)?;
                }
            }
            self.schema = schema;
            return Ok(());
        };
        for change in schema.changes(&newer) {
            sink(Change::Schema(change))?;
        }
        for pair in schema.pairs(&newer) {
            let is_busy = |object: &Object| work.concerned.busy.contains(&object.root);
            let touched = match pair {
                (Some(old), Some(new)) => old.root != new.root || is_busy(new),
                (None, Some(_)) => true,
                // The rows of a dropped table are gone with it.
                (_, None) => false,
            };
            if touched {
                self.table(&work, pair, sink)?;
            }
        }
        self.schema = newer;
        Ok(())
    }

    /// The schema after a commit, if it is another one.
    fn newer_schema(&mut self, work: &Work<'_>) -> Result<Option<Schema>, Error> {
        let table = Arc::new(Table::schema());
        let mut differs = false;
        let sides = [
            work.side(false, SCHEMA_ROOT, &table),
            work.side(true, SCHEMA_ROOT, &table),
        ];
        self.rows(work, sides, &mut |_| {
            differs = true;
            Ok(())
        })?;
        if differs {
            return Schema::read(work.step.after).map(Some);
        }
        Ok(None)
    }

    /// The rows of one table.
    fn table(&mut self, work: &Work<'_>, pair: Pair<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
        let old = match pair.0 {
            Some(object) => Some((object.root, object.table()?)),
            None => None,
        };
        let new = match pair.1 {
            Some(object) => Some((object.root, object.table()?)),
            None => None,
        };
        let Some((new_root, new)) = new else {
            return Ok(());
        };
        let (old_root, old) = old.unwrap_or_else(|| (0, Arc::clone(&new)));
        if new.has_keys_of(&old) {
            let sides = [
                work.side(false, old_root, &old),
                work.side(true, new_root, &new),
            ];
            return self.rows(work, sides, sink);
        }
        // It was dropped and made anew with keys of another kind: all rows are others.
        let gone = [work.side(false, old_root, &old), work.side(true, 0, &old)];
        self.rows(work, gone, sink)?;
        let come = [work.side(false, 0, &new), work.side(true, new_root, &new)];
        self.rows(work, come, sink)
    }

    fn rows(
        &mut self,
        work: &Work<'_>,
        [before, after]: [Side<'_>; 2],
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let busy = &work.concerned.busy;
        let plan = Plan::new(before.root, after.root, &work.concerned)?;
        for number in plan.visited_after(busy) {
            let Root {
                pages,
                usable,
                tree,
                ..
            } = after.root;
            let node = Node::read(pages, usable, tree, number)?;
            // Above the leaves nothing is new in a page that has not changed.
            if node.has_records() || !plan.trusts(number) {
                self.parents.note(&node, pages, busy)?;
            }
        }
        let cookie = |header: Option<Header>| header.map(|header| header.cookie);
        let diff = TableDiff {
            before,
            after,
            plan: &plan,
            busy,
            may_be_renumbered: cookie(work.before) != cookie(work.after),
        };
        diff.run(sink)
    }
}

impl<'a> Work<'a> {
    /// A tree before or after the commit; none where the database had no content.
    fn side(&self, after: bool, root: u32, table: &Arc<Table>) -> Side<'a> {
        let (pages, header) = if after {
            (self.step.after, self.after)
        } else {
            (self.step.before, self.before)
        };
        Side {
            root: Root {
                pages,
                usable: header.map_or(0, |header| header.usable),
                tree: table.tree(),
                number: if header.is_some() { root } else { 0 },
            },
            table: Arc::clone(table),
        }
    }
}
