//! Passwords: in no file, on no line, in no list of processes.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::process::{Background, run};
use dbtests::programs::{needed, ours};
use dbtests::{Folder, PASSWORD, SHORT, Server, Settings, files, wait_for};

use crate::tap::Tap;

/// A password that is nowhere else; each number is another one.
fn secret(number: u32) -> String {
    format!("known-sesame-{number}-known")
}

/// psql as a user, with something on its standard input and no terminal to ask on.
fn psql(port: u16, user: &str, password: &str, arguments: &[&str], input: &str) -> dbtests::Run {
    // The path of psql and its variables are those that it has everywhere.
    let psql = needed("psql", "postgresql-client");
    let mut command = dbtests::programs::behind(&["setsid", "--wait"], &psql);
    command
        .args(["-X", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", user])
        .args(["-d", "dbname=shop sslmode=disable"])
        .args(arguments)
        .env("PGPASSWORD", password);
    run(&mut command, input.as_bytes())
}

/// All files below a directory.
fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn has(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|there| there == part.as_bytes())
}

#[test]
fn a_password_is_in_no_file_and_shown_to_nobody() {
    let folder = Folder::new();
    let settings = Settings::master()
        .set("Server", "LogFlags", "trace")
        .set("Server", "LogSlow", "1ms")
        .set("ForwardLog", "EnableAudit", 1)
        .set("ForwardLog", "FwCompress", "none");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql("shop", "GRANT CONNECT ON DATABASE shop TO PUBLIC");
    let client = server.client("shop");
    for (number, sql, is_done) in [
        (1, "CREATE USER ann PASSWORD 'SECRET'", true),
        (2, "ALTER USER ann PASSWORD 'SECRET'", true),
        (3, "CREATE USER ann PASSWORD 'SECRET'", false),
        (4, "CREATE ROLE 'bob' LOGIN PASSWORD 'SECRET'", false),
        (
            5,
            "SELECT 1; ALTER ROLE nobody ENCRYPTED PASSWORD 'SECRET'",
            false,
        ),
    ] {
        let sql = sql.replace("SECRET", &secret(number));
        let done = client.try_rows(&sql);
        assert_eq!(done.is_ok(), is_done, "{sql}: {done:?}");
        if let Err(refusal) = done {
            assert!(
                !format!("{refusal:?}").contains(&secret(number)),
                "{refusal:?}"
            );
        }
        let activity = server.sql("system", "SELECT query FROM pg_stat_activity");
        let sessions = server.dbctl(&["session", "list", "--json"]).ok();
        let shown = format!("{activity:?} {sessions}");
        assert!(!shown.contains(&secret(number)), "{shown}");
    }
    server
        .dbctl_with_new_password(&["user", "create", "carl"], &secret(7))
        .ok();
    server
        .dbctl_with_new_password(&["user", "password", "carl"], &secret(8))
        .ok();
    let port = server.address().port();
    psql(port, "carl", &secret(8), &["-c", "SELECT 1"], "").ok();
    psql(port, "carl", &secret(9), &["-c", "SELECT 1"], "").fails(2);
    psql(port, "nobody", &secret(10), &["-c", "SELECT 1"], "").fails(2);
    assert!(server.log().contains("CREATE ROLE") || server.log().contains("CREATE USER"));
    drop(client);
    server.stop();
    let paths = below(folder.path());
    assert!(paths.len() > 5, "{paths:?}");
    for path in paths {
        let bytes = files::read(&path);
        for number in 1..=10 {
            assert!(
                !has(&bytes, &secret(number)),
                "{number} in {}",
                path.display()
            );
        }
    }
}

/// What sets a password sends what the server keeps of it, so that nobody on the line has it, even in clear text.
#[test]
fn who_sets_a_password_or_logs_in_does_not_send_it() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql("shop", "GRANT CONNECT ON DATABASE shop TO PUBLIC");
    let tap = Tap::to(server.address());
    let address = tap.address().to_string();
    let dbctl = |words: &[&str], new: &str| {
        let words = [&["-h", &address, "--tls", "disable", "user"], words].concat();
        server.dbctl_with_new_password(&words, new)
    };
    dbctl(&["create", "ann"], &secret(1)).ok();
    dbctl(&["password", "ann"], &secret(2)).ok();
    let port = tap.address().port();
    let twice = format!("{0}\n{0}\n", secret(3));
    psql(port, "dba", PASSWORD, &["-c", "\\password ann"], &twice).ok();
    psql(port, "ann", &secret(3), &["-c", "SELECT 1"], "").ok();
    psql(port, "ann", &secret(4), &["-c", "SELECT 1"], "").fails(2);
    assert!(tap.has_seen(b"SCRAM-SHA-256$4096:"), "verifiers were sent");
    for password in (1..=4).map(secret).chain([PASSWORD.to_owned()]) {
        assert!(!tap.has_seen(password.as_bytes()), "{password}");
    }
    // Whoever writes it into a statement does send it.
    let sql = format!("CREATE USER bob PASSWORD '{}'", secret(5));
    psql(port, "dba", PASSWORD, &["-c", &sql], "").ok();
    assert!(tap.has_seen(secret(5).as_bytes()));
}

/// What the kernel tells everybody of a process.
fn of_process(pid: u32, file: &str) -> String {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

fn core_limit(pid: u32) -> String {
    let limits = of_process(pid, "limits");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    line.expect("the limit").to_owned()
}

#[test]
fn a_password_on_the_command_line_is_hidden_and_warned_of() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    // Something that takes connections and says nothing, so that the programs wait.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let config = server.config_path().display().to_string();
    let password = secret(1);
    for (program, words) in [
        ("dbctl", vec!["-h", &address, "-p", &password, "status"]),
        (
            "dbctl",
            vec!["status", "-h", &address, "-pknown-sesame-1-known"],
        ),
        ("dbrepl", vec!["-c", &config, "-vp", &password, &address]),
        (
            "dbrepl",
            vec!["-c", &config, "--password=known-sesame-1-known", &address],
        ),
    ] {
        let mut command: Command = ours(program);
        command.args(&words);
        let log = folder.join(&format!("{program}.log"));
        let mut process = Background::start(&mut command, &log);
        // It has connected: it works with the password by now.
        let connection = silent.accept();
        assert!(connection.is_ok());
        let shown = of_process(process.pid(), "cmdline");
        assert!(!shown.contains("sesame"), "{shown}");
        assert!(shown.contains(&"*".repeat(password.len())), "{shown}");
        let none = core_limit(process.pid());
        let words: Vec<&str> = none.split_ascii_whitespace().collect();
        assert_eq!(words.get(4..6), Some(&["0", "0"][..]), "{program}: {none}");
        process.kill9();
        let told = process.output();
        assert!(
            told.contains("warning: a password on the command line"),
            "{told}"
        );
        assert!(!told.contains("sesame"), "{told}");
        fs::remove_file(&log).expect("a log");
    }
    // It is the password all the same.
    let mut command = server.dbctl_command();
    command.args(["-p", PASSWORD, "user", "list"]);
    run(&mut command, b"").ok();
}

#[test]
fn a_server_leaves_no_core_dump_unless_it_may() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let limit = core_limit(server.process().pid());
    let words: Vec<&str> = limit.split_ascii_whitespace().collect();
    assert_eq!(words.get(4..6), Some(&["0", "0"][..]), "{limit}");
    server.reconfigure(|settings| settings.set("Server", "CoreDumps", 1));
    server.restart();
    let own = core_limit(std::process::id());
    assert_eq!(core_limit(server.process().pid()), own);
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let file = folder.join("password");
    let shown = file.display().to_string();
    let config = server.config_path().display().to_string();
    let replication = folder.join("dbrepl.cfg");
    for is_closed in [false, true] {
        let write = |path: &Path, text: &str| {
            if is_closed {
                files::write_private(path, text);
            } else {
                files::write(path, text);
            }
        };
        let dbctl = || {
            let mut command = server.dbctl_command();
            command.args(["--password-file", &shown, "user", "list"]);
            run(&mut command, b"")
        };
        let dbrepl = |words: &[&str]| {
            let mut command = ours("dbrepl");
            command.args(["-c", &config, "-S"]).args(words);
            run(&mut command, b"")
        };
        write(&file, PASSWORD);
        write(
            &replication,
            &format!("[dbrepl]\nserver = :1\npassword = {PASSWORD}\n"),
        );
        let by_file = dbrepl(&["--password-file", &shown, ":1"]);
        let by_config = dbrepl(&["-C", &replication.display().to_string()]);
        if is_closed {
            dbctl().ok();
            // They go on to look for the slave.
            assert_eq!((by_file.code, by_config.code), (Some(3), Some(3)));
            continue;
        }
        for told in [dbctl().fails(2), by_file.fails(2), by_config.fails(2)] {
            assert!(told.contains("chmod 600"), "{told}");
            assert!(!told.contains(PASSWORD), "{told}");
        }
    }
    wait_for("the server", SHORT, || server.is_running().then_some(()));
}
