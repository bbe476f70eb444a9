//! `eloqdb_last_commit()` and `eloqdb.wait_for`: a session reads on one server what another one has written elsewhere.

use std::thread;

use dbtests::{Client, LONG, PASSWORD, Server, psycopg2, wait_for};

use crate::fencing::{pair, promote};
use crate::shop::{SHOP, items, sell};

const ADD: &str = "INSERT INTO item (name, price) VALUES ('one more', 1)";
const COUNT: &str = "SELECT count(*) FROM item";

fn token(client: &Client) -> String {
    client.value("SELECT eloqdb_last_commit()")
}

/// A session that waits for a token from its beginning, as one of a pool does.
fn waiting(server: &Server, token: &str) -> Client {
    let config = Client::config(server.address(), SHOP, PASSWORD);
    let mut config = config;
    config.options(format!("-c eloqdb.wait_for={token}"));
    Client::with(&config).expect("a session")
}

#[test]
fn a_slave_reads_what_was_written_on_its_master_or_says_that_it_does_not_have_it() {
    let (cluster, follower) = pair();
    let writer = cluster.master.client(SHOP);
    let reader = cluster.slave.client(SHOP);
    assert_eq!(token(&writer), token(&reader), "both show the same");
    drop(follower);
    writer.run(ADD);
    let token = token(&writer);
    reader.run("SET eloqdb.wait_timeout = '200ms'");
    reader.run(&format!("SET eloqdb.wait_for = '{token}'"));
    let refused = reader.refused(COUNT);
    assert_eq!(refused.code, "57014");
    let commit = token.rsplit('-').next().expect("its number");
    let named = format!("does not show commit {commit} after 0.2 s");
    assert!(refused.message.contains(&named), "{refused:?}");
    // The setting is no statement's, and what reads nothing waits for nothing.
    assert_eq!(reader.value("SHOW eloqdb.wait_for"), token);
    reader.run("RESET eloqdb.wait_for");
    assert_eq!(reader.value(COUNT), "10");
    thread::scope(|scope| {
        let counted = scope.spawn(|| waiting(&cluster.slave, &token).value(COUNT));
        wait_for("the session to wait", LONG, || {
            let sessions = cluster.slave.sql(
                "system",
                "SELECT state FROM pg_stat_activity WHERE datname = 'shop'",
            );
            sessions
                .iter()
                .any(|session| session[0] == "active")
                .then_some(())
        });
        let mut follower = cluster.follow();
        assert_eq!(counted.join().expect("no panic"), "11");
        cluster.wait_for_slave(&mut follower);
    });
    // On the master nothing is to be waited for.
    assert_eq!(waiting(&cluster.master, &token).value(COUNT), "11");
}

#[test]
fn what_is_in_another_history_is_never_taken_for_the_own() {
    let (cluster, follower) = pair();
    drop(follower);
    let writer = cluster.master.client(SHOP);
    writer.run(ADD);
    let lost = token(&writer);
    promote(&cluster.slave);
    // As many commits, and more, in the new history.
    sell(&cluster.slave, 5);
    let reader = waiting(&cluster.slave, &lost);
    for sql in [COUNT, ADD] {
        let refused = reader.refused(sql);
        assert_eq!(refused.code, "55000", "{refused:?}");
        assert!(
            refused.message.contains("not in the history"),
            "{refused:?}"
        );
    }
    assert_eq!(items(&cluster.slave), 15);
}

#[test]
fn a_token_is_checked_and_belongs_before_the_snapshot_that_is_to_have_it() {
    let (cluster, _follower) = pair();
    let client = cluster.master.client(SHOP);
    for odd in ["17", "17:70412", "1-0-x"] {
        let refused = client.refused(&format!("SET eloqdb.wait_for = '{odd}'"));
        assert_eq!(refused.code, "22023", "{odd}");
    }
    let token = token(&client);
    let set = format!("SET LOCAL eloqdb.wait_for = '{token}'");
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    client.run(&set);
    assert_eq!(client.value(COUNT), "10");
    assert_eq!(client.refused(&set).code, "25001");
    client.run("ROLLBACK");
    assert_eq!(client.value("SHOW eloqdb.wait_for"), "");
    // A commit that waits for nobody's disk is in the token of its session.
    client.run("SET synchronous_commit = off");
    client.run(ADD);
    let own = self::token(&client);
    assert_ne!(own, token);
    wait_for("others to see as much", LONG, || {
        let other = cluster.master.client(SHOP);
        (self::token(&other) == own).then_some(())
    });
}

const SCRIPT: &str = r#"
import os, psycopg2
connection = psycopg2.connect(host="127.0.0.1", port=os.environ["SHOP_PORT"], user="dba", dbname="shop")
connection.autocommit = True
told = lambda: connection.info.parameter_status("eloqdb.last_commit")
cursor = connection.cursor()
cursor.execute("UPDATE item SET price = 2")
assert told() is None
cursor.execute("SET eloqdb.report_commit = on")
before = told()
cursor.execute("BEGIN; UPDATE item SET price = 3")
assert told() == before
cursor.execute("COMMIT")
cursor.execute("SELECT eloqdb_last_commit()")
assert told() != before
assert cursor.fetchone()[0] == told()
print("told")
"#;

#[test]
fn drivers_are_told_how_far_their_session_sees() {
    let (cluster, _follower) = pair();
    if let Some(run) = psycopg2(SCRIPT, &cluster.master) {
        assert_eq!(run.ok(), "told\n");
    }
}
