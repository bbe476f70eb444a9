//! A power cut at any operation of the switch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use dbconfig::Role;
use dbproto::base::{Kept, LogRange, PageSet, PageSum, Pages};
use disk::testing::{Fault, Kind, SimulatedDisk};
use fwlog::{ChainHash, CommitNumber, DatabaseId, EnvironmentId, LogLocation, LogPoint, Position};
use pagehash::{GroupHasher, GroupNumber, Root, TreeHasher};
use pagestore::{Horizon, PageNumber, PageStore, StoreOptions, sum_of};

use super::super::arriving::{Arriving, Room};
use super::*;
use crate::databases::control::{Identity, RedoPoint};

const OLD_LOG: [&str; 2] = ["/fw/fw-1-1", "/fw/fw-1-2"];

/// A database of pages that each say one number.
fn content(pages: &[u8]) -> Vec<u8> {
    pages.iter().flat_map(|page| [*page; PAGE]).collect()
}

fn entry(id: u32, file: &str) -> DatabaseEntry {
    DatabaseEntry {
        id: DatabaseId::new(id),
        name: file.trim_end_matches(".db").into(),
        file: file.into(),
        applied: true,
    }
}

fn control() -> Control {
    Control {
        instance: "south".into(),
        configured_role: Role::Slave,
        role: Role::Slave,
        clean: true,
        log: LogPlace::ForwardLog,
        detached: true,
        next_database: 4,
        identity: Some(Identity {
            environment: EnvironmentId::from_bytes([7; 16]),
            redo: RedoPoint::BEGINNING,
            databases: vec![
                entry(1, "system.db"),
                entry(2, "shop.db"),
                entry(3, "old.db"),
            ],
        }),
        bootstrap: None,
        audit_open: false,
        handover: None,
        fence: None,
        alone_since: None,
    }
}

/// What the state will be: database, file, pages.
const NEW: [(u32, &str, &[u8]); 3] = [
    (1, "system.db", &[5]),
    (2, "shop.db", &[1, 9, 3, 4]),
    (7, "new.db", &[6, 7]),
];

fn plan() -> Plan {
    let databases = NEW.map(|(id, file, _)| entry(id, file)).to_vec();
    let pages =
        NEW.map(|(id, _, pages)| (DatabaseId::new(id), u32::try_from(pages.len()).unwrap()));
    Plan {
        stage: Stage::Receiving,
        identity: Identity {
            environment: EnvironmentId::from_bytes([7; 16]),
            redo: RedoPoint {
                point: LogPoint {
                    position: Position::new(SegmentId::new(2, 5), 128),
                    hash: ChainHash::from_bytes([9; 32]),
                },
                log_bytes: 1000,
                commit: CommitNumber::new(40),
            },
            databases,
        },
        commit: CommitNumber::new(41),
        pages: BTreeMap::from(pages),
        next_database: 8,
        log: PlannedLog::Arrives(LogRange {
            from: SegmentId::new(2, 5),
            to: Position::new(SegmentId::new(2, 6), 3),
        }),
        aside: Vec::new(),
        lost: "then".into(),
    }
}

fn layout(simulated: &SimulatedDisk) -> Layout {
    Layout::new(simulated.process().disk(), "/data")
}

fn store(layout: &Layout) -> SegmentStore {
    let location = LogLocation::parse("/fw/fw-%N").unwrap();
    SegmentStore::at(location.on(layout.disk().clone()), 0o600)
}

/// A slave with a state of its own, to which [`NEW`] has come.
fn machine(seed: u64) -> (SimulatedDisk, Layout) {
    let simulated = SimulatedDisk::new(seed);
    let layout = layout(&simulated);
    let disk = layout.disk();
    for directory in ["/data/db", "/data/incoming", "/fw"] {
        disk.make_directory(Path::new(directory), 0o700).unwrap();
    }
    let put = |path: &str, bytes: &[u8]| {
        disk.write_atomic(Path::new(path), bytes, 0o600).unwrap();
    };
    put("/data/system.db", &content(&[1]));
    put("/data/db/shop.db", &content(&[1, 2, 3]));
    put("/data/db/old.db", &content(&[8]));
    for name in ["/data/system.db", "/data/db/shop.db", "/data/db/old.db"] {
        put(&format!("{name}.sum"), b"sums of before");
    }
    for segment in OLD_LOG {
        put(segment, segment.as_bytes());
    }
    put("/fw/fw.position", b"position of before");
    control().write(disk, &layout.control()).unwrap();
    let mut plan = plan();
    plan.write(&layout).unwrap();
    for (number, file, pages) in NEW {
        let base = layout.data_file(file);
        receive(&layout, number, pages, (number != 7).then_some(&*base));
    }
    let mut log = ArrivingLog::new(disk, &directory(&layout));
    log.keep(Position::new(SegmentId::new(2, 5), 0), b"five")
        .unwrap();
    log.keep(Position::new(SegmentId::new(2, 6), 0), b"si")
        .unwrap();
    log.keep(Position::new(SegmentId::new(2, 6), 2), b"x")
        .unwrap();
    log.sync().unwrap();
    // An earlier conversation, which was broken off, has left some of another cut.
    put("/data/incoming/1-9", b"log of another cut");
    put("/data/incoming/9.new", &content(&[1]));
    plan.stage = Stage::Complete;
    plan.write(&layout).unwrap();
    (simulated, layout)
}

fn root(pages: &[u8]) -> Root {
    let mut tree = TreeHasher::new();
    tree.update(&content(pages));
    tree.finish().root
}

fn pages_to(number: u32, all: &[u8], of: PageSet) -> Pages {
    let group = GroupNumber::new(0).unwrap();
    let mut hasher = GroupHasher::new(group);
    hasher.update(&content(all));
    let raw: Vec<u8> = of
        .iter()
        .flat_map(|place| [all[place as usize]; PAGE])
        .collect();
    Pages::new(
        (number, group),
        of,
        hasher.finish(),
        Bytes::from(raw),
        false,
    )
}

/// The pages that differ come, and are proved.
fn receive(layout: &Layout, number: u32, pages: &[u8], base: Option<&Path>) {
    let group = GroupNumber::new(0).unwrap();
    let count = u32::try_from(pages.len()).unwrap();
    let disk = layout.disk();
    let mut arriving = Arriving::open(disk, &directory(layout), (number, count), base).unwrap();
    let room = &mut Room::default();
    arriving.look_at(group, room).unwrap();
    let differ = arriving.differ(group, &sums(pages)).unwrap();
    let kept = arriving.keep(&pages_to(number, pages, differ), room);
    assert_eq!(kept.unwrap(), Kept::Proved);
    assert!(arriving.differ(group, &sums(pages)).unwrap().is_empty());
    arriving
        .prove(root(pages), pagestore::CommitNumber::new(41), room)
        .unwrap();
}

fn sums(pages: &[u8]) -> Vec<PageSum> {
    let sums = pages.iter().map(|page| sum_of(&[*page; PAGE]));
    sums.map(PageSum::of_crc).collect()
}

fn check(simulated: &SimulatedDisk, layout: &Layout, control: &Control) {
    let disk = layout.disk();
    assert_eq!(control.identity.as_ref(), Some(&plan().identity));
    assert_eq!(
        Control::read(disk, &layout.control()).unwrap().as_ref(),
        Some(control)
    );
    assert_eq!(control.next_database, 8);
    for (number, file, pages) in NEW {
        let path = layout.data_file(file);
        assert_eq!(simulated.content(&path).unwrap(), content(pages), "{file}");
        // The sums are those of the pages, and of that commit.
        let horizon = Horizon::new(pagestore::CommitNumber::new(40));
        let options = StoreOptions {
            disk: disk.clone(),
            scratch_dir: "/".into(),
            database: number,
            pinned_limit: 0,
        };
        let opened = PageStore::open(&path, horizon, options).unwrap();
        let snapshot = opened.snapshot_latest();
        for (page, at) in pages.iter().zip(1..) {
            let mut read = [0; PAGE];
            snapshot
                .read(PageNumber::new(at).unwrap(), &mut read)
                .unwrap();
            assert_eq!(read, [*page; PAGE]);
        }
    }
    let has = |path: &str, bytes: &[u8]| {
        assert_eq!(simulated.content(path).as_deref(), Some(bytes), "{path}");
    };
    has("/fw/fw-2-5", b"five");
    has("/fw/fw-2-6", b"six");
    for segment in OLD_LOG {
        has(
            &segment.replace("/fw/", "/fw/lost/then/"),
            segment.as_bytes(),
        );
    }
    has("/data/lost/then/old.db", &content(&[8]));
    has("/data/lost/then/old.db.sum", b"sums of before");
    let gone = [
        "/fw/fw-1-1",
        "/fw/fw.position",
        "/data/db/old.db",
        "/data/db/old.db.sum",
    ];
    let files = simulated.files();
    assert!(
        !files
            .iter()
            .any(|file| gone.iter().any(|it| file == Path::new(it)))
    );
    let left: Vec<&PathBuf> = files
        .iter()
        .filter(|file| file.starts_with("/data/incoming"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_power_cut_at_any_operation_of_the_switch_leaves_it_to_the_next_start() {
    let (mut cuts, mut struck) = (0, true);
    for at in 0.. {
        if !std::mem::take(&mut struck) {
            break;
        }
        for outcome in 0..7 {
            let (simulated, layout) = machine(at);
            simulated.fail(Fault::after(at).of(Kind::CHANGES).power_off());
            let cut = go_on(&layout, control(), |_| Ok(store(&layout))).is_err();
            struck |= cut;
            cuts += u64::from(cut);
            let simulated = simulated.power_cut(outcome);
            let layout = self::layout(&simulated);
            let known = Control::read(layout.disk(), &layout.control())
                .unwrap()
                .unwrap();
            let (control, _) = go_on(&layout, known, |_| Ok(store(&layout))).unwrap();
            check(&simulated, &layout, &control);
        }
    }
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn what_is_not_complete_changes_nothing_and_is_of_use_to_the_next_conversation() {
    let (simulated, layout) = machine(1);
    let mut receiving = plan();
    receiving.write(&layout).unwrap();
    let before = simulated.files();
    let (same, is_copy) =
        go_on(&layout, control(), |_| unreachable!("no log is looked at")).unwrap();
    assert!(!is_copy);
    assert_eq!(same, control());
    assert_eq!(simulated.files(), before);
    let base = layout.data_file("shop.db");
    let mut again =
        Arriving::open(layout.disk(), &directory(&layout), (2, 4), Some(&base)).unwrap();
    let group = GroupNumber::new(0).unwrap();
    let wanted = pages_to(2, &[1, 9, 3, 4], PageSet::first(4)).value;
    assert_eq!(again.look_at(group, &mut Room::default()).unwrap(), wanted);
    // A start in another state of the disk finds it damaged, and says what to do.
    receiving.stage = Stage::Complete;
    receiving.write(&layout).unwrap();
    assert!(simulated.flip("/data/incoming/plan", 9, 0));
    let error = go_on(&layout, control(), |_| unreachable!("no log is looked at")).unwrap_err();
    assert!(error.to_string().contains("plan is damaged"), "{error}");
}

/// The database that has a data file and a page of its own staged.
fn shop(simulated: &SimulatedDisk) -> Arriving {
    let layout = layout(simulated);
    let base = layout.data_file("shop.db");
    Arriving::open(layout.disk(), &directory(&layout), (2, 4), Some(&base)).unwrap()
}

const COMMIT: pagestore::CommitNumber = pagestore::CommitNumber::new(41);

#[test]
fn a_copy_that_is_not_the_original_is_not_complete() {
    let (simulated, _layout) = machine(1);
    let (mut arriving, room) = (shop(&simulated), &mut Room::default());
    let error = arriving.prove(root(&[1, 2, 3, 4]), COMMIT, room);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("is not the original"), "{error}");
    let mut sent = pages_to(2, &[1, 9, 3, 5], PageSet::first(2));
    let kept = arriving.keep(&sent, room).unwrap();
    assert_eq!(kept, Kept::Differs, "page 4 is another");
    sent = pages_to(2, &[1, 9, 3, 5], PageSet::first(4));
    assert_eq!(arriving.keep(&sent, room).unwrap(), Kept::Proved);
    arriving.prove(root(&[1, 9, 3, 5]), COMMIT, room).unwrap();
}

#[test]
fn pages_with_which_a_group_has_not_its_value_are_not_kept() {
    let (simulated, _layout) = machine(1);
    let (mut arriving, room) = (shop(&simulated), &mut Room::default());
    let before = simulated.content("/data/incoming/2.new").unwrap();
    let sent = pages_to(2, &[1, 7, 8, 4], [1].into_iter().collect());
    // Nobody knows what they would stand beside.
    let refused = arriving.keep(&sent, room).unwrap_err().to_string();
    assert!(refused.contains("was not compared"), "{refused}");
    let group = GroupNumber::new(0).unwrap();
    let wanted = pages_to(2, &[1, 9, 3, 4], PageSet::first(4)).value;
    assert_eq!(arriving.look_at(group, room).unwrap(), wanted);
    assert_eq!(arriving.keep(&sent, room).unwrap(), Kept::Differs);
    assert_eq!(simulated.content("/data/incoming/2.new").unwrap(), before);
    // What is here is still what it was.
    arriving.prove(root(&[1, 9, 3, 4]), COMMIT, room).unwrap();
}

/// A group of several parts, of which some have pages that are staged, some get pages, and some neither.
#[test]
fn pages_that_come_to_parts_of_a_group_are_proved_with_all_of_it() {
    let (_simulated, layout) = machine(1);
    let (disk, base) = (layout.disk(), layout.data_file("shop.db"));
    let before: Vec<u8> = (1..=40).collect();
    disk.write_atomic(&base, &content(&before), 0o600).unwrap();
    let open = || Arriving::open(disk, &directory(&layout), (2, 45), Some(&base)).unwrap();
    let (group, room) = (GroupNumber::new(0).unwrap(), &mut Room::default());
    // The second page is staged already; five pages are new.
    let mut wanted = before;
    wanted.extend([70; 5]);
    (wanted[1], wanted[15], wanted[16], wanted[39]) = (9, 60, 61, 62);
    for more in [&[15, 16][..], &[39, 40, 41, 42, 43, 44]] {
        let mut arriving = open();
        arriving.look_at(group, room).unwrap();
        let set: PageSet = more.iter().copied().collect();
        let mut now = wanted.clone();
        // What has not come yet is as it was.
        if more.contains(&15) {
            now[39] = 40;
            now[40..].fill(0);
        }
        let kept = arriving.keep(&pages_to(2, &now, set), room).unwrap();
        assert_eq!(kept, Kept::Proved, "{more:?}");
        assert_eq!(arriving.differ(group, &sums(&now)).unwrap().len(), 0);
    }
    let mut arriving = open();
    arriving.look_at(group, room).unwrap();
    assert!(arriving.differ(group, &sums(&wanted)).unwrap().is_empty());
    arriving.prove(root(&wanted), COMMIT, room).unwrap();
}

/// What a disk has made of pages that came is found before the switch, and only those pages come again.
#[test]
fn a_staged_page_that_the_disk_has_altered_is_found_when_it_is_read_back() {
    let (simulated, _layout) = machine(1);
    let (mut arriving, room) = (shop(&simulated), &mut Room::default());
    arriving
        .look_at(GroupNumber::new(0).unwrap(), room)
        .unwrap();
    assert!(simulated.flip("/data/incoming/2.new", PAGE as u64 + 9, 3));
    let error = arriving.prove(root(&[1, 9, 3, 4]), COMMIT, room);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("page 2 of database 2 is not on the disk as it came"),
        "{error}"
    );
    let mut next = shop(&simulated);
    let group = GroupNumber::new(0).unwrap();
    next.look_at(group, room).unwrap();
    let differ = next.differ(group, &sums(&[1, 9, 3, 4])).unwrap();
    assert_eq!(differ.iter().collect::<Vec<_>>(), [1]);
    let sent = pages_to(2, &[1, 9, 3, 4], differ);
    assert_eq!(next.keep(&sent, room).unwrap(), Kept::Proved);
    next.prove(root(&[1, 9, 3, 4]), COMMIT, room).unwrap();
}

/// A data file that somebody alters behind the server's back, after its group was compared, gets the sums of what was proved:
/// the page is damage for whoever reads it, and never served.
#[test]
fn a_page_of_the_data_file_that_is_altered_after_it_was_read_has_the_sum_of_what_was_proved() {
    let (simulated, layout) = machine(1);
    let (mut arriving, room) = (shop(&simulated), &mut Room::default());
    arriving
        .look_at(GroupNumber::new(0).unwrap(), room)
        .unwrap();
    assert!(simulated.flip(layout.data_file("shop.db"), 5, 3));
    arriving.prove(root(&[1, 9, 3, 4]), COMMIT, room).unwrap();
    let control = go_on(&layout, control(), |_| Ok(store(&layout))).unwrap();
    assert_eq!(control.0.identity.as_ref(), Some(&plan().identity));
    let horizon = Horizon::new(pagestore::CommitNumber::new(40));
    let options = StoreOptions {
        disk: layout.disk().clone(),
        scratch_dir: "/".into(),
        database: 2,
        pinned_limit: 0,
    };
    let opened = PageStore::open(&layout.data_file("shop.db"), horizon, options).unwrap();
    let mut read = [0; PAGE];
    let snapshot = opened.snapshot_latest();
    assert!(
        snapshot
            .read(PageNumber::new(1).unwrap(), &mut read)
            .is_err()
    );
    snapshot
        .read(PageNumber::new(3).unwrap(), &mut read)
        .unwrap();
}
