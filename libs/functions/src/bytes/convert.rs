//! Bytes as text, digests of bytes, and encodings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError, bytea};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::arguments::{Answer, bytes, count, text, written};
use crate::error::{fail, invalid};
use crate::registry::Scalar;

/// Characters of a line of base64, as in MIME.
const BASE64_LINE: usize = 76;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_binary_encode", 2, encoded),
    Scalar::pure("pg_binary_decode", 2, decoded),
    Scalar::pure("pg_md5_bytea", 1, |a| {
        written(format!("{:x}", md5::compute(bytes(a, 0)?)))
    }),
    Scalar::pure("pg_sha224_bytea", 1, digest::<Sha224>),
    Scalar::pure("pg_sha256_bytea", 1, digest::<Sha256>),
    Scalar::pure("pg_sha384_bytea", 1, digest::<Sha384>),
    Scalar::pure("pg_sha512_bytea", 1, digest::<Sha512>),
    Scalar::pure("pg_pg_convert_from", 2, |a| {
        written(from_encoding(bytes(a, 0)?, text(a, 1)?)?)
    }),
    Scalar::pure("pg_pg_convert_to", 2, |a| {
        to_encoding(text(a, 0)?, text(a, 1)?).map(SqlValue::Blob)
    }),
    Scalar::pure("pg_pg_convert", 3, converted),
    Scalar::pure("pg_length_in_encoding", 2, |a| {
        let bytes = bytes(a, 0)?;
        match encoding(text(a, 1)?, "source")? {
            Encoding::Ascii => {
                without_zero(bytes, "SQL_ASCII")?;
                count(bytes.len())
            }
            _ => count(from_encoding(bytes, text(a, 1)?)?.chars().count()),
        }
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
fn blob(bytes: Vec<u8>) -> Answer {
    Ok(SqlValue::Blob(bytes))
}

fn digest<D: Digest>(arguments: &[SqlValueRef<'_>]) -> Answer {
    blob(D::digest(bytes(arguments, 0)?).to_vec())
}

fn unknown_encoding<T>(name: &str) -> Result<T, ValueError> {
    invalid(format!("unrecognized encoding: \"{name}\""))
}

fn encoded(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (bytes, name) = (bytes(arguments, 0)?, text(arguments, 1)?);
    match name.to_ascii_lowercase().as_str() {
        "hex" => written(hex::encode(bytes)),
        "base64" => {
            let lines = bytes.chunks(BASE64_LINE / 4 * 3);
            let lines: Vec<String> = lines.map(|line| STANDARD.encode(line)).collect();
            written(lines.join("\n"))
        }
        "escape" => written(bytea::escaped(bytes)),
        _ => unknown_encoding(name),
    }
}

fn decoded(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (value, name) = (text(arguments, 0)?, text(arguments, 1)?);
    match name.to_ascii_lowercase().as_str() {
        "hex" => blob(bytea::parse_hex(value)?),
        "base64" => blob(from_base64(value)?),
        "escape" => blob(bytea::parse_escaped(value.as_bytes())?),
        _ => unknown_encoding(name),
    }
}

/// The value of a digit of base64.
fn base64_digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

/// Blanks may stand anywhere. As in PostgreSQL, what follows the padding within the last four
/// digits is read and left out.
fn from_base64(text: &str) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut count, mut kept) = (0_u32, 0_u8, None);
    for (at, byte) in text.bytes().enumerate() {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        let value = if byte == b'=' {
            if kept.is_none() {
                kept = match count {
                    2 => Some(1),
                    3 => Some(2),
                    _ => return invalid("unexpected \"=\" while decoding base64 sequence"),
                };
            }
            0
        } else {
            match base64_digit(byte) {
                Some(value) => value,
                None => {
                    let symbol = text.get(at..).and_then(|rest| rest.chars().next());
                    return invalid(format!(
                        "invalid symbol \"{}\" found while decoding base64 sequence",
                        symbol.unwrap_or(char::from(byte))
                    ));
                }
            }
        };
        group = (group << 6) | value;
        count += 1;
        if count == 4 {
            let bytes = [group >> 16, group >> 8, group].map(|part| (part & 0xff) as u8);
            out.extend(bytes.into_iter().take(kept.unwrap_or(3)));
            (group, count) = (0, 0);
        }
    }
    if count != 0 {
        let error = ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "invalid base64 end sequence",
        );
        return Err(error.with_detail(
            "Input data is missing padding, is truncated, or is otherwise corrupted.",
        ));
    }
    Ok(out)
}

/// The encodings that are known.
enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

fn encoding(name: &str, role: &str) -> Result<Encoding, ValueError> {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let lower: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    match lower.as_str() {
        "utf8" | "unicode" => Ok(Encoding::Utf8),
        "latin1" | "iso88591" => Ok(Encoding::Latin1),
        "sqlascii" => Ok(Encoding::Ascii),
        _ => invalid(format!("invalid {role} encoding name \"{name}\"")),
    }
}

/// 22021 for the byte that no text has; any other is text of these encodings.
fn without_zero(bytes: &[u8], encoding: &str) -> Result<(), ValueError> {
    if bytes.contains(&0) {
        return fail(
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"{encoding}\": 0x00"),
        );
    }
    Ok(())
}

fn from_encoding(bytes: &[u8], name: &str) -> Result<String, ValueError> {
    let encoding = encoding(name, "source")?;
    match encoding {
        Encoding::Utf8 => {}
        Encoding::Ascii => without_zero(bytes, "SQL_ASCII")?,
        Encoding::Latin1 => {
            without_zero(bytes, "LATIN1")?;
            return Ok(bytes.iter().map(|byte| char::from(*byte)).collect());
        }
    }
    match SqlValueRef::text(bytes)? {
        SqlValueRef::Text(text) => Ok(text.to_owned()),
        _ => Ok(String::new()),
    }
}

/// `convert(bytes, from, to)`
fn converted(arguments: &[SqlValueRef<'_>]) -> Answer {
    let [from, to] = [text(arguments, 1)?, text(arguments, 2)?];
    let ends = (encoding(from, "source")?, encoding(to, "destination")?);
    let bytes = bytes(arguments, 0)?;
    if let (Encoding::Ascii, Encoding::Ascii) = ends {
        without_zero(bytes, "SQL_ASCII")?;
        return blob(bytes.to_vec());
    }
    to_encoding(&from_encoding(bytes, from)?, to).map(SqlValue::Blob)
}

fn to_encoding(text: &str, name: &str) -> Result<Vec<u8>, ValueError> {
    match encoding(name, "destination")? {
        Encoding::Utf8 | Encoding::Ascii => Ok(text.as_bytes().to_vec()),
        Encoding::Latin1 => text
            .chars()
            .map(|c| match u8::try_from(u32::from(c)) {
                Ok(byte) => Ok(byte),
                Err(_) => {
                    let mut buffer = [0; 4];
                    let shown: Vec<String> = c
                        .encode_utf8(&mut buffer)
                        .bytes()
                        .map(|byte| format!("0x{byte:02x}"))
                        .collect();
                    fail(
                        SqlState::UNTRANSLATABLE_CHARACTER,
                        format!(
                            "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                            shown.join(" ")
                        ),
                    )
                }
            })
            .collect(),
    }
}
