//! PREPARE, EXECUTE, DEALLOCATE.

use pgtypes::{Oid, PgType, SqlState};

use crate::error::DialectError;
use crate::qualify;
use crate::schema::SchemaView;
use crate::session::{end_at, name, name_or_all};
use crate::source::Source;
use crate::statement::{Statement, StatementKind};
use crate::user_type;

/// What PREPARE takes.
const PREPARABLE: &[&str] = &[
    "SELECT", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE",
];

/// PREPARE name [(types)] AS statement
pub(crate) fn prepare(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    if src.is(1, "TRANSACTION") {
        src.string(2)?.ok_or_else(|| src.syntax(2))?;
        end_at(src, 3)?;
        return Ok(Statement::session(
            StatementKind::PrepareTransaction,
            "PREPARE TRANSACTION",
        ));
    }
    let name = name(src, 1)?;
    let mut at = 2;
    let mut types = Vec::new();
    if src.sign(at, "(") {
        let close = src.partner(at);
        let mut start = at + 1;
        for next in at + 1..=close {
            let nested = src.sign(next, "(") && src.partner(next) > start;
            if next == close || (src.sign(next, ",") && !nested && src.partner(next) == next) {
                let inside =
                    (start..next).any(|token| src.sign(token, "(") && src.partner(token) > next);
                if inside {
                    continue;
                }
                let text = src.slice(start, next);
                let user = || {
                    let name = qualify::type_at(src, schema, start, next)?;
                    let found = user_type::find(schema, &name)?;
                    Some(PgType::Enum(Oid::new(found.oid)))
                };
                let Some(ty) = PgType::parse(text).or_else(user) else {
                    let message = format!("type \"{text}\" does not exist");
                    return Err(src.error(start, SqlState::UNDEFINED_OBJECT, message));
                };
                types.push(ty);
                start = next + 1;
            }
        }
        at = close + 1;
    }
    if !src.is(at, "AS") || at + 1 >= src.len() {
        return Err(src.syntax(at));
    }
    if !src.is_any(at + 1, PREPARABLE) && !src.sign(at + 1, "(") {
        return Err(src.syntax(at + 1));
    }
    let statement = src.slice(at + 1, src.len()).to_owned();
    Ok(Statement::session(
        StatementKind::Prepare {
            name,
            types,
            statement,
        },
        "PREPARE",
    ))
}

pub(crate) fn execute(src: &Source<'_>) -> Result<Statement, DialectError> {
    let name = name(src, 1)?;
    let mut arguments = Vec::new();
    if src.sign(2, "(") {
        let close = src.partner(2);
        end_at(src, close + 1)?;
        let (mut start, mut at) = (3, 3);
        while at < close {
            if src.sign(at, ",") {
                arguments.push(src.slice(start, at).to_owned());
                start = at + 1;
            }
            at = if src.sign(at, "(") {
                src.partner(at) + 1
            } else {
                at + 1
            };
        }
        if start < close {
            arguments.push(src.slice(start, close).to_owned());
        }
    } else {
        end_at(src, 2)?;
    }
    Ok(Statement::session(
        StatementKind::Execute { name, arguments },
        "",
    ))
}

pub(crate) fn deallocate(src: &Source<'_>) -> Result<Statement, DialectError> {
    let at = 1 + usize::from(src.is(1, "PREPARE"));
    let name = name_or_all(src, at)?;
    end_at(src, at + 1)?;
    let tag = if name.is_none() {
        "DEALLOCATE ALL"
    } else {
        "DEALLOCATE"
    };
    Ok(Statement::session(StatementKind::Deallocate { name }, tag))
}
