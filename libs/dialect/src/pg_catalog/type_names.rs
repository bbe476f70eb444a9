//! Types by the names that SQL writes them with.

use std::rc::Rc;

use pgtypes::SqlState;

use crate::analysis;
use crate::analysis::schema::{Relation, Schema};
use crate::catalog::TypeId;
use crate::error::DialectError;
use crate::syntax::{self, ast};
use crate::user_type::UserType;

/// The types that a database has beside PostgreSQL's own, and nothing else.
struct Types<'a>(&'a [UserType]);

impl Schema for Types<'_> {
    fn relation(&self, _: Option<&str>, _: &str) -> Option<Rc<Relation>> {
        None
    }

    fn user_types(&self) -> Vec<UserType> {
        self.0.to_vec()
    }
}

/// The number of a type by its name, which may have a modifier; 42704 if there is none. `types`: those of users.
pub(crate) fn type_number(name: &str, types: &[UserType]) -> Result<u32, DialectError> {
    let invalid = || {
        DialectError::new(
            SqlState::SYNTAX_ERROR,
            format!("invalid type name \"{name}\""),
        )
    };
    let sql = format!("SELECT NULL::{name}");
    let tree = syntax::parse(&sql).map_err(|_| invalid())?;
    let Some(ast::Statement::Query(query)) = tree else {
        return Err(invalid());
    };
    let ast::QueryBody::Select(select) = &query.body else {
        return Err(invalid());
    };
    let [target] = select.targets.as_slice() else {
        return Err(invalid());
    };
    let whole = target.alias.is_none() && select.from.is_empty() && query.order_by.is_empty();
    match &target.value.kind {
        ast::ExprKind::Cast { operand, to }
            if whole && matches!(operand.kind, ast::ExprKind::Literal(_)) =>
        {
            let found =
                analysis::type_of_name(&sql, to, &Types(types)).map_err(|error| DialectError {
                    position: None,
                    ..error
                })?;
            Ok(found.id.get())
        }
        _ => Err(invalid()),
    }
}

/// The name of a type as messages have it; `None` for a number that no type has.
pub(crate) fn type_text(oid: u32) -> Option<String> {
    TypeId::new(oid).info().map(|info| info.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_each_of_its_names() {
        for (name, number) in [
            ("integer", 23),
            ("int4", 23),
            ("pg_catalog.int4", 23),
            ("character varying(20)", 1043),
            ("timestamp with time zone", 1184),
            ("text[]", 1009),
            ("\"char\"", 18),
        ] {
            assert_eq!(type_number(name, &[]), Ok(number), "{name}");
        }
        let mood = type_number("mood", &[]).unwrap_err();
        assert_eq!(mood.message, "type \"mood\" does not exist");
        assert!(type_number("int4, 1", &[]).is_err());
        assert!(type_number("int4 AS x", &[]).is_err());
    }
}
