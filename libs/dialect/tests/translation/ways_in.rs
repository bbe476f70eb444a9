//! A value is the same on every way into the server: as a literal, in a cast, stored into a column, as a parameter
//! in text or binary form, and as a field of COPY.

use bytes::BytesMut;
use pgtypes::copy::{CopyOptions, Decoder, Encoder};
use pgtypes::{Format, PgType, SqlValue, decode, encode};
use proptest::prelude::*;

use crate::support::{Database, said};

/// What a value becomes: its stored form, or the message that refuses it.
type Outcome = Result<SqlValue, String>;

/// Types by their names, with texts of all kinds: usual, extreme and wrong ones.
const EDGES: &[(&str, &[&str])] = &[
    (
        "boolean",
        &[
            "t", "TRUE", " yes ", "on", "1", "f", "n", "of", "0", "o", "", "maybe",
        ],
    ),
    (
        "smallint",
        &["0", " +12 ", "-32768", "32767", "32768", "1.5", "", "0x1"],
    ),
    (
        "integer",
        &[
            "-2147483648",
            "2147483647",
            "2147483648",
            "1 2",
            "99999999999999999999",
        ],
    ),
    (
        "bigint",
        &[
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775808",
        ],
    ),
    ("oid", &["0", "4294967295", "4294967296", "-1"]),
    (
        "real",
        &[
            "0.1",
            "1e-40",
            "1e39",
            "1e-46",
            "NaN",
            "inf",
            "-Infinity",
            "16777217",
            "x",
        ],
    ),
    (
        "double precision",
        &[
            "0.1",
            "-0",
            "1e308",
            "1e309",
            "5e-324",
            "1e-400",
            "nan",
            "+inf",
            "-infinity",
            "1,5",
            "",
        ],
    ),
    (
        "numeric",
        &[
            "0",
            "-0.00",
            "1.10",
            "12345678901234567890.123",
            "1e20",
            "1e131072",
            "1e-16383",
            "1e-16384",
            "NaN",
            "inf",
            "-Infinity",
            ".5",
            "5.",
            "1e",
            "--1",
            "0e99999999999",
        ],
    ),
    (
        "numeric(10,2)",
        &[
            "1.005",
            "-1.005",
            "99999999.994",
            "99999999.995",
            "NaN",
            "inf",
            "5",
        ],
    ),
    (
        "bytea",
        &[
            "\\x00ff",
            "\\xDE ad",
            "\\xabc",
            "\\xzz",
            "a\\\\b\\001\\377",
            "\\400",
            "plain",
            "ä",
            "",
        ],
    ),
    (
        "date",
        &[
            "2024-01-31",
            "Jan 31 2024",
            "31-Jan-2024",
            "1/31/2024",
            "20240131",
            "2024.031",
            "January 8, 99 BC",
            "4714-11-24 BC",
            "4714-11-25 BC",
            "5874897-12-31",
            "5874898-01-01",
            "infinity",
            "+infinity",
            "-INFINITY",
            "epoch",
            "2024-02-30",
            "2024-13-01",
            "0000-01-01",
            "",
            "2024-01-31 10:00 PM",
        ],
    ),
    (
        "time",
        &[
            "10:00 PM",
            "0405",
            "040506.789",
            "24:00:00",
            "24:00:01",
            "23:59:60",
            "12:00 am",
            "allballs",
            "4",
            "25:00",
        ],
    ),
    (
        "time with time zone",
        &[
            "10:00 PM",
            "04:05:06-08:15",
            "04:05 PST",
            "04:05+17",
            "2003-04-12 04:05 America/New_York",
            "4",
        ],
    ),
    (
        "timestamp",
        &[
            "2024-01-31 10:00 PM",
            "Jan 31 2024",
            "20240131T101112.5",
            "2024-01-31 10:00:00.9999999",
            "1-31-24 5:06",
            "2024-01-31 10:00+02",
            "294276-12-31 23:59:59.999999",
            "294277-01-01",
            "infinity",
            "-infinity",
            "epoch",
            "10:00",
            "2024-01-31 25:00",
            "2024-01-31 10:00 Mars",
        ],
    ),
    (
        "timestamp with time zone",
        &[
            "2024-01-31 10:00",
            "2024-01-31T10:00:00Z",
            "2024-01-31 10:00-05:30",
            "2024-07-01 00:00 America/New_York",
            "2024-07-01 00:00 PDT",
            "2024-01-01 00:00 UTC+2",
            "Sat 31 Jan 2026 10:20:30.123 PM PST",
            "infinity",
            "2024-01-01 00:00+16:00",
            "2024-01-01 Mars/X",
        ],
    ),
    (
        "interval",
        &[
            "1 day",
            "1.5 months",
            "-1 day +02:03",
            "1 day 2 hours ago",
            "P1Y2M3DT4H5M6.7S",
            "1-2 3 4:05:06",
            "1.04 years",
            "1 quarter",
            "3000000000 days",
            "1 day 1 day",
            "",
            "infinity",
        ],
    ),
    (
        "uuid",
        &[
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
            "a-0eebc999c0b4ef8bb6d6bb9bd380a11",
            "",
        ],
    ),
    ("text", &["", " it's \\ \t\r\n ä ", "\\N", "NULL"]),
    ("json", &["{\"a\": [1, 2.50, null]}", "\"\"", "1"]),
];

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A parameter.
fn parameter(bytes: &[u8], ty: &PgType, format: Format) -> Outcome {
    decode(bytes, ty, format).map_err(|error| said(error.sqlstate, &error.message))
}

/// What a column holds after a literal was stored in it.
fn column(database: &Database, name: &str, literal: &str) -> Outcome {
    database.run(&format!(
        "DROP TABLE IF EXISTS v; CREATE TABLE v (v {name})"
    ));
    database.execute(&format!("INSERT INTO v VALUES ({literal})"))?;
    database.try_value("SELECT v FROM v")
}

/// A field of COPY: written by the encoder, read by the decoder.
fn copied(text: &str, ty: &PgType, options: CopyOptions) -> Outcome {
    let mut stream = BytesMut::new();
    let mut encoder = Encoder::new(options.clone(), 1).unwrap();
    encoder.field(Some(text.as_bytes()), &mut stream);
    encoder.finish(&mut stream);
    let mut decoder = Decoder::new(options, vec!["v".to_owned()]).unwrap();
    decoder.feed(&stream);
    decoder.finish();
    let row = decoder.next_row().unwrap().unwrap();
    parameter(row.get(0).unwrap(), ty, Format::Text)
}

/// Where the ways differ, a line each.
fn differences(database: &Database, name: &str, text: &str) -> Vec<String> {
    let ty = PgType::from_declared(name).unwrap();
    let expected = parameter(text.as_bytes(), &ty, Format::Text);
    let literal = quote(text);
    let cast = format!("CAST({literal}::text AS {name})");
    let mut ways = vec![
        (
            "a literal",
            database.try_value(&format!("SELECT {name} {literal}")),
        ),
        (
            "a cast literal",
            database.try_value(&format!("SELECT {literal}::{name}")),
        ),
        ("a cast", database.try_value(&format!("SELECT {cast}"))),
        ("a column", column(database, name, &literal)),
        ("COPY", copied(text, &ty, CopyOptions::text())),
        ("COPY as CSV", copied(text, &ty, CopyOptions::csv())),
    ];
    if let Ok(stored) = decode(text.as_bytes(), &ty, Format::Text) {
        for (way, format) in [
            ("its binary form", Format::Binary),
            ("its text form", Format::Text),
        ] {
            let mut bytes = BytesMut::new();
            encode(stored.as_ref(), &ty, format, &mut bytes).unwrap();
            ways.push((way, parameter(&bytes, &ty, format)));
        }
    }
    ways.retain(|(_, outcome)| *outcome != expected);
    let line = |(way, outcome)| format!("{name} {text:?}: {expected:?}, as {way} {outcome:?}");
    ways.into_iter().map(line).collect()
}

#[test]
fn edge_values_are_the_same_on_every_way_in() {
    let database = Database::new();
    let mut found = Vec::new();
    for (name, texts) in EDGES {
        for text in *texts {
            found.extend(differences(&database, name, text));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Texts that are often, but not always, values of a type.
fn near(name: &str) -> &'static str {
    match name {
        "boolean" => "[tfyno]{1,2}|true|off?",
        "smallint" | "integer" | "bigint" | "oid" => "[+-]?[0-9]{1,20}",
        "real" | "double precision" => "[+-]?[0-9]{1,12}(\\.[0-9]{1,9})?(e[+-]?[0-9]{1,3})?",
        "numeric" | "numeric(10,2)" => "[+-]?[0-9]{1,30}(\\.[0-9]{0,20})?(e[+-]?[0-9]{1,2})?",
        "bytea" => "\\\\x([0-9a-f]{2}){0,8}|[a-z\\\\0-7]{0,8}",
        "date" => {
            "[12][0-9]{3}-[01]?[0-9]-[0-3]?[0-9]( BC)?|[0-3]?[0-9] (Jan|Feb|Sept|May) [0-9]{2,5}"
        }
        "time" | "time with time zone" => {
            "[0-2]?[0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,8})?)?( [AP]M)?([+-][01][0-9](:30)?)?"
        }
        "timestamp" | "timestamp with time zone" => {
            "[12][0-9]{3}-[01]?[0-9]-[0-3]?[0-9][ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,8})?)?( ?[+-][01][0-9]| EST| Europe/Paris)?"
        }
        "interval" => {
            "(-?[0-9]{1,4}(\\.[0-9]{1,3})? (years?|mons?|days?|hours?|min|s) ?){1,3}(-?[0-9]{1,3}:[0-5][0-9])?( ago)?"
        }
        "uuid" => "([0-9a-f]{4}-?){8}|[0-9A-F]{32}",
        _ => "[ -~]{0,12}",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_values_are_the_same_on_every_way_in(
        texts in EDGES
            .iter()
            .filter(|(name, _)| *name != "json")
            .map(|(name, _)| near(name).prop_map(move |text| (*name, text)))
            .collect::<Vec<_>>()
    ) {
        let database = Database::new();
        for (name, text) in texts {
            let found = differences(&database, name, &text);
            prop_assert!(found.is_empty(), "{}", found.join("\n"));
        }
    }
}
