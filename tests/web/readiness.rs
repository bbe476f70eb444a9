//! `/healthz` and `/readyz`.

use dbtests::{Cluster, Folder, LONG, Server, Settings, SmallDisk, wait_for, where_mounting_works};

use crate::http::{Answer, get};
use crate::{master, with_page};

#[test]
fn a_master_is_ready_whatever_lag_is_allowed_and_a_bad_parameter_is_said_to_be_one() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    for path in [
        "/healthz",
        "/readyz",
        "/readyz?max_lag=0",
        "/readyz?max_lag=5s",
    ] {
        let answer = get(&server, path);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "ok\n"),
            "{path}"
        );
    }
    for path in [
        "/readyz?max_lag=soon",
        "/readyz?max_lag=",
        "/readyz?lag=5",
        "/readyz?max_lag=-1s",
    ] {
        let answer = get(&server, path);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert!(answer.body.contains("max_lag"), "{path}: {}", answer.body);
    }
}

#[test]
fn a_slave_is_ready_while_it_hears_its_source_and_is_near_enough() {
    let cluster = Cluster::with(master(), with_page(Settings::slave()));
    let slave = &cluster.slave;
    assert_eq!(get(slave, "/healthz").status, 200);
    let empty = get(slave, "/readyz");
    assert_eq!(empty.status, 503);
    assert!(empty.body.contains("the slave is empty"), "{}", empty.body);

    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql("shop", "CREATE TABLE t (a int)");
    cluster.synchronize();
    // Of use, as far as nobody asks how old what it shows is.
    assert_eq!(get(slave, "/readyz").status, 200);
    let alone = get(slave, "/readyz?max_lag=1h");
    assert_eq!(alone.status, 503);
    assert!(alone.body.starts_with("not connected"), "{}", alone.body);

    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let ready = |wanted: u16| -> Answer {
        wait_for("the slave to be ready, or not", LONG, || {
            let answer = get(slave, "/readyz?max_lag=0");
            (answer.status == wanted).then_some(answer)
        })
    };
    ready(200);
    let reader = wait_for("the mode", LONG, || slave.client_in_mode("shop", 7).ok());
    cluster.master.sql("shop", "INSERT INTO t VALUES (1)");
    let behind = ready(503);
    assert!(
        behind.body.contains("s behind, 0 s are allowed"),
        "{}",
        behind.body
    );
    assert_eq!(get(slave, "/readyz?max_lag=1h").status, 200);
    drop(reader);
    ready(200);
    follower.stop();
    wait_for("the slave to miss its source", LONG, || {
        (get(slave, "/readyz?max_lag=1h").status == 503).then_some(())
    });
}

#[test]
fn a_master_that_refuses_writes_is_neither_well_nor_ready_and_says_why() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let settings = master().set("ForwardLog", "FwLog", "../disk/fw-%N").set(
            "ForwardLog",
            "FwMaxSize",
            "4m",
        );
        let mut server = Server::create(folder.path(), settings);
        server.start();
        server.sql("system", "CREATE DATABASE shop");
        let client = server.client("shop");
        client.run("CREATE TABLE t (a text)");
        disk.fill(3 << 20);
        wait_for("the disk to be full", LONG, || {
            let insert = "INSERT INTO t SELECT encode(gen_random_bytes(20000), 'hex')";
            client.try_rows(insert).err()
        });
        for path in ["/healthz", "/readyz"] {
            let answer = wait_for("the refusal", LONG, || {
                let answer = get(&server, path);
                (answer.status == 503).then_some(answer)
            });
            assert!(answer.body.starts_with("forward log: "), "{}", answer.body);
        }
        let page = crate::http::text(&server, "/");
        assert!(
            page.contains("Trouble") && page.contains("Forward log</strong>"),
            "{page}"
        );
        let metrics = crate::grammar::read(&crate::http::text(&server, "/metrics"));
        assert_eq!(metrics["eloqdb_healthy"].only(), 0);
        assert_eq!(metrics["eloqdb_trouble"].of(&[("part", "log")]), Some(1.0));
        assert_eq!(metrics["eloqdb_disk_low"].of(&[("use", "log")]), Some(1.0));
        disk.make_room();
        wait_for("writes to be taken again", LONG, || {
            (get(&server, "/healthz").status == 200).then_some(())
        });
        client.run("INSERT INTO t VALUES ('x')");
    });
}
