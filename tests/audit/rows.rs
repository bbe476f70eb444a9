//! Rows from the pages of the log.

use std::collections::BTreeMap;

use dbtests::{Folder, LONG, Server, Settings, files, process, wait_for};
use serde_json::Value;

use crate::{fields, told};

/// A table of accounts, as the changes say.
#[derive(Debug, Default, PartialEq)]
struct Accounts(BTreeMap<String, (String, String)>);

impl Accounts {
    /// Does the changes again; each must fit what was before.
    fn replay(&mut self, lines: &[Value]) {
        let row = |value: &Value| {
            let text = |name: &str| value[name].as_str().expect("a text").to_owned();
            (!value.is_null()).then(|| (text("id"), (text("balance"), text("note"))))
        };
        for line in lines.iter().filter(|line| line["table"] == "account") {
            if let Some((id, before)) = row(&line["before"]) {
                assert_eq!(self.0.remove(&id), Some(before), "{line}");
            }
            if let Some((id, after)) = row(&line["after"]) {
                assert_eq!(self.0.insert(id, after), None, "{line}");
            }
        }
    }

    fn of(server: &Server) -> Self {
        let rows = server.sql("shop", "SELECT id, balance, note FROM account");
        let row = |row: Vec<String>| {
            let [id, balance, note] = <[String; 3]>::try_from(row).expect("three columns");
            (id, (balance, note))
        };
        Self(rows.into_iter().map(row).collect())
    }
}

fn shop(folder: &Folder) -> Server {
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    master.sql("system", "CREATE DATABASE other");
    master.sql("other", "CREATE TABLE account (id int)");
    let client = master.client("shop");
    client.run("CREATE TABLE account (id int PRIMARY KEY, balance numeric(10, 2) NOT NULL, note text NOT NULL)");
    client.run("CREATE INDEX account_note ON account (note)");
    // Too large for one block of the log.
    client.run("INSERT INTO account SELECT n, n / 4.0, repeat('n', n % 400) FROM generate_series(1, 20000) n");
    master
}

/// Changes of every kind; numbers make them others each time.
fn work(master: &Server, round: u32) {
    let client = master.client("shop");
    client.run(&format!(
        "UPDATE account SET balance = balance + {round}.25 WHERE id % 97 = {round}"
    ));
    client.run(&format!("DELETE FROM account WHERE id % 89 = {round}"));
    client.run(&format!(
        "INSERT INTO account VALUES ({}, 0.5, repeat('large', {round} * 9000))",
        50_000 + round
    ));
    client.run(&format!("UPDATE account SET id = id + 100000, note = 'moved' WHERE id % 83 = {round} AND id < 100000"));
    client.run("VACUUM FULL");
}

#[test]
fn a_log_from_the_beginning_needs_nothing_else() {
    let folder = Folder::new();
    let master = shop(&folder);
    for round in 1..4 {
        work(&master, round);
    }
    let lines = told(&master, &["rows", "--database", "shop"]);
    let mut accounts = Accounts::default();
    accounts.replay(&lines);
    assert_eq!(accounts, Accounts::of(&master));
    let kinds = |kind: &str| told(&master, &["rows", "--kind", kind, "--table", "account"]).len();
    let inserts = lines.iter().filter(|line| line["operation"] == "insert");
    assert_eq!(kinds("insert"), inserts.count());
    master
        .dbctl(&["fwlog", "rows", "--kind", "upsert"])
        .fails(2);
    let csv = master
        .dbctl(&["fwlog", "rows", "--csv", "--kind", "schema", "-d", "other"])
        .ok();
    assert!(csv.starts_with("commit,time,position,database,"), "{csv}");
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let text = master.dbctl(&["fwlog", "rows", "--kind", "update"]).ok();
    assert!(
        text.contains("  update account (id=1): balance=0.25 -> 1.50\n"),
        "{text}"
    );
}

#[test]
fn a_later_part_of_the_log_needs_what_was_before() {
    let folder = Folder::new();
    let mut master = shop(&folder);
    work(&master, 1);
    master.stop();
    let base = folder.join("base");
    files::copy_directory(&master.data_dir(), &base);
    let earlier = files::list(&master.fwlog_dir(), "fw-").len();
    let mut accounts = Accounts::default();
    accounts.replay(&told(&master, &["rows", "-d", "shop"]));
    master.start();
    work(&master, 2);
    let dump = folder.join("dump.db");
    let dumped = master.command(&format!("database dump shop {}", dump.display()));
    work(&master, 3);
    let later: Vec<String> = files::list(&master.fwlog_dir(), "fw-")
        .into_iter()
        .map(|path| path.display().to_string())
        .skip(earlier)
        .collect();
    assert!(!later.is_empty());
    let rows = |more: &[&str]| {
        let mut words = vec!["rows", "-d", "shop"];
        words.extend_from_slice(more);
        words.extend(later.iter().map(String::as_str));
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |more: &[&str]| {
        let words = rows(more);
        told(
            &master,
            &words.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let base = base.display().to_string();
    let all = run(&["--base", &base]);
    accounts.replay(&all);
    assert_eq!(accounts, Accounts::of(&master));
    // From the dump on there are the same changes as there were from then on.
    let file = format!("shop={}", dump.display());
    let commit = &dumped["commit"];
    let after = run(&["--base", &file, "--after", commit]);
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let is_later = |line: &&Value| line["commit"].as_str().map(number) > Some(number(commit));
    let same: Vec<&Value> = all.iter().filter(is_later).collect();
    assert!(!same.is_empty() && after.iter().eq(same.iter().copied()));
    // Without it nothing can be told, and a wrong one is seen.
    let refused = |more: &[&str]| {
        let words = [vec!["fwlog".to_owned()], rows(more)].concat();
        master
            .dbctl(&words.iter().map(String::as_str).collect::<Vec<_>>())
            .fails(1)
    };
    let told = refused(&[]);
    assert!(
        told.contains("was made before these files begin") && told.contains("--base"),
        "{told}"
    );
    let told = refused(&["--base", &file, "--after", "0"]);
    assert!(told.contains("commit ") && told.contains("page "), "{told}");
    let running = master.data_dir().display().to_string();
    let told = refused(&["--base", &running]);
    assert!(told.contains("not stopped cleanly"), "{told}");
}

#[test]
fn a_log_that_is_written_is_followed() {
    let folder = Folder::new();
    let master = shop(&folder);
    let log = folder.join("rows.log");
    let mut command = master.dbctl_command();
    command.args(["--json", "fwlog", "rows", "--follow", "-d", "shop"]);
    let mut follower = process::Background::start(&mut command, &log);
    let lines = |follower: &process::Background| -> Vec<Value> {
        let text = follower.output();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    for round in 1..3 {
        work(&master, round);
        master.dbctl(&["forwardlog", "switch"]).ok();
        let expected = Accounts::of(&master);
        let is_there = |line: &Value| {
            let mark = format!("{}", 50_000 + round);
            line["after"]["id"] == mark.as_str()
        };
        wait_for("the changes to be told", LONG, || {
            let lines = lines(&follower);
            lines.iter().any(is_there).then_some(())?;
            let mut accounts = Accounts::default();
            accounts.replay(&lines);
            (accounts == expected).then_some(())
        });
    }
    follower.signal("INT");
    let status = wait_for("the follower to end", LONG, || follower.ended());
    assert_eq!(status.code(), Some(130), "{}", follower.output());
    let users = fields(&lines(&follower), ["user"]);
    assert!(users.iter().all(|[user]| user == "null"));
}
