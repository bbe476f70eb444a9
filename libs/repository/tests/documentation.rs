//! `docs/repository.md` and the constants say the same.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;

use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, Generation, GenerationId, SegmentId, Sequence,
    Timestamp,
};
use repository::{
    BackupId, BackupObject, HistoryId, LogObject, MAX_FRAMES, MAX_GROUP_FRAMES, MAX_NAME,
    MAX_PAYLOAD, Marker, ObjectName, PackId, layout as at, pack_layout as pack,
};

const PAGE: &str = include_str!("../../../docs/repository.md");

fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" |").map(str::trim).collect())
        .collect()
}

/// The table under a heading has these fields, the last one being the end.
fn is_documented(heading: &str, fields: &[(&str, usize)]) {
    let mut expected: Vec<Vec<String>> = fields
        .windows(2)
        .map(|pair| {
            let ((name, at), (_, next)) = (pair[0], pair[1]);
            vec![at.to_string(), (next - at).to_string(), name.to_owned()]
        })
        .collect();
    let (_, end) = fields.last().unwrap();
    expected.push(vec![end.to_string(), String::new(), String::new()]);
    let documented: Vec<Vec<&str>> = rows(heading)
        .into_iter()
        .map(|row| row.into_iter().take(3).collect())
        .collect();
    assert_eq!(documented, expected, "{heading}");
}

#[test]
fn packs_are_as_documented() {
    is_documented(
        "Pack",
        &[
            ("magic", pack::MAGIC_AT),
            ("version", pack::VERSION_AT),
            ("frames", pack::FRAMES_AT),
            ("environment", pack::ENVIRONMENT_AT),
            ("index length", pack::INDEX_AT),
            ("index hash", pack::INDEX_HASH_AT),
            ("reserved", pack::RESERVED_AT),
            ("crc", pack::CRC_AT),
            ("", pack::SIZE),
        ],
    );
    is_documented(
        "Frame in the index",
        &[
            ("group", pack::FRAME_GROUP_AT),
            ("pages", pack::FRAME_SET_AT),
            ("offset", pack::FRAME_OFFSET_AT),
            ("length", pack::FRAME_LENGTH_AT),
            ("hash", pack::FRAME_HASH_AT),
            ("", pack::FRAME_SIZE),
        ],
    );
    is_documented(
        "Page in the index",
        &[
            ("value", pack::PAGE_VALUE_AT),
            ("crc", pack::PAGE_CRC_AT),
            ("", pack::PAGE_ENTRY_SIZE),
        ],
    );
    for magic in [pack::MAGIC_BYTES, pack::TABLE_MAGIC_BYTES] {
        let magic = std::str::from_utf8(&magic).unwrap();
        assert!(PAGE.contains(&format!("`{magic}`")));
    }
    assert!(PAGE.contains(&format!("at most {MAX_FRAMES} of them")));
    let (_, list) = PAGE.split_once("## List of groups\n").unwrap();
    let list = list.split("\n## ").next().unwrap().replace('\n', " ");
    let sizes = format!(
        "(8), version ({}), the number of packs ({}) and their names ({} each)",
        pack::TABLE_PACKS_AT - pack::VERSION_AT,
        pack::TABLE_SIZE - pack::TABLE_PACKS_AT,
        pack::TABLE_PACK_SIZE
    );
    assert!(list.contains(&sizes), "{sizes}");
    let group = format!(
        "its value (32), how many frames ({}, at most {MAX_GROUP_FRAMES})",
        pack::TABLE_GROUP_SIZE - 32
    );
    assert!(list.contains(&group), "{group}");
    let half = pack::TABLE_DATABASE_SIZE / 2;
    assert!(list.contains(&format!("its number ({half}) and its pages ({half})")));
    let half = pack::TABLE_FRAME_SIZE / 2;
    let frame = format!("among the names ({half}) and its own in the index ({half})");
    assert!(list.contains(&frame), "{frame}");
}

#[test]
fn the_head_of_a_part_is_as_documented() {
    let fields = [
        ("magic", at::MAGIC_AT),
        ("version", at::VERSION_AT),
        ("flags", at::FLAGS_AT),
        ("environment", at::ENVIRONMENT_AT),
        ("generation", at::GENERATION_AT),
        ("sequence", at::SEQUENCE_AT),
        ("from", at::FROM_AT),
        ("to", at::TO_AT),
        ("chain from", at::CHAIN_FROM_AT),
        ("chain to", at::CHAIN_TO_AT),
        ("commit from", at::COMMIT_FROM_AT),
        ("commit to", at::COMMIT_TO_AT),
        ("time from", at::TIME_FROM_AT),
        ("time to", at::TIME_TO_AT),
        ("length", at::LENGTH_AT),
        ("hash", at::HASH_AT),
        ("reserved", at::RESERVED_AT),
        ("crc", at::CRC_AT),
        ("", at::SIZE),
    ];
    is_documented("Part", &fields);
    let magic = std::str::from_utf8(&at::MAGIC_BYTES).unwrap();
    assert!(PAGE.contains(&format!("`{magic}`")));
    assert!(PAGE.contains(&format!("| version | {}", at::FORMAT_VERSION)));
    assert!(PAGE.contains(&format!("at most {} MiB", MAX_PAYLOAD >> 20)));
    assert!(PAGE.contains(&format!("1 to {MAX_NAME} ")));
}

/// The table of names has each kind of object, as it is called.
#[test]
fn names_are_as_documented() {
    let environment = EnvironmentId::from_bytes(*b"0123456789abcdef");
    let generation = GenerationId::new(ChainHash::from_bytes([0x9f; 32]));
    let history = HistoryId::new(Generation::new(12), generation);
    let of_environment = |name: ObjectName| {
        let name = name.to_string();
        name.replace(&environment.to_string(), "<environment>")
    };
    let of = |object| of_environment(ObjectName::Log(environment, history, object));
    let begun = Timestamp::from_micros(1_145_386_457_000_000);
    let id = BackupId::new(begun, CommitNumber::new(70_412));
    let backup = |object| of_environment(ObjectName::Backup(environment, id, object));
    let names = BTreeSet::from([
        ObjectName::Marker.to_string(),
        of(LogObject::Generation),
        of(LogObject::Part(Sequence::new(3), 184_320)),
        of(LogObject::Whole(Sequence::new(3))),
        of(LogObject::Child(HistoryId::new(
            Generation::new(13),
            generation,
        ))),
        of(LogObject::Heartbeat),
        backup(BackupObject::Begun),
        backup(BackupObject::Log(SegmentId::new(12, 3), 184_320)),
        backup(BackupObject::Pages),
        backup(BackupObject::Manifest),
        backup(BackupObject::Doomed),
        of_environment(ObjectName::Pack(
            environment,
            PackId::from_bytes([0x9f; 32]),
        )),
    ]);
    let documented: BTreeSet<String> = rows("Names")
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(documented, names);
}

#[test]
fn the_marker_is_as_documented() {
    let marker = Marker::new("offsite").unwrap().encode();
    let marker = String::from_utf8(marker).unwrap();
    let lines = marker.lines().filter(|line| !line.starts_with("blake3"));
    for line in lines {
        assert!(PAGE.contains(line), "{line}");
    }
}
