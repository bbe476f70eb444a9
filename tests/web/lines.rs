//! Log lines as JSON.

use dbtests::{Client, Folder, LONG, Server, Settings, wait_for};
use serde_json::Value;

/// Each line, which must be an object with what every line has.
#[track_caller]
fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            let time = value["time"].as_str().expect("a time");
            assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "{line}");
            let level = value["level"].as_str().expect("a level");
            assert!(
                ["error", "warn", "info", "debug", "trace"].contains(&level),
                "{line}"
            );
            assert!(
                value["target"].is_string() && value["message"].is_string(),
                "{line}"
            );
            value
        })
        .collect()
}

fn find<'a>(lines: &'a [Value], message: &str) -> &'a Value {
    let found = lines.iter().find(|line| line["message"] == message);
    found.unwrap_or_else(|| panic!("{message}: {lines:#?}"))
}

fn json() -> Settings {
    Settings::master().set("Server", "LogFormat", "json")
}

#[test]
fn every_line_of_a_servers_life_is_an_object_with_its_fields() {
    let folder = Folder::new();
    let settings = json()
        .set("Server", "LogFlags", "debug")
        .set("Server", "LogSlow", "50ms");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE \"a\"\"b\"");
    server.sql("system", "SELECT pg_sleep(0.1), 'slow'");
    let mut wrong = Client::config(server.address(), "system", "wrong");
    wrong.user("no\"body");
    for _ in 0..10 {
        assert!(Client::with(&wrong).is_err());
    }
    server.process().signal("HUP");
    wait_for("the end of the reload", LONG, || {
        server
            .log()
            .contains("LogFlags is read again")
            .then_some(())
    });
    server.kill9();
    server.start();
    server.stop();
    let lines = lines(&server.log());
    assert_eq!(
        find(&lines, "ready")["addresses"][0],
        server.address().to_string()
    );
    let made = find(&lines, "database a\"b is made");
    assert_eq!(
        (&made["user"], &made["level"]),
        (&"dba".into(), &"info".into())
    );
    assert!(
        made["address"]
            .as_str()
            .is_some_and(|it| it.starts_with("127.0.0.1:")),
        "{made}"
    );
    let slow = find(&lines, "slow statement");
    assert_eq!(
        (&slow["target"], &slow["rows"]),
        (&"slow".into(), &1.into())
    );
    assert!(
        slow["duration_seconds"]
            .as_f64()
            .is_some_and(|it| it > 0.05),
        "{slow}"
    );
    let refused = find(&lines, "access refused");
    assert_eq!(
        (&refused["user"], &refused["host"]),
        (&"no\"body".into(), &"127.0.0.1".into())
    );
    let told = lines
        .iter()
        .filter(|line| line["message"] == "access refused");
    assert_eq!(told.count(), 3, "what comes again is counted");
    let killed = lines
        .iter()
        .filter(|line| line["message"].to_string().contains("not stopped cleanly"));
    assert_eq!(killed.count(), 1, "{lines:#?}");
    find(&lines, "stopped");
}

#[test]
fn what_keeps_a_server_from_starting_is_an_object_too() {
    let folder = Folder::new();
    let mut first = Server::create(folder.path(), json());
    first.start();
    let mut second = Server::create(folder.path(), json().named("second"));
    second.share_port_of(&first);
    let run = second.try_start().expect_err("the port is taken");
    let lines = lines(&run.err);
    let last = lines.last().expect("a line");
    assert_eq!(last["level"], "error");
    assert!(
        last["message"]
            .as_str()
            .is_some_and(|it| it.contains("cannot listen on")),
        "{last}"
    );
}

#[test]
fn the_log_file_is_opened_anew_as_ever() {
    let folder = Folder::new();
    let log = folder.join("server.json");
    let mut server = Server::create(
        folder.path(),
        json().set("Server", "LogFile", log.display()),
    );
    server.start();
    let next = folder.join("next.json");
    server.dbctl(&["logfile", &next.display().to_string()]).ok();
    server.sql("system", "CREATE DATABASE shop");
    server.stop();
    let read = |path| lines(&dbtests::process::read_log(path));
    find(&read(&log), "ready");
    find(&read(&next), "database shop is made");
}
