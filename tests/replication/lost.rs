//! Transactions that only the former root had come back into the new one.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use dbtests::{Client, Cluster, LONG, PASSWORD, Run, Server, Settings, files, wait_for};
use serde_json::Value;

use crate::fencing::{pair, promote};
use crate::shop::SHOP;

const TABLES: &str = "
CREATE TABLE account (id bigint PRIMARY KEY, owner varchar(20) NOT NULL UNIQUE, balance numeric(12,2), opened date, closed boolean, picture bytea, note jsonb, seen timestamptz, ratio float8, raw json);
CREATE TABLE entry (id serial PRIMARY KEY, account bigint REFERENCES account ON DELETE CASCADE, amount numeric(12,2));
CREATE TABLE journal (what text);
INSERT INTO account VALUES
    (1, 'Ann', 100.00, '2026-01-05', false, '\\x00ff', '{\"a\": [1, 2]}', '2026-01-05 10:00+01', 0.1, '{\"b\":  1}'),
    (2, 'Bob', 50.50, NULL, NULL, NULL, NULL, NULL, 'NaN', NULL),
    (3, 'Cid', 7, '2026-03-01', true, NULL, '[]', NULL, NULL, NULL);
INSERT INTO entry (account, amount) VALUES (1, 10), (2, 20), (3, 30);
INSERT INTO journal VALUES ('begin'), ('same'), ('same');
";

/// What only the old master has, a transaction a line.
const LOST: [&str; 8] = [
    "UPDATE account SET balance = balance - 30, note = '{\"a\": [1, 2, 3]}', seen = '2026-11-30 09:00+00' WHERE id = 1; UPDATE account SET balance = balance + 30 WHERE id = 2",
    "INSERT INTO account VALUES (9007199254740993, 'Dan', 0.10, '2026-11-30', false, '\\x0102', NULL, NULL, 1e300, '[1]'); INSERT INTO entry (account, amount) VALUES (9007199254740993, 1)",
    "DELETE FROM account WHERE id = 3",
    "UPDATE entry SET amount = 11 WHERE id = 1",
    "INSERT INTO journal VALUES ('it''s')",
    "DELETE FROM journal WHERE what = 'begin'",
    "CREATE TABLE later (id serial PRIMARY KEY, at date DEFAULT '2026-01-01', CHECK (id > 0)); CREATE INDEX later_at ON later (at) WHERE at IS NOT NULL; INSERT INTO later (at) VALUES ('2026-11-30')",
    "ALTER TABLE account ADD COLUMN city text DEFAULT 'Lyon'; UPDATE account SET city = 'Rome' WHERE id = 2",
];

/// A former master with transactions of its own, and its directory of them; and the new root.
struct Lost {
    cluster: Cluster,
    directory: String,
    /// What its databases were in the end.
    rows: Vec<Vec<Vec<String>>>,
}

fn all_rows(server: &Server) -> Vec<Vec<Vec<String>>> {
    let of = |table: &str| server.sql(SHOP, &format!("SELECT * FROM {table} ORDER BY 1, 2"));
    let journal = server.sql(SHOP, "SELECT what FROM journal ORDER BY 1");
    vec![of("account"), of("entry"), journal, of("later")]
}

/// Runs each as one transaction.
fn run_each(server: &Server, statements: &[&str]) {
    let client = server.client(SHOP);
    for statement in statements {
        client.run(&format!("BEGIN; {statement}; COMMIT"));
    }
}

impl Lost {
    fn new() -> Self {
        Self::with(&LOST, |_| {})
    }

    /// `meanwhile` is done at the new root before anything comes back.
    fn with(lost: &[&str], meanwhile: impl Fn(&Server)) -> Self {
        let (mut cluster, mut there) = pair();
        cluster.master.sql(SHOP, TABLES);
        cluster.wait_for_slave(&mut there);
        there.stop();
        run_each(&cluster.master, lost);
        let has_later = lost.iter().any(|it| it.contains("CREATE TABLE later"));
        let rows = if has_later {
            all_rows(&cluster.master)
        } else {
            Vec::new()
        };
        cluster.master.kill9();
        promote(&cluster.slave);
        meanwhile(&cluster.slave);
        let history = json(&cluster.slave.dbctl(&["replication", "history", "--json"]));
        let newest = history
            .as_array()
            .and_then(|it| it.last())
            .expect("a generation");
        let fork = newest["parent"].as_str().expect("a position").to_owned();
        let kept = json(&cluster.master.dbctl(&["lost", "keep", &fork, "--json"]));
        assert_eq!(kept["exact"], true, "{kept}");
        assert_eq!(kept["transactions"], lost.len(), "{kept}");
        let below = cluster.master.data_dir().join("lost");
        let paths = files::list(&below, "master-");
        assert_eq!(paths.len(), 1, "{paths:?}");
        let directory = &paths[0].display().to_string();
        for name in ["", "lost.json", "lost.jsonl", "lost.sql", "segments"] {
            let mode = std::fs::metadata(Path::new(directory).join(name))
                .expect(name)
                .mode();
            assert_eq!(mode & 0o077, 0, "{name} is for its owner alone");
        }
        Self {
            directory: directory.clone(),
            cluster,
            rows,
        }
    }

    fn root(&self) -> &Server {
        &self.cluster.slave
    }

    fn apply(&self, options: &[&str]) -> Run {
        let mut words = vec!["lost", "apply", &self.directory];
        words.extend(options);
        self.root().dbctl(&words)
    }

    fn applied(&self, options: &[&str]) -> Value {
        let mut options = options.to_vec();
        options.push("--json");
        json(&self.apply(&options))
    }
}

pub(crate) fn json(run: &Run) -> Value {
    let parsed = serde_json::from_str(run.out.trim());
    assert!(parsed.is_ok(), "{run:?}");
    parsed.expect("JSON")
}

fn numbers(report: &Value) -> [u64; 4] {
    ["applied", "there", "known", "conflict"].map(|name| report[name].as_u64().expect("a number"))
}

#[test]
fn lost_transactions_come_back_once_and_as_they_were() {
    let lost = Lost::new();
    let before = json(
        &lost
            .root()
            .dbctl(&["lost", "check", &lost.directory, "--json"]),
    );
    assert_eq!(
        (before["open"].as_u64(), before["needs_restart"].as_bool()),
        (Some(8), Some(false))
    );
    let dry = lost.applied(&["--dry-run"]);
    assert_eq!(dry["dry_run"], true);
    assert_eq!(
        lost.root().sql(SHOP, "SELECT count(*) FROM account")[0][0],
        "3"
    );
    let report = lost.applied(&[]);
    assert_eq!(numbers(&report), [8, 0, 0, 0], "{report}");
    assert_eq!(all_rows(lost.root()), lost.rows);
    // A second time, and what a sequence gives next.
    let again = lost.applied(&[]);
    assert_eq!(numbers(&again), [0, 0, 8, 0], "{again}");
    assert_eq!(all_rows(lost.root()), lost.rows);
    lost.root().sql(
        SHOP,
        "INSERT INTO entry (account, amount) VALUES (1, 5); INSERT INTO later (at) VALUES (NULL)",
    );
    let check = lost.root().dbctl(&["lost", "check", &lost.directory]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(
        check
            .out
            .starts_with("master DOES NOT NEED TO BE RESTARTED\n"),
        "{check:?}"
    );
    let status = json(&lost.root().dbctl(&["lost", "status", "--json"]));
    assert_eq!(
        (status[0]["applied"].as_u64(), status[0]["open"].as_u64()),
        (Some(8), Some(0)),
        "{status}"
    );
    assert!(status[0]["settled"].is_null());
    let complete = lost.root().dbctl(&["lost", "complete"]);
    assert!(complete.out.contains("1 fork is settled"), "{complete:?}");
    let status = json(&lost.root().dbctl(&["lost", "status", "--json"]));
    assert!(status[0]["settled"].is_string(), "{status}");
}

#[test]
fn what_others_have_written_since_is_a_conflict_and_left_as_it_is() {
    let lost = Lost::with(&LOST, |root| {
        root.sql(SHOP, "UPDATE account SET balance = 1 WHERE id = 2; DELETE FROM account WHERE id = 3; UPDATE entry SET amount = 11 WHERE id = 1");
    });
    let run = lost.apply(&["--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = json(&run);
    // The transfer, and Bob's city, whose balance it had seen; it had deleted Cid, and so have others, with his entry; the
    // amount is what it had made of it.
    assert_eq!(numbers(&report), [4, 2, 0, 2], "{report}");
    let conflict = &report["conflicts"][0];
    assert_eq!(conflict["number"], 1);
    let row = &conflict["rows"][0];
    assert_eq!(
        (
            row["key"]["id"].as_u64(),
            row["current"]["balance"].as_str()
        ),
        (Some(2), Some("1.00")),
        "{row}"
    );
    // All of the transaction is left: nobody has taken Ann's money.
    let ann = lost
        .root()
        .sql(SHOP, "SELECT balance FROM account WHERE id = 1");
    assert_eq!(ann[0][0], "100.00");
    let file =
        std::fs::read_to_string(format!("{}/conflicts.jsonl", lost.directory)).expect("conflicts");
    let lines: Vec<Value> = file
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    assert_eq!(
        lines.as_slice(),
        report["conflicts"]
            .as_array()
            .expect("conflicts")
            .as_slice()
    );
    // Again they are; a person decides, and one is done, and then the other fits.
    let again = lost.applied(&[]);
    assert_eq!(numbers(&again), [0, 0, 6, 2], "{again}");
    let over = lost.applied(&["--conflict", "overwrite", "--only", "1"]);
    assert_eq!(
        (numbers(&over), over["overwritten"].as_u64()),
        ([1, 0, 0, 0], Some(1)),
        "{over}"
    );
    let balances = lost.root().sql(
        SHOP,
        "SELECT balance FROM account WHERE id IN (1, 2) ORDER BY id",
    );
    assert_eq!(balances, [["70.00"], ["80.50"]]);
    let last = lost.applied(&[]);
    assert_eq!(numbers(&last), [1, 0, 7, 0], "{last}");
}

#[test]
fn the_first_conflict_ends_it_where_that_is_wished() {
    let lost = Lost::with(&LOST, |root| {
        root.sql(SHOP, "UPDATE account SET balance = 1 WHERE id = 2");
    });
    let report = lost.applied(&["--conflict=stop"]);
    assert_eq!(numbers(&report), [0, 0, 0, 1], "{report}");
    assert_eq!(report["transactions"], 1);
}

#[test]
fn rows_that_are_equal_and_have_no_key_are_a_conflict() {
    let lost = Lost::with(
        &[
            "INSERT INTO journal VALUES ('same')",
            "INSERT INTO journal VALUES ('new')",
        ],
        |_| {},
    );
    let report = lost.applied(&[]);
    assert_eq!(numbers(&report), [1, 0, 0, 1], "{report}");
    assert_eq!(report["conflicts"][0]["number"], 1);
}

#[test]
fn what_no_statement_does_is_told_and_not_taken_for_done() {
    let lost = Lost::with(
        &[
            "GRANT SELECT ON journal TO PUBLIC",
            "COMMENT ON TABLE entry IS 'lines'; INSERT INTO journal VALUES ('with a comment')",
        ],
        |_| {},
    );
    let report = lost.applied(&[]);
    assert_eq!(numbers(&report), [1, 0, 0, 1], "{report}");
    let why = report["conflicts"][0]["why"].as_str().expect("a reason");
    assert!(why.contains("do the same with GRANT"), "{why}");
    let note = report["events"][0].as_str().expect("a note");
    assert!(note.contains("transaction 2, done but for this"), "{note}");
}

#[test]
fn the_script_does_the_same_with_psql() {
    let lost = Lost::new();
    let address = lost.root().address();
    let psql = || {
        let script =
            std::fs::read_to_string(format!("{}/lost.sql", lost.directory)).expect("the script");
        let mut command = std::process::Command::new("psql");
        command.args([
            "-X",
            "-q",
            "-h",
            "127.0.0.1",
            "-U",
            "dba",
            "-d",
            "system",
            "-p",
        ]);
        command
            .arg(address.port().to_string())
            .env("PGPASSWORD", PASSWORD);
        dbtests::process::run(&mut command, script.as_bytes())
    };
    let run = psql();
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(all_rows(lost.root()), lost.rows);
    // Neither psql nor dbctl does it again.
    let again = psql();
    assert_eq!(
        again.err.matches("was done again already").count(),
        8,
        "{again:?}"
    );
    assert_eq!(all_rows(lost.root()), lost.rows);
    let report = lost.applied(&[]);
    assert_eq!(numbers(&report), [0, 0, 8, 0], "{report}");
}

#[test]
fn outcomes_are_on_a_slave_and_on_the_root_that_it_becomes() {
    let lost = Lost::new();
    let folder = dbtests::Folder::new();
    let mut west = Server::create(folder.path(), Settings::new("west", "Slave"));
    west.start();
    let first = lost.applied(&["--only", "1"]);
    assert_eq!(numbers(&first), [1, 0, 0, 0], "{first}");
    assert_eq!(lost.root().dbctl(&["lost", "complete"]).code, Some(0));
    dbtests::follower::replicate(lost.root(), &west, &["-S"]);
    let refused = west.dbctl(&["lost", "apply", &lost.directory]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("is a slave"), "{refused:?}");
    let status = json(&west.dbctl(&["lost", "status", "--json"]));
    assert!(status[0]["settled"].is_string(), "{status}");
    promote(&west);
    let rest = json(&west.dbctl(&["lost", "apply", &lost.directory, "--json"]));
    assert_eq!(numbers(&rest), [7, 0, 1, 0], "{rest}");
    assert_eq!(all_rows(&west), lost.rows);
}

#[test]
fn what_is_no_file_of_this_root_is_refused_by_name() {
    let mut lost = Lost::new();
    // The old master has the fork, and made the file.
    lost.cluster.master.start();
    let own = lost
        .cluster
        .master
        .dbctl(&["lost", "check", &lost.directory]);
    assert_eq!(own.code, Some(1), "{own:?}");
    assert!(own.err.contains("is this server's own file"), "{own:?}");
    let list = json(&lost.cluster.master.dbctl(&["lost", "list", "--json"]));
    assert_eq!(
        (list[0]["transactions"].as_u64(), list[0]["exact"].as_bool()),
        (Some(8), Some(true)),
        "{list}"
    );
    let name = list[0]["name"].as_str().expect("a name").to_owned();
    let kept = lost.cluster.master.dbctl(&["lost", "purge", &name]);
    assert!(kept.err.contains("are not settled"), "{kept:?}");
    // Another environment.
    let folder = dbtests::Folder::new();
    let mut other = Server::create(folder.path(), Settings::new("other", "Master"));
    other.start();
    let refused = other.dbctl(&["lost", "apply", &lost.directory]);
    assert!(
        refused.err.contains("does not have the fork"),
        "{refused:?}"
    );
    let unknown = lost.root().dbctl(&["lost", "check", "east"]);
    assert_eq!(
        (unknown.code, unknown.out.lines().next()),
        (Some(1), Some("east NEEDS TO BE RESTARTED FIRST"))
    );
    // A file that is cut is seen before anything is done.
    let path = format!("{}/lost.jsonl", lost.directory);
    let text = std::fs::read_to_string(&path).expect("the lines");
    files::cut(Path::new(&path), text.len() as u64 / 2);
    let cut = lost.root().dbctl(&["lost", "apply", &lost.directory]);
    assert!(cut.err.contains("cut off, or altered"), "{cut:?}");
    files::write(Path::new(&path), &text);
    let purged = lost
        .cluster
        .master
        .dbctl(&["lost", "purge", &name, "--yes"]);
    assert_eq!(purged.code, Some(0), "{purged:?}");
    assert!(!Path::new(&lost.directory).exists());
}

#[test]
fn the_functions_are_for_a_dba_in_a_transaction_at_the_root() {
    let lost = Lost::new();
    let root = lost.root();
    let id = format!("{}/7", "a".repeat(64));
    let client = root.client(SHOP);
    let refused = client.refused("SELECT eloqdb_lost_expect(1)");
    assert_eq!(refused.code, "55000", "{refused:?}");
    let refused = client.refused("SELECT eloqdb_lost_begin('7')");
    assert_eq!(refused.code, "22023", "{refused:?}");
    let refused = client.refused(&format!("SELECT eloqdb_lost_begin('{id}', 'done')"));
    assert_eq!(refused.code, "22023", "{refused:?}");
    root.sql("system", "CREATE USER somebody PASSWORD 'somebody-1'");
    root.sql("system", "GRANT CONNECT ON DATABASE shop TO somebody");
    let mut config = Client::config(root.address(), SHOP, "somebody-1");
    let somebody = Client::with(config.user("somebody")).expect("a session");
    let refused = somebody.refused(&format!("SELECT eloqdb_lost_begin('{id}')"));
    assert_eq!(refused.code, "42501", "{refused:?}");
    // What is rolled back is not known.
    client.run(&format!(
        "BEGIN; SELECT eloqdb_lost_begin('{id}'); ROLLBACK"
    ));
    client.run(&format!("BEGIN; SELECT eloqdb_lost_begin('{id}'); UPDATE entry SET amount = 1 WHERE id = 1; SELECT eloqdb_lost_expect(1); COMMIT"));
    let refused = client.refused(&format!("SELECT eloqdb_lost_begin('{id}')"));
    assert_eq!(refused.code, "R0122", "{refused:?}");
    let refused = client.refused("SELECT * FROM eloqdb_lost");
    assert_eq!(refused.code, "42P01", "{refused:?}");
    wait_for("the outcome to be listed", LONG, || {
        let listed = root.dbctl(&["lost", "outcomes"]);
        listed.out.contains(&id).then_some(())
    });
}
