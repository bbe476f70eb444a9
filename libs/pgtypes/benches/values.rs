//! Values of each type: from the wire to the stored form and back.
#![expect(clippy::expect_used, reason = "a bench that fails may end")]

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use pgtypes::{Format, PgType, decode, encode};

/// A type and a value of it as text.
const VALUES: &[(&str, PgType, &str)] = &[
    ("boolean", PgType::Bool, "t"),
    ("bigint", PgType::Int8, "-9223372036854775807"),
    ("double", PgType::Float8, "-1.2345678901234567e-89"),
    (
        "numeric",
        PgType::NUMERIC,
        "123456789012345678901234567890.123456789",
    ),
    (
        "text",
        PgType::Text,
        "a text of some forty characters, für alle",
    ),
    (
        "bytea",
        PgType::Bytea,
        "\\x000102030405060708090a0b0c0d0e0f",
    ),
    ("price", PgType::NUMERIC, "19.90"),
    ("date", PgType::Date, "2026-11-28"),
    (
        "timestamp",
        PgType::Timestamp(None),
        "2026-11-28 14:05:06.789012",
    ),
    (
        "timestamptz",
        PgType::Timestamptz(None),
        "2026-11-28 14:05:06.789012+00",
    ),
    (
        "interval",
        PgType::Interval(None),
        "1 year 2 mons 3 days 04:05:06.789",
    ),
    ("uuid", PgType::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    (
        "jsonb",
        PgType::Jsonb,
        r#"{"a": [1, 2.5, null], "b": "text"}"#,
    ),
    ("inet", PgType::Inet, "192.168.1.5/24"),
];

fn codec(criterion: &mut Criterion) {
    for (name, ty, text) in VALUES {
        let value = decode(text.as_bytes(), ty, Format::Text).expect("a value");
        for (way, format) in [("text", Format::Text), ("binary", Format::Binary)] {
            let mut out = BytesMut::with_capacity(256);
            criterion.bench_function(&format!("values/{name}, out as {way}"), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    encode(black_box(value.as_ref()), ty, format, &mut out).expect("a value");
                });
            });
            let wire = out.to_vec();
            criterion.bench_function(&format!("values/{name}, in as {way}"), |bencher| {
                bencher.iter(|| decode(black_box(&wire), ty, format).expect("a value"));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = codec
}
criterion_main!(benches);
