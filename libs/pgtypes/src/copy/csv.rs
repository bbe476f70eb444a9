//! Fields of FORMAT csv: a delimiter between, quotes around what needs them.

use bytes::{BufMut, BytesMut};
use memchr::memchr2;

use super::error::CopyError;
use super::options::CopyOptions;
use super::row::Fields;

/// Takes a line apart, which may hold line ends inside quotes.
pub(super) fn split(
    line: &[u8],
    options: &CopyOptions,
    fields: &mut Fields,
) -> Result<(), CopyError> {
    let mut rest = line;
    loop {
        let mut saw_quote = false;
        let more = loop {
            let end = memchr2(options.delimiter, options.quote, rest);
            let (plain, tail) = rest.split_at(end.unwrap_or(rest.len()));
            fields.extend(plain);
            let Some((&byte, tail)) = tail.split_first() else {
                break false;
            };
            rest = tail;
            // The delimiter differs from the quote, see `CopyOptions::check`.
            if byte == options.delimiter {
                break true;
            }
            saw_quote = true;
            rest = quoted(rest, options, fields)?;
        };
        end_field(saw_quote, options, fields);
        if !more {
            return Ok(());
        }
    }
}

/// Reads up to the closing quote and gives what follows it.
fn quoted<'a>(
    line: &'a [u8],
    options: &CopyOptions,
    fields: &mut Fields,
) -> Result<&'a [u8], CopyError> {
    let mut rest = line;
    loop {
        let end = memchr2(options.quote, options.escape, rest);
        let Some((plain, tail)) = end.and_then(|at| rest.split_at_checked(at)) else {
            return Err(CopyError::format("unterminated CSV quoted field"));
        };
        fields.extend(plain);
        match tail {
            [escape, next, tail @ ..]
                if *escape == options.escape
                    && (*next == options.escape || *next == options.quote) =>
            {
                fields.push(*next);
                rest = tail;
            }
            [quote, tail @ ..] if *quote == options.quote => return Ok(tail),
            [escape, tail @ ..] => {
                fields.push(*escape);
                rest = tail;
            }
            [] => rest = tail,
        }
    }
}

/// Decides what is NULL: an unquoted null text, changed by the FORCE options.
fn end_field(saw_quote: bool, options: &CopyOptions, fields: &mut Fields) {
    let column = fields.len();
    let reads_as_null = fields.current() == options.null.as_bytes();
    let is_null = if saw_quote {
        reads_as_null && options.force_null.covers(column)
    } else {
        // FORCE_NOT_NULL gives the null text itself, which FORCE_NULL does not take back.
        reads_as_null && !options.force_not_null.covers(column)
    };
    fields.end_field(is_null);
}

/// Writes a field so that [`split`] finds it again. `alone`: the row has no other field.
pub(super) fn quote(
    field: &[u8],
    forced: bool,
    alone: bool,
    options: &CopyOptions,
    out: &mut BytesMut,
) {
    let special = |b: u8| b == options.delimiter || b == options.quote || b == b'\n' || b == b'\r';
    let quotes = forced
        || field == options.null.as_bytes()
        || (alone && field == b"\\.")
        || field.iter().any(|b| special(*b));
    if !quotes {
        out.extend_from_slice(field);
        return;
    }
    out.put_u8(options.quote);
    let mut rest = field;
    while let Some(at) = rest
        .iter()
        .position(|b| *b == options.quote || *b == options.escape)
    {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else {
            break;
        };
        out.put_u8(options.escape);
        out.put_u8(byte);
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.put_u8(options.quote);
}
