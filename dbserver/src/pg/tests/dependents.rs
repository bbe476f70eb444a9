//! What depends on what is dropped or changed, constraints that wait, and what statements see of another schema.

use tokio_postgres::Client;
use tokio_postgres::error::DbError;

use super::{Server, connect, count, refused};

/// The error of a statement that must fail.
async fn error(client: &Client, sql: &str) -> DbError {
    let error = client.simple_query(sql).await.err();
    let error = error.unwrap_or_else(|| panic!("not refused: {sql}"));
    error
        .as_db_error()
        .unwrap_or_else(|| panic!("{sql}: {error}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_depend_on_is_dropped_with_them_or_not_at_all() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE VIEW v AS SELECT a FROM t;
             CREATE VIEW w AS SELECT a FROM v; CREATE TABLE f (x int REFERENCES t)",
        )
        .await;
    let refusal = error(&client, "DROP TABLE t").await;
    assert_eq!(refusal.code().code(), "2BP01");
    assert_eq!(
        refusal.detail().unwrap(),
        "view v depends on table t\nview w depends on view v\nconstraint f_x_fkey on table f depends on table t"
    );
    assert_eq!(
        refusal.hint().unwrap(),
        "Use DROP ... CASCADE to drop the dependent objects too."
    );
    for (sql, state) in [
        ("DROP VIEW v", "2BP01"),
        ("ALTER TABLE t DROP COLUMN a", "2BP01"),
        ("ALTER TABLE t DROP CONSTRAINT t_pkey", "2BP01"),
        ("ALTER TABLE t ALTER a TYPE bigint", "0A000"),
        ("CREATE OR REPLACE VIEW v AS SELECT b FROM t", "42P16"),
        ("TRUNCATE t", "0A000"),
    ] {
        assert_eq!(refused(client.simple_query(sql).await), state, "{sql}");
    }
    client
        .batch_execute("DROP TABLE t CASCADE; INSERT INTO f VALUES (99)")
        .await
        .unwrap();
    assert_eq!(
        refused(client.simple_query("SELECT * FROM w").await),
        "42P01"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_refers_to_a_key() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE p (k int PRIMARY KEY, a int, u text UNIQUE)")
        .await;
    for (sql, state) in [
        ("CREATE TABLE c (x int REFERENCES p (a))", "42830"),
        ("CREATE TABLE c (x int REFERENCES p (nope))", "42703"),
        ("CREATE TABLE c (x text REFERENCES p (k))", "42804"),
        ("CREATE TABLE c (x int REFERENCES nope)", "42P01"),
        ("ALTER TABLE p ADD up int REFERENCES p (a)", "42830"),
    ] {
        assert_eq!(refused(client.simple_query(sql).await), state, "{sql}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_waits_as_long_as_it_was_told_to() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE p (k int PRIMARY KEY); CREATE TABLE c (x int CONSTRAINT cx REFERENCES p DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE d (x int CONSTRAINT dx REFERENCES p, y int CONSTRAINT dy REFERENCES p DEFERRABLE)",
        )
        .await;
    // At COMMIT.
    client
        .batch_execute("BEGIN; INSERT INTO c VALUES (7)")
        .await
        .unwrap();
    let violation = error(&client, "COMMIT").await;
    assert_eq!(
        violation.message(),
        "insert or update on table \"c\" violates foreign key constraint \"cx\""
    );
    assert_eq!(
        violation.detail(),
        Some("Key (x)=(7) is not present in table \"p\".")
    );
    assert_eq!(
        (
            violation.schema(),
            violation.table(),
            violation.constraint()
        ),
        (Some("public"), Some("c"), Some("cx"))
    );
    assert_eq!(count(&client, "SELECT count(*) FROM c").await, 0);
    // When it is told not to wait any more, and from then on.
    for script in [
        "BEGIN; INSERT INTO c VALUES (7); SET CONSTRAINTS ALL IMMEDIATE",
        "BEGIN; INSERT INTO c VALUES (7); SET CONSTRAINTS cx IMMEDIATE",
        "BEGIN; SET CONSTRAINTS cx IMMEDIATE; INSERT INTO c VALUES (7)",
        "BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO d VALUES (9, 9)",
        "BEGIN; SET CONSTRAINTS dy DEFERRED; INSERT INTO d VALUES (NULL, 9); COMMIT",
    ] {
        assert_eq!(
            refused(client.batch_execute(script).await),
            "23503",
            "{script}"
        );
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    client
        .batch_execute("BEGIN; SET CONSTRAINTS dy DEFERRED; INSERT INTO d VALUES (NULL, 9); INSERT INTO p VALUES (9); COMMIT")
        .await
        .unwrap();
    for (name, state) in [("dx", "42809"), ("nope", "42704")] {
        let script = format!("BEGIN; SET CONSTRAINTS {name} DEFERRED");
        assert_eq!(refused(client.batch_execute(&script).await), state);
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_sees_the_schema_of_the_moment_it_runs() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t (a int); PREPARE q AS INSERT INTO t VALUES ($1)")
        .await;
    let other = connect(&server.parameters("shop")).await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1)").await.unwrap();
    let select = client.prepare("SELECT * FROM t").await.unwrap();
    client.query(&select, &[]).await.unwrap();
    other
        .batch_execute("ALTER TABLE t ALTER a TYPE smallint")
        .await
        .unwrap();
    assert_eq!(
        refused(client.batch_execute("EXECUTE q(32768)").await),
        "22003"
    );
    assert_eq!(
        refused(client.execute(&insert, &[&32_768_i32]).await),
        "22003"
    );
    let changed = client.query(&select, &[]).await.unwrap_err();
    let changed = changed.as_db_error().unwrap();
    assert_eq!(changed.message(), "cached plan must not change result type");
    assert_eq!(changed.routine(), Some("RevalidateCachedQuery"));
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_the_session_hides_one_of_the_database_and_nothing_else() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TEMP TABLE t (a int);
             INSERT INTO t VALUES (2), (3); ALTER TABLE public.t ADD b int; CREATE INDEX ON public.t (a)",
        )
        .await;
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 2);
    assert_eq!(count(&client, "SELECT count(b) FROM public.t").await, 0);
    client.batch_execute("TRUNCATE public.t").await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 2);
    client.batch_execute("DROP TABLE public.t").await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 2);
    assert_eq!(
        refused(client.simple_query("SELECT * FROM public.t").await),
        "42P01"
    );
    client.batch_execute("DISCARD TEMP").await.unwrap();
    assert_eq!(
        refused(client.simple_query("SELECT * FROM t").await),
        "42P01"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_others_refer_to_is_made_anew_in_a_transaction() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE p (k int PRIMARY KEY, v text UNIQUE); CREATE TABLE c (x int REFERENCES p ON DELETE CASCADE);
             CREATE INDEX p_v ON p (v, k); INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1), (2)",
        )
        .await;
    client
        .batch_execute("BEGIN; ALTER TABLE p ADD d date DEFAULT '2020-01-01', ALTER v TYPE varchar(10); ALTER TABLE p ALTER k TYPE bigint; COMMIT")
        .await
        .unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM c JOIN p ON x = k").await,
        2
    );
    client
        .batch_execute("BEGIN; ALTER TABLE p ADD n numeric DEFAULT 1.5; ROLLBACK")
        .await
        .unwrap();
    assert_eq!(
        refused(client.simple_query("INSERT INTO c VALUES (3)").await),
        "23503"
    );
    assert_eq!(
        refused(client.simple_query("INSERT INTO p VALUES (3, 'a')").await),
        "23505"
    );
    client
        .batch_execute("DELETE FROM p WHERE k = 1")
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM c").await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_temporary_table_depends_nothing_of_the_one_that_it_hides() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t (a int PRIMARY KEY); CREATE VIEW v AS SELECT a FROM t;
             CREATE TABLE f (x int REFERENCES t); INSERT INTO t VALUES (1); CREATE TEMP TABLE t (b int)",
        )
        .await;
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    client.batch_execute("DROP TABLE t").await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    assert_eq!(error(&client, "DROP TABLE t").await.code().code(), "2BP01");
    server.stop();
}

/// Bug: SQLite could not read a view with joins in parentheses again, and so renamed no column of any table.
#[tokio::test(flavor = "multi_thread")]
async fn views_of_joined_joins_are_in_nobodys_way() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE a (x int); CREATE TABLE b (x int); CREATE TABLE c (x int); CREATE TABLE t (old int);
             INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (2), (3); INSERT INTO c VALUES (2), (3)",
        )
        .await;
    for (name, from, rows) in [
        ("i", "a JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x", "2:2"),
        (
            "l",
            "a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x",
            "1:- 2:2",
        ),
        (
            "r",
            "a RIGHT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x",
            "2:2 -:3",
        ),
        (
            "f",
            "a FULL JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x",
            "1:- 2:2 -:3",
        ),
        (
            "d",
            "a LEFT JOIN (b LEFT JOIN (c JOIN t ON true) ON b.x = c.x) ON a.x = b.x",
            "1:- 2:2",
        ),
        ("k", "a, b JOIN c ON b.x = c.x", "1:2 1:3 2:2 2:3"),
        (
            "o",
            "a, b LEFT JOIN c ON b.x = c.x AND c.x = 2",
            "1:2 1:3 2:2 2:3",
        ),
    ] {
        let make = format!("CREATE VIEW {name} AS SELECT a.x AS ax, b.x AS bx FROM {from}");
        client.batch_execute(&make).await.unwrap();
        let read = format!(
            "SELECT string_agg(coalesce(ax::text, '-') || ':' || coalesce(bx::text, '-'), ' ' ORDER BY ax, bx) FROM {name}"
        );
        let row = client.query_one(&read, &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), rows, "{from}");
    }
    let rename = "ALTER TABLE t RENAME COLUMN old TO new";
    client.batch_execute(rename).await.unwrap();
    assert_eq!(count(&client, "SELECT count(new) FROM t").await, 0);
    server.stop();
}

/// Bug: to tell the row of a refused change, foreign keys were made to wait, and afterwards immediate, whatever they were.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_wait_go_on_waiting_after_a_change_was_refused() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE p (id int PRIMARY KEY);
             CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE, k int CHECK (k > 0))",
        )
        .await;
    let run = async |sql: &str| client.batch_execute(sql).await;
    run("BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO c VALUES (1, 9, 1); SAVEPOINT a")
        .await
        .unwrap();
    for refused_row in ["(1, 9, 1)", "(5, 9, -1)"] {
        let sql = format!("INSERT INTO c VALUES {refused_row}");
        let class = refused(run(&sql).await);
        assert!(class.starts_with("23"), "{class}");
        run("ROLLBACK TO a").await.unwrap();
    }
    // Its parent comes later.
    run("INSERT INTO c VALUES (2, 8, 1)").await.unwrap();
    run("INSERT INTO p VALUES (8)").await.unwrap();
    assert_eq!(refused(run("COMMIT").await), "23503");
    run("BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO c VALUES (2, 8, 1); INSERT INTO p VALUES (8); COMMIT")
        .await
        .unwrap();
    server.stop();
}
