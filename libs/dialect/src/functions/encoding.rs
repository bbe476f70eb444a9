//! bytea as text, and array literals as JSON.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use pgtypes::{SqlState, bytea};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::text::{argument, text};

type Result = std::result::Result<Value, DialectError>;

/// Characters of a line of base64, as in MIME.
const BASE64_LINE: usize = 76;

fn unknown_encoding(name: &str) -> DialectError {
    DialectError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!("unrecognized encoding: \"{name}\""),
    )
}

pub(crate) fn encode(arguments: &[Value]) -> Result {
    let bytes = match arguments.first() {
        Some(Value::Blob(bytes)) => bytes.clone(),
        _ => argument(arguments, 0).into_bytes(),
    };
    match argument(arguments, 1).to_ascii_lowercase().as_str() {
        "hex" => text(hex::encode(&bytes)),
        "base64" => {
            let lines = bytes.chunks(BASE64_LINE / 4 * 3);
            let lines: Vec<String> = lines.map(|line| STANDARD.encode(line)).collect();
            text(lines.join("\n"))
        }
        "escape" => text(bytea::escaped(&bytes)),
        other => Err(unknown_encoding(other)),
    }
}

pub(crate) fn decode(arguments: &[Value]) -> Result {
    let value = argument(arguments, 0);
    match argument(arguments, 1).to_ascii_lowercase().as_str() {
        "hex" => Ok(Value::Blob(bytea::parse_hex(&value)?)),
        "base64" => from_base64(&value).map(Value::Blob),
        "escape" => Ok(Value::Blob(bytea::parse_escaped(value.as_bytes())?)),
        other => Err(unknown_encoding(other)),
    }
}

fn from_base64(text: &str) -> std::result::Result<Vec<u8>, DialectError> {
    let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).map_err(|error| match error {
        DecodeError::InvalidByte(_, symbol) if symbol != b'=' => DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!(
                "invalid symbol \"{}\" found while decoding base64 sequence",
                char::from(symbol)
            ),
        ),
        _ => DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "invalid base64 end sequence",
        )
        .hint("Input data is missing padding, is truncated, or is otherwise corrupted."),
    })
}

/// A PostgreSQL array literal (`{1,2,"a b",NULL}`) or a JSON array, as a JSON array.
pub(crate) fn array_json(arguments: &[Value]) -> Result {
    let value = argument(arguments, 0);
    let trimmed = value.trim();
    if trimmed.starts_with('[') {
        return text(trimmed);
    }
    let fail = || {
        DialectError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("malformed array literal: \"{value}\""),
        )
    };
    let body = trimmed
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(fail)?;
    let mut items: Vec<String> = Vec::new();
    let mut chars = body.chars().peekable();
    while chars.peek().is_some() {
        let mut item = String::new();
        let quoted = chars.next_if_eq(&'"').is_some();
        let mut closed = !quoted;
        while let Some(c) = chars.next_if(|c| quoted || *c != ',') {
            match c {
                '\\' => item.extend(chars.next()),
                '"' if quoted => {
                    closed = true;
                    break;
                }
                '{' | '}' if !quoted => return Err(fail()),
                c => item.push(c),
            }
        }
        if !closed || chars.next().is_some_and(|c| c != ',') {
            return Err(fail());
        }
        items.push(json_item(&item, quoted));
    }
    text(format!("[{}]", items.join(",")))
}

/// An element: NULL and numbers stay bare, the rest is a JSON string.
fn json_item(item: &str, quoted: bool) -> String {
    let bare = item.trim();
    if !quoted && bare.eq_ignore_ascii_case("null") {
        return "null".to_owned();
    }
    if !quoted
        && bare
            .parse::<i64>()
            .is_ok_and(|value| value.to_string() == bare)
    {
        return bare.to_owned();
    }
    let mut out = String::from("\"");
    for c in if quoted { item } else { bare }.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `{a,0,"b c"}` as a path of SQLite's JSON functions: `$."a"[0]."b c"`.
pub(crate) fn json_path(arguments: &[Value]) -> Result {
    let text = argument(arguments, 0);
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner else {
        let message = format!("malformed array literal: \"{text}\"");
        return Err(DialectError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            message,
        ));
    };
    let steps = inner.split(',').map(|step| step.trim().trim_matches('"'));
    let path: String = steps
        .map(|step| match step.parse::<i64>() {
            Ok(index) if index < 0 => format!("[#{index}]"),
            Ok(index) => format!("[{index}]"),
            Err(_) if step.is_empty() => String::new(),
            Err(_) => format!(".\"{step}\""),
        })
        .collect();
    Ok(Value::Text(format!("${path}")))
}

/// A key of an object as a path of SQLite's JSON functions.
pub(crate) fn json_key(arguments: &[Value]) -> Result {
    text(format!("$.\"{}\"", argument(arguments, 0)))
}

/// What a cast to JSON calls with a text that is none.
pub(crate) fn bad_json(arguments: &[Value]) -> Result {
    let text: String = argument(arguments, 0).chars().take(100).collect();
    let error = DialectError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        "invalid input syntax for type json",
    );
    Err(error.hint(format!("The text begins: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::convert::text_of;

    fn call(function: fn(&[Value]) -> Result, arguments: &[&str]) -> String {
        let values: Vec<Value> = arguments
            .iter()
            .map(|text| Value::Text((*text).to_owned()))
            .collect();
        text_of(&function(&values).unwrap())
    }

    #[test]
    fn what_is_encoded_can_be_decoded() {
        for (format, form) in [
            ("base64", "aGVsbG8="),
            ("hex", "68656c6c6f"),
            ("escape", "hello"),
        ] {
            assert_eq!(call(encode, &["hello", format]), form);
            let values = [Value::Text(form.to_owned()), Value::Text(format.to_owned())];
            assert_eq!(decode(&values), Ok(Value::Blob(b"hello".to_vec())));
        }
    }

    #[test]
    fn what_is_no_encoded_text_is_refused_in_postgresqls_words() {
        for (text, format, message) in [
            ("YQ", "base64", "invalid base64 end sequence"),
            ("YQ=", "base64", "invalid base64 end sequence"),
            (
                "Y%==",
                "base64",
                "invalid symbol \"%\" found while decoding base64 sequence",
            ),
            (
                "abc",
                "hex",
                "invalid hexadecimal data: odd number of digits",
            ),
            ("zz", "hex", "invalid hexadecimal digit: \"z\""),
            ("\\400", "escape", "invalid input syntax for type bytea"),
            ("x", "rot13", "unrecognized encoding: \"rot13\""),
        ] {
            let values = [text, format].map(|text| Value::Text(text.to_owned()));
            assert_eq!(decode(&values).unwrap_err().message, message);
        }
        let bytes = [
            Value::Blob(vec![0xff; 100]),
            Value::Text("base64".to_owned()),
        ];
        let lines = text_of(&encode(&bytes).unwrap());
        let lengths: Vec<usize> = lines.lines().map(str::len).collect();
        assert_eq!(lengths, [76, 60]);
        let lines = [Value::Text(lines), Value::Text("base64".to_owned())];
        assert_eq!(decode(&lines), Ok(Value::Blob(vec![0xff; 100])));
    }

    #[test]
    fn array_literals_become_json() {
        assert_eq!(call(array_json, &["{1,2,NULL}"]), "[1,2,null]");
        assert_eq!(
            call(array_json, &["{a,\"b,\\\"c\"}"]),
            "[\"a\",\"b,\\\"c\"]"
        );
        assert_eq!(call(array_json, &["{}"]), "[]");
        assert!(array_json(&[Value::Text("{{1}}".into())]).is_err());
        assert!(array_json(&[Value::Text("x".into())]).is_err());
    }
}
