//! Unicode's normal forms.

use pgtypes::{SqlState, SqlValueRef, ValueError};
use unicode_normalization::{UnicodeNormalization as _, is_nfc, is_nfd, is_nfkc, is_nfkd};

use crate::arguments::{Answer, boolean, text, written};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_unicode_normalize_func", 2, normalized),
    Scalar::pure("pg_unicode_is_normalized", 2, is_normalized),
];

/// A normal form.
enum Form {
    C,
    D,
    Kc,
    Kd,
}

fn form(name: &str) -> Result<Form, ValueError> {
    match name.to_ascii_uppercase().as_str() {
        "NFC" => Ok(Form::C),
        "NFD" => Ok(Form::D),
        "NFKC" => Ok(Form::Kc),
        "NFKD" => Ok(Form::Kd),
        _ => fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid normalization form: {name}"),
        ),
    }
}

fn normalized(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = text(arguments, 0)?;
    written(match form(text(arguments, 1)?)? {
        Form::C => value.nfc().collect::<String>(),
        Form::D => value.nfd().collect(),
        Form::Kc => value.nfkc().collect(),
        Form::Kd => value.nfkd().collect(),
    })
}

fn is_normalized(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = text(arguments, 0)?;
    boolean(match form(text(arguments, 1)?)? {
        Form::C => is_nfc(value),
        Form::D => is_nfd(value),
        Form::Kc => is_nfkc(value),
        Form::Kd => is_nfkd(value),
    })
}
