//! How values come in.

use std::error::Error;
use std::fmt::Write as _;
use std::pin::pin;

use bytes::{BufMut as _, Bytes, BytesMut};
use dbtests::{Client, Refusal};
use futures::SinkExt as _;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use crate::expected::Expected;
use crate::kinds::Kind;

/// Rows of one statement.
const ROWS: usize = 250;

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum In {
    /// `INSERT … VALUES ('x')`
    Literal,
    /// `'x'::type`
    Cast,
    /// `CAST('x' AS type)`
    CastCall,
    /// `$1`, as text.
    TextParameter,
    /// `$1`, in binary.
    BinaryParameter,
    /// `COPY … FROM STDIN`
    CopyText,
    /// `COPY … FROM STDIN (FORMAT csv)`
    CopyCsv,
    /// `COPY … FROM STDIN (FORMAT binary)`
    CopyBinary,
    /// `coalesce('x'::type, NULL)`
    Function,
    /// Not stored: a query in FROM.
    Query,
}

/// All of them.
pub(crate) const WAYS_IN: [In; 10] = [
    In::Literal,
    In::Cast,
    In::CastCall,
    In::TextParameter,
    In::BinaryParameter,
    In::CopyText,
    In::CopyCsv,
    In::CopyBinary,
    In::Function,
    In::Query,
];

/// The bytes of a value, in the form that its way asks for.
#[derive(Debug)]
struct Raw<'a>(&'a [u8], bool);

impl ToSql for Raw<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if self.1 { Format::Binary } else { Format::Text }
    }

    tokio_postgres::types::to_sql_checked!();
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A field of COPY's text format.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            c => out.push(c),
        }
    }
    out
}

impl In {
    /// Brings the values in, numbered from 0; gives what stands behind FROM to read them, one text for each part.
    pub(crate) fn put(
        self,
        client: &mut Client,
        kind: &Kind,
        inputs: &[String],
        expected: &[Expected],
    ) -> Vec<String> {
        if self == Self::Query {
            let rows: Vec<String> = inputs
                .iter()
                .enumerate()
                .map(|(id, input)| format!("({id}, {}::{})", quoted(input), kind.declared))
                .collect();
            let parts = rows.chunks(ROWS);
            return parts
                .map(|part| format!("(VALUES {}) AS t(id, v)", part.join(",")))
                .collect();
        }
        client.run(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, v {})",
            kind.declared
        ));
        let result = self.rows(client, kind, inputs, expected);
        if let Err(error) = result {
            panic!("{} by {self:?}: {error:?}", kind.declared);
        }
        vec!["t".to_owned()]
    }

    /// SQLSTATE and message for one text, or what it was taken for.
    pub(crate) fn try_put(self, client: &mut Client, kind: &Kind, input: &str) -> String {
        client.run(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, v {})",
            kind.declared
        ));
        let inputs = [input.to_owned()];
        match self.rows(client, kind, &inputs, &[]) {
            Ok(()) => format!("taken for {:?}", client.rows("SELECT v FROM t")),
            Err(error) => Refusal::of(&error).map_or_else(
                || format!("{error:?}"),
                |refusal| format!("{} {}", refusal.code, refusal.message),
            ),
        }
    }

    /// Whether the values go into a table.
    pub(crate) fn is_stored(self) -> bool {
        self != Self::Query
    }

    /// Forgets the values.
    pub(crate) fn clear(self, client: &Client) {
        if self.is_stored() {
            client.run("DROP TABLE t");
        }
    }

    fn rows(
        self,
        client: &mut Client,
        kind: &Kind,
        inputs: &[String],
        expected: &[Expected],
    ) -> Result<(), tokio_postgres::Error> {
        let declared = kind.declared;
        let written = |input: &String| match self {
            Self::Literal => quoted(input),
            Self::Cast => format!("{}::{declared}", quoted(input)),
            Self::CastCall => format!("CAST({} AS {declared})", quoted(input)),
            _ => format!("coalesce({}::{declared}, NULL)", quoted(input)),
        };
        match self {
            Self::Literal | Self::Cast | Self::CastCall | Self::Function | Self::Query => {
                insert(client, &inputs.iter().map(written).collect::<Vec<_>>())
            }
            Self::TextParameter => {
                let bytes = inputs.iter().map(|input| Raw(input.as_bytes(), false));
                parameters(client, &bytes.collect::<Vec<_>>())
            }
            Self::BinaryParameter => {
                let bytes = expected.iter().map(|value| Raw(&value.binary, true));
                parameters(client, &bytes.collect::<Vec<_>>())
            }
            Self::CopyText => {
                let lines = inputs.iter().enumerate();
                let lines: Vec<String> = lines
                    .map(|(id, input)| format!("{id}\t{}\n", escaped(input)))
                    .collect();
                copy(client, "COPY t FROM STDIN", lines.concat().into())
            }
            Self::CopyCsv => {
                let lines = inputs.iter().enumerate();
                let lines: Vec<String> = lines
                    .map(|(id, input)| format!("{id},\"{}\"\n", input.replace('"', "\"\"")))
                    .collect();
                copy(
                    client,
                    "COPY t FROM STDIN (FORMAT csv)",
                    lines.concat().into(),
                )
            }
            Self::CopyBinary => copy(
                client,
                "COPY t FROM STDIN (FORMAT binary)",
                binary(expected),
            ),
        }
    }
}

fn insert(client: &Client, values: &[String]) -> Result<(), tokio_postgres::Error> {
    let mut id = 0;
    for part in values.chunks(ROWS) {
        let mut sql = String::from("INSERT INTO t VALUES ");
        for value in part {
            let comma = if id % ROWS == 0 { "" } else { "," };
            // Writing to a text does not fail.
            let _written = write!(sql, "{comma}({id}, {value})");
            id += 1;
        }
        client.try_rows(&sql)?;
    }
    Ok(())
}

fn parameters(client: &Client, values: &[Raw<'_>]) -> Result<(), tokio_postgres::Error> {
    let mut statement = None;
    for (part, values) in values.chunks(ROWS).enumerate() {
        if statement.is_none() || values.len() < ROWS {
            let places: Vec<String> = (0..values.len())
                .map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2))
                .collect();
            let sql = format!("INSERT INTO t VALUES {}", places.join(","));
            statement = Some(client.wait(client.driver().prepare(&sql))?);
        }
        let ids: Vec<i32> = (0..values.len())
            .map(|at| i32::try_from(part * ROWS + at).expect("few rows"))
            .collect();
        let bound: Vec<&(dyn ToSql + Sync)> = ids
            .iter()
            .zip(values)
            .flat_map(|(id, value)| [id as &(dyn ToSql + Sync), value])
            .collect();
        if let Some(statement) = &statement {
            client.wait(client.driver().execute(statement, &bound))?;
        }
    }
    Ok(())
}

fn copy(client: &mut Client, sql: &str, bytes: Bytes) -> Result<(), tokio_postgres::Error> {
    client.wait(async {
        let sink = client.driver().copy_in::<_, Bytes>(sql).await?;
        let mut sink = pin!(sink);
        sink.send(bytes).await?;
        sink.finish().await?;
        Ok(())
    })
}

fn binary(expected: &[Expected]) -> Bytes {
    let mut out = BytesMut::from(&b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"[..]);
    for (id, value) in expected.iter().enumerate() {
        out.put_i16(2);
        out.put_i32(4);
        out.put_i32(i32::try_from(id).expect("few rows"));
        out.put_i32(i32::try_from(value.binary.len()).expect("a short value"));
        out.extend_from_slice(&value.binary);
    }
    out.put_i16(-1);
    out.freeze()
}
