//! A directory of lost transactions, which somebody has copied from another machine: read to its end, or refused in words;
//! what is made of it is one statement each.

use std::path::Path;

use dialect::{NoSchema, analyze, split};
use disk::Disk;
use lost::{ChangeLine, Directory, Line, RowSql, Transaction};

use super::choices::Choices;

const SEAL: &str = "  \"seal\": \"";

/// Takes the bytes as `lost.json` and `lost.jsonl`, as they are and with hashes put right.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let is_mended = choices.flag();
    let description = choices.piece();
    let lines = choices.rest();
    let Ok(directory) = tempfile::tempdir() else {
        return;
    };
    let (description, lines) = if is_mended {
        (sealed(description), ended(lines))
    } else {
        (description.to_vec(), lines.to_vec())
    };
    let put = |name: &str, bytes: &[u8]| {
        let written = Disk::real().write_atomic(&directory.path().join(name), bytes, 0o600);
        assert!(written.is_ok(), "{written:?}");
    };
    put("lost.json", &description);
    put("lost.jsonl", &lines);
    read(directory.path());
}

fn read(path: &Path) {
    let disk = Disk::real();
    let opened = match Directory::open(&disk, path) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(error.to_string().contains("lost.json"), "{error}");
            return;
        }
    };
    for proved in [opened.prove(), opened.prove_lines()] {
        if let Err(error) = proved {
            assert!(!error.to_string().is_empty());
        }
    }
    let Ok(lines) = opened.lines() else {
        panic!("the file is there");
    };
    for line in lines {
        match line {
            Ok(Line::Transaction(transaction)) => statements(&transaction),
            Ok(Line::Event(_)) => {}
            Err(error) => assert!(error.to_string().contains("lost.jsonl"), "{error}"),
        }
    }
}

/// Whatever stands in names and values, what is made of a change is one statement of its kind.
fn statements(transaction: &Transaction) {
    for change in &transaction.changes {
        for sql in made(transaction, change) {
            let statement = sql.split_once(' ').map(|(word, _)| word);
            // Names that no table can have are refused; nothing gets out of its quotes.
            if let Ok(found) = analyze(&sql, &NoSchema) {
                assert!(
                    found.tag.render(0).starts_with(statement.unwrap_or("?")),
                    "{sql}"
                );
            }
            assert_eq!(split(&sql).len(), 1, "{sql}");
        }
    }
}

fn made(transaction: &Transaction, change: &ChangeLine) -> Vec<String> {
    let (after, before) = (
        transaction.table(&change.table),
        transaction.table_before(change),
    );
    let new = change.after.as_ref().zip(after);
    let new = new.and_then(|(row, table)| RowSql::new(table, row).ok());
    let old = change.before.as_ref().zip(before);
    let old = old.and_then(|(row, table)| RowSql::new(table, row).ok());
    let mut made = Vec::new();
    made.extend(new.as_ref().map(RowSql::insert));
    made.extend(old.as_ref().map(RowSql::delete));
    if let (Some(new), Some(old)) = (&new, &old) {
        made.extend(new.update(old));
    }
    made
}

/// The text with a seal that fits it.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.push_str(",\n");
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{text}{SEAL}{hash}\"\n}}\n").into_bytes()
}

/// The lines with a last one that fits them.
fn ended(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    let all: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    let count = lines.iter().filter(|line| !line.starts_with("{\"event\""));
    let hash = blake3::hash(all.as_bytes()).to_hex();
    format!("{all}{{\"end\":{},\"blake3\":\"{hash}\"}}\n", count.count()).into_bytes()
}
