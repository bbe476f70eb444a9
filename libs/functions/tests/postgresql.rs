//! Every line of `postgresql.tsv` holds a call and what PostgreSQL 15 answered to it: the name of
//! the function, the types and texts of its arguments, and the type and text of the result, or the
//! SQLSTATE and message of the error.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::single_match_else,
    reason = "a test stops where something that it needs is missing, and a match shows both ways"
)]

use std::sync::OnceLock;

use functions::{Aggregate, Body, Scalar, Session, aggregates, scalars};
use pgtypes::{Context, SqlValue, SqlValueRef, Timestamp, Timestamptz, ValueError, Zone};

/// The session in which PostgreSQL was asked: its settings are the default ones.
struct Asked;

impl Session for Asked {
    fn context(&self) -> &Context {
        static CONTEXT: OnceLock<Context> = OnceLock::new();
        CONTEXT.get_or_init(|| Context {
            zone: Zone::by_name("Europe/Berlin").unwrap(),
            ..Context::default()
        })
    }

    fn transaction_timestamp(&self) -> Timestamptz {
        Timestamptz(Timestamp::new(0, None).unwrap())
    }

    fn statement_timestamp(&self) -> Timestamptz {
        self.transaction_timestamp()
    }

    fn clock(&self) -> Timestamptz {
        self.transaction_timestamp()
    }
}

fn call(scalar: &Scalar, arguments: &[SqlValue]) -> Result<SqlValue, ValueError> {
    let arguments: Vec<SqlValueRef<'_>> = arguments.iter().map(SqlValue::as_ref).collect();
    if scalar.strict && arguments.iter().any(|argument| argument.is_null()) {
        return Ok(SqlValue::Null);
    }
    match scalar.body {
        Body::Pure(body) => body(&arguments),
        Body::Session(body) => body(&Asked, &arguments),
    }
}

fn find(name: &str, arguments: usize) -> Option<&'static Scalar> {
    let fits = |scalar: &&Scalar| {
        scalar.name == name
            && (scalar.arguments < 0 || usize::try_from(scalar.arguments) == Ok(arguments))
    };
    scalars().iter().find(fits)
}

fn oid(type_name: &str) -> i64 {
    let names = [
        ("bool", 16),
        ("bytea", 17),
        ("char", 18),
        ("name", 19),
        ("int8", 20),
        ("int2", 21),
        ("int4", 23),
        ("text", 25),
        ("oid", 26),
        ("json", 114),
        ("cidr", 650),
        ("float4", 700),
        ("float8", 701),
        ("inet", 869),
        ("_text", 1009),
        ("bpchar", 1042),
        ("varchar", 1043),
        ("date", 1082),
        ("time", 1083),
        ("timestamp", 1114),
        ("timestamptz", 1184),
        ("interval", 1186),
        ("timetz", 1266),
        ("numeric", 1700),
        ("uuid", 2950),
        ("jsonb", 3802),
    ];
    let found = names.iter().find(|(name, _)| *name == type_name);
    found.unwrap_or_else(|| panic!("type {type_name}")).1
}

/// An argument, `type:text` or `type` alone for NULL.
fn argument(field: &str) -> Result<SqlValue, ValueError> {
    let Some((type_name, text)) = field.split_once(':') else {
        return Ok(SqlValue::Null);
    };
    let input = find("pg_in", 3).unwrap();
    let text = SqlValue::Text(decoded(text));
    call(
        input,
        &[
            text,
            SqlValue::Integer(oid(type_name)),
            SqlValue::Integer(-1),
        ],
    )
}

/// Tabs and ends of lines stand as `\t` and `\n`, backslashes as two.
fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

fn shown(value: &SqlValue, type_name: &str) -> String {
    if value.is_null() {
        return format!("{type_name} NULL");
    }
    let output = find("pg_out", 3).unwrap();
    let arguments = [
        value.clone(),
        SqlValue::Integer(oid(type_name)),
        SqlValue::Integer(-1),
    ];
    match call(output, &arguments) {
        Ok(SqlValue::Text(text)) => format!("{type_name}:{text}"),
        other => format!("{type_name}: {value:?} has no text: {other:?}"),
    }
}

fn aggregate(name: &str, rows: &[Vec<SqlValue>]) -> Option<Result<SqlValue, ValueError>> {
    let spec = aggregates().iter().find(|spec| spec.name == name)?;
    let mut work: Box<dyn Aggregate> = (spec.new)();
    for row in rows {
        let row: Vec<SqlValueRef<'_>> = row.iter().map(SqlValue::as_ref).collect();
        if let Err(error) = work.step(&row) {
            return Some(Err(error));
        }
    }
    Some(work.value())
}

/// The answer to a line, and what PostgreSQL answered.
fn answers(line: &str) -> (String, String) {
    let mut fields: Vec<&str> = line.split('\t').collect();
    let name = fields.remove(0);
    let (kind, expected) = (fields.remove(fields.len() - 2), fields.pop().unwrap());
    let (is_error, type_name) = match kind.strip_prefix('!') {
        Some(state) => (true, state),
        None => (false, kind),
    };
    let result = match name.strip_prefix('@') {
        // The rows of an aggregate are split by bars, their columns by semicolons.
        Some(name) => {
            let rows: Result<Vec<Vec<SqlValue>>, ValueError> = fields
                .iter()
                .map(|row| row.split(';').map(argument).collect())
                .collect();
            rows.and_then(|rows| {
                aggregate(name, &rows).unwrap_or_else(|| panic!("no aggregate {name}"))
            })
        }
        None => {
            let arguments: Result<Vec<SqlValue>, ValueError> =
                fields.iter().map(|field| argument(field)).collect();
            arguments.and_then(|arguments| match find(name, arguments.len()) {
                Some(scalar) => call(scalar, &arguments),
                None => panic!("no function {name} of {} arguments", arguments.len()),
            })
        }
    };
    let expected = decoded(expected);
    let expected = match (is_error, expected.as_str()) {
        (true, message) => format!("!{type_name}:{message}"),
        (false, "NULL") => format!("{type_name} NULL"),
        (false, text) => format!("{type_name}:{}", text.strip_prefix('=').unwrap_or(text)),
    };
    let found = match result {
        Ok(value) => shown(&value, if is_error { "text" } else { type_name }),
        Err(error) => format!("!{}:{}", error.sqlstate, error.message),
    };
    (found, expected)
}

#[test]
fn functions_answer_what_postgresql_answers() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("postgresql.tsv").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        count += 1;
        let (found, expected) = answers(line);
        if found != expected {
            wrong.push(format!("{line}\n    {found}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("")
    );
}
