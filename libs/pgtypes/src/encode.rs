//! From a stored value to its form on the wire.

use bytes::{BufMut, BytesMut};

use crate::array::vector_text;
use crate::array_binary;
use crate::encode_binary::encode_binary;
use crate::float_digits::{put_double_in, put_single_in};
use crate::moment_line;
use crate::numeric::Limits;
use crate::{
    ByteaOutput, Context, Date, Format, Interval, IntervalStyle, PgType, SqlValueRef, Time,
    Timestamp, ValueError, bytea, float, integer, numeric, uuid,
};

/// Appends a value's text or binary form to `out`, without a length in front, with PostgreSQL's
/// default settings, in UTC.
///
/// NULL has no form, the protocol says it by a length of -1: the caller sees to it, here it adds
/// nothing. SQLite lets any column hold any value. In text form a value that is none of `ty` goes
/// out as its own text; in binary form it is an error (22003, 22P02, 22007, 22008) that names value
/// and type. After an error `out` is as long as before.
pub fn encode(
    value: SqlValueRef<'_>,
    ty: &PgType,
    format: Format,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    encode_in(value, ty, format, Context::standard(), out)
}

/// The same with the settings of a session.
pub fn encode_in(
    value: SqlValueRef<'_>,
    ty: &PgType,
    format: Format,
    context: &Context,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    if value.is_null() {
        return Ok(());
    }
    match format {
        Format::Text => {
            encode_text(value, ty, context, out);
            Ok(())
        }
        Format::Binary => {
            let length = out.len();
            match ty {
                PgType::Composed(..) => array_binary::put(value, *ty, out),
                _ => encode_binary(value, ty, out),
            }
            .inspect_err(|_| out.truncate(length))
        }
    }
}

impl PgType {
    /// The limits of a numeric type that has some.
    pub(crate) fn numeric_limits(&self) -> Option<Limits> {
        match *self {
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => Some(Limits {
                precision,
                scale: scale.unwrap_or(0),
            }),
            _ => None,
        }
    }

    /// The digits behind the point that a numeric type shows; `None`: as many as there are.
    pub(crate) fn shown_scale(&self) -> Option<i16> {
        match *self {
            Self::Numeric {
                precision: None,
                scale: Some(0),
            } => None,
            Self::Numeric { scale, .. } => scale,
            _ => None,
        }
    }
}

fn encode_text(value: SqlValueRef<'_>, ty: &PgType, context: &Context, out: &mut BytesMut) {
    let written = match ty {
        PgType::Bool => put_bool(value, out),
        PgType::Int2 | PgType::Int4 | PgType::Int8 | PgType::Oid => put_whole(value, out),
        PgType::Float4 => put_single(value, context, out),
        PgType::Float8 => put_double(value, context, out),
        PgType::Numeric { .. } => numeric::put_text(value, ty.shown_scale(), out),
        PgType::Bpchar(length) => {
            put_padded(value, *length, out);
            true
        }
        PgType::Bytea => put_bytes(value, context.bytea_output, out),
        PgType::Date | PgType::Time(_) | PgType::Timestamp(_) | PgType::Timestamptz(_) => {
            put_moment(value, ty, context, out)
        }
        PgType::Interval(_) => put_interval(value, context.interval_style, out),
        PgType::Uuid => put_uuid(value, out),
        PgType::Void => true,
        PgType::Composed(..) if ty.is_vector() => put_vector(value, out),
        PgType::Composed(..) => put_array(value, ty, context, out),
        // What is left is stored as it is printed.
        _ => false,
    };
    if !written {
        put_own_text(value, out);
    }
}

/// Appends a vector of the catalog, which is kept as an array.
fn put_vector(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let SqlValueRef::Text(stored) = value else {
        return false;
    };
    let shown = vector_text(stored);
    if let Ok(shown) = &shown {
        out.put_slice(shown.as_bytes());
    }
    shown.is_ok()
}

/// Appends an array whose elements are shown otherwise than they are kept.
fn put_array(value: SqlValueRef<'_>, ty: &PgType, context: &Context, out: &mut BytesMut) -> bool {
    let SqlValueRef::Text(stored) = value else {
        return false;
    };
    let shown = array_binary::shown(stored, *ty, context);
    if let Some(shown) = &shown {
        out.put_slice(shown.as_bytes());
    }
    shown.is_some()
}

/// Appends the text that a value has by itself, whatever its column was declared as.
pub(crate) fn put_own_text(value: SqlValueRef<'_>, out: &mut BytesMut) {
    match value {
        SqlValueRef::Null => {}
        SqlValueRef::Integer(number) => integer::put(number, out),
        SqlValueRef::Real(number) => float::put_double(number, out),
        SqlValueRef::Text(text) => out.extend_from_slice(text.as_bytes()),
        SqlValueRef::Blob(bytes) => bytea::put_text(bytes, out),
    }
}

/// The truth of a value: a number is true unless it is 0, as in SQLite's own conditions.
pub(crate) fn truth(value: SqlValueRef<'_>) -> Option<bool> {
    match value {
        SqlValueRef::Integer(number) => Some(number != 0),
        SqlValueRef::Real(number) => Some(number != 0.0),
        SqlValueRef::Text(text) => integer::parse_bool(text),
        SqlValueRef::Null | SqlValueRef::Blob(_) => None,
    }
}

fn put_bool(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let truth = truth(value);
    if let Some(truth) = truth {
        out.put_u8(if truth { b't' } else { b'f' });
    }
    truth.is_some()
}

fn put_whole(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let whole = match value {
        SqlValueRef::Real(number) => float::exact_integer(number),
        SqlValueRef::Integer(number) => Some(number),
        _ => None,
    };
    if let Some(number) = whole {
        integer::put(number, out);
    }
    whole.is_some()
}

fn put_single(value: SqlValueRef<'_>, context: &Context, out: &mut BytesMut) -> bool {
    let single = match value {
        SqlValueRef::Real(number) => float::single(number),
        SqlValueRef::Integer(number) => float::single(float::double_of_integer(number)),
        _ => None,
    };
    if let Some(single) = single {
        put_single_in(single, context.extra_float_digits, out);
    }
    single.is_some()
}

fn put_double(value: SqlValueRef<'_>, context: &Context, out: &mut BytesMut) -> bool {
    let double = match value {
        SqlValueRef::Real(number) => Some(number),
        SqlValueRef::Integer(number) => Some(float::double_of_integer(number)),
        _ => None,
    };
    if let Some(double) = double {
        put_double_in(double, context.extra_float_digits, out);
    }
    double.is_some()
}

/// Appends a `character(n)` with the blanks that are not stored.
pub(crate) fn put_padded(value: SqlValueRef<'_>, length: Option<u32>, out: &mut BytesMut) {
    let start = out.len();
    put_own_text(value, out);
    let length = usize::try_from(length.unwrap_or(0)).unwrap_or(0);
    let written = out.get(start..).unwrap_or_default();
    // Characters are the bytes that do not continue one.
    let characters = written.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    out.put_bytes(b' ', length.saturating_sub(characters));
}

fn put_bytes(value: SqlValueRef<'_>, output: ByteaOutput, out: &mut BytesMut) -> bool {
    match (value, output) {
        (SqlValueRef::Blob(bytes), ByteaOutput::Escape) => {
            out.extend_from_slice(bytea::escaped(bytes).as_bytes());
            true
        }
        _ => false,
    }
}

/// `false`: the value is none of its type, or out of the type's range.
fn put_moment(value: SqlValueRef<'_>, ty: &PgType, context: &Context, out: &mut BytesMut) -> bool {
    let SqlValueRef::Integer(number) = value else {
        return false;
    };
    let (style, order) = (context.date_style, context.date_order);
    let timestamp = || Timestamp::new(number, None);
    match ty {
        PgType::Date => {
            let Ok(date) = Date::new(number) else {
                return false;
            };
            out.extend_from_slice(moment_line::date(date, style, order).bytes());
        }
        PgType::Time(_) => {
            let Ok(time) = Time::new(number, None) else {
                return false;
            };
            out.extend_from_slice(moment_line::time(time).bytes());
        }
        PgType::Timestamp(_) => {
            let Ok(moment) = timestamp() else {
                return false;
            };
            out.extend_from_slice(moment_line::timestamp(moment, style, order).bytes());
        }
        _ => {
            let Ok(moment) = timestamp() else {
                return false;
            };
            out.extend_from_slice(moment_line::timestamptz(moment, context).bytes());
        }
    }
    true
}

/// An interval is stored as style `postgres` has it.
fn put_interval(value: SqlValueRef<'_>, style: IntervalStyle, out: &mut BytesMut) -> bool {
    let SqlValueRef::Text(text) = value else {
        return false;
    };
    if style == IntervalStyle::Postgres {
        return false;
    }
    let printed = Interval::parse(text).map(|span| span.text_in(style));
    let written = printed.map(|printed| out.extend_from_slice(printed.as_bytes()));
    written.is_ok()
}

/// Stored as it is printed; bytes, as SQLite's users may store them, count too.
fn put_uuid(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let uuid = match value {
        SqlValueRef::Blob(bytes) => bytes.try_into().ok(),
        _ => None,
    };
    if let Some(uuid) = uuid {
        uuid::put(uuid, out);
    }
    uuid.is_some()
}
