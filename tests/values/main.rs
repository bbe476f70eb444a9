//! Any value gives the same result, whichever way it comes in and whichever way it goes out.
//!
//! Ways in: literal, cast, parameter in text and in binary, COPY in its three formats, inside a function, within a
//! query. Ways out: text and binary on the wire, `::text`, `||`, `concat`, `format`, JSON, `string_agg`, COPY. What is
//! right is the library's canonical form of the value; the library itself is measured against PostgreSQL elsewhere.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

mod expected;
mod kinds;
mod spellings;
mod ways_in;
mod ways_out;

use std::thread;

use dbtests::{Client, Folder, Server, Settings};
use disk::testing::Random;
use expected::Expected;
use kinds::{KINDS, Kind};
use ways_in::{In, WAYS_IN};

/// Random values of each kind, if `ELOQDB_VALUES` does not say another number.
const VALUES: u64 = 200;

/// Values that are read by all ways out whatever way they came in.
const SAMPLE: usize = 200;

/// How many differences of one kind are told.
const TOLD: usize = 12;

fn values() -> u64 {
    let number = std::env::var("ELOQDB_VALUES").ok();
    number.and_then(|text| text.parse().ok()).unwrap_or(VALUES)
}

fn shop() -> (Folder, Server) {
    let folder = Folder::new();
    let settings = Settings::new("alone", "Standalone").without("ForwardLog", "FwLog");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    (folder, server)
}

/// The edge values and the random ones.
fn inputs(kind: &Kind, count: u64) -> Vec<String> {
    let mut random = Random::new(u64::try_from(kind.declared.len()).unwrap_or(0));
    let edges = kind.edges.iter().map(|text| (*text).to_owned());
    edges
        .chain((0..count).map(|_| (kind.random)(&mut random)))
        .collect()
}

/// The differences of one kind.
fn differences(client: &mut Client, kind: &Kind, count: u64) -> Vec<String> {
    let mut found = Vec::new();
    let (mut texts, mut expected) = (Vec::new(), Vec::new());
    for input in inputs(kind, count) {
        match Expected::new(kind, &input) {
            Ok(value) => {
                texts.push(input);
                expected.push(value);
            }
            Err(error) => found.push(format!("{} {input:?}: {error}", kind.declared)),
        }
    }
    for way in WAYS_IN {
        let mut source = way.put(client, kind, &texts, &expected);
        let mut read = expected.as_slice();
        // What is stored like the values that came in first goes out like them: some are read all the same.
        if way == In::Literal {
            client.run("ALTER TABLE t RENAME TO first");
            source = vec!["first".to_owned()];
        } else if way.is_stored() && is_stored_alike(client) {
            read = read.get(..SAMPLE).unwrap_or(read);
            source = vec![format!("(SELECT id, v FROM t WHERE id < {SAMPLE}) AS t")];
        }
        for (out, index, got, wanted) in ways_out::differences(client, kind, &source, read) {
            let input = &texts[index];
            found.push(format!(
                "{} {input:?} by {way:?} as {out}: {got:?}, not {wanted:?}",
                kind.declared
            ));
        }
        if way != In::Literal {
            way.clear(client);
        }
    }
    client.run("DROP TABLE first");
    found
}

/// Whether the values that came in now are those that came in first.
fn is_stored_alike(client: &Client) -> bool {
    let same = client.value(
        "SELECT count(*) FROM t JOIN first f ON f.id = t.id \
         WHERE t.v::text IS NOT DISTINCT FROM f.v::text",
    );
    same == client.value("SELECT count(*) FROM first")
        && same == client.value("SELECT count(*) FROM t")
}

/// What differs among the kinds at `from`, `from` + `step` and so on, worked on in a database of their own.
fn share(server: &Server, from: usize, step: usize) -> Vec<String> {
    server.sql("system", &format!("CREATE DATABASE share{from}"));
    let mut client = server.client(&format!("share{from}"));
    let mut failures = Vec::new();
    for kind in KINDS.iter().skip(from).step_by(step) {
        let found = differences(&mut client, kind, values());
        if !found.is_empty() {
            failures.push(format!("{} differences of {}", found.len(), kind.declared));
            failures.extend(found.into_iter().take(TOLD));
        }
    }
    failures
}

#[test]
fn a_value_is_the_same_by_every_way_in_and_out() {
    let (_folder, server) = shop();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let failures: Vec<String> = thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|from| {
                scope.spawn({
                    let server = &server;
                    move || share(server, from, threads)
                })
            })
            .collect();
        shares
            .into_iter()
            .flat_map(|share| share.join().expect("told by itself"))
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// SQLSTATE and message of what a way says to a text that is no value.
fn refusal(client: &mut Client, kind: &Kind, way: In, text: &str) -> String {
    let said = way.try_put(client, kind, text);
    way.clear(client);
    said
}

#[test]
fn what_is_no_value_is_refused_alike_by_every_way_in() {
    let (_folder, server) = shop();
    let mut client = server.client("shop");
    let mut failures = Vec::new();
    for kind in KINDS {
        for wrong in kind.wrong {
            let wanted = expected::refusal(kind, wrong);
            for way in [
                In::Literal,
                In::Cast,
                In::TextParameter,
                In::CopyText,
                In::CopyCsv,
            ] {
                let got = refusal(&mut client, kind, way, wrong);
                if got != wanted {
                    failures.push(format!(
                        "{} {wrong:?} by {way:?}: {got}, not {wanted}",
                        kind.declared
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
