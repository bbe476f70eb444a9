//! `[Archive NAME]`: the server archives its log by itself.

use std::fs;

use dbtests::process::run;
use dbtests::programs::ours;
use dbtests::{Folder, LONG, Server, Settings, wait_for};

use crate::support::{compare, dbctl};

/// A master with a section for the archive `near`, whose repository need not be there.
fn master(folder: &Folder, warn_behind: &str) -> (Server, String) {
    let url = format!("file://{}", folder.join("backup").display());
    let settings = Settings::master()
        .set("Archive Near", "Url", &url)
        .set("Archive Near", "Interval", "100ms")
        .set("Archive Near", "WarnBehind", warn_behind);
    (Server::create(folder.path(), settings), url)
}

fn state(master: &Server) -> String {
    let told = master.dbctl(&["--json", "source", "list"]).ok();
    let all: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let one = all
        .as_array()
        .and_then(|all| all.first())
        .expect("a source");
    assert_eq!(one["source"], "archive.near");
    one["state"].as_str().expect("a state").to_owned()
}

fn fill(master: &Server) {
    let rows =
        "INSERT INTO large (body) SELECT gen_random_bytes(30000) FROM generate_series(1, 10)";
    master.sql("shop", rows);
}

#[test]
fn a_server_archives_its_log_by_itself_to_its_very_end() {
    let folder = Folder::new();
    let (mut master, url) = master(&folder, "5m");
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    let table = "CREATE TABLE large (id SERIAL PRIMARY KEY, body BYTEA)";
    master.sql("shop", table);
    // What is not there yet is waited for.
    wait_for("a try", LONG, || {
        (state(&master) == "waiting").then_some(())
    });
    let told = master.dbctl(&["replication", "check"]);
    assert!(told.out.contains("archive.near"), "{}", told.out);
    dbctl(&["archive", "init", &url, "--name", "near"]).ok();
    fill(&master);
    wait_for("the archive", LONG, || {
        (state(&master) == "shipping").then_some(())
    });
    master.dbctl(&["forwardlog", "switch"]).ok();
    fill(&master);
    // An archive is no slave: that there is none is still said.
    let told = wait_for("the archive to be well", LONG, || {
        let told = master.dbctl(&["replication", "check"]).out;
        (!told.contains("archive.near")).then_some(told)
    });
    assert!(told.contains("no slave has been connected"), "{told}");
    let status = master.dbctl(&["--json", "replication", "status"]).ok();
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(
        (&status[0]["slave"], &status[0]["archive"]),
        (&"archive.near".into(), &true.into())
    );
    // What was committed just before a stop is archived with it.
    fill(&master);
    master.stop();
    dbctl(&["archive", "verify", &url]).ok();
    let into = folder.join("fetched");
    dbctl(&["archive", "fetch", &url, "all", &into.display().to_string()]).ok();
    assert!(compare(&into, &master.fwlog_dir()) >= 2);
}

#[test]
fn an_archive_that_lacks_something_for_too_long_is_told_of_by_the_server() {
    let folder = Folder::new();
    let (mut master, url) = master(&folder, "1s");
    dbctl(&["archive", "init", &url, "--name", "near"]).ok();
    master.start();
    wait_for("the archive", LONG, || {
        (state(&master) == "shipping").then_some(())
    });
    let told = |line: &str| master.log().matches(line).count();
    let behind = || told("archive.near lacks something since");
    let complete = || told("archive.near has all of the log again");
    // A machine that is slow may have had it late before.
    let before = behind();
    let (marker, kept) = (folder.join("backup/eloqdb.repository"), folder.join("kept"));
    fs::copy(&marker, &kept).expect("a copy");
    fs::remove_file(&marker).expect("it is no repository any more");
    master.sql("system", "CREATE DATABASE shop");
    wait_for("a warning", LONG, || {
        (behind() > before && behind() > complete()).then_some(())
    });
    let check = master.dbctl(&["replication", "check"]);
    assert!(check.out.contains("archive.near"), "{}", check.out);
    fs::copy(&kept, &marker).expect("a repository again");
    wait_for("the archive to be complete", LONG, || {
        (complete() == behind()).then_some(())
    });
}

#[test]
fn dbrepl_takes_an_archive_by_the_name_of_its_section() {
    let folder = Folder::new();
    let (mut master, url) = master(&folder, "0");
    dbctl(&["archive", "init", &url, "--name", "other"]).ok();
    master.start();
    // The server does not write into a repository with another name.
    wait_for("a refusal", LONG, || {
        (state(&master) == "refused").then_some(())
    });
    master.stop();
    let archive = |name: &str| {
        let mut command = ours("dbrepl");
        command.arg("-c").arg(master.config_path());
        run(command.args(["-S", "--archive", name]), b"")
    };
    let told = archive("near").fails(2);
    assert!(
        told.contains("is called 'other'") && told.contains("[Archive other]"),
        "{told}"
    );
    let told = archive("far").fails(2);
    assert!(told.contains("no [Archive far]"), "{told}");
    fs::remove_dir_all(folder.join("backup")).expect("it goes");
    dbctl(&["archive", "init", &url, "--name", "near"]).ok();
    archive("NEAR").ok();
    dbctl(&["archive", "verify", &url]).ok();
}
