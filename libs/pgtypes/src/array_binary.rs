//! Arrays in binary form, and their elements in the form of their type.

use bytes::{Buf, BufMut, BytesMut};

use crate::array::{Array, Element, is_vector, vector_array};
use crate::decode::decode_text;
use crate::{
    Context, Format, Oid, PgType, SqlState, SqlValue, SqlValueRef, ValueError, decode_in,
    encode_in, to_text_in,
};

/// Dimensions that an array may have.
const MOST_DIMENSIONS: usize = 6;

/// Types of arrays and of their elements.
const ELEMENTS: &[(u32, u32)] = &[
    (22, 21),
    (30, 26),
    (199, 114),
    (651, 650),
    (1000, 16),
    (1001, 17),
    (1002, 18),
    (1003, 19),
    (1005, 21),
    (1007, 23),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1016, 20),
    (1021, 700),
    (1022, 701),
    (1028, 26),
    (1041, 869),
    (1115, 1114),
    (1182, 1082),
    (1183, 1083),
    (1185, 1184),
    (1187, 1186),
    (1231, 1700),
    (1270, 1266),
    (2951, 2950),
    (3807, 3802),
];

/// The type of an array's elements; 0A000 where they have no binary form here.
fn element(array: Oid) -> Result<PgType, ValueError> {
    let found = ELEMENTS.iter().find(|(known, _)| *known == array.get());
    found
        .and_then(|(_, element)| PgType::from_oid(Oid::new(*element), -1))
        .ok_or_else(|| {
            ValueError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("the type with OID {array} is not supported in binary format"),
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
    array: Oid,
    context: &Context,
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
        let value = decode_text(text, &ty, context)?;
        let mut bytes = BytesMut::new();
        encode_in(value.as_ref(), &ty, Format::Binary, context, &mut bytes)?;
        out.put_i32(count(bytes.len())?);
        out.put_slice(&bytes);
    }
    Ok(())
}

/// Reads an array into the text that is kept.
pub(crate) fn read(
    mut bytes: &[u8],
    array: Oid,
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
    Ok(Element::Value(to_text_in(value.as_ref(), ty, context)))
}

fn number(bytes: &mut &[u8]) -> Result<i32, ValueError> {
    bytes.try_get_i32().map_err(|_| malformed())
}

/// An array's literal: each element is read as one of its type, and the whole kept as it is printed.
pub(crate) fn checked(text: &str, array: Oid, context: &Context) -> Result<SqlValue, ValueError> {
    let Ok(ty) = element(array) else {
        return Ok(SqlValue::Text(text.to_owned()));
    };
    let mut array = if is_vector(array) && !text.contains('{') {
        vector_array(text)
    } else {
        Array::parse(text)?
    };
    for element in &mut array.elements {
        settle(element, &ty, context)?;
    }
    Ok(SqlValue::Text(array.to_string()))
}

fn settle(element: &mut Element, ty: &PgType, context: &Context) -> Result<(), ValueError> {
    match element {
        Element::Null => {}
        Element::Value(text) => {
            let value = decode_text(text, ty, context)?;
            *text = to_text_in(value.as_ref(), ty, context);
        }
        Element::Array(inner) => {
            for element in inner {
                settle(element, ty, context)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4_ARRAY: Oid = Oid::new(1007);

    fn round_trip(text: &str, array: Oid) -> Result<String, ValueError> {
        let context = Context::standard();
        let mut bytes = BytesMut::new();
        put(SqlValueRef::Text(text), array, context, &mut bytes)?;
        match read(&bytes, array, context)? {
            SqlValue::Text(text) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arrays_come_back_as_they_went() {
        for text in ["{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={5,6}"] {
            assert_eq!(round_trip(text, INT4_ARRAY).unwrap(), text);
        }
        let texts = r#"{a,"b c",NULL,"","nu\"ll"}"#;
        assert_eq!(round_trip(texts, Oid::new(1009)).unwrap(), texts);
        let times = r#"{"2024-01-31 10:00:00"}"#;
        assert_eq!(round_trip(times, Oid::new(1115)).unwrap(), times);
    }

    #[test]
    fn the_binary_form_is_postgresqls() {
        let mut bytes = BytesMut::new();
        let value = SqlValueRef::Text("{7}");
        put(value, INT4_ARRAY, Context::standard(), &mut bytes).unwrap();
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
            assert!(read(&whole[..length], INT4_ARRAY, context).is_err());
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert!(read(&longer, INT4_ARRAY, context).is_err());
    }

    #[test]
    fn elements_of_a_literal_are_read_as_their_type() {
        let context = Context::standard();
        let kept = checked("{ 1 , 02 }", INT4_ARRAY, context).unwrap();
        assert_eq!(kept, SqlValue::Text("{1,2}".to_owned()));
        assert!(checked("{x}", INT4_ARRAY, context).is_err());
    }
}
