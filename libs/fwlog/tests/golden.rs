//! Logs of every version of the format that was ever written can be read, for ever.
//!
//! The files in `testdata/v1` are never made anew: that is the point of them.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use fwlog::{
    Block, BlockDecoder, CommitNumber, DurableEnd, LogDirectory, LogLocation, PAGE_SIZE, Pages,
    ReadItem, Record, SegmentId, SegmentInfo, SegmentReader, verify,
};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1")
}

/// Everything that a segment holds, as text.
fn dump(info: &SegmentInfo, page: &mut [u8; PAGE_SIZE], out: &mut String) {
    let mut reader = SegmentReader::open(&disk::Disk::real(), &info.path).unwrap();
    let header = reader.header();
    writeln!(
        out,
        "segment {} of {}, {} bytes before, commit {}, created {} by {}, previous {}",
        header.id,
        header.environment,
        header.log_bytes,
        header.last_commit,
        header.created,
        header.origin,
        header.previous
    )
    .unwrap();
    let mut decoder = BlockDecoder::new();
    loop {
        match reader.next(None).unwrap() {
            ReadItem::Block(block) => dump_block(&block, &mut decoder, page, out),
            ReadItem::Seal(bytes) => {
                let seal = fwlog::Seal::decode(&bytes).unwrap();
                writeln!(
                    out,
                    "seal at {}, commits {} to {}, {}",
                    seal.length, seal.first_commit, seal.last_commit, seal.chain
                )
                .unwrap();
                return;
            }
            ReadItem::End(end) => {
                writeln!(out, "end: {end:?}").unwrap();
                return;
            }
        }
    }
}

fn dump_block(
    block: &Block,
    decoder: &mut BlockDecoder,
    page: &mut [u8; PAGE_SIZE],
    out: &mut String,
) {
    let head = &block.head;
    writeln!(
        out,
        "  block {} {:?} {} of {} bytes, commits {} to {}, {}, {}",
        block.start,
        head.compression,
        head.length,
        head.raw_length,
        head.first_commit,
        head.last_commit,
        head.time,
        head.chain
    )
    .unwrap();
    for record in decoder.records(block).unwrap() {
        let record = record.unwrap();
        writeln!(out, "    {record}").unwrap();
        match record {
            Record::Commit(commit) => apply(commit.pages, page),
            Record::Part(part) => apply(part.pages, page),
            _ => {}
        }
    }
}

/// All pages of the golden log are versions of one page.
fn apply(pages: Pages<'_>, page: &mut [u8; PAGE_SIZE]) {
    for change in pages {
        change.unwrap().apply(page).unwrap();
    }
}

#[test]
fn a_log_of_version_1_reads_as_it_always_did() {
    let location = LogLocation::parse(directory().join("fw-%N")).unwrap();
    let log = LogDirectory::scan(&location).unwrap();
    assert_eq!(log.gaps(), []);
    let (mut text, mut page) = (String::new(), [0; PAGE_SIZE]);
    for info in log.segments() {
        dump(info, &mut page, &mut text);
    }
    let expected = fs::read_to_string(directory().join("dump.txt")).unwrap();
    assert_eq!(text, expected);
    assert!(
        page == [0x11; PAGE_SIZE],
        "the last commit took the second one back"
    );
}

#[test]
fn a_log_of_version_1_is_without_a_fault() {
    let location = LogLocation::parse(directory().join("fw-%N")).unwrap();
    let report = verify(&LogDirectory::scan(&location).unwrap(), &mut |_| {}).unwrap();
    assert_eq!((report.findings, report.torn), (Vec::new(), None));
    assert_eq!((report.segments, report.commits), (3, 4));
}

#[test]
fn the_durable_end_of_a_log_of_version_1_is_known() {
    let end = DurableEnd::read(&disk::Disk::real(), &directory())
        .unwrap()
        .unwrap();
    assert_eq!(end.environment.to_bytes(), *b"golden-log-of-v1");
    assert_eq!(end.durable.commit, CommitNumber::new(4));
    assert_eq!(end.durable.point.position.segment, SegmentId::new(2, 1));
    let location = LogLocation::parse(directory().join("fw-%N")).unwrap();
    let hash = fwlog::hash_at(&location, end.durable.point.position).unwrap();
    assert_eq!(hash, Some(end.durable.point.hash));
}
