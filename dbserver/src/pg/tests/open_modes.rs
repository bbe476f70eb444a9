//! Sessions that open their database in a mode: who may be beside whom, and who may write what.

use tokio_postgres::Client;

use super::{Server, connect, count, refused};
use crate::databases::Role;
use crate::databases::open_mode::{OpenMode, Writes};

async fn opened(server: &Server, mode: OpenMode) -> Result<Client, tokio_postgres::Error> {
    let mut parameters = server.parameters("shop");
    parameters.options(format!("-c eloqdb.open_mode={mode}"));
    connect(&parameters).await
}

/// Waits until so many sessions are left in the database.
fn wait_until_open(server: &Server, sessions: usize) {
    let database = server.environment.open("shop").unwrap();
    // This one is counted, too.
    while database.database().open_sessions() > sessions + 1 {
        std::thread::yield_now();
    }
}

/// Waits until the server has seen that its clients are gone.
fn wait_until_closed(server: &Server) {
    wait_until_open(server, 0);
}

/// Opens each mode beside each, where a slave has none that writes.
async fn open_each_beside_each(server: &Server, is_slave: bool) {
    let is_refused = |mode: OpenMode| is_slave && mode.writes() != Writes::Nothing;
    for first in OpenMode::ALL {
        let one = opened(server, first).await;
        if is_refused(first) {
            assert_eq!(refused(one), "25006", "{first}");
            continue;
        }
        let one = one.unwrap();
        for second in OpenMode::ALL {
            let other = opened(server, second).await;
            if is_refused(second) {
                assert_eq!(refused(other), "25006", "{second}");
            } else if first.goes_with(second) {
                assert_eq!(count(&other.unwrap(), "SELECT 1::bigint").await, 1);
                wait_until_open(server, 1);
            } else {
                assert_eq!(refused(other), "55006", "{second} beside {first}");
            }
        }
        drop(one);
        wait_until_closed(server);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_beside_each_on_a_master() {
    let server = Server::start().await;
    open_each_beside_each(&server, false).await;
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_beside_each_on_a_slave() {
    let server = Server::start().await;
    server.environment.change_role(Role::Slave).unwrap();
    open_each_beside_each(&server, true).await;
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_who_has_it_open_and_how() {
    let server = Server::start().await;
    let reader = opened(&server, OpenMode::ReadNobodyWrites).await.unwrap();
    let pid = count(&reader, "SELECT pg_backend_pid()::bigint").await;
    let error = connect(&server.parameters("shop")).await.err().unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        error.message(),
        "cannot open database \"shop\" in mode 1: it is open in mode 8"
    );
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with(&format!("Session {pid} of user dba from 127.0.0.1:")),
        "{detail}"
    );
    assert!(error.hint().unwrap().contains("dbctl session list"));
    // The server's own database is open for those who look after it.
    connect(&server.parameters("system")).await.unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_is_held_to_at_each_statement() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT); INSERT INTO t VALUES (1)")
        .await;
    drop(client);
    wait_until_closed(&server);
    let reads = opened(&server, OpenMode::ReadOthersWrite).await.unwrap();
    for write in [
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET a = 2",
        "DELETE FROM t",
        "CREATE TABLE u(a INT)",
        "TRUNCATE t",
        "COPY t FROM STDIN",
        "SELECT * FROM t FOR UPDATE",
        "BEGIN READ WRITE",
        "VACUUM",
    ] {
        assert_eq!(
            refused(reads.batch_execute(write).await),
            "25006",
            "{write}"
        );
        reads.batch_execute("ROLLBACK").await.unwrap();
    }
    let row = reads
        .query_one("SHOW transaction_read_only", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "on");
    drop(reads);
    wait_until_closed(&server);

    let updates = opened(&server, OpenMode::Update).await.unwrap();
    for write in [
        "INSERT INTO t VALUES (2)",
        "DELETE FROM t",
        "WITH n AS (INSERT INTO t VALUES (3) RETURNING a) SELECT a FROM n",
        "CREATE TABLE u(a INT)",
        "TRUNCATE t",
        "COPY t FROM STDIN",
    ] {
        assert_eq!(
            refused(updates.batch_execute(write).await),
            "25006",
            "{write}"
        );
    }
    updates.batch_execute("UPDATE t SET a = 7").await.unwrap();
    assert_eq!(count(&updates, "SELECT sum(a) FROM t").await, 7);
    drop(updates);
    wait_until_closed(&server);

    let alone = opened(&server, OpenMode::WriteAlone).await.unwrap();
    alone.batch_execute("DELETE FROM t").await.unwrap();
    assert_eq!(
        refused(alone.batch_execute("SET eloqdb.open_mode = 1").await),
        "55P02"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_is_shown_and_follows_the_role_where_none_was_asked_for() {
    let server = Server::start().await;
    let client = server.client().await;
    let shown = async || -> Vec<String> {
        let mut values = Vec::new();
        for query in [
            "SHOW eloqdb.open_mode",
            "SELECT current_setting('eloqdb.open_mode')",
            "SELECT open_mode::text FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        ] {
            let row = client.query_one(query, &[]).await.unwrap();
            values.push(row.get(0));
        }
        values
    };
    assert_eq!(shown().await, ["1", "1", "1"]);
    server.environment.change_role(Role::Slave).unwrap();
    assert_eq!(shown().await, ["5", "5", "5"]);
    let beside = opened(&server, OpenMode::ReadAny).await.unwrap();
    server.environment.change_role(Role::Master).unwrap();
    assert_eq!(shown().await, ["1", "1", "1"]);
    client.batch_execute("CREATE TABLE t(a INT)").await.unwrap();
    assert_eq!(refused(beside.batch_execute("DROP TABLE t").await), "25006");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_with_the_settings_of_their_database_and_role() {
    let server = Server::start().await;
    let dba = server.client().await;
    dba.batch_execute("CREATE USER ann PASSWORD 'open sesame'")
        .await
        .unwrap();
    let begins = async |database: &str, options: &str| -> Vec<String> {
        let mut parameters = server.parameters(database);
        parameters.user("ann").options(options);
        let client = connect(&parameters).await.unwrap();
        let mut values = Vec::new();
        for name in ["eloqdb.open_mode", "work_mem", "statement_timeout"] {
            let row = client
                .query_one(&format!("SHOW {name}"), &[])
                .await
                .unwrap();
            values.push(row.get(0));
        }
        values
    };
    let plain = begins("shop", "").await;
    assert_eq!(plain[0], "1");
    for change in [
        "ALTER DATABASE shop SET eloqdb.open_mode = 5",
        "ALTER ROLE ann SET statement_timeout TO '7s'",
        "ALTER ROLE ann IN DATABASE shop SET eloqdb.open_mode = 9",
        "ALTER ROLE ALL SET work_mem = '9MB'",
    ] {
        dba.batch_execute(change).await.unwrap();
    }
    assert_eq!(begins("shop", "").await, ["9", "9MB", "7s"]);
    assert_eq!(begins("shop", "-c eloqdb.open_mode=1").await[0], "1");
    let shown = "SELECT string_agg(coalesce(d.datname, '-') || ' ' || coalesce(r.rolname, '-') || ' ' || s.setconfig::text, '; '
            ORDER BY d.datname, r.rolname)
        FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole";
    let row = dba.query_one(shown, &[]).await.unwrap();
    assert_eq!(
        row.get::<_, &str>(0),
        "shop ann {eloqdb.open_mode=9}; shop - {eloqdb.open_mode=5}; - ann {statement_timeout=7s}; - - {work_mem=9MB}"
    );
    // They are the database's, whatever it is called, and its successor's no longer.
    dba.batch_execute("CREATE DATABASE other").await.unwrap();
    let elsewhere = connect(&server.parameters("other")).await.unwrap();
    drop(dba);
    wait_until_closed(&server);
    elsewhere
        .batch_execute("ALTER DATABASE shop RENAME TO store")
        .await
        .unwrap();
    assert_eq!(begins("store", "").await[0], "9");
    elsewhere
        .batch_execute(
            "ALTER ROLE ann IN DATABASE store RESET eloqdb.open_mode; ALTER ROLE ann RESET ALL",
        )
        .await
        .unwrap();
    assert_eq!(
        begins("store", "").await,
        ["5".to_owned(), "9MB".to_owned(), plain[2].clone()]
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_change_what_sessions_begin_with_and_to_what() {
    let server = Server::start().await;
    let dba = server.client().await;
    dba.batch_execute("CREATE USER ann PASSWORD 'open sesame'")
        .await
        .unwrap();
    let mut parameters = server.parameters("shop");
    let ann = connect(parameters.user("ann")).await.unwrap();
    ann.batch_execute("ALTER ROLE CURRENT_USER SET work_mem = '8MB'")
        .await
        .unwrap();
    for (statement, sqlstate) in [
        ("ALTER ROLE dba SET work_mem = '8MB'", "42501"),
        ("ALTER ROLE ALL SET work_mem = '8MB'", "42501"),
        ("ALTER DATABASE shop SET work_mem = '8MB'", "42501"),
        ("ALTER ROLE ann SET eloqdb.open_mode = 10", "22023"),
        ("ALTER ROLE ann SET server_version = '9'", "55P02"),
        ("ALTER ROLE ann SET no_such_parameter = 1", "42704"),
        (
            "ALTER ROLE ann IN DATABASE nosuch SET work_mem = '8MB'",
            "3D000",
        ),
    ] {
        assert_eq!(
            refused(ann.batch_execute(statement).await),
            sqlstate,
            "{statement}"
        );
    }
    let statement = "ALTER ROLE nobody SET work_mem = '8MB'";
    assert_eq!(refused(dba.batch_execute(statement).await), "42704");
    // A role that is made again has nothing of the one before.
    drop(ann);
    dba.batch_execute("DROP USER ann; CREATE USER ann PASSWORD 'open sesame'")
        .await
        .unwrap();
    assert_eq!(
        count(&dba, "SELECT count(*) FROM pg_db_role_setting").await,
        0
    );
    server.stop();
}
