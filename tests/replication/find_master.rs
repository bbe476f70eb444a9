//! Clients that know both servers, and ask for the one that writes, find the new master by themselves: libpq, asyncpg
//! and PostgreSQL's JDBC driver, each with a connection string that never changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::{LONG, PASSWORD, Server, files, process, programs, wait_for};

use crate::shop::SHOP;
use crate::switchover::Pair;

/// A program that writes without an end, connects again when that fails, and ends once a server on the last of the ports
/// has taken a row.
struct Program {
    name: &'static str,
    command: Command,
}

#[expect(
    clippy::print_stdout,
    reason = "the test runner keeps it for the report"
)]
fn clients(folder: &Path) -> Vec<Program> {
    let mut found = Vec::new();
    let libpq = ["/usr/bin/python3", "python3"];
    let libpq = libpq.map(PathBuf::from).into_iter();
    let asyncpg = [Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python3")];
    for (name, script, module, pythons) in [
        (
            "libpq",
            include_str!("find_master/libpq.py"),
            "psycopg2",
            libpq.collect(),
        ),
        (
            "asyncpg",
            include_str!("find_master/asyncpg_.py"),
            "asyncpg",
            asyncpg.to_vec(),
        ),
    ] {
        match pythons.iter().find(|python| imports(python, module)) {
            Some(python) => {
                let mut command = Command::new(python);
                command.args(["-c", script]);
                found.push(Program { name, command });
            }
            None => println!("skipped: no python with {module}; tests/run.sh installs it"),
        }
    }
    match java(folder) {
        Some(command) => found.push(Program {
            name: "JDBC",
            command,
        }),
        None => println!(
            "skipped: no javac with PostgreSQL's driver (openjdk-17-jdk-headless, libpostgresql-jdbc-java)"
        ),
    }
    found
}

fn imports(python: &Path, module: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]);
    command.output().is_ok_and(|run| run.status.success())
}

fn java(folder: &Path) -> Option<Command> {
    const DRIVER: &str = "/usr/share/java/postgresql.jar";
    let mut compile = programs::other("javac").filter(|_| Path::new(DRIVER).exists())?;
    let source = folder.join("FindMaster.java");
    files::write(&source, include_str!("find_master/FindMaster.java"));
    process::run(compile.arg("-d").arg(folder).arg(&source), b"").ok();
    let mut command = programs::other("java")?;
    command
        .arg("-cp")
        .arg(format!("{DRIVER}:{}", folder.display()))
        .arg("FindMaster");
    Some(command)
}

#[test]
fn clients_that_ask_for_the_one_that_writes_find_the_new_master() {
    let pair = Pair::start();
    pair.wait_for_feed();
    let (master, slave) = (&pair.cluster.master, &pair.cluster.slave);
    let rows = |server: &Server, name: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM item WHERE name = '{name}'");
        server.sql(SHOP, &sql)[0][0].parse().expect("a number")
    };
    let mut running = Vec::new();
    for Program { name, mut command } in clients(pair.cluster.folder().path()) {
        command
            .env("PGPASSWORD", PASSWORD)
            .env("SHOP_NAME", name)
            .env(
                "SHOP_PORTS",
                format!("{},{}", master.address().port(), slave.address().port()),
            );
        let log = pair.cluster.folder().join(&format!("{name}.log"));
        running.push((name, process::Background::start(&mut command, &log)));
    }
    for (name, program) in &mut running {
        wait_for(&format!("{name} to write to the master"), LONG, || {
            assert!(program.ended().is_none(), "{name}: {}", program.output());
            (rows(master, name) > 3).then_some(())
        });
    }
    master
        .dbctl(&["replication", "switchover", slave.settings().name()])
        .ok();
    for (name, mut program) in running {
        let status = wait_for(&format!("{name} to write to the new master"), LONG, || {
            program.ended()
        });
        assert!(status.success(), "{name}: {}", program.output());
    }
    pair.settle_and_compare();
    pair.stop();
}
