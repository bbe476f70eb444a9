//! One line of a configuration file: its parts, and how a value is written in it.

use std::ops::Range;

/// Whether a comment line is the explained default of a key, `# Key = default`.
pub(crate) fn explains(line: &str, key: &str) -> bool {
    let line = line.trim_start();
    let Some(text) = line.strip_prefix(['#', ';']) else {
        return false;
    };
    text.split_once('=')
        .is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key))
}

/// Byte ranges of a line: (section, none) or (key, value); none for a blank or a comment.
pub(crate) type LineRanges = Option<(Range<usize>, Option<Range<usize>>)>;

pub(crate) fn split_line(line: &str) -> Result<LineRanges, String> {
    let text = line.trim();
    if text.is_empty() || text.starts_with(['#', ';']) {
        return Ok(None);
    }
    if text.contains('\0') {
        return Err("a NUL character can't stand in a configuration".to_owned());
    }
    if text.starts_with('[') {
        return split_head(line).map(|name| Some((name, None)));
    }
    let Some(equals) = line.find('=') else {
        return Err("expected `key = value` or `[section]`".to_owned());
    };
    let name = trimmed(line, 0..equals);
    if name.is_empty() {
        return Err("there is no key before the `=`".to_owned());
    }
    if line
        .get(name.clone())
        .is_some_and(|key| key.contains(['#', ';', '"']))
    {
        return Err("a key can't hold `#`, `;` or quotes".to_owned());
    }
    let value = split_value(line, equals + 1)?;
    Ok(Some((name, Some(value))))
}

fn split_head(line: &str) -> Result<Range<usize>, String> {
    let (Some(open), Some(close)) = (line.find('['), line.find(']')) else {
        return Err("the closing `]` of the section is missing".to_owned());
    };
    only_comment(line.get(close + 1..).unwrap_or_default(), "`]`")?;
    let name = trimmed(line, open + 1..close);
    if name.is_empty()
        || line
            .get(name.clone())
            .is_some_and(|name| name.contains('['))
    {
        return Err("this is no name of a section".to_owned());
    }
    Ok(name)
}

fn split_value(line: &str, start: usize) -> Result<Range<usize>, String> {
    let value = trimmed(line, start..line.len());
    let text = line.get(value.clone()).unwrap_or_default();
    if let Some(inside) = text.strip_prefix('"') {
        let Some(length) = inside.find('"') else {
            return Err("the closing quote is missing".to_owned());
        };
        only_comment(
            inside.get(length + 1..).unwrap_or_default(),
            "the closing quote",
        )?;
        return Ok(value.start..value.start + length + 2);
    }
    let end = text.find(['#', ';']).unwrap_or(text.len());
    if end == 0 {
        // A value that is given later stands in front of the blanks before the comment.
        return Ok(start..start);
    }
    let value = trimmed(line, value.start..value.start + end);
    if line
        .get(value.clone())
        .is_some_and(|text| text.contains('"'))
    {
        return Err("quotes must enclose the whole value".to_owned());
    }
    Ok(value)
}

fn only_comment(rest: &str, after: &str) -> Result<(), String> {
    let rest = rest.trim();
    if rest.is_empty() || rest.starts_with(['#', ';']) {
        return Ok(());
    }
    Err(format!("only a comment may follow {after}"))
}

/// The range without white space at both its ends. What is all white space is empty where it begins:
/// before the line's end.
fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let text = line.get(range.clone()).unwrap_or_default();
    if text.trim().is_empty() {
        return range.start..range.start;
    }
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

/// A value without its quotes.
pub(crate) fn unquote(raw: &str) -> &str {
    raw.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(raw)
}

/// A value as it must be written, in quotes where it would be read differently without.
pub(crate) fn quote(value: &str) -> Result<String, String> {
    if value.contains(['\n', '\r', '\0', '"']) {
        return Err("a value can't hold a line end, a NUL or a double quote".to_owned());
    }
    if value.contains(['#', ';']) || value.trim() != value {
        return Ok(format!("\"{value}\""));
    }
    Ok(value.to_owned())
}
