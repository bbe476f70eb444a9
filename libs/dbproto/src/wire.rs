//! Little-endian fields of a message: writing them, and reading them from bytes nobody vouches for.
//!
//! Every read checks the remaining length first, and every length prefix is held against a limit
//! before memory is taken for it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};
use pagehash::GroupNumber;

use crate::{MAX_MESSAGE, ProtocolError};

/// Longest text field in a message, in bytes; longer text is cut at the sender.
pub(crate) const MAX_TEXT: usize = 4096;

/// Writes fields at the end of a buffer.
pub(crate) struct FieldWriter<'a>(pub(crate) &'a mut BytesMut);

impl FieldWriter<'_> {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.put_u8(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.put_u16_le(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.put_u32_le(value);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.put_u64_le(value);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.0.put_u8(u8::from(value));
    }

    /// A 16-bit length and that many bytes of UTF-8; cut at a character border when too long.
    pub(crate) fn text(&mut self, value: &str) {
        let mut end = value.len().min(MAX_TEXT);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let cut = value.get(..end).unwrap_or_default();
        self.u16(u16::try_from(cut.len()).unwrap_or(0));
        self.0.put_slice(cut.as_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.0.put_slice(value);
    }

    /// A group of pages of a database.
    pub(crate) fn place(&mut self, database: u32, group: GroupNumber) {
        self.u32(database);
        self.u32(group.get());
    }

    pub(crate) fn environment(&mut self, value: EnvironmentId) {
        self.0.put_slice(&value.to_bytes());
    }

    pub(crate) fn hash(&mut self, value: ChainHash) {
        self.0.put_slice(&value.to_bytes());
    }

    pub(crate) fn position(&mut self, value: Position) {
        self.u32(value.segment.generation.get());
        self.u32(value.segment.sequence.get());
        self.u64(value.offset);
    }

    pub(crate) fn point(&mut self, value: &LogPoint) {
        self.position(value.position);
        self.hash(value.hash);
    }

    pub(crate) fn commit(&mut self, value: CommitNumber) {
        self.u64(value.get());
    }

    pub(crate) fn time(&mut self, value: Timestamp) {
        self.u64(value.micros());
    }

    /// A flag byte, then the value when there is one.
    pub(crate) fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Takes fields from the front of a message body.
pub(crate) struct FieldReader {
    body: Bytes,
    kind: char,
}

impl FieldReader {
    pub(crate) fn new(kind: u8, body: Bytes) -> Self {
        Self {
            body,
            kind: char::from(kind),
        }
    }

    /// Reads a whole message: `body` gets its type byte and what follows it, and has to read all of that.
    pub(crate) fn decode<T>(
        message: Bytes,
        body: impl FnOnce(u8, &mut Self) -> Result<T, ProtocolError>,
    ) -> Result<T, ProtocolError> {
        let (kind, mut from) = Self::of_message(message)?;
        let decoded = body(kind, &mut from)?;
        from.finish()?;
        Ok(decoded)
    }

    /// The type byte of a message, and what follows it.
    fn of_message(mut message: Bytes) -> Result<(u8, Self), ProtocolError> {
        if message.len() > MAX_MESSAGE {
            return Err(ProtocolError::Oversized {
                length: message.len(),
            });
        }
        let Some(kind) = message.first().copied() else {
            return Err(ProtocolError::Empty);
        };
        message.advance(1);
        Ok((kind, Self::new(kind, message)))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        !self.body.has_remaining()
    }

    fn take(&mut self, length: usize) -> Result<Bytes, ProtocolError> {
        if self.body.len() < length {
            return Err(ProtocolError::TooShort { kind: self.kind });
        }
        Ok(self.body.split_to(length))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let mut out = [0; N];
        self.take(N)?.copy_to_slice(&mut out);
        Ok(out)
    }

    /// Fields of one size, up to the end of the message.
    pub(crate) fn items<const N: usize>(
        &mut self,
        limit: usize,
    ) -> Result<Vec<[u8; N]>, ProtocolError> {
        if self.body.len() / N > limit {
            return Err(self.bad("number of items"));
        }
        let mut items = Vec::with_capacity(self.body.len() / N);
        while self.body.has_remaining() {
            items.push(self.array()?);
        }
        Ok(items)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ProtocolError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, ProtocolError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad("flag")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, ProtocolError> {
        let length = usize::from(self.u16()?);
        if length > MAX_TEXT {
            return Err(self.bad("text length"));
        }
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| self.bad("text"))?;
        // It goes into logs and to terminals: one line, with nothing that either obeys.
        Ok(text.replace(char::is_control, " "))
    }

    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.body)
    }

    /// A group of pages of a database.
    pub(crate) fn place(&mut self) -> Result<(u32, GroupNumber), ProtocolError> {
        let database = self.u32()?;
        let group = GroupNumber::new(self.u32()?);
        Ok((database, group.ok_or_else(|| self.bad("group"))?))
    }

    pub(crate) fn environment(&mut self) -> Result<EnvironmentId, ProtocolError> {
        self.array().map(EnvironmentId::from_bytes)
    }

    pub(crate) fn hash(&mut self) -> Result<ChainHash, ProtocolError> {
        self.array().map(ChainHash::from_bytes)
    }

    pub(crate) fn position(&mut self) -> Result<Position, ProtocolError> {
        let (generation, sequence) = (self.u32()?, self.u32()?);
        if generation == 0 || sequence == 0 {
            return Err(self.bad("segment number"));
        }
        let offset = self.u64()?;
        Ok(Position {
            segment: SegmentId::new(generation, sequence),
            offset,
        })
    }

    pub(crate) fn point(&mut self) -> Result<LogPoint, ProtocolError> {
        Ok(LogPoint {
            position: self.position()?,
            hash: self.hash()?,
        })
    }

    pub(crate) fn commit(&mut self) -> Result<CommitNumber, ProtocolError> {
        self.u64().map(CommitNumber::new)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, ProtocolError> {
        self.u64().map(Timestamp::from_micros)
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ProtocolError>,
    ) -> Result<Option<T>, ProtocolError> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// An error that names the message type and the field.
    pub(crate) fn bad(&self, field: &'static str) -> ProtocolError {
        ProtocolError::BadField {
            kind: self.kind,
            field,
        }
    }

    /// A message ends where its last field ends.
    pub(crate) fn finish(self) -> Result<(), ProtocolError> {
        if self.body.has_remaining() {
            return Err(ProtocolError::TooLong { kind: self.kind });
        }
        Ok(())
    }
}
