//! Sequences: numbers that are never given twice.

use tokio_postgres::Client;

use super::{Server, count, refused};

async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

async fn next(client: &Client) -> i64 {
    count(client, "SELECT nextval('s')").await
}

async fn ids(client: &Client, sql: &str) -> Vec<i64> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_never_get_the_same_number_nor_after_a_rollback() {
    let server = Server::start().await;
    let (one, other) = (
        server.client_after("CREATE SEQUENCE s").await,
        server.client().await,
    );
    assert_eq!(next(&one).await, 1);
    assert_eq!(next(&other).await, 2);
    run(&one, "BEGIN").await;
    assert_eq!(next(&one).await, 3);
    run(&one, "ROLLBACK").await;
    assert_eq!(next(&other).await, 4);
    assert_eq!(count(&one, "SELECT currval('s')").await, 3);
    assert_eq!(count(&other, "SELECT lastval()").await, 4);
    let fresh = server.client().await;
    assert_eq!(
        refused(fresh.query_one("SELECT currval('s')", &[]).await),
        "55000"
    );
    assert_eq!(
        refused(fresh.query_one("SELECT lastval()", &[]).await),
        "55000"
    );
    assert_eq!(
        refused(fresh.query_one("SELECT nextval('nothing')", &[]).await),
        "42P01"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_counting_goes_on_behind_what_was_given() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE SEQUENCE s; CREATE TABLE t(id serial PRIMARY KEY, a int)")
        .await;
    for expected in 1..=40 {
        assert_eq!(next(&client).await, expected);
    }
    run(&client, "INSERT INTO t(a) VALUES(1), (2)").await;
    run(&client, "SELECT setval('s', 100)").await;
    let server = server.restart().await;
    let client = server.client().await;
    assert!(next(&client).await > 100);
    run(&client, "INSERT INTO t(a) VALUES(3)").await;
    let ids = ids(&client, "SELECT id::bigint FROM t ORDER BY a").await;
    assert_eq!(ids[..2], [1, 2]);
    assert!(ids[2] > 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_runs_without_the_permit_keeps_its_numbers() {
    let server = Server::start().await;
    let slow = server
        .client_after("CREATE TABLE t(id bigserial PRIMARY KEY, who text)")
        .await;
    let quick = server.client().await;
    run(&slow, "BEGIN; INSERT INTO t(who) VALUES('slow')").await;
    run(&quick, "INSERT INTO t(who) VALUES('quick')").await;
    run(&slow, "INSERT INTO t(who) SELECT 'slow'").await;
    run(&slow, "COMMIT").await;
    assert_eq!(
        ids(&quick, "SELECT id FROM t WHERE who = 'slow' ORDER BY id").await,
        [1, 3]
    );
    assert_eq!(
        ids(&quick, "SELECT id FROM t WHERE who = 'quick'").await,
        [2]
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explicit_id_does_not_move_the_sequence() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(id serial PRIMARY KEY); INSERT INTO t VALUES(1)")
        .await;
    let error = client
        .batch_execute("INSERT INTO t DEFAULT VALUES")
        .await
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    // The row is looked at once more, with the number that it had.
    assert_eq!(error.detail(), Some("Key (id)=(1) already exists."));
    let row = client
        .query_one("INSERT INTO t DEFAULT VALUES RETURNING id::bigint", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_count_wherever_they_stand() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE SEQUENCE s START 100 INCREMENT 10;
             CREATE TABLE t(a serial, id int PRIMARY KEY DEFAULT nextval('s'), b smallserial, c text);
             CREATE TABLE u(n bigint DEFAULT nextval('s'), m int GENERATED ALWAYS AS IDENTITY (START 7));
             INSERT INTO t(c) VALUES('x'), ('y');
             INSERT INTO u DEFAULT VALUES;
             INSERT INTO t(c) SELECT c FROM t ORDER BY c DESC;
             UPDATE t SET b = nextval('s') WHERE id = 100;
             INSERT INTO u(m) VALUES(DEFAULT);",
        )
        .await;
    let row = client
        .query_one(
            "SELECT string_agg(a::text || ':' || id::text || ':' || b::text || c, ' ' ORDER BY a) FROM t",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        row.get::<_, String>(0),
        "1:100:150x 2:110:2y 3:130:3y 4:140:4x"
    );
    assert_eq!(ids(&client, "SELECT n FROM u ORDER BY n").await, [120, 160]);
    assert_eq!(
        ids(&client, "SELECT m::bigint FROM u ORDER BY m").await,
        [7, 8]
    );
    for refusal in [
        "INSERT INTO u(m) VALUES(1)",
        "UPDATE u SET m = 1",
        "INSERT INTO u(m) SELECT 1",
    ] {
        assert_eq!(refused(client.batch_execute(refusal).await), "428C9");
    }
    run(
        &client,
        "INSERT INTO u(m) OVERRIDING SYSTEM VALUE VALUES(1)",
    )
    .await;
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_change_with_their_transaction() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE SEQUENCE s MAXVALUE 3; SELECT nextval('s'), nextval('s')")
        .await;
    run(&client, "BEGIN; ALTER SEQUENCE s RESTART INCREMENT 2").await;
    assert_eq!(next(&client).await, 1);
    run(&client, "ROLLBACK").await;
    assert_eq!(next(&client).await, 3);
    assert_eq!(
        refused(client.query_one("SELECT nextval('s')", &[]).await),
        "2200H"
    );
    run(&client, "ALTER SEQUENCE s CYCLE").await;
    assert_eq!(next(&client).await, 1);
    run(&client, "ALTER SEQUENCE s NO MAXVALUE RESTART WITH 50").await;
    assert_eq!(next(&client).await, 50);
    assert_eq!(count(&client, "SELECT last_value FROM s").await, 50);
    assert_eq!(
        refused(client.batch_execute("SELECT setval('s', 0)").await),
        "22003"
    );
    run(&client, "SELECT setval('s', 9, false)").await;
    assert_eq!(next(&client).await, 9);
    run(&client, "DROP SEQUENCE s").await;
    assert_eq!(
        refused(client.query_one("SELECT nextval('s')", &[]).await),
        "42P01"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_lives_as_long_as_what_owns_it() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t(id serial, a int); INSERT INTO t(a) VALUES(1), (2);
             TRUNCATE t RESTART IDENTITY; INSERT INTO t(a) VALUES(3);",
        )
        .await;
    assert_eq!(ids(&client, "SELECT id::bigint FROM t").await, [1]);
    assert_eq!(
        refused(client.batch_execute("DROP SEQUENCE t_id_seq").await),
        "2BP01"
    );
    run(
        &client,
        "ALTER TABLE t ADD b serial; ALTER TABLE t RENAME TO v; DROP TABLE v;
         CREATE TABLE t(id serial); INSERT INTO t DEFAULT VALUES",
    )
    .await;
    assert_eq!(ids(&client, "SELECT id::bigint FROM t").await, [1]);
    assert_eq!(
        count(&client, "SELECT count(*) FROM pg_class WHERE relkind = 'S'").await,
        1
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pg_dump_says_makes_a_table_that_counts() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE public.t (id integer NOT NULL, k bigint NOT NULL, a text);
             CREATE SEQUENCE public.t_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
             ALTER SEQUENCE public.t_id_seq OWNED BY public.t.id;
             ALTER TABLE public.t ALTER COLUMN k ADD GENERATED BY DEFAULT AS IDENTITY (
                 SEQUENCE NAME public.t_k_seq START WITH 5 INCREMENT BY 5 NO MINVALUE NO MAXVALUE CACHE 1);
             ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT nextval('public.t_id_seq'::regclass);
             INSERT INTO t VALUES(1, 5, 'x');
             SELECT pg_catalog.setval('public.t_id_seq', 1, true);
             SELECT pg_catalog.setval('public.t_k_seq', 5, true);
             ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);",
        )
        .await;
    run(&client, "INSERT INTO t(a) VALUES('y')").await;
    let row = client
        .query_one("SELECT id::bigint, k FROM t WHERE a = 'y'", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 10));
    let name = "SELECT pg_get_serial_sequence('t', 'id')";
    let row = client.query_one(name, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "public.t_id_seq");
    server.stop();
}
