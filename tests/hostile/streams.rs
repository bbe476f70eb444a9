//! What a slave does with a stream that is not a master's log: it refuses it, says why, keeps
//! nothing of it, and goes on with the next dbrepl where it was.

use bytes::{BufMut as _, Bytes, BytesMut};
use dbproto::{Message, kind, state};
use dbtests::{LONG, wait_for};
use fwlog::{
    ChainHash, CommitNumber, DatabaseId, EnvironmentId, LogKind, LogPoint, MAX_BLOCK_RAW, Position,
    RecordBuffer, SegmentHeader, SegmentId, Timestamp, TransactionId,
};

use pgtypes::SqlState;

use crate::attack::{Attack, assert_state};
use crate::log;
use crate::source::{Source, identify};

#[test]
fn messages_that_are_none_are_refused() {
    let attack = Attack::begin();
    let address = attack.cluster.slave.address();
    let payloads: [(&str, &[u8]); 6] = [
        ("nothing", b""),
        ("an unknown type", b"?what"),
        ("a message cut short", b"I\x01\0"),
        ("a message that is too long", b"S\0and more"),
        ("another version", b"I\x63\0"),
        ("a text that claims too much", b"R\xff\xff"),
    ];
    for (what, payload) in payloads {
        let mut source = Source::log_in(address);
        source.payload(payload);
        let refuse = attack.last_word(what, source);
        assert!(
            ["08P01", "0A000"].contains(&refuse.sqlstate.as_str()),
            "{what}: {refuse:?}"
        );
    }
    // Something that is no CopyData at all, and a message of two gigabytes.
    let mut source = Source::log_in(address);
    source.raw(b"Q\0\0\0\x0dSELECT 1\0");
    assert_state(
        "a query",
        &attack.last_word("a query", source),
        state::PROTOCOL_VIOLATION,
    );
    for head in [b"d\x7f\xff\xff\xff", b"d\xff\xff\xff\xff", b"d\0\0\0\x03"] {
        let mut source = Source::log_in(address);
        source.raw(head);
        drop(source.end());
    }
    attack.end();
}

#[test]
fn messages_that_are_out_of_order_are_refused() {
    let attack = Attack::begin();
    let address = attack.cluster.slave.address();
    let blocks = |start| Message::Blocks {
        start,
        bytes: Bytes::from_static(b"FwBk"),
    };
    let keep_alive = Message::KeepAlive {
        source: dbproto::Progress {
            point: LogPoint::ORIGIN,
            commit: CommitNumber::new(u64::MAX),
            time: Timestamp::from_micros(u64::MAX),
        }
        .into(),
        reply: true,
    };
    // Before the two have met.
    for message in [
        blocks(Position::ORIGIN),
        Message::Start { at: None },
        keep_alive.clone(),
    ] {
        let mut source = Source::log_in(address);
        source.send(&message);
        let refuse = attack.last_word("too early", source);
        assert_state("too early", &refuse, state::PROTOCOL_VIOLATION);
    }
    // Before the start.
    let seal = Message::Seal {
        bytes: Bytes::new(),
    };
    for message in [blocks(Position::ORIGIN), seal, Message::Start { at: None }] {
        let (mut source, _) = Source::meet(address, attack.environment);
        source.send(&message);
        let refuse = attack.last_word("before the start", source);
        assert_state("before the start", &refuse, state::PROTOCOL_VIOLATION);
    }
    // Another place, no bytes, a place that overflows, the slave's own messages.
    for (what, at) in [
        ("an earlier place", Position::ORIGIN),
        (
            "a later place",
            Position::new(SegmentId::new(1, 1), u64::MAX),
        ),
        (
            "another segment",
            Position::new(SegmentId::new(u32::MAX, u32::MAX), 128),
        ),
    ] {
        let refuse = attack.refused(what, |_| blocks(at));
        assert_state(what, &refuse, state::PROTOCOL_VIOLATION);
    }
    let empty = |point: LogPoint| Message::Blocks {
        start: point.position,
        bytes: Bytes::new(),
    };
    assert_state(
        "no bytes",
        &attack.refused("no bytes", empty),
        state::PROTOCOL_VIOLATION,
    );
    let identify = |_| Message::Identify(identify(attack.environment));
    assert_state(
        "twice",
        &attack.refused("twice", identify),
        state::PROTOCOL_VIOLATION,
    );
    // A master of another environment, of another page size.
    let (mut source, _) = Source::meet(address, EnvironmentId::from_bytes([9; 16]));
    source.send(&Message::Start { at: None });
    let refuse = attack.last_word("another environment", source);
    assert_state("another environment", &refuse, state::OTHER_ENVIRONMENT);
    attack.end();
}

#[test]
fn a_flipped_bit_anywhere_in_a_block_is_refused() {
    let attack = Attack::begin();
    let master = &attack.cluster.master;
    let places = [0, 4, 8, 12, 16, 24, 32, 40, 71, 72, 76, 90];
    for place in places {
        for mended in [false, true] {
            // A mended checksum hides a flip in itself, not one in the payload.
            if mended && (72..76).contains(&place) {
                continue;
            }
            let refuse = attack.blocks_refused("a flipped bit", |point| {
                log::flipped(&log::behind(master, point)[0], place, mended)
            });
            assert_state(&format!("byte {place}, {mended}"), &refuse, state::DAMAGED);
        }
    }
    // A block too early, a block twice, half a block.
    let refuse =
        attack.blocks_refused("a gap", |point| log::behind(master, point)[1].bytes.clone());
    assert_state("a gap", &refuse, state::DAMAGED);
    let refuse = attack.blocks_refused("half a block", |point| {
        let block = &log::behind(master, point)[0].bytes;
        block.slice(..block.len() - 1)
    });
    assert_state("half a block", &refuse, state::DAMAGED);
    attack.end();
}

#[test]
fn lengths_and_bombs_are_refused_before_memory_is_taken() {
    let attack = Attack::begin();
    let packed = |start: Position, claimed: u32, payload: &[u8]| {
        let mut out = BytesMut::new();
        out.put_u8(kind::PACKED_BLOCKS);
        out.put_u32_le(start.segment.generation.get());
        out.put_u32_le(start.segment.sequence.get());
        out.put_u64_le(start.offset);
        out.put_u32_le(claimed);
        out.put_slice(payload);
        out
    };
    // A frame that becomes 256 MiB, behind any claim.
    let bomb = zstd::bulk::compress(&vec![0; 256 << 20], 1).expect("compressed");
    for claimed in [0, 1, 16 << 20, 20 << 20, (20 << 20) + 1, u32::MAX] {
        let (mut source, point) = attack.start();
        source.payload(&packed(point.position, claimed, &bomb));
        let refuse = attack.last_word("a packed bomb", source);
        assert_state("a packed bomb", &refuse, state::PROTOCOL_VIOLATION);
    }
    // The same inside a block that chains.
    let commit = |point| log::commit_at(&attack.cluster.master, point).next().get();
    for raw_length in [
        bomb.len() + 1,
        MAX_BLOCK_RAW,
        MAX_BLOCK_RAW + 1,
        u32::MAX as usize,
    ] {
        let refuse = attack.blocks_refused("a bomb in a block", |point| {
            let commits = (commit(point), commit(point) - 1);
            log::raw_block(point, commits, &bomb, raw_length, 1)
        });
        assert_state("a bomb in a block", &refuse, state::DAMAGED);
    }
    attack.end();
}

#[test]
fn records_that_cannot_be_read_do_not_get_into_the_log() {
    let attack = Attack::begin();
    let commit = |point| log::commit_at(&attack.cluster.master, point).next().get();
    let raw: [(&str, &[u8]); 9] = [
        ("an unknown record", b"\x63\0\0\0"),
        ("a record beyond the block", b"\x03\xff\xff\xff"),
        ("half a record", b"\x03\0"),
        (
            "a name with a line feed",
            b"\x05\x0a\0\0\x09\x05a\nb=c\0\0\0",
        ),
        ("a name longer than its record", b"\x06\x03\0\0\x09\x40a"),
        (
            "a number of 80 bits",
            b"\x06\x0b\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ),
        ("a generation in the middle", b"\x01\0\0\0"),
        ("an impossible access", b"\x09\x02\0\0\x02\x07"),
        ("a part with page 0", b"\x04\x07\0\0\x01\x02\x01aaaa"),
    ];
    for (what, records) in raw {
        let refuse = attack.blocks_refused(what, |point| {
            let commits = (commit(point), commit(point) - 1);
            log::raw_block(point, commits, records, records.len(), 0)
        });
        assert_state(what, &refuse, state::DAMAGED);
    }
    // A delta that leaves its page, in a commit that is otherwise right.
    let refuse = attack.blocks_refused("a delta out of bounds", |point| {
        let number = commit(point);
        let mut body = vec![];
        let mut rest = number;
        while rest >= 0x80 {
            body.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        body.push(rest.to_le_bytes()[0]);
        body.extend_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 2, 1, 2, 3, 4]);
        body.extend_from_slice(&[5, 0xff, 0xff, 0x03, 1, 0xaa]);
        let mut records = vec![3, u8::try_from(body.len()).unwrap(), 0, 0];
        records.extend_from_slice(&body);
        log::raw_block(point, (number, number), &records, records.len(), 0)
    });
    assert_state("a delta out of bounds", &refuse, state::DAMAGED);
    // Good records with the wrong numbers of commits; a checkpoint that is still to come.
    let mut records = RecordBuffer::new();
    records
        .begin_part(TransactionId::new(1), DatabaseId::new(2))
        .finish();
    for more in [1, u64::MAX / 2] {
        let refuse = attack.blocks_refused("commits that are not there", |point| {
            log::block(point, (commit(point), commit(point) + more - 1), &records)
        });
        assert_state("commits that are not there", &refuse, state::DAMAGED);
    }
    let refuse = attack.blocks_refused("a checkpoint in the future", |point| {
        let mut records = RecordBuffer::new();
        records.checkpoint(Position::new(
            point.position.segment,
            point.position.offset + 1,
        ));
        log::block(point, (commit(point), commit(point) - 1), &records)
    });
    assert_state("a checkpoint in the future", &refuse, state::DAMAGED);
    attack.end();
}

type Change = fn(&mut SegmentHeader);

/// What is wrong with a header.
const HEADERS: [(&str, Change, SqlState); 8] = [
    ("bytes of log", |_| (), state::DAMAGED),
    (
        "too many bytes",
        |header| header.log_bytes = u64::MAX,
        state::DAMAGED,
    ),
    (
        "page size",
        |header| header.page_size = 8192,
        state::DAMAGED,
    ),
    (
        "chain",
        |header| header.previous = ChainHash::ZERO,
        state::DAMAGED,
    ),
    (
        "environment",
        |header| header.environment = EnvironmentId::from_bytes([1; 16]),
        state::OTHER_ENVIRONMENT,
    ),
    (
        "its own number",
        |header| header.id.sequence = fwlog::Sequence::FIRST,
        state::PROTOCOL_VIOLATION,
    ),
    (
        "a gap",
        |header| header.id = header.id.next_sequence(),
        state::PROTOCOL_VIOLATION,
    ),
    (
        "the last number",
        |header| header.id = SegmentId::new(u32::MAX, u32::MAX),
        state::PROTOCOL_VIOLATION,
    ),
];

#[test]
fn headers_that_do_not_fit_are_refused() {
    let attack = Attack::begin();
    let good = |point: LogPoint| SegmentHeader {
        kind: LogKind::Forward,
        page_size: 4096,
        environment: attack.environment,
        id: point.position.segment.next_sequence(),
        log_bytes: 1,
        last_commit: CommitNumber::new(3),
        created: Timestamp::from_micros(u64::MAX),
        previous: point.hash,
        origin: "evil".into(),
    };
    for (what, change, sqlstate) in HEADERS {
        let refuse = attack.refused(what, |point| {
            let mut header = good(point);
            change(&mut header);
            Message::Segment {
                header: Bytes::copy_from_slice(&header.encode()),
            }
        });
        assert_state(what, &refuse, sqlstate);
    }
    for (what, version) in [("version 2", 2), ("version 0", 0)] {
        let refuse = attack.refused(what, |point| {
            let mut header = good(point).encode();
            header[8] = version;
            Message::Segment {
                header: Bytes::copy_from_slice(&header),
            }
        });
        assert_state(what, &refuse, state::DAMAGED);
    }
    attack.end();
}

type Ending = fn(LogPoint) -> Bytes;

/// Seals that do not fit.
const SEALS: [(&str, Ending); 4] = [
    ("no seal", |_| Bytes::from_static(&[0; 68])),
    ("half a seal", |_| Bytes::from_static(b"FwSl")),
    ("a seal of another place", |point| {
        log::seal(
            LogPoint::new(Position::ORIGIN, point.hash),
            CommitNumber::ZERO,
        )
    }),
    ("a seal of other commits", |point| {
        log::seal(point, CommitNumber::new(u64::MAX))
    }),
];

#[test]
fn seals_that_do_not_fit_are_refused() {
    let attack = Attack::begin();
    for (what, seal) in SEALS {
        let refuse = attack.refused(what, |point| Message::Seal { bytes: seal(point) });
        assert_state(what, &refuse, state::DAMAGED);
    }
    attack.end();
}

#[test]
fn a_stream_that_stops_anywhere_is_resumed() {
    let attack = Attack::begin();
    let master = &attack.cluster.master;
    // Good blocks, then the connection is gone in the middle of a frame.
    let (mut source, point) = attack.start();
    let block = log::behind(master, point)[0].clone();
    source.send(&Message::Blocks {
        start: block.start,
        bytes: block.bytes.clone(),
    });
    source.raw(b"d\0\x10\0\0B");
    drop(source);
    // A slave that is being asked and reported to without an end still takes the next dbrepl.
    let mut source = attack.start().0;
    for _ in 0..1000 {
        source.send(&Message::KeepAlive {
            source: dbproto::Progress {
                point: LogPoint::ORIGIN,
                commit: CommitNumber::ZERO,
                time: Timestamp::ZERO,
            }
            .into(),
            reply: true,
        });
    }
    drop(source);
    let log = attack.cluster.slave.log();
    assert!(!log.contains("panicked"), "{log}");
    attack.cluster.synchronize();
    attack.cluster.compare();
}

#[test]
#[ignore = "takes a minute: half of it the slave's limit of silence"]
fn a_source_that_does_not_read_is_let_go() {
    let attack = Attack::begin();
    let (mut source, _) = Source::meet(attack.cluster.slave.address(), attack.environment);
    let mut question = BytesMut::from(&b"d\0\0\0\x15"[..]);
    let nowhere = Position::new(SegmentId::new(9, 9), 9);
    Message::AskHash { position: nowhere }.encode(&mut question);
    source.choke(&question.repeat(100));
    let why = "dbrepl does not read";
    wait_for("the slave to let it go", LONG, || {
        attack.cluster.slave.log().contains(why).then_some(())
    });
    attack.end();
    drop(source);
}
