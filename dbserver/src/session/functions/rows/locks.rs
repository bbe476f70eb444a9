//! `pg_locks`: what transactions hold, and what they wait for.

use std::collections::HashMap;

use dialect::pg_catalog::Rows;
use pgtypes::SqlValue as Value;

use crate::databases::locks::{Held, Thing};
use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::{number, optional, text, truth};

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn all(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    let objects = facts.objects();
    for session in facts.sessions.list() {
        if session.transaction_start.is_some() {
            rows.push(&[
                ("locktype", text("virtualxid")),
                ("virtualxid", text(format!("{}/1", session.pid))),
                ("virtualtransaction", text(format!("{}/1", session.pid))),
                ("pid", number(session.pid)),
                ("mode", text("ExclusiveLock")),
                ("granted", truth(true)),
                ("fastpath", truth(true)),
            ]);
        }
    }
    for database in facts.env.databases() {
        let name = facts.env.name_of(&database);
        let oid = objects.database_number(&name);
        // Only the session's own database is known by the names of its tables.
        let known: HashMap<Thing, u32> = if name == facts.database {
            let tables = objects.relations().filter(|relation| relation.kind == 'r');
            tables
                .map(|relation| (Thing::table(&relation.stored), relation.oid))
                .collect()
        } else {
            HashMap::new()
        };
        for held in database.locks().list() {
            rows.push(&row(&held, oid, &known));
        }
    }
    Ok(())
}

fn row(
    held: &Held,
    database: Option<u32>,
    known: &HashMap<Thing, u32>,
) -> Vec<(&'static str, Value)> {
    let mut row = vec![
        ("database", optional(database)),
        ("virtualtransaction", text(format!("{}/1", held.pid))),
        ("pid", number(held.pid)),
        ("mode", text(held.mode.name())),
        ("granted", truth(held.granted)),
        ("fastpath", truth(false)),
    ];
    if let Some((kind, key)) = held.thing.advisory_key() {
        // The two halves of a number, or the two numbers, as PostgreSQL has them.
        let halves = key.cast_unsigned();
        row.extend([
            ("locktype", text("advisory")),
            (
                "classid",
                Value::Integer(i64::try_from(halves >> 32).unwrap_or(0)),
            ),
            (
                "objid",
                Value::Integer(i64::try_from(halves & 0xffff_ffff).unwrap_or(0)),
            ),
            ("objsubid", number(i64::from(kind) + 1)),
        ]);
        return row;
    }
    let table = known.get(&held.thing).copied();
    let of_row = || {
        known
            .iter()
            .find(|(table, _)| held.thing.is_row_of(**table))
    };
    match table {
        Some(oid) => row.extend([("locktype", text("relation")), ("relation", number(oid))]),
        None => match of_row() {
            Some((_, oid)) => row.extend([("locktype", text("tuple")), ("relation", number(*oid))]),
            // A key of a unique index, or a thing of another database.
            None => row.push(("locktype", text("object"))),
        },
    }
    row
}
