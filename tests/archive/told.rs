//! What is archived comes back byte for byte, and what there is to say is said.

use dbtests::process::run;
use dbtests::programs::ours;
use dbtests::{Follower, LONG, Server, Settings, files, follower, wait_for};
use serde_json::Value;

use crate::support::{Archived, compare, dbctl, told};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn what_was_archived_is_fetched_byte_for_byte() {
    let mut archived = Archived::start();
    archived.grow(2);
    let first = told(archived.archive(&["--part-size", "64k"]));
    assert!(first.contains("R1: archived up to 1-1:"), "{first}");
    assert!(
        first.contains("R1: archive is up-to-date until 20"),
        "{first}"
    );
    archived.grow(2);
    archived.fill();
    archived.master.restart();
    archived.fill();
    archived.master.stop();
    let second = told(archived.archive(&["--part-size", "64k"]));
    assert!(!second.contains("archived up to 1-1:"), "{second}");
    assert!(archived.compare("fetched") >= 6);
    // Once more into the same directory: what is there is the same, and is left.
    assert!(archived.compare("fetched") >= 6);
    let one = archived.folder.join("one");
    let into = one.display().to_string();
    archived.dbctl(&["fetch", "1-2..1-3", &into]).ok();
    assert_eq!(files::list(&one, "fw-").len(), 2);
    files::write(&one.join("fw-1-2"), b"another file");
    let told = archived.dbctl(&["fetch", "1-2", &into]).fails(1);
    assert!(told.contains("is not what the archive has"), "{told}");
    let told = archived.dbctl(&["fetch", "1-2..7-1", &into]).fails(1);
    assert!(told.contains("no segment 7-1"), "{told}");
}

#[test]
fn status_list_and_verify_say_how_far_the_archive_is() {
    let archived = Archived::start();
    let told = archived.dbctl(&["status"]).fails(1);
    assert!(told.contains("has no log"), "{told}");
    archived.grow(1);
    archived.fill();
    archived.archive(&[]).ok();
    let status = archived.dbctl(&["status", "--json"]).ok();
    let status = json(&status);
    assert_eq!(status["name"], "backup");
    let end = archived.master.command("forwardlog status")["durable"].clone();
    let position = status["archived"].as_str().expect("a position");
    assert!(end.starts_with(position), "{end} {position}");
    let told = archived.dbctl(&["status", "--warn-behind", "0"]).fails(1);
    assert!(told.contains("does its dbrepl run"), "{told}");
    let list = archived.dbctl(&["list"]).ok();
    assert!(
        list.contains("create") && list.contains(", no gap"),
        "{list}"
    );
    let list = json(&archived.dbctl(&["list", "--json"]).ok());
    assert_eq!(list[0]["instance"], "master");
    let verified = json(&archived.dbctl(&["verify", "--json"]).ok());
    assert_eq!(verified["findings"], Value::Array(Vec::new()));
    assert_eq!(verified["histories"][0]["ends"], status["archived"]);
}

#[test]
fn a_mistake_is_named_and_nothing_is_made() {
    let archived = Archived::start();
    let dbrepl = |words: &[&str]| {
        let mut command = ours("dbrepl");
        command.arg("-c").arg(archived.master.config_path());
        run(command.args(words), b"")
    };
    let url = archived.url.as_str();
    for (words, code, part) in [
        (&["-S", "ftp://host/x"][..], 2, "file:///DIRECTORY"),
        (&["-S", url, "north:8102"], 2, "only target"),
        (&["-S", "-u", "dba", url], 2, "--user is for slaves"),
        (&["-T", "2026-01-01", url], 2, "--until is for slaves"),
        (&["-S", "--part-size", "1k", url], 2, "64k"),
        (
            &["-S", "--interval", "1s", "north:8102"],
            2,
            "for archives alone",
        ),
        (&["-S", "file:///nowhere/at/all"], 3, "no repository"),
    ] {
        let told = dbrepl(words).fails(code);
        assert!(told.contains(part), "{words:?}: {told}");
    }
    let again = dbctl(&["archive", "init", url]).fails(1);
    assert!(again.contains("is a repository already"), "{again}");
    for words in [
        &["list", "file:///nowhere"][..],
        &["verify", "file:///nowhere"],
    ] {
        let words: Vec<&str> = ["archive"].iter().chain(words).copied().collect();
        let told = dbctl(&words).fails(3);
        assert!(told.contains("no repository"), "{told}");
    }
    assert_eq!(
        files::list(&archived.repository, "").len(),
        2,
        "marker and tmp"
    );
}

#[test]
fn a_promoted_slave_goes_on_in_the_archive_of_its_master() {
    let archived = Archived::start();
    let mut slave = Server::create(archived.folder.path(), Settings::slave());
    slave.start();
    follower::replicate(&archived.master, &slave, &["-S"]).ok();
    archived.grow(1);
    archived.fill();
    follower::replicate(&archived.master, &slave, &["-S"]).ok();
    // What the slave has not is archived, too.
    archived.fill();
    archived.archive(&[]).ok();
    slave.dbctl(&["replication", "promote"]).ok();
    slave.sql("shop", "INSERT INTO large (body) VALUES ('new')");
    slave.stop();
    let mut command = ours("dbrepl");
    command.arg("-c").arg(slave.config_path());
    let told = told(run(command.args(["-S", "-v", &archived.url]), b""));
    assert!(told.contains("archived up to 2-1:"), "{told}");
    let into = archived.folder.join("fetched");
    archived
        .dbctl(&["fetch", "all", &into.display().to_string()])
        .ok();
    assert!(compare(&into, &slave.fwlog_dir()) >= 3);
    let list = json(&archived.dbctl(&["list", "--json"]).ok());
    assert_eq!(list[1]["reason"], "promote");
    archived.dbctl(&["verify"]).ok();
}

#[test]
fn another_history_of_the_same_generation_is_refused_and_nothing_is_written() {
    let mut archived = Archived::start();
    archived.fill();
    archived.master.stop();
    let settings = Settings::new("twin", "Master").set("Server", "Instance", "master");
    let mut twin = Server::prepare(archived.folder.path(), settings);
    for directory in ["data", "fwlog"] {
        let (from, to) = (archived.master.folder(), twin.folder());
        files::copy_directory(&from.join(directory), &to.join(directory));
    }
    twin.start();
    twin.sql("shop", "INSERT INTO large (body) VALUES ('twin')");
    twin.stop();
    archived.master.start();
    archived.fill();
    archived.archive(&[]).ok();
    let before = archived.dbctl(&["list", "--json"]).ok();
    let mut command = ours("dbrepl");
    command.arg("-c").arg(twin.config_path());
    let told = run(command.args(["-S", &archived.url]), b"").fails(5);
    assert!(
        told.contains("R0002") && told.contains("has not the log's 1-"),
        "{told}"
    );
    assert_eq!(archived.dbctl(&["list", "--json"]).ok(), before);
    archived.dbctl(&["verify"]).ok();
}

#[test]
fn it_follows_the_master_and_goes_on_when_the_repository_is_back() {
    let mut archived = Archived::start();
    let mut follower = Follower::run(
        archived.dbrepl(&["-v", "--interval", "10ms", "--part-size", "64k"]),
        archived.folder.join("dbrepl.log"),
    );
    archived.fill();
    follower.wait_for_line("archived up to");
    follower.wait_for_line("archive is up-to-date until");
    let marker = archived.repository.join("eloqdb.repository");
    let hidden = files::hide(&marker);
    archived.fill();
    follower.wait_for_line("trying again");
    files::unhide(&hidden);
    follower.wait_for_line("the archive goes on");
    archived.fill();
    archived.master.stop();
    let end = archived.master.segments().segments().last().map(|it| it.id);
    let end = format!("archived up to {}:", end.expect("a segment"));
    wait_for("the end to be archived", LONG, || {
        let sealed = archived.dbctl(&[
            "fetch",
            "all",
            &archived.folder.join("f").display().to_string(),
        ]);
        let all = sealed.code == Some(0) && !sealed.out.contains(" open ");
        (follower.output().contains(&end) && all).then_some(())
    });
    follower.stop();
    archived.dbctl(&["verify"]).ok();
}
