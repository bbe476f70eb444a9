//! `SIMILAR TO`: its patterns as regular expressions.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, value, written};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_similar_to_escape_1", 1, |a| {
        written(expression(text(a, 0)?, Some('\\'))?)
    }),
    Scalar::pure("pg_similar_to_escape_2", 2, |a| {
        written(expression(text(a, 0)?, escape(text(a, 1)?)?)?)
    }),
    Scalar::pure("pg_similar_escape", 2, with_default).loose(),
    Scalar::pure("pg_substring_text_text_text", 3, |a| {
        let pattern = SqlValue::Text(expression(text(a, 1)?, escape(text(a, 2)?)?)?);
        super::functions::substring(&[value(a, 0), pattern.as_ref()])
    }),
];

/// A NULL in place of the escape character is the backslash.
fn with_default(arguments: &[SqlValueRef<'_>]) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let escape = match value(arguments, 1) {
        SqlValueRef::Null => Some('\\'),
        _ => escape(text(arguments, 1)?)?,
    };
    written(expression(text(arguments, 0)?, escape)?)
}

fn escape(text: &str) -> Result<Option<char>, ValueError> {
    let mut chars = text.chars();
    let first = chars.next();
    if chars.next().is_some() {
        return Err(
            ValueError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                .with_detail("Escape string must be empty or one character."),
        );
    }
    Ok(first)
}

/// The expression that matches what the pattern does. An escaped double quote ends a part of it:
/// what stands between two of them is what `substring` gives.
fn expression(pattern: &str, escape: Option<char>) -> Result<String, ValueError> {
    let mut out = String::from("^(?:");
    // What stands before the part is as short as it can be.
    let separator: Option<String> = escape.map(|escape| [escape, '"'].iter().collect());
    let has_part = separator.is_some_and(|separator| pattern.contains(&separator));
    let (mut after_escape, mut in_brackets, mut quotes) = (false, false, 0);
    for c in pattern.chars() {
        if std::mem::take(&mut after_escape) {
            match (c, quotes) {
                ('"', _) if in_brackets => out.push_str("\\\""),
                ('"', 0) => {
                    out.push_str("){1,1}?(");
                    quotes = 1;
                }
                ('"', 1) => {
                    out.push_str("){1,1}(?:");
                    quotes = 2;
                }
                ('"', _) => {
                    return fail(
                        SqlState::INVALID_USE_OF_ESCAPE_CHARACTER,
                        "SQL regular expression may not contain more than two escape-double-quote separators",
                    );
                }
                (c, _) => {
                    out.push('\\');
                    out.push(c);
                }
            }
        } else if Some(c) == escape {
            after_escape = true;
        } else if in_brackets {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            in_brackets = c != ']';
        } else {
            let shortest = if has_part && quotes == 0 { "?" } else { "" };
            match c {
                '[' => {
                    out.push('[');
                    in_brackets = true;
                }
                '%' => out.push_str(&format!(".*{shortest}")),
                '*' | '+' | '?' | '}' => out.push_str(&format!("{c}{shortest}")),
                '_' => out.push('.'),
                '(' => out.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
    }
    out.push_str(")$");
    Ok(out)
}
