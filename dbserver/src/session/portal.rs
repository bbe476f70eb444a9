//! Portals and cursors: a statement with its parameters, and how far its result has been read.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use pgtypes::{Format, SqlValue};

use crate::failure::Failure;
use crate::session::cursor::{Cursor, Portion, Start};
use crate::session::prepared::{Columns, Prepared};
use crate::session::{Session, row};

/// How much of an unread result is kept in memory when its transaction goes on to write.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// A portal.
pub struct Portal {
    /// Its statement.
    pub prepared: Rc<Prepared>,
    /// Its parameters.
    pub values: Rc<[SqlValue]>,
    /// The formats of its columns.
    pub formats: Rc<[Format]>,
    /// Its columns as the client knows them; `None`: they are told with the first row.
    pub told: Option<Columns>,
    /// WITH HOLD: outlives its transaction.
    pub hold: bool,
    state: State,
}

enum State {
    Fresh,
    Running(Cursor),
    Kept(VecDeque<Vec<SqlValue>>),
    Done,
}

impl Portal {
    /// A portal that has not run.
    pub fn new(
        prepared: Rc<Prepared>,
        values: Vec<SqlValue>,
        formats: Vec<Format>,
        told: Option<Columns>,
    ) -> Self {
        Self {
            prepared,
            values: values.into(),
            formats: formats.into(),
            told,
            hold: false,
            state: State::Fresh,
        }
    }

    /// A portal over rows that are there already.
    pub fn of_rows(prepared: Rc<Prepared>, columns: Columns, rows: Vec<Vec<SqlValue>>) -> Self {
        let mut portal = Self::new(prepared, Vec::new(), Vec::new(), Some(columns));
        portal.state = State::Kept(rows.into());
        portal
    }

    /// Whether it has not run yet.
    pub fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh)
    }

    /// Whether it has run to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Its rows are over, or it never had any.
    pub fn finish(&mut self) {
        self.state = State::Done;
    }

    /// Appends up to `wanted` rows to `out`; gives what the portion ended with and the number of rows
    /// in it.
    pub fn advance(
        &mut self,
        out: &mut BytesMut,
        formats: &Rc<[Format]>,
        wanted: u64,
    ) -> Result<(Portion, u64), Failure> {
        match &mut self.state {
            State::Running(cursor) => {
                let before = cursor.rows();
                let portion = cursor.advance(out, formats, wanted)?;
                let rows = cursor.rows() - before;
                if portion == Portion::End {
                    self.state = State::Done;
                }
                Ok((portion, rows))
            }
            State::Kept(kept) => {
                let columns = self.told.as_deref().unwrap_or_default();
                let mut rows = 0;
                while rows < wanted
                    && let Some(values) = kept.pop_front()
                {
                    row::write(out, columns, formats, &values)?;
                    rows += 1;
                }
                let enough = rows == wanted;
                if !enough {
                    self.state = State::Done;
                }
                Ok((
                    if enough {
                        Portion::Enough
                    } else {
                        Portion::End
                    },
                    rows,
                ))
            }
            State::Fresh | State::Done => Ok((Portion::End, 0)),
        }
    }

    /// Reads over up to `wanted` rows.
    pub fn skip(&mut self, wanted: u64) -> Result<u64, Failure> {
        match &mut self.state {
            State::Running(cursor) => {
                Ok(u64::try_from(cursor.collect(wanted, usize::MAX)?.len()).unwrap_or(u64::MAX))
            }
            State::Kept(kept) => {
                let count = usize::try_from(wanted)
                    .unwrap_or(usize::MAX)
                    .min(kept.len());
                kept.drain(..count);
                Ok(count as u64)
            }
            State::Fresh | State::Done => Ok(0),
        }
    }

    /// The running query.
    pub fn cursor(&mut self) -> Option<&mut Cursor> {
        match &mut self.state {
            State::Running(cursor) => Some(cursor),
            _ => None,
        }
    }

    /// Reads the rest of the result into memory, so that what the transaction does next does not
    /// change it.
    fn keep(&mut self) -> Result<(), Failure> {
        let State::Running(cursor) = &mut self.state else {
            return Ok(());
        };
        let rows = cursor.collect(u64::MAX, KEPT_BYTES)?;
        if self.told.is_none() {
            self.told = cursor.columns();
        }
        self.state = State::Kept(rows.into());
        Ok(())
    }
}

impl Session {
    /// Starts a portal whose statement gives rows.
    pub fn start(&mut self, portal: &mut Portal) -> Result<(), Failure> {
        let prepared = Rc::clone(&portal.prepared);
        if prepared.statement.catalog {
            self.refresh_catalog()?;
        }
        let locks = prepared.statement.locks_rows && self.transaction.is_explicit();
        if prepared.statement.writes {
            self.before_write(command_name(&prepared))?;
            self.run_preparatory(&prepared)?;
        } else if locks {
            // What it reads must stay as it is until the transaction ends: nobody else may write.
            self.before_write("SELECT FOR UPDATE")?;
        } else {
            self.before_read()?;
        }
        let start = Start {
            prepared,
            values: Rc::clone(&portal.values),
            told: portal.told.clone(),
            interrupt: Arc::clone(&self.registered.entry.interrupt),
        };
        // SQLite makes all changes of a RETURNING statement before it gives the first row.
        portal.state = State::Running(Cursor::new(Rc::clone(&self.sqlite), start));
        Ok(())
    }

    /// The tag of a statement that gave rows.
    pub fn rows_tag(&self, prepared: &Prepared, rows: u64) -> String {
        let changed = if prepared.statement.writes {
            self.sqlite.connection.changes()
        } else {
            rows
        };
        prepared.statement.tag.render(changed)
    }

    /// The transaction is about to write: results that are still being read are kept as they are.
    pub(super) fn keep_portals(&mut self) -> Result<(), Failure> {
        self.portals.values_mut().try_for_each(Portal::keep)
    }

    /// The transaction is about to end: cursors WITH HOLD are kept, all other portals go.
    pub(super) fn keep_held_portals(&mut self) -> Result<(), Failure> {
        if self.portals.is_empty() {
            return Ok(());
        }
        self.portals.retain(|_, portal| portal.hold);
        self.keep_portals()
    }
}

/// The command as a refusal names it: `INSERT`, `CREATE TABLE`.
pub fn command_name(prepared: &Prepared) -> &'static str {
    use dialect::CommandTag;
    match prepared.statement.tag {
        CommandTag::Select => "SELECT",
        CommandTag::Insert => "INSERT",
        CommandTag::Update => "UPDATE",
        CommandTag::Delete => "DELETE",
        CommandTag::Copy => "COPY FROM",
        CommandTag::Fetch => "FETCH",
        CommandTag::Fixed(tag) => tag,
    }
}
