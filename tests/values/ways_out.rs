//! How values go out.

use std::error::Error;
use std::pin::pin;

use bytes::{Buf as _, Bytes};
use dbtests::Client;
use futures::TryStreamExt as _;
use tokio_postgres::types::{FromSql, Type};

use crate::expected::Expected;
use crate::kinds::Kind;
use crate::ways_in::escaped;

/// What differs: the way out, the number of the value, what came and what should have come.
pub(crate) type Difference = (&'static str, usize, String, String);

/// Which of a value's forms a way out shows.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As on the wire.
    Text,
    /// Cast to text.
    Cast,
    /// An array of JSON with the value.
    Json,
}

/// An expression over the value, what stands before the value in its result, and in which form.
type Way = (&'static str, &'static str, Form);

/// All of them.
const EXPRESSIONS: &[Way] = &[
    ("v", "", Form::Text),
    ("v::text", "", Form::Cast),
    ("CAST(v AS text)", "", Form::Cast),
    ("'|' || v", "|", Form::Cast),
    ("v || ''", "", Form::Cast),
    ("concat('|', v)", "|", Form::Text),
    ("concat_ws('-', '|', v)", "|-", Form::Text),
    ("format('|%s', v)", "|", Form::Text),
    ("json_build_array(v)", "", Form::Json),
    ("json_build_array(to_json(v))", "", Form::Json),
    ("string_agg(v::text, ',')", "", Form::Cast),
    ("string_agg(v, ',')", "", Form::Cast),
    ("json_agg(v)", "", Form::Json),
];

/// Bytes joined are bytes, and JSON joined is JSON.
fn is_joined_to_text(kind: &Kind, way: &str) -> bool {
    match kind.declared {
        // What is joined must be text.
        _ if way == "string_agg(v, ',')" => {
            matches!(kind.declared, "text" | "varchar(20)" | "name")
        }
        "bytea" => !way.contains("||") && !way.starts_with("string_agg(v,"),
        "jsonb" => !way.contains("||"),
        _ => true,
    }
}

/// The bytes of a field.
struct Wire(Vec<u8>);

impl<'a> FromSql<'a> for Wire {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads all values by all ways.
pub(crate) fn differences(
    client: &mut Client,
    kind: &Kind,
    source: &[String],
    expected: &[Expected],
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut seen = 0;
    for source in source {
        seen += expressions(client, kind, source, expected, &mut found);
        in_binary(client, source, expected, &mut found);
    }
    assert_eq!(seen, expected.len(), "rows of {}", kind.declared);
    if let [source] = source
        && seen == expected.len()
    {
        copied(client, source, expected, &mut found);
    }
    found
}

fn expressions(
    client: &Client,
    kind: &Kind,
    source: &str,
    expected: &[Expected],
    found: &mut Vec<Difference>,
) -> usize {
    let ways: Vec<Way> = EXPRESSIONS
        .iter()
        .copied()
        .filter(|(way, ..)| is_joined_to_text(kind, way))
        .collect();
    let (grouped, plain): (Vec<Way>, Vec<Way>) = ways
        .into_iter()
        .partition(|(way, ..)| way.contains("_agg("));
    let mut rows_seen = 0;
    for (ways, end) in [(plain, "ORDER BY id"), (grouped, "GROUP BY id ORDER BY id")] {
        let list: Vec<&str> = ways.iter().map(|(way, ..)| *way).collect();
        let rows = client.rows(&format!(
            "SELECT id, {} FROM {source} {end}",
            list.join(", ")
        ));
        rows_seen = rows.len();
        for row in rows {
            let id: usize = row[0].parse().expect("a number");
            for (at, (way, before, form)) in ways.iter().enumerate() {
                let got = &row[at + 1];
                let value = &expected[id];
                let wanted = match form {
                    Form::Text => format!("{before}{}", value.text),
                    Form::Cast => format!("{before}{}", value.cast),
                    Form::Json => match &value.number {
                        Some(number) => format!("[{number}]"),
                        None => format!("[{}]", value.json),
                    },
                };
                let alike = match form {
                    Form::Json if value.number.is_none() => same_json(got, &value.json),
                    _ => *got == wanted,
                };
                if !alike {
                    found.push((way, id, got.clone(), wanted));
                }
            }
        }
    }
    rows_seen
}

/// Whether a text is the array of this one value.
fn same_json(text: &str, value: &serde_json::Value) -> bool {
    let parsed: Result<Vec<serde_json::Value>, _> = serde_json::from_str(text);
    parsed.is_ok_and(|array| array.len() == 1 && array.first() == Some(value))
}

fn in_binary(client: &Client, source: &str, expected: &[Expected], found: &mut Vec<Difference>) {
    let sql = format!("SELECT id, v FROM {source} ORDER BY id");
    let rows = client.wait(client.driver().query(&sql, &[])).expect("rows");
    for row in rows {
        let id = usize::try_from(row.get::<_, i32>(0)).expect("a number");
        let Wire(got) = row.get(1);
        let wanted = &expected[id].binary;
        if got != *wanted {
            found.push((
                "binary",
                id,
                format!("{got:02x?}"),
                format!("{wanted:02x?}"),
            ));
        }
    }
}

fn copy_out(client: &mut Client, sql: &str) -> Vec<u8> {
    let parts: Vec<Bytes> = client
        .wait(async {
            let stream = client.driver().copy_out(sql).await?;
            pin!(stream).try_collect().await
        })
        .expect(sql);
    parts.concat()
}

fn copied(client: &mut Client, source: &str, expected: &[Expected], found: &mut Vec<Difference>) {
    let select = format!("COPY (SELECT id, v FROM {source} ORDER BY id) TO STDOUT");
    let text = String::from_utf8(copy_out(client, &select)).expect("UTF-8");
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    assert_eq!(lines.len(), expected.len(), "lines of COPY");
    for (id, (line, value)) in lines.into_iter().zip(expected).enumerate() {
        let wanted = format!("{id}\t{}", escaped(&value.text));
        if line != wanted {
            found.push(("COPY text", id, line.to_owned(), wanted));
        }
    }
    let csv = format!("{select} (FORMAT csv, FORCE_QUOTE (v))");
    let text = String::from_utf8(copy_out(client, &csv)).expect("UTF-8");
    let mut rest = text.as_str();
    for (id, value) in expected.iter().enumerate() {
        let wanted = format!("{id},\"{}\"\n", value.text.replace('"', "\"\""));
        let Some(behind) = rest.strip_prefix(&wanted) else {
            let got = rest.get(..wanted.len() + 10).unwrap_or(rest);
            found.push(("COPY csv", id, got.to_owned(), wanted));
            break;
        };
        rest = behind;
    }
    copied_in_binary(
        &copy_out(client, &format!("{select} (FORMAT binary)")),
        expected,
        found,
    );
}

fn copied_in_binary(bytes: &[u8], expected: &[Expected], found: &mut Vec<Difference>) {
    let mut rest = bytes.get(19..).expect("a header");
    for (id, value) in expected.iter().enumerate() {
        assert_eq!(rest.get_i16(), 2, "fields");
        assert_eq!(rest.get_i32(), 4, "a number");
        assert_eq!(rest.get_i32(), i32::try_from(id).expect("few rows"));
        let length = usize::try_from(rest.get_i32()).expect("no NULL");
        let (got, behind) = rest.split_at(length);
        if got != value.binary {
            found.push((
                "COPY binary",
                id,
                format!("{got:02x?}"),
                format!("{:02x?}", value.binary),
            ));
        }
        rest = behind;
    }
    assert_eq!(rest, [0xff, 0xff], "the end");
}
