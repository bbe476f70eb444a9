//! Whatever was done behind a fork, its lines done again at the fork make the state at the end.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, also outside of test functions"
)]

#[path = "../../../rowdiff/tests/replay/copy.rs"]
mod copy;
#[path = "../../../rowdiff/tests/replay/history.rs"]
#[expect(dead_code, reason = "a part of it is for the tests of rowdiff")]
mod history;
mod log;
#[path = "../../../rowdiff/tests/replay/source.rs"]
#[expect(dead_code, reason = "a part of it is for the tests of rowdiff")]
mod source;
mod told;

use std::path::PathBuf;

use fwlog::{CommitNumber, EnvironmentId, Generation, InstanceId, LogPoint, Timestamp};
use lost::{
    Directory, Facts, Fork, ForkState, Line, LogState, MadeBy, Place, Root, Standing, Summary,
};
use proptest::prelude::*;

use copy::Copy;
use history::{Act, acts};
use log::Log;
use source::Source;

/// Runs a history, of which all behind the fork is lost, and does that again to the state at the fork.
fn comes_back(auto_vacuum: bool, history: &[Vec<Act>], fork: usize) {
    let (mut source, mut log, copy) = (Source::new(auto_vacuum), Log::new(), Copy::new());
    let mut at = log.end();
    for (index, transaction) in history.iter().enumerate() {
        if index == fork {
            at = log.end();
        }
        let before = source.pages.0.clone();
        let told = source.run(transaction);
        if !source.changed.is_empty() || before.len() != source.pages.0.len() {
            log.commit(&before, &source.pages.0, &source.changed);
        }
        if index < fork {
            copy.replay(told);
        }
        if index % 7 == 3 {
            log.broken_part(&source.pages.0[0]);
        }
    }
    if fork >= history.len() {
        at = log.end();
    }
    let made = keep(&log, at);
    assert!(made.description.exact, "{:?}", made.description);
    let directory = Directory::open(&log.machine().process().disk(), &made.directory).unwrap();
    directory.prove().unwrap();
    for line in directory.lines().unwrap() {
        if let Line::Transaction(transaction) = line.unwrap() {
            let changes = told::changes(&transaction, &copy.connection);
            copy.replay(changes);
        }
    }
    copy.assert_same_as(source.connection(), fork, &[]);
}

fn facts(log: &Log, (point, commit): (LogPoint, CommitNumber)) -> Facts {
    Facts {
        made_by: MadeBy::Rejoin,
        standing: Standing::Primary,
        environment: EnvironmentId::from_bytes([9; 16]),
        instance: "north".to_owned(),
        instance_id: InstanceId::from_bytes([7; 16]),
        fork: Fork {
            point,
            commit,
            time: None,
            generation: log.generation(),
        },
        root: Some(Root {
            instance: "south".to_owned(),
            generation: Generation::new(2),
            id: log.generation(),
        }),
        plan: "cut".to_owned(),
        time: Timestamp::from_micros(1_800_000_000_000_000),
    }
}

fn place(log: &Log) -> Place {
    Place {
        disk: log.machine().process().disk(),
        directory: PathBuf::from("/data/lost"),
    }
}

/// With the state at the fork as the log tells it.
fn keep(log: &Log, at: (LogPoint, CommitNumber)) -> Summary {
    let (store, place) = (log.store(), place(log));
    place.disk.make_directory(&place.directory, 0o700).unwrap();
    let state = LogState::read(&store, at.0, (&place.disk, &place.directory));
    let state = state.unwrap().unwrap();
    let known = ForkState::Known(state.databases());
    lost::write(&place, &facts(log, at), &known, &store).unwrap()
}

/// A history takes a tenth of a second; more of them on demand.
fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    wanted.and_then(|cases| cases.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn lines_done_again_at_the_fork_make_the_state_at_the_end(
        auto_vacuum in any::<bool>(),
        history in prop::collection::vec(prop::collection::vec(acts(), 1..5), 1..16),
        fork in 0_usize..12,
    ) {
        comes_back(auto_vacuum, &history, fork);
    }
}

/// Bug: rows that are deleted behind a rename, in one transaction, were deleted from the table of the old name.
#[test]
fn rows_of_a_table_that_is_renamed_and_loses_them_at_once_are_found() {
    let act = |kind, which, amount| Act {
        kind,
        which,
        amount,
    };
    let insert = || vec![act(history::Kind::Insert, 0, 0)];
    let both = vec![
        act(history::Kind::RenameTable, 39792, 0),
        act(history::Kind::Delete, 666, 18500),
    ];
    let history = [insert(), insert(), insert(), insert(), both];
    comes_back(false, &history, 0);
}
