//! Statements whose answers PostgreSQL 15 gave: values, names and types of columns, and errors are the same here.
//!
//! `cases.sql` goes through the simple protocol, `parameters.sql` through the extended one, with parameters in text and
//! in binary; `catalog.sql` is what tools ask the catalog. `record.sh` writes the answers, `cases.txt`, `parameters.txt` and
//! `catalog.txt`, anew. What differs for a reason stands in `docs/sql.md`.

mod answer;
mod catalog;
mod exceptions;
mod parameters;
mod script;

use std::fmt::Write as _;
use std::fs;

use dbtests::data::manifest;
use dbtests::{Client, Folder, Server, Settings, files};
use script::Case;

fn read(name: &str) -> String {
    let path = manifest(&format!("cases/{name}"));
    fs::read_to_string(&path).expect("a file of cases")
}

fn server() -> (Folder, Server) {
    let folder = Folder::new();
    let settings = Settings::new("alone", "Standalone").without("ForwardLog", "FwLog");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE cases");
    (folder, server)
}

/// How a case is put to a server.
type Ask = fn(&Client, &Case) -> String;

/// The answers to all cases of a file, as they are recorded.
fn answers(client: &Client, file: &str, ask: Ask) -> Vec<(String, String)> {
    client.run(&read(match file {
        "catalog.sql" => "catalog_setup.sql",
        _ => "setup.sql",
    }));
    let cases = script::cases(&read(file));
    let asked = cases.iter().map(|case| {
        client.run("BEGIN");
        let answer = ask(client, case);
        client.run("ROLLBACK");
        client.run("RESET ALL; SET TimeZone = 'UTC'");
        (case.line.clone(), answer)
    });
    asked.collect()
}

fn recorded(answers: &[(String, String)]) -> String {
    let mut text = String::new();
    for (line, answer) in answers {
        let written = writeln!(text, "== {line}\n{answer}");
        assert!(written.is_ok(), "a String takes all");
    }
    text
}

fn expected(text: &str) -> Vec<(String, String)> {
    let parts = text.split("== ").skip(1).map(|part| {
        let (line, answer) = part.split_once('\n').unwrap_or((part, ""));
        (line.to_owned(), answer.trim_end_matches('\n').to_owned())
    });
    parts.collect()
}

/// Every difference is told at once; those that the manual names must be there.
fn check(file: &str, answers_file: &str, ask: Ask) {
    let (_folder, server) = server();
    let got = answers(&server.client("cases"), file, ask);
    let wanted = expected(&read(answers_file));
    let exceptions = exceptions::of_manual();
    assert_eq!(got.len(), wanted.len(), "record the answers anew");
    let mut told = String::new();
    for ((line, got), (known, wanted)) in got.iter().zip(&wanted) {
        assert_eq!(line, known, "record the answers anew");
        let differs = got.trim_end_matches('\n') != wanted;
        let excepted = line.starts_with(catalog::DIFFERS)
            || exceptions.iter().any(|exception| exception == line);
        if differs != excepted {
            let note = if excepted {
                "is no exception any more"
            } else {
                "differs"
            };
            let written = writeln!(
                told,
                "{line}\n  {note}\n  PostgreSQL:\n{wanted}\n  here:\n{got}\n"
            );
            assert!(written.is_ok(), "a String takes all");
        }
    }
    assert!(told.is_empty(), "\n{told}");
}

#[test]
fn statements_get_the_answers_that_postgresql_gives() {
    check("cases.sql", "cases.txt", answer::ask);
}

#[test]
fn statements_with_parameters_get_the_answers_that_postgresql_gives() {
    check("parameters.sql", "parameters.txt", parameters::ask);
}

#[test]
fn what_tools_ask_the_catalog_gets_the_answers_that_postgresql_gives() {
    check("catalog.sql", "catalog.txt", catalog::ask);
}

#[test]
fn there_are_many_cases_and_few_exceptions() {
    assert!(script::cases(&read("cases.sql")).len() >= 350);
    let asked = script::cases(&read("catalog.sql"));
    let differ = asked
        .iter()
        .filter(|case| case.line.starts_with(catalog::DIFFERS));
    assert!(asked.len() >= 150 && differ.count() * 20 <= asked.len());
    assert!(exceptions::of_manual().len() <= exceptions::MOST);
}

#[test]
#[ignore = "asks PostgreSQL: record.sh says which"]
fn the_answers_are_recorded() {
    let config = std::env::var("ELOQDB_CASES_RECORD").expect("the server to ask");
    let config = config.parse().expect("a connection string");
    for (file, answers_file, ask) in [
        ("cases.sql", "cases.txt", answer::ask as Ask),
        ("parameters.sql", "parameters.txt", parameters::ask),
        ("catalog.sql", "catalog.txt", catalog::ask),
    ] {
        let client = Client::with(&config).expect("a connection");
        client.run(
            "DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        );
        let text = recorded(&answers(&client, file, ask));
        let path = manifest(&format!("cases/{answers_file}"));
        files::write(&path, text);
    }
}
