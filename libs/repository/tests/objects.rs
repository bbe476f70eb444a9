//! What is wrong with an object is found, and named.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use bytes::Bytes;
use common::{Log, archive, findings, repository};
use disk::testing::Random;
use proptest::prelude::*;
use repository::{LogObject, ObjectName, Part, PartHead, Store};

/// Three generations, one of them left by another server, with several segments and parts.
fn archived(store_at: &repository::LogArchive) {
    let log = Log::new();
    log.commits(4);
    log.writer.switch().unwrap();
    log.commits(4);
    archive(&log, store_at, 400).unwrap();
    let next = log.promoted_copy();
    log.commits(1);
    next.commits(4);
    log.writer.close().unwrap();
    next.writer.close().unwrap();
    archive(&log, store_at, 400).unwrap();
    archive(&next, store_at, 400).unwrap();
    assert_eq!(findings(store_at), Vec::<String>::new());
}

fn all(store: &dyn Store) -> Vec<ObjectName> {
    let listed = store.list("").unwrap();
    let names: Vec<ObjectName> = listed.iter().map(|it| it.name.parse().unwrap()).collect();
    let parts = |it: &&ObjectName| matches!(it, ObjectName::Log(_, _, LogObject::Part(..)));
    assert!(names.iter().filter(parts).count() >= 6, "{names:?}");
    let others = names.iter().filter(|it| !parts(it)).count();
    assert_eq!(others, 1 + 2 * 2 + 1, "marker, two generations, one child");
    names
}

/// All that is found by who opens the repository and verifies the log.
fn found(store: &std::sync::Arc<dyn Store>) -> Vec<String> {
    match repository::Repository::open(std::sync::Arc::clone(store)) {
        Ok(opened) => findings(&opened.log(common::ENVIRONMENT)),
        Err(error) => vec![format!("eloqdb.repository {error}")],
    }
}

#[test]
fn each_object_that_is_deleted_is_named() {
    let (_folder, store, to) = repository();
    archived(&to);
    for name in all(store.as_ref()) {
        let content = store.get(&name).unwrap();
        store.delete(&name).unwrap();
        let found = found(&store);
        let prefix = format!("{name} ");
        assert!(
            found.iter().any(|it| it.starts_with(&prefix)),
            "{name}: {found:?}"
        );
        store.put(&name, &content).unwrap();
    }
    assert_eq!(found(&store), Vec::<String>::new());
}

#[test]
fn a_part_in_the_middle_that_is_gone_is_a_gap_of_the_line() {
    let (_folder, store, to) = repository();
    archived(&to);
    let catalog = to.catalog().unwrap();
    let (first, objects) = catalog.histories.iter().next().unwrap();
    let at = objects.places(first.generation).nth(1).unwrap();
    let part = to.part(*first, at).unwrap().head;
    store
        .delete(&to.name(*first, LogObject::Part(at.segment.sequence, at.offset)))
        .unwrap();
    let catalog = to.catalog().unwrap();
    let line = repository::Line::to(&to, &catalog, catalog.newest().unwrap()).unwrap();
    let span = repository::Span::of(&to, &line).unwrap().unwrap();
    let [(from, behind)] = span.gaps.as_slice() else {
        unreachable!("{:?}", span.gaps);
    };
    assert_eq!(*from, part.from.point.position);
    assert!(*behind >= part.to.point.position || behind.segment > part.segment());
}

#[test]
fn each_object_with_a_flipped_bit_or_a_cut_is_named() {
    let (_folder, store, to) = repository();
    archived(&to);
    let mut random = Random::new(7);
    for name in all(store.as_ref()) {
        let content = store.get(&name).unwrap();
        let mut bad = Vec::new();
        for _ in 0..if content.is_empty() { 0 } else { 3 } {
            let mut flipped = content.clone();
            let at = usize::try_from(random.below(content.len() as u64)).unwrap();
            flipped[at] ^= 1 << random.below(8);
            bad.push(flipped);
            bad.push(content[..at].to_vec());
        }
        bad.push([&content[..], b"x"].concat());
        for bad in bad {
            store.put(&name, &bad).unwrap();
            let found = found(&store);
            let prefix = format!("{name} ");
            assert!(
                found.iter().any(|it| it.starts_with(&prefix)),
                "{name}: {found:?}"
            );
        }
        store.put(&name, &content).unwrap();
    }
    assert_eq!(found(&store), Vec::<String>::new());
}

#[test]
fn an_object_in_the_place_of_another_one_is_named() {
    let (_folder, store, to) = repository();
    archived(&to);
    let names = all(store.as_ref());
    let parts = |it: &&ObjectName| matches!(it, ObjectName::Log(_, _, LogObject::Part(..)));
    let parts: Vec<_> = names.iter().filter(parts).collect();
    for pair in parts.windows(2) {
        let own = store.get(pair[0]).unwrap();
        store.put(pair[0], &store.get(pair[1]).unwrap()).unwrap();
        let found = found(&store);
        assert!(
            found[0].starts_with(&format!("{} damaged", pair[0])),
            "{found:?}"
        );
        store.put(pair[0], &own).unwrap();
    }
}

#[test]
fn what_this_version_does_not_know_is_named() {
    let (_folder, store, to) = repository();
    archived(&to);
    let history = *to.catalog().unwrap().histories.keys().next().unwrap();
    let whole = to.name(history, LogObject::Whole(fwlog::Sequence::FIRST));
    store.put(&whole, b"from a newer program").unwrap();
    assert_eq!(
        findings(&to),
        [format!("{whole} not an object that this version reads")]
    );
}

/// Some parts of a log.
fn parts() -> Vec<Vec<u8>> {
    let (_folder, store, to) = repository();
    archived(&to);
    let names = all(store.as_ref()).into_iter();
    let parts = names.filter(|it| matches!(it, ObjectName::Log(_, _, LogObject::Part(..))));
    parts.map(|name| store.get(&name).unwrap()).collect()
}

#[test]
fn a_part_reads_back_and_every_flipped_byte_and_every_cut_is_noticed() {
    for good in parts() {
        let part = Part::decode(&Bytes::from(good.clone())).unwrap();
        assert_eq!(part.encode(), good);
        let head = PartHead::decode(&good).unwrap();
        assert_eq!(head, part.head);
        assert_eq!(part.border_at(head.to.point.position), Some(head.to));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(Part::decode(&bad.into()).is_err(), "byte {at}");
            let cut = Bytes::copy_from_slice(&good[..at]);
            assert!(Part::decode(&cut).is_err(), "{at} bytes");
        }
    }
}

proptest! {
    /// What somebody makes up who can compute checksums is not taken for log either.
    #[test]
    fn bytes_with_a_good_head_are_refused(
        payload in proptest::collection::vec(any::<u8>(), 1..3000), at in 0_u64..4000, which: u8
    ) {
        let known = PartHead::decode(&KNOWN[usize::from(which) % KNOWN.len()]).unwrap();
        let mut head = PartHead {
            hash: blake3::hash(&payload).into(),
            sealed: false,
            ..known
        };
        head.from.point.position.offset = at;
        head.to.point.position.offset = at + payload.len() as u64;
        let made_up = [&head.encode()[..], &payload].concat();
        prop_assert!(Part::decode(&made_up.into()).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Part::decode(&bytes.into()).is_err());
    }
}

static KNOWN: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(parts);
