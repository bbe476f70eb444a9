//! Compiled expressions: a statement uses one for all its rows.

use std::cell::RefCell;
use std::rc::Rc;

use pgtypes::{SqlState, ValueError};
use regex::{Regex, RegexBuilder};

use crate::regexp::flags::Flags;
use crate::regexp::translate::translate;

/// Expressions that a thread keeps, the one used last at the end.
const KEPT: usize = 16;
/// Bytes that a compiled expression may have.
const LARGEST: usize = 10 << 20;
/// How deep groups may stand in each other.
const DEEPEST: u32 = 100;

type Entry = (String, Flags, Rc<Regex>);

thread_local! {
    static COMPILED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The compiled expression of a pattern.
pub(super) fn compiled(pattern: &str, flags: Flags) -> Result<Rc<Regex>, ValueError> {
    COMPILED.with_borrow_mut(|kept| {
        let known = kept
            .iter()
            .position(|(text, known, _)| text == pattern && *known == flags);
        let entry = match known {
            Some(at) => kept.remove(at),
            None => (pattern.to_owned(), flags, Rc::new(compile(pattern, flags)?)),
        };
        let regex = Rc::clone(&entry.2);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(entry);
        Ok(regex)
    })
}

fn compile(pattern: &str, flags: Flags) -> Result<Regex, ValueError> {
    let (translated, flags) = translate(pattern, flags)?;
    RegexBuilder::new(&translated)
        .case_insensitive(flags.any_case)
        .dot_matches_new_line(!flags.dot_stops)
        .multi_line(flags.lines)
        .size_limit(LARGEST)
        .nest_limit(DEEPEST)
        .build()
        .map_err(|error| invalid(reason(&error)))
}

/// `invalid regular expression: …`, 2201B.
pub(super) fn invalid(reason: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_REGULAR_EXPRESSION,
        format!("invalid regular expression: {reason}"),
    )
}

/// PostgreSQL's words for what is wrong.
fn reason(error: &regex::Error) -> &'static str {
    let text = match error {
        regex::Error::Syntax(text) => text.as_str(),
        _ => return "regular expression is too complex",
    };
    let known = [
        ("unclosed group", "parentheses () not balanced"),
        ("unopened group", "parentheses () not balanced"),
        ("unclosed character class", "brackets [] not balanced"),
        ("unclosed counted repetition", "braces {} not balanced"),
        ("repetition operator missing", "quantifier operand invalid"),
        ("repetition", "invalid repetition count(s)"),
        ("decimal", "invalid repetition count(s)"),
        ("class range", "invalid character range"),
        ("class", "invalid character class"),
        ("escape", "invalid escape \\ sequence"),
        ("nest", "regular expression is too complex"),
    ];
    known
        .into_iter()
        .find(|(part, _)| text.contains(part))
        .map_or("invalid pattern", |(_, reason)| reason)
}
