//! Whether a condition is true wherever another one is, as far as their forms tell.

use pgtypes::SqlValue;

use crate::analysis::tree::{Call, Expr, ExprKind};

/// Whether `condition` is true wherever `said` is.
pub(crate) fn implies(said: &Expr, condition: &Expr) -> bool {
    if said == condition {
        return true;
    }
    match (&said.kind, &condition.kind) {
        (_, ExprKind::And(parts)) => parts.iter().all(|part| implies(said, part)),
        (ExprKind::And(parts), _) => parts.iter().any(|part| implies(part, condition)),
        (ExprKind::Call(said), ExprKind::Call(condition)) => is_narrower(said, condition),
        _ => false,
    }
}

/// Whether a comparison with a number leaves no more than the same comparison with another one.
fn is_narrower(said: &Call, condition: &Call) -> bool {
    let ([value, limit], [other, wide]) =
        (said.arguments.as_slice(), condition.arguments.as_slice())
    else {
        return false;
    };
    let (Some(limit), Some(wide)) = (number(limit), number(wide)) else {
        return false;
    };
    let name = said.function.name;
    value == other
        && said.function.oid == condition.function.oid
        && match name
            .strip_prefix("int")
            .map(|name| name.trim_start_matches(char::is_numeric))
        {
            Some("gt" | "ge") => limit >= wide,
            Some("lt" | "le") => limit <= wide,
            _ => false,
        }
}

fn number(value: &Expr) -> Option<i64> {
    match value.without_relabel().kind {
        ExprKind::Constant(SqlValue::Integer(number)) => Some(number),
        _ => None,
    }
}
