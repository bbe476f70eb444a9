//! Statements with PostgreSQL's answers, so that a test needs none.
//!
//! Two lines each: a letter for each thing to know of the statement (`o` its rows have an order, `b` ask for the binary
//! format, `t`, `u` or `w` the table that it changes) and the statement; then the answer, of a long one its length and a
//! hash.

use std::fmt::Write as _;

use dbtests::data::manifest;
use disk::Disk;

use crate::pair::{self, Pair, Verdict};
use crate::signatures::Signatures;
use crate::statements;

/// The files, each less than a MiB.
pub(crate) const FILES: [&str; 2] = ["random/recorded_1.txt", "random/recorded_2.txt"];

/// Longer answers are told by a hash.
const LONGEST: usize = 200;

/// An answer as it is kept.
pub(crate) fn kept(answer: &str) -> String {
    if answer.len() <= LONGEST {
        return answer.to_owned();
    }
    let hash = blake3::hash(answer.as_bytes()).to_hex();
    format!("{} {}", answer.len(), &hash[..16])
}

/// Writes so many statements that both servers answer alike.
pub(crate) fn record(pair: &mut Pair, signatures: &Signatures, from: u64, count: usize) {
    let mut texts = vec![String::new(); FILES.len()];
    let mut taken = 0;
    for number in from.. {
        if taken == count {
            break;
        }
        let statement = statements::statement(number, signatures);
        if pair.compare(&statement) != Verdict::Same {
            continue;
        }
        let text = statement.node.text();
        let ours = pair::ask(&mut pair.ours, &statement, &text).line(statement.ordered);
        let theirs = pair::ask(&mut pair.theirs, &statement, &text).line(statement.ordered);
        if ours != theirs || text.contains('\n') {
            continue;
        }
        let ordered = if statement.ordered { "o" } else { "" };
        let binary = if statement.binary { "b" } else { "" };
        let table = statement.changes.unwrap_or_default();
        let file = &mut texts[taken * FILES.len() / count];
        writeln!(file, "{ordered}{binary}{table}: {text}\n{}", kept(&theirs))
            .expect("a String takes all");
        taken += 1;
    }
    for (file, text) in FILES.iter().zip(texts) {
        let written = Disk::real().write_atomic(&manifest(file), text.as_bytes(), 0o644);
        written.expect("a file that can be written");
    }
}
