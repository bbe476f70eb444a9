//! What SQLite does alone, in process: the bar for bulk work and for aggregates.
//!
//! `alone FOLDER ROWS` makes a database there, in WAL mode and with all syncs, and prints one line of JSON:
//! seconds to insert the rows of the table `bulk` (prepared, in one transaction), to make an index,
//! and to answer each aggregate given as a further argument (the median of five).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are its output; an error is said before it ends"
)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use rusqlite::Connection;

/// How often an aggregate is asked.
const REPEATS: usize = 5;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rows, questions @ ..] = words.as_slice() else {
        eprintln!("usage: alone FOLDER ROWS [AGGREGATE ...]");
        return ExitCode::from(2);
    };
    let measured = rows
        .parse()
        .map_err(Into::into)
        .and_then(|rows| measure(&PathBuf::from(folder).join("alone.db"), rows, questions));
    match measured {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("alone: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(
    path: &std::path::Path,
    rows: i64,
    questions: &[String],
) -> Result<String, Box<dyn Error>> {
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "full")?;
    database.pragma_update(None, "cache_size", -262_144)?;
    database
        .execute_batch("CREATE TABLE bulk (a INTEGER PRIMARY KEY, b INTEGER, pad TEXT) STRICT")?;
    let insert_seconds = insert(&mut database, rows)?;
    let began = Instant::now();
    database.execute_batch("CREATE INDEX bulk_b ON bulk (b)")?;
    let index_seconds = began.elapsed().as_secs_f64();
    let mut answers = Vec::new();
    for question in questions {
        answers.push(format!("{:.6}", ask(&database, question)?));
    }
    Ok(format!(
        "{{\"sqlite\": \"{}\", \"insert_seconds\": {insert_seconds:.6}, \
         \"index_seconds\": {index_seconds:.6}, \"aggregate_seconds\": [{}]}}",
        rusqlite::version(),
        answers.join(", ")
    ))
}

/// The rows that the servers get by COPY.
fn insert(database: &mut Connection, rows: i64) -> rusqlite::Result<f64> {
    let pad = "y".repeat(84);
    let began = Instant::now();
    let transaction = database.transaction()?;
    {
        let mut statement = transaction.prepare("INSERT INTO bulk VALUES (?, ?, ?)")?;
        for row in 1..=rows {
            statement.execute((row, row * 7 % 1_000_003, &pad))?;
        }
    }
    transaction.commit()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Seconds to the last row of an answer.
fn ask(database: &Connection, question: &str) -> rusqlite::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let began = Instant::now();
        let mut statement = database.prepare(question)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(REPEATS / 2).copied().unwrap_or_default())
}
