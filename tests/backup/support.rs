//! A master with a shop, and a repository.

use std::path::PathBuf;
use std::process::Command;

use dbtests::process::{Run, run};
use dbtests::programs::ours;
use dbtests::{Folder, LONG, PASSWORD, Server, Settings, files, wait_for};
use serde_json::Value;

/// A master, and a repository that has nothing yet.
pub(crate) struct Shop {
    pub(crate) master: Server,
    pub(crate) url: String,
    pub(crate) repository: PathBuf,
    pub(crate) folder: Folder,
}

impl Shop {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let mut master = Server::create(folder.path(), Settings::master());
        master.start();
        master.sql("system", "CREATE DATABASE shop");
        let items = "CREATE TABLE items (id SERIAL PRIMARY KEY, body BYTEA)";
        master.sql("shop", items);
        let repository = folder.join("backup");
        let url = format!("file://{}", repository.display());
        run(ours("dbctl").args(["archive", "init", &url]), b"").ok();
        Self {
            master,
            url,
            repository,
            folder,
        }
    }

    /// So many rows more, of about ten pages each.
    pub(crate) fn sell(&self, count: u32) {
        let rows = format!(
            "INSERT INTO items (body) SELECT gen_random_bytes(30000) FROM generate_series(1, {count})"
        );
        self.master.sql("shop", &rows);
    }

    /// `dbctl -c master.cfg backup create URL`, with more behind it.
    pub(crate) fn create(&self, words: &[&str]) -> Value {
        json(&self.create_by(&self.master, words).ok())
    }

    pub(crate) fn create_by(&self, server: &Server, words: &[&str]) -> Run {
        let mut all = vec!["--json", "backup", "create", self.url.as_str()];
        all.extend(words);
        server.dbctl(&all)
    }

    /// `dbctl backup WORD URL`, without a server.
    pub(crate) fn look(&self, word: &str, words: &[&str]) -> Run {
        let mut command = ours("dbctl");
        command.args(["--json", "backup", word, &self.url]);
        run(command.args(words), b"")
    }

    /// Archives all that there is of a server's log.
    pub(crate) fn archive(&self, server: &Server) -> Run {
        let mut command = ours("dbrepl");
        command.arg("-c").arg(server.config_path());
        run(command.args(["-S", &self.url]), b"")
    }

    /// `dbctl backup restore` into the DataDir of a server that does not run.
    pub(crate) fn restore(&self, server: &Server, words: &[&str]) -> Run {
        let mut command = server.dbctl_command();
        command
            .args(["backup", "restore", "--from", &self.url])
            .args(words)
            .arg(server.data_dir());
        run(&mut command, b"")
    }

    /// The packs of the repository.
    pub(crate) fn packs(&self) -> Vec<PathBuf> {
        let environments = files::list(&self.repository, "");
        let packs = environments.iter().map(|it| it.join("pack"));
        packs.flat_map(|it| files::list(&it, "")).collect()
    }

    /// A server of the master's configuration but for its name, into which nothing was put yet.
    pub(crate) fn empty(&self, name: &str, role: &str) -> Server {
        Server::prepare(self.folder.path(), Settings::new(name, role))
    }

    /// A server over a restored copy, which keeps no forward log.
    pub(crate) fn copy(&self, name: &str) -> Server {
        let settings = Settings::new(name, "Standalone").without("ForwardLog", "FwLog");
        Server::prepare(self.folder.path(), settings)
    }
}

/// The rows of the shop.
pub(crate) fn items(server: &Server) -> i64 {
    let count = server.client("shop").value("SELECT count(*) FROM items");
    count.parse().expect("a number")
}

/// What people are told of a database.
fn proof(server: &Server, database: &str) -> Value {
    let words = ["--json", "database", "checksum", database];
    json(&server.dbctl(&words).ok())
}

/// The checksum of a database.
pub(crate) fn checksum(server: &Server, database: &str) -> String {
    let told = proof(server, database);
    told["checksum"].as_str().expect("a checksum").to_owned()
}

/// The newest commit of a server.
pub(crate) fn commit(server: &Server) -> u64 {
    let told = proof(server, "system");
    let commit = told["commit"].as_str().expect("a commit");
    commit.parse().expect("a number")
}

/// The second in which the newest commit was made, once it is over by far.
pub(crate) fn a_second_that_is_over(server: &Server) -> String {
    let client = server.client("shop");
    let second = client.value("SELECT date_trunc('second', now() AT TIME ZONE 'UTC')::text");
    let is_over =
        format!("SELECT now() AT TIME ZONE 'UTC' > '{second}'::timestamp + interval '2 seconds'");
    wait_for("a second to be over", LONG, || {
        (client.value(&is_over) == "t").then_some(())
    });
    second
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A command with the password of everybody.
pub(crate) fn with_password(command: &mut Command) -> &mut Command {
    command.env("EQ_DBPASSWORD", PASSWORD)
}
