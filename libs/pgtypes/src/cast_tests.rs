//! Casts between types.

use crate::{
    Context, Format, PgType, SqlValue, SqlValueRef, Timestamp, Zone, cast, cast_in, decode_in,
    to_text_in,
};

fn berlin() -> Context {
    Context {
        zone: Zone::of_setting("Europe/Berlin").unwrap(),
        transaction_start: Timestamp::parse("2024-07-01 00:00", None).ok(),
        ..Context::default()
    }
}

/// The text of a value after a cast.
fn through(text: &str, from: &str, to: &str) -> Result<String, (String, String)> {
    let context = berlin();
    let [from, to] = [from, to].map(|name| PgType::parse(name).unwrap());
    let stored = decode_in(text.as_bytes(), &from, Format::Text, &context).unwrap();
    cast_in(stored.as_ref(), &from, &to, &context)
        .map(|cast| to_text_in(cast.as_ref(), &to, &context))
        .map_err(|error| (error.sqlstate.to_string(), error.message))
}

/// As in PostgreSQL 15.
#[test]
fn numbers_become_other_numbers() {
    for (text, from, to, cast) in [
        ("2.5", "float8", "int4", "2"),
        ("2.5", "numeric", "int4", "3"),
        ("-2.5", "numeric", "int8", "-3"),
        ("7", "int4", "numeric(10,2)", "7.00"),
        ("1.005", "numeric", "numeric(10,2)", "1.01"),
        ("1.50", "numeric(10,2)", "numeric", "1.50"),
        ("0.30000000000000004", "float8", "numeric", "0.3"),
        ("1.1", "float4", "numeric", "1.1"),
        ("1.1", "float4", "float8", "1.100000023841858"),
        ("NaN", "float8", "numeric", "NaN"),
        ("NaN", "numeric", "float4", "NaN"),
        ("1e20", "float8", "numeric", "100000000000000000000"),
        ("3", "int4", "bool", "t"),
        ("t", "bool", "int4", "1"),
        ("4294967295", "int8", "oid", "4294967295"),
    ] {
        assert_eq!(
            through(text, from, to).as_deref(),
            Ok(cast),
            "{text} {from} {to}"
        );
    }
}

#[test]
fn numbers_that_the_other_type_has_not_are_refused() {
    for (text, from, to, sqlstate, message) in [
        ("40000", "int4", "int2", "22003", "smallint out of range"),
        ("1e10", "float8", "int4", "22003", "integer out of range"),
        ("NaN", "float8", "int4", "22003", "integer out of range"),
        ("1e30", "numeric", "int8", "22003", "bigint out of range"),
        ("-1", "int8", "oid", "22003", "OID out of range"),
        (
            "NaN",
            "numeric",
            "int4",
            "0A000",
            "cannot convert NaN to integer",
        ),
        (
            "inf",
            "numeric",
            "int4",
            "0A000",
            "cannot convert infinity to integer",
        ),
        (
            "1e300",
            "float8",
            "float4",
            "22003",
            "value out of range: overflow",
        ),
        (
            "1e-300",
            "float8",
            "float4",
            "22003",
            "value out of range: underflow",
        ),
        (
            "100",
            "int4",
            "numeric(2,0)",
            "22003",
            "numeric field overflow",
        ),
    ] {
        let error = through(text, from, to).unwrap_err();
        assert_eq!(
            error,
            (sqlstate.to_owned(), message.to_owned()),
            "{text} {from}"
        );
    }
}

#[test]
fn moments_become_other_moments_in_the_sessions_zone() {
    for (text, from, to, cast) in [
        ("2024-01-31", "date", "timestamp", "2024-01-31 00:00:00"),
        (
            "2024-01-31",
            "date",
            "timestamptz",
            "2024-01-31 00:00:00+01",
        ),
        ("infinity", "date", "timestamptz", "infinity"),
        ("2024-07-31 23:30+00", "timestamptz", "date", "2024-08-01"),
        (
            "2024-07-31 23:30+00",
            "timestamptz",
            "timestamp",
            "2024-08-01 01:30:00",
        ),
        (
            "2024-07-31 23:30+00",
            "timestamptz",
            "timetz",
            "01:30:00+02",
        ),
        (
            "2024-07-31 10:00",
            "timestamp",
            "timestamptz",
            "2024-07-31 10:00:00+02",
        ),
        (
            "2024-07-31 10:00:00.6",
            "timestamp",
            "timestamp(0)",
            "2024-07-31 10:00:01",
        ),
        ("2024-07-31 10:00", "timestamp", "time", "10:00:00"),
        ("infinity", "timestamp", "time", ""),
        ("10:00", "time", "timetz", "10:00:00+02"),
        ("10:00", "time", "interval", "10:00:00"),
        ("10:00+02", "timetz", "time", "10:00:00"),
    ] {
        assert_eq!(
            through(text, from, to).as_deref(),
            Ok(cast),
            "{text} {from} {to}"
        );
    }
}

#[test]
fn all_else_goes_by_its_text() {
    for (text, from, to, cast) in [
        (
            "2024-07-31 23:30+00",
            "timestamptz",
            "text",
            "2024-08-01 01:30:00+02",
        ),
        ("t", "bool", "text", "true"),
        ("a", "char(3)", "text", "a"),
        ("2024-01-31", "text", "date", "2024-01-31"),
        ("17", "text", "numeric(10,2)", "17.00"),
        (
            "{\"b\":1, \"a\":2}",
            "json",
            "jsonb",
            "{\"a\": 2, \"b\": 1}",
        ),
        ("abc", "text", "char(5)", "abc  "),
        ("10.1", "cidr", "inet", "10.1.0.0/16"),
    ] {
        assert_eq!(
            through(text, from, to).as_deref(),
            Ok(cast),
            "{text} {from} {to}"
        );
    }
    assert_eq!(
        through("abcd", "text", "varchar(3)").unwrap_err().0,
        "22001"
    );
    assert_eq!(cast(SqlValueRef::Null, &PgType::Date), Ok(SqlValue::Null));
    assert_eq!(
        cast(SqlValueRef::Text("1.50"), &PgType::NUMERIC),
        Ok(SqlValue::Text("1.50".into()))
    );
    assert_eq!(
        cast(SqlValueRef::Real(2.5), &PgType::Int4),
        Ok(SqlValue::Integer(2))
    );
}
