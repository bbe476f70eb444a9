//! A bucket of S3 as a store: what every store must do, and what faults of it may not do.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fwlog::{ChainHash, EnvironmentId, Generation, GenerationId, Sequence};
use objects::{Bucket, BucketUrl};
use repository::{
    HistoryId, LogObject, Marker, ObjectName, Put, Repository, Store, StoreError, conformance,
};
use s3test::{Fault, Server};

fn open_as(url: &str, credentials: [(&str, &str); 2]) -> Arc<dyn Store> {
    let variables = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let url = BucketUrl::parse(url).unwrap().unwrap();
    Arc::new(Bucket::open(&url, &variables).unwrap())
}

fn open(url: &str) -> Arc<dyn Store> {
    open_as(url, Server::credentials())
}

fn part(at: u64) -> ObjectName {
    let id = GenerationId::new(ChainHash::from_bytes([3; 32]));
    let history = HistoryId::new(Generation::new(1), id);
    let environment = EnvironmentId::from_bytes([7; 16]);
    ObjectName::Log(environment, history, LogObject::Part(Sequence::FIRST, at))
}

fn kind<T: std::fmt::Debug>(failed: Result<T, StoreError>) -> ErrorKind {
    match failed {
        Err(StoreError::Failed { kind, .. }) => kind,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_bucket_is_a_store() {
    let server = Server::start();
    conformance::check(&open(&server.url("a/b")));
    // Another prefix of the bucket is another store.
    conformance::check(&open(&server.url("a/c")));
}

#[test]
fn a_bucket_that_is_slow_and_fails_now_and_then_is_a_store() {
    let server = Server::start();
    server.faults().every(7, Fault::Unavailable);
    conformance::check(&open(&server.url("failing")));
    let slow = Duration::from_millis(20);
    server.faults().every(3, Fault::Slow(slow));
    conformance::check(&open(&server.url("slow")));
    // What was done and not answered is found again, and known for what it is.
    server.faults().every(9, Fault::LostAnswer);
    conformance::check(&open(&server.url("lost")));
}

#[test]
fn an_object_whose_put_was_not_answered_is_known_as_ours_or_as_others() {
    let server = Server::start();
    let store = open(&server.url("x"));
    server.faults().next("PUT", Fault::LostAnswer);
    assert_eq!(store.put_if_absent(&part(0), b"ours"), Ok(Put::Stored));
    assert!(server.faults().are_over());
    server.faults().next("PUT", Fault::Unavailable);
    assert_eq!(store.put_if_absent(&part(0), b"other"), Ok(Put::Exists));
    assert_eq!(store.get(&part(0)), Ok(b"ours".to_vec()));
}

#[test]
fn half_an_answer_is_no_object() {
    let server = Server::start();
    let store = open(&server.url("x"));
    let content: Vec<u8> = (0..200_000_u32).map(|it| it.to_le_bytes()[0]).collect();
    assert_eq!(store.put_if_absent(&part(0), &content), Ok(Put::Stored));
    server.faults().next("GET", Fault::CutAnswer);
    // Whether the rest is fetched or not: it is never given out as if it were all.
    match store.get(&part(0)) {
        Ok(read) => assert!(read == content),
        Err(StoreError::Failed { .. }) => {}
        Err(other) => unreachable!("{other:?}"),
    }
    server.faults().next("GET", Fault::CutAnswer);
    match store.get_range(&part(0), 100, 100_000) {
        Ok(read) => assert!(read == content[100..100_100]),
        Err(StoreError::Failed { .. }) => {}
        Err(other) => unreachable!("{other:?}"),
    }
    assert!(server.faults().are_over());
}

#[test]
fn a_bucket_that_replaces_what_is_there_is_for_one_writer() {
    for refuses in [false, true] {
        let server = Server::start();
        if refuses {
            server.faults().refuse_conditions();
        } else {
            server.faults().ignore_conditions();
        }
        let store = open(&server.url("x"));
        let marker = Marker::new("x").unwrap();
        let made = Repository::init(Arc::clone(&store), marker.clone()).unwrap();
        assert!(made.is_for_one_writer());
        let again = Repository::init(Arc::clone(&store), marker).unwrap_err();
        assert!(again.to_string().contains("already, 'x'"), "{again}");
        let there = Repository::open(store).unwrap();
        assert!(there.is_for_one_writer(), "refuses: {refuses}");
    }
}

#[test]
fn what_a_bucket_refuses_is_told_with_its_kind() {
    let server = Server::start();
    let url = server.url("x");
    let wrong = [
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let refused = kind(open_as(&url, wrong).get(&part(0)));
    assert_eq!(refused, ErrorKind::PermissionDenied);
    let missing = open(&url).get(&part(0));
    assert!(matches!(missing, Err(StoreError::Missing { .. })));
}
