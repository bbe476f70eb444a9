//! Values from the wire: refused, or stored so that they go out and come back.

use bytes::BytesMut;
use pgtypes::{Format, PgType, SqlValue, decode, encode};

use super::choices::Choices;

/// Takes the bytes as a value of any type, in either form.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let ty = kind(&mut choices);
    let format = if choices.flag() {
        Format::Binary
    } else {
        Format::Text
    };
    let bytes = choices.rest();
    let Ok(value) = decode(bytes, &ty, format) else {
        return;
    };
    again(&value, &ty, Format::Text);
    // One byte cannot hold every character.
    if ty.element().unwrap_or(ty) != PgType::Char {
        again(&value, &ty, Format::Binary);
    }
    // Any column can hold any value.
    for other in PgType::ALL {
        let mut out = BytesMut::new();
        drop(encode(value.as_ref(), other, Format::Text, &mut out));
        drop(encode(value.as_ref(), other, Format::Binary, &mut out));
    }
}

fn kind(choices: &mut Choices<'_>) -> PgType {
    let index = usize::from(choices.byte());
    let modifier = choices.byte();
    let own = plain(index, modifier);
    // The second turn through the list is that of arrays.
    let arrays = index / PgType::ALL.len() % 2 == 1;
    own.array().filter(|_| arrays).unwrap_or(own)
}

fn plain(index: usize, modifier: u8) -> PgType {
    match (PgType::ALL.get(index % PgType::ALL.len()), modifier) {
        (Some(PgType::Varchar(_)), 1..) => PgType::Varchar(Some(modifier.into())),
        (Some(PgType::Bpchar(_)), 1..) => PgType::Bpchar(Some(modifier.into())),
        (Some(PgType::Timestamp(_)), 1..) => PgType::Timestamp(Some(modifier % 7)),
        (Some(PgType::Time(_)), 1..) => PgType::Time(Some(modifier % 7)),
        (Some(PgType::Numeric { .. }), 1..) => PgType::Numeric {
            precision: Some(u16::from(modifier)),
            scale: Some(i16::from(modifier) - 128),
        },
        (Some(ty), _) => *ty,
        (None, _) => PgType::Text,
    }
}

/// What is sent is what comes back.
fn again(value: &SqlValue, ty: &PgType, format: Format) {
    let mut out = BytesMut::new();
    if value.is_null() || encode(value.as_ref(), ty, format, &mut out).is_err() {
        return;
    }
    let back = decode(&out, ty, format);
    assert_eq!(back.as_ref(), Ok(value), "{ty:?} as {format:?}: {out:?}");
}
