//! Objects of a repository, which lie where others may write: proved, or refused in words.

use bytes::Bytes;
use repository::layout as at;
use repository::{
    ArchivedGeneration, HEAD_SIZE, Heartbeat, HistoryId, LogObject, Marker, ObjectName, Part,
    PartHead,
};

use super::choices::Choices;
use super::sealed::sealed;

/// Takes the bytes as each kind of object, as they are and with checksums put right.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let which = choices.byte();
    let is_mended = which & 0x80 != 0;
    let bytes = choices.rest();
    match which % 3 {
        0 => part(bytes, is_mended),
        1 => name(&String::from_utf8_lossy(bytes)),
        _ => texts(bytes, is_mended),
    }
}

fn part(bytes: &[u8], is_mended: bool) {
    let mut bytes = bytes.to_vec();
    if is_mended {
        mend(&mut bytes);
    }
    let bytes = Bytes::from(bytes);
    let head = PartHead::decode(&bytes);
    if let Ok(head) = &head {
        assert_eq!(head.encode(), bytes[..HEAD_SIZE], "a head has one form");
    }
    match Part::decode(&bytes) {
        Ok(part) => {
            assert_eq!(Ok(part.head), head);
            assert_eq!(part.encode(), bytes);
            let end = part.head.to;
            assert_eq!(part.border_at(end.point.position), Some(end));
            if let Err(why) = ArchivedGeneration::record_in(&part) {
                assert!(!why.is_empty());
            }
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

/// What somebody does who can compute checksums: magic, version, length, hash of the payload, checksum of the head.
fn mend(bytes: &mut [u8]) {
    let Some((head, payload)) = bytes.split_at_mut_checked(HEAD_SIZE) else {
        return;
    };
    let hash = blake3::hash(payload);
    let mut put = |at: usize, field: &[u8]| head[at..at + field.len()].copy_from_slice(field);
    put(at::MAGIC_AT, &at::MAGIC_BYTES);
    put(at::VERSION_AT, &at::FORMAT_VERSION.to_le_bytes());
    put(at::LENGTH_AT, &(payload.len() as u64).to_le_bytes());
    put(at::HASH_AT, hash.as_bytes());
    let crc = crc32c::crc32c(&head[..at::CRC_AT]);
    head[at::CRC_AT..].copy_from_slice(&crc.to_le_bytes());
}

/// A text is one name or none.
fn name(text: &str) {
    if let Ok(name) = text.parse::<ObjectName>() {
        assert_eq!(name.to_string(), text);
        let inside = text.split('/').all(|word| !matches!(word, "" | "." | ".."));
        assert!(inside, "{text:?} leads nowhere else");
    }
    if let Ok(history) = text.parse::<HistoryId>() {
        assert_eq!(history.to_string().parse(), Ok(history));
    }
}

/// The objects that are text.
fn texts(bytes: &[u8], is_mended: bool) {
    let mended;
    let bytes = if is_mended {
        mended = sealed(bytes);
        mended.as_bytes()
    } else {
        bytes
    };
    match Marker::decode(bytes) {
        Ok(marker) => assert_eq!(Marker::decode(&marker.encode()), Ok(marker)),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    let name = ObjectName::Marker;
    match Heartbeat::decode(&name, bytes) {
        Ok(beat) => assert_eq!(Heartbeat::decode(&name, &beat.encode()), Ok(beat)),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    let Ok(ObjectName::Log(_, history, LogObject::Heartbeat)) = HISTORY.parse() else {
        panic!("a name of the page");
    };
    match ArchivedGeneration::decode(&name, history, bytes) {
        Ok(known) => {
            let again = ArchivedGeneration::decode(&name, history, &known.encode());
            assert_eq!(again, Ok(known));
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// The history whose generation is asked for.
const HISTORY: &str = "05050505050505050505050505050505/log/0000000001-00000000/heartbeat";
