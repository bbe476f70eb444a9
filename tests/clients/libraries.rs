//! What applications do through the libraries of Node and Python: the programs in `programs/`, where what they need is
//! installed. `tests/run.sh` installs it with `ELOQDB_CLIENTS=1`; each program passes on PostgreSQL 15, too.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::{PASSWORD, process, programs};

use crate::Shop;

fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients/programs")
        .join(name)
}

/// Runs a program with a server of its own; it ends well when each of its checks has passed.
fn passes(command: &mut Command) {
    let shop = Shop::open();
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", shop.server.address().port().to_string())
        .env("PGUSER", "dba")
        .env("PGPASSWORD", PASSWORD)
        .env("PGDATABASE", "shop");
    let run = process::run(command, b"");
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn libraries_of_node_work_as_with_postgresql() {
    let modules = built().join("node/node_modules");
    let there = [
        "pg",
        "postgres",
        "knex",
        "sequelize",
        "typeorm",
        "drizzle-orm",
        "kysely",
    ]
    .iter()
    .all(|name| modules.join(name).exists());
    let (true, Some(mut node)) = (there, programs::other("node")) else {
        println!(
            "skipped: target/node has not all libraries; ELOQDB_CLIENTS=1 tests/run.sh installs them"
        );
        return;
    };
    passes(node.env("NODE_PATH", modules).arg(program("libraries.js")));
}

#[test]
fn libraries_of_python_work_as_with_postgresql() {
    let python = built().join("python/bin/python3");
    let imports =
        "import pg8000, peewee, playhouse.postgres_ext, alembic, psycopg, tortoise, asyncpg";
    let there = python.exists()
        && process::run(Command::new(&python).args(["-c", imports]), b"").code == Some(0);
    if !there {
        println!(
            "skipped: target/python has not all libraries; ELOQDB_CLIENTS=1 tests/run.sh installs them"
        );
        return;
    }
    passes(Command::new(python).arg(program("libraries.py")));
}
