//! Records (section 2.1).

use crate::bytes;
use crate::value::Value;

/// The values of a record; `None` where its bytes make no sense.
///
/// With `most` values at most: a record has no more columns than its table, so what comes behind is damage.
pub(crate) fn values(record: &[u8], most: usize) -> Option<Vec<Value>> {
    let (header, length) = bytes::varint(record)?;
    let header = usize::try_from(header).ok()?;
    let mut types = record.get(length..header)?;
    let mut body = record.get(header..)?;
    let mut values = Vec::with_capacity(most.min(types.len()));
    while !types.is_empty() {
        let (kind, length) = bytes::varint(types)?;
        types = types.get(length..)?;
        let (value, length) = value(kind, body)?;
        body = body.get(length..)?;
        values.push(value);
        if values.len() > most {
            return None;
        }
    }
    body.is_empty().then_some(values)
}

/// A value by its serial type, and how many bytes it takes.
fn value(kind: u64, body: &[u8]) -> Option<(Value, usize)> {
    let integer = |length: usize| {
        let value = bytes::integer(body.get(..length)?)?;
        Some((Value::Integer(value), length))
    };
    match kind {
        0 => Some((Value::Null, 0)),
        1..=4 => integer(usize::try_from(kind).ok()?),
        5 => integer(6),
        6 => integer(8),
        7 => Some((Value::Real(bytes::real(body.get(..8)?)?), 8)),
        8 => Some((Value::Integer(0), 0)),
        9 => Some((Value::Integer(1), 0)),
        10 | 11 => None,
        _ => {
            let length = usize::try_from((kind - 12) / 2).ok()?;
            let content = body.get(..length)?.to_vec();
            let value = if kind.is_multiple_of(2) {
                Value::Blob(content)
            } else {
                Value::Text(content)
            };
            Some((value, length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_serial_type_has_its_value() {
        let record = [8, 0, 1, 8, 9, 15, 16, 2, 0xff, b'a', 1, 2, 0x01, 0x00];
        let expected = vec![
            Value::Null,
            Value::Integer(-1),
            Value::Integer(0),
            Value::Integer(1),
            Value::Text(b"a".to_vec()),
            Value::Blob(vec![1, 2]),
            Value::Integer(256),
        ];
        assert_eq!(values(&record, 7), Some(expected));
        assert_eq!(values(&record, 6), None, "more values than columns");
        for cut in 0..record.len() {
            assert_eq!(values(&record[..cut], 7), None, "cut at {cut}");
        }
        assert_eq!(values(&[2, 10], 1), None, "reserved for SQLite itself");
    }
}
