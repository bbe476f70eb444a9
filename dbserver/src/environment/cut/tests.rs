//! What ends a cut, and what refuses one, on a simulated disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use disk::testing::{Fault, Kind, SimulatedDisk};
use fwlog::{DatabaseId, Timestamp};
use pagestore::{PAGE_SIZE, PageNumber};

use crate::databases::Database;
use crate::environment::Environment;
use crate::environment::cut::{CutEnd, CutError, CutUse};
use crate::environment::testing::{PAGES, commit, master_on};
use crate::error::EngineError;

fn with_shop(machine: &SimulatedDisk) -> (Arc<Environment>, Arc<Database>) {
    let environment = master_on(machine);
    environment.create_database("shop").unwrap();
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 1);
    (environment, shop)
}

fn first_byte(cut: &CutUse, database: DatabaseId) -> Result<u8, CutError> {
    let mut page = [0; PAGE_SIZE];
    let read = cut.read(database, PageNumber::new(PAGES).unwrap(), &mut page);
    read.map(|()| page[0])
}

#[test]
fn where_old_images_have_no_room_the_cut_ends_and_the_checkpoint_goes_on() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    let cut = environment.open_cut("a test").unwrap();
    let full = Arc::clone(environment.core().files().memory_budget().full());
    full.store(true, Ordering::Relaxed);
    commit(&environment, &shop, 2);
    environment.checkpoint().unwrap();
    let pinned = cut.pinned();
    assert_eq!(pinned.pages, u64::from(PAGES));
    assert_eq!(pinned.scratch_bytes, u64::from(PAGES) * PAGE_SIZE as u64);
    assert_eq!(first_byte(&cut, shop.id()).unwrap(), 1);
    environment.core().cuts().close(cut.cut().id);
    // Two of the same commit, and no room for what both need.
    let cut = environment.open_cut("a test").unwrap();
    let second = environment.open_cut("another test").unwrap();
    full.store(true, Ordering::Relaxed);
    machine.set_room("/tmp", Some(0));
    commit(&environment, &shop, 3);
    environment
        .checkpoint()
        .expect("cuts make way for a checkpoint");
    for cut in [&cut, &second] {
        let ended = first_byte(cut, shop.id()).unwrap_err();
        assert!(matches!(ended, CutError::Ended(CutEnd::NoRoom)), "{ended}");
        assert_eq!(cut.pinned().pages, 0);
        let told = EngineError::from(ended);
        assert!(told.hint().unwrap().contains("only what differs"), "{told}");
    }
    assert!(environment.core().cuts().list().is_empty());
    let third = environment.open_cut("a test").unwrap();
    assert_eq!(first_byte(&third, shop.id()).unwrap(), 3);
    assert!(third.cut().id > second.cut().id);
}

#[test]
fn where_tmpdir_has_little_room_those_end_that_take_some_of_it() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    let takes = environment.open_cut("takes").unwrap();
    environment
        .core()
        .files()
        .memory_budget()
        .full()
        .store(true, Ordering::Relaxed);
    commit(&environment, &shop, 2);
    environment.checkpoint().unwrap();
    let takes_none = environment.open_cut("takes none").unwrap();
    let driver = environment.driver().unwrap();
    let now = Instant::now();
    driver.look_after_cuts(now, false);
    assert!(takes.check().is_ok());
    driver.look_after_cuts(now, true);
    assert_eq!(takes.check(), Err(CutEnd::NoRoom));
    assert!(takes_none.check().is_ok());
    assert_eq!(machine.used("/tmp"), 0, "what it took is given back");
}

#[test]
fn a_cut_ends_a_minute_after_its_last_user() {
    let machine = SimulatedDisk::new(1);
    let (environment, _) = with_shop(&machine);
    let cuts = environment.core().cuts();
    let driver = environment.driver().unwrap();
    let began = Instant::now();
    let look = |seconds| driver.look_after_cuts(began + Duration::from_secs(seconds), false);
    let cut = environment.open_cut("a test").unwrap();
    let id = cut.cut().id;
    look(0);
    look(1000);
    drop(cut);
    look(1001);
    look(1060);
    let again = cuts.attach(id).unwrap();
    look(1070);
    assert!(again.check().is_ok());
    drop(again);
    look(1071);
    look(1130);
    assert_eq!(cuts.list().len(), 1);
    assert!(cuts.needs_from().is_some());
    look(1131);
    assert!(cuts.attach(id).is_none());
    assert!(cuts.needs_from().is_none());
    assert_eq!(cuts.list().len(), 0);
    // What was made from it goes on from the log behind it, and is heard of within minutes.
    let later = |minutes| cuts.holds_from(Instant::now() + Duration::from_mins(minutes));
    assert!(later(9).is_some());
    assert!(later(11).is_none());
}

#[test]
fn a_log_that_fails_before_the_cut_is_durable_refuses_it() {
    for kind in [Kind::Write, Kind::Sync] {
        let machine = SimulatedDisk::new(1);
        let (environment, shop) = with_shop(&machine);
        let before = shop.store().memory().snapshots;
        machine.fail(Fault::after(0).of(&[kind]).under("/fwlog").and_all_later());
        let refused = environment.open_cut("a test").unwrap_err();
        assert!(matches!(refused, EngineError::LogFailed(_)), "{refused}");
        assert!(environment.core().cuts().list().is_empty());
        assert_eq!(shop.store().memory().snapshots, before);
    }
}

#[test]
fn what_a_cut_says_of_itself_is_what_was_read() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    let cut = environment.open_cut("south, first copy").unwrap();
    cut.release_below(shop.id(), PageNumber::new(11).unwrap())
        .unwrap();
    cut.release_below(shop.id(), PageNumber::new(5).unwrap())
        .unwrap();
    let [status] = &environment.core().cuts().list()[..] else {
        panic!("one cut is open")
    };
    assert_eq!(
        (status.who.as_str(), status.given_pages),
        ("south, first copy", 10)
    );
    assert_eq!(status.commit, cut.cut().at.commit.get());
    assert!(status.since.0 > Timestamp::ZERO && status.pages > u64::from(PAGES));
    let ended = cut.read(shop.id(), PageNumber::new(10).unwrap(), &mut [0; PAGE_SIZE]);
    assert!(matches!(ended, Err(CutError::Page(_))), "{ended:?}");
    let nobody = DatabaseId::new(99);
    assert!(matches!(
        first_byte(&cut, nobody),
        Err(CutError::NoDatabase(_))
    ));
}
