//! Two environments in memory talk about a cut until they are equal, whatever the taker had, and wherever the conversation
//! is broken off. No bytes make the decoders panic, and no message brings a side to what it must not do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use dbproto::Refuse;
use dbproto::base::{
    Asked, CutDatabase, CutOffer, Given, Giver, GiverAction, LogRange, PageSet, Pages, RedoPoint,
    Taker, TakerAction,
};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};
use pagehash::{
    GroupHasher, GroupNumber, GroupValue, PAGE_SIZE, PageHash, PageIndex, Root, TreeHasher,
    page_hash,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

type Page = [u8; PAGE_SIZE];

/// A page of which one number tells all.
fn page(of: u16) -> Page {
    let mut page = [0; PAGE_SIZE];
    page[..2].copy_from_slice(&of.to_le_bytes());
    page
}

/// Databases by number; a page is what [`page`] makes of a number.
type Databases = BTreeMap<u32, Vec<u16>>;

fn group_pages(database: &[u16], group: GroupNumber, of: u32) -> Vec<u16> {
    let has = u32::try_from(database.len()).unwrap().min(of);
    group
        .pages(has)
        .map(|number| database[number as usize - 1])
        .collect()
}

fn value(database: &[u16], group: GroupNumber, of: u32) -> GroupValue {
    let mut hasher = GroupHasher::new(group);
    for number in group_pages(database, group, of) {
        hasher.update(&page(number));
    }
    hasher.finish()
}

fn hashes(database: &[u16], group: GroupNumber, of: u32) -> Vec<PageHash> {
    let pages = group_pages(database, group, of).into_iter();
    pages
        .zip(group.first().page()..)
        .map(|(number, at)| page_hash(PageIndex::of_page(at).unwrap(), &page(number)))
        .collect()
}

fn root(database: &[u16]) -> Root {
    let mut hasher = TreeHasher::new();
    for number in database {
        hasher.update(&page(*number));
    }
    hasher.finish().root
}

fn log() -> Vec<(Position, Bytes)> {
    [(1, 300), (2, 200), (3, 500)]
        .map(|(sequence, length)| {
            let start = Position::new(SegmentId::new(1, sequence), 0);
            (start, Bytes::from(vec![7; length]))
        })
        .to_vec()
}

fn offer(databases: &Databases) -> CutOffer {
    let databases = databases.iter().map(|(number, pages)| CutDatabase {
        number: *number,
        name: format!("db{number}"),
        pages: u32::try_from(pages.len()).unwrap(),
    });
    let point = LogPoint::new(
        Position::new(SegmentId::new(1, 1), 200),
        ChainHash::from_bytes([1; 32]),
    );
    CutOffer {
        id: 7,
        environment: EnvironmentId::from_bytes([2; 16]),
        instance: "north".to_owned(),
        format: 1,
        page_size: 4096,
        volume_limit: 0,
        commit: CommitNumber::new(20),
        time: Timestamp::from_micros(5),
        redo: RedoPoint {
            point,
            log_bytes: 200,
            commit: CommitNumber::new(10),
        },
        databases: databases.collect(),
        log: LogRange {
            from: SegmentId::new(1, 1),
            to: Position::new(SegmentId::new(1, 3), 500),
        },
    }
}

/// A giver's driver.
struct GiverSide {
    machine: Giver,
    databases: Databases,
    pack: bool,
}

impl GiverSide {
    fn answer(&mut self, message: Asked) -> Result<Vec<Given>, Refuse> {
        Ok(match self.machine.handle(message)? {
            GiverAction::Open { pack, .. } => {
                self.pack = pack;
                vec![self.machine.opened(offer(&self.databases))]
            }
            GiverAction::Compare {
                database,
                first,
                values,
            } => {
                let pages = &self.databases[&database];
                let groups: Vec<_> = (first.get()..)
                    .take(values.len())
                    .map(|group| GroupNumber::new(group).unwrap())
                    .collect();
                let own: Vec<_> = groups
                    .iter()
                    .map(|group| value(pages, *group, u32::MAX))
                    .collect();
                let mut answers = vec![Giver::compared(database, first, &values, &own)];
                for (at, group) in groups.into_iter().enumerate() {
                    if own[at] != values[at] {
                        let hashes = hashes(pages, group, u32::MAX);
                        answers.push(Giver::hashes(database, group, hashes));
                    }
                }
                answers
            }
            GiverAction::Give {
                database,
                group,
                pages,
            } => {
                let known = &self.databases[&database];
                let all = group_pages(known, group, u32::MAX);
                let raw: Vec<u8> = pages.iter().flat_map(|at| page(all[at as usize])).collect();
                let value = value(known, group, u32::MAX);
                let place = (database, group);
                vec![Given::Pages(Pages::new(
                    place,
                    pages,
                    value,
                    raw.into(),
                    self.pack,
                ))]
            }
            GiverAction::GiveLog { from } => log()
                .into_iter()
                .filter(|(start, _)| *start >= from)
                .map(|(start, bytes)| Given::Log { start, bytes })
                .collect(),
            GiverAction::GiveRoots => {
                let roots = self.databases.iter();
                let roots = roots.map(|(number, pages)| (*number, root(pages)));
                vec![Giver::roots(roots.collect())]
            }
            GiverAction::Status(_) | GiverAction::Complete => Vec::new(),
            GiverAction::Refused(refuse) => return Err(refuse),
        })
    }
}

/// A taker's driver, over what it has.
struct TakerSide<'a> {
    machine: Taker,
    databases: &'a mut Databases,
    log: Vec<(Position, Bytes)>,
    pages_taken: u64,
    complete: bool,
}

impl TakerSide<'_> {
    fn sent(&mut self, message: Given) -> Result<Vec<Asked>, Refuse> {
        let mut actions: VecDeque<_> = self.machine.handle(message)?.into();
        let mut sent = Vec::new();
        while let Some(action) = actions.pop_front() {
            match action {
                TakerAction::Send(message) => sent.push(message),
                other => actions.extend(self.act(other)),
            }
        }
        Ok(sent)
    }

    fn size(&self, database: u32) -> u32 {
        let cut = self.machine.cut().unwrap();
        cut.database(database).unwrap().pages
    }

    fn act(&mut self, action: TakerAction) -> Vec<TakerAction> {
        match action {
            TakerAction::Meet(cut) => {
                let numbers: Vec<u32> = cut.databases.iter().map(|it| it.number).collect();
                self.databases.retain(|number, _| numbers.contains(number));
                let here = self.databases.iter();
                let here =
                    here.map(|(number, pages)| (*number, u32::try_from(pages.len()).unwrap()));
                self.machine.begin(here.collect())
            }
            TakerAction::Value {
                database,
                first,
                count,
            } => {
                let of = self.size(database);
                let groups = (first.get()..first.get() + count).filter_map(GroupNumber::new);
                let values = groups.map(|group| value(&self.databases[&database], group, of));
                let values = values.collect();
                self.machine.valued(database, first, values)
            }
            TakerAction::Compare {
                database,
                group,
                hashes: theirs,
            } => {
                let ours = hashes(&self.databases[&database], group, self.size(database));
                let differs = (0..)
                    .zip(&theirs)
                    .filter(|(at, theirs)| ours.get(*at as usize) != Some(theirs));
                let differs = differs.map(|(at, _)| at).collect();
                vec![self.machine.differ(database, group, differs)]
            }
            TakerAction::Keep(pages) => self.keep(&pages),
            TakerAction::KeepLog { start, bytes } => {
                self.log.push((start, bytes));
                Vec::new()
            }
            TakerAction::Prove(roots) => {
                for (number, theirs) in roots {
                    let size = self.size(number) as usize;
                    let own = self.databases.entry(number).or_default();
                    own.truncate(size);
                    assert_eq!(root(own), theirs, "database {number}");
                }
                self.machine.proved()
            }
            TakerAction::Complete => {
                self.complete = true;
                Vec::new()
            }
            other => panic!("{other:?}"),
        }
    }

    fn keep(&mut self, pages: &Pages) -> Vec<TakerAction> {
        let raw = pages.open().unwrap();
        let own = self.databases.entry(pages.database).or_default();
        for (at, bytes) in pages.pages.iter().zip(raw.chunks(PAGE_SIZE)) {
            let index = (pages.group.first().page() + at - 1) as usize;
            own.resize(own.len().max(index + 1), 0);
            own[index] = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        self.pages_taken += u64::from(pages.pages.len());
        let of = self.machine.cut().unwrap().database(pages.database);
        assert_eq!(value(own, pages.group, of.unwrap().pages), pages.value);
        self.machine.staged(pages.database, pages.group)
    }
}

fn over_the_wire_asked(message: &Asked) -> Asked {
    let mut out = BytesMut::new();
    let tail = message.encode_parts(&mut out);
    out.extend_from_slice(&tail);
    Asked::decode(out.freeze()).unwrap()
}

fn over_the_wire_given(message: &Given) -> Given {
    let mut out = BytesMut::new();
    let tail = message.encode_parts(&mut out);
    out.extend_from_slice(&tail);
    Given::decode(out.freeze()).unwrap()
}

/// Talks, for so many messages of the giver at most; gives how many pages came, and whether it was complete.
fn talk(giver: &Databases, taker: &mut Databases, limit: usize, pack: bool) -> (u64, bool) {
    let mut giver = GiverSide {
        machine: Giver::new(),
        databases: giver.clone(),
        pack: false,
    };
    let mut taker = TakerSide {
        machine: Taker::new(),
        databases: taker,
        log: Vec::new(),
        pages_taken: 0,
        complete: false,
    };
    let mut asked = VecDeque::from([Asked::OpenCut {
        version: 1,
        taker: "south".to_owned(),
        pack,
    }]);
    let mut left = limit;
    while let Some(message) = asked.pop_front() {
        for given in giver.answer(over_the_wire_asked(&message)).unwrap() {
            if left == 0 {
                return (taker.pages_taken, false);
            }
            left -= 1;
            asked.extend(taker.sent(over_the_wire_given(&given)).unwrap());
        }
    }
    if taker.complete {
        assert_eq!(taker.log, log());
        let status = taker.machine.status();
        assert_eq!(
            (status.taken, status.done()),
            (taker.pages_taken, status.of)
        );
    }
    (taker.pages_taken, taker.complete)
}

/// A database in runs of equal pages: sizes around whole groups are as likely as small ones.
fn database() -> impl Strategy<Value = Vec<u16>> {
    let size = prop_oneof![
        0..20_usize,
        500..530_usize,
        1020..1030_usize,
        1500..1560_usize
    ];
    (size, any::<u16>()).prop_map(|(size, seed)| {
        (0..size)
            .map(|at| seed.wrapping_add(u16::try_from(at).unwrap()))
            .collect()
    })
}

fn databases() -> impl Strategy<Value = Databases> {
    btree_map(1..6_u32, database(), 0..4)
}

/// What a taker may have: the same with changes, other sizes, databases too many and too few.
fn changed(of: Databases) -> impl Strategy<Value = Databases> {
    let sizes = vec(prop_oneof![Just(None), (0..1600_usize).prop_map(Some)], 5);
    let changes = vec((1..6_u32, 0..1600_usize, any::<u16>()), 0..12);
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
        let (taken, complete) = talk(&giver, &mut taker, usize::MAX, pack);
        prop_assert!(complete);
        prop_assert_eq!(&taker, &giver);
        prop_assert_eq!(taken, differ);
        // Where all is equal nothing comes.
        prop_assert_eq!(talk(&giver, &mut taker, usize::MAX, pack), (0, true));
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
            taken += talk(&giver, &mut taker, limit, false).0;
        }
        let (last, complete) = talk(&giver, &mut taker, usize::MAX, false);
        prop_assert!(complete);
        prop_assert_eq!(&taker, &giver);
        prop_assert_eq!(taken + last, differ);
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
            Given::PageHashes { database, group, hashes: Vec::new() },
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
    giver.handle(open_cut(1)).unwrap();
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
    assert!(giver_of(&databases).handle(open_cut(1)).is_err());
    assert!(
        Giver::new().handle(Asked::AskRoots).is_err(),
        "no cut is open"
    );
    let refuse = Giver::new().handle(open_cut(9)).unwrap_err();
    assert_eq!(refuse.sqlstate, "0A000");
}

#[test]
fn a_cut_without_meaning_is_refused() {
    let databases: Databases = [(3, vec![1; 2]), (4, vec![1; 2])].into();
    let good = offer(&databases);
    let mut late = good.clone();
    late.redo.commit = CommitNumber::new(21);
    let mut elsewhere = good.clone();
    elsewhere.log.from = SegmentId::new(1, 2);
    let mut short = good.clone();
    short.log.to = Position::new(SegmentId::new(1, 1), 100);
    let mut twice = good.clone();
    twice.databases[1].number = 3;
    for cut in [late, elsewhere, short, twice] {
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
