//! PostgreSQL's own tools against the server, where they are installed: `pg_dump` and `pg_restore` there and back, and those that
//! go through databases.

use std::path::Path;
use std::process::Command;

use dbtests::{Folder, PASSWORD, Run, process};

use crate::Shop;

/// Where Debian has the programs of PostgreSQL 15.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// Every type that a column may have, two schemas, and what belongs to tables.
const DEFINITIONS: &str = include_str!("dumps/definitions.sql");

/// A query for each table whose answer tells all of its rows.
const ROWS: [&str; 4] = [
    "SELECT md5(string_agg(every::text, '|' ORDER BY id)) FROM every",
    "SELECT md5(string_agg(parent::text, '|' ORDER BY id)) FROM app.parent",
    "SELECT md5(string_agg(child::text, '|' ORDER BY a, b)) FROM app.child",
    "SELECT md5(string_agg(v::text, '|' ORDER BY name)) FROM app.v",
];

/// The program, where it is installed.
fn tool(name: &str) -> Option<Command> {
    let path = Path::new(PROGRAMS).join(name);
    path.exists().then(|| Command::new(path))
}

fn run(shop: &Shop, command: &mut Command, input: &str) -> Run {
    let port = shop.server.address().port().to_string();
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port)
        .env("PGUSER", "dba")
        .env("PGPASSWORD", PASSWORD);
    process::run(command, input.as_bytes())
}

fn rows(shop: &Shop, database: &str) -> Vec<String> {
    let client = shop.server.client(database);
    ROWS.iter().map(|sql| client.value(sql)).collect()
}

#[test]
fn a_dump_restores_every_type_and_every_definition() {
    let (Some(mut dump), Some(mut custom), Some(mut restore)) =
        (tool("pg_dump"), tool("pg_dump"), tool("pg_restore"))
    else {
        println!("skipped: {PROGRAMS} has no pg_dump (Debian package postgresql-client-15)");
        return;
    };
    let shop = Shop::open();
    shop.psql(&["-q", "-v", "ON_ERROR_STOP=1"], DEFINITIONS)
        .ok();
    let told = rows(&shop, "shop");
    let text = run(&shop, dump.arg("shop"), "").ok();
    for database in ["plain", "custom"] {
        shop.server
            .sql("system", &format!("CREATE DATABASE {database}"));
    }
    let loaded = shop
        .server
        .psql("plain", &["-q", "-v", "ON_ERROR_STOP=1"], &text);
    loaded.ok();
    assert_eq!(rows(&shop, "plain"), told);
    let folder = Folder::new();
    let file = folder.path().join("shop.dump");
    run(&shop, custom.args(["-Fc", "-f"]).arg(&file).arg("shop"), "").ok();
    run(&shop, restore.args(["-d", "custom"]).arg(&file), "").ok();
    assert_eq!(rows(&shop, "custom"), told);
    // Both ways restore the same.
    let again = |database: &str| {
        let mut command = tool("pg_dump").expect("it was there");
        let text = run(&shop, command.args(["--schema-only", database]), "").ok();
        let lines = text.lines().filter(|line| !line.contains("restrict "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(again("plain"), again("custom"));
}

#[test]
fn programs_that_go_through_databases_end_well() {
    let shop = Shop::open();
    shop.psql(&["-q"], DEFINITIONS).ok();
    for (name, arguments) in [
        ("pg_isready", &[][..]),
        ("createdb", &["made"][..]),
        ("createuser", &["somebody"][..]),
        ("vacuumdb", &["--all", "--quiet"][..]),
        ("vacuumdb", &["--all", "--analyze", "--quiet"][..]),
        ("reindexdb", &["--all", "--quiet"][..]),
        ("clusterdb", &["--all", "--quiet"][..]),
        ("pg_dumpall", &["--globals-only", "-l", "shop"][..]),
        ("pgbench", &["-i", "-q", "made"][..]),
        ("dropuser", &["somebody"][..]),
        ("dropdb", &["made"][..]),
    ] {
        let Some(mut command) = tool(name) else {
            println!("skipped: {PROGRAMS} has no {name}");
            continue;
        };
        let ended = run(&shop, command.args(arguments), "");
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
    }
}
