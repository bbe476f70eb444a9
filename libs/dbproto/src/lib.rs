//! The conversation between dbrepl, which ships forward-log segments, and a slave server, which
//! mirrors them: messages, their bytes, and both sides as state machines without I/O.
//!
//! ```text
//! dbrepl (Shipper)                                   slave (Receiver)
//!   PostgreSQL start-up, user, database "system", replication=forwardlog
//!   authentication, CopyBothResponse; all that follows inside CopyData
//!   Identify ─────────────────────────────────────▶
//!            ◀───────────────────────────────────── Identity
//!   (AskHash ──▶ ◀── Hash)*                          only to find a fork point
//!   Start ────────────────────────────────────────▶
//!   Segment, Blocks*, Seal, Segment … ────────────▶  mirror, sync, apply
//!   KeepAlive, each second ───────────────────────▶
//!            ◀───────────────────────────────────── Status, each second at least
//!   Above, when the tree above changes ───────────▶
//!            ◀───────────────────────────────────── Below, when the tree below changes
//!            ◀───────────────────────────────────── Lost, when that changes
//!   CopyDone ─────────────────────────────────────▶  finish what arrived, sync
//!            ◀───────────────────────────────────── CopyDone
//! ```
//!
//! Either side ends it with `Refuse`. `docs/replication.md` has the table of messages.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

use std::time::Duration;

pub mod base;
mod brake;
mod compatible;
mod error;
mod greeting;
mod identity;
mod lost;
pub mod managed;
mod message;
mod offer;
mod pack;
mod progress;
mod receiver;
mod refuse;
mod report;
mod shipper;
mod source_state;
mod standing;
pub mod state;
mod tree;
mod wire;

pub use brake::Brake;
pub use compatible::{check_compatible, check_volume_limit, not_a_slave};
pub use error::ProtocolError;
pub use greeting::Greeting;
pub use identity::{Identify, Identity, Role};
pub use message::{MAX_MESSAGE, MESSAGES, Message, kind};
pub use offer::{BRAKE, HISTORY, LOST, Offer, PARTIAL, PROMPT, REPLICATION_OFFER, TREE};
pub use progress::{Progress, Status};
pub use receiver::{Receiver, ReceiverAction, STATUS_INTERVAL, StatusPacer};
pub use refuse::{Refuse, in_one_line};
pub use report::{REPORT_SIZE, SlaveReport};
pub use shipper::{Border, BorderKind, Reached, Refusal, Shipper, ShipperAction};
pub use source_state::SourceState;
pub use standing::{Standing, Weight};
pub use tree::{Below, MAX_MEMBERS, Member, check_above};

/// Version of the messages on this page. Both sides must speak the same; what was added since has a name of its own: see
/// [`Offer::replication`].
pub const PROTOCOL_VERSION: u16 = 3;

/// A side that hears nothing for so long gives the connection up: without it, a slave would keep the
/// place of a dbrepl whose machine is gone.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// Each side says something each second; one that has not for so long is shown as silent.
pub const SILENT: Duration = Duration::from_secs(3);

/// Value of the start-up parameter `replication` that asks for this protocol.
pub const REPLICATION_PARAMETER: &str = "forwardlog";

/// Database that a start-up for replication names.
pub const REPLICATION_DATABASE: &str = "system";
