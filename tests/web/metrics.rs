//! Metrics: their format, their list in the documentation, and that they count what happens.

use std::collections::BTreeSet;

use dbtests::data::manifest;
use dbtests::programs::other;
use dbtests::{Cluster, Folder, LONG, Server, Settings, wait_for};

use crate::grammar::{self, Metrics};
use crate::http::text;
use crate::page::{HOSTILE, hostile};
use crate::{master, with_page};

fn metrics(server: &Server) -> Metrics {
    grammar::read(&text(server, "/metrics"))
}

/// promtool is not everywhere; the grammar of these tests is.
#[expect(
    clippy::print_stderr,
    reason = "the test runner keeps it for the report"
)]
fn promtool(text: &str) {
    let Some(mut command) = other("promtool") else {
        eprintln!("skipped: promtool (Debian package prometheus) is not installed");
        return;
    };
    let checked = dbtests::process::run(command.args(["check", "metrics"]), text.as_bytes());
    assert_eq!(
        (checked.code, checked.err.as_str()),
        (Some(0), ""),
        "{checked:?}"
    );
}

#[test]
fn the_format_holds_whatever_the_names_are() {
    let folder = Folder::new();
    let (server, _client) = hostile(&folder);
    let text = text(&server, "/metrics");
    promtool(&text);
    let metrics = grammar::read(&text);
    grammar::hold_conventions(&metrics);
    let sessions = &metrics["eloqdb_database_sessions"];
    assert_eq!(sessions.of(&[("database", HOSTILE)]), Some(1.0));
    assert_eq!(
        metrics["eloqdb_sessions"].of(&[("mode", "1")]),
        Some(1.0),
        "{metrics:?}"
    );
    assert_eq!(metrics["eloqdb_role"].of(&[("role", "master")]), Some(1.0));
    assert_eq!(metrics["eloqdb_role"].of(&[("role", "slave")]), Some(0.0));
    assert_eq!(metrics["eloqdb_up"].only(), 1);
    assert_eq!(metrics["eloqdb_healthy"].only(), 1);
}

/// The names in the first column of those tables of docs/metrics.md whose second column is a type.
fn documented() -> BTreeSet<String> {
    let page = manifest("../docs/metrics.md");
    let page = std::fs::read_to_string(page).expect("docs/metrics.md");
    page.lines()
        .filter(|line| line.contains("` | gauge | ") || line.contains("` | counter | "))
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|rest| rest.split(['`', '{']).next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_documentation_lists_what_there_is_with_its_meaning() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    let metrics = metrics(&server);
    let there: BTreeSet<String> = metrics.keys().cloned().collect();
    assert_eq!(documented(), there);
    let page = std::fs::read_to_string(manifest("../docs/metrics.md")).expect("a page");
    for (name, family) in &metrics {
        let line = page.lines().find(|line| {
            let rest = line.strip_prefix(&format!("| `{name}"));
            rest.is_some_and(|rest| rest.starts_with(['`', '{']))
        });
        let line = line.unwrap_or_default();
        assert!(
            line.contains(&format!("| {} |", family.kind)),
            "{name}: {line}"
        );
        assert!(
            line.contains(&family.help),
            "{name}: {line}\n{}",
            family.help
        );
    }
}

#[test]
fn counters_count_what_happens() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    let client = server.client("shop");
    client.run("CREATE TABLE t (a int)");
    let before = metrics(&server);
    for number in 0..10 {
        client.run(&format!("INSERT INTO t VALUES ({number})"));
    }
    client.run("BEGIN");
    client.run("INSERT INTO t VALUES (10)");
    client.run("ROLLBACK");
    client.refused("SELECT * FROM nowhere");
    // A transaction that has failed is undone once.
    client.run("BEGIN");
    client.refused("SELECT 1/0");
    client.run("COMMIT");
    server.dbctl(&["checkpoint"]).ok();
    let after = metrics(&server);
    let grown = |name: &str| after[name].only() - before[name].only();
    assert_eq!(grown("eloqdb_commits_total"), 10);
    assert_eq!(grown("eloqdb_rollbacks_total"), 2);
    assert_eq!(grown("eloqdb_statement_failures_total"), 2);
    // Ten; three; one of no table; three of the transaction that has failed; DBCTL of dbctl.
    assert_eq!(grown("eloqdb_statements_total"), 18);
    assert!(grown("eloqdb_checkpoints_total") >= 1);
    assert!(grown("eloqdb_forward_log_bytes_total") > 0);
    assert_eq!(grown("eloqdb_sessions_started_total"), 1);
    assert!(after["eloqdb_commit_number"].only() >= 10);
    let size = after["eloqdb_database_size_bytes"].of(&[("database", "shop")]);
    assert!(size.is_some_and(|bytes| bytes >= 8192.0), "{size:?}");
}

#[test]
fn a_slave_says_how_far_it_is_and_who_keeps_it() {
    let cluster = Cluster::with(master(), with_page(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql("shop", "CREATE TABLE t (a int)");
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let own = |name: &str| metrics(&cluster.slave)[name].of(&[("slave", "slave")]);
    wait_for("the slave to follow", LONG, || {
        let state = &metrics(&cluster.slave)["eloqdb_replication_state"];
        state.of(&[("slave", "slave"), ("state", "following")])
    });
    assert_eq!(own("eloqdb_replication_connected"), Some(1.0));
    assert_eq!(own("eloqdb_replication_suspended"), Some(0.0));
    assert_eq!(own("eloqdb_replication_lag_commits"), Some(0.0));
    wait_for("the master to know its slave", LONG, || {
        let known = &metrics(&cluster.master)["eloqdb_replication_lag_seconds"];
        known.of(&[("slave", "slave")])
    });

    let reader = wait_for("the mode", LONG, || {
        cluster.slave.client_in_mode("shop", 7).ok()
    });
    let session = reader.value("SELECT pg_backend_pid()");
    cluster.master.sql("shop", "INSERT INTO t VALUES (1)");
    wait_for("the slave to say who keeps it", LONG, || {
        let by = &metrics(&cluster.slave)["eloqdb_replication_suspended_by"];
        let labels = [
            ("slave", "slave"),
            ("database", "shop"),
            ("mode", "7"),
            ("user", "dba"),
        ];
        by.of(&[labels.as_slice(), &[("session", &session)]].concat())
    });
    assert_eq!(own("eloqdb_replication_suspended"), Some(1.0));
    let told = crate::http::status(&cluster.slave)["replication"][0]["suspended_by"].clone();
    assert_eq!(
        (&told["database"], &told["mode"]),
        (&"shop".into(), &"7".into())
    );
    assert_eq!(told["session"].to_string(), session);
    let text = text(&cluster.slave, "/metrics");
    promtool(&text);
    grammar::hold_conventions(&grammar::read(&text));
    // A reader is no fault of the slave's.
    assert_eq!(crate::http::get(&cluster.slave, "/healthz").status, 200);
    drop(reader);
    wait_for("the slave to go on", LONG, || {
        let by = &metrics(&cluster.slave)["eloqdb_replication_suspended_by"];
        by.samples.is_empty().then_some(())
    });
    follower.stop();
}
