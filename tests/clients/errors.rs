//! Errors that drivers decide by.

use dbtests::wait_for;

use crate::Shop;

/// What a unique violation by this statement names.
fn violated(client: &dbtests::Client, sql: &str) -> (String, String, String) {
    let result = client.wait(client.driver().execute(sql, &[]));
    let error = result.expect_err(sql);
    let error = error.as_db_error().expect("the server's words");
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    (
        error.code().code().to_owned(),
        text(error.table()),
        text(error.constraint()),
    )
}

#[test]
fn a_unique_violation_names_table_and_constraint() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, code TEXT UNIQUE)");
    client.run("INSERT INTO item VALUES (1, 'a')");
    let expected = |constraint: &str| ("23505".into(), "item".into(), constraint.into());
    let code = violated(&client, "INSERT INTO item VALUES (2, 'a')");
    assert_eq!(code, expected("item_code_key"));
    let key = violated(&client, "INSERT INTO item VALUES (1, 'b')");
    assert_eq!(key, expected("item_pkey"));
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
}

/// Programs look for the name that they have given.
#[test]
fn a_unique_violation_names_the_constraint_as_it_was_called() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (code TEXT, name TEXT, CONSTRAINT one_code UNIQUE (code))");
    client.run("CREATE UNIQUE INDEX one_name ON item (name)");
    client.run("INSERT INTO item VALUES ('a', 'b')");
    assert_eq!(
        violated(&client, "INSERT INTO item VALUES ('a', 'x')").2,
        "one_code"
    );
    assert_eq!(
        violated(&client, "INSERT INTO item VALUES ('x', 'b')").2,
        "one_name"
    );
    client.run("CREATE TABLE pair (a INT, b INT, CONSTRAINT one_pair PRIMARY KEY (a, b))");
    client.run("INSERT INTO pair VALUES (1, 2)");
    let refusal = client.refused("INSERT INTO pair VALUES (1, 2)");
    assert!(refusal.message.ends_with("\"one_pair\""), "{refusal:?}");
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
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY)");
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
    ] {
        let refusal = client.refused(sql);
        assert_ne!(refusal.code, "XX000", "{sql}: {refusal:?}");
    }
    assert_eq!(client.value("SELECT 1"), "1"); // Housekeeping is the server's: it does nothing, and above all it makes no copy.
    let copy = shop.server.folder().join("copy.db");
    let vacuum = client.try_rows(&format!("VACUUM INTO '{}'", copy.display()));
    assert!(!copy.exists(), "{vacuum:?}");
}

#[test]
fn a_stop_lets_a_transaction_end_and_tells_idle_sessions() {
    let mut shop = Shop::open();
    let (idle, busy) = (shop.client(), shop.client());
    busy.run("CREATE TABLE item (id SERIAL PRIMARY KEY)");
    busy.run("BEGIN; INSERT INTO item VALUES (1)");
    shop.server.process().signal("TERM");
    let told = wait_for("the idle session to be told", dbtests::SHORT, || {
        idle.try_rows("SELECT 1").err()
    });
    let code = told.code().map(|code| code.code().to_owned());
    assert!(code.is_none_or(|code| code == "57P01"), "{told:?}");
    busy.run("INSERT INTO item VALUES (2)");
    busy.run("COMMIT");
    shop.server.stop();
    shop.server.start();
    assert_eq!(shop.client().value("SELECT count(*) FROM item"), "2");
}
