//! The changes, as they are printed.

use fwlog::{CommitNumber, Position, Timestamp};
use rowdiff::{Change, RowChange, SchemaChange};

use crate::args::FwlogRows;
use crate::commands::fwlog::audited::Audited;
use crate::commands::fwlog::printer::{Cell, Form, Printer};
use crate::commands::fwlog::rows::shown::Shown;
use crate::commands::fwlog::selection::Filter;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output;

/// A commit whose changes are told.
pub(crate) struct Transaction {
    pub(crate) number: CommitNumber,
    pub(crate) time: Timestamp,
    /// Start of its block.
    pub(crate) at: Position,
    pub(crate) database: String,
    pub(crate) audit: Vec<Audited>,
}

/// Prints the changes that are meant.
pub(crate) struct Report {
    pub(crate) filter: Filter,
    tables: Vec<String>,
    printer: Printer,
    shown: Shown,
    /// Whether the present commit is meant, and whether its line is printed.
    is_meant: bool,
    has_head: bool,
    /// A commit said who did it.
    has_audit: bool,
}

impl Report {
    pub(crate) fn new(invocation: &Invocation, arguments: &FwlogRows) -> Result<Self> {
        Ok(Self {
            filter: Filter::new(invocation, &arguments.selection)?,
            tables: arguments.table.clone(),
            printer: Printer::new(invocation.output.json, arguments.selection.csv),
            shown: Shown::default(),
            is_meant: false,
            has_head: false,
            has_audit: false,
        })
    }

    pub(crate) fn begin(&mut self, transaction: &Transaction) {
        self.has_head = false;
        self.has_audit |= !transaction.audit.is_empty();
        self.is_meant =
            self.filter.has_time(transaction.time) && self.filter.has_user(&transaction.audit);
    }

    pub(crate) fn print(&mut self) -> Result<()> {
        if self.filter.names_a_user() && !self.has_audit {
            // Told once.
            self.has_audit = true;
            output::note(
                "no commit says who did it, so -u finds nothing: set EnableAudit on the master",
            );
        }
        self.printer.print()
    }

    pub(crate) fn change(&mut self, transaction: &Transaction, change: &Change) -> Result<()> {
        if !self.is_meant {
            return Ok(());
        }
        match change {
            Change::Row(row) => self.row(transaction, row),
            Change::Schema(schema) => self.schema(transaction, schema),
            // Nobody can see such numbers: the table has no column for them.
            Change::Renumbered(_) => Ok(()),
        }
    }

    /// What SQLite and the server keep for themselves has to be named.
    fn has_table(&self, name: &str) -> bool {
        if self.tables.is_empty() {
            !is_internal(name)
        } else {
            self.tables.iter().any(|one| one.eq_ignore_ascii_case(name))
        }
    }

    fn row(&mut self, transaction: &Transaction, change: &RowChange) -> Result<()> {
        let operation = change.operation().to_string();
        let table = &change.table.name;
        if !self.has_table(table) || !self.filter.has_kind(&operation) {
            return Ok(());
        }
        if self.printer.form != Form::Text {
            let json = |shown: &mut Shown, row: &Option<rowdiff::Row>| match row {
                Some(row) => Cell::Json(shown.json(row)),
                None => Cell::Text(None),
            };
            let before = json(&mut self.shown, &change.before);
            let after = json(&mut self.shown, &change.after);
            let rowid = change.rowid.map(|rowid| rowid.to_string());
            return self.fields(
                transaction,
                [&operation, table],
                [before, after],
                (rowid, None),
            );
        }
        self.head(transaction)?;
        let line = match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                let key = self.key(change, after);
                format!("{key}: {}", self.shown.differences(before, after))
            }
            (Some(row), None) | (None, Some(row)) => {
                let key = self.key(change, row);
                format!("{key}: {}", self.shown.columns(row, |_| true))
            }
            (None, None) => String::new(),
        };
        self.printer.line(&format!("  {operation} {table} {line}"))
    }

    /// What tells a row from others: the primary key, else its rowid.
    fn key(&mut self, change: &RowChange, row: &rowdiff::Row) -> String {
        let in_key = |index: usize| row.table.columns.get(index).is_some_and(|c| c.in_key);
        let key = self.shown.columns(row, in_key);
        match change.rowid {
            Some(rowid) if key.is_empty() => format!("({rowid})"),
            _ => format!("({key})"),
        }
    }

    fn schema(&mut self, transaction: &Transaction, change: &SchemaChange) -> Result<()> {
        // The index of a key is told with the key.
        let internal = is_internal(&change.name) && change.name != change.table;
        if internal || !self.has_table(&change.table) || !self.filter.has_kind("schema") {
            return Ok(());
        }
        let what = match (&change.before, &change.after) {
            (None, _) => "create",
            (_, None) => "drop",
            _ => "alter",
        };
        let operation = format!("{what} {}", change.kind);
        if self.printer.form != Form::Text {
            let definition = change.after.as_ref();
            let sql = definition.map(|definition| definition.sql.clone());
            let sides = [Cell::Text(None), Cell::Text(None)];
            let sql = sql.filter(|sql| !sql.is_empty());
            return self.fields(transaction, [&operation, &change.name], sides, (None, sql));
        }
        self.head(transaction)?;
        let sql = change.after.as_ref().map_or("", |after| &after.sql);
        let line = format!("  {operation} {}: {}", change.name, sql.replace('\n', " "));
        self.printer.line(line.trim_end_matches([':', ' ']))
    }

    /// The line of a commit, above its changes.
    fn head(&mut self, transaction: &Transaction) -> Result<()> {
        if std::mem::replace(&mut self.has_head, true) {
            return Ok(());
        }
        let mut line = format!(
            "commit {} {} {}",
            transaction.number, transaction.time, transaction.database
        );
        if let Some(audited) = transaction.audit.first() {
            line = format!("{line} by {} from {}", audited.user, audited.client);
        }
        self.printer.line(&line)
    }

    fn fields(
        &mut self,
        transaction: &Transaction,
        [operation, table]: [&str; 2],
        [before, after]: [Cell; 2],
        (rowid, sql): (Option<String>, Option<String>),
    ) -> Result<()> {
        let audited = transaction.audit.first();
        self.printer.fields(&[
            ("commit", Cell::text(transaction.number.to_string())),
            ("time", Cell::text(transaction.time.to_string())),
            ("position", Cell::text(transaction.at.to_string())),
            ("database", Cell::text(&transaction.database)),
            (
                "user",
                Cell::Text(audited.map(|audited| audited.user.clone())),
            ),
            (
                "client",
                Cell::Text(audited.map(|audited| audited.client.clone())),
            ),
            ("operation", Cell::text(operation)),
            ("table", Cell::text(table)),
            ("rowid", Cell::Text(rowid)),
            ("before", before),
            ("after", after),
            ("sql", Cell::Text(sql)),
        ])
    }
}

/// Tables of statistics and sequences, comments, indexes of keys.
fn is_internal(name: &str) -> bool {
    ["sqlite_", "eloqdb_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
