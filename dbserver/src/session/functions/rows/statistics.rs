//! `pg_stat_database` and its kin. What this server does not count is NULL.

use dialect::pg_catalog::Rows;
use pgtypes::SqlValue as Value;

use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::{count, number, optional, text};

/// Tables of users, by name.
#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn tables(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    for table in facts
        .objects()
        .relations()
        .filter(|it| it.kind == 'r' && it.lasts)
    {
        rows.push(&[
            ("relid", number(table.oid)),
            ("schemaname", text(table.schema)),
            ("relname", text(table.name)),
        ]);
    }
    Ok(())
}

/// Their indexes.
#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn indexes(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    let objects = facts.objects();
    for index in objects.relations().filter(|it| it.kind == 'i' && it.lasts) {
        let mut tables = objects.relations().filter(|it| it.kind == 'r');
        let table = tables.find(|table| Some(table.stored.as_str()) == index.indexed);
        rows.push(&[
            ("relid", optional(table.as_ref().map(|table| table.oid))),
            ("indexrelid", number(index.oid)),
            ("schemaname", text(index.schema)),
            (
                "relname",
                table.map_or(Value::Null, |table| text(table.name)),
            ),
            ("indexrelname", text(index.name)),
        ]);
    }
    Ok(())
}

/// A row for each database; transactions are counted for all of them together, in the row that has none.
#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn databases(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    let sessions = facts.sessions.list();
    let objects = facts.objects();
    if rows.has("xact_commit") {
        let counters = facts.env.core().counters();
        rows.push(&[
            ("datid", number(0)),
            ("numbackends", number(0)),
            ("xact_commit", count(counters.commits.get())),
            ("xact_rollback", count(counters.rollbacks.get())),
        ]);
    }
    for database in facts.env.databases() {
        let name = facts.env.name_of(&database);
        let mut row = vec![
            ("datid", optional(objects.database_number(&name))),
            ("datname", text(&name)),
        ];
        if rows.has("numbackends") {
            let inside = sessions
                .iter()
                .filter(|session| session.database == name)
                .count();
            row.push(("numbackends", count(inside as u64)));
        }
        rows.push(&row);
    }
    Ok(())
}

/// Checkpoints since the start.
#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn checkpoints(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    let counters = facts.env.core().counters();
    rows.push(&[("checkpoints_timed", count(counters.checkpoints.get()))]);
    Ok(())
}

/// Archiving is a program of its own, whose state `dbctl archive status` tells.
#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn archiver(_: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    rows.push(&[]);
    Ok(())
}
