//! EXPLAIN: SQLite's plan in PostgreSQL's layout, and what came of running the statement.

mod plan;
mod shown;

use std::rc::Rc;
use std::time::{Duration, Instant};

use dialect::Explain;
use pgtypes::{PgType, SqlValue};

use crate::failure::Failure;
use crate::session::explain::plan::Step;
use crate::session::mapping;
use crate::session::portal::Portal;
use crate::session::prepared::{Column, Columns};
use crate::session::sqlite::Sqlite;
use crate::session::{Session, sequences};

/// What came of running a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ran {
    rows: u64,
    /// Until the first row.
    first: Duration,
    all: Duration,
}

/// The columns of its answer.
pub(super) fn columns(explain: &Explain) -> Columns {
    let ty = if explain.json {
        PgType::Json
    } else {
        PgType::Text
    };
    [Column {
        ty,
        ..Column::text("QUERY PLAN")
    }]
    .into()
}

/// Puts the rows of the answer into a portal.
pub(super) fn start(
    session: &mut Session,
    portal: &mut Portal,
    explain: &Explain,
) -> Result<(), Failure> {
    session.before_read()?;
    let prepared = Rc::clone(portal.prepared());
    let sqlite = Rc::clone(session.backend().sqlite());
    let values = Rc::clone(portal.values());
    sequences::make_ready(&sqlite, &prepared.statement.sequences)?;
    let [text, plan] = prepared.statement.sqlite.as_slice() else {
        return Err(Failure::unsupported(
            "EXPLAIN of this statement is not supported",
        ));
    };
    let began = Instant::now();
    let steps = steps(&sqlite, plan, &values)?;
    let planning = began.elapsed();
    let tree = plan::tree(&steps, explain.change, explain.target.as_deref());
    let ran = if explain.analyze {
        Some(run(session, &sqlite, text, &values)?)
    } else {
        None
    };
    let rows = if explain.json {
        vec![shown::json(&tree, explain, ran, planning)]
    } else {
        shown::lines(&tree, explain, ran, planning)
    };
    let rows = rows.into_iter().map(|line| vec![SqlValue::Text(line)]);
    portal.give(columns(explain), rows.collect(), sqlite.context());
    Ok(())
}

fn steps(sqlite: &Sqlite, plan: &str, values: &[SqlValue]) -> Result<Vec<Step>, Failure> {
    let mut statement = sqlite.prepare(plan)?;
    mapping::bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(Step {
            id: row.get(0)?,
            parent: row.get(1)?,
            detail: row.get(3)?,
        });
    }
    Ok(steps)
}

/// Runs a query and counts its rows.
fn run(
    session: &Session,
    sqlite: &Sqlite,
    text: &str,
    values: &[SqlValue],
) -> Result<Ran, Failure> {
    let interrupt = session.backend().interrupt();
    let mut statement = sqlite.prepare(text)?;
    mapping::bind(&mut statement, values)?;
    let began = Instant::now();
    let mut rows = statement.raw_query();
    let (mut count, mut first) = (0, Duration::ZERO);
    while rows.next()?.is_some() {
        if count == 0 {
            first = began.elapsed();
        }
        count += 1;
        if interrupt.reason().is_some() {
            interrupt.check()?;
        }
    }
    let all = began.elapsed();
    let first = if count == 0 { all } else { first };
    Ok(Ran {
        rows: count,
        first,
        all,
    })
}
