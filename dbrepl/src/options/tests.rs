//! What a command line and a file of options say, and what is refused.

use super::*;
use crate::error::ExitCode;
use std::ffi::OsString;

fn write(path: &Path, text: &str) {
    disk::Disk::real()
        .write_atomic(path, text.as_bytes(), 0o600)
        .unwrap();
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = "[Server]\nDataDir = data\n[ForwardLog]\nFwLog = log/fw-%N\n[Replication]\nRole = Master\n";
        write(&folder.path().join("m.cfg"), log);
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn check(&self, line: &str, environment: Environment<'_>) -> Result<Options, ShipError> {
        let words = format!("dbrepl -c {} {line}", self.path("m.cfg"));
        let raw = RawArguments::read(words.split_whitespace().map(OsString::from)).unwrap();
        Options::check(raw, environment)
    }
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn what_is_left_out_has_its_default() {
    let options = Folder::new().check(":8604", &nothing).unwrap();
    assert_eq!(options.slaves[0].to_string(), "127.0.0.1:8604");
    assert_eq!(
        (options.credentials.user.as_str(), options.goal),
        ("dba", Goal::Follow)
    );
    assert_eq!(
        (options.credentials.password, options.bandwidth),
        (None, None)
    );
    assert_eq!(options.source.role, dbproto::Role::Master);
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new();
    write(
        &folder.0.path().join("r.cfg"),
        "[dbrepl]\nserver = file:1\nuser = file\npassword = file\nsync = 1\nbandwidth = 64k\n",
    );
    let file = format!("-C {}", folder.path("r.cfg"));
    let variables = |name: &str| name.starts_with("EQ_DB").then(|| ":2".to_owned());

    let options = folder.check(&file, &nothing).unwrap();
    assert_eq!(
        (options.slaves[0].to_string(), options.credentials.user),
        ("file:1".to_owned(), "file".to_owned())
    );
    assert_eq!(
        (options.goal, options.bandwidth),
        (Goal::Synchronize, Some(64_000))
    );

    let options = folder.check(&file, &variables).unwrap();
    assert_eq!(options.slaves[0].to_string(), "127.0.0.1:2");
    assert_eq!(options.credentials.password, Some(Password::new(":2")));

    let line = format!("{file} -u line -p line -G -b 1m line:3");
    let options = folder.check(&line, &variables).unwrap();
    assert_eq!(
        (options.slaves[0].to_string(), options.credentials.user),
        ("line:3".to_owned(), "line".to_owned())
    );
    assert_eq!(options.credentials.password, Some(Password::new("line")));
    assert_eq!(
        (options.goal, options.bandwidth),
        (Goal::Generation, Some(1_000_000))
    );
}

#[test]
fn several_slaves_are_several_words_or_one_with_commas() {
    let folder = Folder::new();
    write(
        &folder.0.path().join("r.cfg"),
        "[dbrepl]\nserver = north:1, south:2\n",
    );
    let variables = |name: &str| (name == "EQ_DBSERVER").then(|| "east:3,:4".to_owned());
    let file = format!("-C {}", folder.path("r.cfg"));
    for (line, environment, slaves) in [
        ("a:1 b:2", &nothing as Environment<'_>, "a:1 b:2"),
        ("a:1,b:2", &nothing, "a:1 b:2"),
        ("", &variables, "east:3 127.0.0.1:4"),
        (&file, &nothing, "north:1 south:2"),
    ] {
        let options = folder.check(line, environment).unwrap();
        let named: Vec<_> = options.slaves.iter().map(ToString::to_string).collect();
        assert_eq!(named.join(" "), slaves, "{line}");
    }
}

#[test]
fn the_first_line_of_a_password_file_is_the_password() {
    let folder = Folder::new();
    write(&folder.0.path().join("pw"), "se cret\nrest\n");
    let options = folder.check(
        &format!("--password-file {} :1", folder.path("pw")),
        &nothing,
    );
    let options = options.unwrap();
    assert_eq!(options.credentials.password, Some(Password::new("se cret")));
    assert!(
        !format!("{options:?}").contains("cret"),
        "no log may show it"
    );
}

#[test]
fn mistakes_are_usage_errors_that_name_what_is_wrong() {
    let folder = Folder::new();
    for (line, words) in [
        ("", "no slave server"),
        ("a:b:c", "slave server address"),
        ("a:1 b:2 A:1", "A:1 is given twice"),
        (":no-such-service", "/etc/services"),
        ("8604", "is a number"),
        ("localhost:8102", "is the server whose log"),
        ("-S -G :1", "only one of"),
        ("-T tomorrow :1", "--until"),
        ("-b fast :1", "--bandwidth"),
        ("--delay 5 :1", "--delay"),
        ("--delay 5m --resync :1", "goes through no gate"),
        ("--filter cat --init always :1", "goes through no gate"),
        ("--connect-params 0 :1", "--connect-params: hard-tries"),
        ("--password-file /nowhere/pw :1", "/nowhere/pw"),
        ("--tls allow :1", "--tls: \"allow\" is none of"),
        ("--tls verify-full :1", "--ca-file names it"),
        ("--tls require --ca-file /nowhere/ca :1", "/nowhere/ca"),
        ("-C /nowhere/r.cfg :1", "/nowhere/r.cfg"),
    ] {
        let failure = folder.check(line, &nothing).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage, "{line}");
        assert!(failure.to_string().contains(words), "{line}: {failure}");
    }
}

#[test]
fn a_master_without_forward_log_is_refused() {
    let folder = Folder::new();
    write(&folder.0.path().join("m.cfg"), "[Server]\nDataDir = data\n");
    let failure = folder.check(":1", &nothing).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage);
    assert!(failure.to_string().contains("FwLog"), "{failure}");
}
