//! Lines of `lost.jsonl` as the changes that they tell of, for the database to which they are done again.

use std::sync::Arc;

use lost::{ChangeLine, ColumnLine, RowLine, TableLine, Transaction};
use rowdiff::{Change, Definition, ObjectKind, Row, RowChange, SchemaChange, Table};
use rusqlite::Connection;

/// The changes of a transaction, with the definitions that the database has before it.
pub(crate) fn changes(transaction: &Transaction, before: &Connection) -> Vec<Change> {
    assert_eq!(transaction.untold, None);
    let definitions = definitions(transaction, before);
    let mut changes: Vec<Change> = Vec::new();
    for ddl in &transaction.ddl {
        let old_name = ddl.formerly.as_ref().unwrap_or(&ddl.name);
        let definition = |name: &String, sql: &Option<String>| {
            sql.as_ref().map(|sql| Definition {
                name: name.clone(),
                sql: sql.clone(),
            })
        };
        changes.push(Change::Schema(SchemaChange {
            kind: kind(&ddl.kind),
            name: ddl.name.clone(),
            table: ddl.table.clone(),
            before: definition(old_name, &ddl.before),
            after: definition(&ddl.name, &ddl.after),
        }));
    }
    for name in &transaction.renumbered {
        let known = definitions.iter().rev().find(|table| table.name == *name);
        changes.push(Change::Renumbered(Arc::clone(known.unwrap())));
    }
    for change in &transaction.changes {
        changes.push(Change::Row(row_change(transaction, change, &definitions)));
    }
    changes
}

fn kind(name: &str) -> ObjectKind {
    match name {
        "table" => ObjectKind::Table,
        "index" => ObjectKind::Index,
        "view" => ObjectKind::View,
        "trigger" => ObjectKind::Trigger,
        _ => panic!("{name} is no kind of object"),
    }
}

/// All tables that rows of the transaction may be of: those of before, and those that it has made.
fn definitions(transaction: &Transaction, before: &Connection) -> Vec<Arc<Table>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'";
    let mut statement = before.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let mut texts: Vec<(String, String)> = rows.unwrap().map(Result::unwrap).collect();
    for ddl in transaction.ddl.iter().filter(|ddl| ddl.kind == "table") {
        texts.extend(ddl.after.iter().map(|sql| (ddl.name.clone(), sql.clone())));
    }
    let parsed = texts.iter().map(|(name, sql)| Table::parse(name, sql));
    parsed.filter_map(Result::ok).map(Arc::new).collect()
}

fn row_change(
    transaction: &Transaction,
    change: &ChangeLine,
    definitions: &[Arc<Table>],
) -> RowChange {
    let row = |line: &Option<RowLine>, table: Option<&TableLine>| {
        let line = line.as_ref()?;
        let table = table.unwrap_or_else(|| panic!("no definition: {change:?}"));
        let values = line.values(table);
        Some(Row {
            table: find(table, definitions),
            values: values.unwrap_or_else(|| panic!("no row of {table:?}: {line:?}")),
        })
    };
    let before = row(&change.before, transaction.table_before(change));
    let after = row(&change.after, transaction.table(&change.table));
    let known = after.as_ref().or(before.as_ref()).unwrap();
    let number = |row: &Row| match row.values[row.table.rowid_column?] {
        rowdiff::Value::Integer(number) => Some(number),
        _ => None,
    };
    // A row that is gone may have been one of a table that has another name since.
    let called = definitions.iter().rev().find(|it| it.name == change.table);
    RowChange {
        table: Arc::clone(
            after
                .as_ref()
                .map_or(called.unwrap_or(&known.table), |row| &row.table),
        ),
        rowid: change.rowid.or_else(|| number(known)),
        before,
        after,
    }
}

/// The newest definition that a line may have been made from.
fn find(line: &TableLine, definitions: &[Arc<Table>]) -> Arc<Table> {
    let is_it = |table: &&Arc<Table>| {
        let columns = table.columns.iter().enumerate();
        let columns = columns.map(|(index, column)| ColumnLine {
            name: column.name.clone(),
            declared: match table.rowid_column {
                Some(rowid) if rowid == index => "bigint".to_owned(),
                _ => column.declared_type.clone(),
            },
            key: column.in_key,
            generated: column.generated,
        });
        table.name == line.name && columns.eq(line.columns.iter().cloned())
    };
    let found = definitions.iter().rev().find(is_it);
    Arc::clone(found.unwrap_or_else(|| panic!("{line:?} is no table of {definitions:?}")))
}
