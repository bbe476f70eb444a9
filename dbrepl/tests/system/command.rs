//! The program as a user runs it: words, exit codes, where the text goes.

use std::path::Path;
use std::process::{Command, Output};

use fwlog::Timestamp;

use crate::support::assert_same_files;
use crate::support::master::Master;
use crate::support::slave::{Behaviour, FakeSlave};

fn dbrepl(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbrepl"));
    command.args(words);
    for name in ["EQ_DBSERVER", "EQ_DBUSER", "EQ_DBPASSWORD", "EQ_CONFIG"] {
        command.env_remove(name);
    }
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

async fn run(master: &Master, slave: &FakeSlave, words: &[&str]) -> Output {
    let config = master.config().display().to_string();
    let address = slave.address();
    let words: Vec<_> = ["-c", &config]
        .iter()
        .chain(words)
        .chain([&address.as_str()])
        .copied()
        .collect();
    output(dbrepl(&words)).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronization_says_what_the_manual_shows() {
    let mut master = Master::create();
    let time = master.commit(3).time.to_string();
    let slave = FakeSlave::start(Behaviour::default()).await;
    let output = run(&master, &slave, &["-v", "-S"]).await;
    let first = master.location().path(fwlog::SegmentId::FIRST);
    let expected = format!(
        "R1: processing forward-log file: {}\n\
         R1: found synchronization point with slave server\n\
         R1: slave server is up-to-date until {}Z\n",
        first.display(),
        &time[..19]
    );
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_failure_has_its_exit_code_one_message_and_a_hint() {
    let mut master = Master::create();
    master.commit(3);
    let other = FakeSlave::start(Behaviour {
        environment: Some(Master::create().environment()),
        ..Behaviour::default()
    })
    .await;
    let refusing = FakeSlave::start(Behaviour {
        error: Some("28P01"),
        ..Behaviour::default()
    })
    .await;
    let mut gone = FakeSlave::start(Behaviour::default()).await;
    gone.stop().await;
    for (slave, code, words) in [
        (&other, 5, "another environment"),
        (&refusing, 4, "access refused"),
        (&gone, 3, "can't be reached"),
    ] {
        let output = run(&master, slave, &["-S"]).await;
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        let lines: Vec<_> = errors.lines().collect();
        assert_eq!(lines.len(), 2, "{errors}");
        assert!(
            lines[0].starts_with("dbrepl: error: ") && lines[0].contains(words),
            "{errors}"
        );
        assert!(lines[1].starts_with("dbrepl: hint: "), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_flags_show_what_is_shipped_and_to_whom() {
    let mut master = Master::create();
    master.commit(3);
    let slave = FakeSlave::start(Behaviour::default()).await;
    let other = FakeSlave::start(Behaviour::default()).await.address();
    let both = run(&master, &slave, &["-S", "-d", "dbrepl=trace", &other]).await;
    let told = text(&both.stderr);
    for address in [&slave.address(), &other] {
        let shipped = told
            .lines()
            .filter(|line| line.contains("blocks are shipped start=1-1:"));
        let named = |line: &str| line.contains(&format!("slave{{slave={address}}}"));
        assert_eq!(shipped.filter(|line| named(line)).count(), 1, "{told}");
    }
    let quiet = run(&master, &slave, &["-S", "-d", "dbrepl=info"]).await;
    assert!(!text(&quiet.stderr).contains("says how far"));
    let wrong = run(&master, &slave, &["-S", "-d", "dbrepl=loud"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--debug: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_on_the_command_line_are_exit_code_2() {
    for words in [
        &["-x"][..],
        &["-c", "/nowhere/eloqdb.cfg", ":1"],
        &["-S", "-G", ":1"],
        &[],
    ] {
        let output = output(dbrepl(words)).await;
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(!output.stderr.is_empty(), "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_as_one_word_shows_every_option() {
    let output = output(dbrepl(&["-help"])).await;
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for option in [
        "-c,",
        "-C,",
        "-u,",
        "-p,",
        "--password-file",
        "-v,",
        "-S,",
        "-G,",
        "-T,",
        "-b,",
        "-Z,",
        "-D,",
        "-P,",
        "-l,",
        "-d,",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_background_it_has_a_pid_file_and_a_log_and_ends_on_a_signal() {
    let mut master = Master::create();
    master.commit(3);
    let slave = FakeSlave::start(Behaviour::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (pid_file, log) = (path("pid"), path("log"));
    let output = run(&master, &slave, &["-v", "-D", "-P", &pid_file, "-l", &log]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let pid = std::fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .to_owned();
    let end = master.commit(3).point;
    while slave.end().is_none_or(|own| own.end != end) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let again = run(&master, &slave, &["-P", &pid_file]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains(&format!("process {pid}")));
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    while Path::new(&pid_file).exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_same_files(&master.location(), &slave.location());
    let lines = std::fs::read_to_string(&log).unwrap();
    assert!(lines.contains("R1: found synchronization point"), "{lines}");
    let year = &Timestamp::now().to_string()[..4];
    assert!(lines.lines().all(|line| line.starts_with(year)), "{lines}");
}
