//! The same in a bucket of an object store, which is slow, fails now and then, and loses answers.

use std::process::Command;
use std::time::Duration;

use dbtests::process::{Run, run};
use dbtests::programs::ours;
use dbtests::{Folder, PASSWORD, Server, Settings};
use s3test::Fault;

use crate::support::{checksum, items, json};

/// A master, and a bucket with a repository.
struct Far {
    bucket: s3test::Server,
    master: Server,
    folder: Folder,
    url: String,
}

impl Far {
    fn start() -> Self {
        let folder = Folder::new();
        let bucket = s3test::Server::start();
        let mut master = Server::create(folder.path(), Settings::master());
        master.start();
        master.sql("system", "CREATE DATABASE shop");
        let items = "CREATE TABLE items (id SERIAL PRIMARY KEY, body BYTEA)";
        master.sql("shop", items);
        let far = Self {
            url: bucket.url("site/eloqdb"),
            bucket,
            master,
            folder,
        };
        let told = Far::dbctl(&["archive", "init", &far.url]).ok();
        assert!(
            told.contains("eloqdb") && !told.contains("archivers"),
            "{told}"
        );
        far
    }

    fn sell(&self, count: u32) {
        let rows = format!(
            "INSERT INTO items (body) SELECT gen_random_bytes(30000) FROM generate_series(1, {count})"
        );
        self.master.sql("shop", &rows);
    }

    fn with_credentials(mut command: Command, words: &[&str]) -> Run {
        command.args(words).envs(s3test::Server::credentials());
        run(command.env("EQ_DBPASSWORD", PASSWORD), b"")
    }

    /// dbctl without a server.
    fn dbctl(words: &[&str]) -> Run {
        Self::with_credentials(ours("dbctl"), words)
    }

    fn create(&self) -> Run {
        let words = ["--json", "backup", "create", &self.url];
        Self::with_credentials(self.master.dbctl_command(), &words)
    }

    fn archive(&self) -> Run {
        let mut command = ours("dbrepl");
        command.arg("-c").arg(self.master.config_path());
        Self::with_credentials(command, &["-S", &self.url])
    }

    fn restore(&self, name: &str) -> Server {
        let settings = Settings::new(name, "Standalone").without("ForwardLog", "FwLog");
        let copy = Server::prepare(self.folder.path(), settings);
        let into = copy.data_dir().display().to_string();
        let words = ["backup", "restore", "--from", &self.url, &into];
        Self::with_credentials(copy.dbctl_command(), &words).ok();
        copy
    }
}

/// Log and backups go into a bucket and come back out of it, whatever goes wrong with requests.
#[test]
fn the_past_comes_back_out_of_a_bucket_that_fails_now_and_then() {
    let far = Far::start();
    let faults = far.bucket.faults();
    far.sell(60);
    faults.every(6, Fault::Unavailable);
    let first = json(&far.create().ok());
    far.sell(5);
    faults.every(5, Fault::LostAnswer);
    far.archive().ok();
    let second = json(&far.create().ok());
    let stored = |backup: &serde_json::Value| backup["bytes_stored"].as_u64().expect("bytes");
    assert!(stored(&second) < stored(&first) / 2, "{first} {second}");
    far.sell(2);
    faults.every(4, Fault::Slow(Duration::from_millis(30)));
    far.archive().ok();
    let proof = checksum(&far.master, "shop");
    faults.every(7, Fault::CutAnswer);
    let verified = Far::dbctl(&["backup", "verify", &far.url, "--data"]);
    verified.ok();
    Far::dbctl(&["archive", "verify", &far.url]).ok();
    let mut copy = far.restore("copy");
    copy.start();
    assert_eq!(items(&copy), 67);
    assert_eq!(checksum(&copy, "shop"), proof);
}

/// What is wrong with a bucket is said as what it is, with the exit code for it.
#[test]
fn a_bucket_that_refuses_is_told_with_the_code_for_that() {
    let far = Far::start();
    far.sell(1);
    let mut command = ours("dbrepl");
    command.arg("-c").arg(far.master.config_path());
    command.args(["-S", &far.url]);
    command.env("AWS_ACCESS_KEY_ID", "nobody");
    let told = run(command.env("AWS_SECRET_ACCESS_KEY", "x"), b"").fails(4);
    assert!(told.contains("403"), "{told}");
    let elsewhere = far.bucket.url("elsewhere");
    let told = Far::dbctl(&["backup", "list", &elsewhere]).fails(3);
    assert!(told.contains("there is no repository"), "{told}");
    let told = Far::dbctl(&["archive", "status", "s3://b?key=x"]).fails(2);
    assert!(
        told.contains("credentials come from the environment"),
        "{told}"
    );
}

/// A store that does not keep two writers apart says so from its beginning.
#[test]
fn a_store_that_replaces_what_is_there_is_for_one_archiver() {
    let far = Far::start();
    far.bucket.faults().ignore_conditions();
    let careless = far.bucket.url("careless");
    let told = Far::dbctl(&["archive", "init", &careless]).ok();
    assert!(told.contains("one at a time"), "{told}");
    far.sell(2);
    let mut command = ours("dbrepl");
    command.arg("-c").arg(far.master.config_path());
    let archived = Far::with_credentials(command, &["-S", &careless]);
    assert!(
        archived.err.contains("has to be the only one"),
        "{}",
        archived.err
    );
    archived.ok();
    Far::dbctl(&["archive", "verify", &careless]).ok();
}
