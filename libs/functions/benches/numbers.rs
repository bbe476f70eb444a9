//! What comparing numerics costs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use functions::collations;

fn prices(criterion: &mut Criterion) {
    let Some(numeric) = collations().find(|one| one.name == "pg_numeric") else {
        return;
    };
    criterion.bench_function("pg_numeric: two prices", |bencher| {
        bencher.iter(|| (numeric.compare)(black_box("1234567.89"), black_box("1234567.90")));
    });
    criterion.bench_function("pg_numeric: two scales", |bencher| {
        bencher.iter(|| (numeric.compare)(black_box("1234567.89"), black_box("1234567.8912")));
    });
}

criterion_group!(benches, prices);
criterion_main!(benches);
