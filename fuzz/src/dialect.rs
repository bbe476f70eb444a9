//! SQL text: translated or refused, in time and space that go with its length.

use dialect::{NoSchema, analyze, parse_create_table, split};

/// Takes the bytes as SQL.
pub fn check(data: &[u8]) {
    let Ok(sql) = std::str::from_utf8(data) else {
        return;
    };
    let mut last = 0;
    for range in split(sql) {
        assert!(range.start >= last && range.end >= range.start);
        last = range.end;
        let Some(statement) = sql.get(range) else {
            panic!("a statement is cut inside a character");
        };
        drop(analyze(statement, &NoSchema));
    }
    if let Ok(statement) = analyze(sql, &NoSchema) {
        let length: usize = statement.sqlite.iter().map(String::len).sum();
        assert!(
            length <= (sql.len() + 64) * 1024,
            "{} bytes become {length}",
            sql.len()
        );
    }
    drop(parse_create_table(sql));
}
