//! CREATE TYPE … AS ENUM, ALTER TYPE and DROP TYPE.

use pgtypes::{PgType, SqlState};

use crate::access::Access;
use crate::catalog::{TypeId, type_by_name};
use crate::ddl::{composite_type, object_name, owner, stored_rights};
use crate::domain;
use crate::error::DialectError;
use crate::literal::quote;
use crate::pg_catalog::{identifier, number_of_type};
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Notice, Statement};
use crate::user_type::{self, Label, UserType};

/// A label has at most so many bytes.
const LONGEST: usize = 63;

/// CREATE TYPE name AS ENUM ('a', …); the name at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let (_, name, to) = object_name(src, at)?;
    if src.is(to, "AS") && src.sign(to + 1, "(") {
        return composite_type::create(src, schema, (name, to + 1));
    }
    if !src.are(to, &["AS", "ENUM"]) {
        return Err(src.unsupported(at - 1, "CREATE TYPE but for enums and composite types"));
    }
    let open = to + 2;
    if !src.sign(open, "(") {
        return Err(src.syntax(open));
    }
    let close = src.partner(open);
    end_at(src, close + 1)?;
    let mut labels: Vec<Label> = Vec::new();
    let mut token = open + 1;
    while token < close {
        let text = src.string(token)?.ok_or_else(|| src.syntax(token))?;
        check_label(&text)?;
        if labels.iter().any(|label| label.text == text) {
            let name = "pg_enum_typid_label_index";
            return Err(DialectError::new(
                SqlState::UNIQUE_VIOLATION,
                format!("duplicate key value violates unique constraint \"{name}\""),
            ));
        }
        let position = f64::from(u32::try_from(labels.len()).unwrap_or(u32::MAX)) + 1.0;
        labels.push(Label { position, text });
        token += 1;
        if token < close && !(src.sign(token, ",") && token + 1 < close) {
            return Err(src.syntax(token));
        }
        token += 1;
    }
    if is_taken(schema, &name) {
        let message = format!("type \"{name}\" already exists");
        return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    let oid = free_number(schema, &name);
    Ok(made(&UserType {
        name,
        oid,
        labels,
        composite: None,
    }))
}

/// What makes a type.
pub(crate) fn made(made: &UserType) -> Statement {
    let oid = made.oid;
    let sqlite = vec![
        UserType::CREATE.to_owned(),
        format!(
            "INSERT INTO main.eloqdb_type VALUES ({}, {oid}, {})",
            quote(&made.name),
            quote(&made.definition())
        ),
    ];
    Statement {
        access: vec![Access::CreateType {
            name: made.name.clone(),
        }],
        ..Statement::ddl("CREATE TYPE", sqlite)
    }
}

/// A table has a type of its name, too.
pub(crate) fn is_taken(schema: &dyn SchemaView, name: &str) -> bool {
    user_type::find(schema, name).is_some()
        || domain::find(schema, name).is_some()
        || schema.columns(name).is_some()
}

/// The number of a new type.
pub(crate) fn free_number(schema: &dyn SchemaView, name: &str) -> u32 {
    let (types, domains) = (schema.user_types(), schema.domains());
    let taken = |number: u32| {
        let known = TypeId::new(number).info();
        known.is_some_and(|known| known.catalog_name != name)
            || types.iter().any(|other| other.oid == number)
            || types
                .iter()
                .filter_map(|other| other.composite.as_ref())
                .any(|other| other.array == number)
            || domains.iter().any(|other| other.oid == number)
    };
    let mut number = number_of_type(name);
    while taken(number) {
        number += 1;
    }
    number
}

fn check_label(text: &str) -> Result<(), DialectError> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    let message = format!("invalid enum label \"{text}\"");
    let error = DialectError::new(SqlState::INVALID_NAME, message);
    Err(error.detail("Labels must be 63 bytes or less."))
}

fn missing(name: &str) -> DialectError {
    let message = format!("type \"{name}\" does not exist");
    DialectError::new(SqlState::UNDEFINED_OBJECT, message)
}

/// ALTER TYPE name ADD VALUE … | RENAME VALUE … | OWNER TO …; its owner may.
pub(crate) fn alter(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let (_, name, at) = object_name(src, 2)?;
    let Some(mut found) = user_type::find(schema, &name) else {
        if type_by_name(&name).is_some() {
            let message = format!("{name} is not an enum");
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        return Err(missing(&name));
    };
    let access = vec![Access::OwnType {
        name: name.clone(),
        drops: false,
    }];
    if found.composite.is_some() && !src.are(at, &["OWNER", "TO"]) {
        if src.are(at, &["ADD", "VALUE"]) || src.are(at, &["RENAME", "VALUE"]) {
            let message = format!("{} is not an enum", identifier(&name));
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        let action = src.slice(at, (at + 2).min(src.len())).to_ascii_uppercase();
        return Err(src.unsupported(1, &format!("ALTER TYPE … {action} of a composite type")));
    }
    if src.are(at, &["ADD", "VALUE"]) {
        let notice = add_value(src, &mut found, at + 2)?;
        if let Some(notice) = notice {
            return Ok(Statement {
                notices: vec![notice],
                access,
                ..Statement::accepted("ALTER TYPE")
            });
        }
    } else if src.are(at, &["OWNER", "TO"]) {
        return owner::change_of_type(src, at, &name, "ALTER TYPE");
    } else if src.are(at, &["RENAME", "VALUE"]) {
        rename_value(src, &mut found, at + 2)?;
    } else {
        let action = src.slice(at, (at + 2).min(src.len())).to_ascii_uppercase();
        return Err(src.unsupported(1, &format!("ALTER TYPE … {action}")));
    }
    let sqlite = vec![format!(
        "UPDATE main.eloqdb_type SET definition = {} WHERE oid = {}",
        quote(&found.definition()),
        found.oid
    )];
    Ok(Statement {
        access,
        ..Statement::ddl("ALTER TYPE", sqlite)
    })
}

/// `[IF NOT EXISTS] 'label' [BEFORE | AFTER 'other']`; a notice where it is there already.
fn add_value(
    src: &Source<'_>,
    found: &mut UserType,
    at: usize,
) -> Result<Option<Notice>, DialectError> {
    let forgiven = src.are(at, &["IF", "NOT", "EXISTS"]);
    let at = at + if forgiven { 3 } else { 0 };
    let text = src.string(at)?.ok_or_else(|| src.syntax(at))?;
    check_label(&text)?;
    let beside = src.is_any(at + 1, &["BEFORE", "AFTER"]);
    end_at(src, at + if beside { 3 } else { 1 })?;
    if found.label(&text).is_some() {
        let message = format!("enum label \"{text}\" already exists");
        let state = SqlState::DUPLICATE_OBJECT;
        if forgiven {
            return Ok(Some(Notice::coded(state, format!("{message}, skipping"))));
        }
        return Err(DialectError::new(state, message));
    }
    let place = if beside {
        let other = src.string(at + 2)?.ok_or_else(|| src.syntax(at + 2))?;
        let other_at = found.labels.iter().position(|label| label.text == other);
        let other_at = other_at.ok_or_else(|| no_label(&other))?;
        other_at + usize::from(src.is(at + 1, "AFTER"))
    } else {
        found.labels.len()
    };
    let position = |at: usize| found.labels.get(at).map(|label| label.position);
    let before = place.checked_sub(1).and_then(position);
    let behind = position(place);
    let position = match (before, behind) {
        (None, None) => 1.0,
        (Some(before), None) => before.floor() + 1.0,
        (None, Some(behind)) => behind.ceil() - 1.0,
        (Some(before), Some(behind)) => f64::midpoint(before, behind),
    };
    if Some(position) == before || Some(position) == behind {
        let message = format!(
            "there is no room for a value beside so many of type {}",
            found.name
        );
        let error = DialectError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message);
        return Err(error.hint("Add the value at the end, or make a new type."));
    }
    found.labels.insert(place, Label { position, text });
    Ok(None)
}

fn no_label(text: &str) -> DialectError {
    let message = format!("\"{text}\" is not an existing enum label");
    DialectError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// `'label' TO 'other'`
fn rename_value(src: &Source<'_>, found: &mut UserType, at: usize) -> Result<(), DialectError> {
    let from = src.string(at)?.ok_or_else(|| src.syntax(at))?;
    if !src.is(at + 1, "TO") {
        return Err(src.syntax(at + 1));
    }
    let to = src.string(at + 2)?.ok_or_else(|| src.syntax(at + 2))?;
    end_at(src, at + 3)?;
    check_label(&to)?;
    let taken = found.label(&to).is_some();
    let Some(label) = found.labels.iter_mut().find(|label| label.text == from) else {
        return Err(no_label(&from));
    };
    if taken {
        let message = format!("enum label \"{to}\" already exists");
        return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    label.text = to;
    Ok(())
}

/// DROP TYPE [IF EXISTS] name [, …] [CASCADE | RESTRICT]
pub(crate) fn drop(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let forgiven = src.are(2, &["IF", "EXISTS"]);
    let mut at = if forgiven { 4 } else { 2 };
    let mut statement = Statement::ddl("DROP TYPE", Vec::new());
    loop {
        let (_, name, to) = object_name(src, at)?;
        match user_type::find(schema, &name) {
            Some(found) => {
                check_unused(src, schema, &found)?;
                statement.sqlite.push(format!(
                    "DELETE FROM main.eloqdb_type WHERE oid = {}",
                    found.oid
                ));
                let rights = stored_rights::drop_type(schema, &name);
                statement.sqlite.extend(rights);
                statement.access.push(Access::OwnType { name, drops: true });
            }
            None if type_by_name(&name).is_some() => {
                let message = format!(
                    "cannot drop type {name} because it is required by the database system"
                );
                return Err(DialectError::new(
                    SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                    message,
                ));
            }
            None if forgiven => {
                let message = format!("type \"{name}\" does not exist, skipping");
                statement.notices.push(Notice::plain(message));
            }
            None => return Err(missing(&name)),
        }
        at = to;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    end_at(
        src,
        at + usize::from(src.is_any(at, &["CASCADE", "RESTRICT"])),
    )?;
    Ok(statement)
}

/// Columns of the type keep it.
fn check_unused(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    found: &UserType,
) -> Result<(), DialectError> {
    composite_type::check_unused(schema, found)?;
    let uses = schema.columns_of_type(&|ty: &PgType| ty.oid().get() == found.oid);
    let Some((table, column)) = uses.first() else {
        return Ok(());
    };
    if src.is(src.len() - 1, "CASCADE") {
        let what =
            format!("DROP TYPE … CASCADE of a type that column \"{column}\" of \"{table}\" has");
        return Err(src.unsupported(0, &what));
    }
    let shown = identifier(&found.name);
    let lines = uses.iter().map(|(table, column)| {
        format!(
            "column {} of table {} depends on type {shown}",
            identifier(column),
            identifier(table)
        )
    });
    let message = format!("cannot drop type {shown} because other objects depend on it");
    let error = DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message);
    Err(error
        .detail(lines.collect::<Vec<_>>().join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too."))
}
