use std::pin::pin;

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};

use super::{Server, count, refused};

#[tokio::test(flavor = "multi_thread")]
async fn copied_rows_arrive_and_come_back() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT PRIMARY KEY, b TEXT)")
        .await;
    let sink = client
        .copy_in("COPY t FROM STDIN (FORMAT csv, HEADER)")
        .await
        .unwrap();
    let mut sink = pin!(sink);
    for piece in ["a,b\n1,\"x", ",y\"\n2,", "\n"] {
        sink.send(Bytes::from_static(piece.as_bytes()))
            .await
            .unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), 2);
    assert_eq!(
        count(&client, "SELECT count(*) FROM t WHERE b IS NULL").await,
        1
    );
    let stream = client
        .copy_out("COPY (SELECT * FROM t ORDER BY a) TO STDOUT")
        .await
        .unwrap();
    let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"1\tx,y\n2\t\\N\n");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_undoes_the_copy_and_names_its_place() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT PRIMARY KEY)")
        .await;
    let sink = client.copy_in("COPY t FROM STDIN").await.unwrap();
    let mut sink = pin!(sink);
    sink.send(Bytes::from_static(b"1\n2\nthree\n4\n"))
        .await
        .unwrap();
    let error = sink.finish().await.unwrap_err();
    let database_error = error.as_db_error().unwrap();
    assert_eq!(database_error.code().code(), "22P02");
    assert!(
        database_error
            .where_()
            .unwrap()
            .starts_with("COPY t, line 3")
    );
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_copy_leaves_nothing_behind() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    {
        let sink = client.copy_in("COPY t FROM STDIN").await.unwrap();
        let mut sink = pin!(sink);
        sink.send(Bytes::from_static(b"1\n")).await.unwrap();
    }
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    assert_eq!(
        refused(
            client
                .copy_in::<_, Bytes>("COPY nosuch FROM STDIN")
                .await
                .map(drop)
        ),
        "42P01"
    );
    server.stop();
}
