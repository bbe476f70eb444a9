//! Arrays in binary form, and their elements in the form of their type.

use bytes::{Buf, BufMut, BytesMut};

use crate::array::{Array, Element, vector_array};
use crate::decode::decode_text;
use crate::{
    Context, Format, PgType, SqlState, SqlValue, SqlValueRef, ValueError, decode_in, encode,
    to_text, to_text_in,
};

/// Dimensions that an array may have.
const MOST_DIMENSIONS: usize = 6;

/// The type of an array's elements; 0A000 where they have no binary form here.
fn element(array: PgType) -> Result<PgType, ValueError> {
    array.element().ok_or_else(|| {
        let oid = array.oid();
        ValueError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("the type with OID {oid} is not supported in binary format"),
        )
    })
}

fn malformed() -> ValueError {
    ValueError::new(
        SqlState::INVALID_BINARY_REPRESENTATION,
        "incorrect binary data format of an array",
    )
}

/// Appends an array that is kept as its text.
pub(crate) fn put(
    value: SqlValueRef<'_>,
    array: PgType,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let ty = element(array)?;
    let SqlValueRef::Text(text) = value else {
        return Err(malformed());
    };
    let array = Array::parse(text)?;
    let lengths = array.lengths();
    let small = |number: i64| i32::try_from(number).map_err(|_| malformed());
    let count = |length: usize| i32::try_from(length).map_err(|_| malformed());
    out.put_i32(count(lengths.len())?);
    out.put_i32(i32::from(array.leaves().any(|leaf| leaf.is_none())));
    out.put_u32(ty.oid().get());
    for (dimension, length) in lengths.iter().enumerate() {
        out.put_i32(count(*length)?);
        out.put_i32(small(array.lower_bound(dimension))?);
    }
    for leaf in array.leaves() {
        let Some(text) = leaf else {
            out.put_i32(-1);
            continue;
        };
        let value = decode_text(text, &ty, Context::standard())?;
        let mut bytes = BytesMut::new();
        encode(value.as_ref(), &ty, Format::Binary, &mut bytes)?;
        out.put_i32(count(bytes.len())?);
        out.put_slice(&bytes);
    }
    Ok(())
}

/// Reads an array into the text that is kept.
pub(crate) fn read(
    mut bytes: &[u8],
    array: PgType,
    context: &Context,
) -> Result<SqlValue, ValueError> {
    let ty = element(array)?;
    let bytes = &mut bytes;
    let dimensions = usize::try_from(number(bytes)?).map_err(|_| malformed())?;
    let _has_nulls = number(bytes)?;
    let told = number(bytes)?;
    if dimensions > MOST_DIMENSIONS || i64::from(told) != i64::from(ty.oid().get()) {
        return Err(malformed());
    }
    let mut lengths = Vec::with_capacity(dimensions);
    let mut lower = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(number(bytes)?).map_err(|_| malformed())?);
        lower.push(i64::from(number(bytes)?));
    }
    let elements = match lengths.as_slice() {
        [] => Vec::new(),
        lengths => elements(bytes, lengths, &ty, context)?,
    };
    if !bytes.is_empty() {
        return Err(malformed());
    }
    Ok(SqlValue::Text(Array { elements, lower }.to_string()))
}

fn elements(
    bytes: &mut &[u8],
    lengths: &[usize],
    ty: &PgType,
    context: &Context,
) -> Result<Vec<Element>, ValueError> {
    let Some((length, inner)) = lengths.split_first() else {
        return Ok(Vec::new());
    };
    // A length that the bytes can't hold takes no memory.
    let mut elements = Vec::with_capacity((*length).min(bytes.len()));
    for _ in 0..*length {
        elements.push(if inner.is_empty() {
            leaf(bytes, ty, context)?
        } else if bytes.is_empty() {
            return Err(malformed());
        } else {
            Element::Array(self::elements(bytes, inner, ty, context)?)
        });
    }
    Ok(elements)
}

fn leaf(bytes: &mut &[u8], ty: &PgType, context: &Context) -> Result<Element, ValueError> {
    let length = number(bytes)?;
    if length < 0 {
        return Ok(Element::Null);
    }
    let length = usize::try_from(length).map_err(|_| malformed())?;
    let (value, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
    *bytes = rest;
    let value = decode_in(value, ty, Format::Binary, context)?;
    Ok(Element::Value(to_text(value.as_ref(), ty)))
}

fn number(bytes: &mut &[u8]) -> Result<i32, ValueError> {
    bytes.try_get_i32().map_err(|_| malformed())
}

/// An array's literal: each element is read as one of its type, and the whole is kept as PostgreSQL's default settings
/// show it in UTC, whatever those of the session are.
pub(crate) fn checked(
    text: &str,
    array: PgType,
    context: &Context,
) -> Result<SqlValue, ValueError> {
    let Ok(ty) = element(array) else {
        return Ok(SqlValue::Text(text.to_owned()));
    };
    let mut read = if array.is_vector() && !text.contains('{') {
        vector_array(text)
    } else {
        Array::parse(text)?
    };
    read.each_value(&mut |text| {
        let value = decode_text(text, &ty, context)?;
        Ok(Element::Value(to_text(value.as_ref(), &ty)))
    })?;
    Ok(SqlValue::Text(read.to_string()))
}

/// The text that a client with these settings sees of an array; `None`: the one that is kept.
pub(crate) fn shown(stored: &str, array: PgType, context: &Context) -> Option<String> {
    let ty = array
        .element()
        .filter(|ty| ty.is_shown_otherwise(context))?;
    let mut read = Array::parse(stored).ok()?;
    let shown = read.each_value(&mut |text| {
        let value = decode_text(text, &ty, Context::standard())?;
        Ok(Element::Value(to_text_in(value.as_ref(), &ty, context)))
    });
    shown.ok().map(|()| read.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(element: &str) -> PgType {
        PgType::parse(element).and_then(PgType::array).unwrap()
    }

    fn round_trip(text: &str, array: PgType) -> Result<String, ValueError> {
        let context = Context::standard();
        let mut bytes = BytesMut::new();
        put(SqlValueRef::Text(text), array, &mut bytes)?;
        match read(&bytes, array, context)? {
            SqlValue::Text(text) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arrays_come_back_as_they_went() {
        for text in ["{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={5,6}"] {
            assert_eq!(round_trip(text, of("int4")).unwrap(), text);
        }
        let texts = r#"{a,"b c",NULL,"","nu\"ll"}"#;
        assert_eq!(round_trip(texts, of("text")).unwrap(), texts);
        let times = r#"{"2024-01-31 10:00:00"}"#;
        assert_eq!(round_trip(times, of("timestamp")).unwrap(), times);
    }

    #[test]
    fn the_binary_form_is_postgresqls() {
        let mut bytes = BytesMut::new();
        let value = SqlValueRef::Text("{7}");
        put(value, of("int4"), &mut bytes).unwrap();
        let wanted = [
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7,
        ];
        assert_eq!(bytes.as_ref(), wanted);
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let context = Context::standard();
        let whole = [
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7,
        ];
        for length in 0..whole.len() {
            assert!(read(&whole[..length], of("int4"), context).is_err());
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert!(read(&longer, of("int4"), context).is_err());
    }

    #[test]
    fn elements_of_a_literal_are_read_as_their_type() {
        let context = Context::standard();
        let kept = checked("{ 1 , 02 }", of("int4"), context).unwrap();
        assert_eq!(kept, SqlValue::Text("{1,2}".to_owned()));
        assert!(checked("{x}", of("int4"), context).is_err());
    }

    #[test]
    fn an_array_is_kept_the_same_whatever_the_session_shows() {
        let context = Context {
            zone: crate::Zone::by_name("Europe/Berlin").unwrap(),
            date_style: crate::DateStyle::German,
            date_order: crate::DateOrder::Dmy,
            interval_style: crate::IntervalStyle::Iso8601,
            bytea_output: crate::ByteaOutput::Escape,
            extra_float_digits: 0,
            ..Context::default()
        };
        for (ty, given, kept, seen) in [
            (
                "timestamptz",
                "{2024-07-01 12:00}",
                "{\"2024-07-01 10:00:00+00\"}",
                "{\"01.07.2024 12:00:00 CEST\"}",
            ),
            (
                "date",
                "{31.1.2024,NULL}",
                "{2024-01-31,NULL}",
                "{31.01.2024,NULL}",
            ),
            (
                "interval",
                "{{1 day},{PT1H}}",
                "{{\"1 day\"},{01:00:00}}",
                "{{P1D},{PT1H}}",
            ),
            (
                "bytea",
                "{\"\\\\x6100\"}",
                "{\"\\\\x6100\"}",
                "{\"a\\\\000\"}",
            ),
            ("float8", "{0.1,1e300}", "{0.1,1e+300}", "{0.1,1e+300}"),
            ("int4", "[0:0]={7}", "[0:0]={7}", "[0:0]={7}"),
        ] {
            let stored = checked(given, of(ty), &context).unwrap();
            assert_eq!(stored, SqlValue::Text(kept.to_owned()), "{ty}");
            assert_eq!(to_text_in(stored.as_ref(), &of(ty), &context), seen, "{ty}");
            assert_eq!(to_text(stored.as_ref(), &of(ty)), kept, "{ty}");
        }
    }

    #[test]
    fn elements_are_within_the_limits_of_their_type() {
        let context = Context::standard();
        let kept = checked("{1.005,2}", of("numeric(5,2)"), context).unwrap();
        assert_eq!(kept, SqlValue::Text("{1.01,2.00}".to_owned()));
        let error = checked("{abcd}", of("varchar(3)"), context).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::STRING_DATA_RIGHT_TRUNCATION);
    }
}
