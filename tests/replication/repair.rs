//! Damaged pages that the own log does not have come from another server by themselves (`RepairFrom`).

use std::path::PathBuf;

use dbtests::{Cluster, LONG, PASSWORD, Refusal, Server, Settings, files, wait_for};

use crate::shop::{SHOP, open, sell};

const PEER_USER: &str = "mender";
const COUNT: &str = "SELECT count(*) FROM item";
const ROWS: u32 = 200;
/// Where the table is.
const PAGE: u64 = 2;

fn shop(server: &Server) -> PathBuf {
    server.data_dir().join("db/shop.db")
}

fn damage(server: &Server) {
    // All but the first: wherever the table is.
    let pages = files::read(&shop(server)).len() as u64 / 4096;
    for page in 1..pages {
        files::flip(&shop(server), page * 4096 + 100);
    }
}

/// A connection of its own: no other has the page in its cache.
fn count(server: &Server) -> String {
    server.sql(SHOP, COUNT)[0][0].clone()
}

fn refused(server: &Server) -> Refusal {
    let refused = server.client(SHOP).refused(COUNT);
    assert_eq!(refused.code, "XX001", "{refused:?}");
    refused
}

/// Two servers whose logs do not go back to where the pages were made, with a user that is no dba.
fn cluster() -> Cluster {
    let with_login = |settings: Settings| {
        settings
            .set("Server", "RepairFrom", "log")
            .set("Server", "ScrubRate", "0")
            .set("Replication", "PeerUser", PEER_USER)
            .set("Replication", "PeerPasswordFile", "peer-password")
    };
    let cluster = Cluster::with(
        with_login(Settings::master()),
        with_login(Settings::slave()),
    );
    let user = ["user", "create", PEER_USER, "--privilege", "operator"];
    cluster.master.dbctl_with_new_password(&user, PASSWORD).ok();
    open(&cluster.master);
    sell(&cluster.master, ROWS);
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    for server in [&cluster.master, &cluster.slave] {
        server.dbctl(&["checkpoint"]).ok();
        let segments = server.segments();
        let (_, older) = segments.segments().split_last().expect("a segment");
        assert!(!older.is_empty());
        for segment in older {
            files::hide(&segment.path);
        }
        let place = server.config_path().with_file_name("peer-password");
        files::write_private(&place, PASSWORD);
    }
    cluster
}

/// As SIGHUP takes it.
fn repair_from(server: &mut Server, from: &str) {
    server.reconfigure(|settings| settings.set("Server", "RepairFrom", from));
    server.process().signal("HUP");
    let told = format!("SIGHUP: RepairFrom is {from} now");
    wait_for("the configuration to be read", LONG, || {
        server.log().contains(&told).then_some(())
    });
}

#[test]
fn a_statement_that_meets_a_page_that_the_log_lacks_gets_it_from_a_peer() {
    let mut cluster = cluster();
    let Cluster { master, slave, .. } = &mut cluster;
    let (of_master, of_slave) = (master.address().to_string(), slave.address().to_string());
    for (server, peer) in [(&mut *master, of_slave), (&mut *slave, of_master)] {
        let whole = files::read(&shop(server));
        damage(server);
        // The log alone has it no more.
        let told = refused(server).message;
        assert!(told.contains("; it can't be repaired: the log"), "{told}");
        repair_from(server, &format!("log, 127.0.0.1:1, {peer}"));
        assert_eq!(count(server), ROWS.to_string());
        let wanted = format!("repaired from {peer}: ");
        let log = server.log();
        assert!(log.contains(&wanted), "{log}");
        assert!(log.contains(&format!("page {PAGE} at byte offset 4096 does not fit")));
        assert!(files::read(&shop(server)) == whole, "all are written");
        // By a start in the same way.
        server.stop();
        damage(server);
        server.start();
        assert!(files::read(&shop(server)) == whole);
        assert_eq!(count(server), ROWS.to_string());
    }
    dbtests::compare::databases(master, slave);
}

#[test]
fn where_no_peer_can_help_the_statement_says_of_each_why() {
    let mut cluster = cluster();
    let Cluster { master, slave, .. } = &mut cluster;
    let whole = files::read(&shop(master));
    let (of_master, of_slave) = (master.address().to_string(), slave.address().to_string());
    repair_from(slave, &of_master);
    slave.stop();
    damage(master);
    repair_from(master, &format!("log, 127.0.0.1:1, {of_slave}"));
    let told = refused(master).message;
    let begins = "does not fit its checksum; it can't be repaired: the log ";
    assert!(told.contains(begins), "{told}");
    for peer in ["127.0.0.1:1", &of_slave] {
        let why = told.split("; ").find(|why| why.starts_with(peer));
        let why = why.unwrap_or_else(|| panic!("nothing of {peer}: {told}"));
        assert!(why.contains("refused"), "{why}");
    }
    // A peer that is damaged as well gives nothing; and the two, which ask one another, do not wait for one another.
    slave.start();
    damage(slave);
    wait_for("the slave to be asked again", LONG, || {
        let told = refused(master).message;
        told.contains("the page is damaged there, too")
            .then_some(())
    });
    let told = refused(slave).message;
    assert!(
        told.contains(&format!("{of_master}: the page is damaged there, too")),
        "{told}"
    );
    // What it has at another commit is another page.
    files::write(&shop(master), &whole);
    master.sql(SHOP, "UPDATE item SET name = name || '!'");
    repair_from(slave, &format!("log, {of_master}"));
    let told = refused(slave).message;
    assert!(
        told.contains(&format!("{of_master} has another page at commit")),
        "{told}"
    );
    let verdict = slave.dbctl(&["database", "verify", SHOP]);
    assert_eq!(verdict.code, Some(1), "{verdict:?}");
    // The statement answers as soon as the same is to be had.
    files::write(&shop(slave), &whole);
    assert_eq!(count(slave), ROWS.to_string());
}

#[test]
fn a_peer_is_asked_as_its_user_and_of_the_same_environment() {
    let mut cluster = cluster();
    let other = cluster.folder().join("elsewhere");
    std::fs::create_dir(&other).expect("a folder");
    let Cluster { master, slave, .. } = &mut cluster;
    damage(slave);
    let mut stranger = Server::create(&other, Settings::master());
    stranger.start();
    let user = ["user", "create", PEER_USER, "--privilege", "operator"];
    stranger.dbctl_with_new_password(&user, PASSWORD).ok();
    repair_from(slave, &format!("log, {}", stranger.address()));
    let told = refused(slave).message;
    assert!(
        told.contains("this server has another environment ("),
        "{told}"
    );
    let place = slave.config_path().with_file_name("peer-password");
    files::write_private(&place, "a wrong one");
    repair_from(slave, &master.address().to_string());
    let told = refused(slave).message;
    assert!(told.contains("password authentication failed"), "{told}");
    files::write_private(&place, PASSWORD);
    let of_master = format!("log, {}", master.address());
    repair_from(slave, &of_master);
    assert_eq!(count(slave), ROWS.to_string());
}
