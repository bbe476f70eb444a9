//! Whatever is done to a database, its row changes done again to a copy make the same database.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, also outside of test functions"
)]

mod copy;
mod history;
mod source;

use proptest::prelude::*;

use rowdiff::Change;

use copy::Copy;
use history::{Act, acts};
use source::Source;

/// Runs a history, each transaction of it, and does what is told of it to a copy.
fn replays(auto_vacuum: bool, history: &[Vec<Act>]) {
    let mut source = Source::new(auto_vacuum);
    let copy = Copy::new();
    for (index, transaction) in history.iter().enumerate() {
        let told = source.run(transaction);
        for change in &told {
            assert!(
                !history::says_nothing(change),
                "transaction {index} {transaction:?}: a change without a difference: {change:?}"
            );
        }
        copy.replay(told);
        copy.assert_same_as(source.connection(), index, transaction);
        // What is learnt from the pages of a commit is what is found in all of them.
        if index % 5 == 4 {
            source.begin_anew();
        }
    }
}

/// A history takes a tenth of a second; more of them on demand.
fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    wanted.and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn changes_done_again_make_the_same_database(
        auto_vacuum in any::<bool>(),
        history in prop::collection::vec(prop::collection::vec(acts(), 1..5), 1..16),
    ) {
        replays(auto_vacuum, &history);
    }
}

#[test]
fn rows_that_a_split_or_a_vacuum_moves_are_no_changes() {
    let mut source = Source::new(false);
    source.sql("INSERT INTO t0 (id, a) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 2 FROM n WHERE i < 4000) SELECT i, printf('%080d', i) FROM n");
    let told = source.sql(
        "INSERT INTO t0 (id, a) VALUES (1000, printf('%02000d', 1)), (1002, printf('%02000d', 1))",
    );
    assert_eq!(told.len(), 2, "{told:?}");
    let told = source.sql("DELETE FROM t0 WHERE id > 20");
    assert_eq!(told.len(), 1993);
    let told = source.vacuum();
    assert!(told.is_empty(), "{told:?}");
    // A table without a column for its rowids gets new ones.
    source.sql("INSERT INTO log VALUES ('a'), ('b'), ('c'); DELETE FROM log WHERE what = 'a'");
    let told = source.vacuum();
    assert!(
        matches!(&told[..], [Change::Renumbered(table)] if table.name == "log"),
        "{told:?}"
    );
}

#[test]
fn a_part_of_a_large_value_is_changed_where_it_is() {
    let mut source = Source::new(false);
    source.sql("INSERT INTO t0 (id, b) SELECT 5, zeroblob(900000)");
    // Same length, so SQLite writes the overflow pages that differ and nothing else.
    let told = source
        .sql("UPDATE t0 SET b = CAST(substr(b, 1, 500000) || x'01' || substr(b, 500002) AS BLOB)");
    assert_eq!(told.len(), 1);
    assert!(source.changed_pages() < 5, "{}", source.changed_pages());
}
