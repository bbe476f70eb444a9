//! What every store must do, as checks that any store can be held against. They panic where one does not hold.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use fwlog::{ChainHash, EnvironmentId, Generation, GenerationId, Sequence};

use crate::marker::Marker;
use crate::name::{HistoryId, LogObject, ObjectName};
use crate::repository::Repository;
use crate::store::{Put, Store, StoreError};

/// Holds an empty store against all of it, and leaves objects there.
pub fn check(store: &Arc<dyn Store>) {
    check_for_one_writer(store);
    of_many_that_put_one_stores(store);
}

/// All that one writer at a time needs.
pub fn check_for_one_writer(store: &Arc<dyn Store>) {
    nothing_is_in_an_empty_store(store.as_ref());
    an_init_makes_one_repository(store);
    what_is_put_if_absent_is_never_replaced(store.as_ref());
    what_is_put_replaces(store.as_ref());
    ranges_are_exact(store.as_ref());
    objects_of_every_length_read_back(store.as_ref());
    a_listing_has_all_below_a_prefix(store.as_ref());
    what_is_deleted_is_gone(store.as_ref());
}

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([7; 16]);

fn name(generation: u32, object: LogObject) -> ObjectName {
    let id = GenerationId::new(ChainHash::from_bytes([3; 32]));
    let history = HistoryId::new(Generation::new(generation), id);
    ObjectName::Log(ENVIRONMENT, history, object)
}

fn part(generation: u32, at: u64) -> ObjectName {
    name(generation, LogObject::Part(Sequence::FIRST, at))
}

fn is_missing<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Missing { .. }))
}

fn nothing_is_in_an_empty_store(store: &dyn Store) {
    assert_eq!(store.list(""), Ok(Vec::new()));
    assert!(is_missing(&store.get(&ObjectName::Marker)));
    assert!(is_missing(&store.get_range(&part(1, 0), 0, 1)));
    assert_eq!(store.delete(&part(1, 0)), Ok(()));
}

fn an_init_makes_one_repository(store: &Arc<dyn Store>) {
    let marker = Marker::new("checked").expect("a name");
    let made = Repository::init(Arc::clone(store), marker.clone()).expect("a repository");
    assert_eq!(made.name(), "checked");
    assert!(Repository::init(Arc::clone(store), marker).is_err());
    let there = Repository::open(Arc::clone(store)).expect("the repository");
    assert_eq!(there.name(), "checked");
}

fn what_is_put_if_absent_is_never_replaced(store: &dyn Store) {
    let name = part(2, 0);
    assert_eq!(store.put_if_absent(&name, b"first"), Ok(Put::Stored));
    assert_eq!(store.put_if_absent(&name, b"second"), Ok(Put::Exists));
    assert_eq!(store.get(&name), Ok(b"first".to_vec()));
}

fn what_is_put_replaces(store: &dyn Store) {
    let name = name(2, LogObject::Heartbeat);
    for content in [&b"a longer content"[..], b"short", b""] {
        assert_eq!(store.put(&name, content), Ok(()));
        assert_eq!(store.get(&name), Ok(content.to_vec()));
    }
}

fn ranges_are_exact(store: &dyn Store) {
    let name = part(3, 0);
    assert_eq!(store.put_if_absent(&name, b"0123456789"), Ok(Put::Stored));
    assert_eq!(store.get_range(&name, 0, 4), Ok(b"0123".to_vec()));
    assert_eq!(store.get_range(&name, 8, 2), Ok(b"89".to_vec()));
    let short = store.get_range(&name, 8, 3);
    assert!(
        matches!(short, Err(StoreError::Short { length: 10, .. })),
        "{short:?}"
    );
    assert_eq!(store.get_range(&name, 0, 0), Ok(Vec::new()));
    let behind = store.get_range(&name, 20, 3);
    assert!(
        matches!(behind, Err(StoreError::Short { .. })),
        "{behind:?}"
    );
    assert!(is_missing(&store.get_range(&part(3, 1), 0, 0)));
}

fn objects_of_every_length_read_back(store: &dyn Store) {
    for length in [0, 1, 4095, 4096, 4097, 3 << 20] {
        let content = vec![0x5a; length];
        let name = part(4, length as u64);
        assert_eq!(store.put_if_absent(&name, &content), Ok(Put::Stored));
        assert_eq!(store.get(&name).map(|it| it == content), Ok(true));
    }
}

fn a_listing_has_all_below_a_prefix(store: &dyn Store) {
    let objects = [
        name(5, LogObject::Generation),
        name(5, LogObject::Heartbeat),
        part(5, 0),
        part(5, 1 << 40),
    ];
    for (length, name) in objects.iter().enumerate() {
        let stored = store.put_if_absent(name, &vec![1; length]);
        assert_eq!(stored, Ok(Put::Stored));
    }
    let all = store.list("").expect("a listing");
    assert!(all.is_sorted(), "{all:?}");
    let of_history = |name: &str| name.contains("/0000000005-");
    let found: BTreeSet<_> = (all.iter())
        .filter(|listed| of_history(&listed.name))
        .map(|listed| (listed.name.clone(), listed.length))
        .collect();
    let expected = objects.iter().enumerate();
    let expected: BTreeSet<_> = expected
        .map(|(length, name)| (name.to_string(), length as u64))
        .collect();
    assert_eq!(found, expected);
    let below = store.list(&ObjectName::log_prefix(ENVIRONMENT));
    let rest = all
        .into_iter()
        .filter(|it| it.name != ObjectName::Marker.to_string());
    assert_eq!(below, Ok(rest.collect()));
    let other = EnvironmentId::from_bytes([8; 16]);
    assert_eq!(store.list(&ObjectName::log_prefix(other)), Ok(Vec::new()));
}

fn what_is_deleted_is_gone(store: &dyn Store) {
    let name = part(6, 0);
    assert_eq!(store.put_if_absent(&name, b"x"), Ok(Put::Stored));
    assert_eq!(store.delete(&name), Ok(()));
    assert!(is_missing(&store.get(&name)));
    assert_eq!(store.delete(&name), Ok(()));
    assert_eq!(store.put_if_absent(&name, b"y"), Ok(Put::Stored));
}

fn of_many_that_put_one_stores(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let name = part(7, round);
        let puts: Vec<_> = (0..4_u8)
            .map(|writer| {
                let store = Arc::clone(store);
                thread::spawn(move || (writer, store.put_if_absent(&name, &[writer; 1000])))
            })
            .collect();
        let puts = puts.into_iter().map(|put| put.join().expect("a put"));
        let stored: Vec<_> = puts
            .filter(|(_, put)| put.as_ref().expect("a result") == &Put::Stored)
            .map(|(writer, _)| writer)
            .collect();
        let [winner] = stored.as_slice() else {
            unreachable!("{stored:?} have stored {name}");
        };
        assert_eq!(store.get(&name), Ok(vec![*winner; 1000]));
    }
}
