//! Both directions together: known bytes, limits, hostile input.

use bytes::BytesMut;
use proptest::prelude::*;

use crate::{
    ByteaOutput, Context, DateStyle, Format, IntervalStyle, PgType, SqlState, SqlValue,
    SqlValueRef, Zone, decode, decode_in, encode, encode_in,
};

fn text(value: SqlValueRef<'_>, ty: PgType) -> String {
    let mut out = BytesMut::new();
    encode(value, &ty, Format::Text, &mut out).unwrap();
    String::from_utf8(out.to_vec()).unwrap()
}

fn binary(value: SqlValueRef<'_>, ty: PgType) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(value, &ty, Format::Binary, &mut out).unwrap();
    out.to_vec()
}

/// Type, text form and binary form of known values.
fn vectors() -> impl Iterator<Item = (PgType, &'static str, Vec<u8>)> {
    let lines = include_str!("../testdata/values.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.split(" | ");
        let ty = PgType::from_declared(parts.next().unwrap()).unwrap();
        let text = parts.next().unwrap().trim_end_matches(" |");
        let hex = parts.next().unwrap_or_default();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (ty, text, (0..hex.len()).step_by(2).map(byte).collect())
    })
}

#[test]
fn known_values_have_postgresqls_forms_and_are_read_from_either() {
    for (ty, known_text, known_bytes) in vectors() {
        let stored = decode(known_text.as_bytes(), &ty, Format::Text).unwrap();
        assert_eq!(
            decode(&known_bytes, &ty, Format::Binary).unwrap(),
            stored,
            "{ty}"
        );
        assert_eq!(text(stored.as_ref(), ty), known_text, "{ty}");
        assert_eq!(
            binary(stored.as_ref(), ty),
            known_bytes,
            "{ty} {known_text}"
        );
    }
}

#[test]
fn known_values_cover_every_type_that_has_values() {
    for ty in PgType::ALL.iter().copied() {
        let covered = vectors().any(|(known, ..)| known.oid() == ty.oid());
        assert!(
            covered || matches!(ty, PgType::Void | PgType::Unknown | PgType::Opaque(_)),
            "{ty}"
        );
    }
}

#[test]
fn the_fixed_binary_lengths_are_those_of_the_catalog() {
    for (ty, known_text, bytes) in vectors() {
        if let Ok(length) = usize::try_from(ty.typlen())
            && ty != PgType::Name
        {
            assert_eq!(bytes.len(), length, "{ty} {known_text}");
        }
    }
}

#[test]
fn values_are_stored_in_the_form_that_sqlite_keeps_best() {
    let stored = |text: &str, declared: &str| {
        decode(
            text.as_bytes(),
            &PgType::from_declared(declared).unwrap(),
            Format::Text,
        )
        .unwrap()
    };
    let text = |text: &str| SqlValue::Text(text.to_owned());
    assert_eq!(stored("yes", "boolean"), SqlValue::Integer(1));
    assert_eq!(
        stored("3.14", "real"),
        SqlValue::Real(f64::from(314_f32 / 100_f32))
    );
    assert_eq!(stored("NaN", "double precision"), text("NaN"));
    for (written, kept, declared) in [
        ("19.9", "19.90", "numeric(10,2)"),
        ("1.50", "1.50", "numeric"),
        ("-inf", "-Infinity", "numeric"),
        ("{\"b\":1, \"a\":2}", "{\"a\": 2, \"b\": 1}", "jsonb"),
        ("{\"b\":1, \"a\":2}", "{\"b\":1, \"a\":2}", "json"),
        ("90 minutes", "01:30:00", "interval"),
        ("4:05 -3:30", "04:05:00-03:30", "timetz"),
        ("10.1/16", "10.1.0.0/16", "inet"),
        ("10.1", "10.1.0.0/16", "cidr"),
        (
            "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "uuid",
        ),
        ("pg_class", "pg_class", "regclass"),
    ] {
        assert_eq!(stored(written, declared), text(kept), "{declared}");
    }
    for (written, number, declared) in [
        ("2000-01-31", 30, "date"),
        ("infinity", i32::MAX.into(), "date"),
        ("-infinity", i32::MIN.into(), "date"),
        ("00:00:01.5", 1_500_000, "time"),
        ("2000-01-01 00:00:01", 1_000_000, "timestamp"),
        ("2000-01-01 05:00+01", 18_000_000_000, "timestamp"),
        ("2000-01-01 05:00+01", 14_400_000_000, "timestamptz"),
        ("infinity", i64::MAX, "timestamptz"),
        ("-infinity", i64::MIN, "timestamp"),
        ("1259", 1259, "regclass"),
    ] {
        let kept = SqlValue::Integer(number);
        assert_eq!(stored(written, declared), kept, "{written} {declared}");
    }
    assert_eq!(stored("\\x00ff", "bytea"), SqlValue::Blob(vec![0, 0xff]));
}

#[test]
fn numbers_and_text_are_written_into_the_room_there_is() {
    let mut out = BytesMut::with_capacity(64);
    let before = out.as_ptr();
    for format in [Format::Text, Format::Binary] {
        encode(SqlValueRef::Integer(1234), &PgType::Int4, format, &mut out).unwrap();
        encode(
            SqlValueRef::Integer(i64::MIN),
            &PgType::Int8,
            format,
            &mut out,
        )
        .unwrap();
        encode(SqlValueRef::Text("abc"), &PgType::Text, format, &mut out).unwrap();
    }
    assert_eq!(out.len(), 4 + 20 + 3 + 4 + 8 + 3);
    assert_eq!(out.as_ptr(), before);
}

#[test]
fn null_has_no_form() {
    for ty in PgType::ALL.iter().copied() {
        assert_eq!(text(SqlValueRef::Null, ty), "");
        assert_eq!(binary(SqlValueRef::Null, ty), b"");
    }
    assert_eq!(text(SqlValueRef::Integer(1), PgType::Void), "");
}

#[test]
fn numbers_and_truth_may_be_stored_in_sqlites_other_forms() {
    assert_eq!(text(SqlValueRef::Text("true"), PgType::Bool), "t");
    assert_eq!(text(SqlValueRef::Real(3.0), PgType::Int4), "3");
    assert_eq!(text(SqlValueRef::Integer(7), PgType::Float8), "7");
    assert_eq!(text(SqlValueRef::Integer(7), PgType::Bool), "t");
    assert_eq!(text(SqlValueRef::Integer(7), PgType::NUMERIC), "7");
    assert_eq!(
        text(SqlValueRef::Blob(&[17; 16]), PgType::Uuid),
        "11111111-1111-1111-1111-111111111111"
    );
}

#[test]
fn a_session_has_its_own_forms() {
    let context = Context {
        zone: Zone::of_setting("Europe/Berlin").unwrap(),
        date_style: DateStyle::German,
        interval_style: IntervalStyle::Iso8601,
        bytea_output: ByteaOutput::Escape,
        extra_float_digits: 0,
        ..Context::default()
    };
    for (declared, input, output) in [
        ("date", "2024-01-31", "31.01.2024"),
        ("timestamp", "2024-01-31 10:00", "31.01.2024 10:00:00"),
        (
            "timestamptz",
            "2024-07-31 10:00",
            "31.07.2024 10:00:00 CEST",
        ),
        (
            "timestamptz",
            "2024-07-31 10:00+00",
            "31.07.2024 12:00:00 CEST",
        ),
        ("time", "10:00", "10:00:00"),
        ("timetz", "2024-07-31 10:00", "10:00:00+02"),
        ("interval", "1 day 02:03:04", "P1DT2H3M4S"),
        ("bytea", "\\x5c00", "\\\\\\000"),
        ("float8", "0.30000000000000004", "0.3"),
        ("float4", "16777217", "1.67772e+07"),
        ("numeric", "1.50", "1.50"),
    ] {
        let ty = PgType::parse(declared).unwrap();
        let stored = decode_in(input.as_bytes(), &ty, Format::Text, &context).unwrap();
        let mut out = BytesMut::new();
        encode_in(stored.as_ref(), &ty, Format::Text, &context, &mut out).unwrap();
        assert_eq!(out, output.as_bytes(), "{declared} {input}");
    }
}

#[test]
fn in_text_a_value_of_another_type_is_shown_as_it_is() {
    for ty in PgType::ALL.iter().copied() {
        if !matches!(ty, PgType::Bytea | PgType::Void) {
            assert_eq!(text(SqlValueRef::Text("what?"), ty), "what?", "{ty}");
        }
    }
    assert_eq!(text(SqlValueRef::Real(2.5), PgType::Int4), "2.5");
    assert_eq!(
        text(SqlValueRef::Integer(5_000_000_000), PgType::Int4),
        "5000000000"
    );
    assert_eq!(text(SqlValueRef::Real(1e300), PgType::Float4), "1e+300");
    assert_eq!(text(SqlValueRef::Blob(&[1, 2]), PgType::Date), "\\x0102");
    assert_eq!(text(SqlValueRef::Text("17"), PgType::Date), "17");
    for number in [i64::MAX - 1, i64::MIN + 1] {
        for ty in [PgType::Date, PgType::Time(None), PgType::Timestamp(None)] {
            assert_eq!(text(SqlValueRef::Integer(number), ty), number.to_string());
        }
    }
}

fn refused(cases: &[(SqlValueRef<'_>, PgType, &str, &str)]) {
    for (value, ty, sqlstate, message) in cases {
        let mut out = BytesMut::from(&b"before"[..]);
        let error = encode(*value, ty, Format::Binary, &mut out).unwrap_err();
        assert_eq!(
            (error.sqlstate.as_str(), error.message.as_str()),
            (*sqlstate, *message)
        );
        assert_eq!(out, &b"before"[..]);
    }
}

#[test]
fn in_binary_a_number_too_large_for_its_type_is_an_error_that_names_both() {
    refused(&[
        (
            SqlValueRef::Integer(70_000),
            PgType::Int2,
            "22003",
            "value \"70000\" is out of range for type smallint",
        ),
        (
            SqlValueRef::Integer(-1),
            PgType::Oid,
            "22003",
            "value \"-1\" is out of range for type oid",
        ),
        (
            SqlValueRef::Real(1e300),
            PgType::Int8,
            "22003",
            "value \"1e+300\" is out of range for type bigint",
        ),
        (
            SqlValueRef::Real(1e300),
            PgType::Float4,
            "22003",
            "value \"1e+300\" is out of range for type real",
        ),
    ]);
}

#[test]
fn in_binary_a_value_of_another_type_is_an_error_that_names_both() {
    refused(&[
        (
            SqlValueRef::Real(2.5),
            PgType::Int4,
            "22P02",
            "invalid input syntax for type integer: \"2.5\"",
        ),
        (
            SqlValueRef::Text("x"),
            PgType::Bool,
            "22P02",
            "invalid input syntax for type boolean: \"x\"",
        ),
        (
            SqlValueRef::Text("x"),
            PgType::Float8,
            "22P02",
            "invalid input syntax for type double precision: \"x\"",
        ),
        (
            SqlValueRef::Text("x"),
            PgType::Inet,
            "22P02",
            "invalid input syntax for type inet: \"x\"",
        ),
        (
            SqlValueRef::Text("x"),
            PgType::Uuid,
            "22P02",
            "invalid input syntax for type uuid: \"x\"",
        ),
        (
            SqlValueRef::Text("2024-01-31"),
            PgType::Date,
            "22P02",
            "invalid input syntax for type date: \"2024-01-31\"",
        ),
        (
            SqlValueRef::Integer(i64::MAX - 1),
            PgType::Timestamp(None),
            "22008",
            "timestamp out of range",
        ),
        (
            SqlValueRef::Text("x"),
            PgType::Interval(None),
            "22007",
            "invalid input syntax for type interval: \"x\"",
        ),
        (
            SqlValueRef::Blob(&[1]),
            PgType::NUMERIC,
            "22P02",
            "invalid input syntax for type numeric: \"\\x01\"",
        ),
        (
            SqlValueRef::Blob(&[1]),
            PgType::Jsonb,
            "22P02",
            "invalid input syntax for type jsonb: \"\\x01\"",
        ),
        (
            SqlValueRef::Integer(1),
            PgType::Bytea,
            "22P02",
            "invalid input syntax for type bytea: \"1\"",
        ),
    ]);
}

#[test]
fn a_known_scale_is_shown_but_limits_nothing() {
    let sum = PgType::numeric(Some(2));
    assert_eq!((sum.typmod(), sum.to_string().as_str()), (-1, "numeric"));
    assert_eq!(text(SqlValueRef::Real(2861.2), sum), "2861.20");
    assert_eq!(text(SqlValueRef::Real(511.19 - 515.99), sum), "-4.80");
    assert_eq!(text(SqlValueRef::Integer(7), sum), "7.00");
    assert_eq!(
        binary(SqlValueRef::Integer(7), sum),
        [0, 1, 0, 0, 0, 0, 0, 2, 0, 7]
    );
    let stored = decode(b"123456789012.345", &sum, Format::Text).unwrap();
    assert_eq!(stored, SqlValue::Text("123456789012.345".into()));
}

#[test]
fn a_huge_value_is_cut_in_the_message() {
    let long = "x".repeat(1_000_000);
    let error = decode(long.as_bytes(), &PgType::Int4, Format::Text).unwrap_err();
    assert!(error.message.len() < 300);
    let blob = vec![0; 1_000_000];
    let mut out = BytesMut::new();
    let error = encode(
        SqlValueRef::Blob(&blob),
        &PgType::Int4,
        Format::Binary,
        &mut out,
    );
    assert!(error.unwrap_err().message.len() < 600);
}

#[test]
fn the_limits_of_a_column_hold_for_what_is_written() {
    let written = |text: &str, declared: &str| {
        decode(
            text.as_bytes(),
            &PgType::from_declared(declared).unwrap(),
            Format::Text,
        )
    };
    assert_eq!(
        written("ab   ", "char(3)").unwrap(),
        SqlValue::Text("ab".into())
    );
    assert_eq!(
        written("abcd", "char(3)").unwrap_err().message,
        "value too long for type character(3)"
    );
    assert_eq!(
        written("abcd", "varchar(3)").unwrap_err().sqlstate,
        SqlState::STRING_DATA_RIGHT_TRUNCATION
    );
    assert_eq!(
        written("2026-01-31 04:05:06.789", "timestamp(0)").unwrap(),
        SqlValue::Integer(823_147_507_000_000)
    );
    let long = "ä".repeat(40);
    assert_eq!(
        written(&long, "name").unwrap(),
        SqlValue::Text("ä".repeat(31))
    );
}

#[test]
fn wrong_lengths_are_refused() {
    for ty in PgType::ALL.iter().copied() {
        if ty.typlen() > 0 && !matches!(ty, PgType::Name | PgType::Void | PgType::Opaque(_)) {
            for length in [0, 3, 17] {
                let error = decode(&vec![0; length], &ty, Format::Binary).unwrap_err();
                assert_eq!(
                    error.sqlstate,
                    SqlState::INVALID_BINARY_REPRESENTATION,
                    "{ty}"
                );
            }
        }
    }
    let error = decode(b"\x02[]", &PgType::Jsonb, Format::Binary).unwrap_err();
    assert_eq!(error.message, "unsupported jsonb version number 2");
    assert!(decode(b"", &PgType::Jsonb, Format::Binary).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>, binary: bool, which in 0..PgType::ALL.len()) {
        let ty = PgType::ALL[which];
        let format = if binary { Format::Binary } else { Format::Text };
        if let Ok(value) = decode(&bytes, &ty, format) {
            let mut out = BytesMut::new();
            prop_assert_eq!(encode(value.as_ref(), &ty, Format::Text, &mut out), Ok(()));
            // The name of an object has no binary form, which is a number that only the catalog knows.
            let name = matches!((ty, &value), (PgType::Opaque(_), SqlValue::Text(_)));
            prop_assert!(name || encode(value.as_ref(), &ty, Format::Binary, &mut out).is_ok());
        }
    }

    #[test]
    fn any_fixed_length_value_is_stored_so_that_it_comes_back(bytes: [u8; 8]) {
        for ty in [PgType::Int8, PgType::Float8, PgType::Timestamp(None), PgType::Timestamptz(None), PgType::Time(None)] {
            let Ok(value) = decode(&bytes, &ty, Format::Binary) else { continue };
            let back = binary(value.as_ref(), ty);
            let is_nan = value == SqlValue::Text("NaN".into());
            prop_assert!(back == bytes || is_nan, "{} {:?}", ty, value);
            let shown = text(value.as_ref(), ty);
            prop_assert_eq!(decode(shown.as_bytes(), &ty, Format::Text).unwrap(), value);
        }
    }

    #[test]
    fn any_stored_value_has_a_text_in_any_type(
        integer: i64, real: f64, text_value in ".{0,20}", blob: Vec<u8>, which in 0..PgType::ALL.len()
    ) {
        let ty = PgType::ALL[which];
        for value in [
            SqlValueRef::Integer(integer),
            SqlValueRef::Real(real),
            SqlValueRef::Text(&text_value),
            SqlValueRef::Blob(&blob),
        ] {
            let mut out = BytesMut::new();
            prop_assert_eq!(encode(value, &ty, Format::Text, &mut out), Ok(()));
            let before = out.len();
            if encode(value, &ty, Format::Binary, &mut out).is_err() {
                prop_assert_eq!(out.len(), before);
            }
        }
    }
}
