//! A giver and a taker over databases in memory, each with its driver.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use dbproto::Refuse;
use dbproto::base::{
    Asked, CutDatabase, CutOffer, Given, Giver, GiverAction, LogRange, Pages, RedoPoint, Taker,
    TakerAction,
};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};
use pagehash::{
    GroupHasher, GroupNumber, GroupValue, PAGE_SIZE, PageHash, PageIndex, Root, TreeHasher,
    page_hash,
};

type Page = [u8; PAGE_SIZE];

/// A page of which one number tells all.
fn page(of: u16) -> Page {
    let mut page = [0; PAGE_SIZE];
    page[..2].copy_from_slice(&of.to_le_bytes());
    page
}

/// Databases by number; a page is what [`page`] makes of a number.
pub(crate) type Databases = BTreeMap<u32, Vec<u16>>;

fn group_pages(database: &[u16], group: GroupNumber, of: u32) -> Vec<u16> {
    let has = u32::try_from(database.len()).unwrap().min(of);
    group
        .pages(has)
        .map(|number| database[number as usize - 1])
        .collect()
}

pub(crate) fn value(database: &[u16], group: GroupNumber, of: u32) -> GroupValue {
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

pub(crate) fn root(database: &[u16]) -> Root {
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

pub(crate) fn offer(databases: &Databases) -> CutOffer {
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
        log: Some(LogRange {
            from: SegmentId::new(1, 1),
            to: Position::new(SegmentId::new(1, 3), 500),
        }),
        next_database: 9,
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

pub(crate) fn over_the_wire_asked(message: &Asked) -> Asked {
    let mut out = BytesMut::new();
    let tail = message.encode_parts(&mut out);
    out.extend_from_slice(&tail);
    Asked::decode(out.freeze()).unwrap()
}

pub(crate) fn over_the_wire_given(message: &Given) -> Given {
    let mut out = BytesMut::new();
    let tail = message.encode_parts(&mut out);
    out.extend_from_slice(&tail);
    Given::decode(out.freeze()).unwrap()
}

/// Talks, for so many messages of the giver at most; gives how many pages came, and whether it was complete.
pub(crate) fn talk(
    giver: &Databases,
    taker: &mut Databases,
    limit: usize,
    pack: bool,
) -> (u64, bool) {
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
