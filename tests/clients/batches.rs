//! Many statements at once, and many sessions at once.

use std::thread;

use futures::SinkExt as _;
use futures::future::join_all;

use crate::Shop;

#[test]
fn pipelined_statements_are_answered_in_order() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY)");
    let insert = client
        .wait(
            client
                .driver()
                .prepare("INSERT INTO item VALUES ($1) RETURNING id"),
        )
        .unwrap();
    let numbers: Vec<i32> = (0..500).collect();
    let driver = client.driver();
    let one =
        async |number: &i32| -> i32 { driver.query_one(&insert, &[number]).await.unwrap().get(0) };
    let answers = client.wait(join_all(numbers.iter().map(one)));
    assert_eq!(answers, numbers);
}

#[test]
fn an_error_in_a_pipeline_ends_its_statement_alone() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY)");
    let driver = client.driver();
    let insert = client
        .wait(driver.prepare("INSERT INTO item VALUES ($1)"))
        .unwrap();
    let (first, second, third) = client.wait(async {
        tokio::join!(
            driver.execute(&insert, &[&1]),
            driver.execute(&insert, &[&1]),
            driver.execute(&insert, &[&2])
        )
    });
    assert_eq!(first.unwrap(), 1);
    let refused = second.unwrap_err();
    assert_eq!(
        refused.code().map(tokio_postgres::error::SqlState::code),
        Some("23505")
    );
    assert_eq!(third.unwrap(), 1);
    assert_eq!(client.value("SELECT count(*) FROM item"), "2");
}

#[test]
fn a_driver_copies_rows_in_and_out() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)");
    let copied = client.wait(async {
        let sink = client
            .driver()
            .copy_in("COPY item FROM STDIN")
            .await
            .unwrap();
        let mut sink = std::pin::pin!(sink);
        for number in 0..5_000 {
            // Pieces end in the middle of lines.
            let line = bytes(format!("{number}\titem"));
            sink.send(line).await.unwrap();
            sink.send(bytes(format!(" {number}\n"))).await.unwrap();
        }
        sink.finish().await.unwrap()
    });
    assert_eq!(copied, 5_000);
    assert_eq!(
        client.value("SELECT name FROM item WHERE id = 4999"),
        "item 4999"
    );
}

fn bytes(text: String) -> std::io::Cursor<Vec<u8>> {
    std::io::Cursor::new(text.into_bytes())
}

#[test]
fn many_sessions_write_at_once_and_lose_no_update() {
    const SESSIONS: u32 = 32;
    const ROUNDS: u32 = 20;
    let shop = Shop::open();
    shop.client().run("CREATE TABLE counter (id INTEGER PRIMARY KEY, value BIGINT); INSERT INTO counter VALUES (1, 0)");
    thread::scope(|scope| {
        for _ in 0..SESSIONS {
            scope.spawn(|| {
                let client = shop.client();
                for _ in 0..ROUNDS {
                    client.run("UPDATE counter SET value = value + 1 WHERE id = 1");
                }
            });
        }
    });
    let client = shop.client();
    assert_eq!(
        client.value("SELECT value FROM counter"),
        (SESSIONS * ROUNDS).to_string()
    );
}

#[test]
fn one_session_too_many_is_refused_with_53300() {
    let folder = dbtests::Folder::new();
    let settings = dbtests::Settings::new("small", "Standalone")
        .without("ForwardLog", "FwLog")
        .set("Server", "MaxSessions", "3");
    let mut server = dbtests::Server::create(folder.path(), settings);
    server.start();
    // Three, and those that are kept for administrators.
    let open: Vec<_> = (0..6).map(|_| server.client("system")).collect();
    let error = dbtests::Client::connect(server.address(), "system", dbtests::PASSWORD)
        .err()
        .unwrap();
    assert_eq!(
        dbtests::Refusal::of(&error)
            .expect("the server's words")
            .code,
        "53300"
    );
    drop(open);
    dbtests::wait_for("a session to be free", dbtests::SHORT, || {
        dbtests::Client::connect(server.address(), "system", dbtests::PASSWORD).ok()
    });
}
