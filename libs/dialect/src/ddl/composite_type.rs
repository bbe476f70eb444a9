//! CREATE TYPE … AS (…): types of rows.

use pgtypes::SqlState;

use crate::ddl::enum_type::{free_number, is_taken, made};
use crate::ddl::layout;
use crate::error::DialectError;
use crate::pg_catalog::identifier;
use crate::qualify;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::Statement;
use crate::stored_name;
use crate::translator::Translator;
use crate::user_type::{Composite, UserType};

/// `(field type, …)`, which opens at `open`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    (name, open): (String, usize),
) -> Result<Statement, DialectError> {
    let close = src.partner(open);
    end_at(src, close + 1)?;
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut at = open + 1;
    while at < close {
        let end = end_of_field(src, at, close);
        let field = src.name(at).ok_or_else(|| src.syntax(at))?;
        if fields.iter().any(|(known, _)| *known == field) {
            let message = format!("column \"{field}\" specified more than once");
            return Err(DialectError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        if end <= at + 1 {
            return Err(src.syntax(end));
        }
        fields.push((field, type_of_field(src, schema, at + 1, end)?));
        at = end + 1;
        if end < close && at >= close {
            return Err(src.syntax(close));
        }
    }
    if fields.is_empty() {
        return Err(src.unsupported(open, "a composite type without fields"));
    }
    if schema.columns(&name).is_some() {
        let message = format!("relation \"{}\" already exists", stored_name::base(&name));
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    if is_taken(schema, &name) {
        let message = format!("type \"{}\" already exists", stored_name::base(&name));
        return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    let oid = free_number(schema, &name);
    let array = free_number(schema, &format!("_{name}"));
    Ok(made(&UserType {
        name,
        oid,
        labels: Vec::new(),
        composite: Some(Composite { array, fields }),
    }))
}

/// The comma behind a field, or the end of all.
fn end_of_field(src: &Source<'_>, at: usize, close: usize) -> usize {
    let mut end = at;
    while end < close && !src.sign(end, ",") {
        end = if src.sign(end, "(") {
            src.partner(end) + 1
        } else {
            end + 1
        };
    }
    end
}

/// The type of a field as SQL that means the same on every search path.
fn type_of_field(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    from: usize,
    to: usize,
) -> Result<String, DialectError> {
    let element = layout::element_end(src, from, to)?;
    let end = element.unwrap_or(to);
    let brackets = if element.is_some() { "[]" } else { "" };
    if let Some(stored) = qualify::type_at(src, schema, from, end) {
        return Ok(format!("{}{brackets}", stored_name::shown(&stored)));
    }
    let text = src.slice(from, end);
    // PostgreSQL's name of an array's type.
    let array = text.strip_prefix('_').map(str::to_ascii_lowercase);
    if let Some(element) = array.and_then(|element| pgtypes::PgType::parse(&element)) {
        return Ok(format!("{element}[]"));
    }
    if text.to_ascii_lowercase().ends_with("serial") {
        let message = format!("type \"{text}\" does not exist");
        return Err(src.error(from, SqlState::UNDEFINED_OBJECT, message));
    }
    match Translator::new(src, schema).declared_type(from, end)? {
        Some(_) => Ok(format!("{text}{brackets}")),
        None => Err(src.syntax(from)),
    }
}

/// Fields of other types keep a type.
pub(crate) fn check_unused(schema: &dyn SchemaView, found: &UserType) -> Result<(), DialectError> {
    let shown = stored_name::shown(&found.name);
    let own = |ty: &str| ty.strip_suffix("[]").unwrap_or(ty) == shown;
    let types = schema.user_types();
    let uses = types.iter().filter_map(|ty| {
        let fields = &ty.composite.as_ref()?.fields;
        let (field, _) = fields.iter().find(|(_, ty)| own(ty))?;
        Some(format!(
            "column {} of composite type {} depends on type {shown}",
            identifier(field),
            stored_name::shown(&ty.name)
        ))
    });
    let uses: Vec<String> = uses.collect();
    if uses.is_empty() {
        return Ok(());
    }
    let message = format!("cannot drop type {shown} because other objects depend on it");
    let error = DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message);
    Err(error
        .detail(uses.join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too."))
}
