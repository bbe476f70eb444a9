//! The types, their edge values, and random ones; each in any of the spellings that PostgreSQL reads.

use disk::testing::Random;

use crate::spellings::{
    any, bytes, characters, clock, date, fraction, interval, json, spaced, zoned,
};

/// A type, and texts of its values.
pub(crate) struct Kind {
    /// As a column is declared.
    pub(crate) declared: &'static str,
    /// Values at the edges.
    pub(crate) edges: &'static [&'static str],
    /// Texts that are no values.
    pub(crate) wrong: &'static [&'static str],
    /// Any value.
    pub(crate) random: fn(&mut Random) -> String,
}

/// All types, those with modifiers also with some.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        declared: "bool",
        edges: &["t", "false", " yes ", "OFF", "1", "0", "on", "n", "TRUE"],
        wrong: &["", "maybe", "2", "o"],
        random: |random| if random.coin() { "true" } else { "f" }.to_owned(),
    },
    Kind {
        declared: "int2",
        edges: &["0", "-32768", "32767", " 7 ", "+5", "-0", "007"],
        wrong: &["", "32768", "-32769", "1.0", "1e2", "x", "1 2"],
        random: |random| {
            let number = i16::from_le_bytes(bytes(random));
            spaced(random, number.to_string())
        },
    },
    Kind {
        declared: "int4",
        edges: &["0", "-2147483648", "2147483647", " 7 ", "+5"],
        wrong: &["", "2147483648", "1.5", "--1", "0x"],
        random: |random| {
            let number = i32::from_le_bytes(bytes(random));
            spaced(random, number.to_string())
        },
    },
    Kind {
        declared: "int8",
        edges: &["0", "-9223372036854775808", "9223372036854775807", "+5"],
        wrong: &["", "9223372036854775808", "1.5", "9 9"],
        random: |random| {
            let number = i64::from_le_bytes(bytes(random));
            spaced(random, number.to_string())
        },
    },
    Kind {
        declared: "oid",
        edges: &["0", "4294967295", "16384"],
        wrong: &["", "4294967296", "x"],
        random: |random| u32::from_le_bytes(bytes(random)).to_string(),
    },
    Kind {
        declared: "float4",
        edges: &[
            "0",
            "-0",
            "1",
            "0.1",
            "1e38",
            "1e-45",
            "3.4028235e38",
            "NaN",
            "Infinity",
            "-inf",
            "+infinity",
            "16777217",
            "1e15",
            "123456.7",
            "1e-5",
            " 2.50 ",
            ".5",
            "5.",
        ],
        wrong: &["", "x", "1e39", "1e-60", "1.2.3", "1 e5"],
        random: |random| loop {
            let number = f32::from_le_bytes(bytes(random));
            if number.is_finite() {
                return format!("{number:e}");
            }
        },
    },
    Kind {
        declared: "float8",
        edges: &[
            "0",
            "-0",
            "1",
            "0.1",
            "2.0",
            "1e308",
            "5e-324",
            "1.7976931348623157e308",
            "NaN",
            "Infinity",
            "-inf",
            "+infinity",
            "9007199254740993",
            "1e15",
            "1e16",
            "1e-4",
            "1e-5",
            "123456789012345680",
            " 2.50 ",
            ".5",
            "5.",
        ],
        wrong: &["", "x", "1e400", "1e-400", "1.2.3", "1 e5"],
        random: |random| loop {
            let number = f64::from_le_bytes(bytes(random));
            if number.is_finite() {
                return if random.coin() {
                    format!("{number:e}")
                } else {
                    fraction(random, 9, 6)
                };
            }
        },
    },
    Kind {
        declared: "numeric",
        edges: &[
            "0",
            "-0",
            "0.00",
            "1",
            "1.50",
            "100",
            "0.001",
            "-99999999.9999",
            "123456789012345",
            "NaN",
            "Infinity",
            "-infinity",
            "1e5",
            "1.5e-3",
            " 7 ",
            "+1.0",
            ".5",
            "5.",
            "9223372036854775807",
        ],
        wrong: &["", "x", "1.2.3", "1e", "0x1"],
        random: |random| fraction(random, 9, 6),
    },
    Kind {
        declared: "numeric(10,2)",
        edges: &[
            "0",
            "5",
            "5.0",
            "0.005",
            "0.004",
            "-0.005",
            "99999999.99",
            "-99999999.99",
            "99999999.994",
            "1e3",
            "NaN",
            "2.675",
            "1.005",
        ],
        wrong: &["", "100000000", "99999999.995", "Infinity", "x"],
        random: |random| fraction(random, 7, 5),
    },
    Kind {
        declared: "numeric(5,-2)",
        edges: &["0", "49", "50", "-50", "1234567", "9999949"],
        wrong: &["9999950", "x"],
        random: |random| fraction(random, 6, 2),
    },
    Kind {
        declared: "text",
        edges: &[
            "",
            " ",
            "'",
            "\\",
            "\\N",
            "\\.",
            "a\tb\nc\rd",
            "NULL",
            "{}",
            "%",
            "ünïcödé 🦀",
            "t",
            "1",
        ],
        wrong: &[],
        random: |random| characters(random, 30),
    },
    Kind {
        declared: "varchar(20)",
        edges: &[
            "",
            "12345678901234567890",
            "12345678901234567890   ",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
            " a ",
        ],
        wrong: &[],
        random: |random| characters(random, 20),
    },
    Kind {
        declared: "char(5)",
        edges: &["", "a", "abcde", "abcde   ", "  a  ", "äöü"],
        wrong: &[],
        random: |random| characters(random, 5),
    },
    Kind {
        declared: "name",
        edges: &[
            "",
            "a",
            "123456789012345678901234567890123456789012345678901234567890123",
        ],
        wrong: &[],
        random: |random| characters(random, 15),
    },
    Kind {
        declared: "bytea",
        edges: &[
            "",
            "\\x",
            "\\x00ff",
            "\\xDEADbeef",
            "abc",
            "a\\000b",
            "\\\\",
            "\\x 00 ff ",
        ],
        wrong: &["\\x0", "\\xzz", "\\1", "\\8"],
        random: |random| {
            let bytes = (0..random.below(20)).map(|_| format!("{:02x}", bytes::<1>(random)[0]));
            format!("\\x{}", bytes.collect::<String>())
        },
    },
    Kind {
        declared: "uuid",
        edges: &[
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ],
        wrong: &[
            "",
            "x",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ],
        random: |random| format!("{:016x}{:016x}", any(random), any(random)),
    },
    Kind {
        declared: "date",
        edges: &[
            "2024-02-29",
            "0001-01-01",
            "4713-01-01 BC",
            "5874897-12-31",
            "infinity",
            "-infinity",
            "epoch",
            "Jan 31 2024",
            "31 January 2024",
            "1/31/2024",
            "20240131",
            "2024-01-31 23:59",
            "January 8, 1999",
            "2024.031",
        ],
        wrong: &[
            "",
            "2023-02-29",
            "2024-13-01",
            "x",
            "2024-01-32",
            "5874898-01-01",
            "Jan Jan 2024",
            "+infinity",
            "99-Jan-08",
        ],
        random: |random| date(random),
    },
    Kind {
        declared: "time",
        edges: &[
            "00:00:00",
            "24:00:00",
            "23:59:59.999999",
            "10:00 PM",
            "12:00 am",
            "040506",
            "04:05",
            "04:05:06.789-8",
            "allballs",
            "23:59:60",
            "23:59:59.9999999",
        ],
        wrong: &["", "25:00", "10:60", "13:00 PM", "x", "24:00:01"],
        random: |random| clock(random),
    },
    Kind {
        declared: "time(3)",
        edges: &["00:00:00.0005", "23:59:59.9996", "12:34:56.789"],
        wrong: &["", "25:00"],
        random: |random| clock(random),
    },
    Kind {
        declared: "timetz",
        edges: &[
            "00:00:00+00",
            "24:00:00-15:59",
            "23:59:59.999999+15:59",
            "10:00 PM+02",
            "04:05:06 PST",
            "04:05Z",
            "04:05:06-08:00:30",
        ],
        wrong: &["", "25:00+00", "10:00+17", "x"],
        random: zoned,
    },
    Kind {
        declared: "timestamp",
        edges: &[
            "2024-02-29 23:59:59.999999",
            "4713-01-01 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "infinity",
            "-infinity",
            "epoch",
            "2024-01-31",
            "2024-01-31T10:00:00",
            "Jan 31 2024 10:00 PM",
            "1/31/2024 10:00",
            "20240131T100000",
            "2024-01-31 24:00:00",
            "2024-01-31 10:00:00.1234567",
            "2024-01-31 10:00+05",
            "0044-03-15 12:00:00 BC",
            "Wed Jan 31 10:00:00 2024",
        ],
        wrong: &[
            "",
            "2024-02-30 10:00",
            "294277-01-01",
            "2024-01-31 25:00",
            "x",
            "2024-01-31 10:00 10:00",
        ],
        random: |random| format!("{} {}", date(random), clock(random)),
    },
    Kind {
        declared: "timestamp(0)",
        edges: &["2024-12-31 23:59:59.5", "2024-12-31 23:59:59.4"],
        wrong: &[""],
        random: |random| format!("{} {}", date(random), clock(random)),
    },
    Kind {
        declared: "timestamptz",
        edges: &[
            "2024-02-29 23:59:59.999999+00",
            "4713-01-01 00:00:00+00 BC",
            "294276-12-31 23:59:59.999999+00",
            "infinity",
            "-infinity",
            "epoch",
            "2024-01-31",
            "2024-01-31T10:00:00Z",
            "Jan 31 2024 10:00 PM +02",
            "2024-01-31 10:00+05:30",
            "2024-07-01 12:00 Europe/Berlin",
            "2024-07-01 12:00 America/New_York",
            "2024-01-31 10:00:00-08:00:30",
            "2024-07-01 12:00 PST",
        ],
        wrong: &[
            "",
            "2024-02-30 10:00",
            "2024-01-31 10:00+17",
            "2024-01-31 10:00 Nowhere/City",
        ],
        random: |random| format!("{} {}", date(random), zoned(random)),
    },
    Kind {
        declared: "timestamptz(3)",
        edges: &["2024-12-31 23:59:59.9996+00"],
        wrong: &[""],
        random: |random| format!("{} {}", date(random), zoned(random)),
    },
    Kind {
        declared: "interval",
        edges: &[
            "0",
            "1 day",
            "-1 day",
            "1 year 2 mons 3 days 04:05:06.789",
            "P1Y2M3DT4H5M6S",
            "1-2",
            "3 4:05:06",
            "1.5 hours",
            "1 day ago",
            "@ 1 minute",
            "178000000 years",
            "-178000000 years",
            "1 week",
            "2 weeks 3 days",
            "0.5 mon",
            "1 day -00:00:01",
            "PT36H",
            "1.5 years",
        ],
        wrong: &["", "x", "1 fortnight", "P", "1 day 1 day x"],
        random: |random| interval(random),
    },
    Kind {
        declared: "json",
        edges: &[
            "null",
            "true",
            "1",
            "1.50",
            "\"a\"",
            "[]",
            "{}",
            " { \"a\" : [1, 2.5, null] } ",
            "\"\\u00e4\\n\"",
        ],
        wrong: &["", "{", "{a:1}", "'a'", "[1,]"],
        random: |random| json(random, 3),
    },
    Kind {
        declared: "jsonb",
        edges: &[
            "null",
            "true",
            "1",
            "\"a\"",
            "[]",
            "{}",
            "{\"a\": [1, 2.5, null]}",
        ],
        wrong: &["", "{", "nul"],
        random: |random| json(random, 3),
    },
];
