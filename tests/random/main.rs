//! Random statements, compared with PostgreSQL's answers:
//!
//!     cargo run -p dbtests --example random -- --postgres 127.0.0.1:5432 --statements 100000 --from 0
//!
//! The server there has a user dba with the tests' password and an empty database `random`, whose collation is C and whose
//! character classes are those of `C.UTF-8`. Each statement that is answered otherwise is told with its number, made as
//! small as it gets.

#![expect(clippy::print_stdout, reason = "the program's results are for people")]

mod answer;
mod changes;
mod expressions;
mod forms;
mod groups;
mod literals;
mod mixed;
mod node;
mod pair;
mod queries;
mod record;
#[cfg(test)]
mod replay;
mod schema;
mod shapes;
mod signatures;
mod special;
mod statements;
mod values;
mod wide_changes;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use dbtests::{Folder, Server, Settings};

use crate::pair::{Pair, Verdict};
use crate::signatures::Signatures;
use crate::wire::Wire;

const DATABASE: &str = "random";

/// Compares answers to random statements with PostgreSQL's.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where PostgreSQL serves.
    #[arg(long)]
    postgres: SocketAddr,
    /// The empty database there.
    #[arg(long, default_value = DATABASE)]
    database: String,
    /// How many statements.
    #[arg(long, default_value_t = 1000)]
    statements: u64,
    /// The number of the first.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print statements only.
    #[arg(long)]
    show: bool,
    /// Tell errors of values that come in another order, too.
    #[arg(long)]
    order: bool,
    /// Record so many statements and their answers for the test.
    #[arg(long)]
    record: Option<usize>,
    /// End after so many differences.
    #[arg(long, default_value_t = 100)]
    most: u64,
}

fn server() -> (Folder, Server) {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.sql("system", &format!("CREATE DATABASE {DATABASE}"));
    (folder, server)
}

fn pair(server: &Server, postgres: SocketAddr, database: &str) -> Pair {
    let mut ours = Wire::connect(server.address(), DATABASE);
    let mut theirs = Wire::connect(postgres, database);
    theirs.ask("SET jit = off");
    for table in ["u", "w", "t"] {
        theirs.ask(&format!("DROP TABLE IF EXISTS {table}"));
    }
    for wire in [&mut ours, &mut theirs] {
        pair::prepare(wire);
    }
    Pair { ours, theirs }
}

/// Long answers where they begin to differ.
fn around_difference(ours: &str, theirs: &str) -> (String, String) {
    let same = ours
        .chars()
        .zip(theirs.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let part = |text: &str| {
        if text.chars().count() < 200 {
            return text.to_owned();
        }
        let from = same.saturating_sub(60);
        let dots = if from > 0 { "…" } else { "" };
        dots.chars()
            .chain(text.chars().skip(from).take(160))
            .collect()
    };
    (part(ours), part(theirs))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let signatures = Signatures::load();
    println!(
        "{} calls, {} aggregates, {} window functions, {} functions of rows; {} are refused",
        signatures.calls.len(),
        signatures.aggregates.len(),
        signatures.windows.len(),
        signatures.sets.len(),
        signatures.refused.len(),
    );
    let numbers = arguments.from..arguments.from + arguments.statements;
    if arguments.show {
        for number in numbers {
            println!(
                "{number}: {}",
                statements::statement(number, &signatures).node.text()
            );
        }
        return ExitCode::SUCCESS;
    }
    let (_folder, server) = server();
    let mut pair = pair(&server, arguments.postgres, &arguments.database);
    if let Some(count) = arguments.record {
        record::record(&mut pair, &signatures, arguments.from, count);
        return ExitCode::SUCCESS;
    }
    let mut counts = BTreeMap::new();
    let mut refusals = BTreeMap::new();
    for number in numbers {
        let statement = statements::statement(number, &signatures);
        let verdict = pair.compare(&statement);
        let name = match &verdict {
            Verdict::Same => "same",
            Verdict::Refused(message) => {
                pair::count(&mut refusals, message);
                "refused"
            }
            Verdict::Exhausted => "exhausted",
            Verdict::Order(..) => "errors in another order",
            Verdict::Different(..) => "different",
        };
        *counts.entry(name).or_insert(0_u64) += 1;
        if name == "different" || name == "errors in another order" && arguments.order {
            let (smallest, verdict) = pair.minimised(&statement);
            if let Verdict::Different(ours, theirs) | Verdict::Order(ours, theirs) = verdict {
                let (ours, theirs) = around_difference(&ours, &theirs);
                println!(
                    "#{number} {}\n  ours   {ours}\n  theirs {theirs}",
                    smallest.node.text()
                );
            }
            if counts[name] >= arguments.most {
                break;
            }
        }
    }
    println!("{counts:?}");
    let mut refusals: Vec<_> = refusals.into_iter().collect();
    refusals.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (feature, count) in refusals {
        println!("refused {count}: {feature}");
    }
    if counts.contains_key("different") {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_statements_are_answered_as_by_postgresql() {
        let (_folder, server) = server();
        let mut wire = Wire::connect(server.address(), DATABASE);
        pair::prepare(&mut wire);
        let found = replay::differences(&mut wire);
        assert!(
            found.is_empty(),
            "{} differences\n{}",
            found.len(),
            found[..found.len().min(20)].join("\n")
        );
    }

    #[test]
    fn a_statement_is_made_of_its_number_alone() {
        let signatures = Signatures::load();
        for number in 0..200 {
            let [one, other] =
                [0, 1].map(|_| statements::statement(number, &signatures).node.text());
            assert_eq!(one, other);
        }
    }
}
