//! Cuts of running servers: what one gives is an environment that starts, and is the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dbconfig::Role;
use dbserver::databases::control::{Control, DatabaseEntry, Identity, LogPlace, RedoPoint};
use dbserver::databases::layout::Layout;
use dbserver::databases::tree::GroupBuffer;
use dbserver::environment::cut::{Cut, CutDatabase, CutEnd, CutError, CutUse};
use disk::Disk;
use pagehash::{GROUP_PAGES, GroupNumber, Root, TreeHasher};
use pagestore::{Horizon, PAGE_SIZE, PageImage, PageNumber, PageStore, StoreOptions};

use super::*;

const SHOPS: usize = 8;
const COUNTER: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)";

/// Root of each database, by number.
type Roots = BTreeMap<u32, Root>;

/// What stands in a cut, as a taker has it: pages, list and log head.
struct Copy {
    home: Home,
    roots: Roots,
}

impl Copy {
    /// Takes all of a cut, group by group, and gives the pages back on the way.
    fn of(cut: &CutUse) -> Self {
        let (home, layout) = empty_home();
        let mut roots = Roots::new();
        for CutDatabase { entry, pages } in &cut.cut().databases {
            if let Some(pages) = pages {
                let root = write_database(cut, entry, *pages, &layout);
                roots.insert(entry.id.get(), root);
            }
        }
        for piece in cut.log_head().unwrap().pieces() {
            let mut bytes = vec![0; usize::try_from(piece.length).unwrap() + 1];
            let read = cut.read_log(*piece, 0, &mut bytes).unwrap();
            assert_eq!(read as u64, piece.length);
            assert_eq!(
                cut.read_log(*piece, piece.length, &mut bytes[..1]).unwrap(),
                0
            );
            let path = home.path().join("fw").join(format!("fw-{}", piece.segment));
            Disk::real()
                .write_atomic(&path, &bytes[..read], 0o600)
                .unwrap();
        }
        let databases = cut.cut().databases.iter().map(|it| it.entry.clone());
        write_control(cut.cut(), cut.cut().redo, databases.collect(), &layout);
        Self { home, roots }
    }
}

fn write_database(cut: &CutUse, entry: &DatabaseEntry, pages: u32, layout: &Layout) -> Root {
    let options = StoreOptions {
        disk: Disk::real(),
        scratch_dir: layout.data_dir().to_owned(),
        database: entry.id.get(),
        pinned_limit: 0,
    };
    let commit = pagestore::CommitNumber::new(cut.cut().at.commit.get());
    let horizon = Horizon::new(pagestore::CommitNumber::ZERO);
    let path = layout.data_file(&entry.file);
    let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
    let whole = cut.tree(entry.id).unwrap();
    let (mut buffer, mut hasher, mut images) = (GroupBuffer::default(), TreeHasher::new(), vec![]);
    for group in GroupNumber::all(pages) {
        let bytes = cut.read_group(entry.id, group, &mut buffer).unwrap();
        hasher.update(bytes);
        let numbers = group.pages(pages).filter_map(PageNumber::new);
        let (found, _) = bytes.as_chunks::<PAGE_SIZE>();
        images.extend(numbers.zip(found.iter().map(PageImage::copy_of)));
        let next = *group.pages(pages).end() + 1;
        cut.release_below(entry.id, PageNumber::new(next).unwrap())
            .unwrap();
    }
    let tree = hasher.finish();
    assert_eq!(tree, whole, "group by group it is the same");
    assert_eq!(tree.groups.len(), pages.div_ceil(GROUP_PAGES) as usize);
    store.publish(commit, pages, images);
    horizon.advance(commit);
    store.checkpoint(&|_| ()).unwrap();
    tree.root
}

fn empty_home() -> (Home, Layout) {
    let home = Home {
        directory: tempfile::tempdir().unwrap(),
    };
    let layout = Layout::new(Disk::real(), home.path().join("data"));
    for directory in [
        layout.data_dir(),
        &layout.databases(),
        &layout.journal(),
        &home.path().join("fw"),
    ] {
        fs::create_dir(directory).unwrap();
    }
    (home, layout)
}

fn write_control(cut: &Cut, redo: RedoPoint, databases: Vec<DatabaseEntry>, layout: &Layout) {
    let control = Control {
        instance: String::new(),
        role: Role::Slave,
        configured_role: Role::Slave,
        clean: false,
        log: LogPlace::ForwardLog,
        detached: false,
        next_database: cut.next_database.get(),
        identity: Some(Identity {
            environment: cut.environment,
            redo,
            databases,
        }),
        bootstrap: None,
        audit_open: false,
        handover: None,
        fence: None,
        alone_since: None,
    };
    control.write(&Disk::real(), &layout.control()).unwrap();
}

fn roots_of(environment: &Arc<Environment>) -> Roots {
    let databases = environment.databases();
    let roots = databases.iter().map(|database| {
        let tree = dbserver::databases::tree::of(&database.store().snapshot_durable());
        (database.id().get(), tree.unwrap().root)
    });
    roots.collect()
}

fn names_of(environment: &Environment) -> BTreeMap<u32, String> {
    let databases = environment.databases();
    databases
        .iter()
        .map(|it| (it.id().get(), it.name()))
        .collect()
}

fn execute(environment: &Arc<Environment>, command: &str) {
    let dba = control_plane::Person::without_connection("dba");
    control_plane::run(environment, dba, command).unwrap();
}

/// What the log alone says of the state there: all of it up to that place, redone into nothing.
fn redone(master: &Home, cut: &Cut) -> (Home, Arc<Environment>) {
    let (home, layout) = empty_home();
    let at = cut.at.point.position;
    for entry in fs::read_dir(master.path().join("fw")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let segment = name.strip_prefix("fw-").map(str::parse::<fwlog::SegmentId>);
        let Some(Ok(segment)) = segment else { continue };
        let mut bytes = fs::read(entry.path()).unwrap();
        if segment == at.segment {
            bytes.truncate(usize::try_from(at.offset).unwrap());
        }
        if segment <= at.segment {
            let path = home.path().join("fw").join(name);
            Disk::real().write_atomic(&path, &bytes, 0o600).unwrap();
        }
    }
    write_control(cut, RedoPoint::BEGINNING, Vec::new(), &layout);
    let environment = home.start_slave("south").unwrap();
    (home, environment)
}

/// One number goes through all shops in turn: at one commit no shop is behind another one of later turn, and
/// all are within one of each other.
fn assert_one_commit(environment: &Environment) {
    let counts: Vec<i64> = (0..SHOPS)
        .map(|shop| count(environment, &format!("shop{shop}")))
        .collect();
    assert!(counts.is_sorted_by(|one, next| one >= next), "{counts:?}");
    assert!(counts[0] - counts[SHOPS - 1] <= 1, "{counts:?}");
}

/// Writes until `done`: the counters, and databases that come, change and go.
fn load(environment: &Arc<Environment>, done: &AtomicBool) {
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for shop in 0..SHOPS {
                    run(
                        environment,
                        &format!("shop{shop}"),
                        "INSERT INTO t (b) VALUES (hex(zeroblob(900)))",
                    );
                }
            }
        });
        scope.spawn(|| {
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let (one, other) = (format!("came{round}"), format!("went{round}"));
                environment.create_database(&one).unwrap();
                run(environment, &one, COUNTER);
                run(environment, &one, "INSERT INTO t (b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT hex(zeroblob(40)) FROM n");
                run(environment, &one, "DELETE FROM t WHERE a > 100");
                vacuum(environment, &one);
                environment.rename_database(&one, &other).unwrap();
                if round % 2 == 0 {
                    environment.drop_database(&other).unwrap();
                }
                if round % 3 == 0 {
                    environment.checkpoint().unwrap();
                }
            }
        });
    });
}

#[test]
fn a_cut_under_load_is_one_commit_of_all_databases_and_starts() {
    let home = Home::new();
    let environment = home.start();
    for shop in 0..SHOPS {
        environment.create_database(&format!("shop{shop}")).unwrap();
        run(&environment, &format!("shop{shop}"), COUNTER);
    }
    let done = AtomicBool::new(false);
    let mut taken = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| load(&environment, &done));
        for round in 0..5 {
            let cut = environment.open_cut("a test").unwrap();
            // What is read late is as it was.
            while environment.durable().unwrap().commit.get() < cut.cut().at.commit.get() + 50 {
                thread::yield_now();
            }
            if round % 2 == 0 {
                environment.checkpoint().unwrap();
            }
            let copy = Copy::of(&cut);
            let status = environment.core().cuts().list();
            assert_eq!(status.len(), 1);
            assert_eq!(
                (status[0].given_pages, status[0].kept_pages),
                (status[0].pages, 0)
            );
            environment.core().cuts().close(cut.cut().id);
            taken.push((cut.cut().clone(), copy));
        }
        done.store(true, Ordering::Relaxed);
    });
    for (cut, copy) in &taken {
        let slave = copy.home.start_slave("south").unwrap();
        let applied = slave.slave().unwrap().progress().applied.unwrap();
        assert_eq!(
            (applied.point, applied.commit),
            (cut.at.point, cut.at.commit)
        );
        let names = cut
            .databases
            .iter()
            .map(|it| (it.entry.id.get(), it.entry.name.clone()));
        assert_eq!(
            names_of(&slave),
            names.collect(),
            "nothing comes or goes in a checkpoint"
        );
        assert_eq!(roots_of(&slave), copy.roots);
        assert_one_commit(&slave);
    }
    // The log alone says the same of one of them.
    let (cut, copy) = &taken[2];
    let (_home, other) = redone(&home, cut);
    assert_eq!(other.core().newest_visible_commit(), cut.at.commit.get());
    assert_eq!(roots_of(&other), copy.roots);
}

/// A slave's redo point is where its master's last checkpoint was, and all that came since is in its log head:
/// databases made and dropped since, too.
#[test]
fn a_cut_of_a_slave_brings_the_log_since_its_redo_point() {
    let home = Home::new();
    let environment = home.start();
    for name in ["kept", "dropped"] {
        environment.create_database(name).unwrap();
        run(&environment, name, COUNTER);
    }
    environment.checkpoint().unwrap();
    execute(&environment, "forwardlog switch");
    environment.drop_database("dropped").unwrap();
    run(&environment, "kept", LARGE);
    execute(&environment, "forwardlog switch");
    environment.create_database("made").unwrap();
    run(&environment, "made", COUNTER);
    run(&environment, "kept", "DELETE FROM t WHERE a > 20000");
    let slave_home = home.crashed();
    let slave = slave_home.start_slave("south").unwrap();
    let cut = slave.open_cut("a test").unwrap();
    assert!(cut.cut().redo.commit < cut.cut().at.commit);
    assert_eq!(cut.log_head().unwrap().pieces().len(), 3);
    let listed: Vec<_> = cut
        .cut()
        .databases
        .iter()
        .map(|it| (&*it.entry.name, it.pages.is_some()))
        .collect();
    assert_eq!(
        listed,
        [("system", true), ("kept", true), ("dropped", false)]
    );
    let copy = Copy::of(&cut);
    let third = copy.home.start_slave("west").unwrap();
    assert_eq!(roots_of(&third), roots_of(&slave));
    assert_eq!(roots_of(&third), roots_of(&environment));
    assert_eq!(names_of(&third), names_of(&environment));
    for (id, root) in copy.roots {
        assert_eq!(roots_of(&environment)[&id], root);
    }
    assert_eq!(count(&third, "kept"), 20_000);
    let location = third.core().log_location().unwrap();
    for piece in cut.log_head().unwrap().pieces() {
        let (one, other) = (
            fs::read(location.path(piece.segment)),
            fs::read(
                slave_home
                    .path()
                    .join("fw")
                    .join(format!("fw-{}", piece.segment)),
            ),
        );
        let length = usize::try_from(piece.length).unwrap();
        assert_eq!(one.unwrap()[..length], other.unwrap()[..length]);
    }
}

#[test]
fn without_a_forward_log_a_cut_is_a_state() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", COUNTER);
    execute(&environment, "forwardlog disable");
    run(&environment, "shop", LARGE);
    let cut = environment.open_cut("a test").unwrap();
    assert!(cut.log_head().is_none());
    assert_eq!(cut.cut().redo.commit, cut.cut().at.commit);
    assert_eq!(environment.core().cuts().needs_from(), None);
    let shop = environment.database("shop").unwrap().id();
    let root = cut.tree(shop).unwrap().root.to_string();
    assert_eq!(root, checksum(&environment, "shop"));
    run(&environment, "shop", "DELETE FROM t");
    assert_ne!(root, checksum(&environment, "shop"));
    assert_eq!(root, cut.tree(shop).unwrap().root.to_string());
}

#[test]
fn a_cut_outlives_the_databases_that_are_dropped_and_ends_with_the_server() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", LARGE_TABLE);
    let shop = environment.database("shop").unwrap().id();
    let expected = checksum(&environment, "shop");
    let cut = environment.open_cut("a test").unwrap();
    let again = environment.core().cuts().attach(cut.cut().id).unwrap();
    let status = command(&environment, "status", "cut for a test");
    assert!(
        status.starts_with("commit ") && status.contains("0 bytes of "),
        "{status}"
    );
    let needs = environment.core().cuts().needs_from();
    assert_eq!(needs, Some(cut.cut().redo.point.position.segment));
    environment.drop_database("shop").unwrap();
    environment.checkpoint().unwrap();
    assert_eq!(again.tree(shop).unwrap().root.to_string(), expected);
    environment.stop().unwrap();
    let ended = cut.tree(shop).unwrap_err();
    assert!(
        matches!(ended, CutError::Ended(CutEnd::Stopping)),
        "{ended}"
    );
    assert!(environment.open_cut("a test").is_err());
}

const LARGE_TABLE: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t (b) WITH RECURSIVE n (i) AS \
                           (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i || hex(zeroblob(20)) FROM n";

/// A cut of a database of which a page in the data file is damaged.
fn cut_with_a_damaged_page(
    home: &Home,
    environment: &Arc<Environment>,
) -> (CutUse, fwlog::DatabaseId) {
    use std::os::unix::fs::FileExt as _;
    environment.create_database("shop").unwrap();
    run(environment, "shop", LARGE_TABLE);
    environment.checkpoint().unwrap();
    let cut = environment.open_cut("a test").unwrap();
    let file = fs::File::options()
        .write(true)
        .open(home.path().join("data/db/shop.db"))
        .unwrap();
    file.write_all_at(b"x", 300 * 4096 + 7).unwrap();
    (cut, environment.database("shop").unwrap().id())
}

#[test]
fn a_damaged_page_that_the_log_has_is_in_the_cut_as_it_was() {
    let home = Home::new();
    let environment = home.start();
    let (cut, shop) = cut_with_a_damaged_page(&home, &environment);
    let root = cut.tree(shop).unwrap().root;
    assert_eq!(root.to_string(), checksum(&environment, "shop"));
}

/// A damaged page is never in a cut: whoever reads it is told file, page and offset.
#[test]
fn a_damaged_page_ends_the_reading_and_is_named() {
    let home = Home::new();
    let mut config = home.config(true);
    config.server.repair_from = dbconfig::RepairFrom::OFF;
    let environment = Environment::start(config, Sessions::new(10)).unwrap();
    let (cut, shop) = cut_with_a_damaged_page(&home, &environment);
    for error in [
        cut.tree(shop).unwrap_err(),
        cut.read_group(
            shop,
            GroupNumber::new(0).unwrap(),
            &mut GroupBuffer::default(),
        )
        .unwrap_err(),
    ] {
        let said = error.to_string();
        assert!(
            said.contains("shop.db: page 301 at byte offset 1228800"),
            "{said}"
        );
    }
    assert!(cut.check().is_ok(), "the others can be read");
}
