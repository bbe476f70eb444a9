//! Fields of FORMAT text: a delimiter between, backslash sequences inside.

use bytes::{BufMut, BytesMut};
use memchr::{memchr, memchr2};

use super::options::CopyOptions;
use super::row::Fields;

/// Takes a line apart.
pub(super) fn split(line: &[u8], options: &CopyOptions, fields: &mut Fields) {
    let mut rest = line;
    loop {
        // The end of the field comes first: NULL is compared before backslashes are undone.
        let (field, tail) = rest.split_at(end_of_field(rest, options.delimiter));
        let is_null = field == options.null.as_bytes();
        if !is_null {
            unescape(field, fields);
        }
        fields.end_field(is_null);
        match tail.split_first() {
            Some((_, tail)) => rest = tail,
            None => return,
        }
    }
}

/// Where the next delimiter stands that no backslash precedes.
fn end_of_field(rest: &[u8], delimiter: u8) -> usize {
    let mut from = 0;
    while let Some(at) = rest
        .get(from..)
        .and_then(|rest| memchr2(delimiter, b'\\', rest))
    {
        let at = from + at;
        if rest.get(at) == Some(&delimiter) {
            return at;
        }
        from = at + 2;
    }
    rest.len()
}

fn unescape(field: &[u8], fields: &mut Fields) {
    let mut rest = field;
    while let Some(at) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        fields.extend(plain);
        let (byte, taken) = unescape_one(escape.get(1..).unwrap_or_default());
        fields.push(byte);
        rest = escape.get(1 + taken..).unwrap_or_default();
    }
    fields.extend(rest);
}

/// The byte that the characters behind a backslash mean, and how many characters those are.
fn unescape_one(after: &[u8]) -> (u8, usize) {
    match after {
        [] => (b'\\', 0),
        [b'b', ..] => (0x08, 1),
        [b'f', ..] => (0x0c, 1),
        [b'n', ..] => (b'\n', 1),
        [b'r', ..] => (b'\r', 1),
        [b't', ..] => (b'\t', 1),
        [b'v', ..] => (0x0b, 1),
        [b'x', digit, ..] if digit.is_ascii_hexdigit() => {
            let (value, count) = number(after.get(1..).unwrap_or_default(), 16, 2);
            (value, 1 + count)
        }
        [b'0'..=b'7', ..] => number(after, 8, 3),
        [other, ..] => (*other, 1),
    }
}

/// Up to `limit` digits as one byte; what is more than a byte is cut off, as PostgreSQL does.
fn number(digits: &[u8], radix: u32, limit: usize) -> (u8, usize) {
    let mut value = 0_u32;
    let mut count = 0;
    for digit in digits
        .iter()
        .take(limit)
        .map_while(|byte| char::from(*byte).to_digit(radix))
    {
        value = value * radix + digit;
        count += 1;
    }
    (u8::try_from(value & 0xff).unwrap_or(0), count)
}

/// Writes a field so that [`split`] finds it again.
pub(super) fn escape(field: &[u8], options: &CopyOptions, out: &mut BytesMut) {
    let mut rest = field;
    let special = |byte: u8| matches!(byte, 0x08..=0x0d | b'\\') || byte == options.delimiter;
    while let Some(at) = rest.iter().position(|byte| special(*byte)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else {
            return;
        };
        out.put_u8(b'\\');
        out.put_u8(match byte {
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            other => other,
        });
        rest = tail;
    }
    out.extend_from_slice(rest);
}
