//! `replication check`: each part is killed, frozen, cut off and switched off in turn, and both sides say
//! what is wrong, and nothing else.

use std::path::PathBuf;

use dbtests::{
    Folder, Follower, LONG, Line, PASSWORD, Run, Server, Settings, Traffic, files, follower,
    process, wait_for,
};

use crate::shop::{open, sell};

/// A master, a slave behind a line, and the dbrepl between them.
pub(crate) struct Pair {
    pub(crate) master: Server,
    pub(crate) slave: Server,
    pub(crate) line: Line,
    pub(crate) dbrepl: Follower,
    pub(crate) folder: Folder,
}

impl Pair {
    /// A copy of the stopped master's directories, to set it back by.
    pub(crate) fn keep_master(&self) -> PathBuf {
        let kept = self.folder.join("kept");
        for name in ["data", "fwlog"] {
            files::copy_directory(&self.master.folder().join(name), &kept.join(name));
        }
        kept
    }

    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let mut master = Server::create(folder.path(), Settings::master());
        let mut slave = Server::create(folder.path(), Settings::slave());
        master.start();
        slave.start();
        let line = Line::to(slave.address());
        let dbrepl = dbrepl(&folder, &master, &line);
        open(&master);
        let pair = Self {
            master,
            slave,
            line,
            dbrepl,
            folder,
        };
        pair.both_say("ok: slave slave follows, lag ");
        pair
    }

    pub(crate) fn start_dbrepl(&mut self) {
        self.dbrepl = dbrepl(&self.folder, &self.master, &self.line);
    }

    pub(crate) fn both_say(&self, words: &str) {
        says(&self.master, words);
        says(&self.slave, words);
    }
}

fn dbrepl(folder: &Folder, master: &Server, line: &Line) -> Follower {
    let command = follower::dbrepl_to(master, line.address(), &["-v"]);
    Follower::run(command, folder.join("dbrepl.log"))
}

fn check(server: &Server, arguments: &[&str]) -> Run {
    let mut command = server.dbctl_command();
    command
        .args(["replication", "check"])
        .args(arguments)
        .env("EQ_DBPASSWORD", PASSWORD);
    process::run(&mut command, b"")
}

/// Waits until the check on a server begins with these words, in one line, with the exit code that goes
/// with them.
#[expect(
    clippy::print_stdout,
    reason = "how long it took, for who asks with --nocapture"
)]
#[track_caller]
pub(crate) fn says(server: &Server, words: &str) -> String {
    let what = format!("the check to say '{words}'");
    let begun = std::time::Instant::now();
    let line = wait_for(&what, LONG, || {
        let run = check(server, &[]);
        assert!(run.err.is_empty(), "{run:?}");
        assert_eq!(run.out.lines().count(), 1, "{run:?}");
        let code = match run.out.split(':').next() {
            Some("ok") => 0,
            Some("warning") => 1,
            Some("unknown") => 3,
            _ => 2,
        };
        assert_eq!(run.code, Some(code), "{run:?}");
        run.out.starts_with(words).then_some(run.out)
    });
    // Without load it is 5 s at most: with --nocapture it can be read.
    println!("{:>6.2?} {line}", begun.elapsed());
    line.trim_end().to_owned()
}

#[track_caller]
pub(crate) fn says_because(server: &Server, words: &str, because: &str) {
    let line = wait_for(because, LONG, || {
        Some(says(server, words)).filter(|line| line.contains(because))
    });
    assert_eq!(line.matches("slave slave: ").count(), 1, "{line}");
}

pub(crate) const LOST: &str = "critical: slave slave: not connected since ";

#[test]
fn each_part_that_fails_is_named_on_both_sides() {
    let mut pair = Pair::start();
    // dbrepl.
    pair.dbrepl.process().signal("STOP");
    for server in [&pair.master, &pair.slave] {
        says_because(server, LOST, "dbrepl gives no sign of life; ");
    }
    pair.dbrepl.process().signal("CONT");
    pair.both_say("ok: ");
    pair.dbrepl.kill9();
    says_because(&pair.master, LOST, "dbrepl gives no sign of life; start it");
    says_because(&pair.slave, LOST, "has ended without a word: ");
    pair.start_dbrepl();
    pair.both_say("ok: ");
    pair.dbrepl.stop();
    for server in [&pair.master, &pair.slave] {
        says_because(server, LOST, "dbrepl was stopped");
    }
    pair.start_dbrepl();
    pair.both_say("ok: ");

    // The line.
    pair.line.set(Traffic::Hold);
    says_because(&pair.master, LOST, "the slave does not answer its dbrepl");
    says_because(&pair.slave, LOST, "dbrepl gives no sign of life; ");
    pair.line.set(Traffic::Carry);
    pair.both_say("ok: ");
    pair.line.set(Traffic::Cut);
    says(&pair.master, LOST);
    says(&pair.slave, LOST);
    pair.line.set(Traffic::Carry);
    pair.both_say("ok: ");

    // The slave.
    pair.slave.process().signal("STOP");
    says_because(&pair.master, LOST, "the slave does not answer its dbrepl");
    says(&pair.slave, "critical: the server does not answer");
    pair.slave.process().signal("CONT");
    pair.both_say("ok: ");
    pair.slave.kill9();
    says(&pair.master, LOST);
    says(&pair.slave, "critical: cannot reach the server");
    pair.slave.start();
    pair.both_say("ok: ");

    // The master.
    let silent = "critical: slave slave: source silent since ";
    pair.master.process().signal("STOP");
    says(&pair.master, "critical: the server does not answer");
    says(&pair.slave, silent);
    pair.master.process().signal("CONT");
    pair.both_say("ok: ");
    pair.master.kill9();
    says(&pair.master, "critical: cannot reach the server");
    says(&pair.slave, silent);
    pair.master.start();
    pair.both_say("ok: ");

    // Forward logging.
    pair.master.dbctl(&["forwardlog", "disable", "--yes"]).ok();
    for server in [&pair.master, &pair.slave] {
        let off = "critical: slave slave: forward logging off since ";
        says_because(
            server,
            off,
            "forward logging was switched off on the master",
        );
    }
    assert_eq!(pair.dbrepl.ended().code(), Some(5));
    // What was true then is no more, and the slave must be made anew.
    pair.master.dbctl(&["forwardlog", "enable"]).ok();
    let missing = "critical: slave slave: log missing since ";
    let said = says(&pair.master, missing);
    assert!(
        said.contains("was off for a while, and is on again"),
        "{said}"
    );
    assert!(said.contains("dbrepl gets it the pages"), "{said}");
}

#[test]
fn parts_that_end_cleanly_and_logs_that_go_are_named_on_both_sides() {
    let mut pair = Pair::start();
    // Clean stops.
    pair.slave.stop();
    says(&pair.master, LOST);
    says(&pair.slave, "critical: cannot reach the server");
    pair.slave.start();
    pair.both_say("ok: ");
    pair.master.stop();
    says(&pair.master, "critical: cannot reach the server");
    let stopped = "critical: slave slave: source stopped since ";
    says_because(&pair.slave, stopped, "the master was stopped at ");
    pair.master.start();
    pair.both_say("ok: ");

    // The slave's log.
    let (log, aside) = (pair.slave.folder().join("fwlog"), pair.folder.join("aside"));
    let lines = pair.slave.log().lines().count();
    move_to(&log, &aside);
    sell(&pair.master, 1);
    let suspended = "critical: slave slave: suspended since ";
    for server in [&pair.master, &pair.slave] {
        says_because(server, suspended, "the slave cannot write its log");
    }
    let place = format!("cannot list {}: ", log.display());
    says_because(&pair.master, suspended, &place);
    // It stays so between attempts, and their number does not fill the log.
    for _ in 0..40 {
        assert!(check(&pair.master, &[]).out.starts_with(suspended));
        dbtests::waiting::pause(std::time::Duration::from_millis(100));
    }
    let told = pair.slave.log().lines().count() - lines;
    assert!(told < 12, "{}", pair.slave.log());
    move_to(&aside, &log);
    pair.both_say("ok: ");

    // The master's log.
    let log = pair.master.fwlog_dir();
    move_to(&log, &aside);
    let said = says(&pair.master, "critical: forward log: since ");
    assert!(said.contains("No such file or directory"), "{said}");
    says_because(&pair.slave, LOST, "is not there; mount it");
    move_to(&aside, &log);
    pair.both_say("ok: ");

    // A segment that the slave needs.
    pair.dbrepl.stop();
    sell(&pair.master, 1);
    let segment = crate::shop::open_segment(&pair.master);
    pair.master.dbctl(&["forwardlog", "switch"]).ok();
    pair.master.dbctl(&["checkpoint"]).ok();
    move_to(&segment, &aside);
    pair.start_dbrepl();
    let missing = "critical: slave slave: log missing since ";
    for server in [&pair.master, &pair.slave] {
        says_because(server, missing, "fw-1-");
    }
    move_to(&aside, &segment);
    pair.both_say("ok: ");
}

pub(crate) fn move_to(from: &std::path::Path, to: &std::path::Path) {
    // A directory, too.
    let mut command = dbtests::programs::needed("mv", "coreutils");
    process::run(command.arg("-T").arg(from).arg(to), b"").ok();
}

#[test]
fn a_damaged_log_of_the_master_is_said_on_both_sides_with_its_file_and_the_way_out() {
    let mut pair = Pair::start();
    pair.dbrepl.stop();
    let segment = crate::shop::open_segment(&pair.master);
    sell(&pair.master, 5);
    pair.master.dbctl(&["forwardlog", "switch"]).ok();
    let whole = files::read(&segment);
    files::flip(&segment, whole.len() as u64 - 200);
    pair.start_dbrepl();
    let name = files::name(&segment);
    let damaged = "critical: slave slave: log damaged since ";
    for server in [&pair.master, &pair.slave] {
        let said = says(server, damaged);
        assert!(said.contains(&name), "{said}");
        assert!(said.contains("in its place"), "{said}");
    }
    let trouble = pair.master.command("status").remove("log trouble");
    assert!(trouble.is_some_and(|text| text.contains(&name)));
    assert_eq!(pair.dbrepl.ended().code(), Some(1));
    let output = pair.dbrepl.output();
    assert!(output.contains("ends with 1 (error): "), "{output}");
    let why = "dbrepl: error: the master's log can't be read: ";
    assert_eq!(output.matches(why).count(), 1, "{output}");
    assert_eq!(output.matches("the master's log can't be read").count(), 1);
    let in_log = |server: &Server, words: &str| {
        wait_for(words, LONG, || server.log().contains(words).then_some(()));
    };
    in_log(&pair.master, "the log is damaged, as dbrepl has found: ");
    files::write(&segment, &whole);
    pair.start_dbrepl();
    pair.both_say("ok: ");
    crate::shop::wait_for_trouble(&pair.master, None);
    in_log(&pair.master, "no dbrepl finds the log damaged any more");
}

#[test]
fn a_lag_runs_to_the_present_when_nothing_comes() {
    let mut pair = Pair::start();
    pair.dbrepl.kill9();
    sell(&pair.master, 3);
    let lag = |server: &Server| {
        let json = server.dbctl(&["--json", "replication", "status"]).ok();
        let rows: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        rows[0].clone()
    };
    wait_for("the lag to grow", LONG, || {
        let row = lag(&pair.master);
        assert_eq!(row["lag_in_commits"], 3, "{row}");
        assert!(row["lag_in_bytes"].as_u64().expect("a number") > 0, "{row}");
        (row["lag_in_seconds"].as_f64().expect("a number") > 4.0).then_some(())
    });
    // The slave does not know, and does not say that it is none.
    let row = lag(&pair.slave);
    assert_eq!(row["lag_in_seconds"], serde_json::Value::Null, "{row}");
    assert_eq!(row["state"], "not connected", "{row}");
    let keys = |row: &serde_json::Value| -> Vec<String> {
        let object = row.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    assert_eq!(keys(&lag(&pair.master)), keys(&row));
    let status = pair.master.command("status");
    assert!(
        status["slave slave"].starts_with("not connected"),
        "{status:?}"
    );
    // It comes back, and has everything at once.
    pair.start_dbrepl();
    pair.both_say("ok: slave slave follows, lag 0.0");
}

#[test]
fn a_slave_that_is_gone_for_good_is_forgotten() {
    let mut pair = Pair::start();
    let refused = pair.master.dbctl(&["replication", "forget", "slave"]);
    assert!(refused.fails(1).contains("is connected"));
    let unknown = pair.master.dbctl(&["replication", "forget", "north"]);
    assert!(unknown.fails(1).contains("no slave 'north'"));
    pair.dbrepl.stop();
    pair.master.dbctl(&["replication", "forget", "slave"]).ok();
    says(&pair.master, "warning: no slave has been connected");
    assert!(!pair.master.fwlog_dir().join("slave-slave.status").exists());
}

#[test]
fn a_slave_with_another_history_is_called_diverged_and_one_with_more_ahead() {
    let mut pair = Pair::start();
    pair.dbrepl.stop();
    pair.master.stop();
    // The master is set back to where it was, and takes another way.
    let kept = pair.keep_master();
    pair.master.start();
    sell(&pair.master, 3);
    follower::replicate(&pair.master, &pair.slave, &["-S"]).ok();
    pair.master.kill9();
    for name in ["data", "fwlog"] {
        std::fs::remove_dir_all(pair.master.folder().join(name)).expect("removed");
        files::copy_directory(&kept.join(name), &pair.master.folder().join(name));
    }
    let told = follower::replicate(&pair.master, &pair.slave, &["-S"]).fails(5);
    assert!(told.contains("the slave is ahead: "), "{told}");
    assert!(told.contains("change nothing on the slave"), "{told}");
    says(
        &pair.slave,
        "critical: slave slave: ahead of its source since ",
    );
    // By then the master has gone its own way.
    pair.master.start();
    says(&pair.master, "critical: slave slave: diverged since ");
    let told = follower::replicate(&pair.master, &pair.slave, &["-S"]).fails(5);
    assert!(told.contains("diverged: the slave's log differs"), "{told}");
    assert!(
        told.contains("the master has no commit behind that point"),
        "{told}"
    );
    assert!(told.contains("copy no file to the master"), "{told}");
    sell(&pair.master, 3);
    let told = follower::replicate(&pair.master, &pair.slave, &["-S"]).fails(5);
    assert!(told.contains("diverged: the slave's log differs"), "{told}");
    assert!(told.contains("keeps as files what only it has"), "{told}");
    let diverged = "critical: slave slave: diverged since ";
    says_because(&pair.master, diverged, "differs from the master's after 1-");
    says_because(&pair.slave, diverged, "differs from the master's after 1-");
}

#[test]
fn a_failure_has_the_shape_of_json_too() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::new("alone", "Standalone"));
    server.start();
    let run = check(&server, &["--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let answer: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(answer["result"], "ok");
    let told = server
        .dbctl(&["--json", "database", "drop", "nowhere"])
        .fails(1);
    let error: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(error["error"]["exit_code"], 1);
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("nowhere"))
    );
    server.stop();
    let run = check(&server, &["--json"]);
    let answer: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, &answer["result"]), (Some(2), &"critical".into()));
}
