//! A server alone: its journal is what it recovers from.

use dbtests::{Folder, Server, Settings, files};

fn alone() -> Settings {
    Settings::new("alone", "Standalone").without("ForwardLog", "FwLog")
}

fn count(server: &Server) -> String {
    server.sql("shop", "SELECT count(*) FROM item")[0][0].clone()
}

/// Kills the server again and again while rows come in.
fn survives(settings: Settings) {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql(
        "shop",
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)",
    );
    for round in 1..=6_u32 {
        let client = server.client("shop");
        for _ in 0..50 {
            client.run("INSERT INTO item (name) VALUES ('x')");
        }
        if round % 2 == 0 {
            server.dbctl(&["checkpoint"]).ok();
            client.run("UPDATE item SET name = 'y' WHERE id % 7 = 0");
        }
        server.kill9();
        server.start();
        assert_eq!(count(&server), (round * 50).to_string());
        assert_eq!(server.command("database verify shop")["result"], "ok");
    }
    let journal = server.data_dir().join("journal");
    let kept = files::list(&journal, "fw-").len();
    server.dbctl(&["checkpoint"]).ok();
    server.restart();
    server.dbctl(&["checkpoint"]).ok();
    assert!(
        files::list(&journal, "fw-").len() <= kept,
        "the journal is recycled"
    );
    assert_eq!(count(&server), "300");
    server.stop();
}

#[test]
fn a_server_without_forward_logging_recovers_from_its_journal() {
    survives(alone());
}

#[test]
fn without_waiting_for_the_disk_a_killed_process_still_loses_nothing() {
    survives(alone().set("Server", "SyncMode", "0"));
}

#[test]
fn forward_logging_is_begun_by_the_configuration_and_ended_by_a_command() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), alone());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql("shop", "CREATE TABLE item (id SERIAL PRIMARY KEY)");
    std::fs::create_dir_all(server.fwlog_dir()).unwrap();
    let with = |settings: Settings| settings.set("ForwardLog", "FwLog", "fwlog/fw-%N");
    let without = |settings: Settings| settings.without("ForwardLog", "FwLog");
    for round in 0..3 {
        server.sql("shop", &format!("INSERT INTO item VALUES ({round})"));
        server.kill9();
        server.reconfigure(with);
        server.start();
        assert_eq!(
            server.command("forwardlog status")["forward log"],
            "enabled"
        );
        server.kill9();
        // The segments are what it recovers from: it must know where they are.
        server.reconfigure(without);
        let told = server.try_start().expect_err("no log").fails(1);
        assert!(told.contains("FwLog is not set"), "{told}");
        server.reconfigure(with);
        server.start();
        server.dbctl(&["forwardlog", "disable"]).ok();
        server.kill9();
        server.reconfigure(without);
        server.start();
        assert_eq!(
            server.command("forwardlog status")["forward log"],
            "disabled"
        );
        assert_eq!(count(&server), (round + 1).to_string());
    }
    // Each time it was begun, a generation began.
    let generations: Vec<_> = server
        .segments()
        .segments()
        .iter()
        .map(|segment| segment.id.generation.get())
        .collect();
    assert!(generations.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(generations.last(), Some(&4));
}
