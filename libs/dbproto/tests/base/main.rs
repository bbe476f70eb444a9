//! Two environments in memory talk about a cut until they are equal, whatever the taker had, and wherever the conversation
//! is broken off. No bytes make the decoders panic, and no message brings a side to what it must not do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

mod fallback;
mod sides;

use bytes::{Bytes, BytesMut};
use dbproto::base::{Asked, Given, Giver, Offer, PageSet, Pages, Taker};
use fwlog::{CommitNumber, Position, SegmentId};
use pagehash::GroupNumber;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use sides::{Databases, Sums, offer, over_the_wire_asked, over_the_wire_given, root, talk, value};

/// A database without pages of zeros, which are no news where nothing is. Its sizes around whole groups are as likely as small ones.
fn database() -> impl Strategy<Value = Vec<u16>> {
    let size = prop_oneof![
        0..20_usize,
        500..530_usize,
        1020..1030_usize,
        1500..1560_usize
    ];
    (size, any::<u16>()).prop_map(|(size, seed)| {
        (0..size)
            .map(|at| seed.wrapping_add(u16::try_from(at).unwrap()).max(1))
            .collect()
    })
}

fn databases() -> impl Strategy<Value = Databases> {
    btree_map(1..6_u32, database(), 0..4)
}

/// What a taker may have: the same with changes, other sizes, databases too many and too few.
fn changed(of: Databases) -> impl Strategy<Value = Databases> {
    let sizes = vec(prop_oneof![Just(None), (0..1600_usize).prop_map(Some)], 5);
    let changes = vec((1..6_u32, 0..1600_usize, 1..u16::MAX), 0..12);
    (sizes, changes, databases(), vec(any::<bool>(), 5)).prop_map(
        move |(sizes, changes, others, keeps)| {
            let mut mine = others;
            for (number, pages) in &of {
                if keeps[*number as usize - 1] {
                    let mut pages = pages.clone();
                    pages.resize(sizes[*number as usize - 1].unwrap_or(pages.len()), 9);
                    mine.insert(*number, pages);
                }
            }
            for (number, at, page) in changes {
                if let Some(place) = mine.get_mut(&number).and_then(|it| it.get_mut(at)) {
                    *place = page;
                }
            }
            mine
        },
    )
}

fn differing(giver: &Databases, taker: &Databases) -> u64 {
    let pages = giver.iter().map(|(number, pages)| {
        let own = taker.get(number);
        let same = |(at, page): (usize, &u16)| own.and_then(|own| own.get(at)) == Some(page);
        pages.iter().enumerate().filter(|page| !same(*page)).count() as u64
    });
    pages.sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_taker_ends_with_what_the_giver_has_and_takes_only_what_differs(
        (giver, taker) in databases().prop_flat_map(|it| (Just(it.clone()), changed(it))),
        pack in any::<bool>(),
    ) {
        let mut taker = taker;
        let differ = differing(&giver, &taker);
        let how = (pack, Sums::Real);
        let talked = talk(&giver, &mut taker, usize::MAX, how);
        prop_assert!(talked.complete);
        prop_assert_eq!(&taker, &giver);
        prop_assert_eq!((talked.kept, talked.moved), (differ, differ));
        // Where all is equal nothing comes.
        let again = talk(&giver, &mut taker, usize::MAX, how);
        prop_assert_eq!((again.moved, again.complete), (0, true));
    }

    #[test]
    fn what_has_arrived_is_not_sent_again(
        (giver, taker) in databases().prop_flat_map(|it| (Just(it.clone()), changed(it))),
        breaks in vec(0..12_usize, 0..4),
    ) {
        let mut taker = taker;
        let differ = differing(&giver, &taker);
        let mut taken = 0;
        for limit in breaks {
            taken += talk(&giver, &mut taker, limit, (false, Sums::Real)).kept;
        }
        let last = talk(&giver, &mut taker, usize::MAX, (false, Sums::Real));
        prop_assert!(last.complete);
        prop_assert_eq!(&taker, &giver);
        prop_assert_eq!(taken + last.kept, differ);
    }

    /// Most groups have pages that differ and have the same sum: those are sent whole.
    #[test]
    fn equal_sums_of_pages_that_differ_cost_bytes_and_nothing_else(
        (giver, taker) in databases().prop_flat_map(|it| (Just(it.clone()), changed(it))),
        limit in prop_oneof![Just(usize::MAX), 0..30_usize],
    ) {
        let mut taker = taker;
        let differ = differing(&giver, &taker);
        let broken = talk(&giver, &mut taker, limit, (false, Sums::Weak));
        let last = talk(&giver, &mut taker, usize::MAX, (false, Sums::Weak));
        prop_assert!(last.complete);
        prop_assert_eq!(&taker, &giver);
        prop_assert!(broken.moved + last.moved >= differ);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(mut bytes in vec(any::<u8>(), 0..300), kind in any::<prop::sample::Index>()) {
        let kinds = dbproto::base::BASE_MESSAGES;
        if let Some(first) = bytes.first_mut() {
            *first = kinds[kind.index(kinds.len())].1;
        }
        let bytes = Bytes::from(bytes);
        if let Ok(message) = Given::decode(bytes.clone()) {
            prop_assert_eq!(over_the_wire_given(&message), message);
        }
        if let Ok(message) = Asked::decode(bytes) {
            prop_assert_eq!(over_the_wire_asked(&message), message);
        }
    }

    /// Whatever a giver says after the cut, the taker refuses it or does what it has asked for.
    #[test]
    fn a_taker_does_nothing_that_it_has_not_asked_for(
        database in 0..3_u32, group in 0..4_u32, count in 0..520_u32, flags in vec(any::<bool>(), 0..5),
    ) {
        let cut: Databases = [(1, vec![1; 600])].into();
        let group = GroupNumber::new(group).unwrap();
        for message in [
            Given::Compared { database, first: group, equal: flags.clone() },
            Given::PageSums { database, group, sums: Vec::new() },
            Given::Pages(Pages::new((database, group), PageSet::first(count), value(&[1], GroupNumber::new(0).unwrap(), 1), Bytes::new(), false)),
            Given::Log { start: Position::new(SegmentId::FIRST, 0), bytes: Bytes::from_static(b"x") },
            Given::Roots(vec![(database, root(&[1]))]),
        ] {
            let mut taker = Taker::new();
            taker.handle(Given::Cut(offer(&cut))).unwrap();
            // It has the database's first group, and not its second.
            taker.begin([(1, 512)].into());
            match taker.handle(message.clone()) {
                Ok(actions) => prop_assert!(
                    match &message {
                        Given::Compared { equal, .. } => equal.is_empty(),
                        Given::Pages(pages) => {
                            let second = group.get() == 1 && database == 1;
                            second && pages.pages == PageSet::first(88)
                        }
                        _ => false,
                    },
                    "{message:?} is taken: {actions:?}"
                ),
                Err(refuse) => prop_assert_eq!(refuse.sqlstate, "08P01"),
            }
        }
    }
}

fn giver_of(databases: &Databases) -> Giver {
    let mut giver = Giver::new();
    giver.handle(open_cut(Offer::base().version())).unwrap();
    giver.opened(offer(databases));
    giver
}

fn open_cut(version: u16) -> Asked {
    Asked::OpenCut {
        version,
        taker: "south".to_owned(),
        pack: true,
    }
}

#[test]
fn a_giver_gives_only_pages_that_are_in_its_cut() {
    let databases: Databases = [(3, vec![1; 600])].into();
    for (database, group, pages, is_taken) in [
        (3, 1, PageSet::first(88), true),
        (3, 1, PageSet::first(89), false),
        (3, 0, PageSet::EMPTY, false),
        (3, 2, PageSet::first(1), false),
        (4, 0, PageSet::first(1), false),
    ] {
        let group = GroupNumber::new(group).unwrap();
        let want = Asked::Want {
            database,
            group,
            pages,
        };
        let taken = giver_of(&databases).handle(want).is_ok();
        assert_eq!(taken, is_taken, "{database} {group} {pages:?}");
    }
    let first = GroupNumber::new(0).unwrap();
    for (database, count, is_taken) in [(3, 2, true), (3, 3, false), (3, 0, false), (9, 1, false)] {
        let values = vec![value(&[1], first, 1); count];
        let have = Asked::Have {
            database,
            first,
            values,
        };
        let taken = giver_of(&databases).handle(have).is_ok();
        assert_eq!(taken, is_taken, "{count} groups of {database}");
    }
}

#[test]
fn a_giver_gives_only_log_that_is_in_its_cut_and_opens_one_cut() {
    let databases: Databases = [(3, vec![1; 600])].into();
    for (sequence, offset, is_taken) in [(1, 0, true), (3, 500, false), (4, 0, false)] {
        let from = Position::new(SegmentId::new(1, sequence), offset);
        let taken = giver_of(&databases).handle(Asked::AskLog { from }).is_ok();
        assert_eq!(taken, is_taken, "{from}");
    }
    let version = Offer::base().version();
    assert!(giver_of(&databases).handle(open_cut(version)).is_err());
    assert!(
        Giver::new().handle(Asked::AskRoots).is_err(),
        "no cut is open"
    );
    for other in [1, 9] {
        let refuse = Giver::new().handle(open_cut(other)).unwrap_err();
        assert_eq!(refuse.sqlstate, "0A000");
    }
}

#[test]
fn a_cut_without_meaning_is_refused() {
    let databases: Databases = [(3, vec![1; 2]), (4, vec![1; 2])].into();
    let good = offer(&databases);
    let mut late = good.clone();
    late.redo.commit = CommitNumber::new(21);
    let mut elsewhere = good.clone();
    elsewhere.redo.point.position = Position::new(SegmentId::new(1, 2), 200);
    let mut short = good.clone();
    if let Some(log) = &mut short.log {
        log.to = Position::new(SegmentId::new(1, 1), 100);
    }
    let mut twice = good.clone();
    twice.databases[1].number = 3;
    let mut beyond = good.clone();
    beyond.next_database = 4;
    for cut in [late, elsewhere, short, twice, beyond] {
        let mut out = BytesMut::new();
        let tail = Given::Cut(cut).encode_parts(&mut out);
        assert!(tail.is_empty());
        assert!(Given::decode(out.freeze()).is_err());
    }
    assert_eq!(
        over_the_wire_given(&Given::Cut(good.clone())),
        Given::Cut(good)
    );
}
