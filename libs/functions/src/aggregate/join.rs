//! Aggregates that put texts or bytes together: with a delimiter, or as JSON.
//!
//! Those of JSON take values that are JSON already: what `to_json` or `to_jsonb` gives.

use std::collections::VecDeque;

use pgtypes::json::{Json, quoted};
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{text, value};
use crate::error::fail;
use crate::registry::{Aggregate, AggregateSpec};

const fn spec(
    name: &'static str,
    arguments: i32,
    new: fn() -> Box<dyn Aggregate>,
) -> AggregateSpec {
    AggregateSpec {
        name,
        arguments,
        inverse: true,
        new,
    }
}

pub(super) const AGGREGATES: &[AggregateSpec] = &[
    spec("pg_string_agg_text", 2, || Box::new(Joined::default())),
    spec("pg_string_agg_bytea", 2, || Box::new(Bytes::default())),
    spec("pg_json_agg", 1, || begin(Form::Array)),
    spec("pg_json_agg_rows", 1, || begin(Form::Rows)),
    spec("pg_jsonb_agg", 1, || begin(Form::BinaryArray)),
    spec("pg_json_object_agg", 2, || begin(Form::Object)),
    spec("pg_jsonb_object_agg", 2, || begin(Form::BinaryObject)),
];

/// Each text with the delimiter before it.
#[derive(Debug, Default)]
struct Joined {
    parts: VecDeque<(String, String)>,
}

impl Aggregate for Joined {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() {
            return Ok(());
        }
        let delimiter = match value(arguments, 1) {
            SqlValueRef::Null => "",
            _ => text(arguments, 1)?,
        };
        let part = text(arguments, 0)?;
        self.parts
            .push_back((delimiter.to_owned(), part.to_owned()));
        Ok(())
    }

    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if !value(arguments, 0).is_null() {
            self.parts.pop_front();
        }
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        let mut parts = self.parts.iter();
        let Some((_, first)) = parts.next() else {
            return Ok(SqlValue::Null);
        };
        let mut out = first.clone();
        for (delimiter, part) in parts {
            out.push_str(delimiter);
            out.push_str(part);
        }
        Ok(SqlValue::Text(out))
    }
}

#[derive(Debug, Default)]
struct Bytes {
    parts: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl Aggregate for Bytes {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() {
            return Ok(());
        }
        let delimiter = match value(arguments, 1) {
            SqlValueRef::Null => &[],
            _ => crate::arguments::bytes(arguments, 1)?,
        };
        let part = crate::arguments::bytes(arguments, 0)?;
        self.parts.push_back((delimiter.to_vec(), part.to_vec()));
        Ok(())
    }

    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if !value(arguments, 0).is_null() {
            self.parts.pop_front();
        }
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        let mut parts = self.parts.iter();
        let Some((_, first)) = parts.next() else {
            return Ok(SqlValue::Null);
        };
        let mut out = first.clone();
        for (delimiter, part) in parts {
            out.extend_from_slice(delimiter);
            out.extend_from_slice(part);
        }
        Ok(SqlValue::Blob(out))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `[1, 2]`
    Array,
    /// The same, each element on its line, as for rows and arrays.
    Rows,
    /// jsonb
    BinaryArray,
    /// `{ "a" : 1 }`
    Object,
    /// jsonb
    BinaryObject,
}

fn begin(form: Form) -> Box<dyn Aggregate> {
    Box::new(Document {
        form,
        members: VecDeque::new(),
    })
}

#[derive(Debug)]
struct Document {
    form: Form,
    /// Keys, empty for arrays, and values.
    members: VecDeque<(String, String)>,
}

impl Document {
    fn is_object(&self) -> bool {
        matches!(self.form, Form::Object | Form::BinaryObject)
    }

    fn text(&self) -> Result<String, ValueError> {
        let values = self.members.iter().map(|(_, value)| value.as_str());
        Ok(match self.form {
            Form::Array => format!("[{}]", values.collect::<Vec<_>>().join(", ")),
            Form::Rows => format!("[{}]", values.collect::<Vec<_>>().join(", \n ")),
            Form::Object => {
                let members = self
                    .members
                    .iter()
                    .map(|(key, value)| format!("{} : {value}", quoted(key)));
                format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
            }
            Form::BinaryArray => {
                let elements = values.map(Json::parse);
                Json::Array(elements.collect::<Result<_, _>>()?).to_string()
            }
            Form::BinaryObject => {
                let members = self
                    .members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Json::parse(value)?)));
                Json::object(members.collect::<Result<_, ValueError>>()?).to_string()
            }
        })
    }
}

impl Aggregate for Document {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        let (key, at) = if self.is_object() {
            if value(arguments, 0).is_null() {
                return fail(
                    SqlState::INVALID_PARAMETER_VALUE,
                    "field name must not be null",
                );
            }
            (text(arguments, 0)?, 1)
        } else {
            ("", 0)
        };
        let member = match value(arguments, at) {
            SqlValueRef::Null => "null",
            _ => text(arguments, at)?,
        };
        self.members.push_back((key.to_owned(), member.to_owned()));
        Ok(())
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.members.pop_front();
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.members.is_empty() {
            return Ok(SqlValue::Null);
        }
        Ok(SqlValue::Text(self.text()?))
    }
}
