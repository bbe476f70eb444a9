//! Integers from and to other types.

use pgtypes::SqlValueRef;
use pgtypes::float::double_of_integer;

use crate::arguments::{Answer, boolean, double, integer, real, text, whole, written};
use crate::error::out_of_range;
use crate::integer::{Int2, Int4, Int8, Oid, Width};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_i2toi4", 1, fitted::<Int4>),
    Scalar::pure("pg_i4toi2", 1, fitted::<Int2>),
    Scalar::pure("pg_int28", 1, fitted::<Int8>),
    Scalar::pure("pg_int82", 1, fitted::<Int2>),
    Scalar::pure("pg_int48", 1, fitted::<Int8>),
    Scalar::pure("pg_int84", 1, fitted::<Int4>),
    Scalar::pure("pg_i8tooid", 1, fitted::<Oid>),
    Scalar::pure("pg_oidtoi8", 1, fitted::<Int8>),
    Scalar::pure("pg_int4_bool", 1, truth),
    Scalar::pure("pg_bool_int4", 1, fitted::<Int4>),
    Scalar::pure("pg_i2tod", 1, to_double),
    Scalar::pure("pg_i4tod", 1, to_double),
    Scalar::pure("pg_i8tod", 1, to_double),
    Scalar::pure("pg_i2tof", 1, to_single),
    Scalar::pure("pg_i4tof", 1, to_single),
    Scalar::pure("pg_i8tof", 1, to_single),
    Scalar::pure("pg_dtoi2", 1, rounded::<Int2>),
    Scalar::pure("pg_dtoi4", 1, rounded::<Int4>),
    Scalar::pure("pg_dtoi8", 1, rounded::<Int8>),
    Scalar::pure("pg_ftoi2", 1, rounded::<Int2>),
    Scalar::pure("pg_ftoi4", 1, rounded::<Int4>),
    Scalar::pure("pg_ftoi8", 1, rounded::<Int8>),
    Scalar::pure("pg_chartoi4", 1, char_code),
    Scalar::pure("pg_i4tochar", 1, char_of_code),
];

fn fitted<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    W::fitted(Some(integer(arguments, 0)?)).and_then(whole)
}

fn truth(arguments: &[SqlValueRef<'_>]) -> Answer {
    boolean(integer(arguments, 0)? != 0)
}

fn to_double(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(double_of_integer(integer(arguments, 0)?))
}

#[expect(clippy::cast_precision_loss, reason = "rounding is what is asked for")]
fn to_single(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(f64::from(integer(arguments, 0)? as f32))
}

/// The nearest integer, of two the even one.
fn rounded<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let nearest = real(arguments, 0)?.round_ties_even();
    W::fitted(pgtypes::float::exact_integer(nearest)).and_then(whole)
}

/// The code of a `"char"`; one beyond ASCII is stored as its escape.
fn char_code(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = text(arguments, 0)?;
    let octal = value.strip_prefix('\\').filter(|digits| digits.len() == 3);
    let code = match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
        Some(code) => code,
        None => value.bytes().next().unwrap_or(0),
    };
    whole(i64::from(code.cast_signed()))
}

fn char_of_code(arguments: &[SqlValueRef<'_>]) -> Answer {
    let code = integer(arguments, 0)?;
    let Ok(code) = i8::try_from(code) else {
        return Err(out_of_range("\"char\""));
    };
    match code.cast_unsigned() {
        0 => written(""),
        code @ 1..=0x7f => written(char::from(code)),
        code => written(format!("\\{code:03o}")),
    }
}
