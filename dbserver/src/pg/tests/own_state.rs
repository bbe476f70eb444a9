//! What a session has for itself: advisory locks, settings, temporary tables.

use super::Server;
use super::locks::{answer, run, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_locked_is_waited_for() {
    let server = Server::start().await;
    let (one, two) = (server.client().await, server.client().await);
    run(&one, "SELECT pg_advisory_lock(5), pg_advisory_lock(1, 2)").await;
    let attempt = "SELECT pg_try_advisory_lock(5)";
    assert_eq!(answer(&one, attempt).await, "t");
    assert_eq!(answer(&two, attempt).await, "f");
    assert_eq!(
        answer(&two, "SELECT pg_try_advisory_lock_shared(1, 2)").await,
        "f"
    );
    assert_eq!(answer(&two, "SELECT pg_try_advisory_lock(1)").await, "t");
    assert_eq!(
        answer(&two, "SET lock_timeout = 1; SELECT pg_advisory_lock(5)").await,
        "55P03"
    );
    let judge = server.client().await;
    let task = waiting(
        server.client().await,
        &judge,
        "SELECT pg_advisory_xact_lock(5)",
    )
    .await;
    let unlock = "SELECT pg_advisory_unlock(5)";
    assert_eq!(answer(&one, unlock).await, "t");
    assert!(!task.is_finished());
    assert_eq!(answer(&one, unlock).await, "t");
    assert_eq!(answer(&one, unlock).await, "f");
    task.await.unwrap();
    // Its transaction is over.
    assert_eq!(answer(&judge, attempt).await, "t");
    run(&judge, "DISCARD ALL").await;
    assert_eq!(answer(&one, attempt).await, "t");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_a_transaction_ends_with_it() {
    let server = Server::start().await;
    let (one, two) = (server.client().await, server.client().await);
    run(&one, "BEGIN; SELECT pg_advisory_xact_lock(-1)").await;
    let attempt = "SELECT pg_try_advisory_xact_lock(-1)";
    assert_eq!(answer(&two, attempt).await, "f");
    run(&one, "COMMIT").await;
    assert_eq!(answer(&two, attempt).await, "t");
    assert_eq!(answer(&one, attempt).await, "t");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_set_config_sets_goes_with_its_transaction() {
    let server = Server::start().await;
    let client = server.client().await;
    let shown = "SELECT current_setting('app.name')";
    let set =
        "SELECT set_config('app.name', 'a', false), set_config('TimeZone', 'Asia/Tokyo', false)";
    assert_eq!(answer(&client, set).await, "a");
    assert_eq!(answer(&client, "SHOW TimeZone").await, "Asia/Tokyo");
    run(&client, "BEGIN; SELECT set_config('app.name', 'b', true)").await;
    assert_eq!(answer(&client, shown).await, "b");
    run(&client, "COMMIT").await;
    assert_eq!(answer(&client, shown).await, "a");
    run(
        &client,
        "BEGIN; SELECT set_config('app.name', 'c', false); ROLLBACK",
    )
    .await;
    assert_eq!(answer(&client, shown).await, "a");
    let fails = "SELECT set_config('app.name', 'd', false), 1 / (random() * 0)::int";
    assert_eq!(answer(&client, fails).await, "22012");
    assert_eq!(answer(&client, shown).await, "a");
    let unknown = "SELECT set_config('nothing', '1', false)";
    assert_eq!(answer(&client, unknown).await, "42704");
    server.stop();
}

/// They stand in the catalog beside tables of the database that have their names.
#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_table_stands_in_the_catalog() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t (a int, b int)").await;
    run(&client, "CREATE TEMP TABLE t (c text UNIQUE)").await;
    let classes = "SELECT nspname || ' ' || relpersistence::text || ' ' || relnatts FROM pg_class
        JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 't' ORDER BY 1";
    assert_eq!(answer(&client, classes).await, "pg_temp_1 t 1 public p 2");
    let columns = "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0";
    assert_eq!(answer(&client, columns).await, "c");
    run(&client, "DROP TABLE t").await;
    assert_eq!(answer(&client, classes).await, "public p 2");
    server.stop();
}

/// Bug: what was set behind a savepoint stayed behind ROLLBACK TO.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_savepoint_takes_back_what_was_set_behind_it() {
    let server = Server::start().await;
    let client = server.client_after("SET timezone = 'UTC'").await;
    let begin = "BEGIN; SAVEPOINT a; SET timezone = 'Asia/Tokyo'; SAVEPOINT b; SET LOCAL timezone = 'Europe/Berlin'";
    run(&client, begin).await;
    let shown =
        "SELECT current_setting('timezone') || to_char(timestamptz '2026-01-01 00:00Z', 'HH24')";
    assert_eq!(answer(&client, shown).await, "Europe/Berlin01");
    assert_eq!(answer(&client, "SELECT 1 / 0").await, "22012");
    run(&client, "ROLLBACK TO b").await;
    assert_eq!(answer(&client, shown).await, "Asia/Tokyo09");
    run(&client, "RELEASE b; ROLLBACK TO a").await;
    assert_eq!(answer(&client, shown).await, "UTC00");
    run(&client, "SET timezone = 'Asia/Tokyo'; RELEASE a; COMMIT").await;
    assert_eq!(answer(&client, shown).await, "Asia/Tokyo09");
    server.stop();
}
