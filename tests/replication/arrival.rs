//! Real data, loaded by an unmodified psql, arrives complete.

use std::fs;

use dbtests::compare::row_counts;
use dbtests::{Cluster, data};

#[test]
fn a_music_shop_loaded_by_psql_arrives_complete() {
    let cluster = Cluster::start();
    let script = data::music_shop();
    let loaded = cluster
        .master
        .psql("system", &["-q", "-f", "-"], &script.text);
    assert!(!loaded.err.contains("ERROR"), "{}", loaded.err);
    loaded.ok();
    let counts = row_counts(&cluster.master, script.database);
    println!("{}: {counts:?}", script.database);
    for (table, rows) in script.rows {
        assert_eq!(counts.get(*table), Some(rows), "rows of {table}");
    }

    let told = cluster.synchronize();
    assert!(told.contains("R1: processing forward-log file: "), "{told}");
    assert!(
        told.contains("R1: found synchronization point with slave server"),
        "{told}"
    );
    assert!(
        told.contains("R1: slave server is up-to-date until 20"),
        "{told}"
    );
    assert!(cluster.compare() > 0, "at least one segment is sealed");
    assert_eq!(row_counts(&cluster.slave, script.database), counts);
}

#[test]
fn a_csv_file_with_a_header_goes_through_copy() {
    let Some(path) = data::oui_csv() else {
        println!(
            "skipped: /usr/share/ieee-data/oui.csv is missing; tests/run.sh installs ieee-data"
        );
        return;
    };
    let lines = fs::read(&path).expect("the file");
    let cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE networks");
    cluster
        .master
        .psql(
            "networks",
            &["-q"],
            &format!(
                "CREATE TABLE oui (registry text, assignment text, organization text, address text);\n\
                 \\copy oui FROM '{}' WITH (FORMAT csv, HEADER true)\n",
                path.display()
            ),
        )
        .ok();
    let count: usize = cluster.master.sql("networks", "SELECT count(*) FROM oui")[0][0]
        .parse()
        .unwrap();
    // The header is no row, and a line break in quotes ends none.
    let lines = lines.split(|byte| *byte == b'\n').count() - 1;
    assert!(
        count > 30_000 && count < lines,
        "{count} rows of {lines} lines"
    );

    cluster.synchronize();
    cluster.compare();
    // Copied out on both, it is the same text.
    let copy = "\\copy (SELECT * FROM oui ORDER BY assignment, organization, address) TO STDOUT CSV HEADER";
    let (one, other) = (
        cluster.master.psql("networks", &["-c", copy], "").ok(),
        cluster.slave.psql("networks", &["-c", copy], "").ok(),
    );
    assert!(one == other, "the texts differ");
    assert!(one.starts_with("registry,assignment,organization,address\n"));
}
