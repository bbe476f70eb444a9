//! Scripts of sqllogictest on both engines. `ELOQDB_SLT` names a file or directory with more of them,
//! for example the public ones of SQLite.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dbtests::data::manifest;
use dbtests::{Folder, Server, Settings};
use walkdir::WalkDir;

use crate::engine::{Engine, Field, Ours, Plain};
use crate::script::{Answer, Expected, Order, Record, parse};

/// Differences that are shown of one file.
const SHOWN: usize = 5;

/// How a file ended.
#[derive(Debug, Default)]
struct Report {
    passed: usize,
    failed: Vec<String>,
}

/// Runs all records that are for the engine.
fn run(engine: &mut dyn Engine, records: &[Record]) -> Report {
    let mut report = Report::default();
    let name = engine.name();
    for record in records.iter().filter(|record| record.is_for(name)) {
        let outcome = match &record.expected {
            Expected::Halt => break,
            Expected::Threshold(_) => continue,
            _ => check(engine, record),
        };
        match outcome {
            Ok(()) => report.passed += 1,
            Err(why) => report
                .failed
                .push(format!("line {}: {why}\n{}", record.line, record.sql)),
        }
    }
    report
}

fn check(engine: &mut dyn Engine, record: &Record) -> Result<(), String> {
    let outcome = engine.run(&record.sql);
    match (&record.expected, outcome) {
        (Expected::Failure, Ok(_)) => Err("it succeeded".to_owned()),
        (
            Expected::Rows {
                types,
                order,
                answer,
            },
            Ok(rows),
        ) => {
            if rows.first().is_some_and(|row| row.len() != types.len()) {
                return Err(format!("{} columns", rows[0].len()));
            }
            same(&values(types, *order, &rows), answer)
        }
        (Expected::Failure, Err(_)) | (_, Ok(_)) => Ok(()),
        (_, Err(why)) => Err(why),
    }
}

/// All values, shown as the format wants them and put in order.
fn values(types: &[u8], order: Order, rows: &[Vec<Field>]) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(types)
                .map(|(field, ty)| shown(field, *ty))
                .collect()
        })
        .collect();
    if order == Order::Rows {
        rows.sort();
    }
    let mut values: Vec<String> = rows.into_iter().flatten().collect();
    if order == Order::Values {
        values.sort();
    }
    values
}

fn shown(field: &Field, ty: u8) -> String {
    let Some(text) = field else {
        return "NULL".to_owned();
    };
    match ty {
        // Where a driver of SQLite would ask for an integer, a text that is none gives 0.
        b'I' => match text.as_str() {
            "t" => "1".to_owned(),
            "f" => "0".to_owned(),
            text => text.parse::<f64>().map_or("0".to_owned(), |_| {
                let whole = text.split('.').next().unwrap_or_default();
                if whole == "-0" {
                    "0".to_owned()
                } else {
                    whole.to_owned()
                }
            }),
        },
        b'R' => text
            .parse::<f64>()
            .map_or(text.clone(), |number| format!("{number:.3}")),
        _ if text.is_empty() => "(empty)".to_owned(),
        _ => text
            .chars()
            .map(|c| if (' '..='~').contains(&c) { c } else { '@' })
            .collect(),
    }
}

fn same(values: &[String], answer: &Answer) -> Result<(), String> {
    match answer {
        Answer::Values(expected) if values == expected => Ok(()),
        Answer::Values(expected) => Err(format!("{values:?} instead of {expected:?}")),
        Answer::Hash { count, md5 } => {
            let mut all = String::new();
            for value in values {
                writeln!(all, "{value}").expect("a String takes all");
            }
            let found = format!("{:x}", md5::compute(&all));
            if values.len() == *count && found == *md5 {
                Ok(())
            } else {
                let start = &values[..values.len().min(6)];
                Err(format!(
                    "{} values from {start:?} on, instead of {count}",
                    values.len()
                ))
            }
        }
    }
}

/// A server that has a fresh database for each script.
struct Host {
    server: Server,
    databases: usize,
    _folder: Folder,
}

impl Host {
    fn start() -> Self {
        let folder = Folder::new();
        let mut server = Server::create(folder.path(), Settings::master());
        server.start();
        Self {
            server,
            databases: 0,
            _folder: folder,
        }
    }

    fn fresh(&mut self) -> Ours {
        self.databases += 1;
        let name = format!("logic{}", self.databases);
        self.server
            .sql("system", &format!("CREATE DATABASE {name}"));
        Ours(self.server.client(&name))
    }
}

/// The scripts of a directory, and of those in it.
fn scripts(path: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(path).sort_by_file_name().into_iter();
    entries
        .map(|entry| entry.expect("an entry").into_path())
        .filter(|path| {
            let extension = path.extension().and_then(|e| e.to_str());
            matches!(extension, Some("slt" | "test"))
        })
        .collect()
}

fn read(path: &Path) -> Vec<Record> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&text)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[test]
fn our_scripts_give_the_same_on_the_server_and_on_plain_sqlite() {
    let mut host = Host::start();
    let paths = scripts(&manifest("sqlite"));
    assert!(paths.len() >= 8, "{paths:?}");
    for path in paths {
        let records = read(&path);
        let mut engines: [Box<dyn Engine>; 2] = [Box::new(Plain::new()), Box::new(host.fresh())];
        for engine in &mut engines {
            let report = run(engine.as_mut(), &records);
            let failed = report.failed.join("\n\n");
            assert!(
                report.failed.is_empty(),
                "{}, {}:\n{failed}",
                name(&path),
                engine.name()
            );
            assert!(report.passed > 0, "{} is empty", name(&path));
        }
    }
}

/// Reports instead of failing where the dialects differ: those files were written for others. Plain
/// SQLite tells which records are for SQLite.
#[test]
fn public_scripts_give_what_plain_sqlite_gives() {
    let Some(path) = std::env::var_os("ELOQDB_SLT") else {
        return;
    };
    let mut host = Host::start();
    let (mut records_run, mut reasons) = (0, BTreeMap::<String, usize>::new());
    for path in scripts(Path::new(&path)) {
        let records = read(&path);
        let plain = run(&mut Plain::new(), &records);
        let ours = run(&mut host.fresh(), &records);
        records_run += ours.passed + ours.failed.len();
        println!(
            "{}: SQLite {} of {}, server {} of {}",
            path.display(),
            plain.passed,
            plain.passed + plain.failed.len(),
            ours.passed,
            ours.passed + ours.failed.len()
        );
        for why in ours.failed.iter().take(SHOWN) {
            println!("    {}", why.replace('\n', "\n    "));
        }
        for why in &ours.failed {
            let why = why.split_once(": ").map_or(why.as_str(), |(_, why)| why);
            let first = why.lines().next().unwrap_or_default();
            let kind: String = first
                .chars()
                .take_while(|c| !c.is_ascii_digit())
                .take(60)
                .collect();
            let state: String = first.chars().take(5).collect();
            *reasons.entry(format!("{state} {kind}")).or_default() += 1;
        }
    }
    println!("{records_run} records on the server; differences: {reasons:#?}");
    assert!(records_run > 0, "no script in ELOQDB_SLT");
}
