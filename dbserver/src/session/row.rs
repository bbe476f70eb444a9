//! `RowDescription` and `DataRow`.

use bytes::{BufMut, BytesMut};
use pgtypes::{Context, Format, PgType, SqlState, SqlValue, SqlValueRef, encode_in};

use crate::failure::Failure;
use crate::session::prepared::Column;
use crate::wire::output::{frame, patch_length};

/// `RowDescription`.
pub fn describe(out: &mut BytesMut, columns: &[Column], formats: &[Format]) {
    frame(out, b'T', |out| {
        out.put_u16(u16::try_from(columns.len()).unwrap_or(u16::MAX));
        for (index, column) in columns.iter().enumerate() {
            let ty = if column.ty == PgType::Unknown {
                &PgType::Text
            } else {
                &column.ty
            };
            out.put_slice(column.name.as_bytes());
            out.put_u8(0);
            let (table, number) = column.origin;
            out.put_u32(table);
            out.put_u16(number);
            out.put_u32(ty.oid().get());
            out.put_i16(ty.typlen());
            out.put_i32(ty.typmod());
            out.put_i16(format(formats, index).code());
        }
    });
}

/// The format of a column: none given is text, one given is for all.
pub fn format(formats: &[Format], column: usize) -> Format {
    match formats {
        [] => Format::Text,
        [one] => *one,
        many => many.get(column).copied().unwrap_or_default(),
    }
}

/// Begins a `DataRow`; its length is patched at the returned place when the fields are in.
pub fn begin(out: &mut BytesMut, columns: usize) -> usize {
    out.extend_from_slice(&[b'D', 0, 0, 0, 0]);
    out.put_u16(u16::try_from(columns).unwrap_or(u16::MAX));
    out.len() - 6
}

/// One field: its length and its value.
pub fn field(
    out: &mut BytesMut,
    value: SqlValueRef<'_>,
    ty: &PgType,
    format: Format,
    context: &Context,
) -> Result<(), Failure> {
    if value.is_null() {
        out.extend_from_slice(&[0xff; 4]);
        return Ok(());
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let ty = if *ty == PgType::Unknown {
        &PgType::Text
    } else {
        ty
    };
    encode_in(value, ty, format, context, out)?;
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(mut place) = out.get_mut(start..start + 4) {
        place.put_u32(length);
    }
    Ok(())
}

/// A whole `DataRow` of values that are in memory.
pub fn write(
    out: &mut BytesMut,
    columns: &[Column],
    formats: &[Format],
    values: &[SqlValue],
    context: &Context,
) -> Result<(), Failure> {
    let whole = out.len();
    let start = begin(out, columns.len());
    for (index, column) in columns.iter().enumerate() {
        let value = values
            .get(index)
            .map_or(SqlValueRef::Null, SqlValue::as_ref);
        if let Err(failure) = field(out, value, &column.ty, format(formats, index), context) {
            out.truncate(whole);
            return Err(failure);
        }
    }
    patch_length(out, start);
    Ok(())
}

/// What a value takes in memory, about.
pub fn weight(value: SqlValueRef<'_>) -> usize {
    let inner = match value {
        SqlValueRef::Text(text) => text.len(),
        SqlValueRef::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    inner + size_of::<SqlValue>()
}

/// The rows that a portal left open by a writing transaction would have to keep are too many.
pub fn too_large() -> Failure {
    Failure::new(
        SqlState::OUT_OF_MEMORY,
        "the rest of an open cursor's result is too large to be kept",
    )
    .hint("Read the cursor to its end, or close it, before the transaction writes.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: PgType) -> Column {
        Column {
            ty,
            ..Column::text("a")
        }
    }

    #[test]
    fn a_row_has_a_length_for_each_field_and_none_for_null() {
        let mut out = BytesMut::new();
        let columns = [column(PgType::Text), column(PgType::Int4)];
        write(
            &mut out,
            &columns,
            &[],
            &[SqlValue::Text("xy".into()), SqlValue::Null],
            Context::standard(),
        )
        .unwrap();
        assert_eq!(&out[..], b"D\0\0\0\x10\0\x02\0\0\0\x02xy\xff\xff\xff\xff");
    }

    #[test]
    fn one_format_is_for_all_columns() {
        assert_eq!(format(&[], 3), Format::Text);
        assert_eq!(format(&[Format::Binary], 3), Format::Binary);
        assert_eq!(format(&[Format::Text, Format::Binary], 1), Format::Binary);
    }

    #[test]
    fn a_description_tells_name_type_and_format() {
        let mut out = BytesMut::new();
        describe(&mut out, &[column(PgType::Int4)], &[Format::Binary]);
        assert_eq!(
            &out[..],
            b"T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01"
        );
    }
}
