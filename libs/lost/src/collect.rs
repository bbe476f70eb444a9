//! The changes of a commit as parts of a line.

use std::sync::Arc;

use pgtypes::PgType;
use rowdiff::{Change, Operation, Row, RowChange, SchemaChange, Table};

use crate::transaction::{ChangeLine, ColumnLine, DdlLine, Op, RowLine, TableLine, Transaction};
use crate::value;

/// A definition that the line has.
struct Known {
    table: Arc<Table>,
    types: Vec<PgType>,
    /// Rows are of it after the transaction.
    is_after: bool,
}

/// Puts the changes of one commit into its line.
pub(crate) struct Collect<'a> {
    into: &'a mut Transaction,
    /// The definitions that the line has, in its order.
    known: Vec<Known>,
    schema: Vec<SchemaChange>,
}

impl<'a> Collect<'a> {
    pub(crate) fn new(into: &'a mut Transaction) -> Self {
        Self {
            into,
            known: Vec::new(),
            schema: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, change: Change) {
        match change {
            Change::Schema(change) => self.schema.push(change),
            Change::Row(change) => self.row(&change),
            Change::Renumbered(table) => self.into.renumbered.push(table.name.clone()),
        }
    }

    /// All changes were taken.
    pub(crate) fn end(mut self) {
        // What hangs on a table goes before it and comes behind it.
        self.schema
            .sort_by_key(|change| (change.after.is_some(), change.kind));
        self.into.ddl = self.schema.into_iter().map(ddl).collect();
        let is_taken = |name: &str| {
            let mut known = self.known.iter();
            known.any(|known| known.is_after && known.table.name == name)
        };
        for (line, known) in self.into.tables.iter_mut().zip(&self.known) {
            line.former = !known.is_after && is_taken(&known.table.name);
        }
        let mut changes = std::mem::take(&mut self.into.changes);
        for change in &mut changes {
            let by_name = self.into.place_of(&change.table);
            change.was = change.was.filter(|was| by_name != Some(*was));
        }
        self.into.changes = changes;
    }

    fn row(&mut self, change: &RowChange) {
        let before = change.before.as_ref().map(|row| self.row_line(row, false));
        let after = change.after.as_ref().map(|row| self.row_line(row, true));
        // What is known of it by its key is as it is now, or as it was last.
        let whole = after.as_ref().or(before.as_ref());
        let key = whole.and_then(|(at, row)| self.key(*at, row));
        let has_hidden_rowid = change.table.rowid_column.is_none();
        self.into.changes.push(ChangeLine {
            table: change.table.name.clone(),
            op: op(change.operation()),
            rowid: change.rowid.filter(|_| has_hidden_rowid),
            key,
            was: before.as_ref().map(|(at, _)| *at),
            before: before.map(|(_, row)| row),
            after: after.map(|(_, row)| row),
        });
    }

    /// The place of a definition among those of the line; a new one is added.
    fn place_of(&mut self, table: &Arc<Table>, is_after: bool) -> usize {
        let same = |known: &Known| Arc::ptr_eq(&known.table, table) || known.table == *table;
        if let Some(at) = self.known.iter().position(same) {
            if let Some(known) = self.known.get_mut(at) {
                known.is_after |= is_after;
            }
            return at;
        }
        self.into.tables.push(table_line(table));
        let columns = self.into.tables.last().map(|line| line.columns.iter());
        let types = columns.into_iter().flatten().map(ColumnLine::ty);
        self.known.push(Known {
            table: Arc::clone(table),
            types: types.collect(),
            is_after,
        });
        self.known.len() - 1
    }

    fn row_line(&mut self, row: &Row, is_after: bool) -> (usize, RowLine) {
        let at = self.place_of(&row.table, is_after);
        let types = self.known.get(at).map(|known| known.types.as_slice());
        let columns = row.table.columns.iter().zip(&row.values);
        let typed = columns.zip(types.unwrap_or_default());
        let members =
            typed.map(|((column, value), ty)| (column.name.clone(), value::to_json(value, ty)));
        (at, RowLine(members.collect()))
    }

    fn key(&self, definition: usize, row: &RowLine) -> Option<RowLine> {
        let table = self.into.tables.get(definition)?;
        let key: Vec<_> = table
            .key()
            .filter_map(|column| Some((column.name.clone(), row.get(&column.name)?.clone())))
            .collect();
        (!key.is_empty()).then_some(RowLine(key))
    }
}

fn op(operation: Operation) -> Op {
    match operation {
        Operation::Insert => Op::Insert,
        Operation::Update => Op::Update,
        Operation::Delete => Op::Delete,
    }
}

fn ddl(change: SchemaChange) -> DdlLine {
    let old_name = change.before.as_ref().map(|old| old.name.clone());
    DdlLine {
        kind: change.kind.to_string(),
        formerly: old_name.filter(|old| *old != change.name),
        name: change.name,
        table: change.table,
        before: change.before.map(|definition| definition.sql),
        after: change.after.map(|definition| definition.sql),
    }
}

fn table_line(table: &Table) -> TableLine {
    let columns = table.columns.iter().enumerate();
    let columns = columns.map(|(index, column)| ColumnLine {
        name: column.name.clone(),
        declared: if table.rowid_column == Some(index) {
            // Whatever it is declared as, SQLite has to know it as INTEGER.
            "bigint".to_owned()
        } else {
            column.declared_type.clone()
        },
        key: column.in_key,
        generated: column.generated,
    });
    TableLine {
        name: table.name.clone(),
        columns: columns.collect(),
        former: false,
    }
}
