//! Statements with parameters, by the extended protocol: parameters go in as text, and then in the binary form that the
//! server itself gives to them.

use std::error::Error;
use std::fmt::Write as _;

use bytes::BytesMut;
use dbtests::Client;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Row, Statement};

use crate::answer::refusal;
use crate::script::Case;

/// A value as it is on the wire.
#[derive(Debug, Clone)]
struct Sent {
    bytes: Option<Vec<u8>>,
    binary: bool,
}

impl ToSql for Sent {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match &self.bytes {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if self.binary {
            Format::Binary
        } else {
            Format::Text
        }
    }

    to_sql_checked!();
}

/// A value as it came.
struct Got(Option<Vec<u8>>);

impl<'a> FromSql<'a> for Got {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What Describe says, the rows in binary, and whether binary parameters give the same.
pub(crate) fn ask(client: &Client, case: &Case) -> String {
    let sql = case.statements.concat();
    let statement = match client.wait(client.driver().prepare(&sql)) {
        Ok(statement) => statement,
        Err(error) => return refusal(&error),
    };
    let types: Vec<&str> = statement.params().iter().map(Type::name).collect();
    let columns = statement.columns().iter();
    let columns: Vec<String> = columns
        .map(|column| format!("{} {}", column.name(), column.type_()))
        .collect();
    let mut answer = format!("({}) -> {}\n", types.join(", "), columns.join(" | "));
    let texts: Vec<Sent> = case
        .parameters
        .iter()
        .map(|value| Sent {
            bytes: value.as_ref().map(|text| text.as_bytes().to_vec()),
            binary: false,
        })
        .collect();
    client.run("SAVEPOINT before");
    let by_text = rows(client, &statement, &texts);
    answer += &by_text;
    client.run("ROLLBACK TO before");
    if by_text.starts_with("ERROR") {
        return answer;
    }
    match binary_forms(client, &statement, &texts) {
        Ok(forms) => {
            let by_binary = rows(client, &statement, &forms);
            if by_binary != by_text {
                answer += "with binary parameters:\n";
                answer += &by_binary;
            }
        }
        Err(refusal) => answer += &refusal,
    }
    answer
}

fn rows(client: &Client, statement: &Statement, values: &[Sent]) -> String {
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    match client.wait(client.driver().query(statement, &values)) {
        Ok(rows) => rows.iter().map(|row| shown(row) + "\n").collect(),
        Err(error) => refusal(&error),
    }
}

/// The same values in binary: what the server gives for them as columns of their types.
fn binary_forms(
    client: &Client,
    statement: &Statement,
    texts: &[Sent],
) -> Result<Vec<Sent>, String> {
    let mut forms = Vec::with_capacity(texts.len());
    for (ty, text) in statement.params().iter().zip(texts) {
        let sql = format!("SELECT $1::{}", ty.name().replace('_', ""));
        let sql = if ty.name().starts_with('_') {
            sql + "[]"
        } else {
            sql
        };
        let row = client
            .wait(client.driver().query_one(&sql, &[text]))
            .map_err(|error| refusal(&error))?;
        let Got(bytes) = row.get(0);
        forms.push(Sent {
            bytes,
            binary: true,
        });
    }
    Ok(forms)
}

fn shown(row: &Row) -> String {
    let fields: Vec<String> = (0..row.len())
        .map(|at| match row.get(at) {
            Got(None) => "NULL".to_owned(),
            Got(Some(bytes)) => {
                let mut hex = String::new();
                for byte in bytes {
                    let written = write!(hex, "{byte:02x}");
                    assert!(written.is_ok(), "a String takes all");
                }
                hex
            }
        })
        .collect();
    fields.join(" | ")
}
