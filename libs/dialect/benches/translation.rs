//! Translation of statements as applications send them.
#![expect(clippy::expect_used, reason = "a bench that fails may end")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dialect::{ColumnInfo, SchemaView, analyze, parse_create_table};

const TABLES: &[(&str, &str)] = &[
    (
        "customer",
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, since TEXT)",
    ),
    (
        "orders",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer, placed TEXT, total NUMERIC)",
    ),
];

const STATEMENTS: &[(&str, &str)] = &[
    ("point query", "SELECT name, city FROM customer WHERE id = $1"),
    ("insert", "INSERT INTO orders (customer, placed, total) VALUES ($1, now(), $2::numeric(10,2))"),
    ("upsert", "INSERT INTO customer (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id"),
    (
        "report",
        "WITH recent AS (SELECT o.*, row_number() OVER (PARTITION BY o.customer ORDER BY o.placed DESC) AS nth
         FROM orders AS o WHERE o.placed > now() - interval '30 days')
         SELECT c.name, coalesce(sum(r.total), 0)::numeric(12,2) AS total, string_agg(r.id::text, ', ')
         FROM customer c LEFT JOIN recent r ON r.customer = c.id AND r.nth <= 10
         WHERE c.city ILIKE $1 GROUP BY c.id, c.name HAVING count(*) > 1 ORDER BY total DESC NULLS LAST LIMIT 20",
    ),
    (
        "create table",
        "CREATE TABLE IF NOT EXISTS item (id bigserial PRIMARY KEY, label varchar(40) NOT NULL UNIQUE,
         price numeric(10,2) CHECK (price >= 0), made timestamptz DEFAULT now(), data jsonb)",
    ),
];

struct Shop;

impl SchemaView for Shop {
    fn columns(&self, table: &str) -> Option<Vec<ColumnInfo>> {
        let info = parse_create_table(&self.create_sql(table)?)?;
        let column = |column: dialect::TableColumn| ColumnInfo {
            name: column.name,
            type_name: column.type_name,
            not_null: column.not_null,
            default: column.default,
            identity: column.identity,
        };
        Some(info.columns.into_iter().map(column).collect())
    }

    fn create_sql(&self, table: &str) -> Option<String> {
        let found = TABLES.iter().find(|(name, _)| *name == table)?;
        Some(found.1.to_owned())
    }
}

fn translate(criterion: &mut Criterion) {
    for (name, sql) in STATEMENTS {
        criterion.bench_function(&format!("translation/{name}"), |bencher| {
            bencher.iter(|| analyze(black_box(sql), &Shop).expect("a statement that is known"));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = translate
}
criterion_main!(benches);
