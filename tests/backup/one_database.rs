//! One database out of a backup, into the server that runs.

use dbtests::{Cluster, Server, Settings, files};

use crate::support::{Shop, checksum, commit, items, json};

fn bring(shop: &Shop, server: &Server, words: &[&str]) -> dbtests::Run {
    let mut all = vec!["--json", "backup", "restore", "--from", &shop.url];
    all.extend(words);
    server.dbctl(&all)
}

fn count(server: &Server, database: &str) -> String {
    server.client(database).value("SELECT count(*) FROM items")
}

#[test]
fn a_database_comes_back_under_another_name_and_slaves_get_it() {
    let shop = Shop::start();
    let cluster = Cluster::with(Settings::master(), Settings::slave());
    let (master, slave) = (&cluster.master, &cluster.slave);
    master.sql("system", "CREATE DATABASE shop");
    master.sql(
        "shop",
        "CREATE TABLE items (id SERIAL PRIMARY KEY, body BYTEA)",
    );
    master.sql(
        "shop",
        "INSERT INTO items (body) SELECT gen_random_bytes(9000) FROM generate_series(1, 20)",
    );
    json(&shop.create_by(master, &[]).ok());
    master.sql(
        "shop",
        "INSERT INTO items (body) VALUES ('behind the backup')",
    );
    let (wanted, at) = (checksum(master, "shop"), commit(master).to_string());
    master.sql("shop", "DROP TABLE items");
    shop.archive(master).ok();
    let target = ["--database", "shop=shop_before", "--commit", &at];
    let refused = bring(&shop, master, &["--database", "shop", "--commit", &at]).fails(1);
    assert!(refused.contains("shop=shop_before"), "{refused}");
    let none = ["--database", "till", "--commit", &at];
    let refused = bring(&shop, master, &none).fails(5);
    assert!(refused.contains("no database till, but shop"), "{refused}");
    let told = json(&bring(&shop, master, &target).ok());
    assert_eq!(told["commit"], at.as_str(), "{told}");
    assert_eq!(count(master, "shop_before"), "21");
    assert_eq!(checksum(master, "shop_before"), wanted, "page for page");
    master.client("shop").refused("SELECT count(*) FROM items");
    cluster.synchronize();
    cluster.compare();
    assert_eq!(count(slave, "shop_before"), "21");
    let refused = bring(&shop, slave, &["--database", "shop=other", "--commit", &at]).fails(1);
    assert!(refused.contains("slave is a slave"), "{refused}");
    let left = files::list(&master.folder().join("tmp"), "eloqdb-restore-");
    assert!(left.is_empty(), "{left:?}");
}

/// Number, owner and grants stay; caches, here and on a slave, let go what they have.
#[test]
fn a_database_is_put_in_the_place_of_what_became_of_it() {
    let shop = Shop::start();
    let cluster = Cluster::with(Settings::master(), Settings::slave());
    let (master, slave) = (&cluster.master, &cluster.slave);
    master.sql("system", "CREATE DATABASE shop");
    master.sql(
        "shop",
        "CREATE TABLE items (id SERIAL PRIMARY KEY, body BYTEA)",
    );
    master.sql(
        "shop",
        "INSERT INTO items (body) SELECT gen_random_bytes(9000) FROM generate_series(1, 30)",
    );
    master
        .dbctl_with_new_password(&["user", "create", "ann"], "of ann")
        .ok();
    master.sql("system", "GRANT CONNECT ON DATABASE shop TO ann");
    let known = "SELECT oid, datdba, datacl::text FROM pg_database WHERE datname = 'shop'";
    let before = master.sql("system", known);
    json(&shop.create_by(master, &[]).ok());
    shop.archive(master).ok();
    let at = commit(master).to_string();
    let row = "INSERT INTO items (body) VALUES ('x') RETURNING id";
    assert_eq!(master.client("shop").value(row), "31");
    master.sql(
        "shop",
        "ALTER TABLE items RENAME TO broken; CREATE TABLE items (nothing INT)",
    );
    cluster.synchronize();
    let reader = slave.client("shop");
    assert_eq!(reader.value("SELECT count(*) FROM items"), "0");
    let target = ["--database", "shop", "--replace", "--commit", &at];
    let session = master.client("shop");
    assert_eq!(session.value("SELECT count(*) FROM items"), "0");
    let refused = bring(&shop, master, &target).fails(1);
    assert!(refused.contains("is in use"), "{refused}");
    drop(session);
    json(&bring(&shop, master, &target).ok());
    assert_eq!(items(master), 30);
    assert_eq!(master.sql("system", known), before);
    master.client("shop").refused("SELECT count(*) FROM broken");
    // No number comes twice: the sequence is that of the backup, and a row fits.
    let id: u32 = master.client("shop").value(row).parse().expect("a number");
    assert!(id > 30, "{id}");
    cluster.synchronize();
    assert_eq!(reader.value("SELECT count(*) FROM items"), "31");
    cluster.compare();
    let none = ["--database", "shop=none", "--replace"];
    let refused = bring(&shop, master, &none).fails(1);
    assert!(refused.contains("no database none"), "{refused}");
    bring(&shop, master, &["--database", "system"]).fails(2);
}
