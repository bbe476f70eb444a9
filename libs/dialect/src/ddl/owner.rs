//! OWNER TO.

use crate::access::Access;
use crate::ddl::role::Who;
use crate::error::DialectError;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// What gets another owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// A table, a view or a sequence.
    Relation(String),
    /// A schema.
    Schema(String),
    /// An enum or a domain.
    Type(String),
}

/// OWNER TO role, of a relation of the database; OWNER at `at`.
pub(crate) fn change(
    src: &Source<'_>,
    at: usize,
    relation: &str,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let what = match tag {
        "ALTER VIEW" => "view",
        "ALTER SEQUENCE" => "sequence",
        _ => "table",
    };
    let access = Access::Own {
        what,
        name: relation.to_owned(),
        relation: relation.to_owned(),
        drops: false,
    };
    read(src, at, Owned::Relation(relation.to_owned()), access, tag)
}

/// OWNER TO role, of an enum or a domain; OWNER at `at`.
pub(crate) fn change_of_type(
    src: &Source<'_>,
    at: usize,
    name: &str,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let name = name.to_owned();
    let access = Access::OwnType {
        name: name.clone(),
        drops: false,
    };
    read(src, at, Owned::Type(name), access, tag)
}

/// OWNER TO role, of a schema; OWNER at `at`.
pub(crate) fn change_of_schema(
    src: &Source<'_>,
    at: usize,
    name: &str,
) -> Result<Statement, DialectError> {
    let name = name.to_owned();
    let access = Access::OwnSchema { name: name.clone() };
    read(src, at, Owned::Schema(name), access, "ALTER SCHEMA")
}

fn read(
    src: &Source<'_>,
    at: usize,
    of: Owned,
    access: Access,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let to = Who::role(src, at + 2)?;
    end_at(src, at + 3)?;
    Ok(Statement {
        roles: to.named().into_iter().collect(),
        access: vec![access],
        ..Statement::session(StatementKind::ChangeOwner { of, to }, tag)
    })
}
