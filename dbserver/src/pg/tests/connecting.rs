use tokio_postgres::SimpleQueryMessage;

use super::{Server, connect, count, refused, sqlstate};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_read_the_same() {
    let server = Server::start().await;
    let mut parameters = server.parameters("shop");
    assert_eq!(
        refused(connect(parameters.password("wrong")).await),
        "28P01"
    );
    assert_eq!(refused(connect(parameters.user("nobody")).await), "28P01");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_database_is_3d000() {
    let server = Server::start().await;
    assert_eq!(
        refused(connect(&server.parameters("nosuch")).await),
        "3D000"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_for_maintenance_are_the_servers_own_until_there_are_such() {
    let server = Server::start().await;
    let current = "SELECT current_database()::text";
    for name in ["postgres", "template1"] {
        let client = connect(&server.parameters(name)).await.unwrap();
        let row = client.query_one(current, &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "system");
    }
    let client = connect(&server.parameters("postgres")).await.unwrap();
    client
        .batch_execute("CREATE DATABASE postgres")
        .await
        .unwrap();
    let client = connect(&server.parameters("postgres")).await.unwrap();
    let row = client.query_one(current, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "postgres");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_access_is_28000() {
    let server = Server::with("[db-access]\nallow = 10.0.0.0/8\n").await;
    assert_eq!(refused(connect(&server.parameters("shop")).await), "28000");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_too_many_is_53300() {
    let server = Server::with("MaxSessions = 1").await;
    let mut open = Vec::new();
    // One, and those that are kept for administrators.
    for _ in 0..4 {
        open.push(server.client().await);
    }
    assert_eq!(refused(connect(&server.parameters("shop")).await), "53300");
    assert_eq!(count(&open[0], "SELECT 1::bigint").await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn options_and_settings_are_seen_by_show() {
    let server = Server::start().await;
    let mut parameters = server.parameters("shop");
    parameters
        .options("-c statement_timeout=90s -c my.tag=x")
        .application_name("till");
    let client = connect(&parameters).await.unwrap();
    for (name, value) in [
        ("statement_timeout", "90s"),
        ("my.tag", "x"),
        ("application_name", "till"),
        ("transaction_read_only", "off"),
        ("transaction_isolation", "read committed"),
        ("in_hot_standby", "off"),
    ] {
        let row = client
            .query_one(&format!("SHOW {name}"), &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), value, "{name}");
    }
    assert_eq!(
        refused(client.batch_execute("SET no_such_parameter = 1").await),
        "42704"
    );
    parameters.options("-c eloqdb.open_mode=10");
    assert_eq!(refused(connect(&parameters).await), "22023");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_stops_a_query_and_leaves_the_session() {
    let server = Server::start().await;
    let client = server.client().await;
    let token = client.cancel_token();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let cancel = async {
        // A cancel that comes before its query is for nobody: ask until it has arrived.
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            token.cancel_query(tokio_postgres::NoTls).await.unwrap();
        }
    };
    let result = tokio::select! {
        result = client.simple_query(endless) => result,
        () = cancel => unreachable!("asks for ever"),
    };
    assert_eq!(refused(result), "57014");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_at_its_time_limit() {
    let server = Server::start().await;
    let client = server.client_after("SET statement_timeout = 50").await;
    assert_eq!(
        refused(client.query_one("SELECT pg_sleep(60)", &[]).await),
        "57014"
    );
    client
        .batch_execute("SET statement_timeout = 0")
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT 1::bigint").await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_idles_too_long_in_a_transaction_is_ended() {
    let server = Server::start().await;
    let client = server
        .client_after("SET idle_in_transaction_session_timeout = 30; CREATE TABLE t(a INT)")
        .await;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES(1); LOCK TABLE t IN EXCLUSIVE MODE")
        .await
        .unwrap();
    let other = server.client().await;
    // The table is free again as soon as the idle session is gone.
    other
        .batch_execute("INSERT INTO t VALUES(2)")
        .await
        .unwrap();
    assert_eq!(count(&other, "SELECT sum(a)::bigint FROM t").await, 2);
    assert!(client.simple_query("SELECT 1").await.is_err());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_the_configuration_hold_for_who_says_no_others() {
    let server = Server::with(
        "IdleSessionTimeout = 1s\nLockTimeout = 20ms\nStatementTimeout = 1h\nIdleTransactionTimeout = 2h",
    )
    .await;
    let mut parameters = server.parameters("shop");
    let shown = async |parameters: &tokio_postgres::Config| {
        let client = connect(parameters).await.unwrap();
        let mut values = Vec::new();
        for name in [
            "idle_session_timeout",
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
        ] {
            let row = client.query_one(&format!("SHOW {name}"), &[]).await;
            values.push(row.unwrap().get::<_, String>(0));
        }
        values.join(" ")
    };
    assert_eq!(shown(&parameters).await, "1s 20ms 1h 2h");
    parameters.options("-c idle_session_timeout=0 -c lock_timeout=5s");
    assert_eq!(shown(&parameters).await, "0 5s 1h 2h");
    // Who administers waits as long as it takes.
    let administrator = connect(&server.parameters("system")).await.unwrap();
    let writer = connect(&parameters).await.unwrap();
    writer
        .batch_execute("CREATE TABLE t (a INT)")
        .await
        .unwrap();
    writer
        .batch_execute("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE")
        .await
        .unwrap();
    let (idle, connection) = server
        .parameters("shop")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    let ending = tokio::spawn(connection);
    assert_eq!(
        refused(idle.execute("INSERT INTO t VALUES (1)", &[]).await),
        "55P03"
    );
    let told = ending.await.unwrap().unwrap_err();
    assert_eq!(sqlstate(&told), "57P05");
    assert!(administrator.simple_query("SELECT 1").await.is_ok());
    assert!(writer.simple_query("COMMIT").await.is_ok());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_is_told_57p01_and_its_transaction_undone() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES(1)")
        .await
        .unwrap();
    let pid = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get::<_, i32>(0);
    let other = server.client().await;
    let done = other
        .simple_query(&format!("DBCTL 'session kill {pid}'"))
        .await
        .unwrap();
    assert!(matches!(
        done.last(),
        Some(SimpleQueryMessage::CommandComplete(_))
    ));
    other
        .batch_execute("INSERT INTO t VALUES(5)")
        .await
        .unwrap();
    assert_eq!(count(&other, "SELECT count(*) FROM t").await, 1);
    assert!(client.simple_query("SELECT 1").await.is_err());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_database_is_closed_to_users_and_written_by_nobody() {
    let server = Server::start().await;
    let dba = connect(&server.parameters("system")).await.unwrap();
    dba.batch_execute("CREATE USER bob PASSWORD 'pswd'")
        .await
        .unwrap();
    assert_eq!(count(&dba, "SELECT count(*) FROM users").await, 2);
    let grab = "UPDATE users SET privilege = 'dba'";
    assert_eq!(refused(dba.batch_execute(grab).await), "42501");
    let mut parameters = server.parameters("system");
    let bob = connect(parameters.user("bob").password("pswd"))
        .await
        .unwrap();
    assert_eq!(count(&bob, "SELECT 1::bigint").await, 1);
    assert_eq!(
        refused(bob.query("SELECT verifier FROM users", &[]).await),
        "42501"
    );
    assert_eq!(refused(bob.batch_execute(grab).await), "42501");
    assert_eq!(
        refused(bob.batch_execute("CREATE DATABASE b").await),
        "42501"
    );
    server.stop();
}
