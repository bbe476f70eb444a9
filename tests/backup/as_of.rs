//! `dbserver --as-of`: yesterday's rows beside today's.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use dbtests::port::Port;
use dbtests::process::{Background, run};
use dbtests::programs::ours;
use dbtests::{Client, LONG, PASSWORD, files, wait_for};

use crate::support::{Shop, commit, items};

/// The past as of a target, until it is dropped.
struct View {
    process: Background,
    port: Port,
}

fn command(shop: &Shop, target: &str, port: &Port) -> Command {
    let mut command = ours("dbserver");
    command.arg("-c").arg(shop.master.config_path());
    command.args(["--as-of", target, "--from", &shop.url]);
    command.args(["--service", &port.number().to_string()]);
    command
}

impl View {
    fn start(shop: &Shop, target: &str, log: &str) -> Self {
        let port = Port::claim();
        let mut command = command(shop, target, &port);
        let process = Background::start(&mut command, &shop.folder.join(log));
        Self { process, port }
    }

    fn client(&mut self, database: &str) -> Client {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.number()));
        wait_for("the past to be served", LONG, || {
            assert!(self.process.ended().is_none(), "{}", self.process.output());
            Client::connect(address, database, PASSWORD).ok()
        })
    }
}

/// The directories that views have there.
fn left(shop: &Shop) -> usize {
    files::list(&shop.master.folder().join("tmp"), "eloqdb-as-of-").len()
}

#[test]
fn the_past_is_read_beside_the_server_and_leaves_nothing_behind() {
    let shop = Shop::start();
    shop.sell(3);
    shop.create(&[]);
    shop.sell(2);
    let five = commit(&shop.master);
    shop.master.sql("shop", "DROP TABLE items");
    shop.archive(&shop.master).ok();
    let mut view = View::start(&shop, &five.to_string(), "view.log");
    let client = view.client("shop");
    assert_eq!(client.value("SELECT count(*) FROM items"), "5");
    assert_eq!(client.value("SELECT pg_is_in_recovery()"), "t");
    for write in [
        "INSERT INTO items (body) VALUES ('x')",
        "DROP TABLE items",
        "VACUUM",
    ] {
        client.refused(write);
    }
    client.refused("CREATE DATABASE other");
    client.refused("DBCTL 'database drop shop'");
    client.refused("DBCTL 'role master'");
    // The server goes on meanwhile, and the next view does not disturb the first.
    shop.master.sql(
        "shop",
        "CREATE TABLE items (id SERIAL PRIMARY KEY, body BYTEA)",
    );
    assert_eq!(items(&shop.master), 0);
    let mut other = View::start(&shop, &(five - 1).to_string(), "other.log");
    assert_eq!(
        other.client("shop").value("SELECT count(*) FROM items"),
        "3"
    );
    assert_eq!(left(&shop), 2);
    // One that was killed leaves its directory, which the next one removes.
    other.process.kill9();
    assert_eq!(left(&shop), 2);
    let mut third = View::start(&shop, &five.to_string(), "third.log");
    third.client("shop");
    assert_eq!(left(&shop), 2);
    assert!(third.process.terminate().success());
    drop(client);
    assert!(view.process.terminate().success());
    assert_eq!(left(&shop), 0);
}

#[test]
fn a_past_that_is_not_there_is_refused_and_leaves_nothing_behind() {
    let shop = Shop::start();
    shop.create(&[]);
    let port = Port::claim();
    let told = run(&mut command(&shop, "999999", &port), b"").fails(1);
    assert!(told.contains("what there is ends at"), "{told}");
    let told = run(&mut command(&shop, "yesterday", &port), b"").fails(1);
    assert!(told.contains("as of yesterday"), "{told}");
    assert_eq!(left(&shop), 0);
    let told = run(ours("dbserver").args(["--as-of", "1"]), b"").fails(2);
    assert!(told.contains("--from"), "{told}");
}
