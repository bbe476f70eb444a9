//! Pages on the way.

use bytes::Bytes;
use pagehash::{GroupNumber, GroupValue};

use super::{PageSet, kind};
use crate::wire::{FieldReader, FieldWriter};
use crate::{ProtocolError, pack};

/// Pages of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The database.
    pub database: u32,
    /// The group.
    pub group: GroupNumber,
    /// Which of its pages.
    pub pages: PageSet,
    /// The value of the whole group, which the taker must come to with what it has.
    pub value: GroupValue,
    /// `bytes` is a zstd frame.
    packed: bool,
    bytes: Bytes,
}

impl Pages {
    /// Pages for the way, compressed where that is wanted and makes them smaller by an eighth or more. `raw` is one page after
    /// the other.
    pub fn new(
        place: (u32, GroupNumber),
        pages: PageSet,
        value: GroupValue,
        raw: Bytes,
        pack: bool,
    ) -> Self {
        let packed = if pack { pack::pack(&raw) } else { None };
        Self {
            database: place.0,
            group: place.1,
            pages,
            value,
            packed: packed.is_some(),
            bytes: packed.unwrap_or(raw),
        }
    }

    /// The pages, one after the other.
    ///
    /// Errors: they are not as many as it says.
    pub fn open(&self) -> Result<Bytes, ProtocolError> {
        let length = self.pages.len() as usize * pagehash::PAGE_SIZE;
        let raw = if self.packed {
            pack::unpack(&self.bytes, length)?
        } else {
            self.bytes.clone()
        };
        if raw.len() != length {
            return Err(ProtocolError::BadField {
                kind: char::from(kind::PAGES),
                field: "number of pages",
            });
        }
        Ok(raw)
    }

    /// Bytes of it on the way.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn write(&self, out: &mut FieldWriter<'_>) -> Bytes {
        out.place(self.database, self.group);
        out.bytes(self.pages.as_bytes());
        out.bytes(self.value.as_bytes());
        out.flag(self.packed);
        self.bytes.clone()
    }

    pub(super) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let (database, group) = from.place()?;
        Ok(Self {
            database,
            group,
            pages: PageSet::from_bytes(from.array()?),
            value: GroupValue::from_bytes(from.array()?),
            packed: from.flag()?,
            bytes: from.rest(),
        })
    }
}
