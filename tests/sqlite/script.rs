//! Files in the format of sqllogictest: statements and queries with what they must answer.
//!
//! ```text
//! # a comment                        skipif NAME / onlyif NAME before a record
//! statement ok                       query ITR rowsort
//! CREATE TABLE t(a)                  SELECT a, b, c FROM t
//!                                    ----
//! statement error                    1
//! INSERT INTO t VALUES (            x
//!                                    0.500
//! ```
//! Records end with an empty line; values stand one a line, or as `N values hashing to MD5`.

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The line at which it begins.
    pub(crate) line: usize,
    /// Engines that alone run it; empty: all.
    pub(crate) only: Vec<String>,
    /// Engines that do not run it.
    pub(crate) skip: Vec<String>,
    pub(crate) sql: String,
    pub(crate) expected: Expected,
}

impl Record {
    /// Whether an engine of that name runs it.
    pub(crate) fn is_for(&self, engine: &str) -> bool {
        !self.skip.iter().any(|name| name == engine)
            && (self.only.is_empty() || self.only.iter().any(|name| name == engine))
    }
}

/// What a record must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// `statement ok`
    Success,
    /// `statement error`
    Failure,
    /// `query`
    Rows {
        /// A letter a column: I, T or R.
        types: Vec<u8>,
        order: Order,
        answer: Answer,
    },
    /// `halt`
    Halt,
    /// `hash-threshold N`
    Threshold(usize),
}

/// How rows are put in order before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    AsIs,
    Rows,
    Values,
}

/// The rows that are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Values(Vec<String>),
    Hash { count: usize, md5: String },
}

/// The records of a file.
pub(crate) fn parse(text: &str) -> Vec<Record> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut records = Vec::new();
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < lines.len() {
        let words: Vec<&str> = lines[at].split_whitespace().collect();
        let line = at + 1;
        at += 1;
        let (sql, expected) = match words[..] {
            [] => continue,
            [word, ..] if word.starts_with('#') => continue,
            ["onlyif", engine, ..] => {
                only.push(engine.to_owned());
                continue;
            }
            ["skipif", engine, ..] => {
                skip.push(engine.to_owned());
                continue;
            }
            ["halt", ..] => (String::new(), Expected::Halt),
            ["hash-threshold", count, ..] => {
                let count = count.parse().expect("a number of values");
                (String::new(), Expected::Threshold(count))
            }
            ["statement", result, ..] => {
                let sql = block(&lines, &mut at);
                let ok = result == "ok";
                let expected = if ok {
                    Expected::Success
                } else {
                    Expected::Failure
                };
                (sql, expected)
            }
            ["query", types, ref rest @ ..] => {
                let sql = block(&lines, &mut at);
                (sql, rows(types, rest, &lines, &mut at))
            }
            _ => panic!("line {line}: {}", lines[at - 1]),
        };
        records.push(Record {
            line,
            only: std::mem::take(&mut only),
            skip: std::mem::take(&mut skip),
            sql,
            expected,
        });
    }
    records
}

/// The lines up to an empty one, or to the line before the answer.
fn block(lines: &[&str], at: &mut usize) -> String {
    let start = *at;
    while *at < lines.len() && !lines[*at].is_empty() && lines[*at] != "----" {
        *at += 1;
    }
    lines[start..*at].join("\n")
}

fn rows(types: &str, rest: &[&str], lines: &[&str], at: &mut usize) -> Expected {
    let order = match rest.first() {
        Some(&"rowsort") => Order::Rows,
        Some(&"valuesort") => Order::Values,
        _ => Order::AsIs,
    };
    let mut values = Vec::new();
    if lines.get(*at) == Some(&"----") {
        *at += 1;
        while *at < lines.len() && !lines[*at].is_empty() {
            values.push(lines[*at].to_owned());
            *at += 1;
        }
    }
    let hash = values.first().and_then(|only| {
        let (count, md5) = only.split_once(" values hashing to ")?;
        let count = count.parse().ok()?;
        Some(Answer::Hash {
            count,
            md5: md5.to_owned(),
        })
    });
    Expected::Rows {
        types: types.bytes().collect(),
        order,
        answer: hash.unwrap_or(Answer::Values(values)),
    }
}

#[test]
fn records_are_read_as_they_are_written() {
    let text = "hash-threshold 8\n\n# c\nskipif mysql\nstatement ok\nCREATE TABLE t(\n a)\n\n\
                onlyif sqlite\nquery IT rowsort x\nSELECT 1, 'a'\n----\n1\na\n\n\
                query I\nSELECT a\n----\n30 values hashing to abc\n\nstatement error\nSELECT\n\nhalt\n";
    let records = parse(text);
    assert_eq!(records.len(), 6);
    assert_eq!(records[0].expected, Expected::Threshold(8));
    assert_eq!(records[1].sql, "CREATE TABLE t(\n a)");
    assert!(records[1].is_for("sqlite") && !records[1].is_for("mysql"));
    assert!(records[2].is_for("sqlite") && !records[2].is_for("postgresql"));
    let values = vec!["1".to_owned(), "a".to_owned()];
    let expected = Expected::Rows {
        types: b"IT".to_vec(),
        order: Order::Rows,
        answer: Answer::Values(values),
    };
    assert_eq!(records[2].expected, expected);
    let hash = Answer::Hash {
        count: 30,
        md5: "abc".to_owned(),
    };
    assert!(matches!(&records[3].expected, Expected::Rows { answer, .. } if *answer == hash));
    assert_eq!(records[4].expected, Expected::Failure);
    assert_eq!(records[5].expected, Expected::Halt);
}
