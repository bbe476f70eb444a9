//! Matching, finding and replacing.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, count, integer, text, value, whole, written};
use crate::error::fail;
use crate::regexp::cache::compiled;
use crate::regexp::flags::Flags;
use crate::regexp::matches::{flags, from};
use crate::registry::Scalar;
use crate::text::byte_of;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_textregexeq", 2, |a| boolean(matched(a, false)?)),
    Scalar::pure("pg_textregexne", 2, |a| boolean(!matched(a, false)?)),
    Scalar::pure("pg_texticregexeq", 2, |a| boolean(matched(a, true)?)),
    Scalar::pure("pg_texticregexne", 2, |a| boolean(!matched(a, true)?)),
    Scalar::pure("pg_nameregexeq", 2, |a| boolean(matched(a, false)?)),
    Scalar::pure("pg_nameregexne", 2, |a| boolean(!matched(a, false)?)),
    Scalar::pure("pg_nameicregexeq", 2, |a| boolean(matched(a, true)?)),
    Scalar::pure("pg_nameicregexne", 2, |a| boolean(!matched(a, true)?)),
    Scalar::pure("pg_textregexsubstr", 2, substring),
    Scalar::pure("pg_textregexreplace_noopt", 3, |a| replaced(a, None, 1)),
    Scalar::pure("pg_textregexreplace", 4, replaced_with_flags),
    Scalar::pure("pg_textregexreplace_extended_no_n", 4, |a| {
        replaced(a, Some(3), 1)
    }),
    Scalar::pure("pg_textregexreplace_extended_no_flags", 5, replaced_nth),
    Scalar::pure("pg_textregexreplace_extended", 6, replaced_nth),
    Scalar::pure("pg_regexp_like", 3, like),
    Scalar::pure("pg_regexp_like_no_flags", 2, like),
    Scalar::pure("pg_regexp_count", 4, counted),
    Scalar::pure("pg_regexp_count_no_flags", 3, counted),
    Scalar::pure("pg_regexp_count_no_start", 2, counted),
    Scalar::pure("pg_regexp_instr", 7, place),
    Scalar::pure("pg_regexp_instr_no_subexpr", 6, place),
    Scalar::pure("pg_regexp_instr_no_flags", 5, place),
    Scalar::pure("pg_regexp_instr_no_endoption", 4, place),
    Scalar::pure("pg_regexp_instr_no_n", 3, place),
    Scalar::pure("pg_regexp_instr_no_start", 2, place),
    Scalar::pure("pg_regexp_substr", 6, part),
    Scalar::pure("pg_regexp_substr_no_subexpr", 5, part),
    Scalar::pure("pg_regexp_substr_no_flags", 4, part),
    Scalar::pure("pg_regexp_substr_no_n", 3, part),
    Scalar::pure("pg_regexp_substr_no_start", 2, part),
];

fn matched(arguments: &[SqlValueRef<'_>], any_case: bool) -> Result<bool, ValueError> {
    let flags = Flags {
        any_case,
        ..Flags::default()
    };
    Ok(compiled(text(arguments, 1)?, flags)?.is_match(text(arguments, 0)?))
}

/// `substring(text from pattern)`: the first group, or the whole match.
pub(super) fn substring(arguments: &[SqlValueRef<'_>]) -> Answer {
    let regex = compiled(text(arguments, 1)?, Flags::default())?;
    let captures = regex.captures(text(arguments, 0)?);
    let group = usize::from(regex.captures_len() > 1);
    match captures.and_then(|captures| captures.get(group)) {
        Some(found) => written(found.as_str()),
        None => Ok(SqlValue::Null),
    }
}

/// A number that must not be less than a bound; 1 where there is no such argument.
fn nth(
    arguments: &[SqlValueRef<'_>],
    at: usize,
    name: &str,
    least: i64,
) -> Result<i64, ValueError> {
    if at >= arguments.len() {
        return Ok(1);
    }
    let number = integer(arguments, at)?;
    if number < least {
        return fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"{name}\": {number}"),
        );
    }
    Ok(number)
}

/// The byte where the search begins, by the number of a character.
fn start(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Option<usize>, ValueError> {
    let start = nth(arguments, at, "start", 1)?;
    let value = text(arguments, 0)?;
    let skipped = usize::try_from(start - 1).unwrap_or(usize::MAX);
    // Behind the last character an empty match may be; not further on.
    if skipped > value.chars().count() {
        return Ok(None);
    }
    Ok(Some(byte_of(value, skipped)))
}

fn replaced_with_flags(arguments: &[SqlValueRef<'_>]) -> Answer {
    let flags = text(arguments, 3)?;
    if flags.starts_with(|c: char| c.is_ascii_digit()) {
        let letter = flags.chars().next().unwrap_or('0');
        return Err(ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid regular expression option: \"{letter}\""),
        )
        .with_detail("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
    }
    replaced(arguments, None, 1)
}

fn replaced_nth(arguments: &[SqlValueRef<'_>]) -> Answer {
    nth(arguments, 3, "start", 1)?;
    replaced(arguments, Some(3), nth(arguments, 4, "n", 0)?)
}

/// Replaces the match of a number, or all of them for 0 and with the flag `g`.
fn replaced(arguments: &[SqlValueRef<'_>], start_at: Option<usize>, number: i64) -> Answer {
    let flags_at = match start_at {
        None => 3,
        Some(_) => 5,
    };
    let flags = flags(arguments, flags_at)?;
    let all = number == 0 || (flags.global && arguments.len() != 6);
    let begin = match start_at {
        Some(at) => start(arguments, at)?,
        None => Some(0),
    };
    let value = text(arguments, 0)?;
    let regex = compiled(text(arguments, 1)?, flags)?;
    let template = text(arguments, 2)?;
    let Some(begin) = begin else {
        return written(value);
    };
    let mut out = String::new();
    let (mut copied, mut seen) = (0, 0);
    from(&regex, value, begin, |captures| {
        seen += 1;
        if !all && seen < number {
            return true;
        }
        if let Some(found) = captures.get(0) {
            out.push_str(value.get(copied..found.start()).unwrap_or_default());
            put_replacement(captures, template, &mut out);
            copied = found.end();
        }
        all
    });
    out.push_str(value.get(copied..).unwrap_or_default());
    written(out)
}

/// `\1` to `\9` are groups, `\&` the whole match, `\\` a backslash.
fn put_replacement(captures: &regex::Captures<'_>, template: &str, out: &mut String) {
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('&') => out.push_str(captures.get(0).map_or("", |found| found.as_str())),
            Some(digit @ '1'..='9') => {
                let group = digit
                    .to_digit(10)
                    .and_then(|digit| usize::try_from(digit).ok());
                let found = group.and_then(|group| captures.get(group));
                out.push_str(found.map_or("", |found| found.as_str()));
            }
            Some('\\') | None => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}

fn like(arguments: &[SqlValueRef<'_>]) -> Answer {
    let flags = flags(arguments, 2)?.without_global("regexp_like()")?;
    boolean(compiled(text(arguments, 1)?, flags)?.is_match(text(arguments, 0)?))
}

fn counted(arguments: &[SqlValueRef<'_>]) -> Answer {
    let start = start(arguments, 2)?;
    let flags = flags(arguments, 3)?.without_global("regexp_count()")?;
    let regex = compiled(text(arguments, 1)?, flags)?;
    let mut found = 0;
    if let Some(start) = start {
        from(&regex, text(arguments, 0)?, start, |_| {
            found += 1;
            true
        });
    }
    whole(found)
}

/// The bytes of a group of the match of a number.
fn found(
    arguments: &[SqlValueRef<'_>],
    start: Option<usize>,
    number: i64,
    flags: Flags,
    group: i64,
) -> Result<Option<std::ops::Range<usize>>, ValueError> {
    let regex = compiled(text(arguments, 1)?, flags)?;
    let group = match usize::try_from(group) {
        // A match without groups is its own first.
        Ok(1) if regex.captures_len() == 1 => 0,
        Ok(group) => group,
        Err(_) => usize::MAX,
    };
    let (Some(start), true) = (start, group < regex.captures_len()) else {
        return Ok(None);
    };
    let mut seen = 0;
    let mut range = None;
    from(&regex, text(arguments, 0)?, start, |captures| {
        seen += 1;
        if seen == number {
            range = captures.get(group).map(|group| group.range());
        }
        seen < number
    });
    Ok(range)
}

/// `regexp_instr(text, pattern, start, n, endoption, flags, subexpr)`
fn place(arguments: &[SqlValueRef<'_>]) -> Answer {
    let start = start(arguments, 2)?;
    let number = nth(arguments, 3, "n", 1)?;
    let behind = match arguments.get(4) {
        None => 0,
        Some(_) => integer(arguments, 4)?,
    };
    if !(0..=1).contains(&behind) {
        return fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"endoption\": {behind}"),
        );
    }
    let flags = flags(arguments, 5)?.without_global("regexp_instr()")?;
    let group = match value(arguments, 6) {
        SqlValueRef::Null => 0,
        _ => nth(arguments, 6, "subexpr", 0)?,
    };
    let Some(range) = found(arguments, start, number, flags, group)? else {
        return whole(0);
    };
    let at = if behind == 1 { range.end } else { range.start };
    let before = text(arguments, 0)?.get(..at).unwrap_or_default();
    count(before.chars().count() + 1)
}

/// `regexp_substr(text, pattern, start, n, flags, subexpr)`
fn part(arguments: &[SqlValueRef<'_>]) -> Answer {
    let start = start(arguments, 2)?;
    let number = nth(arguments, 3, "n", 1)?;
    let flags = flags(arguments, 4)?.without_global("regexp_substr()")?;
    let group = match value(arguments, 5) {
        SqlValueRef::Null => 0,
        _ => nth(arguments, 5, "subexpr", 0)?,
    };
    match found(arguments, start, number, flags, group)? {
        Some(range) => written(text(arguments, 0)?.get(range).unwrap_or_default()),
        None => Ok(SqlValue::Null),
    }
}
