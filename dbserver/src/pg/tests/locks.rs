//! Transactions beside each other: who changes a row first has it, and others wait at their statement.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, count, refused, sqlstate};

const SCENE: &str = "CREATE TABLE account(id INT PRIMARY KEY, balance INT NOT NULL);
                     CREATE TABLE entry(note TEXT UNIQUE, account INT REFERENCES account(id));
                     INSERT INTO account VALUES(1, 100), (2, 100), (3, 100);";

pub(super) async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// The first column of all rows, or the SQLSTATE; of what gives no rows the number of changed ones.
pub(super) async fn answer(client: &Client, sql: &str) -> String {
    let messages = match client.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => return sqlstate(&error),
    };
    let mut rows = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => rows.push(row.get(0).unwrap_or("NULL").to_owned()),
            SimpleQueryMessage::CommandComplete(number) if rows.is_empty() => {
                rows.push(format!("#{number}"));
            }
            _ => {}
        }
    }
    rows.join(" ")
}

async fn balance(client: &Client, id: i32) -> i64 {
    let sql = format!("SELECT balance::bigint FROM account WHERE id = {id}");
    count(client, &sql).await
}

/// A statement that must wait for another session; when this returns, it does.
pub(super) async fn waiting(
    client: Client,
    judge: &Client,
    sql: &str,
) -> JoinHandle<(Client, String)> {
    let pid = count(&client, "SELECT pg_backend_pid()::bigint").await;
    let sql = sql.to_owned();
    let task = tokio::spawn(async move {
        let answer = answer(&client, &sql).await;
        (client, answer)
    });
    until_it_waits(judge, pid, &task).await;
    task
}

/// Comes back when the session waits for another one.
pub(super) async fn until_it_waits<T>(judge: &Client, pid: i64, task: &JoinHandle<T>) {
    let asked = format!("SELECT cardinality(pg_blocking_pids({pid}))::bigint");
    while count(judge, &asked).await == 0 {
        assert!(!task.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_thinks_between_begin_and_commit_holds_up_only_those_who_want_its_rows() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    let asks = "UPDATE account SET balance = balance + 1 WHERE id = 1 RETURNING balance";
    assert_eq!(answer(&slow, &format!("BEGIN; {asks}")).await, "#0 101");
    run(
        &quick,
        "UPDATE account SET balance = balance + 10 WHERE id = 2",
    )
    .await;
    run(&quick, "INSERT INTO entry VALUES('x', 2)").await;
    run(&quick, "BEGIN; INSERT INTO account VALUES(9, 9); COMMIT").await;
    let other = server.client().await;
    let task = waiting(other, &quick, asks).await;
    run(&slow, "COMMIT").await;
    assert_eq!(task.await.unwrap().1, "102");
    assert_eq!(balance(&quick, 2).await, 110);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_is_looked_at_again_when_the_row_is_free() {
    let server = Server::start().await;
    let (first, judge) = (server.client_after(SCENE).await, server.client().await);
    run(&first, "BEGIN; UPDATE account SET balance = 1 WHERE id = 1").await;
    let update = "BEGIN; UPDATE account SET balance = 2 WHERE id = 1 AND balance = 100";
    let task = waiting(server.client().await, &judge, update).await;
    run(&first, "COMMIT").await;
    let (second, answered) = task.await.unwrap();
    assert_eq!(answered, "#0", "BEGIN's and UPDATE's: {answered}");
    run(&second, "COMMIT").await;
    assert_eq!(balance(&judge, 1).await, 1);
    // Where the first takes its change back, the second finds the row as it was.
    run(&first, "BEGIN; UPDATE account SET balance = 7 WHERE id = 2").await;
    let update = "UPDATE account SET balance = 8 WHERE id = 2 AND balance = 100 RETURNING 'done'";
    let task = waiting(second, &judge, update).await;
    run(&first, "ROLLBACK").await;
    assert_eq!(task.await.unwrap().1, "done");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_has_inserted_is_waited_for() {
    let server = Server::start().await;
    let (first, judge) = (server.client_after(SCENE).await, server.client().await);
    for (insert, ends, answered) in [
        ("INSERT INTO account VALUES(50, 0)", "COMMIT", "23505"),
        ("INSERT INTO account VALUES(51, 0)", "ROLLBACK", "#1"),
        ("INSERT INTO entry VALUES('a', 1)", "COMMIT", "23505"),
        ("INSERT INTO entry VALUES('b', 1)", "ROLLBACK", "#1"),
    ] {
        run(&first, &format!("BEGIN; {insert}")).await;
        let task = waiting(server.client().await, &judge, insert).await;
        run(&first, ends).await;
        assert_eq!(task.await.unwrap().1, answered, "{insert} {ends}");
    }
    // NULLs are equal to nothing.
    run(&first, "BEGIN; INSERT INTO entry VALUES(NULL, 1)").await;
    run(&judge, "BEGIN; INSERT INTO entry VALUES(NULL, 2); COMMIT").await;
    run(&first, "COMMIT").await;
    assert_eq!(
        count(&judge, "SELECT count(*) FROM entry WHERE note IS NULL").await,
        2
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_a_change_sees_it_and_what_others_committed() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(
        &slow,
        "BEGIN; UPDATE account SET balance = 101 WHERE id = 1",
    )
    .await;
    run(
        &slow,
        "INSERT INTO entry VALUES('mine', 1); INSERT INTO account VALUES(7, 7)",
    )
    .await;
    run(&quick, "UPDATE account SET balance = 110 WHERE id = 2").await;
    run(&quick, "INSERT INTO entry VALUES('theirs', 2)").await;
    let sum = "SELECT sum(balance)::bigint FROM account";
    assert_eq!(count(&slow, sum).await, 101 + 110 + 100 + 7);
    assert_eq!(
        answer(
            &slow,
            "SELECT string_agg(note, ' ' ORDER BY note) FROM entry"
        )
        .await,
        "mine theirs"
    );
    run(&slow, "UPDATE entry SET account = 7 WHERE note = 'mine'").await;
    run(&quick, "INSERT INTO entry VALUES('more', 2)").await;
    run(&slow, "UPDATE account SET balance = balance + 1; COMMIT").await;
    assert_eq!(count(&quick, sum).await, 102 + 111 + 101 + 8);
    assert_eq!(
        answer(&quick, "SELECT account FROM entry WHERE note = 'mine'").await,
        "7"
    );
    assert_eq!(count(&quick, "SELECT count(*) FROM entry").await, 3);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_wait_for_ever_is_told() {
    let server = Server::start().await;
    let (first, judge) = (server.client_after(SCENE).await, server.client().await);
    let second = server.client().await;
    run(&first, "BEGIN; UPDATE account SET balance = 1 WHERE id = 1").await;
    run(
        &second,
        "BEGIN; UPDATE account SET balance = 2 WHERE id = 2",
    )
    .await;
    let update = "UPDATE account SET balance = 2 WHERE id = 1";
    let task = waiting(second, &judge, update).await;
    let error = first
        .batch_execute("UPDATE account SET balance = 1 WHERE id = 2")
        .await
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "40P01");
    assert!(
        error.detail().unwrap().contains("blocked by process"),
        "{error:?}"
    );
    let (second, answered) = task.await.unwrap();
    assert_eq!(answered, "#1");
    run(&second, "COMMIT").await;
    assert_eq!(balance(&judge, 1).await, 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_read_for_update_are_kept() {
    let server = Server::start().await;
    let (first, judge) = (server.client_after(SCENE).await, server.client().await);
    let queue = "SELECT id FROM account ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1";
    assert_eq!(answer(&first, &format!("BEGIN; {queue}")).await, "#0 1");
    assert_eq!(answer(&judge, queue).await, "2", "the next that is free");
    let one = "SELECT balance FROM account WHERE id = 1";
    assert_eq!(
        answer(&judge, one).await,
        "100",
        "a plain reader does not wait"
    );
    assert_eq!(
        answer(&judge, &format!("{one} FOR SHARE NOWAIT")).await,
        "55P03"
    );
    assert_eq!(
        answer(&judge, &format!("{one} FOR KEY SHARE NOWAIT")).await,
        "55P03"
    );
    run(&judge, "SET lock_timeout = 1").await;
    assert_eq!(answer(&judge, &format!("{one} FOR UPDATE")).await, "55P03");
    assert_eq!(
        answer(&judge, "DELETE FROM account WHERE id = 1").await,
        "55P03"
    );
    assert_eq!(answer(&judge, "DELETE FROM account").await, "55P03");
    run(&judge, "RESET lock_timeout").await;
    let task = waiting(server.client().await, &judge, &format!("{one} FOR UPDATE")).await;
    run(
        &first,
        "UPDATE account SET balance = 101 WHERE id = 1; COMMIT",
    )
    .await;
    assert_eq!(task.await.unwrap().1, "101");
    // Two may share, none may change.
    run(&first, &format!("BEGIN; {one} FOR SHARE")).await;
    let second = server.client().await;
    assert_eq!(
        answer(&second, &format!("BEGIN; {one} FOR SHARE NOWAIT")).await,
        "#0 101"
    );
    assert_eq!(
        answer(&judge, &format!("{one} FOR UPDATE NOWAIT")).await,
        "55P03"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn savepoints_stay_where_the_transaction_moves_to_a_newer_state() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(
        &slow,
        "BEGIN; INSERT INTO entry VALUES('one', 1); SAVEPOINT a",
    )
    .await;
    run(&slow, "INSERT INTO entry VALUES('two', 1); SAVEPOINT b").await;
    run(&slow, "UPDATE entry SET note = 'three' WHERE note = 'two'").await;
    run(&quick, "INSERT INTO entry VALUES('theirs', 2)").await;
    let notes = "SELECT string_agg(note, ' ' ORDER BY note) FROM entry";
    assert_eq!(answer(&slow, notes).await, "one theirs three");
    run(&slow, "ROLLBACK TO b").await;
    assert_eq!(answer(&slow, notes).await, "one theirs two");
    run(&quick, "INSERT INTO entry VALUES('x', 2)").await;
    run(&slow, "DELETE FROM entry WHERE note = 'one'; ROLLBACK TO a").await;
    run(&slow, "INSERT INTO entry VALUES('four', 3)").await;
    assert_eq!(
        answer(&slow, "INSERT INTO entry VALUES('x', 1)").await,
        "23505"
    );
    run(&slow, "ROLLBACK TO a; INSERT INTO entry VALUES('five', 3)").await;
    run(&slow, "RELEASE a; COMMIT").await;
    assert_eq!(answer(&quick, notes).await, "five one theirs x");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_fails_goes_back_to_the_savepoint_only() {
    let server = Server::start().await;
    let (first, second) = (server.client_after(SCENE).await, server.client().await);
    run(&first, "BEGIN; UPDATE account SET balance = 1 WHERE id = 1").await;
    run(
        &second,
        "SET lock_timeout = 1; BEGIN; UPDATE account SET balance = 2 WHERE id = 2",
    )
    .await;
    run(&second, "SAVEPOINT s").await;
    let update = "UPDATE account SET balance = 2 WHERE id = 1";
    assert_eq!(answer(&second, update).await, "55P03");
    run(
        &second,
        "ROLLBACK TO s; UPDATE account SET balance = 2 WHERE id = 3; COMMIT",
    )
    .await;
    run(&first, "COMMIT").await;
    let all = "SELECT string_agg(balance::text, ' ' ORDER BY id) FROM account";
    assert_eq!(answer(&first, all).await, "1 2 2");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatable_read_fails_only_where_a_row_was_changed_after_its_snapshot() {
    let server = Server::start().await;
    let (held, other) = (server.client_after(SCENE).await, server.client().await);
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM account";
    run(&held, begin).await;
    run(&other, "UPDATE account SET balance = 5 WHERE id = 1").await;
    run(&held, "UPDATE account SET balance = 6 WHERE id = 2").await;
    assert_eq!(balance(&held, 1).await, 100, "its own snapshot");
    run(&held, "COMMIT").await;
    assert_eq!((balance(&other, 1).await, balance(&other, 2).await), (5, 6));
    run(&held, begin).await;
    run(&other, "UPDATE account SET balance = 7 WHERE id = 1").await;
    let update = "UPDATE account SET balance = 8 WHERE id = 1";
    assert_eq!(answer(&held, update).await, "40001");
    run(&held, "ROLLBACK").await;
    assert_eq!(balance(&other, 1).await, 7);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_gone_at_commit_is_refused() {
    let server = Server::start().await;
    let (child, parent) = (server.client_after(SCENE).await, server.client().await);
    run(&child, "BEGIN; INSERT INTO entry VALUES('orphan', 3)").await;
    run(&parent, "DELETE FROM account WHERE id = 3").await;
    assert_eq!(refused(child.batch_execute("COMMIT").await), "23503");
    assert_eq!(count(&parent, "SELECT count(*) FROM entry").await, 0);
    // What was refused at once stays so where nobody interferes.
    run(&child, "BEGIN").await;
    assert_eq!(
        answer(&child, "INSERT INTO entry VALUES('x', 33)").await,
        "23503"
    );
    server.stop();
}

/// Rows are made again in the order in which they were touched first, here the child before its parent.
#[tokio::test(flavor = "multi_thread")]
async fn references_hold_at_the_end_whatever_the_order_of_the_rows() {
    let server = Server::start().await;
    let (own, other) = (server.client_after(SCENE).await, server.client().await);
    run(&own, "INSERT INTO entry VALUES('moved', 1)").await;
    run(
        &own,
        "BEGIN; UPDATE entry SET account = 2; INSERT INTO account VALUES(4, 0); UPDATE entry SET account = 4",
    )
    .await;
    run(&other, "UPDATE account SET balance = 7 WHERE id = 3").await;
    let read = "SELECT account::text FROM entry";
    assert_eq!(answer(&own, read).await, "4", "on the newer state");
    run(&other, "UPDATE account SET balance = 8 WHERE id = 3").await;
    run(&own, "COMMIT").await;
    assert_eq!(answer(&other, read).await, "4");
    assert_eq!(
        answer(&own, "INSERT INTO entry VALUES('x', 33)").await,
        "23503"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_s_own_tables_move_with_its_transaction() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(&slow, "CREATE TEMP TABLE own(i int)").await;
    run(&slow, "BEGIN; INSERT INTO own VALUES(1)").await;
    run(&slow, "UPDATE account SET balance = 1 WHERE id = 1").await;
    run(&quick, "UPDATE account SET balance = 2 WHERE id = 2").await;
    assert_eq!(
        answer(
            &slow,
            "SELECT sum(balance) + (SELECT max(i) FROM own) FROM account"
        )
        .await,
        "104"
    );
    run(&slow, "COMMIT").await;
    assert_eq!(answer(&slow, "SELECT i FROM own").await, "1");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_wait_for_one_and_one_waits_for_many() {
    let server = Server::start().await;
    let scene = "CREATE TABLE big(id int PRIMARY KEY, v int);
                 INSERT INTO big SELECT i, 0 FROM generate_series(1, 12000) AS i;";
    let (first, judge) = (server.client_after(scene).await, server.client().await);
    run(&first, "BEGIN; UPDATE big SET v = 1 WHERE id = 7").await;
    let task = waiting(server.client().await, &judge, "UPDATE big SET v = v + 10").await;
    run(&first, "COMMIT").await;
    assert_eq!(task.await.unwrap().1, "#12000");
    assert_eq!(
        count(&judge, "SELECT sum(v)::bigint FROM big").await,
        120_001
    );
    run(&first, "BEGIN; UPDATE big SET v = 0").await;
    let second = server.client().await;
    let task = tokio::spawn(async move {
        let answered = answer(&second, "UPDATE big SET v = v + 3 WHERE id = 7").await;
        (second, answered)
    });
    run(&first, "COMMIT").await;
    assert_eq!(task.await.unwrap().1, "#1");
    assert_eq!(count(&judge, "SELECT sum(v)::bigint FROM big").await, 3);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_and_a_rollback_leave_nothing() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    run(&client, "BEGIN; UPDATE account SET balance = 0").await;
    assert_eq!(
        answer(&client, "INSERT INTO account VALUES(1, 1)").await,
        "23505"
    );
    assert_eq!(answer(&client, "SELECT 1").await, "25P02");
    run(&client, "ROLLBACK; BEGIN; DELETE FROM account; ROLLBACK").await;
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM account").await,
        300
    );
    run(
        &client,
        "BEGIN; DELETE FROM account WHERE id = 1; SAVEPOINT s; DELETE FROM account",
    )
    .await;
    run(&client, "ROLLBACK TO s; COMMIT").await;
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM account").await,
        200
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_defined_anew_meanwhile_ends_the_transaction() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(&slow, "BEGIN; UPDATE account SET balance = 1 WHERE id = 1").await;
    run(&quick, "ALTER TABLE account ADD COLUMN note text").await;
    assert_eq!(refused(slow.batch_execute("COMMIT").await), "40001");
    assert_eq!(balance(&quick, 1).await, 100);
    server.stop();
}

/// Bug: the catalog's tables, first made in a transaction that ran again, went with it, and the query that had
/// asked for them found none.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_can_be_read_after_a_change() {
    let server = Server::start().await;
    drop(server.client_after(SCENE).await);
    let client = server.client().await;
    run(&client, "BEGIN; UPDATE account SET balance = 7").await;
    let catalog = "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'account'";
    assert_eq!(count(&client, catalog).await, 1);
    run(&client, "COMMIT").await;
    assert_eq!(count(&client, catalog).await, 1);
    server.stop();
}
