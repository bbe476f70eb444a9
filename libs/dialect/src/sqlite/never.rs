//! Calls that are never made: a strict function of a NULL gives NULL, whatever its other arguments are.

use pgtypes::SqlValue;

use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::{FunctionKind, Volatility};
use crate::sqlite::fold::folded;

/// Whether a call gives NULL without being made, so that no error in a row's other values is told. Errors of constants
/// are, as PostgreSQL computes those while it plans.
pub(crate) fn is_null(call: &Call) -> bool {
    let function = call.function;
    function.strict
        && function.kind == FunctionKind::Scalar
        && !function.returns_set
        && call.arguments.len() > 1
        && call.arguments.iter().any(is_null_constant)
        && call.arguments.iter().all(may_be_left_out)
}

fn is_null_constant(value: &Expr) -> bool {
    matches!(
        value.without_relabel().kind,
        ExprKind::Constant(SqlValue::Null)
    )
}

/// Without an effect, and without a constant that could fail. An aggregate makes groups of its rows even where nobody
/// looks at it.
fn may_be_left_out(value: &Expr) -> bool {
    let mut may = true;
    value.visit(&mut |part| {
        may &= match &part.kind {
            ExprKind::Aggregate(_) | ExprKind::Window(_) | ExprKind::Grouping(_) => false,
            ExprKind::Call(call) => {
                call.function.volatility != Volatility::Volatile
                    && (folded(call).is_some() || names_a_column(part))
            }
            ExprKind::ViaText(_) => names_a_column(part),
            _ => true,
        };
    });
    may
}

fn names_a_column(value: &Expr) -> bool {
    value
        .find(&|part| matches!(part.kind, ExprKind::Column(_)))
        .is_some()
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn a_strict_function_of_null_leaves_values_of_rows_uncomputed() {
        let text = printed("SELECT NULL::int + 1 / a AS b FROM (VALUES (0)) AS v (a)");
        assert!(text.starts_with("SELECT NULL AS \"b\""), "{text}");
    }

    #[test]
    fn constants_beside_a_null_are_computed() {
        for sql in [
            "SELECT NULL::int + 1 / 0 AS b",
            "SELECT NULL::int + (a + 1 / 0) AS b FROM (VALUES (0)) AS v (a)",
        ] {
            let text = printed(sql);
            assert!(!text.starts_with("SELECT NULL"), "{text}");
        }
    }

    #[test]
    fn an_aggregate_beside_a_null_still_makes_one_row() {
        let text = printed("SELECT NULL::int8 + count(*) AS b FROM (VALUES (0)) AS v (a)");
        assert!(text.contains("count"), "{text}");
    }
}
