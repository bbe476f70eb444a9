//! Who is connected, and who is told to go; where the server's log goes on.

use std::fs;

use dbtests::{Folder, LONG, Server, Settings, wait_for};

#[test]
fn sessions_are_listed_and_ended_by_both_names_of_the_commands() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let names = |words: &[&str]| {
        let text = server.dbctl(words).ok();
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(names(&["list"]), names(&["session", "list"]));
    let is_there = |number: &str| {
        let sessions = server.dbctl(&["--json", "list"]).ok();
        let sessions: serde_json::Value = serde_json::from_str(&sessions).expect("JSON");
        let mut sessions = sessions.as_array().expect("an array").iter();
        sessions.any(|session| session["session"].to_string().trim_matches('"') == number)
    };
    for words in [&["session", "kill"][..], &["killthread"]] {
        let client = server.client("system");
        let number = client.value("SELECT pg_backend_pid()");
        assert!(is_there(&number));
        let told = server.dbctl(&[words, &[&number]].concat()).ok();
        let done = format!("session {number} is told to end");
        assert!(told.contains(&done), "{told}");
        wait_for("the session to be gone", LONG, || {
            (!is_there(&number)).then_some(())
        });
        assert!(client.try_rows("SELECT 1").is_err());
        let told = server.dbctl(&[words, &[&number]].concat()).fails(1);
        let gone = format!("there is no session {number}");
        assert!(told.contains(&gone), "{told}");
    }
    server.dbctl(&["killthread"]).fails(2);
    server.dbctl(&["list", "all"]).fails(2);
}

#[test]
fn the_log_goes_on_in_a_new_file_and_never_in_one_that_is_there() {
    let folder = Folder::new();
    let [first, moved, second] = ["first.log", "moved.log", "second.log"].map(|it| folder.join(it));
    let settings = Settings::master().set("Server", "LogFile", first.display());
    let mut server = Server::create(folder.path(), settings);
    server.start();
    let text = |path: &std::path::Path| fs::read_to_string(path).unwrap_or_default();
    let make = |name: &str| server.sql("system", &format!("CREATE DATABASE {name}"));
    fs::hard_link(&first, &moved).expect("another name");
    fs::remove_file(&first).expect("a file of ours");
    make("one");
    server.dbctl(&["logfile"]).ok();
    make("two");
    let path = second.display().to_string();
    server.dbctl(&["logfile", &path]).ok();
    make("three");
    for (path, name) in [(&moved, "one"), (&first, "two"), (&second, "three")] {
        assert!(
            text(path).contains(&format!("database {name} is made")),
            "{name}"
        );
    }
    let before = text(&moved);
    let told = server
        .dbctl(&["logfile", &moved.display().to_string()])
        .fails(1);
    assert!(told.contains("moved.log"), "{told}");
    make("four");
    assert!(text(&second).contains("database four is made"));
    assert_eq!(text(&moved), before);
    server.dbctl(&["logfile", "relative.log"]).fails(2);
}
