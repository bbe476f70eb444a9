//! A database that counts what was acknowledged.

use std::path::PathBuf;

use dbtests::{Server, wait_for};

/// A database with one table.
pub(crate) fn open(server: &Server) {
    server.sql("system", "CREATE DATABASE shop");
    server.sql(
        "shop",
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)",
    );
}

/// Adds so many rows, each in a transaction that is acknowledged.
#[track_caller]
pub(crate) fn sell(server: &Server, rows: u32) {
    let client = server.client("shop");
    for number in 0..rows {
        client.run(&format!("INSERT INTO item (name) VALUES ('item {number}')"));
    }
}

/// Tries to add one row; the SQLSTATE of a refusal.
pub(crate) fn try_to_sell(server: &Server) -> Result<(), String> {
    let sold = server
        .client("shop")
        .try_rows("INSERT INTO item (name) VALUES ('one more')");
    sold.map(drop).map_err(|error| {
        let refusal = dbtests::Refusal::of(&error).expect("the server's words");
        assert!(!refusal.hint.is_empty(), "it says what to do: {refusal:?}");
        refusal.code
    })
}

/// The rows that there are.
#[track_caller]
pub(crate) fn items(server: &Server) -> u32 {
    let rows = server.sql("shop", "SELECT count(*) FROM item");
    rows[0][0].parse().expect("a number")
}

/// The file of the segment that a server writes now.
#[track_caller]
pub(crate) fn open_segment(server: &Server) -> PathBuf {
    let mut status = server.command("forwardlog status");
    let directory = PathBuf::from(status.remove("directory").expect("a directory"));
    directory.join(status.remove("segment").expect("a segment"))
}

/// Waits until the server's log has this text once more than `before`.
#[track_caller]
pub(crate) fn wait_for_log(server: &Server, text: &str, before: usize) {
    let shown = format!("the server to say '{text}'");
    wait_for(&shown, dbtests::SHORT, || {
        (told(server, text) > before).then_some(())
    });
}

/// How often the server's log has this text.
pub(crate) fn told(server: &Server, text: &str) -> usize {
    server.log().matches(text).count()
}

/// Waits until a line of `status` has or has not a value.
#[track_caller]
pub(crate) fn wait_for_trouble(server: &Server, part: Option<&str>) -> String {
    wait_for("the log's trouble in 'status'", dbtests::SHORT, || {
        let trouble = server.command("status").remove("log trouble")?;
        match part {
            Some(part) => trouble.contains(part),
            None => trouble.is_empty(),
        }
        .then_some(trouble)
    })
}
