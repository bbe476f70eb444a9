//! What printed statements need around their rows: checked numbers for LIMIT and OFFSET, the step of a series, an array
//! as a table of its elements.

use pgtypes::json::{self, document};
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, integer, text, whole, written};
use crate::array::Array;
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_limit", 1, |a| {
        let refusal = (SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT");
        row_count(a, -1, refusal)
    })
    .loose(),
    Scalar::pure("pg_offset", 1, |a| {
        let refusal = (
            SqlState::INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
            "OFFSET",
        );
        row_count(a, 0, refusal)
    })
    .loose(),
    Scalar::pure("pg_series_step", 1, |a| match integer(a, 0)? {
        0 => fail(
            SqlState::INVALID_PARAMETER_VALUE,
            "step size cannot equal zero",
        ),
        step => whole(step),
    }),
    Scalar::pure("pg_percentile", 2, |a| {
        if !crate::arguments::value(a, 0).is_null() {
            crate::aggregate::fraction(a)?;
        }
        Ok(crate::arguments::value(a, 1).to_owned())
    })
    .loose(),
    // SQLite calls what always gives the same before it is known whether it is wanted.
    Scalar::pure("pg_not_null", 2, not_null).volatile(),
    Scalar::pure("pg_side_by_side", -1, side_by_side).loose(),
    Scalar::pure("pg_record_make", -1, record).loose(),
    Scalar::pure("pg_record_field", 2, field),
    Scalar::pure("pg_set_generate_subscripts", 3, |a| {
        written(json_numbers(&subscripts(a)?))
    }),
    Scalar::pure("pg_set_generate_subscripts_nodir", 2, |a| {
        written(json_numbers(&subscripts(a)?))
    }),
];

/// `pg_record_field(row, number)`: the text of a field, of the text of a row.
fn field(arguments: &[SqlValueRef<'_>]) -> Answer {
    let wanted = integer(arguments, 1)?;
    let row = text(arguments, 0)?;
    let inside = row.strip_prefix('(').and_then(|row| row.strip_suffix(')'));
    let mut field = String::new();
    let (mut number, mut quoted, mut any) = (0, false, false);
    let mut characters = inside.unwrap_or(row).chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            ',' if !quoted => {
                if number == wanted {
                    break;
                }
                number += 1;
                field.clear();
                any = false;
            }
            // A quote within quotes is doubled.
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '\\' => field.extend(characters.next()),
            c => field.push(c),
        }
    }
    // Nothing at all is NULL.
    if number != wanted || (field.is_empty() && !any) {
        return Ok(SqlValue::Null);
    }
    written(field)
}

/// The texts of a row's fields, of which there must be so many.
///
/// Errors: 22P02.
pub fn record_fields(text: &str, count: usize) -> Result<Vec<Option<String>>, ValueError> {
    let malformed = |detail: &str| {
        let message = format!("malformed record literal: \"{text}\"");
        ValueError::new(SqlState::INVALID_TEXT_REPRESENTATION, message).with_detail(detail)
    };
    let inside = text.trim_start().strip_prefix('(');
    let inside = inside.ok_or_else(|| malformed("Missing left parenthesis."))?;
    let mut fields = Vec::with_capacity(count);
    let mut characters = inside.chars().peekable();
    loop {
        let (mut field, mut quoted, mut any) = (String::new(), false, false);
        let end = loop {
            let c = characters
                .next()
                .ok_or_else(|| malformed("Unexpected end of input."))?;
            match c {
                ',' | ')' if !quoted => break c,
                '"' if quoted && characters.peek() == Some(&'"') => {
                    field.push('"');
                    characters.next();
                }
                '"' => (quoted, any) = (!quoted, true),
                '\\' => {
                    let next = characters.next();
                    field.push(next.ok_or_else(|| malformed("Unexpected end of input."))?);
                }
                c => field.push(c),
            }
        };
        fields.push((any || !field.is_empty()).then_some(field));
        if end == ')' {
            break;
        }
        if fields.len() == count {
            return Err(malformed("Too many columns."));
        }
    }
    if characters.any(|c| !c.is_whitespace()) {
        return Err(malformed("Junk after right parenthesis."));
    }
    if fields.len() == count {
        Ok(fields)
    } else {
        Err(malformed("Too few columns."))
    }
}

/// The numbers of an array's elements in a dimension, the last first where the third argument says so.
fn subscripts(arguments: &[SqlValueRef<'_>]) -> Result<Vec<i64>, ValueError> {
    let array = Array::parse(text(arguments, 0)?)?;
    let dimension = integer(arguments, 1)?.checked_sub(1);
    let Some(dimension) = dimension.and_then(|at| usize::try_from(at).ok()) else {
        return Ok(Vec::new());
    };
    let Some(length) = array.lengths().get(dimension).copied() else {
        return Ok(Vec::new());
    };
    let first = array.lower_bound(dimension);
    let numbers = (first..).take(length);
    let turned = matches!(arguments.get(2), Some(SqlValueRef::Integer(1)));
    let mut numbers: Vec<i64> = numbers.collect();
    if turned {
        numbers.reverse();
    }
    Ok(numbers)
}

fn json_numbers(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Refuses NULL for a column of a table, which takes none.
fn not_null(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (column, table) = (text(arguments, 0)?, text(arguments, 1)?);
    fail(
        SqlState::NOT_NULL_VIOLATION,
        format!(
            "null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"
        ),
    )
}

/// A number of rows; NULL stands for `none`.
fn row_count(
    arguments: &[SqlValueRef<'_>],
    none: i64,
    (state, clause): (SqlState, &str),
) -> Answer {
    match arguments.first() {
        None | Some(SqlValueRef::Null) => whole(none),
        _ => match integer(arguments, 0)? {
            rows if rows < 0 => fail(state, format!("{clause} must not be negative")),
            rows => whole(rows),
        },
    }
}

/// The text of a row, of the texts of its fields: NULL is nothing, what could be mistaken is in quotes.
fn record(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut fields = Vec::with_capacity(arguments.len());
    for at in 0..arguments.len() {
        fields.push(match arguments.get(at) {
            None | Some(SqlValueRef::Null) => None,
            Some(_) => Some(text(arguments, at)?),
        });
    }
    written(record_text(fields.into_iter()))
}

/// The text of a row, of the texts of its fields.
pub(crate) fn record_text<'a>(fields: impl Iterator<Item = Option<&'a str>>) -> String {
    let mut out = String::from("(");
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        let Some(field) = field else {
            continue;
        };
        let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || c.is_whitespace();
        if !field.is_empty() && !field.contains(special) {
            out.push_str(field);
            continue;
        }
        out.push('"');
        for c in field.chars() {
            if matches!(c, '"' | '\\') {
                out.push(c);
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push(')');
    out
}

/// `pg_side_by_side(rows, …)`: of JSON arrays one of arrays, with null behind the last element of a shorter one.
fn side_by_side(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut lists = Vec::with_capacity(arguments.len());
    for at in 0..arguments.len() {
        lists.push(match arguments.get(at) {
            Some(SqlValueRef::Null) | None => Vec::new(),
            Some(_) => match document(text(arguments, at)?)?.value {
                json::Value::Array(elements) => elements,
                _ => Vec::new(),
            },
        });
    }
    let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut out = String::from("[");
    for row in 0..rows {
        out.push_str(if row == 0 { "[" } else { ",[" });
        for (at, list) in lists.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(list.get(row).map_or("null", |element| element.text));
        }
        out.push(']');
    }
    out.push(']');
    written(out)
}
