//! Patterns: ILIKE (SQLite's MATCH) and the regular expressions of `~`.

use std::cell::RefCell;

use pgtypes::SqlState;
use regex::{Regex, RegexBuilder};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;

type Result = std::result::Result<Value, DialectError>;

thread_local! {
    /// The pattern that ran last: a query uses one for all its rows.
    static LAST: RefCell<Option<(String, Regex)>> = const { RefCell::new(None) };
}

fn with<T>(pattern: &str, run: impl FnOnce(&Regex) -> T) -> std::result::Result<T, DialectError> {
    LAST.with(|last| {
        let mut last = last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| known != pattern) {
            let compiled = RegexBuilder::new(pattern)
                .size_limit(10 << 20)
                .nest_limit(50)
                .build();
            let regex = compiled.map_err(|error| {
                DialectError::new(
                    SqlState::INVALID_REGULAR_EXPRESSION,
                    format!("invalid regular expression: {error}"),
                )
            })?;
            *last = Some((pattern.to_owned(), regex));
        }
        match last.as_ref() {
            Some((_, regex)) => Ok(run(regex)),
            None => Err(DialectError::new(
                SqlState::INVALID_REGULAR_EXPRESSION,
                "invalid regular expression",
            )),
        }
    })
}

fn argument(arguments: &[Value], at: usize) -> String {
    arguments.get(at).map(text_of).unwrap_or_default()
}

/// `text REGEXP pattern`: called with the pattern first.
pub(crate) fn regexp(arguments: &[Value]) -> Result {
    let found = with(&argument(arguments, 0), |regex| {
        regex.is_match(&argument(arguments, 1))
    })?;
    Ok(Value::Integer(i64::from(found)))
}

/// substring(text from pattern): the first group, or the whole match.
pub(crate) fn substring(arguments: &[Value]) -> Result {
    let text = argument(arguments, 0);
    with(&argument(arguments, 1), |regex| {
        let found = regex
            .captures(&text)
            .and_then(|captures| captures.get(1).or_else(|| captures.get(0)));
        found.map_or(Value::Null, |found| Value::Text(found.as_str().to_owned()))
    })
}

/// `regexp_replace(text`, pattern, replacement [, flags]): `\1` and `\&` refer to groups; flags g and i.
pub(crate) fn replace(arguments: &[Value]) -> Result {
    let (text, flags) = (argument(arguments, 0), argument(arguments, 3));
    let prefix = if flags.contains('i') { "(?i)" } else { "" };
    let mut replacement = String::new();
    let template = argument(arguments, 2);
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => replacement.push_str("$$"),
            '\\' => match chars.next() {
                Some('&') => replacement.push_str("${0}"),
                Some(digit) if digit.is_ascii_digit() => {
                    replacement.push_str("${");
                    replacement.push(digit);
                    replacement.push('}');
                }
                Some(other) => replacement.push(other),
                None => {}
            },
            c => replacement.push(c),
        }
    }
    let limit = usize::from(!flags.contains('g'));
    with(&format!("{prefix}{}", argument(arguments, 1)), |regex| {
        Value::Text(
            regex
                .replacen(&text, limit, replacement.as_str())
                .into_owned(),
        )
    })
}

/// `text ILIKE pattern [ESCAPE c]`: called with the pattern first. Linear in the text for each `%`.
pub(crate) fn ilike(arguments: &[Value]) -> Result {
    let escape = argument(arguments, 2).chars().next();
    let escape = if arguments.len() > 2 {
        escape
    } else {
        Some('\\')
    };
    let pattern = elements(&argument(arguments, 0).to_lowercase(), escape)?;
    let text: Vec<char> = argument(arguments, 1).to_lowercase().chars().collect();
    Ok(Value::Integer(i64::from(matches(&pattern, &text))))
}

enum Element {
    Any,
    One,
    Exact(char),
}

fn elements(
    pattern: &str,
    escape: Option<char>,
) -> std::result::Result<Vec<Element>, DialectError> {
    let mut out = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let error = || {
                DialectError::new(
                    SqlState::INVALID_ESCAPE_SEQUENCE,
                    "LIKE pattern must not end with escape character",
                )
            };
            out.push(Element::Exact(chars.next().ok_or_else(error)?));
        } else {
            out.push(match c {
                '%' => Element::Any,
                '_' => Element::One,
                c => Element::Exact(c),
            });
        }
    }
    Ok(out)
}

/// Greedy matching with one point of return: the last `%`.
fn matches(pattern: &[Element], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        let fits = match (pattern.get(p), text.get(t)) {
            (Some(Element::Any), _) => {
                back = Some((p + 1, t));
                p += 1;
                continue;
            }
            (Some(Element::One), _) => true,
            (Some(Element::Exact(wanted)), Some(c)) => wanted == c,
            _ => false,
        };
        if fits {
            p += 1;
            t += 1;
        } else if let Some((pattern_at, text_at)) = back {
            p = pattern_at;
            t = text_at + 1;
            back = Some((pattern_at, t));
        } else {
            return false;
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|element| matches!(element, Element::Any)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Vec<Value> {
        texts
            .iter()
            .map(|text| Value::Text((*text).to_owned()))
            .collect()
    }

    #[test]
    fn ilike_ignores_case_and_knows_escapes() {
        for (pattern, text, expected) in [
            ("%b_D%", "aBcde", 1),
            ("A%", "abc", 1),
            ("a\\%", "a%", 1),
            ("a\\%", "ab", 0),
            ("%a%b", "aab", 1),
            ("", "", 1),
            ("_", "", 0),
        ] {
            assert_eq!(
                ilike(&values(&[pattern, text])),
                Ok(Value::Integer(expected)),
                "{pattern} {text}"
            );
        }
        assert_eq!(
            ilike(&values(&["a\\", "a"])).unwrap_err().sqlstate,
            SqlState::INVALID_ESCAPE_SEQUENCE
        );
    }

    #[test]
    fn regular_expressions_match_replace_and_cut() {
        assert_eq!(
            regexp(&values(&["^(a|b)+$", "abba"])),
            Ok(Value::Integer(1))
        );
        assert_eq!(
            regexp(&values(&["^\\w+\\d$", "Größe٣"])),
            Ok(Value::Integer(1))
        );
        assert_eq!(regexp(&values(&["(?i)^ÄÖ$", "äö"])), Ok(Value::Integer(1)));
        assert_eq!(
            substring(&values(&["foobar", "o(.)b"])),
            Ok(Value::Text("o".into()))
        );
        assert_eq!(
            replace(&values(&["foobarbaz", "b(..)", "X\\1Y", "g"])),
            Ok(Value::Text("fooXarYXazY".into()))
        );
        assert_eq!(
            replace(&values(&["foobarbaz", "b..", "$1"])),
            Ok(Value::Text("foo$1baz".into()))
        );
        assert_eq!(
            regexp(&values(&["(", "x"])).unwrap_err().sqlstate,
            SqlState::INVALID_REGULAR_EXPRESSION
        );
    }
}
