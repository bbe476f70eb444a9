//! Values as people and programs read them.

use std::sync::Arc;

use bytes::BytesMut;
use pgtypes::{Context, Format, PgType, SqlValueRef, encode_in};
use rowdiff::{Row, Table, Value};

use crate::commands::fwlog::printer::put_json;

/// Shows values as PostgreSQL prints them, by the types of their columns. What is no value of its type is shown as it is
/// stored.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The table that was shown last, and the types of its columns.
    last: Option<(Arc<Table>, Vec<PgType>)>,
}

impl Shown {
    /// `name=value` of the columns that a test lets through.
    pub(crate) fn columns(&mut self, row: &Row, which: impl Fn(usize) -> bool) -> String {
        let types = self.types(&row.table);
        let values = row.values.iter().zip(types);
        let columns = row.table.columns.iter().zip(values).enumerate();
        let mut text = String::new();
        for (_, (column, (value, ty))) in columns.filter(|(index, _)| which(*index)) {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&column.name);
            text.push('=');
            text.push_str(&literal(value, ty));
        }
        text
    }

    /// Column by column what was and what is, where they differ.
    pub(crate) fn differences(&mut self, before: &Row, after: &Row) -> String {
        let old_types = self.types(&before.table).to_vec();
        let types = self.types(&after.table);
        let mut text = String::new();
        let columns = after.table.columns.iter().zip(&after.values).zip(types);
        for (index, ((column, value), ty)) in columns.enumerate() {
            let place = after.table.counterpart(index, &before.table);
            let old = place.and_then(|place| before.values.get(place).zip(old_types.get(place)));
            if old.is_some_and(|(old, _)| old == value) {
                continue;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            let was = old.map_or_else(String::new, |(old, ty)| literal(old, ty) + " -> ");
            text.push_str(&column.name);
            text.push('=');
            text.push_str(&was);
            text.push_str(&literal(value, ty));
        }
        text
    }

    /// A row as an object of JSON: NULL is null, every other value a string, as everywhere in what dbctl prints.
    pub(crate) fn json(&mut self, row: &Row) -> String {
        let types = self.types(&row.table);
        let mut json = String::from("{");
        let columns = row.table.columns.iter().zip(&row.values).zip(types);
        for ((column, value), ty) in columns {
            if json.len() > 1 {
                json.push(',');
            }
            put_json(&mut json, &column.name);
            json.push(':');
            match text(value, ty) {
                None => json.push_str("null"),
                Some(text) => put_json(&mut json, &text),
            }
        }
        json.push('}');
        json
    }

    fn types(&mut self, table: &Arc<Table>) -> &[PgType] {
        let known = self
            .last
            .as_ref()
            .is_some_and(|(last, _)| Arc::ptr_eq(last, table));
        if !known {
            self.last = None;
        }
        let (_, types) = self.last.get_or_insert_with(|| {
            let columns = table.columns.iter();
            let types = columns
                .map(|column| PgType::from_declared(&column.declared_type).unwrap_or(PgType::Text));
            (Arc::clone(table), types.collect())
        });
        types
    }
}

/// Text in quotes, numbers and truth without.
fn literal(value: &Value, ty: &PgType) -> String {
    let Some(text) = text(value, ty) else {
        return "NULL".to_owned();
    };
    let bare = match value {
        Value::Integer(_) | Value::Real(_) => !text.contains([' ', ':']),
        _ => matches!(ty, PgType::Numeric { .. }),
    };
    if bare {
        text
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// The text of a value; none for NULL.
fn text(value: &Value, ty: &PgType) -> Option<String> {
    let stored;
    let value = match value {
        Value::Null => return None,
        Value::Integer(value) => SqlValueRef::Integer(*value),
        Value::Real(value) => SqlValueRef::Real(*value),
        Value::Blob(bytes) => SqlValueRef::Blob(bytes),
        Value::Text(bytes) => {
            stored = String::from_utf8_lossy(bytes);
            SqlValueRef::Text(&stored)
        }
    };
    let plain = match value {
        SqlValueRef::Integer(_) => PgType::Int8,
        SqlValueRef::Real(_) => PgType::Float8,
        SqlValueRef::Blob(_) => PgType::Bytea,
        _ => PgType::Text,
    };
    let encode = |ty: &PgType| {
        let mut out = BytesMut::new();
        encode_in(value, ty, Format::Text, Context::standard(), &mut out)
            .map(|()| String::from_utf8_lossy(&out).into_owned())
    };
    encode(ty)
        .or_else(|_| encode(&plain))
        .map_or_else(|error| Some(error.message), Some)
}
