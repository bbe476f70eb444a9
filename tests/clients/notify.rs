//! LISTEN and NOTIFY, by a driver that hears of each message, and by the drivers that applications have.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::{Client, LONG, PASSWORD, process, programs};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::{StreamExt, stream};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{AsyncMessage, NoTls};

use crate::Shop;

/// A session that hears.
struct Listener {
    driver: tokio_postgres::Client,
    heard: UnboundedReceiver<(String, String)>,
    runtime: Runtime,
}

impl Listener {
    fn on(shop: &Shop) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let config = Client::config(shop.server.address(), "shop", PASSWORD);
        let (driver, mut connection) = runtime.block_on(config.connect(NoTls)).expect("a session");
        let (told, heard) = unbounded();
        runtime.spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(told_one) = message {
                    let pair = (told_one.channel().to_owned(), told_one.payload().to_owned());
                    if told.unbounded_send(pair).is_err() {
                        return;
                    }
                }
            }
        });
        Self {
            driver,
            heard,
            runtime,
        }
    }

    fn run(&self, sql: &str) {
        let done = self.runtime.block_on(self.driver.batch_execute(sql));
        done.expect(sql);
    }

    /// What comes next, however long it takes.
    fn next(&mut self) -> (String, String) {
        let next = async { tokio::time::timeout(LONG, self.heard.next()).await };
        let next = self
            .runtime
            .block_on(next)
            .expect("something is told in time");
        next.expect("the session is open")
    }

    /// What has come before the answer to a statement.
    fn so_far(&mut self) -> Vec<(String, String)> {
        self.run("SELECT 1");
        // What the server has sent before its answer is here now; the task that reads it has only to run.
        self.runtime.block_on(tokio::task::yield_now());
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

fn told(channel: &str, payload: &str) -> (String, String) {
    (channel.to_owned(), payload.to_owned())
}

#[test]
fn what_is_told_arrives_at_commit_once_and_not_after_a_rollback() {
    let shop = Shop::open();
    let client = shop.client();
    let mut listener = Listener::on(&shop);
    listener.run("LISTEN news");
    client.run("BEGIN; NOTIFY news, 'undone'; ROLLBACK");
    client.run("BEGIN; NOTIFY news, 'a'; NOTIFY news, 'a'; SAVEPOINT s; NOTIFY news, 'undone'");
    client.run("ROLLBACK TO s; SELECT pg_notify('news', 'b'); NOTIFY other, 'c'");
    assert_eq!(listener.so_far(), []);
    client.run("COMMIT");
    assert_eq!(listener.next(), told("news", "a"));
    assert_eq!(listener.next(), told("news", "b"));
    client.run("NOTIFY news");
    assert_eq!(listener.next(), told("news", ""));
    assert_eq!(listener.so_far(), []);
}

#[test]
fn a_session_in_a_transaction_hears_when_that_is_over() {
    let shop = Shop::open();
    let client = shop.client();
    let mut listener = Listener::on(&shop);
    listener.run("LISTEN news");
    listener.run("BEGIN");
    client.run("NOTIFY news, 'a'");
    assert_eq!(listener.so_far(), []);
    listener.run("COMMIT");
    assert_eq!(listener.next(), told("news", "a"));
}

#[test]
fn listening_begins_and_ends_with_its_transaction_and_with_the_session() {
    let shop = Shop::open();
    let client = shop.client();
    let mut listener = Listener::on(&shop);
    listener.run("BEGIN; LISTEN news; ROLLBACK");
    client.run("NOTIFY news, 'a'");
    assert_eq!(listener.so_far(), []);
    listener.run("BEGIN; LISTEN news; NOTIFY news, 'own'; COMMIT");
    assert_eq!(listener.next(), told("news", "own"));
    listener.run("UNLISTEN news");
    client.run("NOTIFY news, 'b'");
    assert_eq!(listener.so_far(), []);
    listener.run("LISTEN one; LISTEN two; DISCARD ALL");
    client.run("NOTIFY one; NOTIFY two");
    assert_eq!(listener.so_far(), []);
    client.run("LISTEN b; LISTEN a");
    let channels = client.rows("SELECT pg_listening_channels()");
    assert_eq!(channels, [["a"], ["b"]]);
    client.run("UNLISTEN *");
    assert_eq!(
        client.value("SELECT count(*) FROM pg_listening_channels()"),
        "0"
    );
}

#[test]
fn what_is_too_long_is_refused() {
    let shop = Shop::open();
    let client = shop.client();
    let payload = "x".repeat(8000);
    for (sql, message) in [
        (
            format!("NOTIFY news, '{payload}'"),
            "payload string too long",
        ),
        (
            "SELECT pg_notify('', 'a')".to_owned(),
            "channel name cannot be empty",
        ),
        (
            format!("SELECT pg_notify('{}', 'a')", "c".repeat(64)),
            "channel name too long",
        ),
    ] {
        let refusal = client.refused(&sql);
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            ("22023", message)
        );
    }
    client.run(&format!("NOTIFY news, '{}'", "x".repeat(7999)));
}

const PSYCOPG2: &str = r#"
import os, select, psycopg2, psycopg2.extensions
def session():
    connection = psycopg2.connect(host="127.0.0.1", port=os.environ["SHOP_PORT"], user="dba", dbname="shop")
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    return connection
listener, other = session(), session()
listener.cursor().execute("LISTEN news")
other.cursor().execute("SELECT pg_notify('news', 'from psycopg2')")
while not listener.notifies:
    assert select.select([listener], [], [], 60) != ([], [], []), "nothing came"
    listener.poll()
note = listener.notifies.pop(0)
assert note.pid == other.get_backend_pid()
print(note.channel, note.payload)
"#;

const ASYNCPG: &str = r#"
import asyncio, asyncpg, os
async def main():
    async def session():
        return await asyncpg.connect(host="127.0.0.1", port=int(os.environ["SHOP_PORT"]), user="dba", database="shop")
    listener, other = await session(), await session()
    heard = asyncio.get_running_loop().create_future()
    await listener.add_listener("news", lambda connection, pid, channel, payload: heard.set_result((channel, payload)))
    async with other.transaction():
        await other.execute("SELECT pg_notify($1, $2)", "news", "from asyncpg")
    print(*await asyncio.wait_for(heard, 60))
    await listener.close()
    await other.close()
asyncio.run(main())
"#;

const NODE: &str = r"
const { Client } = require('pg');
const options = { host: '127.0.0.1', port: process.env.SHOP_PORT, user: 'dba', database: 'shop', password: process.env.PGPASSWORD };
(async () => {
  const [listener, other] = [new Client(options), new Client(options)];
  await listener.connect(); await other.connect();
  const heard = new Promise(resolve => listener.on('notification', resolve));
  await listener.query('LISTEN news');
  await other.query('SELECT pg_notify($1, $2)', ['news', 'from node-postgres']);
  const note = await heard;
  console.log(note.channel, note.payload);
  await listener.end(); await other.end();
})();
";

/// An interpreter that has a module, if there is one.
fn with_module(pythons: &[PathBuf], module: &str) -> Option<PathBuf> {
    let has = |python: &&PathBuf| {
        python.is_absolute()
            && python.exists()
            && process::run(
                Command::new(python).args(["-c", &format!("import {module}")]),
                b"",
            )
            .code
                == Some(0)
    };
    pythons.iter().find(has).cloned()
}

#[test]
fn drivers_hear_what_other_sessions_tell() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let pythons = ["/usr/bin/python3".into(), built.join("python/bin/python3")];
    let mut commands = Vec::new();
    for (module, script) in [("psycopg2", PSYCOPG2), ("asyncpg", ASYNCPG)] {
        let Some(python) = with_module(&pythons, module) else {
            println!("skipped: no python with {module}; tests/run.sh installs it");
            continue;
        };
        let mut command = Command::new(python);
        command.args(["-c", script]);
        commands.push((module, command));
    }
    if built.join("node/node_modules/pg").exists()
        && let Some(mut command) = programs::other("node")
    {
        command
            .env("NODE_PATH", built.join("node/node_modules"))
            .args(["-e", NODE]);
        commands.push(("node-postgres", command));
    } else {
        println!("skipped: node-postgres is not in target/node; tests/run.sh installs it");
    }
    let shop = Shop::open();
    for (name, mut command) in commands {
        let port = shop.server.address().port().to_string();
        command.env("PGPASSWORD", PASSWORD).env("SHOP_PORT", port);
        assert_eq!(
            process::run(&mut command, b"").ok(),
            format!("news from {name}\n")
        );
    }
}
