//! Names in SQL's notation taken apart.

use pgtypes::array::{Array, Element};
use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, truth, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_parse_ident", 2, parse)];

fn parse(arguments: &[SqlValueRef<'_>]) -> Answer {
    let whole = text(arguments, 0)?;
    let strict = truth(arguments, 1)?;
    let invalid = |detail: Option<&str>| {
        let error = ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("string is not a valid identifier: \"{whole}\""),
        );
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    };
    let mut names = Vec::new();
    let mut rest = whole.trim_start_matches(is_space);
    let mut after_dot = false;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (name, behind) = quoted_name(quoted)
                .ok_or_else(|| invalid(Some("String has unclosed double quotes.")))?;
            if name.is_empty() {
                return Err(invalid(Some("Quoted identifier must not be empty.")));
            }
            names.push(name);
            rest = behind;
        } else {
            let end = rest
                .char_indices()
                .find(|(at, c)| !is_name(*c, *at == 0))
                .map_or(rest.len(), |(at, _)| at);
            let (name, behind) = rest.split_at(end);
            if name.is_empty() {
                return Err(if rest.starts_with('.') {
                    invalid(Some("No valid identifier before \".\"."))
                } else if after_dot {
                    invalid(Some("No valid identifier after \".\"."))
                } else {
                    invalid(None)
                });
            }
            names.push(name.to_ascii_lowercase());
            rest = behind;
        }
        rest = rest.trim_start_matches(is_space);
        if let Some(behind) = rest.strip_prefix('.') {
            after_dot = true;
            rest = behind.trim_start_matches(is_space);
        } else if rest.is_empty() || !strict {
            break;
        } else {
            return Err(invalid(None));
        }
    }
    written(Array::new(names.into_iter().map(Element::Value).collect()))
}

/// The name up to the closing quotes, and what is behind them.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

fn is_name(c: char, first: bool) -> bool {
    c.is_ascii_alphabetic()
        || c == '_'
        || !c.is_ascii()
        || (!first && (c.is_ascii_digit() || c == '$'))
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlValueRef;

    use super::parse;

    #[test]
    fn names_are_folded_unless_quoted() {
        let parsed = |text: &str, strict: i64| {
            parse(&[SqlValueRef::Text(text), SqlValueRef::Integer(strict)])
                .map_or_else(|error| error.message, |value| format!("{value:?}"))
        };
        assert_eq!(
            parsed(" foo . \"Bar\"\"x\" ", 1),
            "Text(\"{foo,\\\"Bar\\\\\\\"x\\\"}\")"
        );
        assert_eq!(parsed("a.b rest", 0), "Text(\"{a,b}\")");
        assert_eq!(parsed("1a", 1), "string is not a valid identifier: \"1a\"");
    }
}
