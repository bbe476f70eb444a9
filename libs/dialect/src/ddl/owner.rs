//! OWNER TO.

use crate::access::Access;
use crate::ddl::role::Who;
use crate::error::DialectError;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// OWNER TO role, of a relation of the database; OWNER at `at`.
pub(crate) fn change(
    src: &Source<'_>,
    at: usize,
    relation: &str,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let to = Who::role(src, at + 2)?;
    end_at(src, at + 3)?;
    let roles = to.named().into_iter().collect();
    let kind = StatementKind::ChangeOwner {
        relation: relation.to_owned(),
        to,
    };
    let what = match tag {
        "ALTER VIEW" => "view",
        "ALTER SEQUENCE" => "sequence",
        _ => "table",
    };
    Ok(Statement {
        roles,
        access: vec![Access::Own {
            what,
            name: relation.to_owned(),
            relation: relation.to_owned(),
            drops: false,
        }],
        ..Statement::session(kind, tag)
    })
}
