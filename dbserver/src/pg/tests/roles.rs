//! What a client sees when the server's role changes while it is connected.

use tokio_postgres::NoTls;

use super::{Server, count, refused};
use crate::databases::Role;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_of_a_change_of_role_and_stays() {
    let server = Server::start().await;
    let parameters = server.parameters("shop");
    let (client, mut connection) = parameters.connect(NoTls).await.unwrap();
    let told = async |connection: &mut tokio_postgres::Connection<_, _>| {
        tokio::select! {
            answered = client.simple_query("SELECT 1") => answered.unwrap(),
            ended = &mut *connection => panic!("the connection has ended: {ended:?}"),
        };
        connection.parameter("in_hot_standby").map(str::to_owned)
    };
    assert_eq!(told(&mut connection).await.as_deref(), Some("off"));
    server.environment.change_role(Role::Slave).unwrap();
    assert_eq!(told(&mut connection).await.as_deref(), Some("on"));
    server.environment.change_role(Role::Master).unwrap();
    assert_eq!(told(&mut connection).await.as_deref(), Some("off"));
    drop((client, connection));
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_may_do_is_asked_of_the_role_at_the_time() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    client.batch_execute("BEGIN").await.unwrap();
    let on_slave = async || -> Vec<String> {
        let mut values = Vec::new();
        for query in [
            "SELECT current_setting('in_hot_standby')",
            "SELECT pg_is_in_recovery()::text",
            "SHOW in_hot_standby",
            "SHOW transaction_read_only",
        ] {
            let row = client.query_one(query, &[]).await.unwrap();
            values.push(row.get(0));
        }
        values
    };
    assert_eq!(on_slave().await, ["off", "false", "off", "off"]);
    // The block that has begun on a master goes on on a slave, and back.
    server.environment.change_role(Role::Slave).unwrap();
    assert_eq!(on_slave().await, ["on", "true", "on", "on"]);
    server.environment.change_role(Role::Master).unwrap();
    assert_eq!(on_slave().await, ["off", "false", "off", "off"]);
    client
        .batch_execute("INSERT INTO t VALUES(1); COMMIT")
        .await
        .unwrap();
    server.environment.change_role(Role::Slave).unwrap();
    let write = client.batch_execute("INSERT INTO t VALUES(2)").await;
    assert_eq!(refused(write), "25006");
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    server.stop();
}

/// Bug: a session that had written could not read any more after the change.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_and_not_committed_is_lost_with_the_role_and_the_session_stays() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    let written = "BEGIN; INSERT INTO t VALUES(1) RETURNING a";
    client.batch_execute(written).await.unwrap();
    server.environment.change_role(Role::Slave).unwrap();
    assert_eq!(refused(client.batch_execute("SELECT 1").await), "40003");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    server.environment.change_role(Role::Master).unwrap();
    client
        .batch_execute("INSERT INTO t VALUES(2)")
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    server.stop();
}
