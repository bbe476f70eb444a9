//! Errors that drivers decide by.

use dbtests::wait_for;

use crate::Shop;

#[test]
fn a_unique_violation_names_table_and_constraint() {
    let shop = Shop::open();
    let client = shop.client();
    client.run(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, code TEXT, CONSTRAINT item_code UNIQUE (code))",
    );
    client.run("INSERT INTO item VALUES (1, 'a')");
    let insert = |sql: &str| {
        let error = client.wait(client.driver().execute(sql, &[])).unwrap_err();
        let error = error.as_db_error().expect("the server's words").clone();
        (error.code().code().to_owned(), error)
    };
    let (code, error) = insert("INSERT INTO item VALUES (2, 'a')");
    assert_eq!(code, "23505");
    assert_eq!(error.table(), Some("item"));
    assert_eq!(error.constraint(), Some("item_code"), "{error:?}");
    let (code, error) = insert("INSERT INTO item VALUES (1, 'b')");
    assert_eq!(code, "23505");
    assert_eq!(error.constraint(), Some("item_pkey"), "{error:?}");
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
}

#[test]
fn a_syntax_error_names_its_position() {
    let shop = Shop::open();
    let client = shop.client();
    let error = client
        .wait(client.driver().prepare("SELECT 1 FRMO item"))
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "42601");
    assert!(error.position().is_some(), "{error:?}");
}

#[test]
fn a_running_statement_can_be_cancelled() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    let token = client.driver().cancel_token();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = client.wait(async {
        let query = client.driver().simple_query(endless);
        let cancel = async {
            // Until the statement runs there is nothing to cancel, so the request is repeated.
            loop {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                token
                    .cancel_query(tokio_postgres::NoTls)
                    .await
                    .expect("a request that is heard");
            }
        };
        tokio::select! {
            result = query => result.expect_err("it never ends by itself"),
            () = cancel => unreachable!("an endless loop"),
        }
    });
    assert_eq!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("57014")
    );
    // A late request may hit the next statement; after that the session goes on.
    wait_for("the session to go on", dbtests::SHORT, || {
        client.try_rows("SELECT 1").ok()
    });
    client.run("INSERT INTO item VALUES (1)");
}

#[test]
fn a_statement_timeout_ends_a_statement() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("SET statement_timeout = '200ms'");
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    assert_eq!(client.refused(endless).code, "57014");
    assert_eq!(client.value("SELECT 1"), "1");
}

#[test]
fn a_killed_session_is_told_so() {
    let shop = Shop::open();
    let victim = shop.client();
    let pid = victim.value("SELECT pg_backend_pid()");
    shop.server.dbctl(&["session", "kill", &pid]).ok();
    wait_for("the session to be gone", dbtests::SHORT, || {
        victim.try_rows("SELECT 1").err().map(drop)
    });
    wait_for("its connection to be closed", dbtests::SHORT, || {
        victim.is_closed().then_some(())
    });
    let sessions = shop.server.sql("system", "DBCTL 'session list'");
    assert!(sessions.iter().all(|row| row[0] != pid), "{sessions:?}");
}

#[test]
fn statements_that_would_harm_the_server_are_refused() {
    let shop = Shop::open();
    let client = shop.client();
    for sql in [
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = ON",
        "PRAGMA locking_mode = EXCLUSIVE",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT writefile('/tmp/x', 'y')",
        "VACUUM INTO '/tmp/copy.db'",
    ] {
        let refusal = client.refused(sql);
        assert_ne!(refusal.code, "XX000", "{sql}: {refusal:?}");
    }
    assert_eq!(client.value("SELECT 1"), "1");
}
