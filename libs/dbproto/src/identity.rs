//! Who the two sides are.

use std::fmt;

use fwlog::{Above, EnvironmentId, Position};

use crate::wire::{FieldReader, FieldWriter};
use crate::{Greeting, PROTOCOL_VERSION, Progress, ProtocolError};

/// What a server runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// No part in replication.
    Standalone,
    /// Source of slaves.
    Master,
    /// Takes its log from another server.
    Slave,
}

impl Role {
    fn code(self) -> u8 {
        match self {
            Self::Standalone => 0,
            Self::Master => 1,
            Self::Slave => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Standalone),
            1 => Some(Self::Master),
            2 => Some(Self::Slave),
            _ => None,
        }
    }

    fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let code = from.u8()?;
        Self::from_code(code).ok_or_else(|| from.bad("role"))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standalone => "Standalone",
            Self::Master => "Master",
            Self::Slave => "Slave",
        })
    }
}

/// Reads the version. The fields after it are those of our own version, so another one ends here.
fn version(from: &mut FieldReader) -> Result<u16, ProtocolError> {
    match from.u16()? {
        PROTOCOL_VERSION => Ok(PROTOCOL_VERSION),
        theirs => Err(ProtocolError::Version {
            ours: PROTOCOL_VERSION,
            theirs,
        }),
    }
}

/// The source introduces itself and asks the slave to do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identify {
    /// Version of this protocol, [`crate::PROTOCOL_VERSION`].
    pub protocol: u16,
    /// Version of the forward-log format in the source's segments.
    pub format: u32,
    /// Environment that the source's log belongs to.
    pub environment: EnvironmentId,
    /// Name of the instance that wrote the newest segment.
    pub instance: String,
    /// Role in the source's configuration.
    pub role: Role,
    /// Bytes a page.
    pub page_size: u32,
    /// Limit of the source's data files in bytes; 0 = none.
    pub volume_limit: u64,
    /// The source's durable end, when it has one.
    pub durable: Option<Progress>,
    /// The source would like to compress what is stored uncompressed.
    pub pack: bool,
    /// Which instance the source is, where the slave can take that.
    pub greeting: Option<Box<Greeting>>,
}

impl Identify {
    /// What the source tells of the tree above the slave, where both can.
    pub fn above(&self) -> Option<&Above> {
        self.greeting.as_ref()?.above.as_deref()
    }

    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.u16(self.protocol);
        out.u32(self.format);
        out.environment(self.environment);
        out.text(&self.instance);
        out.u8(self.role.code());
        out.u32(self.page_size);
        out.u64(self.volume_limit);
        out.optional(self.durable.as_ref(), |out, durable| durable.write(out));
        out.flag(self.pack);
        write_greeting(self.greeting.as_deref(), out);
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            protocol: version(from)?,
            format: from.u32()?,
            environment: from.environment()?,
            instance: from.text()?,
            role: Role::read(from)?,
            page_size: from.u32()?,
            volume_limit: from.u64()?,
            durable: from.optional(Progress::read)?,
            pack: from.flag()?,
            greeting: read_greeting(from)?,
        })
    }
}

/// What was added to the greeting stands at its end, behind the names of what that is; an older side ends before them.
fn write_greeting(greeting: Option<&Greeting>, out: &mut FieldWriter<'_>) {
    if let Some(greeting) = greeting {
        greeting.write(out);
    }
}

fn read_greeting(from: &mut FieldReader) -> Result<Option<Box<Greeting>>, ProtocolError> {
    if from.is_at_end() {
        return Ok(None);
    }
    Greeting::read(from).map(Box::new).map(Some)
}

/// The slave's answer to [`Identify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Newest version of this protocol that the slave speaks.
    pub protocol: u16,
    /// Newest version of the forward-log format that the slave reads.
    pub format: u32,
    /// Environment of the slave; `None` = empty, adopts the source's.
    pub environment: Option<EnvironmentId>,
    /// Name of the slave's instance.
    pub instance: String,
    /// Role of the slave.
    pub role: Role,
    /// Bytes a page.
    pub page_size: u32,
    /// Taken from a connection; `None` = nothing yet, the log is wanted from its beginning.
    pub received: Option<Progress>,
    /// In the slave's log, on disk. The source goes on after this.
    pub durable: Option<Progress>,
    /// The segment at `durable` is sealed in the slave's log: the next one follows.
    pub sealed: bool,
    /// Visible to the slave's readers.
    pub applied: Option<Progress>,
    /// Oldest position that the slave's log still holds.
    pub log_begins: Option<Position>,
    /// The slave keeps a forward log of its own.
    pub forward_log: bool,
    /// Limit of the slave's data files in bytes; 0 = none.
    pub volume_limit: u64,
    /// The slave takes compressed messages.
    pub pack: bool,
    /// Which instance the slave is, where the source has told the same.
    pub greeting: Option<Box<Greeting>>,
}

impl Identity {
    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.u16(self.protocol);
        out.u32(self.format);
        out.optional(self.environment.as_ref(), |out, id| out.environment(*id));
        out.text(&self.instance);
        out.u8(self.role.code());
        out.u32(self.page_size);
        for progress in [&self.received, &self.durable, &self.applied] {
            out.optional(progress.as_ref(), |out, progress| progress.write(out));
        }
        out.flag(self.sealed);
        out.optional(self.log_begins.as_ref(), |out, position| {
            out.position(*position);
        });
        out.flag(self.forward_log);
        out.u64(self.volume_limit);
        out.flag(self.pack);
        write_greeting(self.greeting.as_deref(), out);
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            protocol: version(from)?,
            format: from.u32()?,
            environment: from.optional(FieldReader::environment)?,
            instance: from.text()?,
            role: Role::read(from)?,
            page_size: from.u32()?,
            received: from.optional(Progress::read)?,
            durable: from.optional(Progress::read)?,
            applied: from.optional(Progress::read)?,
            sealed: from.flag()?,
            log_begins: from.optional(FieldReader::position)?,
            forward_log: from.flag()?,
            volume_limit: from.u64()?,
            pack: from.flag()?,
            greeting: read_greeting(from)?,
        })
    }
}
