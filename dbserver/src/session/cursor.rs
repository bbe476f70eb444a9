//! A running query: stepped a portion at a time, left standing between two portions.
//!
//! SQLite's statement borrows from its connection, so a statement that outlives one message lives in
//! a future of its own, together with its share in the connection. The future is parked at a row
//! whenever its portion is full; nobody wakes it but [`Cursor::advance`].

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, BytesMut};
use dialect::Sequences;
use pgtypes::{Format, PgType, SqlValue};
use rusqlite::{Row, Statement, StatementStatus};

use crate::databases::permit::Interrupt;
use crate::failure::Failure;
use crate::session::mapping;
use crate::session::prepared::{Column, Columns, Prepared};
use crate::session::row;
use crate::session::sqlite::Sqlite;
use crate::wire::output::{self, FLUSH_BYTES};

/// What a portion ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// The buffer is full; send it and come again.
    Full,
    /// As many rows as were asked for; there may be more.
    Enough,
    /// No more rows.
    End,
}

impl Portion {
    /// Of so many rows that were there, of so many that were asked for.
    pub(super) fn of(rows: u64, wanted: u64) -> Self {
        if rows == wanted {
            Self::Enough
        } else {
            Self::End
        }
    }
}

/// What a query has come to with its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstStep {
    /// It stands at its first row, or at its end.
    Done,
    /// It was translated for other definitions than those of the snapshot that it reads: it is of no use.
    SchemaMoved,
}

/// Where rows go.
enum Sink {
    /// Into the buffer, as `DataRow` messages.
    Wire(BytesMut),
    /// Into memory.
    Memory(Vec<Vec<SqlValue>>, usize),
    /// Into the buffer, as lines of COPY.
    Copy(BytesMut, Box<CopyLines>),
}

/// How COPY TO writes its lines.
pub struct CopyLines {
    /// The format.
    pub encoder: pgtypes::copy::Encoder,
    /// Goes out in one message with the first line: the header of the binary format.
    pub prefix: BytesMut,
}

/// What future and owner share.
struct Shared {
    sink: Sink,
    /// What the client was told, or will be with the first row.
    columns: Option<Columns>,
    /// Tell the client before the first row, with types from that row where nothing else says.
    describe: bool,
    formats: Rc<[Format]>,
    /// What came of the first step, if somebody asks.
    first: Option<FirstStep>,
    /// Rows still wanted in this portion.
    wanted: u64,
    /// Rows given since the start.
    rows: u64,
    /// The settings that values are written by.
    values: Arc<pgtypes::Context>,
}

/// A query in the middle of its result.
pub struct Cursor {
    task: Pin<Box<dyn Future<Output = Result<(), Failure>>>>,
    shared: Rc<RefCell<Shared>>,
    sqlite: Rc<Sqlite>,
}

/// What a cursor starts from.
pub struct Start {
    /// The statement.
    pub prepared: Rc<Prepared>,
    /// Its parameters.
    pub values: Rc<[SqlValue]>,
    /// The columns as they were told to the client; `None`: tell them with the first row.
    pub told: Option<Columns>,
    /// Ends the query between two portions; SQLite's own interrupt ends it within one.
    pub interrupt: Arc<Interrupt>,
}

impl Cursor {
    /// A query that has not stepped yet.
    pub fn new(sqlite: Rc<Sqlite>, start: Start) -> Self {
        let shared = Rc::new(RefCell::new(Shared {
            sink: Sink::Wire(BytesMut::new()),
            describe: start.told.is_none(),
            columns: start.told.clone(),
            formats: Rc::default(),
            first: None,
            wanted: 0,
            rows: 0,
            values: sqlite.context(),
        }));
        let task = Box::pin(run(Rc::clone(&sqlite), start, Rc::clone(&shared)));
        Self {
            task,
            shared,
            sqlite,
        }
    }

    /// Goes up to the first row and gives nothing yet. What it reads from then on is of one state of the database.
    pub fn first_step(&mut self) -> Result<FirstStep, Failure> {
        self.shared.borrow_mut().first = Some(FirstStep::Done);
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(ended) = self.task.as_mut().poll(&mut context) {
            ended?;
        }
        let first = self.shared.borrow().first;
        Ok(first.unwrap_or(FirstStep::Done))
    }

    /// Appends up to `wanted` rows to `out` as messages.
    pub fn advance(
        &mut self,
        out: &mut BytesMut,
        formats: &Rc<[Format]>,
        wanted: u64,
    ) -> Result<Portion, Failure> {
        self.shared.borrow_mut().formats = Rc::clone(formats);
        let (result, sink) = self.fill(Sink::Wire(std::mem::take(out)), wanted);
        if let Sink::Wire(buffer) = sink {
            *out = buffer;
        }
        result
    }

    /// Appends lines of COPY to `out`, each in a `CopyData` message.
    pub fn copy_out(
        &mut self,
        out: &mut BytesMut,
        lines: Box<CopyLines>,
    ) -> (Result<Portion, Failure>, Box<CopyLines>) {
        self.shared.borrow_mut().describe = false;
        let (result, sink) = self.fill(Sink::Copy(std::mem::take(out), lines), u64::MAX);
        let Sink::Copy(buffer, lines) = sink else {
            unreachable!("a sink comes back as it was given")
        };
        *out = buffer;
        (result, lines)
    }

    /// Reads up to `wanted` of the remaining rows into memory, at most `limit` bytes of them.
    ///
    /// Errors: 53200 beyond the limit.
    pub fn collect(&mut self, wanted: u64, limit: usize) -> Result<Vec<Vec<SqlValue>>, Failure> {
        let (result, sink) = self.fill(Sink::Memory(Vec::new(), limit), wanted);
        let Sink::Memory(rows, _) = sink else {
            unreachable!("a sink comes back as it was given")
        };
        result.map(|_| rows)
    }

    /// The columns, known after the first portion.
    pub fn columns(&self) -> Option<Columns> {
        self.shared.borrow().columns.clone()
    }

    /// The settings that values are written by.
    pub fn context(&self) -> Arc<pgtypes::Context> {
        self.sqlite.context()
    }

    /// Rows given so far.
    pub fn rows(&self) -> u64 {
        self.shared.borrow().rows
    }

    /// Puts up to `wanted` rows into the sink and gives it back.
    fn fill(&mut self, sink: Sink, wanted: u64) -> (Result<Portion, Failure>, Sink) {
        self.shared.borrow_mut().wanted = wanted;
        self.shared.borrow_mut().values = self.sqlite.context();
        self.shared.borrow_mut().sink = sink;
        let mut context = Context::from_waker(Waker::noop());
        let polled = self.task.as_mut().poll(&mut context);
        let mut shared = self.shared.borrow_mut();
        let sink = std::mem::replace(&mut shared.sink, Sink::Wire(BytesMut::new()));
        let portion = match polled {
            Poll::Ready(result) => result.map(|()| Portion::End),
            Poll::Pending if shared.wanted == 0 => Ok(Portion::Enough),
            Poll::Pending => Ok(Portion::Full),
        };
        (portion, sink)
    }
}

/// While it stands at its row, SQLite keeps the snapshot that it was given for it, and gives it to others.
const SNAPSHOT: &str = "PRAGMA main.schema_version";

async fn run(sqlite: Rc<Sqlite>, start: Start, shared: Rc<RefCell<Shared>>) -> Result<(), Failure> {
    let mut statement = sqlite.prepare(start.prepared.text())?;
    mapping::bind(&mut statement, &start.values)?;
    statement.reset_status(StatementStatus::RePrepare);
    let asked = shared.borrow().first.is_some();
    let moved = || {
        sqlite.refresh_schema()?;
        Ok::<bool, Failure>(sqlite.schema().generation() != start.prepared.generation)
    };
    // What has taken a number of a sequence can't be undone: it must not step before that is known.
    let acts = start.prepared.statement.sequences != Sequences::None;
    let mut snapshot = if asked && acts {
        Some(sqlite.prepare(SNAPSHOT)?)
    } else {
        None
    };
    let mut held = snapshot.as_mut().map(|holder| holder.raw_query());
    if let Some(held) = &mut held {
        held.next()?;
        if moved()? {
            shared.borrow_mut().first = Some(FirstStep::SchemaMoved);
            return Ok(());
        }
    }
    let mut rows = statement.raw_query();
    let first = rows.next()?;
    drop(held);
    drop(snapshot);
    if asked {
        if !acts && moved()? {
            shared.borrow_mut().first = Some(FirstStep::SchemaMoved);
            return Ok(());
        }
        Pause::default().await;
    }
    let Some(first) = first else {
        drop(rows);
        return shared
            .borrow_mut()
            .settle(&start, (&sqlite, &statement), None);
    };
    shared
        .borrow_mut()
        .settle(&start, (&sqlite, first.as_ref()), Some(first))?;
    if shared.borrow_mut().take(first)? {
        Pause::default().await;
    }
    loop {
        if start.interrupt.reason().is_some() {
            start.interrupt.check()?;
        }
        let Some(row) = rows.next()? else {
            return Ok(());
        };
        if shared.borrow_mut().take(row)? {
            Pause::default().await;
        }
    }
}

/// Parks the future once.
#[derive(Default)]
struct Pause {
    done: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.done, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Shared {
    /// Compares the statement after its first step with what the client was told, or tells it.
    fn settle(
        &mut self,
        start: &Start,
        statement: (&Sqlite, &Statement<'_>),
        first: Option<&Row<'_>>,
    ) -> Result<(), Failure> {
        let (sqlite, statement) = statement;
        let moved = statement.get_status(StatementStatus::RePrepare) != 0;
        let known = start.prepared.columns(sqlite).filter(|_| !moved);
        let now = known.unwrap_or_else(|| start.prepared.describe(sqlite, statement));
        match &self.columns {
            Some(told) if moved && !same(told, &now) => Err(Failure::unsupported(
                "cached plan must not change result type",
            )),
            Some(_) => Ok(()),
            None => {
                let columns = typed(&now, first)?;
                if self.describe
                    && let Sink::Wire(out) = &mut self.sink
                {
                    row::describe(out, &columns, &self.formats);
                }
                self.columns = Some(columns);
                Ok(())
            }
        }
    }

    /// Puts a row where rows go; true when the portion is full.
    fn take(&mut self, row: &Row<'_>) -> Result<bool, Failure> {
        let columns = self.columns.as_deref().unwrap_or_default();
        self.rows += 1;
        self.wanted = self.wanted.saturating_sub(1);
        match &mut self.sink {
            Sink::Wire(out) => {
                let whole = out.len();
                let written = write(out, columns, &self.formats, row, &self.values);
                if written.is_err() {
                    out.truncate(whole);
                }
                written.map(|()| self.wanted == 0 || out.len() >= FLUSH_BYTES)
            }
            Sink::Memory(rows, left) => {
                let mut values = Vec::with_capacity(columns.len());
                for index in 0..columns.len() {
                    let value = mapping::value(row.get_ref(index)?)?;
                    *left = left
                        .checked_sub(row::weight(value))
                        .ok_or_else(row::too_large)?;
                    values.push(value.to_owned());
                }
                rows.push(values);
                Ok(self.wanted == 0)
            }
            Sink::Copy(out, lines) => {
                let whole = out.len();
                let written = write_line(out, columns, lines, row, &self.values);
                if written.is_err() {
                    out.truncate(whole);
                }
                written.map(|()| out.len() >= FLUSH_BYTES)
            }
        }
    }
}

/// A `DataRow` of the columns from `row.1` on.
fn write(
    out: &mut BytesMut,
    columns: &[Column],
    formats: &[Format],
    row: &Row<'_>,
    context: &pgtypes::Context,
) -> Result<(), Failure> {
    let start = row::begin(out, columns.len());
    for (index, column) in columns.iter().enumerate() {
        let value = mapping::value(row.get_ref(index)?)?;
        row::field(out, value, &column.ty, row::format(formats, index), context)?;
    }
    output::patch_length(out, start);
    Ok(())
}

/// A `CopyData` with one line.
fn write_line(
    out: &mut BytesMut,
    columns: &[Column],
    lines: &mut CopyLines,
    row: &Row<'_>,
    context: &pgtypes::Context,
) -> Result<(), Failure> {
    out.put_u8(b'd');
    let start = out.len();
    out.put_u32(0);
    out.extend_from_slice(&lines.prefix);
    for (index, column) in columns.iter().enumerate() {
        lines.encoder.value_in(
            mapping::value(row.get_ref(index)?)?,
            &column.ty,
            context,
            out,
        )?;
    }
    if columns.is_empty() {
        lines.encoder.empty_row(out);
    }
    output::patch_length(out, start);
    lines.prefix.clear();
    Ok(())
}

/// Whether rows of `now` fit a description of `told`; a column whose type nothing declares may have
/// been told as any type.
fn same(told: &[Column], now: &[Column]) -> bool {
    told.len() == now.len()
        && told.iter().zip(now).all(|(told, now)| {
            told.name == now.name && (told.ty == now.ty || now.ty == PgType::Unknown)
        })
}

/// The columns with a type each: from the first row where nothing declares one.
fn typed(columns: &[Column], first: Option<&Row<'_>>) -> Result<Columns, Failure> {
    let mut typed = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let ty = match (column.ty, first) {
            (PgType::Unknown, Some(row)) => PgType::of_value(mapping::value(row.get_ref(index)?)?),
            (PgType::Unknown, None) => PgType::Text,
            (known, _) => known,
        };
        typed.push(Column {
            ty,
            ..column.clone()
        });
    }
    Ok(typed.into())
}
