//! What the shipper asks of its driver, and how it ends.

use fwlog::{LogPoint, LostForks, Position, SegmentId};

use crate::{Below, Message, ProtocolError, Refuse, Status};

/// What the driver does for the [`Shipper`](crate::Shipper).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShipperAction {
    /// Send the message.
    Send(Message),
    /// Find this point in the log (`None`: the log's beginning), then call [`crate::Shipper::located`] or
    /// [`crate::Shipper::not_located`].
    Locate(Option<LogPoint>),
    /// Collect the borders that the log has between two positions, both included, in order, then
    /// call [`crate::Shipper::borders`].
    Borders {
        /// Which.
        of: BorderKind,
        /// Nothing below this position.
        from: Option<Position>,
        /// Nothing above this position.
        to: Position,
    },
    /// The slave has come so far.
    Acknowledged(Status),
    /// Those below the slave stand so.
    Below(Box<Below>),
    /// The slave and those below it have lost this.
    Lost(LostForks),
}

/// Which borders of the log are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorderKind {
    /// The first block's start in every segment.
    Segments,
    /// Every block's end in one segment.
    Blocks(SegmentId),
}

/// The end of the conversation, before its purpose was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This side refuses: send it to the slave, tell the operator.
    Ours(Refuse),
    /// The slave refused.
    Theirs(Refuse),
}

impl Refusal {
    /// Why, whoever it was.
    pub fn refuse(&self) -> &Refuse {
        match self {
            Self::Ours(refuse) | Self::Theirs(refuse) => refuse,
        }
    }
}

impl From<ProtocolError> for Refusal {
    fn from(error: ProtocolError) -> Self {
        Self::Ours(Refuse::from(&error))
    }
}

/// Whether the slave has what was aimed at; see [`crate::Shipper::reached`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Not yet.
    No,
    /// Durable and visible to the slave's readers.
    Applied,
    /// Durable; applying is suspended, and why.
    Durable {
        /// As the slave says.
        suspended: String,
    },
}
