//! Casts of constants to texts, done before SQLite sees them: a default that SQLite is to know for rows that are there
//! must be a literal.

use functions::{Body, Scalar};
use pgtypes::{SqlValue, SqlValueRef};

use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::error::DialectError;
use crate::sqlite::form::{Form, form};

/// Casts to a length, a precision or a scale whose results are texts. What gives a number stays a call: behind ORDER BY
/// it would be taken for that of a column.
const CASTS: &[&str] = &[
    "varchar",
    "bpchar",
    "numeric",
    "interval_scale",
    "timetz_scale",
];

/// The text that a call gives; `None` where that is for SQLite to find out, and if it is an error.
pub(crate) fn folded(call: &Call) -> Option<String> {
    let value = match form(call.function) {
        Form::Cast("TEXT") => whole(call.arguments.first()?)?,
        Form::Registered => cast(call)?,
        _ => return None,
    };
    match value {
        SqlValue::Text(text) => Some(text),
        _ => None,
    }
}

/// Casts to a number of fewer digits.
const NARROWING: &[&str] = &[
    "i4toi2",
    "int82",
    "int84",
    "numeric_int2",
    "numeric_int4",
    "numeric_int8",
];

/// What is wrong with a constant: told before anything else of its statement is done, as the numbers of sequences are
/// taken for good.
pub(crate) fn refused(value: &Expr) -> Option<DialectError> {
    let call = match &value.without_relabel().kind {
        ExprKind::Call(call) => call,
        ExprKind::NotNull { operand, .. } => return refused(operand),
        _ => return None,
    };
    let source = call.function.source;
    if !NARROWING.contains(&source) && !CASTS.contains(&source) {
        return None;
    }
    let mut scalars = functions::scalars().iter();
    let scalar = scalars.find(|scalar| is_of(scalar, source, call.arguments.len()))?;
    let Body::Pure(body) = scalar.body else {
        return None;
    };
    let known = |argument: &Expr| constant(argument).or_else(|| number(argument));
    let arguments: Vec<SqlValue> = call.arguments.iter().map(known).collect::<Option<_>>()?;
    let arguments: Vec<_> = arguments.iter().map(SqlValue::as_ref).collect();
    if arguments.iter().any(|argument| argument.is_null()) {
        return None;
    }
    body(&arguments).err().map(DialectError::from)
}

/// The number that an expression of numbers gives, where it reads nothing; `None` also where it gives none.
pub(crate) fn number(value: &Expr) -> Option<SqlValue> {
    if value.ty.id.category() != 'N' {
        return None;
    }
    let call = match &value.without_relabel().kind {
        ExprKind::Constant(value) => return Some(value.clone()),
        // What has no arguments reads something else, as a clock.
        ExprKind::Call(call) if !call.arguments.is_empty() => call,
        _ => return None,
    };
    let arguments: Vec<SqlValue> = call.arguments.iter().map(number).collect::<Option<_>>()?;
    let mut scalars = functions::scalars().iter();
    let scalar = scalars.find(|scalar| is_of(scalar, call.function.source, arguments.len()))?;
    let Body::Pure(body) = scalar.body else {
        return None;
    };
    let arguments: Vec<_> = arguments.iter().map(SqlValue::as_ref).collect();
    if arguments.iter().any(|argument| argument.is_null()) {
        return None;
    }
    body(&arguments).ok()
}

fn whole(value: &Expr) -> Option<SqlValue> {
    match value.without_relabel().kind {
        ExprKind::Constant(SqlValue::Integer(number)) => Some(SqlValue::Text(number.to_string())),
        _ => None,
    }
}

fn cast(call: &Call) -> Option<SqlValue> {
    let source = call.function.source;
    if !CASTS.contains(&source) {
        return None;
    }
    let function = functions::scalars()
        .iter()
        .find(|scalar| is_of(scalar, source, call.arguments.len()))?;
    let Body::Pure(body) = function.body else {
        return None;
    };
    let values: Vec<SqlValue> = call.arguments.iter().map(constant).collect::<Option<_>>()?;
    let arguments: Vec<SqlValueRef<'_>> = values.iter().map(SqlValue::as_ref).collect();
    if arguments.iter().any(|argument| argument.is_null()) {
        return None;
    }
    body(&arguments).ok()
}

fn is_of(scalar: &Scalar, source: &str, arguments: usize) -> bool {
    let count = i32::try_from(arguments).ok();
    scalar.name.strip_prefix("pg_") == Some(source) && Some(scalar.arguments) == count
}

fn constant(value: &Expr) -> Option<SqlValue> {
    match &value.without_relabel().kind {
        ExprKind::Constant(value) => Some(value.clone()),
        ExprKind::Call(call) => folded(call).map(SqlValue::Text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn a_constant_of_a_length_or_scale_is_a_literal() {
        for (expression, literal) in [
            ("'abc'::varchar(2)", "'ab'"),
            ("'ab '::char(5)", "'ab'"),
            ("1::numeric(5,2)", "'1.00'"),
            ("1.005::numeric(5,2)", "'1.01'"),
            ("'10:00:00.126+01'::timetz::timetz(2)", "'10:00:00.13+01'"),
        ] {
            let text = printed(&format!("SELECT {expression} AS a"));
            assert_eq!(text, format!("SELECT {literal} AS \"a\""), "{expression}");
        }
    }

    #[test]
    fn a_number_of_four_bytes_is_not_taken_without_its_sign() {
        let text = printed("SELECT '4294967295'::oid::int4::numeric AS a");
        assert!(text.contains("<< 32) >> 32"), "{text}");
    }

    #[test]
    fn what_would_be_an_error_is_left_to_the_run() {
        assert_eq!(
            printed("SELECT 1000::numeric(5,3) AS a"),
            "SELECT pg_numeric('1000', 327687) AS \"a\""
        );
    }
}
