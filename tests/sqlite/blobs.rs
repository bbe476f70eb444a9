//! Large values through the protocol: up to 512 MiB, and with little memory beside the value.

use dbtests::{Cluster, Settings};

use crate::scale::{BESIDE, MIB, scaled, stays_within};

/// Longest value that a column takes, as `docs/sql.md` says.
const LONGEST: u64 = 512 * MIB;

#[test]
fn a_large_value_comes_back_as_it_was_and_takes_a_few_times_its_size() {
    let size = scaled(24, 500) * MIB;
    let mut cluster = Cluster::with(Settings::master(), Settings::slave());
    cluster.master.sql("system", "CREATE DATABASE big");
    let client = cluster.master.client("big");
    client.run("CREATE TABLE t (a int PRIMARY KEY, b bytea, c text)");
    let length = usize::try_from(size).expect("64 bits");
    let mut value: Vec<u8> = (0_u8..=250).cycle().take(length).collect();
    value[length / 2] = 255;
    let insert = "INSERT INTO t (a, b) VALUES (1, $1)";
    let inserted = client.wait(client.driver().execute(insert, &[&value]));
    assert_eq!(inserted.expect("an insert"), 1);
    stays_within(
        &mut cluster.master,
        5 * size + BESIDE,
        "master, value written",
    );
    let select = "SELECT b FROM t WHERE a = 1";
    let row = client.wait(client.driver().query_one(select, &[]));
    assert!(row.expect("a row").get::<_, &[u8]>(0) == value.as_slice());
    let piece = format!(
        "SELECT encode(substring(b from {} for 1), 'hex') = 'ff', length(b) FROM t",
        length / 2 + 1
    );
    assert_eq!(client.rows(&piece), [["t".to_owned(), size.to_string()]]);
    stays_within(&mut cluster.master, 6 * size + BESIDE, "master, value read");
    cluster.synchronize();
    cluster.compare();
    stays_within(&mut cluster.slave, size + 2 * BESIDE, "slave");
}

#[test]
fn what_is_too_long_is_refused_and_the_session_goes_on() {
    let cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE big");
    let client = cluster.master.client("big");
    client.run("CREATE TABLE t (a int PRIMARY KEY, b bytea)");
    let too_long = format!(
        "INSERT INTO t VALUES (1, repeat('x', {})::bytea)",
        LONGEST + 1
    );
    assert_eq!(client.refused(&too_long).code, "54000");
    let grown = format!("SELECT length(repeat('x', 1024) || repeat('x', {LONGEST}))");
    assert_eq!(client.refused(&grown).code, "54000");
    client.run("INSERT INTO t VALUES (1, decode(repeat('00', 1000000), 'hex'))");
    assert_eq!(client.value("SELECT length(b) FROM t"), "1000000");
}
