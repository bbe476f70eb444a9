//! Codes, digests and lengths of text.

use pgtypes::{SqlState, SqlValueRef};

use crate::arguments::{Answer, count, integer, text, whole, written};
use crate::error::{fail, invalid};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_ascii", 1, |a| {
        whole(
            text(a, 0)?
                .chars()
                .next()
                .map_or(0, |c| u32::from(c).into()),
        )
    }),
    Scalar::pure("pg_chr", 1, character),
    Scalar::pure("pg_to_hex32", 1, |a| {
        let bits = integer(a, 0)? & 0xffff_ffff;
        written(format!("{bits:x}"))
    }),
    Scalar::pure("pg_to_hex64", 1, |a| {
        written(format!("{:x}", integer(a, 0)?))
    }),
    Scalar::pure("pg_md5_text", 1, |a| {
        written(format!("{:x}", md5::compute(text(a, 0)?)))
    }),
    Scalar::pure("pg_textlen", 1, |a| count(text(a, 0)?.chars().count())),
    Scalar::pure("pg_bpcharlen", 1, |a| {
        count(text(a, 0)?.trim_end_matches(' ').chars().count())
    }),
    Scalar::pure("pg_textoctetlen", 1, |a| count(text(a, 0)?.len())),
    Scalar::pure("pg_bit_length_text", 1, |a| count(text(a, 0)?.len() * 8)),
    Scalar::pure("pg_text_reverse", 1, |a| {
        written(text(a, 0)?.chars().rev().collect::<String>())
    }),
    Scalar::pure("pg_unistr", 1, unescaped),
];

fn character(arguments: &[SqlValueRef<'_>]) -> Answer {
    let code = integer(arguments, 0)?;
    let refused = |message: String| fail(SqlState::PROGRAM_LIMIT_EXCEEDED, message);
    match u32::try_from(code) {
        Err(_) => invalid("character number must be positive"),
        Ok(0) => refused("null character not permitted".to_owned()),
        Ok(0x11_0000..) => refused(format!(
            "requested character too large for encoding: {code}"
        )),
        Ok(code) => match char::from_u32(code) {
            Some(c) => written(c),
            None => refused(format!(
                "requested character not valid for encoding: {code}"
            )),
        },
    }
}

/// `unistr`: `\XXXX`, `\+XXXXXX`, `\uXXXX` and `\UXXXXXXXX` stand for a character.
fn unescaped(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut rest = text(arguments, 0)?;
    let mut out = String::new();
    let mut high: Option<u32> = None;
    let lone = || fail(SqlState::SYNTAX_ERROR, "invalid Unicode surrogate pair");
    while let Some(c) = rest.chars().next() {
        let (code, length) = match escape(rest) {
            Some(found) => found,
            None if c == '\\' && !rest.starts_with("\\\\") => {
                return fail(SqlState::SYNTAX_ERROR, "invalid Unicode escape");
            }
            None => (u32::from(c), if c == '\\' { 2 } else { c.len_utf8() }),
        };
        rest = rest.get(length..).unwrap_or_default();
        match (code, high.take()) {
            (0xd800..=0xdbff, None) => high = Some(code),
            (0xdc00..=0xdfff, Some(first)) => {
                let code = 0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff);
                out.extend(char::from_u32(code));
            }
            (0xd800..=0xdfff, _) | (_, Some(_)) => return lone(),
            (code, None) => match char::from_u32(code).filter(|c| *c != '\0') {
                Some(c) => out.push(c),
                None => {
                    return fail(
                        SqlState::SYNTAX_ERROR,
                        format!("invalid Unicode code point: {code:04X}"),
                    );
                }
            },
        }
    }
    if high.is_some() {
        return lone();
    }
    written(out)
}

/// The code of an escape at the start, and its length.
fn escape(text: &str) -> Option<(u32, usize)> {
    let rest = text.strip_prefix('\\')?;
    let (skip, digits) = match rest.as_bytes().first()? {
        b'+' => (1, 6),
        b'u' => (1, 4),
        b'U' => (1, 8),
        _ => (0, 4),
    };
    let hex = rest.get(skip..skip + digits)?;
    let all = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(hex, 16).ok().filter(|_| all)?;
    Some((code, 1 + skip + digits))
}
