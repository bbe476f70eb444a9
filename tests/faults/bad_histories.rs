//! The checker must find what it is there for: histories that are wrong, each in one way.

use crate::checker::{Fault, Final, check};
use crate::history::{At, Change, History, Id, Outcome, Read, View, Write};
use crate::state::States;

const LIST: u64 = 7;

/// Three transactions, one after the other; each appends itself to a list, and moves money. Number n
/// lasts from tick 10 n to 10 n + 5.
struct Story {
    history: History,
    order: Vec<Id>,
}

fn story() -> Story {
    let writes = (1..=3).map(|id| Write {
        id,
        begun: id * 10,
        ended: id * 10 + 5,
        changes: vec![
            Change::Append(LIST),
            Change::Transfer {
                from: 0,
                to: 1,
                amount: 10,
            },
            Change::Remake(0),
        ],
        saw: None,
        outcome: Outcome::Committed,
    });
    Story {
        history: History {
            writes: writes.collect(),
            reads: Vec::new(),
            databases: Vec::new(),
        },
        order: vec![1, 2, 3],
    }
}

/// What is right after so many of them.
fn view(number: u64) -> View {
    let moved = 10 * i64::try_from(number).unwrap();
    View {
        number,
        lists: [(LIST, (1..=number).collect())].into(),
        balances: vec![100 - moved, 100 + moved],
        tables: [(0, number)].into(),
        ballast: (0, 0, 0),
    }
}

impl Story {
    /// Somebody reads for a moment from this tick on.
    fn read(mut self, at: At, tick: u64, saw: View) -> Self {
        self.history.reads.push(Read {
            at,
            begun: tick,
            ended: tick + 1,
            saw,
        });
        self
    }

    fn faults(&self) -> Vec<Fault> {
        let number = u64::try_from(self.order.len()).unwrap();
        self.faults_with(view(number))
    }

    fn faults_with(&self, last: View) -> Vec<Fault> {
        let end = Final {
            order: self.order.clone(),
            views: vec![(At::Slave(1), last)],
        };
        check(&mut States::new(2, 100), &self.history, &end)
    }
}

#[test]
fn a_good_history_has_no_faults() {
    let mut story = story()
        .read(At::Master, 1, view(0))
        .read(At::Master, 26, view(2))
        .read(At::Slave(0), 36, view(1))
        .read(At::Slave(0), 46, view(3))
        .read(At::Slave(1), 56, view(2));
    story.history.writes[0].saw = Some(View {
        number: 1,
        ..view(0)
    });
    assert_eq!(story.faults(), []);
}

#[test]
fn an_unknown_transaction_is_there_or_not() {
    let mut story = story();
    story.history.writes[2].outcome = Outcome::Unknown;
    assert_eq!(story.faults(), []);
    story.order.pop();
    assert_eq!(story.faults(), []);
}

#[test]
fn a_lost_append_is_found() {
    let mut story = story();
    story.order.pop();
    assert_eq!(story.faults(), [Fault::Lost(3)]);
}

#[test]
fn a_transaction_that_failed_and_is_there_is_found() {
    let mut story = story();
    story.history.writes[2].outcome = Outcome::Failed;
    assert_eq!(story.faults(), [Fault::Undead(3)]);
}

#[test]
fn a_transaction_of_nobody_is_found() {
    let mut story = story();
    story.order.push(99);
    let last = View {
        number: 4,
        ..view(3)
    };
    assert_eq!(story.faults_with(last), [Fault::FromNowhere(99)]);
}

#[test]
fn a_dirty_read_of_a_value_that_was_rolled_back_is_found() {
    let mut story = story();
    story.history.writes[2].outcome = Outcome::Failed;
    story.order.pop();
    let mut dirty = view(2);
    dirty.lists.get_mut(&LIST).unwrap().push(3);
    let story = story.read(At::Master, 41, dirty);
    assert!(matches!(story.faults()[..], [Fault::Torn(At::Master, _)]));
}

#[test]
fn a_read_of_half_a_transaction_is_found() {
    let halves: [fn(&mut View); 4] = [
        |half| half.balances = vec![90, 120],
        |half| half.lists = view(1).lists,
        |half| half.tables = view(3).tables,
        |half| half.ballast = (1, 2, 2),
    ];
    for tear in halves {
        let mut half = view(2);
        tear(&mut half);
        let story = story().read(At::Slave(0), 41, half);
        assert!(matches!(story.faults()[..], [Fault::Torn(At::Slave(0), _)]));
    }
}

#[test]
fn a_list_that_is_no_prefix_is_found() {
    for list in [vec![2], vec![2, 1], vec![1, 1], vec![1, 2, 2]] {
        let number = u64::try_from(list.len()).unwrap();
        let mut wrong = view(number.min(3));
        wrong.lists.insert(LIST, list);
        let story = story().read(At::Slave(0), 41, wrong);
        assert!(matches!(story.faults()[..], [Fault::Torn(..)]));
    }
}

#[test]
fn a_slave_that_goes_back_is_found() {
    let story = story()
        .read(At::Slave(0), 41, view(3))
        .read(At::Slave(0), 51, view(2));
    assert_eq!(story.faults(), [Fault::WentBack(At::Slave(0), 3, 2)]);
}

#[test]
fn a_master_that_does_not_show_what_it_has_acknowledged_is_found() {
    let story = story().read(At::Master, 26, view(1));
    assert_eq!(story.faults(), [Fault::Stale(2, 1)]);
}

#[test]
fn a_read_of_what_nobody_has_begun_is_found() {
    let story = story().read(At::Slave(1), 26, view(3));
    assert_eq!(story.faults(), [Fault::BeforeItsTime(At::Slave(1), 3)]);
}

#[test]
fn a_read_of_more_than_there_is_in_the_end_is_found() {
    let story = story().read(At::Slave(1), 46, view(4));
    assert_eq!(story.faults(), [Fault::FromTheFuture(At::Slave(1), 4)]);
}

#[test]
fn commits_in_another_order_than_they_were_acknowledged_are_found() {
    let mut story = story();
    story.order = vec![2, 1, 3];
    let mut last = view(3);
    last.lists.insert(LIST, vec![2, 1, 3]);
    assert_eq!(story.faults_with(last), [Fault::OutOfOrder(2, 1)]);
}

#[test]
fn an_append_that_is_there_twice_is_found() {
    let mut story = story();
    story.order.push(3);
    let mut last = view(4);
    last.lists.insert(LIST, vec![1, 2, 3, 3]);
    last.tables = view(3).tables;
    let faults = story.faults_with(last);
    assert_eq!(faults, [Fault::Twice(3)]);
    let mut last = view(3);
    last.lists.insert(LIST, vec![1, 2, 3, 3]);
    assert!(matches!(
        self::story().faults_with(last)[..],
        [Fault::FinalState(At::Slave(1), _)]
    ));
}

#[test]
fn a_sum_that_has_changed_is_found() {
    let mut last = view(3);
    last.balances[0] += 1;
    assert!(matches!(
        story().faults_with(last)[..],
        [Fault::FinalState(At::Slave(1), _)]
    ));
}

#[test]
fn a_writer_that_did_not_build_on_the_newest_commit_is_found() {
    let mut story = story();
    story.history.writes[2].saw = Some(View {
        number: 3,
        ..view(1)
    });
    assert!(matches!(story.faults()[..], [Fault::WroteOn(3, _)]));
}
