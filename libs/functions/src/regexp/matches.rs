//! All matches of an expression: the groups of each, and the pieces between them.

use pgtypes::json::quoted;
use pgtypes::{SqlValue, SqlValueRef, ValueError};
use regex::{Captures, Regex};

use crate::arguments::{Answer, text, value, written};
use crate::array;
use crate::regexp::cache::compiled;
use crate::regexp::flags::Flags;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_regexp_match", 3, first),
    Scalar::pure("pg_regexp_match_no_flags", 2, first),
    Scalar::pure("pg_set_regexp_matches", 3, all),
    Scalar::pure("pg_set_regexp_matches_no_flags", 2, all),
    Scalar::pure("pg_regexp_split_to_array", 3, split_to_array),
    Scalar::pure("pg_regexp_split_to_array_no_flags", 2, split_to_array),
    Scalar::pure("pg_set_regexp_split_to_table", 3, split_to_rows),
    Scalar::pure("pg_set_regexp_split_to_table_no_flags", 2, split_to_rows),
];

/// The matches from a byte on. One that is empty is followed by a search from the next character.
pub(super) fn from<'t>(
    regex: &Regex,
    text: &'t str,
    start: usize,
    mut visit: impl FnMut(&Captures<'t>) -> bool,
) {
    let mut at = start;
    while at <= text.len() {
        let Some(captures) = regex.captures_at(text, at) else {
            return;
        };
        let Some(whole) = captures.get(0) else {
            return;
        };
        if !visit(&captures) {
            return;
        }
        at = whole.end();
        if whole.is_empty() {
            let next = text.get(at..).and_then(|rest| rest.chars().next());
            at += next.map_or(1, char::len_utf8);
        }
    }
}

/// The flags in an argument, none where there is no such argument.
pub(super) fn flags(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Flags, ValueError> {
    if value(arguments, at).is_null() {
        return Ok(Flags::default());
    }
    Flags::parse(text(arguments, at)?)
}

/// The groups of a match, or all of it where there are none, as an array.
fn groups(captures: &Captures<'_>) -> String {
    let skipped = usize::from(captures.len() > 1);
    let groups = captures.iter().skip(skipped);
    array::text_of(groups.map(|group| group.map(|group| group.as_str())))
}

fn first(arguments: &[SqlValueRef<'_>]) -> Answer {
    let flags = flags(arguments, 2)?.without_global("regexp_match()")?;
    let regex = compiled(text(arguments, 1)?, flags)?;
    match regex.captures(text(arguments, 0)?) {
        Some(captures) => written(groups(&captures)),
        None => Ok(SqlValue::Null),
    }
}

fn all(arguments: &[SqlValueRef<'_>]) -> Answer {
    let flags = flags(arguments, 2)?;
    let regex = compiled(text(arguments, 1)?, flags)?;
    let mut rows = Vec::new();
    from(&regex, text(arguments, 0)?, 0, |captures| {
        rows.push(quoted(&groups(captures)));
        flags.global
    });
    written(format!("[{}]", rows.join(",")))
}

/// The pieces between matches. An empty match at either end, or just behind another, splits
/// nothing off.
fn pieces<'a>(arguments: &[SqlValueRef<'a>], function: &str) -> Result<Vec<&'a str>, ValueError> {
    let flags = flags(arguments, 2)?.without_global(function)?;
    let regex = compiled(text(arguments, 1)?, flags)?;
    let whole = text(arguments, 0)?;
    let mut pieces = Vec::new();
    let mut begin = 0;
    from(&regex, whole, 0, |captures| {
        if let Some(found) = captures.get(0)
            && found.start() < whole.len()
            && found.end() > begin
        {
            pieces.push(whole.get(begin..found.start()).unwrap_or_default());
            begin = found.end();
        }
        true
    });
    pieces.push(whole.get(begin..).unwrap_or_default());
    Ok(pieces)
}

fn split_to_array(arguments: &[SqlValueRef<'_>]) -> Answer {
    let pieces = pieces(arguments, "regexp_split_to_array()")?;
    written(array::text_of(pieces.into_iter().map(Some)))
}

fn split_to_rows(arguments: &[SqlValueRef<'_>]) -> Answer {
    let pieces = pieces(arguments, "regexp_split_to_table()")?;
    let rows: Vec<String> = pieces.into_iter().map(quoted).collect();
    written(format!("[{}]", rows.join(",")))
}
