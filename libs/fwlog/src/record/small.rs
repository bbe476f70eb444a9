//! The records without pages.

use std::fmt;
use std::str::FromStr;

use crate::chain::ChainHash;
use crate::damage::DecodeError;
use crate::fields::{Fields, put_text, put_varint};
use crate::numbers::{DatabaseId, Generation, Sequence};
use crate::position::{LogPoint, Position, SegmentId};
use crate::record::{DatabaseAccess, Record, kind};
use crate::timestamp::Timestamp;

/// Longest name and longest options text in a record, in bytes.
pub const MAX_NAME: usize = 1024;
/// Longest statement in an audit record, in bytes; the writer cuts longer ones.
pub const MAX_STATEMENT: usize = 64 << 10;

/// Why a generation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationReason {
    /// The environment was made.
    Create,
    /// Forward logging was switched on.
    Enable,
    /// A slave became master.
    Promote,
    /// The environment was restored to a point in time.
    Restore,
}

impl GenerationReason {
    const ALL: [(u8, Self); 4] = [
        (1, Self::Create),
        (2, Self::Enable),
        (3, Self::Promote),
        (4, Self::Restore),
    ];

    /// The byte that stands for it in records and messages.
    pub fn code(self) -> u8 {
        Self::ALL
            .iter()
            .find(|(_, reason)| *reason == self)
            .map_or(0, |(code, _)| *code)
    }

    /// The reason that this byte stands for.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, reason)| *reason)
    }
}

impl FromStr for GenerationReason {
    type Err = UnknownReason;

    fn from_str(word: &str) -> Result<Self, UnknownReason> {
        let mut reasons = Self::ALL.into_iter().map(|(_, reason)| reason);
        reasons
            .find(|reason| reason.to_string() == word)
            .ok_or(UnknownReason)
    }
}

/// A word that is no reason for a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected create, enable, promote or restore")]
pub struct UnknownReason;

impl fmt::Display for GenerationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Enable => "enable",
            Self::Promote => "promote",
            Self::Restore => "restore",
        })
    }
}

/// The start of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationStart<'a> {
    /// Why it began.
    pub reason: GenerationReason,
    /// The instance that began it.
    pub origin: &'a str,
    /// When.
    pub time: Timestamp,
    /// The point of history that it goes on from; [`LogPoint::ORIGIN`] for the first one.
    pub parent: LogPoint,
}

/// Who did what, from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit<'a> {
    /// When.
    pub time: Timestamp,
    /// In which database; 0 for none.
    pub database: DatabaseId,
    /// The user.
    pub user: &'a str,
    /// Address of the client.
    pub client: &'a str,
    /// The statement, or what else was done.
    pub statement: &'a str,
}

/// Reads the body of any record that has no pages.
pub(crate) fn decode(kind: u8, body: &[u8]) -> Result<Record<'_>, DecodeError> {
    let mut fields = Fields::new(body);
    let (name, record) = match kind {
        kind::GENERATION => ("generation record", generation(&mut fields)),
        kind::CHECKPOINT => ("checkpoint record", checkpoint(&mut fields)),
        kind::CREATE_DATABASE
        | kind::DROP_DATABASE
        | kind::RENAME_DATABASE
        | kind::RESTORE_DATABASE => ("database record", database(kind, &mut fields)),
        kind::ACCESS => ("access record", access(&mut fields)),
        kind::AUDIT => ("audit record", audit(&mut fields)),
        kind::COPIED => ("copied record", copied(&mut fields)),
        unknown => return Err(DecodeError::UnknownKind(unknown)),
    };
    match record {
        Some(record) if fields.is_empty() => Ok(record),
        _ => Err(DecodeError::Invalid(name)),
    }
}

fn generation<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    let reason = GenerationReason::of_code(fields.u8()?)?;
    let time = Timestamp::from_micros(fields.u64()?);
    let parent = point(fields)?;
    let origin = fields.text(MAX_NAME)?;
    Some(Record::Generation(GenerationStart {
        reason,
        origin,
        time,
        parent,
    }))
}

pub(crate) fn put_generation(out: &mut Vec<u8>, start: &GenerationStart<'_>) {
    out.push(start.reason.code());
    out.extend_from_slice(&start.time.micros().to_le_bytes());
    put_point(out, start.parent);
    put_text(out, start.origin);
}

fn checkpoint<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    Some(Record::Checkpoint {
        redo: position(fields)?,
    })
}

fn copied<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    Some(Record::Copied {
        up_to: point(fields)?,
    })
}

fn point(fields: &mut Fields<'_>) -> Option<LogPoint> {
    let position = position(fields)?;
    Some(LogPoint::new(
        position,
        ChainHash::from_bytes(fields.array()?),
    ))
}

pub(crate) fn put_point(out: &mut Vec<u8>, point: LogPoint) {
    put_position(out, point.position);
    out.extend_from_slice(&point.hash.to_bytes());
}

fn position(fields: &mut Fields<'_>) -> Option<Position> {
    let generation = Generation::new(fields.u32()?);
    let sequence = Sequence::new(fields.u32()?);
    Some(Position::new(
        SegmentId {
            generation,
            sequence,
        },
        fields.u64()?,
    ))
}

pub(crate) fn put_position(out: &mut Vec<u8>, position: Position) {
    out.extend_from_slice(&position.segment.generation.get().to_le_bytes());
    out.extend_from_slice(&position.segment.sequence.get().to_le_bytes());
    out.extend_from_slice(&position.offset.to_le_bytes());
}

fn database<'a>(kind: u8, fields: &mut Fields<'a>) -> Option<Record<'a>> {
    let id = DatabaseId::new(fields.varint_u32()?);
    let name = fields.text(MAX_NAME)?;
    Some(match kind {
        kind::DROP_DATABASE => Record::DropDatabase { id, name },
        kind::RENAME_DATABASE => Record::RenameDatabase {
            id,
            old_name: name,
            name: fields.text(MAX_NAME)?,
        },
        kind::CREATE_DATABASE => Record::CreateDatabase {
            id,
            name,
            options: fields.text(MAX_NAME)?,
        },
        _ => Record::RestoreDatabase {
            id,
            name,
            options: fields.text(MAX_NAME)?,
        },
    })
}

fn access<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    let id = DatabaseId::new(fields.varint_u32()?);
    let access = match fields.u8()? {
        0 => DatabaseAccess::Shared,
        1 => DatabaseAccess::Alone,
        2 => DatabaseAccess::OthersRead,
        _ => return None,
    };
    Some(Record::Access { id, access })
}

fn audit<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    Some(Record::Audit(Audit {
        time: Timestamp::from_micros(fields.u64()?),
        database: DatabaseId::new(fields.varint_u32()?),
        user: fields.text(MAX_NAME)?,
        client: fields.text(MAX_NAME)?,
        statement: fields.text(MAX_STATEMENT)?,
    }))
}

pub(crate) fn put_audit(out: &mut Vec<u8>, audit: &Audit<'_>) {
    out.extend_from_slice(&audit.time.micros().to_le_bytes());
    put_varint(out, u64::from(audit.database.get()));
    put_text(out, prefix(audit.user, MAX_NAME));
    put_text(out, prefix(audit.client, MAX_NAME));
    put_text(out, prefix(audit.statement, MAX_STATEMENT));
}

/// As much of `text` as fits, ending between two characters.
pub(crate) fn prefix(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest))
        .unwrap_or(text)
}
