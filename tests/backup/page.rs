//! The command lines of docs/backup.md do what the page says of them.

use std::process::Command;

use dbtests::data::manifest;
use dbtests::process::{Background, run};
use dbtests::{Folder, LONG, PASSWORD, Server, Settings, files, programs, wait_for};

use crate::support::{a_second_that_is_over, checksum, commit, items, json};

/// The lines of the first fenced block of this kind below a heading.
fn block(heading: &str, kind: &str) -> Vec<String> {
    let page = String::from_utf8(files::read(&manifest("../docs/backup.md"))).expect("text");
    let (_, section) = page
        .split_once(&format!("\n## {heading}\n"))
        .expect(heading);
    let mut open: Option<(String, Vec<String>)> = None;
    for line in section.lines().take_while(|line| !line.starts_with("## ")) {
        match (line.strip_prefix("```"), open.take()) {
            (Some(kind), None) => open = Some((kind.to_owned(), Vec::new())),
            (Some(_), Some((of, lines))) if of == kind => return lines,
            (Some(_), Some(_)) | (None, None) => {}
            (None, Some((of, mut lines))) => {
                lines.push(line.to_owned());
                open = Some((of, lines));
            }
        }
    }
    unreachable!("{heading} has a block of '{kind}'")
}

/// A machine with a server, as the page has it.
struct Machine {
    folder: Folder,
    master: Server,
    /// In the place of the page's directory, where there is one.
    bucket: Option<s3test::Server>,
    /// Servers and dbrepls that were begun by a line.
    running: Vec<Background>,
}

impl Machine {
    fn new() -> Self {
        let folder = Folder::new();
        let mut master = Server::create(folder.path(), Settings::master());
        master.start();
        master.sql("system", "CREATE DATABASE shop");
        master.sql(
            "shop",
            "CREATE TABLE items (id SERIAL PRIMARY KEY, name VARCHAR(20))",
        );
        let machine = Self {
            folder,
            master,
            bucket: None,
            running: Vec::new(),
        };
        machine.sell(3);
        machine
    }

    fn sell(&self, count: u32) {
        let rows =
            format!("INSERT INTO items (name) SELECT 'thing' FROM generate_series(1, {count})");
        self.master.sql("shop", &rows);
    }

    /// A line of the page with the names of this machine.
    fn here(&self, line: &str) -> String {
        let path = |path: std::path::PathBuf| path.display().to_string();
        let repository = match &self.bucket {
            Some(bucket) => bucket.url("site/eloqdb"),
            None => format!("file://{}", self.folder.join("backup").display()),
        };
        let places = [
            ("file:///backup/eloqdb", repository),
            ("/restore/log", path(self.folder.join("log"))),
            ("/etc/eloqdb/eloqdb.cfg", path(self.master.config_path())),
            ("/var/lib/eloqdb", path(self.master.data_dir())),
            (
                "/run/eloqdb/archive.pid",
                path(self.folder.join("archive.pid")),
            ),
            ("/var/tmp", path(self.folder.join("scratch"))),
        ];
        places.iter().fold(line.to_owned(), |line, (there, here)| {
            line.replace(there, here)
        })
    }

    fn shell(&self, line: &str) -> Command {
        let programs = programs::directory();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = programs::needed("sh", "dash");
        shell
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env("EQ_DBPASSWORD", PASSWORD)
            .envs(s3test::Server::credentials())
            .env("PATH", format!("{}:{path}", programs.display()));
        shell
    }

    /// Carries a line out. A server is waited for until it serves.
    fn run(&mut self, line: &str) -> String {
        let line = self.here(line);
        // Not every machine has the system's log.
        let log = format!(" -D -l {} ", self.folder.join("archive.log").display());
        let line = line.replace(" -D ", &log);
        if !line.starts_with("dbserver ") {
            return run(&mut self.shell(&line), b"").ok();
        }
        let log = self
            .folder
            .join(&format!("server{}.log", self.running.len()));
        let mut server = Background::start(&mut self.shell(&format!("exec {line}")), &log);
        let status = line.replace("dbserver -c", "dbctl -c") + " status";
        wait_for("the server to serve", LONG, || {
            assert!(server.ended().is_none(), "{}", server.output());
            let asked = run(&mut self.shell(&status), b"");
            (asked.code == Some(0)).then_some(())
        });
        self.running.push(server);
        String::new()
    }

    fn run_all(&mut self, heading: &str) -> Vec<String> {
        let lines = block(heading, "");
        assert_eq!(lines.len(), 5, "{heading}: five commands");
        lines.iter().map(|line| self.run(line)).collect()
    }

    /// The repository with a backup; dbrepl archives for ever.
    fn begin(&mut self) {
        std::fs::create_dir(self.folder.join("scratch")).expect("a directory");
        let told = self.run_all("Begin");
        assert!(told[3].contains("restorable: "), "{}", told[3]);
        assert!(told[4].contains("restored in"), "{}", told[4]);
    }

    /// All that was written is archived.
    fn wait_for_archive(&self) {
        let end = self.master.command("forwardlog status")["durable"].clone();
        let end = end.split_whitespace().next().unwrap_or_default().to_owned();
        let status =
            self.here("dbctl --json archive status file:///backup/eloqdb --warn-behind 100d");
        wait_for("the archive", LONG, || {
            let told = run(&mut self.shell(&status), b"");
            (told.code == Some(0) && json(&told.out)["archived"] == end.as_str()).then_some(())
        });
    }

    fn stop_archiving(&self) {
        let line = self.here("kill $(cat /run/eloqdb/archive.pid)");
        run(&mut self.shell(&line), b"").ok();
        let pid = self.folder.join("archive.pid");
        wait_for("dbrepl to end", LONG, || (!pid.exists()).then_some(()));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for server in &mut self.running {
            if server.ended().is_none() {
                server.kill9();
            }
        }
        if self.folder.join("archive.pid").exists() {
            let line = self.here("kill $(cat /run/eloqdb/archive.pid)");
            drop(run(&mut self.shell(&line), b""));
        }
    }
}

#[test]
fn a_lost_machine_comes_back_by_the_lines_of_the_page() {
    let mut machine = Machine::new();
    machine.begin();
    machine.sell(4);
    machine.wait_for_archive();
    machine.stop_archiving();
    machine.master.kill9();
    for directory in [machine.master.data_dir(), machine.master.fwlog_dir()] {
        std::fs::remove_dir_all(directory).expect("it goes");
    }
    let told = machine.run_all("A lost machine");
    assert!(told[1].contains("next step"), "{}", told[1]);
    assert_eq!(items(&machine.master), 7);
}

#[test]
fn a_dropped_table_comes_back_by_the_lines_of_the_page() {
    let mut machine = Machine::new();
    machine.begin();
    machine.sell(4);
    let before = a_second_that_is_over(&machine.master);
    let client = machine.master.client("shop");
    client.run("DROP TABLE items");
    drop(client);
    let lines = block("A dropped table", "");
    assert_eq!(lines.len(), 2);
    for line in lines {
        machine.run(&line.replace("2026-11-28 11:59:00", &before));
    }
    let found = machine.master.client("shop_before");
    assert_eq!(found.value("SELECT count(*) FROM items"), "7");
    machine
        .master
        .client("shop")
        .refused("SELECT count(*) FROM items");
}

#[test]
fn a_bad_migration_is_taken_back_by_the_lines_of_the_page() {
    let mut machine = Machine::new();
    machine.begin();
    machine.sell(4);
    let commit = commit(&machine.master).to_string();
    machine
        .master
        .sql("shop", "ALTER TABLE items ADD COLUMN price NUMERIC(8,2)");
    machine.master.sql("shop", "DELETE FROM items");
    machine.stop_archiving();
    let lines = block("A bad migration", "");
    assert_eq!(lines.len(), 5);
    for line in lines {
        machine.run(&line.replace("70412", &commit));
    }
    assert_eq!(items(&machine.master), 7);
    machine
        .master
        .client("shop")
        .refused("SELECT price FROM items");
}

/// The repository is one that the server's credentials can add to, and not take from.
#[test]
fn what_was_there_before_an_attack_comes_back_by_the_lines_of_the_page() {
    let mut machine = Machine::new();
    let bucket = s3test::Server::start();
    machine.bucket = Some(bucket);
    machine.begin();
    machine.sell(4);
    let wanted = checksum(&machine.master, "shop");
    let last = commit(&machine.master);
    let list = machine.run("dbctl --json backup list file:///backup/eloqdb");
    let backup = json(&list)["backups"][0]["backup"].clone();
    let backup = backup.as_str().expect("a name").to_owned();
    if let Some(bucket) = &machine.bucket {
        bucket.faults().refuse_deletes();
    }
    // Whoever has the server now destroys what he can, here and there.
    machine.master.sql("shop", "DELETE FROM items WHERE id > 1");
    machine
        .master
        .sql("shop", "UPDATE items SET name = 'pay us'");
    machine.run("dbctl -c /etc/eloqdb/eloqdb.cfg backup create file:///backup/eloqdb");
    let prune = "dbctl backup prune file:///backup/eloqdb --keep-monthly 1 --grace 0";
    machine.run(prune);
    let prune = machine.here(prune);
    let refused = run(&mut machine.shell(&prune), b"").fails(4);
    assert!(refused.contains("403"), "{refused}");
    machine.wait_for_archive();
    machine.stop_archiving();
    machine.master.kill9();
    for directory in [machine.master.data_dir(), machine.master.fwlog_dir()] {
        std::fs::remove_dir_all(directory).expect("it goes");
    }
    let lines = block("Ransomware", "");
    assert_eq!(lines.len(), 5);
    let mut told = Vec::new();
    for line in lines {
        let line = line.replace("20060418T185417Z-000000070412", &backup);
        told.push(machine.run(&line.replace("70413", &(last + 1).to_string())));
    }
    let rows = &told[2];
    assert!(rows.contains(&(last + 1).to_string()), "{rows}");
    assert_eq!(items(&machine.master), 7);
    assert_eq!(checksum(&machine.master, "shop"), wanted);
}
