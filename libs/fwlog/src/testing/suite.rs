//! What every store must do; see [`SegmentStore`]. Run against each implementation.

use std::io;

use crate::position::SegmentId;
use crate::store::SegmentStore;

const ONE: SegmentId = SegmentId::new(1, 1);
const TEN: SegmentId = SegmentId::new(1, 10);
const NEXT: SegmentId = SegmentId::new(2, 1);

/// Runs all checks, each on a store of its own. Panics where one does not hold.
pub fn store_suite(make: &mut dyn FnMut() -> Box<dyn SegmentStore>) -> io::Result<()> {
    lists_in_order_of_the_log(make().as_ref())?;
    never_makes_a_segment_twice(make().as_ref())?;
    reads_what_was_written(make().as_ref())?;
    cuts_and_lengthens(make().as_ref())?;
    rewrites_the_position(make().as_ref())?;
    removes(make().as_ref())
}

fn lists_in_order_of_the_log(store: &dyn SegmentStore) -> io::Result<()> {
    assert!(store.list()?.is_empty());
    for id in [NEXT, TEN, ONE] {
        store.create(id, b"header")?;
    }
    store.sync_names()?;
    assert_eq!(store.list()?, [ONE, TEN, NEXT]);
    assert_ne!(store.path(ONE), store.path(TEN));
    Ok(())
}

fn never_makes_a_segment_twice(store: &dyn SegmentStore) -> io::Result<()> {
    store.create(ONE, b"first")?;
    let again = store.create(ONE, b"other").err().map(|error| error.kind());
    assert_eq!(again, Some(io::ErrorKind::AlreadyExists));
    let mut content = [0; 8];
    assert_eq!(store.open_to_read(ONE)?.read_at(0, &mut content)?, 5);
    assert_eq!(&content, b"first\0\0\0");
    Ok(())
}

fn reads_what_was_written(store: &dyn SegmentStore) -> io::Result<()> {
    let file = store.create(ONE, b"header")?;
    file.write_at(6, b"+block")?;
    file.sync()?;
    // Another open file sees it, and what it writes is seen here.
    store.open(ONE)?.write_at(0, b"HEAD")?;
    let mut content = [0; 100];
    assert_eq!(file.read_at(0, &mut content)?, 12);
    assert!(content.starts_with(b"HEADer+block"));
    assert_eq!(file.read_at(8, &mut [0; 2])?, 2);
    assert_eq!(file.read_at(12, &mut content)?, 0);
    assert_eq!(file.read_at(1000, &mut content)?, 0);
    let missing = store.open(TEN).err().map(|error| error.kind());
    assert_eq!(missing, Some(io::ErrorKind::NotFound));
    Ok(())
}

fn cuts_and_lengthens(store: &dyn SegmentStore) -> io::Result<()> {
    let file = store.create(ONE, b"header")?;
    file.set_length(4)?;
    file.sync()?;
    assert_eq!(file.length()?, 4);
    file.write_at(6, b"x")?;
    let mut content = [1; 7];
    assert_eq!(file.read_at(0, &mut content)?, 7);
    assert_eq!(&content, b"head\0\0x");
    Ok(())
}

fn rewrites_the_position(store: &dyn SegmentStore) -> io::Result<()> {
    assert_eq!(store.read_position()?, None);
    store.write_position(b"one")?;
    store.write_position(b"two")?;
    assert_eq!(store.read_position()?.as_deref(), Some(&b"two"[..]));
    assert!(store.list()?.is_empty());
    Ok(())
}

fn removes(store: &dyn SegmentStore) -> io::Result<()> {
    store.create(ONE, b"1")?;
    store.create(TEN, b"2")?;
    store.remove(ONE)?;
    assert_eq!(store.list()?, [TEN]);
    assert!(store.remove(ONE).is_err());
    store.create(ONE, b"anew")?;
    assert_eq!(store.list()?, [ONE, TEN]);
    Ok(())
}
