//! `database verify`: the pages of databases, or the values in them.

use pagestore::{Depth, PAGE_SIZE, VerifyReport};

use crate::control_plane::{Call, Table};
use crate::databases::Database;
use crate::databases::functions::{self, NoSession};
use crate::databases::values;
use crate::environment::{describe_lost, describe_page};
use crate::error::EngineError;
use crate::system::statement::read;

/// Damaged pages of one database that are listed, the rest are counted; and values, the rest are left out.
const LISTED: usize = 1000;
const USAGE: &str = "usage: database verify [--values] [NAME]";
/// `pages` are those of the data file; what is not there yet has no checksum there, and SQLite's check alone.
const COLUMNS: [&str; 6] = [
    "database",
    "file",
    "pages",
    "pages not in data files",
    "result",
    "damage",
];

/// The result of a database that this slave leaves out: it has nothing of it.
const LEFT_OUT: &str = "not applied here";

/// Every page of the data file against its checksum, then SQLite's integrity check on the newest
/// state: of one database as a list, of all as a table. `damage` is there only where there is some; what could be made
/// again from the log is not damaged any more.
pub(crate) fn verify(call: &Call<'_>) -> Result<Table, EngineError> {
    match call.arguments.as_slice() {
        ["--values", names @ ..] => stray_values(call, names),
        [] => {
            let mut table = Table::new(&COLUMNS);
            for database in call.environment.databases() {
                table.rows.push(verify_one(&database).into());
            }
            for left_out in call.environment.core().databases().left_out() {
                let mut row = vec![Some(left_out.name), None, None, None];
                row.extend([Some(LEFT_OUT.to_owned()), None]);
                table.rows.push(row);
            }
            Ok(table)
        }
        [name] => {
            let database = call.environment.database(name)?;
            let mut table = Table::list();
            for (column, value) in COLUMNS.into_iter().zip(verify_one(&database)) {
                if value.is_some() {
                    table.maybe(column, value);
                }
            }
            Ok(table)
        }
        _ => Err(EngineError::Usage(USAGE.into())),
    }
}

/// The values that are not in the stored form of their column's type: none where all is well.
fn stray_values(call: &Call<'_>, names: &[&str]) -> Result<Table, EngineError> {
    let databases = match names {
        [] => call.environment.databases(),
        [name] => vec![call.environment.database(name)?],
        _ => return Err(EngineError::Usage(USAGE.into())),
    };
    let mut table = Table::new(&["database", "table", "column", "row", "type", "found"]);
    for database in databases {
        let strays = read(&database, |connection| {
            functions::register(connection, || NoSession)?;
            values::strays(connection, LISTED)
        })?;
        for stray in strays {
            table.rows.push(vec![
                Some(database.name()),
                Some(stray.table),
                Some(stray.column),
                stray.row.map(|row| row.to_string()),
                Some(stray.ty),
                Some(stray.found),
            ]);
        }
    }
    Ok(table)
}

fn verify_one(database: &Database) -> [Option<String>; COLUMNS.len()] {
    let store = database.store();
    let elsewhere = store.dirty_bytes() / PAGE_SIZE as u64;
    let report = store.verify(Depth::Pages, &|_progress| {});
    let lost = database.lost_files();
    let mut findings: Vec<String> = lost
        .iter()
        .map(|path| describe_lost(std::slice::from_ref(path)))
        .collect();
    findings.extend(damaged_pages(&report));
    if findings.is_empty() {
        // Else SQLite would only stop at the first of them.
        findings = integrity(database);
    }
    let file = store.path().display().to_string();
    let result = match (findings.is_empty(), report.mended.is_empty()) {
        (false, _) => "damaged",
        (true, false) => "repaired",
        (true, true) => "ok",
    };
    let damage = (!findings.is_empty()).then(|| findings.join("; "));
    if let Some(first) = findings.first() {
        let more = findings.len() - 1;
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        tracing::error!("{file}: {first}{more}");
    }
    [
        Some(database.name()),
        Some(file),
        Some(report.pages.to_string()),
        Some(elsewhere.to_string()),
        Some(result.to_owned()),
        damage,
    ]
}

fn damaged_pages(report: &VerifyReport) -> Vec<String> {
    let listed = report.damaged.iter().take(LISTED);
    let mut pages: Vec<String> = listed
        .map(|(page, fault)| describe_page(*page, fault))
        .collect();
    if report.damaged.len() > LISTED {
        let more = report.damaged.len() - LISTED;
        pages.push(format!("{more} more pages"));
    }
    pages
}

/// What SQLite's integrity check finds.
fn integrity(database: &Database) -> Vec<String> {
    let findings = read(database, |connection| {
        // Checks, computed columns and indexes call them.
        functions::register(connection, || NoSession)?;
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    });
    match findings {
        Ok(findings) => findings.into_iter().filter(|text| text != "ok").collect(),
        Err(error) => vec![error.to_string()],
    }
}
