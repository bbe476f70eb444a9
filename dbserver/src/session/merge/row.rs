//! A change of MERGE and its parameters as one value, in the form in which they are stored.

use dialect::sqlite::merge::MERGE_ROW;
use pgtypes::{SqlState, SqlValue};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use crate::failure::Failure;

/// Registers the function that makes it.
pub(in crate::session) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(MERGE_ROW, -1, flags, write)
}

/// Each value is a letter and what is behind it: integers and reals have 8 bytes, texts and blobs a length of 4 before
/// them. All numbers are little-endian.
fn write(context: &Context<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(context.len() * 9);
    for index in 0..context.len() {
        match context.get_raw(index) {
            ValueRef::Null => bytes.push(b'n'),
            ValueRef::Integer(number) => {
                bytes.push(b'i');
                bytes.extend(number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                bytes.push(b'r');
                bytes.extend(number.to_le_bytes());
            }
            ValueRef::Text(text) => write_long(&mut bytes, b't', text)?,
            ValueRef::Blob(blob) => write_long(&mut bytes, b'b', blob)?,
        }
    }
    Ok(bytes)
}

fn write_long(bytes: &mut Vec<u8>, letter: u8, value: &[u8]) -> rusqlite::Result<()> {
    let length = u32::try_from(value.len()).map_err(|error| {
        Error::UserFunctionError(
            pgtypes::sqlite::tagged(SqlState::PROGRAM_LIMIT_EXCEEDED, &error.to_string()).into(),
        )
    })?;
    bytes.push(letter);
    bytes.extend(length.to_le_bytes());
    bytes.extend(value);
    Ok(())
}

/// The number of the change, and its parameters.
pub(super) fn read(bytes: &[u8]) -> Result<(usize, Vec<SqlValue>), Failure> {
    let mut rest = bytes;
    let mut values = Vec::new();
    while let Some((letter, behind)) = rest.split_first() {
        rest = behind;
        values.push(match letter {
            b'n' => SqlValue::Null,
            b'i' => SqlValue::Integer(i64::from_le_bytes(taken(&mut rest)?)),
            b'r' => SqlValue::Real(f64::from_le_bytes(taken(&mut rest)?)),
            b't' => {
                let text = std::str::from_utf8(long(&mut rest)?);
                SqlValue::Text(text.map_err(|_| damaged())?.to_owned())
            }
            b'b' => SqlValue::Blob(long(&mut rest)?.to_vec()),
            _ => return Err(damaged()),
        });
    }
    if values.is_empty() {
        return Err(damaged());
    }
    match values.remove(0) {
        SqlValue::Integer(number) => {
            let number = usize::try_from(number).map_err(|_| damaged())?;
            Ok((number, values))
        }
        _ => Err(damaged()),
    }
}

fn taken<const SIZE: usize>(rest: &mut &[u8]) -> Result<[u8; SIZE], Failure> {
    let (taken, behind) = rest.split_first_chunk().ok_or_else(damaged)?;
    *rest = behind;
    Ok(*taken)
}

fn long<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Failure> {
    let length = u32::from_le_bytes(taken(rest)?);
    let length = usize::try_from(length).map_err(|_| damaged())?;
    let (value, behind) = rest.split_at_checked(length).ok_or_else(damaged)?;
    *rest = behind;
    Ok(value)
}

/// What [`MERGE_ROW`] has not made.
pub(super) fn damaged() -> Failure {
    Failure::new(
        SqlState::INTERNAL_ERROR,
        "a row of MERGE is not what its query has made",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(arguments: &str) -> Vec<u8> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let text = format!("SELECT {MERGE_ROW}({arguments})");
        connection.query_row(&text, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_row_comes_back_as_it_was_stored() {
        let row = made("3, NULL, -9223372036854775808, 0.1, 9e999, 'é', '', x'00ff'");
        let (number, values) = read(&row).unwrap();
        assert_eq!(number, 3);
        assert_eq!(
            values,
            [
                SqlValue::Null,
                SqlValue::Integer(i64::MIN),
                SqlValue::Real(0.1),
                SqlValue::Real(f64::INFINITY),
                SqlValue::Text("é".to_owned()),
                SqlValue::Text(String::new()),
                SqlValue::Blob(vec![0, 0xff]),
            ]
        );
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let row = made("1, 'text', 2");
        for length in [0, 5, 12, 17, row.len() - 1] {
            assert!(read(&row[..length]).is_err(), "{length}");
        }
        assert!(read(&made("'1'")).is_err());
        assert!(read(&made("-1")).is_err());
    }
}
