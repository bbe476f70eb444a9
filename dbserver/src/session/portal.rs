//! Portals and cursors: a statement with its parameters, and how far its result has been read.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use dialect::FetchCount;
use pgtypes::{Format, SqlState, SqlValue};

use crate::databases::permit::Interrupt;
use crate::failure::Failure;
use crate::session::cursor::{Cursor, FirstStep, Portion, Start};
use crate::session::prepared::{Columns, Prepared};
use crate::session::row;
use crate::session::scrolled::Scrolled;
use crate::session::sqlite::Sqlite;

/// How much of an unread result is kept in memory when its transaction goes on to write.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// A portal.
pub struct Portal {
    prepared: Rc<Prepared>,
    values: Rc<[SqlValue]>,
    formats: Rc<[Format]>,
    /// Its columns as the client knows them; `None`: they are told with the first row.
    told: Option<Columns>,
    /// The client was told of them, or will be without the portal's help.
    described: bool,
    /// WITH HOLD: outlives its transaction.
    held: bool,
    /// SCROLL, or NO SCROLL.
    scroll: Option<bool>,
    progress: Progress,
}

enum Progress {
    Fresh,
    Running(Cursor),
    Kept(Kept),
    /// All rows are here, and the place among them.
    Scrolled(Scrolled),
    /// The master has it, by this name, and has more rows.
    Elsewhere(String),
    Done,
}

/// Rows in memory.
struct Kept {
    rows: VecDeque<Vec<SqlValue>>,
    /// The settings that they are written by.
    context: Arc<pgtypes::Context>,
    /// The client has to be told of the columns before the first row.
    describe: bool,
    /// Some of its rows were read.
    touched: bool,
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
            described: told.is_some(),
            told,
            held: false,
            scroll: None,
            progress: Progress::Fresh,
        }
    }

    /// Makes it outlive its transaction.
    #[must_use]
    pub fn with_hold(mut self, held: bool) -> Self {
        self.held = held;
        self
    }

    /// Whether its rows may be read in any order, as DECLARE has said.
    #[must_use]
    pub fn with_scroll(mut self, scroll: Option<bool>) -> Self {
        self.scroll = scroll;
        self
    }

    /// Whether all its rows are here, to be read in any order.
    pub fn scrolls(&self) -> bool {
        matches!(self.progress, Progress::Scrolled(_))
    }

    /// Reads all its rows into memory, to be read in any order from then on.
    ///
    /// Errors: 55000 where some were read already, or NO SCROLL was said.
    pub fn scroll(&mut self) -> Result<(), Failure> {
        let untouched = match &self.progress {
            Progress::Scrolled(_) => return Ok(()),
            Progress::Running(cursor) => cursor.rows() == 0,
            Progress::Kept(kept) => !kept.touched,
            Progress::Fresh | Progress::Elsewhere(_) | Progress::Done => false,
        };
        if !untouched || self.scroll == Some(false) {
            let message = "cursor can only scan forward";
            return Err(
                Failure::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                    .hint("Declare it with SCROLL option to enable backward scan."),
            );
        }
        self.keep()?;
        if let Progress::Kept(kept) = std::mem::replace(&mut self.progress, Progress::Done) {
            self.progress = Progress::Scrolled(Scrolled::new(kept.rows.into(), kept.context));
        }
        Ok(())
    }

    /// Moves to other rows; gives those that are passed, in their order.
    pub fn go(&mut self, count: &FetchCount) -> Result<Vec<usize>, Failure> {
        self.scroll()?;
        match &mut self.progress {
            Progress::Scrolled(rows) => Ok(rows.go(count)),
            _ => Ok(Vec::new()),
        }
    }

    /// Appends one of the rows that [`Portal::go`] has told.
    pub fn write(
        &self,
        out: &mut BytesMut,
        formats: &Rc<[Format]>,
        row: usize,
    ) -> Result<(), Failure> {
        let columns = self.told.as_deref().unwrap_or_default();
        match &self.progress {
            Progress::Scrolled(rows) => rows.write(out, columns, formats, row),
            _ => Ok(()),
        }
    }

    /// Whether it outlives its transaction.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Its statement.
    pub fn prepared(&self) -> &Rc<Prepared> {
        &self.prepared
    }

    /// Its parameters.
    pub fn values(&self) -> &Rc<[SqlValue]> {
        &self.values
    }

    /// The formats of its columns.
    pub fn formats(&self) -> &Rc<[Format]> {
        &self.formats
    }

    /// Its columns as the client knows them; `None`: they are told with the first row.
    pub fn told(&self) -> Option<&Columns> {
        self.told.as_ref()
    }

    /// The client knows these columns.
    pub fn tell(&mut self, columns: Columns) {
        self.told = Some(columns);
        self.described = true;
    }

    /// Its query runs with these values.
    pub fn set_values(&mut self, values: Vec<SqlValue>) {
        self.values = values.into();
    }

    /// The columns that the client was told, whatever becomes of the statement.
    pub fn promised(&self) -> Option<&Columns> {
        self.told.as_ref().filter(|_| self.described)
    }

    /// Its statement in another translation; it has not begun.
    pub fn set_prepared(&mut self, prepared: Rc<Prepared>) -> Result<(), Failure> {
        self.told = self.promised().cloned();
        self.values = prepared.all_limited(&self.values)?.into();
        self.prepared = prepared;
        Ok(())
    }

    /// Runs its query, which has begun, up to the first row.
    pub fn first_step(&mut self) -> Result<FirstStep, Failure> {
        match &mut self.progress {
            Progress::Running(cursor) => cursor.first_step(),
            _ => Ok(FirstStep::Done),
        }
    }

    /// Begins its query.
    pub fn start(&mut self, sqlite: Rc<Sqlite>, interrupt: Arc<Interrupt>) {
        let start = Start {
            prepared: Rc::clone(&self.prepared),
            values: Rc::clone(&self.values),
            told: self.told.clone(),
            interrupt,
        };
        self.progress = Progress::Running(Cursor::new(sqlite, start));
    }

    /// Whether it has not run yet.
    pub fn is_fresh(&self) -> bool {
        matches!(self.progress, Progress::Fresh)
    }

    /// Whether it has run to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done)
    }

    /// The name by which the master has it, if it has begun there and is not at its end.
    pub fn elsewhere(&self) -> Option<&str> {
        match &self.progress {
            Progress::Elsewhere(name) => Some(name),
            _ => None,
        }
    }

    /// The master has more rows of it, by this name.
    pub fn go_on_elsewhere(&mut self, name: String) {
        self.progress = Progress::Elsewhere(name);
    }

    /// Its rows are over, or it never had any.
    pub fn finish(&mut self) {
        self.progress = Progress::Done;
    }

    /// Appends up to `wanted` rows to `out`; gives what the portion ended with and the number of rows
    /// in it.
    pub fn advance(
        &mut self,
        out: &mut BytesMut,
        formats: &Rc<[Format]>,
        wanted: u64,
    ) -> Result<(Portion, u64), Failure> {
        match &mut self.progress {
            Progress::Running(cursor) => {
                let before = cursor.rows();
                let portion = cursor.advance(out, formats, wanted)?;
                let rows = cursor.rows() - before;
                if portion == Portion::End {
                    self.progress = Progress::Done;
                }
                Ok((portion, rows))
            }
            Progress::Kept(kept) => {
                let columns = self.told.as_deref().unwrap_or_default();
                if std::mem::take(&mut kept.describe) {
                    row::describe(out, columns, formats);
                }
                kept.touched = true;
                let mut rows = 0;
                while rows < wanted
                    && let Some(values) = kept.rows.pop_front()
                {
                    row::write(out, columns, formats, &values, &kept.context)?;
                    rows += 1;
                }
                let portion = Portion::of(rows, wanted);
                if portion == Portion::End {
                    self.progress = Progress::Done;
                }
                Ok((portion, rows))
            }
            Progress::Scrolled(scrolled) => {
                let columns = self.told.as_deref().unwrap_or_default();
                let passed = scrolled.go(&FetchCount::Forward(wanted.max(1)));
                for row in &passed {
                    scrolled.write(out, columns, formats, *row)?;
                }
                let rows = passed.len() as u64;
                Ok((Portion::of(rows, wanted), rows))
            }
            Progress::Fresh | Progress::Elsewhere(_) | Progress::Done => Ok((Portion::End, 0)),
        }
    }

    /// Reads over up to `wanted` rows.
    pub fn skip(&mut self, wanted: u64) -> Result<u64, Failure> {
        match &mut self.progress {
            Progress::Running(cursor) => {
                Ok(u64::try_from(cursor.collect(wanted, usize::MAX)?.len()).unwrap_or(u64::MAX))
            }
            Progress::Kept(kept) => {
                let count = usize::try_from(wanted)
                    .unwrap_or(usize::MAX)
                    .min(kept.rows.len());
                kept.touched = true;
                kept.rows.drain(..count);
                Ok(count as u64)
            }
            Progress::Scrolled(scrolled) => {
                Ok(scrolled.go(&FetchCount::Forward(wanted.max(1))).len() as u64)
            }
            Progress::Fresh | Progress::Elsewhere(_) | Progress::Done => Ok(0),
        }
    }

    /// The running query.
    pub fn cursor(&mut self) -> Option<&mut Cursor> {
        match &mut self.progress {
            Progress::Running(cursor) => Some(cursor),
            _ => None,
        }
    }

    /// How many rows are kept in memory.
    pub fn kept_rows(&self) -> u64 {
        match &self.progress {
            Progress::Kept(kept) => kept.rows.len() as u64,
            Progress::Scrolled(scrolled) => scrolled.len() as u64,
            Progress::Fresh | Progress::Running(_) | Progress::Elsewhere(_) | Progress::Done => 0,
        }
    }

    /// Has these rows, which SQLite has not given.
    pub fn give(
        &mut self,
        columns: Columns,
        rows: Vec<Vec<SqlValue>>,
        context: Arc<pgtypes::Context>,
    ) {
        let describe = !self.described;
        self.told = Some(columns);
        self.progress = Progress::Kept(Kept {
            rows: rows.into(),
            context,
            describe,
            touched: false,
        });
    }

    /// Reads the rest of the result into memory, so that what the transaction does next does not
    /// change it.
    pub fn keep(&mut self) -> Result<(), Failure> {
        let Progress::Running(cursor) = &mut self.progress else {
            return Ok(());
        };
        // What has given rows already has described them.
        let describe = !self.described && cursor.rows() == 0;
        let cursor_read = cursor.rows() > 0;
        let rows = cursor.collect(u64::MAX, KEPT_BYTES)?;
        let context = cursor.context();
        if self.told.is_none() {
            self.told = cursor.columns();
        }
        self.progress = Progress::Kept(Kept {
            rows: rows.into(),
            context,
            describe,
            touched: cursor_read,
        });
        Ok(())
    }
}
