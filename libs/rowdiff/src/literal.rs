//! Constants that stand behind DEFAULT.

use crate::tokens::{Kind, Token};
use crate::value::Value;

/// The value of a constant: a literal with signs and parentheses around it. `None`: it is an expression, which
/// SQLite takes for no column that is added to rows which are there already.
pub(crate) fn value(tokens: &[Token]) -> Option<Value> {
    match tokens {
        [open, inner @ .., close] if open.is_sign("(") && close.is_sign(")") => value(inner),
        [sign, rest @ ..] if sign.is_sign("+") => value(rest),
        [sign, number] if sign.is_sign("-") && number.kind == Kind::Number => {
            numeric(&number.text, true)
        }
        [sign, rest @ ..] if sign.is_sign("-") => match value(rest)? {
            Value::Integer(value) => Some(Value::Integer(value.checked_neg()?)),
            Value::Real(value) => Some(Value::Real(-value)),
            _ => None,
        },
        [one] => single(one),
        _ => None,
    }
}

fn single(token: &Token) -> Option<Value> {
    let now = ["CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"];
    match token.kind {
        Kind::Number => numeric(&token.text, false),
        Kind::Blob => blob(&token.text).map(Value::Blob),
        Kind::Word if token.is("NULL") => Some(Value::Null),
        Kind::Word if token.is("TRUE") => Some(Value::Integer(1)),
        Kind::Word if token.is("FALSE") => Some(Value::Integer(0)),
        Kind::Word if now.iter().any(|word| token.is(word)) => None,
        // SQLite takes a plain word for a string here.
        Kind::Text | Kind::Quoted | Kind::Word => {
            Some(Value::Text(token.text.clone().into_bytes()))
        }
        Kind::Sign => None,
    }
}

fn numeric(text: &str, negative: bool) -> Option<Value> {
    let digits = text.replace('_', "");
    if let Some(hexadecimal) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        let value = u64::from_str_radix(hexadecimal, 16).ok()?.cast_signed();
        return Some(Value::Integer(if negative {
            value.checked_neg()?
        } else {
            value
        }));
    }
    let signed = format!("{}{digits}", if negative { "-" } else { "" });
    let integer = signed.parse().ok().map(Value::Integer);
    integer.or_else(|| signed.parse().ok().map(Value::Real))
}

fn blob(digits: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    #[test]
    fn constants_have_values_and_expressions_have_none() {
        let cases = [
            ("-5", Some(Value::Integer(-5))),
            ("(+ 5)", Some(Value::Integer(5))),
            ("- (1.5)", Some(Value::Real(-1.5))),
            ("-9223372036854775808", Some(Value::Integer(i64::MIN))),
            (
                "9223372036854775808",
                Some(Value::Real(9_223_372_036_854_775_808.0)),
            ),
            ("0x10", Some(Value::Integer(16))),
            ("'a''b'", Some(Value::Text(b"a'b".to_vec()))),
            ("x'00ff'", Some(Value::Blob(vec![0, 255]))),
            ("true", Some(Value::Integer(1))),
            ("NULL", Some(Value::Null)),
            ("CURRENT_TIMESTAMP", None),
            ("(1 + 2)", None),
            ("(random())", None),
        ];
        for (text, expected) in cases {
            assert_eq!(value(&tokens(text).unwrap()), expected, "{text}");
        }
    }
}
