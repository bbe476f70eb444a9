//! What was said, message by message, where a page that differs was taken for equal.

use bytes::Bytes;
use dbproto::base::{Asked, Given, Kept, PageSet, PageSum, Pages, Taker, TakerAction};
use pagehash::{GroupNumber, GroupValue, LOCK_PAGE, PAGE_SIZE};

use crate::sides::{Databases, Sums, offer, talk, value};

fn group() -> GroupNumber {
    GroupNumber::new(0).unwrap()
}

fn set(places: &[u32]) -> PageSet {
    places.iter().copied().collect()
}

fn pages_of(pages: PageSet) -> Pages {
    let raw = Bytes::from(vec![1; pages.len() as usize * PAGE_SIZE]);
    Pages::new(
        (1, group()),
        pages,
        GroupValue::from_bytes([1; 32]),
        raw,
        false,
    )
}

/// A taker that has four pages, has compared the sums, and misses page 2.
fn wanting(cut: &Databases) -> Taker {
    let mut taker = Taker::new();
    taker.handle(Given::Cut(offer(cut))).unwrap();
    taker.begin([(1, 4)].into());
    taker.valued(1, group(), vec![value(&[9], group(), 1)]);
    let compared = Given::Compared {
        database: 1,
        first: group(),
        equal: vec![false],
    };
    assert!(taker.handle(compared).unwrap().is_empty());
    let sums = vec![PageSum::of_crc(0); 4];
    let asked = Given::PageSums {
        database: 1,
        group: group(),
        sums: sums.clone(),
    };
    let compare = TakerAction::Compare {
        database: 1,
        group: group(),
        sums,
    };
    assert_eq!(taker.handle(asked).unwrap(), [compare]);
    let want = taker.differ(1, group(), set(&[2]));
    assert_eq!(want, wants(set(&[2])));
    taker
}

fn wants(pages: PageSet) -> TakerAction {
    TakerAction::Send(Asked::Want {
        database: 1,
        group: group(),
        pages,
    })
}

#[test]
fn a_group_that_has_not_its_value_is_wanted_whole_and_then_it_must_have_it() {
    let cut: Databases = [(1, vec![1, 2, 3, 4])].into();
    let mut taker = wanting(&cut);
    let few = pages_of(set(&[2]));
    let keep = taker.handle(Given::Pages(few.clone())).unwrap();
    assert_eq!(keep, [TakerAction::Keep(few.clone())]);
    let all = PageSet::first(4);
    let want = taker.kept(1, group(), Kept::Differs).unwrap();
    assert_eq!(want, [wants(all)]);
    let status = taker.status();
    assert_eq!((status.equal, status.taken), (0, 0));
    // The few once more are not what was asked for.
    let mut other = wanting(&cut);
    other.handle(Given::Pages(few.clone())).unwrap();
    other.kept(1, group(), Kept::Differs).unwrap();
    assert_eq!(
        other.handle(Given::Pages(few)).unwrap_err().sqlstate,
        "08P01"
    );

    let whole = pages_of(all);
    let keep = taker.handle(Given::Pages(whole.clone())).unwrap();
    assert_eq!(keep, [TakerAction::Keep(whole)]);
    let next = taker.kept(1, group(), Kept::Proved).unwrap();
    assert!(
        matches!(next[..], [TakerAction::Send(Asked::AskLog { .. })]),
        "{next:?}"
    );
    let status = taker.status();
    assert_eq!((status.equal, status.taken), (0, 4));
}

#[test]
fn a_whole_group_that_has_not_its_value_is_damage() {
    let cut: Databases = [(1, vec![1, 2, 3, 4])].into();
    let mut taker = wanting(&cut);
    taker.handle(Given::Pages(pages_of(set(&[2])))).unwrap();
    taker.kept(1, group(), Kept::Differs).unwrap();
    let whole = pages_of(PageSet::first(4));
    taker.handle(Given::Pages(whole.clone())).unwrap();
    let refuse = taker.kept(1, group(), Kept::Differs).unwrap_err();
    assert_eq!(refuse.sqlstate, "R0003");
    assert!(
        refuse.message.contains("is not what was sent"),
        "{refuse:?}"
    );
    // The conversation is over.
    assert!(taker.handle(Given::Pages(whole)).is_err());
    assert!(taker.handle(Given::Busy).is_err());
}

/// Pages 1 and 4 have the same sum, and differ.
#[test]
fn a_collision_moves_one_group_more_and_no_other() {
    let mut pages = vec![7; 1024];
    let before: Databases = [(1, pages.clone())].into();
    pages[3] = 8;
    pages[4] = 10;
    pages[600] = 9;
    let (giver, how) = ([(1, pages)].into(), (false, Sums::Weak));
    let first = GroupNumber::new(0).unwrap();
    let sums = |of: &Databases| Sums::Weak.of(&of[&1], first, u32::MAX);
    assert_eq!(sums(&giver)[4], sums(&before)[4]);
    let mut taker = before;
    let talked = talk(&giver, &mut taker, usize::MAX, how);
    assert!(talked.complete);
    assert_eq!(taker, giver);
    // Page 4 alone, and then its group; page 601 by itself.
    assert_eq!((talked.moved, talked.kept), (1 + 512 + 1, 512 + 1));
}

/// SQLite's lock page is never written: nobody has it, and nobody waits for it.
#[test]
fn a_database_above_a_gibibyte_is_complete_without_its_lock_page() {
    let before = vec![7; LOCK_PAGE as usize + 600];
    let mut pages = before.clone();
    pages[LOCK_PAGE as usize + 550] = 8;
    let giver = [(1, pages)].into();
    let mut taker: Databases = [(1, before)].into();
    let talked = talk(&giver, &mut taker, usize::MAX, (false, Sums::Real));
    assert!(talked.complete);
    assert_eq!(taker, giver);
    assert_eq!((talked.moved, talked.kept), (1, 1));
}
