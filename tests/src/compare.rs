//! Whether two servers have the same.

use std::collections::BTreeMap;

use disk::Disk;
use fwlog::{DurableEnd, SegmentInfo};

use crate::files;
use crate::server::Server;

/// Checksum and size of each database, with `system`.
#[track_caller]
pub fn checksums(server: &Server) -> BTreeMap<String, (String, String)> {
    database_names(server)
        .into_iter()
        .map(|name| {
            let mut report = server.command(&format!("database checksum {name}"));
            let mut field = |name: &str| report.remove(name).unwrap_or_default();
            let value = (field("checksum"), field("pages"));
            assert_eq!(value.0.len(), 64, "a hash of {name}: {value:?}");
            (name, value)
        })
        .collect()
}

/// The names of all databases.
#[track_caller]
pub fn database_names(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = server
        .sql("system", "DBCTL 'database list'")
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect();
    names.sort();
    names
}

/// The rows in each table of a database.
#[track_caller]
pub fn row_counts(server: &Server, database: &str) -> BTreeMap<String, u64> {
    let client = server.client(database);
    client
        .rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .map(|table| {
            let count = client.value(&format!("SELECT count(*) FROM \"{table}\""));
            (table, count.parse().expect("a number"))
        })
        .collect()
}

/// Both servers have the same databases with the same tables, rows and pages, and all of them pass
/// SQLite's own check.
#[track_caller]
pub fn databases(one: &Server, other: &Server) {
    for name in database_names(one) {
        for server in [one, other] {
            let report = server.command(&format!("database verify {name}"));
            assert_eq!(
                report.get("result").map(String::as_str),
                Some("ok"),
                "{name}"
            );
        }
        if name != "system" {
            assert_eq!(
                row_counts(one, &name),
                row_counts(other, &name),
                "rows of {name}"
            );
        }
    }
    assert_eq!(checksums(one), checksums(other));
}

/// The slave's segments are the master's, byte for byte: sealed ones as files, the open one up to
/// its durable end. Gives the number of sealed segments.
#[track_caller]
pub fn logs(master: &Server, slave: &Server) -> usize {
    let (on_master, on_slave) = (master.segments(), slave.segments());
    let mut sealed = 0;
    assert!(!on_slave.segments().is_empty(), "the slave has segments");
    for copy in on_slave.segments() {
        let original = on_master.get(copy.id);
        assert!(original.is_some(), "the master has no segment {}", copy.id);
        let original = original.expect("asserted");
        if copy.sealed.is_some() {
            same_file(original, copy);
            sealed += 1;
        } else {
            same_start(original, copy, slave);
        }
    }
    sealed
}

#[track_caller]
fn same_file(original: &SegmentInfo, copy: &SegmentInfo) {
    assert_eq!(files::name(&original.path), files::name(&copy.path));
    let (one, other) = (files::read(&original.path), files::read(&copy.path));
    assert_eq!(one.len(), other.len(), "length of segment {}", copy.id);
    assert!(
        one == other,
        "segment {} differs at {:?}",
        copy.id,
        difference(&one, &other)
    );
}

#[track_caller]
fn same_start(original: &SegmentInfo, copy: &SegmentInfo, slave: &Server) {
    let end = DurableEnd::read(&Disk::real(), &slave.fwlog_dir()).expect("a readable fw.position");
    let end = end.expect("a durable end").durable.point.position;
    assert_eq!(end.segment, copy.id, "the open segment is the newest");
    let length = usize::try_from(end.offset).expect("a small file");
    let (one, other) = (files::read(&original.path), files::read(&copy.path));
    assert!(
        one.len() >= length && other.len() >= length,
        "segment {} is short",
        copy.id
    );
    let (one, other) = (&one[..length], &other[..length]);
    assert!(
        one == other,
        "segment {} differs at {:?}",
        copy.id,
        difference(one, other)
    );
}

fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    one.iter().zip(other).position(|(a, b)| a != b)
}
