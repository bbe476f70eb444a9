//! How those stand that are below an instance, as it tells whoever feeds it.

use bytes::{Bytes, BytesMut};
use fwlog::{BootNonce, ChainHash, InstanceId, LogPoint, MAX_LEVELS, Timestamp};

use super::above::read_name;
use crate::wire::{FieldReader, FieldWriter};
use crate::{Progress, ProtocolError, Standing};

/// Instances that are told of at a time: 1 + 16 + 256 + 4096. The others are counted.
pub const MAX_MEMBERS: usize = 4369;

/// Bytes of the longest address, and of the longest reason; more is cut.
const MAX_WORDS: usize = 300;

/// The file of what the slave instance `north` tells is `slave-north.below`.
const PREFIX: &str = "slave-";
const SUFFIX: &str = ".below";

/// One instance below another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// How far below: 1 is fed by the one that tells.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// Its id, and the nonce of its last start, where it has told them.
    pub speaker: Option<(InstanceId, BootNonce)>,
    /// Where dbrepl reaches it.
    pub address: String,
    /// How replication to it stands; `None`: nobody can say at present.
    pub standing: Option<Standing>,
    /// Since when.
    pub since: Timestamp,
    /// Why, where there is something to say.
    pub reason: Option<String>,
    /// When the connection was made that feeds it, or fed it last.
    pub connected: Timestamp,
    /// When it was last heard of.
    pub heard: Timestamp,
    /// In its log, on disk; without the chain hash.
    pub durable: Option<Progress>,
    /// Visible to its readers; without the chain hash.
    pub applied: Option<Progress>,
}

/// All instances below one, each followed by those below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Below {
    members: Vec<Member>,
    left_out: u32,
}

impl Below {
    /// One member after the other; what is too deep or beyond the limit is counted.
    pub fn push(&mut self, member: Member) {
        let deepest = self.members.last().map_or(1, |last| last.level + 1);
        let fits = (1..=deepest).contains(&member.level) && usize::from(member.level) <= MAX_LEVELS;
        if fits && self.members.len() < MAX_MEMBERS {
            self.members.push(member);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// So many more that nothing is told of.
    pub fn leave_out(&mut self, more: u32) {
        self.left_out = self.left_out.saturating_add(more);
    }

    /// Those that are told of.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many more there are.
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    /// Name of the file in which dbrepl leaves, beside the log, what a slave instance tells.
    pub fn file_name(instance: &str) -> String {
        format!("{PREFIX}{instance}{SUFFIX}")
    }

    /// The file's content: whoever meets it half-written knows by its checksum.
    pub fn to_file(&self) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        self.write(&mut FieldWriter(&mut bytes));
        let crc = crc32c::crc32c(&bytes).to_le_bytes();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        [&crc[..], &length, &bytes].concat()
    }

    /// Reads a file's content; `None`: it is no whole one.
    pub fn of_file(bytes: Vec<u8>) -> Option<Self> {
        let crc: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
        let length: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
        let end = usize::try_from(u32::from_le_bytes(length))
            .ok()?
            .checked_add(8)?;
        let body = Bytes::from(bytes).get(8..end).map(Bytes::copy_from_slice)?;
        if crc32c::crc32c(&body) != u32::from_le_bytes(crc) {
            return None;
        }
        let mut from = FieldReader::new(crate::kind::BELOW, body);
        let read = Self::read(&mut from).ok()?;
        from.is_at_end().then_some(read)
    }

    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.u32(self.left_out);
        out.u16(u16::try_from(self.members.len()).unwrap_or(u16::MAX));
        for member in &self.members {
            write_member(member, out);
        }
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let left_out = from.u32()?;
        let count = usize::from(from.u16()?);
        if count > MAX_MEMBERS {
            return Err(from.bad("number of instances"));
        }
        let mut below = Self::default();
        for _ in 0..count {
            below.push(read_member(from)?);
        }
        if below.members.len() < count {
            return Err(from.bad("level of an instance"));
        }
        below.left_out = left_out;
        Ok(below)
    }
}

fn write_member(member: &Member, out: &mut FieldWriter<'_>) {
    out.u8(member.level);
    out.text(&member.name);
    out.optional(member.speaker.as_ref(), |out, (id, boot)| {
        out.bytes(&id.to_bytes());
        out.bytes(&boot.to_bytes());
    });
    out.text(cut(&member.address));
    out.text(member.standing.map_or("", Standing::as_str));
    out.time(member.since);
    out.optional(member.reason.as_ref(), |out, why| out.text(cut(why)));
    out.time(member.connected);
    out.time(member.heard);
    for progress in [&member.durable, &member.applied] {
        out.optional(progress.as_ref(), |out, progress| {
            out.position(progress.point.position);
            out.commit(progress.commit);
            out.time(progress.time);
        });
    }
}

fn read_member(from: &mut FieldReader) -> Result<Member, ProtocolError> {
    Ok(Member {
        level: from.u8()?,
        name: read_name(from)?,
        speaker: from.optional(|from| {
            let id = InstanceId::from_bytes(from.array()?);
            Ok((id, BootNonce::from_bytes(from.array()?)))
        })?,
        address: read_words(from)?,
        // A later release may have more words: of those nobody here can say what they mean.
        standing: from.text()?.parse().ok(),
        since: from.time()?,
        reason: from.optional(read_words)?,
        connected: from.time()?,
        heard: from.time()?,
        durable: from.optional(read_progress)?,
        applied: from.optional(read_progress)?,
    })
}

fn read_progress(from: &mut FieldReader) -> Result<Progress, ProtocolError> {
    Ok(Progress {
        point: LogPoint::new(from.position()?, ChainHash::ZERO),
        commit: from.commit()?,
        time: from.time()?,
    })
}

fn read_words(from: &mut FieldReader) -> Result<String, ProtocolError> {
    let text = from.text()?;
    if text.len() > MAX_WORDS {
        return Err(from.bad("length of a text"));
    }
    Ok(text)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_WORDS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn member(level: u8, name: &str) -> Member {
        let at = |offset: u64| Progress {
            point: LogPoint::new(format!("1-2:{offset}").parse().unwrap(), ChainHash::ZERO),
            commit: fwlog::CommitNumber::new(offset),
            time: Timestamp::from_micros(offset),
        };
        Member {
            level,
            name: name.to_owned(),
            speaker: Some((
                InstanceId::from_bytes([level; 16]),
                BootNonce::from_bytes([1; 16]),
            )),
            address: "slave.example.com:8102".into(),
            standing: Some(Standing::Following),
            since: Timestamp::from_micros(1),
            reason: Some("no".into()),
            connected: Timestamp::from_micros(2),
            heard: Timestamp::from_micros(3),
            durable: Some(at(700)),
            applied: None,
        }
    }

    fn below(levels: &[u8]) -> Below {
        let mut below = Below::default();
        for level in levels {
            below.push(member(*level, &format!("i{level}")));
        }
        below
    }

    fn message(below: &Below) -> Bytes {
        let mut bytes = BytesMut::new();
        Message::Below(Box::new(below.clone())).encode(&mut bytes);
        bytes.freeze()
    }

    #[test]
    fn a_tree_comes_back_from_a_message_and_from_a_file() {
        let mut tree = below(&[1, 2, 3, 2, 1]);
        tree.leave_out(7);
        let read = Message::decode(message(&tree));
        assert_eq!(read, Ok(Message::Below(Box::new(tree.clone()))));
        let file = tree.to_file();
        assert_eq!(Below::of_file(file.clone()), Some(tree.clone()));
        // One that is longer was there before.
        let written_over = [&file[..], b"rest"].concat();
        assert_eq!(Below::of_file(written_over), Some(tree));
        for at in 0..file.len() {
            assert_eq!(Below::of_file(file[..at].to_vec()), None, "{at}");
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert_eq!(Below::of_file(bad), None, "{at}");
        }
    }

    #[test]
    fn who_has_no_place_in_the_tree_is_counted_and_refused_when_it_is_told() {
        let tree = below(&[1, 3, 2, 0]);
        assert_eq!((tree.members().len(), tree.left_out()), (2, 2));
        let bytes = message(&below(&[1, 2]));
        let mut bad = BytesMut::from(&bytes[..]);
        let level = (bytes.len() - 7) / 2 + 7;
        assert_eq!(bad[level], 2, "the second one's");
        bad[level] = 3;
        let error = Message::decode(bad.freeze()).unwrap_err();
        assert!(
            error.to_string().contains("level of an instance"),
            "{error}"
        );
    }

    #[test]
    fn more_than_the_limit_is_counted_and_a_message_that_says_more_is_refused() {
        let mut tree = Below::default();
        for _ in 0..MAX_MEMBERS + 3 {
            tree.push(member(1, "x"));
        }
        assert_eq!((tree.members().len(), tree.left_out()), (MAX_MEMBERS, 3));
        let mut bytes = BytesMut::from(&message(&tree)[..]);
        let more = u16::try_from(MAX_MEMBERS + 1).unwrap();
        bytes[5..7].copy_from_slice(&more.to_le_bytes());
        let error = Message::decode(bytes.freeze()).unwrap_err();
        assert!(error.to_string().contains("number of instances"), "{error}");
    }

    #[test]
    fn a_word_of_a_later_release_is_an_unknown_state() {
        let tree = below(&[1]);
        let text = b"following";
        let bytes = message(&tree);
        let at = bytes.windows(text.len()).position(|it| it == text).unwrap();
        let mut other = BytesMut::from(&bytes[..]);
        other[at] = b'F';
        let Ok(Message::Below(read)) = Message::decode(other.freeze()) else {
            panic!("it is told of a tree");
        };
        assert_eq!(read.members()[0].standing, None);
    }
}
