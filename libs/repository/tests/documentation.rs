//! `docs/repository.md` and the constants say the same.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;

use fwlog::{ChainHash, EnvironmentId, Generation, GenerationId, Sequence};
use repository::{HistoryId, LogObject, MAX_NAME, MAX_PAYLOAD, Marker, ObjectName, layout as at};

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
    let mut expected: Vec<Vec<String>> = fields
        .windows(2)
        .map(|pair| {
            let ((name, at), (_, next)) = (pair[0], pair[1]);
            vec![at.to_string(), (next - at).to_string(), name.to_owned()]
        })
        .collect();
    expected.push(vec![at::SIZE.to_string(), String::new(), String::new()]);
    let documented: Vec<Vec<&str>> = rows("Part")
        .into_iter()
        .map(|row| row.into_iter().take(3).collect())
        .collect();
    assert_eq!(documented, expected);
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
    let id = GenerationId::new(ChainHash::from_bytes([0x9f; 32]));
    let history = HistoryId::new(Generation::new(12), id);
    let of = |object| {
        let name = ObjectName::Log(environment, history, object).to_string();
        name.replace(&environment.to_string(), "<environment>")
    };
    let names = BTreeSet::from([
        ObjectName::Marker.to_string(),
        of(LogObject::Generation),
        of(LogObject::Part(Sequence::new(3), 184_320)),
        of(LogObject::Whole(Sequence::new(3))),
        of(LogObject::Child(HistoryId::new(Generation::new(13), id))),
        of(LogObject::Heartbeat),
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
