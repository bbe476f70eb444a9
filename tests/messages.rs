//! `docs/messages.md` against the code and the tests: each sentence is one that the product says, and each has a test
//! that provokes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::data::manifest;
use dbtests::process::run;
use pgtypes::SqlState;

/// What stands for something else in the example of a sentence.
const EXAMPLES: [&str; 10] = [
    "north",
    "south",
    "west",
    "east",
    "scratch",
    "dba",
    "INSERT",
    "the master",
    "…",
    "cannot become root: ",
];
/// Fewer letters prove nothing.
const ENOUGH: usize = 8;
/// What the product puts together of a verb and a file.
const OF_A_FILE: &str = "cannot {what} {path}: {reason}";

/// The messages of the manual, each of which has a place on the page.
const OF_THE_MANUAL: [&str; 33] = [
    "ACTIVATEFAIL",
    "JNLPOOLACTIVATE",
    "PRIMARYISROOT",
    "PRIMARYNOTROOT",
    "SCNDDBNOUPD",
    "REPLINSTDBMATCH",
    "REPLINSTSEQORD",
    "REPLINSTFMT",
    "FILENOTFND",
    "REPLINSTNMLEN",
    "REPLINSTSECLEN",
    "REPLINSTNMUNDEF",
    "REPLINSTSECUNDF",
    "REPLINSTNMSAME",
    "REPLINSTSECMTCH",
    "REPLINSTSECNONE",
    "REPLINSTNOHIST",
    "REPLINSTSTNDALN",
    "REPLREQROLLBACK",
    "REPLUPGRADEPRI",
    "REPLUPGRADESEC",
    "SRCSRVEXISTS",
    "SRCSRVNOTEXIST",
    "SRCSRVTOOMANY",
    "JNLPOOLBADSLOT",
    "REPLINSTOPEN",
    "REPLINSTCLOSE",
    "REPLINSTREAD",
    "REPLINSTWRITE",
    "REPLINSTFSYNC",
    "REPLINSTCREAT",
    "MUPCLIERR",
    "SIZENOTVALID8",
];

fn root() -> PathBuf {
    manifest("..").canonicalize().expect("the repository")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/messages.md")).expect("the page")
}

/// A row of the tables of messages.
#[derive(Debug)]
struct Row {
    codes: Vec<String>,
    sentences: Vec<String>,
    provoked_by: Vec<String>,
}

/// The words in backquotes of a cell, in which a bar is written with a backslash.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(|part| part.replace('\u{1}', "|")).collect()
}

fn rows() -> Vec<Row> {
    let page = page().replace("\\|", "\u{1}");
    let tables = page.lines().filter(|line| line.starts_with("| "));
    let cells = tables.map(|line| line.trim_matches('|').split('|').map(str::to_owned));
    let rows = cells.map(Iterator::collect::<Vec<String>>);
    // Those by the manual's names have two columns.
    let of_messages = rows.filter(|cells| cells.len() > 2);
    let has_sentence = |cells: &Vec<String>| cells.get(1).is_some_and(|it| it.contains('`'));
    of_messages
        .filter(has_sentence)
        .map(|cells| Row {
            codes: quoted(&cells[0]),
            sentences: quoted(&cells[1]),
            provoked_by: quoted(cells.last().expect("a column")),
        })
        .collect()
}

/// The longest part of a sentence that is the same in each case.
fn fixed(sentence: &str) -> String {
    let mut rest = sentence.to_owned();
    for example in EXAMPLES {
        rest = rest.replace(example, "\n");
    }
    let is_variable = |c: char| c == '\n' || c == '"' || c.is_ascii_digit();
    let longest = rest.split(is_variable).max_by_key(|part| part.len());
    let is_around = |c: char| c == ' ' || c.is_ascii_punctuation();
    longest
        .unwrap_or_default()
        .trim_matches(is_around)
        .to_owned()
}

/// Path and text of all files of code, with a string that goes on in the next line as one.
fn code() -> Vec<(String, String)> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "-C"])
        .arg(root())
        .args(["ls-files", "-z", "*.rs", "*.txt"]);
    let list = run(&mut git, b"").ok();
    let files = list.split('\0').filter(|path| !path.is_empty());
    files
        .filter_map(|path| {
            let text = fs::read_to_string(root().join(path)).ok()?;
            Some((path.to_owned(), joined(&text)))
        })
        .collect()
}

fn joined(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let mut joined = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        joined.push_str(part.trim_start());
    }
    joined
}

/// Whether a file is a test as a whole.
fn is_test(path: &str) -> bool {
    let places = ["tests/", "/tests/", "/tests.rs", "/testdata/"];
    path.starts_with(places[0]) || places[1..].iter().any(|place| path.contains(place))
}

/// What a file says to those who run the product.
fn of_product(path: &str, text: &str) -> Option<String> {
    let is_product = Path::new(path).extension().is_some_and(|it| it == "rs") && !is_test(path);
    let code = text.split("#[cfg(test)]\nmod tests").next();
    is_product.then(|| code.unwrap_or_default().to_owned())
}

#[test]
fn each_state_of_the_code_is_on_the_page_and_none_that_is_not() {
    let rows = rows();
    assert!(rows.len() > 40, "{} rows", rows.len());
    let on_page: Vec<&str> = rows
        .iter()
        .flat_map(|row| &row.codes)
        .map(String::as_str)
        .collect();
    for code in &on_page {
        assert!(SqlState::from_code(code).is_some(), "{code} is no state");
    }
    for state in SqlState::ALL {
        let code = state.as_str();
        let is_ours = code.starts_with("R01");
        assert!(!is_ours || on_page.contains(&code), "{code} has no row");
    }
    let conversation = fs::read_to_string(root().join("docs/replication.md")).expect("the page");
    for state in SqlState::ALL {
        let code = state.as_str();
        let is_of_conversation = code.starts_with("R00");
        assert!(
            !is_of_conversation || conversation.contains(code),
            "{code} is not in docs/replication.md"
        );
    }
}

#[test]
fn each_sentence_is_one_of_the_code_and_a_test_provokes_it() {
    let code = code();
    let product: Vec<String> = code
        .iter()
        .filter_map(|(path, text)| of_product(path, text))
        .collect();
    for row in rows() {
        let fixed: Vec<String> = row.sentences.iter().map(|it| fixed(it)).collect();
        assert!(!fixed.is_empty(), "no sentence: {row:?}");
        for words in &fixed {
            let words = if words.starts_with("cannot ") {
                OF_A_FILE
            } else {
                words.as_str()
            };
            assert!(words.len() >= ENOUGH, "'{words}' is not enough: {row:?}");
            assert!(
                product.iter().any(|text| text.contains(words)),
                "nobody says '{words}': {row:?}"
            );
        }
        assert!(!row.provoked_by.is_empty(), "no test: {row:?}");
        for name in &row.provoked_by {
            let definition = format!("fn {name}(");
            let mut there = code
                .iter()
                .filter(|(path, text)| path.ends_with(name.as_str()) || text.contains(&definition));
            let (path, text) = there.next().unwrap_or_else(|| {
                unreachable!("docs/messages.md names a test that is not there: {name}")
            });
            let has_code = row.codes.iter().any(|code| text.contains(code.as_str()));
            let has_words = fixed.iter().any(|words| text.contains(words.as_str()));
            assert!(has_code || has_words, "{path} provokes nothing of {row:?}");
        }
    }
}

#[test]
fn each_message_of_the_manual_has_its_place() {
    let page = page();
    let (_, by_name) = page
        .split_once("## By the names of GT.M")
        .expect("a section");
    let rows: Vec<&str> = by_name
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    for name in OF_THE_MANUAL {
        let is_named = |row: &&&str| {
            let cell = row.split('|').nth(1).unwrap_or_default();
            cell.split(',').any(|it| it.trim() == name)
        };
        assert_eq!(rows.iter().filter(is_named).count(), 1, "{name}");
    }
    let messages: Vec<String> = self::rows().into_iter().flat_map(|row| row.codes).collect();
    for row in rows {
        for code in quoted(row).iter().filter(|it| it.starts_with("R01")) {
            assert!(messages.contains(code), "{code} has no row above");
        }
    }
}
