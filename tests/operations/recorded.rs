//! The tables of status and the lines of the logs, as recorded texts: `recorded.txt`. After a change that is
//! meant, `ELOQDB_RECORD=1 cargo test -p dbtests --test operations recorded` writes them anew.

use std::fmt::Write as _;

use dbtests::data::manifest;
use dbtests::{Folder, Follower, LONG, Server, Settings, files, wait_for};

use crate::shop::{open, sell};

/// A word of a table or a line without what differs from run to run.
fn plain(word: &str, folder: &str) -> String {
    let word = word.replace(folder, "FOLDER");
    let (trimmed, comma) = match word.strip_suffix([',', ')']) {
        Some(trimmed) => (trimmed, &word[trimmed.len()..]),
        None => (word.as_str(), ""),
    };
    let (open, core) = match trimmed.strip_prefix('(') {
        Some(core) => ("(", core),
        None => ("", trimmed),
    };
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    let of_digits = |others: &str| {
        digits > 0
            && core
                .chars()
                .all(|c| c.is_ascii_digit() || others.contains(c))
    };
    let shown = if core.contains("127.0.0.1:") {
        let at = core.find("127.0.0.1:").unwrap_or_default();
        let rest = &core[at + "127.0.0.1:".len()..];
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{}127.0.0.1:PORT{behind}", &core[..at])
    } else if core.len() == 32 && core.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        "ID".to_owned()
    } else if core.len() == 10 && of_digits("-") {
        "DATE".to_owned()
    } else if core.ends_with('Z') && of_digits(":.TZ-") {
        "TIME".to_owned()
    } else if core.contains(':') && of_digits("-:") {
        "POSITION".to_owned()
    } else if of_digits(".") && core != env!("CARGO_PKG_VERSION") {
        "N".to_owned()
    } else {
        core.to_owned()
    };
    format!("{open}{shown}{comma}")
}

/// A line whose widths of columns do not count.
fn normal_line(line: &str, folder: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let shown = match word.split_once('=') {
            Some((name, value)) => format!("{name}={}", plain(value, folder)),
            None => plain(word, folder),
        };
        let of_size = words.last().is_some_and(|last| last.ends_with('N'));
        let unit = shown.trim_end_matches([',', ')']);
        if of_size && ["bytes", "KiB", "MiB", "GiB", "TiB"].contains(&unit) {
            words.push(shown.replace(unit, "UNIT"));
        } else {
            words.push(shown);
        }
    }
    let line = words.join(" ");
    // How much room there is, and what has sent a signal, is the machine's business.
    if line.starts_with("free for ") {
        return words.get(..3).unwrap_or(&words).join(" ");
    }
    match (line.find(" from process "), line.find(": stopping")) {
        (Some(from), Some(to)) => format!("{} from SOMEBODY{}", &line[..from], &line[to..]),
        _ => line,
    }
}

/// A text line by line.
fn normal(text: &str, folder: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        writeln!(shown, "{}", normal_line(line, folder)).expect("a String takes all");
    }
    shown
}

fn tables(server: &Server, folder: &str) -> String {
    let mut shown = String::new();
    for words in [
        "status",
        "forwardlog status",
        "replication status",
        "replication check",
        "session list",
        "database list",
    ] {
        let command: Vec<&str> = words.split(' ').collect();
        let table = normal(&server.dbctl(&command).ok(), folder);
        writeln!(shown, "$ dbctl {words}\n{table}").expect("a String takes all");
    }
    shown
}

#[test]
fn tables_of_status_and_lines_of_the_logs_are_as_recorded() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    let mut slave = Server::create(folder.path(), Settings::slave());
    master.start();
    slave.start();
    let mut dbrepl = Follower::start(folder.path(), &master, &slave);
    dbrepl.wait_for_line("up-to-date");
    open(&master);
    sell(&master, 3);
    let position = master.command("forwardlog status").remove("position");
    let position = position.expect("a position");
    for (server, sessions) in [(&master, 1), (&slave, 2)] {
        wait_for("clients to have left", LONG, || {
            let list = server.dbctl(&["session", "list"]).ok();
            (list.lines().count() == sessions + 1).then_some(())
        });
        wait_for("the slave to follow with nothing outstanding", LONG, || {
            let rows = server.dbctl(&["--json", "replication", "status"]).ok();
            let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
            let row = &rows[0];
            let all = row["applied"]["position"] == position.as_str();
            (row["state"] == "following" && row["lag_in_commits"] == 0 && all).then_some(())
        });
    }
    let here = folder.path().display().to_string();
    let mut shown = String::new();
    for (name, server) in [("master", &master), ("slave", &slave)] {
        write!(shown, "== {name}\n\n{}", tables(server, &here)).expect("a String takes all");
    }
    dbrepl.stop();
    master.stop();
    slave.stop();
    for (name, log) in [
        ("dbrepl", dbrepl.output()),
        ("master", master.log()),
        ("slave", slave.log()),
    ] {
        write!(shown, "== log of {name}\n\n{}\n", normal(&log, &here)).expect("a String takes all");
    }
    let path = manifest("operations/recorded.txt");
    if std::env::var_os("ELOQDB_RECORD").is_some() {
        files::write(&path, &shown);
    }
    let recorded = String::from_utf8(files::read(&path)).expect("text");
    assert_eq!(shown, recorded);
}
