//! A string of JSON and what its escapes mean.

use crate::{SqlState, ValueError};

/// A string between its quotes, with its escapes; their form was checked.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub(super) &'a str);

impl Text<'_> {
    /// The characters without escapes; 22P05 for what no text can hold.
    pub fn into_text(self) -> Result<String, ValueError> {
        let mut out = String::with_capacity(self.0.len());
        let mut rest = self.0;
        let mut high: Option<u32> = None;
        while let Some(at) = rest.find('\\') {
            let (plain, escape) = rest.split_at(at);
            if high.is_some() && !plain.is_empty() {
                return Err(lone_surrogate());
            }
            out.push_str(plain);
            let kind = escape.as_bytes().get(1).copied().unwrap_or(b'"');
            if kind == b'u' {
                let digits = escape.get(2..6).unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).unwrap_or(0);
                put_code(code, &mut high, &mut out)?;
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            if high.is_some() {
                return Err(lone_surrogate());
            }
            out.push(match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            });
            rest = escape.get(2..).unwrap_or_default();
        }
        if high.is_some() {
            return Err(lone_surrogate());
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn lone_surrogate() -> ValueError {
    syntax("Unicode low surrogate must follow a high surrogate.")
}

/// Takes in a code unit of UTF-16.
fn put_code(code: u32, high: &mut Option<u32>, out: &mut String) -> Result<(), ValueError> {
    match (code, high.take()) {
        (0xd800..=0xdbff, None) => *high = Some(code),
        (0xd800..=0xdbff, Some(_)) => {
            return Err(syntax(
                "Unicode high surrogate must not follow a high surrogate.",
            ));
        }
        (0xdc00..=0xdfff, Some(first)) => {
            let code = 0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff);
            out.extend(char::from_u32(code));
        }
        (0xdc00..=0xdfff, None) | (_, Some(_)) => return Err(lone_surrogate()),
        (0, None) => {
            return Err(ValueError::new(
                SqlState::UNTRANSLATABLE_CHARACTER,
                "unsupported Unicode escape sequence",
            )
            .with_detail("\\u0000 cannot be converted to text."));
        }
        (code, None) => out.extend(char::from_u32(code)),
    }
    Ok(())
}

/// `invalid input syntax for type json`, 22P02.
pub(super) fn syntax(detail: impl Into<String>) -> ValueError {
    ValueError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        "invalid input syntax for type json",
    )
    .with_detail(detail)
}
