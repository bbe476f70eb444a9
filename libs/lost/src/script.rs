//! `lost.sql`: the transactions as a script for psql.

use std::path::PathBuf;

use disk::Disk;

use crate::description::{Description, FileProof};
use crate::error::Error;
use crate::hashed_file::HashedFile;
use crate::line::{Event, EventKind};
use crate::sql::{Inexpressible, RowSql, identifier, put, quoted};
use crate::transaction::{ChangeLine, Transaction};

/// What stands at the beginning.
const HEAD: &str = "\
-- Transactions that only INSTANCE has (from FORK on). Run this with psql at the root, as a dba, after a look at each:
--     psql -h ROOT -p 8102 -U dba -d system -f lost.sql
-- Each transaction is done as a whole, once, and only where all its rows are as they were; else it is undone, and
-- psql says so and goes on with the next. 'dbctl lost apply' does the same, and tells what stands in the way.
SET standard_conforming_strings = on;
SET DateStyle = 'ISO, MDY';
SET TimeZone = 'UTC';
";

pub(crate) struct Script {
    file: HashedFile,
    database: Option<String>,
}

impl Script {
    pub(crate) fn create(
        disk: &Disk,
        path: PathBuf,
        description: &Description,
    ) -> Result<Self, Error> {
        let mut file = HashedFile::create(disk, path)?;
        let head = HEAD.replace("INSTANCE", &description.instance);
        file.put(head.replace("FORK", &description.fork.position).as_bytes())?;
        Ok(Self {
            file,
            database: None,
        })
    }

    pub(crate) fn event(&mut self, event: &Event) -> Result<(), Error> {
        let name = comment(&event.database);
        let text = match event.event {
            EventKind::Create => format!(
                "\n-- Database {name} was made at {}. Where there is none of that name:\n-- CREATE DATABASE {};\n",
                event.block,
                comment(&identifier(&event.database))
            ),
            EventKind::Drop => format!(
                "\n-- Database {name} was dropped at {}: nothing is done here.\n",
                event.block
            ),
            EventKind::Rename => format!(
                "\n-- Database {} was renamed to {name} at {}: nothing is done here.\n",
                comment(event.formerly.as_deref().unwrap_or_default()),
                event.block
            ),
            EventKind::Restore => format!(
                "\n-- Database {name} was replaced as a whole at {}: nothing is done here.\n",
                event.block
            ),
        };
        self.file.put(text.as_bytes())
    }

    pub(crate) fn transaction(&mut self, transaction: &Transaction) -> Result<(), Error> {
        let mut text = format!(
            "\n-- {} in {}, block {}\n",
            transaction.time,
            comment(&transaction.database),
            transaction.block
        );
        for audit in &transaction.audit {
            let who = comment(&format!("{} from {}", audit.user, audit.client));
            put(
                &mut text,
                format_args!("-- {who}: {}\n", comment(&audit.statement)),
            );
        }
        match statements(transaction) {
            Ok(statements) => {
                self.connect(&mut text, &transaction.database);
                if let Some(why) = transaction.by_hand() {
                    put(&mut text, format_args!("-- By hand: {why}\n"));
                }
                text.push_str("BEGIN;\n");
                let id = quoted(&transaction.id);
                put(&mut text, format_args!("SELECT eloqdb_lost_begin({id});\n"));
                let rows = transaction.changes.iter();
                let rows = rows.filter(|change| !change.is_internal()).count();
                for statement in statements {
                    text.push_str(&statement);
                    text.push_str(";\n");
                }
                put(
                    &mut text,
                    format_args!("SELECT eloqdb_lost_expect({rows});\nCOMMIT;\n"),
                );
            }
            Err(why) => put(&mut text, format_args!("-- By hand: {}\n", comment(&why))),
        }
        self.file.put(text.as_bytes())
    }

    fn connect(&mut self, text: &mut String, database: &str) {
        if self.database.as_deref() != Some(database) {
            // As psql reads a name: in double quotes, of which each is doubled.
            put(text, format_args!("\\c {}\n", identifier(database)));
            text.push_str("SET DateStyle = 'ISO, MDY';\nSET TimeZone = 'UTC';\n");
            self.database = Some(database.to_owned());
        }
    }

    pub(crate) fn end(self) -> Result<FileProof, Error> {
        self.file.end()
    }
}

/// In one line: nothing of it is a statement.
fn comment(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// The statements of a transaction: definitions, then rows that go, that change, and that come.
fn statements(transaction: &Transaction) -> Result<Vec<String>, String> {
    if let Some(why) = &transaction.untold {
        return Err(why.clone());
    }
    if transaction.database == "system" {
        return Err(
            "it has changed users and rights: do the same with CREATE ROLE, ALTER ROLE, GRANT"
                .into(),
        );
    }
    if let Some(why) = transaction.by_hand()
        && transaction.is_by_hand()
    {
        return Err(why.to_owned());
    }
    let mut statements = Vec::new();
    let definitions = transaction.definitions()?.into_iter();
    statements.extend(definitions.map(|definition| definition.statement));
    let own = transaction.changes.iter();
    let mut own: Vec<&ChangeLine> = own.filter(|change| !change.is_internal()).collect();
    own.sort_by_key(|change| (change.before.is_none(), change.after.is_some()));
    for change in own {
        let statement = row(transaction, change).map_err(|error| error.to_string())?;
        statements.extend(statement);
    }
    statements.extend(transaction.sequences());
    Ok(statements)
}

/// The statement of a row.
pub(crate) fn row(
    transaction: &Transaction,
    change: &ChangeLine,
) -> Result<Option<String>, Inexpressible> {
    let before = match (transaction.table_before(change), &change.before) {
        (Some(table), Some(row)) => Some(RowSql::new(table, row)?.called(&change.table)),
        _ => None,
    };
    let after = match (transaction.table(&change.table), &change.after) {
        (Some(table), Some(row)) => Some(RowSql::new(table, row)?),
        _ => None,
    };
    Ok(match (before, after) {
        (Some(before), Some(after)) => after.update(&before),
        (Some(before), None) => Some(before.delete()),
        (None, Some(after)) => Some(after.insert()),
        (None, None) => None,
    })
}
