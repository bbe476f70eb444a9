//! What a program says on standard error has its severity where the journal reads it, and only there.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use dbtests::{Folder, Server, Settings, files, process, programs};

/// Runs a program that must fail, and gives the lines that a journal gets from it.
fn journal_of(command: &mut Command) -> Vec<String> {
    let (mut journal, program) = UnixStream::pair().expect("a line");
    let program = File::from(OwnedFd::from(program));
    let end = program.metadata().expect("known");
    command
        .env("JOURNAL_STREAM", format!("{}:{}", end.dev(), end.ino()))
        .stderr(program);
    assert!(!command.status().expect("an end").success());
    // The command holds the program's end of the line.
    command.stderr(Stdio::null());
    let mut text = String::new();
    journal.read_to_string(&mut text).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// A master that can't start: there is no environment in its directory. Its configuration has a
/// spelling that is warned about.
fn empty_master(folder: &Folder) -> Server {
    let settings = Settings::master().set("Replication", "RedicectWrite", "127.0.0.1:1");
    Server::prepare(folder.path(), settings)
}

#[test]
fn the_journal_gets_errors_as_errors_and_warnings_as_warnings() {
    let folder = Folder::new();
    let server = empty_master(&folder);
    let command = |program: &str| {
        let mut command = programs::ours(program);
        command.arg("-c").arg(server.config_path());
        command
    };

    let lines = journal_of(&mut command("dbserver"));
    let with = |lines: &[String], severity: &str, words: &str| {
        let found = lines
            .iter()
            .any(|line| line.starts_with(severity) && line.contains(words));
        assert!(found, "{severity}{words}: {lines:?}");
    };
    with(&lines, "<4>", "RedicectWrite");
    with(&lines, "<3>dbserver: ", "environment");
    with(&lines, "<3>hint: ", " init");

    // There is no log to send.
    let lines = journal_of(command("dbrepl").args(["-S", "127.0.0.1:1"]));
    with(&lines, "<4>R0: warning: ", "RedicectWrite");
    with(&lines, "<3>dbrepl: error: ", "fwlog");
}

#[test]
fn elsewhere_a_line_begins_with_its_words() {
    let folder = Folder::new();
    let server = empty_master(&folder);
    let mut command = programs::ours("dbserver");
    command.arg("-c").arg(server.config_path());
    // The variable is inherited by whoever a service starts.
    command.env("JOURNAL_STREAM", "1:2");
    let told = process::run(&mut command, b"").fails(1);
    assert!(told.contains("\ndbserver: "), "{told}");
    assert!(!told.contains("<3>"), "{told}");
}

#[test]
fn a_log_file_has_why_the_server_did_not_start() {
    let folder = Folder::new();
    let log = folder.join("server.log");
    let settings = Settings::master().set("Server", "LogFile", log.display());
    let server = Server::prepare(folder.path(), settings);
    let mut command = programs::ours("dbserver");
    command.arg("-c").arg(server.config_path());
    let told = process::run(&mut command, b"").fails(1);
    let told = told
        .lines()
        .find_map(|line| line.strip_prefix("dbserver: "))
        .unwrap();
    let written = String::from_utf8(files::read(&log)).unwrap();
    let line = written.lines().find(|line| line.contains("ERROR"));
    assert!(line.is_some_and(|line| line.ends_with(told)), "{written}");
}
