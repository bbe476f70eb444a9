//! CREATE VIEW.

use pgtypes::SqlState;

use crate::analysis::tree::Output;
use crate::ddl::alter_drop::check_storage;
use crate::ddl::definition::{check_columns, check_types};
use crate::ddl::place::{Object, quoted};
use crate::ddl::{view_note, view_rename};
use crate::error::DialectError;
use crate::pg_catalog::find_table;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Notice, Statement, StatementKind};
use crate::table_info::TableInfo;
use crate::translator::Translator;

/// CREATE [OR REPLACE] [TEMP] VIEW name [(columns)] [WITH (…)] AS query [WITH … CHECK OPTION]; VIEW at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    replace: bool,
    start: usize,
    at: usize,
) -> Result<Statement, DialectError> {
    if src.is(at, "RECURSIVE") {
        return Err(src.unsupported(at, "CREATE RECURSIVE VIEW"));
    }
    let translator = Translator::new(src, schema);
    let temporary = (start..at).any(|token| src.is_any(token, &["TEMP", "TEMPORARY"]));
    let object = Object::read(src, schema, at + 1)?;
    if object.is_elsewhere() {
        return Err(object.no_schema());
    }
    let name = object.name.clone();
    let (names, next) = head(&translator, object.to)?;
    let query = translator.typed_query(next + 1, src.len())?;
    if query.parameters > 0 {
        let message = "there is no parameter $1";
        return Err(DialectError::new(SqlState::UNDEFINED_PARAMETER, message));
    }
    if query.catalog {
        return Err(src.unsupported(next + 1, "a view of the catalog"));
    }
    let columns = named(&query.columns, &names)?;
    let written = src.slice(next + 1, src.len());
    let note = view_note::write(&columns, &query.reads, written);
    let own = !temporary && reads_temporary(&query.text, schema);
    let temporary = temporary || own;
    let place = if temporary { "temp" } else { "main" };
    let view = quoted(place, &name);
    let present = schema
        .table_info(&name)
        .filter(|info| info.temporary == temporary);
    let mut sqlite = Vec::new();
    if let Some(present) = present {
        if !replace {
            let message = format!("relation \"{name}\" already exists");
            return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
        }
        if present.view.is_none() || schema.sequence(&name).is_some() {
            let message = format!("\"{name}\" is not a view");
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        check_replaced(&present, &columns)?;
        sqlite.push(format!("DROP VIEW {view}"));
    }
    sqlite.push(view_rename::statement(
        (place, &name),
        &columns,
        &note,
        &query.text,
    ));
    let statement = Statement {
        writes: true,
        makes_temporary: place == "temp",
        ..Statement::session(StatementKind::Ddl, "CREATE VIEW")
    };
    let mut statement = translator.finish_with(sqlite, statement);
    if own {
        let message = format!("view \"{name}\" will be a temporary view");
        statement.notices.push(Notice::plain(message));
    }
    Ok(statement)
}

/// Whether a printed query reads a table of the session's own: the view over it can't outlive the session.
fn reads_temporary(text: &str, schema: &dyn SchemaView) -> bool {
    let Ok(src) = Source::new(text) else {
        return false;
    };
    (0..src.len()).any(|at| {
        src.name(at).as_deref() == Some("temp")
            && src.sign(at + 1, ".")
            && src
                .name(at + 2)
                .is_some_and(|name| schema.is_temporary(&name) && find_table(None, &name).is_none())
    })
}

/// `[(columns)] [WITH (…)] AS`: the names, and the place of AS.
fn head(translator: &Translator<'_>, at: usize) -> Result<(Vec<String>, usize), DialectError> {
    let src = translator.src;
    let mut next = at;
    let mut names = Vec::new();
    if src.sign(next, "(") {
        names = translator.names(next + 1, src.partner(next))?;
        next = src.partner(next) + 1;
    }
    if src.is(next, "WITH") && src.sign(next + 1, "(") {
        check_storage(src, next + 1)?;
        next = src.partner(next + 1) + 1;
    }
    if !src.is(next, "AS") {
        return Err(src.syntax(next));
    }
    Ok((names, next))
}

/// The columns under the names that were given to the first of them.
fn named(columns: &[Output], names: &[String]) -> Result<Vec<Output>, DialectError> {
    if names.len() > columns.len() {
        return Err(DialectError::new(
            SqlState::SYNTAX_ERROR,
            "CREATE VIEW specifies more column names than columns",
        ));
    }
    let mut named: Vec<Output> = columns.to_vec();
    for (column, name) in named.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    check_columns(&named, |column| &column.name)?;
    check_types(&named)?;
    Ok(named)
}

/// OR REPLACE keeps the columns that the view has, and may add others behind them.
fn check_replaced(present: &TableInfo, columns: &[Output]) -> Result<(), DialectError> {
    let refused = |message| DialectError::new(SqlState::INVALID_TABLE_DEFINITION, message);
    if columns.len() < present.columns.len() {
        return Err(refused("cannot drop columns from view".to_owned()));
    }
    for (old, new) in present.columns.iter().zip(columns) {
        if old.name != new.name {
            let message = format!(
                "cannot change name of view column \"{}\" to \"{}\"",
                old.name, new.name
            );
            return Err(refused(message).hint(
                "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
            ));
        }
        let ty = old.type_name.map(|ty| ty.to_string());
        if let Some(ty) = ty.filter(|ty| *ty != new.ty.to_string()) {
            return Err(refused(format!(
                "cannot change data type of view column \"{}\" from {ty} to {}",
                old.name, new.ty
            )));
        }
    }
    Ok(())
}
