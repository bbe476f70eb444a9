//! The conditions of domains.

use pgtypes::{SqlState, SqlValue, SqlValueRef};

use crate::arguments::{Answer, text, value};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_eloqdb_domain_check", 3, check).loose()];

/// `pg_eloqdb_domain_check(holds, domain, check)`: true, or an error where a condition is false; one that is NULL
/// holds. The check without a name is NOT NULL.
fn check(arguments: &[SqlValueRef<'_>]) -> Answer {
    if !matches!(value(arguments, 0), SqlValueRef::Integer(0)) {
        return Ok(SqlValue::Integer(1));
    }
    let (domain, check) = (text(arguments, 1)?, text(arguments, 2)?);
    if check.is_empty() {
        let message = format!("domain {domain} does not allow null values");
        return fail(SqlState::NOT_NULL_VIOLATION, message);
    }
    fail(
        SqlState::CHECK_VIOLATION,
        format!("value for domain {domain} violates check constraint \"{check}\""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_is_false_is_an_error() {
        let ask =
            |holds, name| check(&[holds, SqlValueRef::Text("price"), SqlValueRef::Text(name)]);
        assert_eq!(ask(SqlValueRef::Integer(1), "c"), Ok(SqlValue::Integer(1)));
        assert_eq!(ask(SqlValueRef::Null, "c"), Ok(SqlValue::Integer(1)));
        let refused = ask(SqlValueRef::Integer(0), "c").unwrap_err();
        assert_eq!(refused.sqlstate, SqlState::CHECK_VIOLATION);
        let refused = ask(SqlValueRef::Integer(0), "").unwrap_err();
        assert_eq!(refused.sqlstate, SqlState::NOT_NULL_VIOLATION);
    }
}
