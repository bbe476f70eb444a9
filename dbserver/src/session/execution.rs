//! Running what SQLite runs: changes, queries, cursors.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use dialect::{FetchCount, StatementKind};
use pgtypes::{PgType, SqlState, SqlValue};

use crate::databases::locks::TableMode;
use crate::failure::Failure;
use crate::session::change::Changed;
use crate::session::cursor::FirstStep;
use crate::session::portal::Portal;
use crate::session::prepared::{Columns, Prepared};
use crate::session::sqlite::Sqlite;
use crate::session::{
    Session, changing_with, explain, mapping, rebuild, rights, roles, sequences, violated_row,
};

/// Runs a change without a result; gives the number of changed rows.
pub fn execute(
    session: &mut Session,
    prepared: &Rc<Prepared>,
    values: &Rc<[SqlValue]>,
) -> Result<u64, Failure> {
    if prepared.statement.catalog {
        session.refresh_catalog()?;
    }
    if prepared.statement.changes_sequences() {
        session.backend().sqlite().sequences().mark_changed();
    }
    if prepared.statement.kind == StatementKind::Ddl {
        return define(session, prepared);
    }
    if prepared.statement.kind == StatementKind::Dml {
        return match change(session, prepared, values)? {
            Changed::Rows(rows) => Ok(rows),
            Changed::SchemaMoved => {
                let again = again(session, prepared, None)?;
                let values = again.all_limited(values)?;
                execute(session, &again, &values.into())
            }
        };
    }
    session.before_write_to(prepared.command(), &prepared.statement.tables)?;
    let sqlite = session.backend().sqlite();
    run_preparatory(sqlite, prepared)?;
    if prepared.statement.sqlite.is_empty() {
        return Ok(0);
    }
    sequences::make_ready(sqlite, &prepared.statement.sequences)?;
    let changed = sqlite.change(prepared.text(), values)?;
    let (transaction, scope) = session.transaction_mut();
    transaction.check_constraints(scope)?;
    Ok(changed)
}

fn change(
    session: &mut Session,
    prepared: &Prepared,
    values: &[SqlValue],
) -> Result<Changed, Failure> {
    session.check_changes(prepared, prepared.command())?;
    let (transaction, scope) = session.transaction_mut();
    for table in &prepared.statement.clears {
        transaction.lock_table(scope, table, TableMode::AccessExclusive, false)?;
    }
    let sqlite = scope.sqlite;
    // Rows that go with others, by a reference that cascades, count for a lost transaction; of the last run.
    let wrote = Cell::new(0);
    let changed = transaction.change(scope, prepared, || {
        run_preparatory(sqlite, prepared)?;
        sequences::make_ready_to_change(sqlite, &prepared.statement.sequences)?;
        let values = with_returned(sqlite, prepared, values)?;
        let text = prepared.text();
        let before = sqlite.total_changes();
        let changed = sqlite.change(text, &values);
        wrote.set(sqlite.total_changes() - before);
        changed.map_err(|failure| violated_row::explained(sqlite, text, &values, failure))
    })?;
    sqlite.lost().count(wrote.get());
    Ok(changed)
}

/// A statement translated for the definitions that its transaction has found.
fn again(
    session: &mut Session,
    prepared: &Prepared,
    told: Option<Columns>,
) -> Result<Rc<Prepared>, Failure> {
    let again = session.translated_again(prepared, told)?;
    roles::check(session, &again.statement.roles)?;
    // Tables may be others by now, of other owners.
    rights::check(session, &again)?;
    Ok(again)
}

/// Changes definitions.
fn define(session: &mut Session, translated: &Rc<Prepared>) -> Result<u64, Failure> {
    session.before_definition(translated)?;
    // It was translated for the definitions of a moment ago; with the permit nobody else changes them any more.
    let prepared = &session.refreshed(Rc::clone(translated))?;
    // What it is about may be somebody else's by now.
    roles::check(session, &prepared.statement.roles)?;
    rights::check(session, prepared)?;
    if prepared.statement.kind != StatementKind::Ddl {
        session.notices().extend(&prepared.statement.notices);
        return Ok(0);
    }
    session.before_definition(prepared)?;
    let rows = change_schema(session, prepared)?;
    rights::own_what_was_made(session, prepared)?;
    Ok(rows)
}

fn change_schema(session: &mut Session, prepared: &Rc<Prepared>) -> Result<u64, Failure> {
    let statement = &prepared.statement;
    if !statement.parts.is_empty() {
        return run_parts(session, prepared);
    }
    rebuild::check_rows(session.backend().sqlite(), &statement.first)?;
    if let Some(needs) = &statement.needs {
        rebuild::rebuild(session, prepared, needs)?;
        return Ok(0);
    }
    run_schema_change(session, prepared)
}

/// Runs the texts of a schema change; gives the number of rows that the last has changed.
fn run_schema_change(session: &Session, prepared: &Prepared) -> Result<u64, Failure> {
    let sqlite = session.backend().sqlite();
    let mut rows = 0;
    for text in &prepared.statement.sqlite {
        sequences::make_ready(sqlite, &dialect::sequences_of(text))?;
        rows = sqlite
            .change(text, &[])
            .map_err(|failure| rebuild::of_index(text, failure))?;
    }
    // The version of the schema does not tell of temporary tables.
    sqlite.schema().clear();
    Ok(rows)
}

/// Runs a statement that consists of others, each with the schema that the one before has left.
fn run_parts(session: &mut Session, prepared: &Prepared) -> Result<u64, Failure> {
    for text in &prepared.statement.parts {
        // A place in this text is none of the client's.
        let part = session
            .prepare(text, &[])
            .map_err(Failure::without_position)?;
        roles::check(session, &part.statement.roles)?;
        session.notices().extend(&part.statement.notices);
        if part.statement.kind == StatementKind::Ddl {
            execute(session, &part, &Rc::from([]))?;
        }
    }
    Ok(0)
}

/// Starts a portal whose statement gives rows.
pub fn start(session: &mut Session, portal: &mut Portal) -> Result<(), Failure> {
    let prepared = Rc::clone(portal.prepared());
    let statement = &prepared.statement;
    if statement.catalog {
        session.refresh_catalog()?;
    }
    if let StatementKind::Explain(what) = &statement.kind {
        return explain::start(session, portal, what);
    }
    let sqlite = Rc::clone(session.backend().sqlite());
    let interrupt = Arc::clone(session.backend().interrupt());
    let changes = statement.kind == StatementKind::Dml
        || statement.locks_rows
        || !statement.before.is_empty();
    if !changes {
        if statement.writes {
            session.check_write(prepared.command())?;
        }
        session.before_read()?;
        sequences::make_ready(&sqlite, &statement.sequences)?;
        portal.start(sqlite, interrupt);
        return match portal.first_step()? {
            FirstStep::Done => Ok(()),
            FirstStep::SchemaMoved => start_again(session, portal),
        };
    }
    let command = if statement.locks_rows {
        "SELECT FOR UPDATE"
    } else {
        prepared.command()
    };
    session.check_changes(&prepared, command)?;
    let given = Rc::clone(portal.values());
    let (transaction, scope) = session.transaction_mut();
    let changed = transaction.change(scope, &prepared, || {
        run_preparatory(&sqlite, &prepared)?;
        sequences::make_ready_to_change(&sqlite, &prepared.statement.sequences)?;
        if let Cow::Owned(values) = with_returned(&sqlite, &prepared, &given)? {
            portal.set_values(values);
        }
        // What it gives must not be told before its rows are locked.
        portal.start(Rc::clone(&sqlite), Arc::clone(&interrupt));
        let values = Rc::clone(portal.values());
        portal.keep().map_err(|failure| {
            violated_row::explained(&sqlite, prepared.text(), &values, failure)
        })?;
        Ok(portal.kept_rows())
    })?;
    match changed {
        Changed::Rows(_) => Ok(()),
        Changed::SchemaMoved => start_again(session, portal),
    }
}

/// Starts a portal whose statement was translated for other definitions than there are.
fn start_again(session: &mut Session, portal: &mut Portal) -> Result<(), Failure> {
    let again = again(session, portal.prepared(), portal.promised().cloned())?;
    portal.set_prepared(again)?;
    start(session, portal)
}

/// The values of a statement: with what the changes of its WITH return, which are made.
fn with_returned<'a>(
    sqlite: &Sqlite,
    prepared: &Prepared,
    given: &'a [SqlValue],
) -> Result<Cow<'a, [SqlValue]>, Failure> {
    match prepared.statement.before.as_slice() {
        [] => Ok(Cow::Borrowed(given)),
        changes => changing_with::run(sqlite, changes, given).map(Cow::Owned),
    }
}

/// The tag of a statement that gave rows.
pub fn rows_tag(session: &Session, prepared: &Prepared, rows: u64) -> String {
    let changed = if prepared.statement.kind == StatementKind::Dml {
        session.backend().sqlite().changes()
    } else {
        rows
    };
    prepared.statement.tag.render(changed)
}

/// DECLARE: a portal over a query, open until its transaction ends, or longer WITH HOLD.
pub fn declare(
    session: &mut Session,
    prepared: &Rc<Prepared>,
    name: &str,
    (hold, scroll): (bool, Option<bool>),
) -> Result<(), Failure> {
    if !hold {
        session.transaction().check_in_block("DECLARE CURSOR")?;
    }
    session.portals().check_free(name)?;
    if prepared.statement.catalog {
        session.refresh_catalog()?;
    }
    let columns = prepared.describe_now(session.backend().sqlite())?;
    let portal = Portal::new(Rc::clone(prepared), Vec::new(), Vec::new(), Some(columns));
    let mut portal = portal.with_hold(hold).with_scroll(scroll);
    start(session, &mut portal)?;
    if scroll == Some(true) {
        portal.scroll()?;
    }
    session.portals().insert(name.to_owned(), portal);
    Ok(())
}

/// MOVE: reads over rows; gives the tag.
pub fn move_cursor(
    session: &mut Session,
    name: &str,
    count: &FetchCount,
) -> Result<String, Failure> {
    let mut cursor = session.portals().take_cursor(name)?;
    let moved = match wanted(count) {
        Some(rows) if !cursor.scrolls() => cursor.skip(rows)?,
        _ => cursor.go(count)?.len() as u64,
    };
    session.portals().insert(name.to_owned(), cursor);
    Ok(format!("MOVE {moved}"))
}

/// The number of rows that FETCH and MOVE ask for, where they are those that come next.
pub fn wanted(count: &FetchCount) -> Option<u64> {
    match count {
        FetchCount::Forward(rows) if *rows > 0 => Some(*rows),
        FetchCount::All => Some(u64::MAX),
        FetchCount::Forward(_)
        | FetchCount::Backward(_)
        | FetchCount::BackwardAll
        | FetchCount::Absolute(_)
        | FetchCount::Relative(_) => None,
    }
}

/// The statement behind EXECUTE, with its arguments evaluated.
pub fn resolve_execute(
    session: &mut Session,
    name: &str,
    arguments: &[String],
) -> Result<(Rc<Prepared>, Vec<SqlValue>), Failure> {
    let found = session.statements().get(name)?;
    let prepared = session.refreshed(found)?;
    session
        .statements()
        .insert(name.to_owned(), Rc::clone(&prepared));
    if arguments.len() != prepared.parameters.len() {
        return Err(Failure::new(
            SqlState::SYNTAX_ERROR,
            format!("wrong number of parameters for prepared statement \"{name}\""),
        )
        .detail(format!(
            "Expected {} parameters but got {}.",
            prepared.parameters.len(),
            arguments.len()
        )));
    }
    if arguments.is_empty() {
        return Ok((prepared, Vec::new()));
    }
    let converted: Vec<String> = arguments
        .iter()
        .zip(&prepared.parameters)
        .map(|(argument, ty)| format!("CAST({argument} AS {})", type_name(ty)))
        .collect();
    let call = session.prepare(&format!("SELECT {}", converted.join(", ")), &[]);
    // A place in this text is none of the client's.
    let call = call.map_err(Failure::without_position)?;
    rights::check(session, &call)?;
    if call.statement.writes {
        session.before_write(call.command())?;
    } else {
        session.before_read()?;
    }
    sequences::make_ready(session.backend().sqlite(), &call.statement.sequences)?;
    let mut statement = session.backend().sqlite().prepare(call.text())?;
    let mut rows = statement.raw_query();
    let mut values = Vec::with_capacity(arguments.len());
    if let Some(row) = rows.next()? {
        for index in 0..arguments.len() {
            values.push(mapping::value(row.get_ref(index)?)?.to_owned());
        }
    }
    Ok((prepared, values))
}

/// A type as SQL names it.
fn type_name(ty: &PgType) -> String {
    match ty {
        PgType::Enum(oid) => dialect::catalog::TypeId::new(oid.get()).name(),
        PgType::Composed(oid, _) if ty.element().is_none() => {
            dialect::catalog::TypeId::new(oid.get()).name()
        }
        _ => ty.to_string(),
    }
}

/// Runs all but the last of a statement's texts.
fn run_preparatory(sqlite: &Sqlite, prepared: &Prepared) -> Result<(), Failure> {
    let Some((_, before)) = prepared.statement.sqlite.split_last() else {
        return Ok(());
    };
    for text in before {
        sqlite.run_part(text)?;
    }
    Ok(())
}
