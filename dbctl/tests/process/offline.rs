//! Commands that need no server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::support::{dbctl, program, run, write};
use fwlog::{
    Begin, CommitHead, CommitNumber, DatabaseId, EnvironmentId, LogIdentity, LogLocation,
    PAGE_SIZE, PageNumber, RecordBuffer, SegmentStore, Timestamp, Writer, WriterOptions,
};
use tempfile::TempDir;

fn folder_with(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.cfg"), config);
    folder
}

fn in_folder(folder: &TempDir, words: &[&str]) -> Command {
    let mut command = dbctl();
    command
        .arg("-c")
        .arg(folder.path().join("a.cfg"))
        .args(words);
    command
}

#[test]
fn usage_mistakes_are_exit_2_and_help_is_a_result() {
    run(&mut dbctl()).fails(2);
    run(dbctl().args(["--nonsense", "status"])).fails(2);
    run(dbctl().args(["config", "nonsense"])).fails(2);
    for help in [vec!["-help"], vec!["--help"], vec!["help"]] {
        let text = run(dbctl().args(help)).ok();
        assert!(text.contains("  database dump NAME FILE "), "{text}");
        assert!(text.contains("Exit code: 0 done"), "{text}");
    }
    assert!(run(dbctl().args(["help", "fwlog"])).ok().contains("verify"));
}

#[test]
fn completions_need_no_server_and_know_its_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(dbctl().args(["completions", shell])).ok();
        for word in ["fwlog", "checksum"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    run(dbctl().args(["completions", "none"])).fails(2);
}

#[test]
fn config_check_reports_all_mistakes_with_their_lines() {
    let folder = folder_with("[Server]\nDataDir = d\nServise = 1\n[Replication]\nRole = Boss\n");
    let error = run(&mut in_folder(&folder, &["config", "check"])).fails(2);
    let name = folder.path().join("a.cfg").display().to_string();
    assert!(error.contains(&format!(
        "{name}:3: unknown key `Servise` in [Server]; did you mean Service?"
    )));
    assert!(
        error.contains(&format!("{name}:5: Role: `Boss` is not one of ")),
        "{error}"
    );
    let missing = run(dbctl().args(["-c", "/nonexistent/x.cfg", "config", "check"])).fails(2);
    assert!(missing.contains("/nonexistent/x.cfg"), "{missing}");
}

#[test]
fn config_check_says_ok_and_shows_warnings() {
    let folder = folder_with("[Server]\nDataDir = d\n[Replication]\nRole = Master\n");
    let done = run(&mut in_folder(&folder, &["config", "check"]));
    assert!(
        done.err.contains("a.cfg:4: Role = Master without FwLog"),
        "{done:?}"
    );
    assert!(done.ok().ends_with("a.cfg: ok\n"));
    let json = run(&mut in_folder(&folder, &["--json", "config", "check"])).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["ok"], json["warnings"].as_array().unwrap().len()),
        (&true.into(), 1)
    );
}

#[test]
fn config_get_prints_what_holds() {
    let folder = folder_with("[Server]\nDataDir = d\nMaxSessions = 7 # few\n");
    let get = |words: &[&str]| run(&mut in_folder(&folder, words)).ok();
    assert_eq!(get(&["config", "get", "maxsessions"]), "7\n");
    assert_eq!(get(&["config", "get", "ForwardLog.FwMaxSize"]), "256m\n");
    let section = get(&["config", "get", "Volumes"]);
    assert_eq!(
        section,
        "section  key      value  from\nVolumes  MaxSize      0  default\n"
    );
    assert!(get(&["config", "get"]).contains("MaxSessions"));
    let json: serde_json::Value =
        serde_json::from_str(&get(&["--json", "config", "get", "MaxSessions"])).unwrap();
    assert_eq!((&json["value"], &json["line"]), (&"7".into(), &3.into()));
    run(&mut in_folder(&folder, &["config", "get", "nonsense"])).fails(2);
}

#[test]
fn config_set_changes_one_line_and_keeps_all_else() {
    let folder = folder_with("# mine\n[Server]\nDataDir = d   # here\n\n[ForwardLog]\n# FwLog =\n");
    let path = folder.path().join("a.cfg");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    run(&mut in_folder(
        &folder,
        &["config", "set", "DataDir", "/srv/d"],
    ))
    .ok();
    run(&mut in_folder(
        &folder,
        &["config", "set", "FwLog", "/fwlog/fw-%N"],
    ))
    .ok();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        "# mine\n[Server]\nDataDir = /srv/d   # here\n\n[ForwardLog]\n# FwLog =\nFwLog = /fwlog/fw-%N\n"
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o604
    );
}

#[test]
fn config_set_never_writes_a_file_that_would_not_load() {
    let folder = folder_with("[Server]\nDataDir = d\n");
    for words in [
        ["FwMaxSize", "1x"],
        ["FwLog", "/fwlog/fw"],
        ["ServiceHttps", "8103"],
        ["Rol", "x"],
    ] {
        let error = run(in_folder(&folder, &["config", "set"]).args(words)).fails(2);
        assert!(error.contains(words[0]), "{error}");
    }
    let text = fs::read_to_string(folder.path().join("a.cfg")).unwrap();
    assert_eq!(text, "[Server]\nDataDir = d\n");
}

/// A copy of dbctl with a server beside it that only shows how it was called.
fn with_server(script: &str) -> TempDir {
    let folder = folder_with("[Server]\nDataDir = d\n[Replication]\nRole = Slave\n");
    fs::copy(env!("CARGO_BIN_EXE_dbctl"), folder.path().join("dbctl")).unwrap();
    let server = folder.path().join("dbserver");
    write(&server, &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn init(folder: &TempDir) -> Command {
    let mut command = program(folder.path().join("dbctl"));
    command
        .current_dir(folder.path())
        .args(["-c", "a.cfg", "init"]);
    command
}

#[test]
fn init_runs_the_server_beside_it_and_says_what_comes_next() {
    let folder = with_server("echo \"$@\" \"$EQ_DBPASSWORD\" >called");
    let text = run(init(&folder).env("EQ_DBPASSWORD", "sesame")).ok();
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert_eq!(called, "-c a.cfg --init sesame\n");
    assert!(text.contains("role        slave\n"), "{text}");
    assert!(
        text.contains("next step   dbserver -c a.cfg, then beside the master: dbrepl"),
        "{text}"
    );
    assert!(!text.contains("sesame"), "{text}");
}

#[test]
fn init_without_a_password_does_nothing() {
    let folder = with_server("echo called >called");
    let error = run(&mut init(&folder)).fails(2);
    assert!(error.contains("EQ_DBPASSWORD"), "{error}");
    run(init(&folder).env("EQ_DBPASSWORD", "")).fails(2);
    assert!(!folder.path().join("called").exists());
}

#[test]
fn init_gives_the_reason_and_the_code_of_the_server() {
    for (code, expected) in [(1, 1), (2, 2)] {
        let folder = with_server(&format!("echo 'there is one already' >&2; exit {code}"));
        let error = run(init(&folder).env("EQ_DBPASSWORD", "x")).fails(expected);
        assert!(error.contains("there is one already\n"), "{error}");
        assert!(error.contains("no environment was made in "), "{error}");
    }
}

/// Three segments with a commit each in `fwlog/` of a folder.
fn log_folder() -> TempDir {
    let folder = folder_with("[Server]\nDataDir = d\n[ForwardLog]\nFwLog = fwlog/fw-%N\n");
    let directory = folder.path().join("fwlog");
    fs::create_dir(&directory).unwrap();
    let store = SegmentStore::at(LogLocation::parse(directory.join("fw-%N")).unwrap(), 0o600);
    let identity = LogIdentity {
        environment: EnvironmentId::from_bytes([7; 16]),
        instance: "test".to_owned(),
        page_size: 4096,
    };
    let options = WriterOptions {
        compression: fwlog::Compression::None,
        ..WriterOptions::default()
    };
    let begin = Begin::Create;
    let writer =
        Writer::start(Arc::new(store), identity, options, begin, Box::new(|_| {})).unwrap();
    for number in 1..=3 {
        let mut records = RecordBuffer::default();
        let mut commit = records.begin_commit(CommitHead {
            number: CommitNumber::new(number),
            database: DatabaseId::new(1),
            time: Timestamp::now(),
            exclusive: false,
            page_count: 1,
            transaction: None,
        });
        commit.page_full(
            PageNumber::new(1),
            &[u8::try_from(number).unwrap(); PAGE_SIZE],
        );
        commit.finish();
        let commit = CommitNumber::new(number);
        writer.append(records, Some((commit, commit))).unwrap();
        writer.wait_durable(commit).unwrap();
        if number < 3 {
            writer.switch().unwrap();
        }
    }
    writer.close().unwrap();
    folder
}

#[test]
fn fwlog_list_shows_each_segment_in_order() {
    let folder = log_folder();
    let text = run(&mut in_folder(&folder, &["fwlog", "list"])).ok();
    let ids: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|l| l.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(ids, ["1-1", "1-2", "1-3"]);
    let json = run(&mut in_folder(&folder, &["--json", "fwlog", "list"])).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[1]["first_commit"], &json[1]["state"]),
        (&"2".into(), &"sealed".into())
    );
}

#[test]
fn fwlog_dump_shows_the_records_of_the_named_files() {
    let folder = log_folder();
    let file = folder.path().join("fwlog/fw-1-2");
    let text = run(dbctl().args(["fwlog", "dump"]).arg(&file)).ok();
    assert!(
        text.starts_with("segment 1-2 of environment 0707"),
        "{text}"
    );
    assert!(
        text.contains("commit 2 at ") && text.contains("pages: 1 full"),
        "{text}"
    );
    assert!(text.contains("seal at 1-2:"), "{text}");
    let json = run(dbctl().args(["--json", "fwlog", "dump"]).arg(&file)).ok();
    let block: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(block["first_commit"], "2");
}

#[test]
fn fwlog_verify_passes_a_good_log() {
    let folder = log_folder();
    let text = run(&mut in_folder(&folder, &["fwlog", "verify"])).ok();
    assert!(
        text.contains("commits  3\n") && text.contains("damage   none\n"),
        "{text}"
    );
    let directory = folder.path().join("fwlog");
    let json = run(dbctl().args(["--json", "fwlog", "verify"]).arg(directory)).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["segments"], &json["damage"]),
        (&3.into(), &serde_json::json!([]))
    );
}

fn overwrite(path: &Path, at: usize, byte: u8) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= byte;
    disk::Disk::real()
        .write_atomic(path, &content, 0o600)
        .unwrap();
}

#[test]
fn fwlog_verify_names_file_offset_and_kind_of_each_damage() {
    let folder = log_folder();
    let path = folder.path().join("fwlog/fw-1-2");
    let middle = usize::try_from(fs::metadata(&path).unwrap().len() / 2).unwrap();
    overwrite(&path, middle, 1);
    let done = run(&mut in_folder(&folder, &["fwlog", "verify"]));
    assert!(done.out.contains("fwlog/fw-1-2 at offset "), "{done:?}");
    assert!(done.fails(1).contains("damaged at 1 place"));

    overwrite(&folder.path().join("fwlog/fw-1-1"), 0, 1);
    let done = run(&mut in_folder(&folder, &["--json", "fwlog", "verify"]));
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let damage = json["damage"].as_array().unwrap();
    assert_eq!(damage.len(), 2, "{done:?}");
    assert!(
        damage[0]["file"].as_str().unwrap().ends_with("fw-1-1"),
        "{done:?}"
    );
    assert_eq!(done.code, 1);
}

#[test]
fn two_files_with_one_segment_are_named_with_how_they_differ_and_the_rest_is_read() {
    let folder = log_folder();
    let path = |name: &str| folder.path().join("fwlog").join(name);
    let copy = |from: &str, to: &str| {
        let content = fs::read(path(from)).unwrap();
        disk::Disk::real()
            .write_atomic(&path(to), &content, 0o600)
            .unwrap();
    };
    copy("fw-1-1", "fw-1-7");
    let listed = run(&mut in_folder(&folder, &["fwlog", "list"]));
    assert_eq!(listed.out.lines().count(), 5, "{listed:?}");
    assert!(listed.out.contains("twice"), "{listed:?}");
    let told = listed.fails(1);
    for part in ["fw-1-7: ", "fw-1-1", "with the same content"] {
        assert!(told.contains(part), "{told}");
    }
    overwrite(&path("fw-1-7"), 300, 1);
    let verified = run(&mut in_folder(&folder, &["fwlog", "verify"]));
    assert!(verified.out.contains("commits  3\n"), "{verified:?}");
    assert!(
        verified
            .out
            .contains("their contents differ from byte 300 on"),
        "{verified:?}"
    );
    assert!(verified.fails(1).contains("not whole at 1 place"));
}

#[test]
fn a_segment_that_is_missing_or_an_old_copy_is_not_called_damaged() {
    let folder = log_folder();
    let path = |name: &str| folder.path().join("fwlog").join(name);
    let verified = |words: &str| {
        let done = run(&mut in_folder(&folder, &["fwlog", "verify"]));
        assert!(done.out.contains(words), "{done:?}");
        assert!(!done.out.contains("damage   none"), "{done:?}");
        let told = done.fails(1);
        assert!(
            told.contains("the forward log is not whole at 1 place"),
            "{told}"
        );
        assert!(told.contains("no disk has damaged it"), "{told}");
    };
    let second = fs::read(path("fw-1-2")).unwrap();
    fs::remove_file(path("fw-1-2")).unwrap();
    verified("fw-1-3 at offset 0: does not go on from 1-1: segment 1-2 is missing");
    // As it was before it was sealed.
    let open = [&second[..second.len() - 68], &[0; 100]].concat();
    disk::Disk::real()
        .write_atomic(&path("fw-1-2"), &open, 0o600)
        .unwrap();
    verified("fw-1-2 at offset ");
    verified("the segment has a successor but no seal: it is an old copy, or its end is missing");
}

#[test]
fn fwlog_list_shows_files_that_cannot_be_read_where_they_belong_and_times_have_a_zone() {
    let folder = log_folder();
    overwrite(&folder.path().join("fwlog/fw-1-2"), 0, 1);
    let done = run(&mut in_folder(&folder, &["fwlog", "list"]));
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 4, "{done:?}");
    for (line, name) in lines.iter().skip(1).zip(["fw-1-1", "fw-1-2", "fw-1-3"]) {
        assert!(line.ends_with(name), "{done:?}");
    }
    assert!(lines[1].contains("Z  test  "), "{done:?}");
    assert!(lines[2].trim_start().starts_with("unreadable "), "{done:?}");
    let told = done.fails(1);
    assert!(
        told.contains("fw-1-2 at offset 0: not a forward-log segment"),
        "{told}"
    );
}

#[test]
fn fwlog_verify_misses_the_newest_segment() {
    let folder = log_folder();
    fs::remove_file(folder.path().join("fwlog/fw-1-3")).unwrap();
    let done = run(&mut in_folder(&folder, &["fwlog", "verify"]));
    assert!(
        done.out
            .contains("the log ends here, but was durable up to 1-3:"),
        "{done:?}"
    );
    assert_eq!(done.code, 1);
}

#[test]
fn fwlog_needs_files_or_a_configuration_that_names_them() {
    let folder = folder_with("[Server]\nDataDir = d\n");
    let error = run(&mut in_folder(&folder, &["fwlog", "list"])).fails(2);
    assert!(error.contains("FwLog is not set"), "{error}");
    run(dbctl().args(["fwlog", "verify", "/nonexistent/fw-1-1"])).fails(1);
}

/// Bug: a log whose disk is not mounted passed.
#[test]
fn fwlog_verify_of_no_segments_at_all_fails() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(dbctl().args(["fwlog", "verify"]).arg(folder.path())).fails(1);
    assert!(error.contains("nothing was verified"), "{error}");
    assert!(error.contains("mounted"), "{error}");
}

#[test]
fn audit_and_rows_of_no_segments_fail_after_their_options_were_checked() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["audit", "rows"] {
        let mut words = dbctl();
        words.args(["fwlog", command]).arg(folder.path());
        let error = run(&mut words).fails(1);
        assert!(error.contains("nothing was read"), "{error}");
        assert!(error.contains("mounted"), "{error}");
        let error = run(words.args(["--from", "some time"])).fails(2);
        assert!(error.contains("is no point in time"), "{error}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_told_as_all_others_are() {
    for words in [["config", "list"], ["config", "set"]] {
        let error = run(dbctl().args(words)).fails(2);
        assert!(error.starts_with("dbctl: "), "{error}");
        assert!(error.contains("\n  hint: "), "{error}");
        assert!(error.contains("usage: dbctl config"), "{error}");
        assert!(!error.contains("error:"), "{error}");
    }
    let error = run(dbctl().args(["--json", "config", "list"])).fails(2);
    assert!(error.starts_with("{\"error\":{"), "{error}");
}
