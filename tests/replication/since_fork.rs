//! Whether a row may have changed since a fork.

use std::collections::BTreeSet;

use dbtests::{Folder, Server, Settings};

use crate::lost::json;
use crate::shop::SHOP;

const TABLES: &str = "
CREATE TABLE row (id bigint PRIMARY KEY, v text);
CREATE TABLE named (name text PRIMARY KEY, v text);
INSERT INTO row SELECT i * 2, repeat('x', CASE WHEN i % 97 = 0 THEN 9000 ELSE 150 END) FROM generate_series(1, 3000) i;
INSERT INTO named SELECT 'n' || i, 'v' FROM generate_series(1, 2000) i;
";

/// The keys that are asked for.
const KEYS: &str = "generate_series(1, 6100, 7)";

fn keys() -> BTreeSet<i64> {
    (1..=6100).step_by(7).collect()
}

/// A root with a table of some 150 leaves.
fn south(folder: &Folder) -> Server {
    let mut server = Server::create(folder.path(), Settings::new("south", "Master"));
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql(SHOP, TABLES);
    server
}

/// Has the root know of a fork where its log ends now.
fn fork(server: &Server) {
    let position = server.command("forwardlog status").remove("position");
    let position = position.expect("a position");
    let told = json(&server.dbctl(&["--json", "peer", "introduce", &position]));
    let hash = told["hash_there"].as_str().expect("a hash");
    let id = "7".repeat(32);
    let words = ["lost", "register", "north", &id, "primary", &position, hash];
    let registered = server.dbctl(&[&words[..], &["1", "1"]].concat());
    assert_eq!(registered.code, Some(0), "{registered:?}");
}

/// The keys that may have changed.
fn told(server: &Server) -> BTreeSet<i64> {
    let sql = format!("SELECT id FROM {KEYS} AS id WHERE eloqdb_changed_since_fork('row', id) = 1");
    let rows = server.sql(SHOP, &sql);
    let number = |row: &Vec<String>| row[0].parse().expect("a number");
    rows.iter().map(number).collect()
}

/// The answer for one key.
fn asked(server: &Server, table: &str, key: &str) -> String {
    let sql = format!("SELECT eloqdb_changed_since_fork('{table}', {key})");
    server.sql(SHOP, &sql)[0][0].clone()
}

/// Rows that stay where they are; then those that go, so that leaves are merged and freed, that come, so that they are
/// split, and that grow: with the first of these the root is another, which is above all rows. First and last key, step,
/// statement.
const STEPS: [(i64, i64, usize, &str); 5] = [
    (
        2520,
        2530,
        2,
        "UPDATE row SET v = upper(v) WHERE id BETWEEN 2520 AND 2530",
    ),
    (
        1000,
        1800,
        2,
        "DELETE FROM row WHERE id BETWEEN 1000 AND 1800",
    ),
    (
        2001,
        2201,
        2,
        "INSERT INTO row SELECT i, repeat('y', 400) FROM generate_series(2001, 2201, 2) i",
    ),
    (
        3000,
        3010,
        2,
        "UPDATE row SET v = repeat('z', 3000) WHERE id BETWEEN 3000 AND 3010",
    ),
    (
        6002,
        6099,
        1,
        "INSERT INTO row SELECT i, 'new' FROM generate_series(6002, 6099) i",
    ),
];

#[test]
fn that_a_row_has_changed_since_a_fork_is_never_denied() {
    let folder = Folder::new();
    let mut server = south(&folder);
    // No fork is known: whatever is asked, it may be.
    assert_eq!(told(&server), keys());
    fork(&server);
    assert_eq!(told(&server), BTreeSet::new());
    let mut changed = BTreeSet::new();
    for (from, to, step, sql) in STEPS {
        server.sql(SHOP, sql);
        changed.extend((from..=to).step_by(step).filter(|id| keys().contains(id)));
        let told = told(&server);
        let denied: Vec<&i64> = changed.difference(&told).collect();
        assert!(denied.is_empty(), "{sql}: {denied:?}");
        let is_first = sql == STEPS[0].3;
        let few = told.len() < keys().len() / 10;
        assert!(few || !is_first, "{sql}: {} keys", told.len());
    }
    // A person may set another point.
    let floor = |words: &[&str]| {
        let run = server.dbctl(&[&["lost", "floor", "--json"], words].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        json(&run)
    };
    assert_eq!(floor(&[])["instance"], "north");
    let end = server.command("forwardlog status").remove("position");
    let end = end.expect("a position");
    let set = floor(&[&end]);
    assert_eq!(set["position"].as_str(), Some(end.as_str()), "{set}");
    assert!(set["set"].is_string(), "{set}");
    assert_eq!(asked(&server, "row", "2520"), "0");
    assert_eq!(floor(&["none"])["instance"], "north");
    assert_eq!(asked(&server, "row", "2520"), "1");
    let wrong = server.dbctl(&["lost", "floor", "1-1:131"]);
    assert!(
        wrong.err.contains("has no border of blocks at 1-1:131"),
        "{wrong:?}"
    );
    // A restart knows no less.
    let before = told(&server);
    server.kill9();
    server.start();
    assert_eq!(told(&server), before);
    server.sql(SHOP, "VACUUM FULL");
    assert!(changed.is_subset(&told(&server)));
    assert_eq!(server.dbctl(&["lost", "complete"]).code, Some(0));
    assert_eq!(told(&server), keys());
}

#[test]
fn a_value_behind_the_leaf_a_key_of_text_and_a_row_that_is_gone_are_seen() {
    let folder = Folder::new();
    let server = south(&folder);
    fork(&server);
    assert_eq!(asked(&server, "named", "'n77'"), "0");
    assert_eq!(asked(&server, "row", "4074"), "0");
    // Same length: of its 9000 bytes the last one alone, which is on an overflow page.
    server.sql(
        SHOP,
        "UPDATE row SET v = substr(v, 1, 8999) || 'z' WHERE id = 4074",
    );
    assert_eq!(asked(&server, "row", "4074"), "1");
    assert_eq!(asked(&server, "row", "6"), "0");
    assert_eq!(asked(&server, "named", "'n77'"), "0");
    server.sql(
        SHOP,
        "DELETE FROM named WHERE name = 'n5'; UPDATE named SET v = 'w' WHERE name = 'n1999'",
    );
    for name in ["n5", "n1999", "nobody"] {
        assert_eq!(asked(&server, "named", &format!("'{name}'")), "1", "{name}");
    }
    for sql in [
        "SELECT eloqdb_changed_since_fork('nothing', 1)",
        "SELECT eloqdb_changed_since_fork('row', 'a', 'b')",
    ] {
        assert_eq!(server.client(SHOP).refused(sql).code, "42601", "{sql}");
    }
}
