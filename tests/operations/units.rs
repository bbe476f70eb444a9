//! The units for systemd, as far as they can be tried without it as the first process.

use std::collections::BTreeMap;

use dbtests::{Cluster, Folder, files, process, programs};

/// A unit, and its settings by name; one that is set again has its lines joined.
fn unit(name: &str) -> (String, BTreeMap<String, String>) {
    let path = dbtests::data::manifest("../etc").join(name);
    let text = String::from_utf8(files::read(&path)).expect("text");
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, value)) = line.split_once('=') {
            settings.entry(key.to_owned()).or_default().push_str(value);
        }
    }
    (text, settings)
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let folder = Folder::new();
    if programs::other("systemd-analyze").is_none() {
        // Not every machine has it; what the units must say is looked at below.
        return;
    }
    for (name, as_file, program) in [
        ("eloqdb-server.service", "eloqdb-server.service", "dbserver"),
        (
            "eloqdb-repl@.service",
            "eloqdb-repl@north.service",
            "dbrepl",
        ),
        ("eloqdb-backup.service", "eloqdb-backup.service", "dbctl"),
        ("eloqdb-verify.service", "eloqdb-verify.service", "dbctl"),
    ] {
        let (text, _) = unit(name);
        let installed = format!("ExecStart=/usr/bin/{program} ");
        assert!(text.contains(&installed), "{text}");
        let here = programs::ours(program).get_program().to_owned();
        let text = text.replace(
            &installed,
            &format!("ExecStart={} ", here.to_string_lossy()),
        );
        let path = folder.join(as_file);
        files::write(&path, &text);
        let mut verify = programs::needed("systemd-analyze", "systemd");
        let run = process::run(verify.arg("verify").arg(&path), b"");
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{}", run.out);
    }
}

/// Each timer has its service, and what that runs is a command line that dbctl takes.
#[test]
fn timers_begin_services_whose_words_dbctl_takes() {
    for name in ["eloqdb-backup", "eloqdb-verify"] {
        let (_, timer) = unit(&format!("{name}.timer"));
        assert!(timer.contains_key("OnCalendar"), "{name}");
        assert_eq!(timer["Persistent"], "true");
        let (text, service) = unit(&format!("{name}.service"));
        assert_eq!(service["Type"], "oneshot");
        let lines = text.lines();
        let lines: Vec<_> = lines
            .filter_map(|line| line.strip_prefix("ExecStart=/usr/bin/dbctl "))
            .collect();
        assert!(!lines.is_empty(), "{text}");
        for line in lines {
            let mut command = programs::ours("dbctl");
            command.args(
                line.split(' ')
                    .filter(|word| *word != "--password-file" && !word.contains(".pw")),
            );
            // There is no such place: the words were understood.
            let run = process::run(command.env("EQ_DBPASSWORD", "x"), b"");
            assert_ne!(run.code, Some(0), "{run:?}");
            assert!(!run.err.contains("usage"), "{run:?}");
        }
    }
}

#[test]
fn a_dbrepl_that_may_not_write_beside_the_log_says_so_and_replicates() {
    let cluster = Cluster::start();
    let directory = cluster.master.fwlog_dir();
    let note = directory.join("slave-slave.status");
    // As a file system that is mounted read-only refuses it.
    std::fs::create_dir(&note).expect("a directory in the place of the note");
    let run = cluster.replicate(&["-S"]);
    let words = "the master will not know how this slave stands, and keeps no log for it beyond FwKeep: can't write ";
    assert_eq!(run.err.matches(words).count(), 1, "{run:?}");
    run.ok();
}

#[test]
fn units_do_not_try_again_what_needs_a_person_and_may_write_what_they_must() {
    let (_, server) = unit("eloqdb-server.service");
    assert_eq!(server["RestartPreventExitStatus"], "2");
    assert_eq!(server["StateDirectoryMode"], "0700");
    assert_eq!(server["Type"], "notify");
    // The unit makes the directory where a server looks for one without a key, and clients can reach it.
    let default = dbconfig::keys::find(dbconfig::keys::Section::Server, "SocketDir");
    let directory = format!("/run/{}", server["RuntimeDirectory"]);
    assert_eq!(default.map(|key| key.default), Some(&*directory));
    assert_eq!(server["RuntimeDirectoryMode"], "0755");
    let (_, repl) = unit("eloqdb-repl@.service");
    // Usage, access, no synchronization point: docs/operating.md.
    assert_eq!(repl["RestartPreventExitStatus"], "2 4 5");
    for (unit, burst) in [(&server, "10"), (&repl, "5")] {
        // Longer than so many starts that fail late, with the pauses between.
        assert_eq!(unit["StartLimitIntervalSec"], "10min");
        assert_eq!(unit["StartLimitBurst"], burst);
    }
    // A disk or an address that comes late at a boot has time to come.
    assert_eq!(server["RestartSec"], "10");
    assert_eq!(repl["ProtectSystem"], "strict");
    assert_eq!(repl["ReadWritePaths"], "-/var/lib/eloqdb/fwlog");
    let sample = dbtests::data::manifest("../etc/master.cfg");
    let sample = String::from_utf8(files::read(&sample)).expect("text");
    assert!(
        sample.contains("FwLog = /var/lib/eloqdb/fwlog/fw-%N"),
        "the unit lets dbrepl write where the sample has the log"
    );
}
