//! What rights cost, and databases that have no owner.

use std::sync::atomic::Ordering;

use super::{PASSWORD, Server, connect, count, refused};
use crate::system::authority::READS;

/// Counting work: statements one after the other read rights once.
#[tokio::test(flavor = "multi_thread")]
async fn rights_are_read_when_they_have_changed_and_not_before() {
    let server = Server::start().await;
    let dba = server.client().await;
    dba.batch_execute(&format!(
        "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE USER ann PASSWORD '{PASSWORD}';
         ALTER DATABASE shop OWNER TO dba; GRANT CONNECT ON DATABASE shop TO ann; GRANT SELECT ON t TO ann"
    ))
    .await
    .unwrap();
    let mut parameters = server.parameters("shop");
    let ann = connect(parameters.user("ann")).await.unwrap();
    for client in [&dba, &ann] {
        let point = client.prepare("SELECT a FROM t WHERE a = 1").await.unwrap();
        client.query(&point, &[]).await.unwrap();
        client.batch_execute("SELECT a FROM t").await.unwrap();
        let before = READS.load(Ordering::Relaxed);
        for _ in 0..20 {
            client.query(&point, &[]).await.unwrap();
            client.batch_execute("SELECT a FROM t").await.unwrap();
        }
        // Nor does a commit that changes no right.
        dba.batch_execute("INSERT INTO t VALUES (2); DELETE FROM t WHERE a = 2")
            .await
            .unwrap();
        client.query(&point, &[]).await.unwrap();
        assert_eq!(READS.load(Ordering::Relaxed), before);
    }
    dba.batch_execute("REVOKE SELECT ON t FROM ann")
        .await
        .unwrap();
    assert_eq!(refused(ann.batch_execute("SELECT a FROM t").await), "42501");
    server.stop();
}

/// As servers have made them before there were owners.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_an_owner_is_everybodys_until_it_has_one() {
    let server = Server::start().await;
    let dba = server
        .client_after(&format!(
            "CREATE TABLE t (a int); CREATE USER ann PASSWORD '{PASSWORD}'"
        ))
        .await;
    let mut parameters = server.parameters("shop");
    let ann = connect(parameters.user("ann")).await.unwrap();
    ann.batch_execute("INSERT INTO t VALUES (1); CREATE TABLE hers (a int); DROP TABLE hers; GRANT SELECT ON t TO dba")
        .await
        .unwrap();
    let revoke = "REVOKE SELECT ON t FROM ann";
    assert_eq!(refused(dba.batch_execute(revoke).await), "55000");
    let take = "ALTER DATABASE shop OWNER TO ann";
    assert_eq!(refused(ann.batch_execute(take).await), "42501");
    dba.batch_execute("ALTER DATABASE shop OWNER TO dba")
        .await
        .unwrap();
    assert_eq!(refused(ann.batch_execute("SELECT * FROM t").await), "42501");
    assert_eq!(refused(connect(&parameters).await), "42501");
    // All of it is there after a start.
    drop((ann, dba));
    let server = server.restart().await;
    let mut parameters = server.parameters("shop");
    assert_eq!(refused(connect(parameters.user("ann")).await), "42501");
    let dba = server.client().await;
    assert_eq!(count(&dba, "SELECT count(*) FROM t").await, 1);
    server.stop();
}
