//! `/master` and `/replica`, and the proxy of `etc/haproxy.cfg`, which asks for them.

use std::net::SocketAddr;

use dbtests::port::Port;
use dbtests::process::Background;
use dbtests::{Client, Cluster, LONG, PASSWORD, Server, Settings, files, programs, wait_for};

use crate::http::get;
use crate::{master, with_page};

fn pair() -> Cluster {
    let cluster = Cluster::with(master(), with_page(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql("shop", "CREATE TABLE t (a int)");
    cluster.synchronize();
    cluster
}

fn promote(slave: &Server) {
    wait_for("the slave to miss its master", LONG, || {
        let run = slave.dbctl(&["replication", "promote"]);
        (run.code == Some(0)).then_some(())
    });
}

#[test]
fn one_server_says_that_it_is_the_master_and_slaves_that_they_are_replicas() {
    let mut cluster = pair();
    let says = |server: &Server, path: &str| {
        let answer = get(server, path);
        (answer.status, answer.body)
    };
    assert_eq!(says(&cluster.master, "/master"), (200, "ok\n".to_owned()));
    let (status, why) = says(&cluster.master, "/replica");
    assert_eq!((status, why.as_str()), (503, "this server is no slave\n"));
    let (status, why) = says(&cluster.slave, "/master");
    assert_eq!(status, 503);
    assert!(why.starts_with("This server is a slave"), "{why}");
    assert_eq!(says(&cluster.slave, "/replica").0, 200);
    assert_eq!(says(&cluster.slave, "/replica?max_lag=1s").0, 503);
    assert_eq!(says(&cluster.slave, "/replica?lag=1s").0, 400);
    cluster.master.kill9();
    promote(&cluster.slave);
    assert_eq!(says(&cluster.slave, "/master").0, 200);
    assert_eq!(says(&cluster.slave, "/replica").0, 503);
}

/// The sample, with the ports of this test.
fn configuration(cluster: &Cluster, ports: [&Port; 2]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/haproxy.cfg");
    let mut text = std::fs::read_to_string(path).expect("the sample");
    for (public, own) in ["bind :5432", "bind :5433"].into_iter().zip(ports) {
        assert!(text.contains(public), "{text}");
        text = text.replace(public, &format!("bind 127.0.0.1:{}", own.number()));
    }
    for (name, server) in [("north", &cluster.master), ("south", &cluster.slave)] {
        let public = format!("{name}.example.com:8102 check port 8103");
        assert!(text.contains(&public), "{text}");
        let http = server.http_address().port();
        let own = format!("{} check port {http}", server.address());
        text = text.replace(&public, &own);
    }
    text
}

fn reaches(port: &Port, recovers: &str) -> Option<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
    let client = Client::connect(address, "shop", PASSWORD).ok()?;
    let rows = client.try_rows("SELECT pg_is_in_recovery()").ok()?;
    (rows == [[Some(recovers.to_owned())]]).then_some(())
}

#[test]
fn a_proxy_follows_the_master() {
    let Some(mut haproxy) = programs::other("haproxy") else {
        println!("skipped: haproxy is not installed");
        return;
    };
    let mut cluster = pair();
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let (write, read) = (Port::claim(), Port::claim());
    let file = cluster.folder().join("haproxy.cfg");
    files::write(&file, configuration(&cluster, [&write, &read]));
    haproxy.arg("-db").arg("-f").arg(&file);
    let _proxy = Background::start(&mut haproxy, &cluster.folder().join("haproxy.log"));
    wait_for("the master behind the proxy", LONG, || reaches(&write, "f"));
    wait_for("the slave behind the proxy", LONG, || reaches(&read, "t"));
    follower.stop();
    cluster.master.kill9();
    promote(&cluster.slave);
    wait_for("the new master behind the proxy", LONG, || {
        reaches(&write, "f")
    });
    // There is no slave any more: readers go to the master.
    wait_for("the master for readers", LONG, || reaches(&read, "f"));
}
