//! A giver and a taker over databases in memory, each with its driver.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use dbproto::Refuse;
use dbproto::base::{
    Asked, CutDatabase, CutOffer, Given, Giver, GiverAction, Kept, LogRange, Offer, PageSum, Pages,
    RedoPoint, Taker, TakerAction,
};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};
use pagehash::{GroupHasher, GroupNumber, GroupValue, PAGE_SIZE, Root, TreeHasher};

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

/// How pages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sums {
    /// As servers do.
    Real,
    /// A sum that many pages have.
    Weak,
}

impl Sums {
    pub(crate) fn of(self, database: &[u16], group: GroupNumber, of: u32) -> Vec<PageSum> {
        let pages = group_pages(database, group, of).into_iter();
        let crc = |number| match self {
            Self::Real => fwlog::page_crc(&page(number)),
            Self::Weak => u32::from(number % 3),
        };
        pages.map(|number| PageSum::of_crc(crc(number))).collect()
    }
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
    sums: Sums,
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
                        let sums = self.sums.of(pages, group, u32::MAX);
                        answers.push(Giver::sums(database, group, sums));
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
    sums: Sums,
    talked: Talked,
}

/// What a conversation was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Talked {
    /// Pages that were kept.
    pub(crate) kept: u64,
    /// Pages that were on the way.
    pub(crate) moved: u64,
    /// Whether the taker has come to the end.
    pub(crate) complete: bool,
}

impl TakerSide<'_> {
    fn sent(&mut self, message: Given) -> Result<Vec<Asked>, Refuse> {
        let mut actions: VecDeque<_> = self.machine.handle(message)?.into();
        let mut sent = Vec::new();
        while let Some(action) = actions.pop_front() {
            match action {
                TakerAction::Send(message) => sent.push(message),
                other => actions.extend(self.act(other)?),
            }
        }
        Ok(sent)
    }

    fn size(&self, database: u32) -> u32 {
        let cut = self.machine.cut().unwrap();
        cut.database(database).unwrap().pages
    }

    fn act(&mut self, action: TakerAction) -> Result<Vec<TakerAction>, Refuse> {
        Ok(match action {
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
                sums: theirs,
            } => {
                let size = self.size(database);
                let ours = self.sums.of(&self.databases[&database], group, size);
                let differs = (0..)
                    .zip(&theirs)
                    .filter(|(at, theirs)| ours.get(*at as usize) != Some(theirs));
                let differs = differs.map(|(at, _)| at).collect();
                vec![self.machine.differ(database, group, differs)]
            }
            TakerAction::Keep(pages) => return self.keep(&pages),
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
                self.talked.complete = true;
                Vec::new()
            }
            other => panic!("{other:?}"),
        })
    }

    fn keep(&mut self, pages: &Pages) -> Result<Vec<TakerAction>, Refuse> {
        let raw = pages.open().unwrap();
        let mut with = self
            .databases
            .get(&pages.database)
            .cloned()
            .unwrap_or_default();
        for (at, bytes) in pages.pages.iter().zip(raw.chunks(PAGE_SIZE)) {
            let index = (pages.group.first().page() + at - 1) as usize;
            with.resize(with.len().max(index + 1), 0);
            with[index] = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        self.talked.moved += u64::from(pages.pages.len());
        let has_its_value = value(&with, pages.group, self.size(pages.database)) == pages.value;
        let kept = if has_its_value {
            self.talked.kept += u64::from(pages.pages.len());
            self.databases.insert(pages.database, with);
            Kept::Proved
        } else {
            Kept::Differs
        };
        self.machine.kept(pages.database, pages.group, kept)
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

/// Talks, for so many messages of the giver at most.
pub(crate) fn talk(
    giver: &Databases,
    taker: &mut Databases,
    limit: usize,
    (pack, sums): (bool, Sums),
) -> Talked {
    let mut giver = GiverSide {
        machine: Giver::new(),
        databases: giver.clone(),
        pack: false,
        sums,
    };
    let mut taker = TakerSide {
        machine: Taker::new(),
        databases: taker,
        log: Vec::new(),
        sums,
        talked: Talked::default(),
    };
    let mut asked = VecDeque::from([Asked::OpenCut {
        version: Offer::base().version(),
        taker: "south".to_owned(),
        pack,
    }]);
    let mut left = limit;
    while let Some(message) = asked.pop_front() {
        for given in giver.answer(over_the_wire_asked(&message)).unwrap() {
            if left == 0 {
                return taker.talked;
            }
            left -= 1;
            asked.extend(taker.sent(over_the_wire_given(&given)).unwrap());
        }
    }
    if taker.talked.complete {
        assert_eq!(taker.log, log());
        let status = taker.machine.status();
        assert_eq!(
            (status.taken, status.done()),
            (taker.talked.kept, status.of)
        );
    }
    taker.talked
}
