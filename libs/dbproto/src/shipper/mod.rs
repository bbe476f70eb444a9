//! The source's side of the conversation, without any I/O.
//!
//! ```text
//!             Identity           found              (log items)
//!  Greeting ───────────▶ Locating ──────▶ Shipping ────────────▶ Shipping
//!                           │ not found
//!                           ▼   border, Hash
//!                        Proving ───────▶ Refusal: diverged after …      by the histories of both
//!                           │ no history, or twins
//!                           ▼   borders, Hash …
//!                        Bisecting ─────▶ Refusal: diverged after …
//! ```
//!
//! The driver owns the connection and the log. It feeds in what arrives and what it finds in the
//! log, and carries out the actions in order.

mod action;
mod bisection;
mod fork;
mod window;

use bytes::Bytes;
use fwlog::{Above, Candidate, EnvironmentId, LogPoint, Position};

use crate::{Identify, Identity, Message, Progress, ProtocolError, Refuse, SourceState, Status};
use crate::{check_above, check_compatible, state};

pub use action::{BorderKind, Reached, Refusal, ShipperAction};
use bisection::Bisection;
pub use bisection::Border;
use window::Window;

#[derive(Debug)]
enum ShipperState {
    Greeting,
    Locating,
    Proving {
        candidate: Candidate,
        /// The border there in the source's log, once it was looked for.
        border: Option<Border>,
    },
    Bisecting {
        blocks: bool,
        waiting: bool,
        search: Bisection,
    },
    Shipping,
    Stopped,
}

impl ShipperState {
    fn name(&self) -> &'static str {
        match self {
            Self::Greeting => "waiting for the slave's identity",
            Self::Locating => "looking for the synchronization point",
            Self::Proving { .. } | Self::Bisecting { .. } => "looking for the fork point",
            Self::Shipping => "shipping",
            Self::Stopped => "stopped",
        }
    }
}

/// The source's side.
#[derive(Debug)]
pub struct Shipper {
    identify: Identify,
    slave: Option<Identity>,
    state: ShipperState,
    window: Window,
    /// End of what was shipped; the slave's own point before that.
    shipped: Option<Position>,
    /// End of the newest block shipped: after it only headers and seals went.
    last_block: Option<Position>,
    status: Option<Status>,
}

impl Shipper {
    /// `window`: bytes that may be on their way at most.
    pub fn new(identify: Identify, window: u64) -> Self {
        Self {
            identify,
            slave: None,
            state: ShipperState::Greeting,
            window: Window::new(window),
            shipped: None,
            last_block: None,
            status: None,
        }
    }

    /// The first message.
    pub fn begin(&self) -> Message {
        Message::Identify(self.identify.clone())
    }

    /// The environment of the log that is shipped.
    pub fn environment(&self) -> EnvironmentId {
        self.identify.environment
    }

    /// The slave, once it has introduced itself.
    pub fn slave(&self) -> Option<&Identity> {
        self.slave.as_ref()
    }

    /// What the slave said last about its progress.
    pub fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// Blocks may go compressed.
    pub fn packs(&self) -> bool {
        self.identify.pack && self.slave.as_ref().is_some_and(|slave| slave.pack)
    }

    /// Takes a message of the slave.
    pub fn handle(&mut self, message: Message) -> Result<Vec<ShipperAction>, Refusal> {
        let result = match message {
            Message::Refuse(refuse) => Err(Refusal::Theirs(refuse)),
            Message::Identity(identity) if matches!(self.state, ShipperState::Greeting) => {
                self.meet(identity)
            }
            Message::Hash { position, hash } => self.answer(position, hash),
            Message::Status(status) => self.acknowledge(status),
            Message::Below(below) if matches!(self.state, ShipperState::Shipping) => {
                Ok(vec![ShipperAction::Below(below)])
            }
            Message::Lost(forks) if matches!(self.state, ShipperState::Shipping) => {
                Ok(vec![ShipperAction::Lost(forks)])
            }
            other => Err(ProtocolError::Unexpected {
                message: other.name(),
                state: self.state.name(),
            }
            .into()),
        };
        if result.is_err() {
            self.state = ShipperState::Stopped;
        }
        result
    }

    fn meet(&mut self, slave: Identity) -> Result<Vec<ShipperAction>, Refusal> {
        check_compatible(&self.identify, &slave).map_err(Refusal::Ours)?;
        let point = slave.durable.as_ref().map(|durable| durable.point);
        self.slave = Some(slave);
        self.state = ShipperState::Locating;
        Ok(vec![ShipperAction::Locate(point)])
    }

    fn slave_point(&self) -> Option<&LogPoint> {
        Some(&self.slave.as_ref()?.durable.as_ref()?.point)
    }

    /// The point is in the log: shipping begins.
    pub fn located(&mut self) -> Message {
        let at = self.slave_point().copied();
        self.shipped = at.as_ref().map(|point| point.position);
        self.state = ShipperState::Shipping;
        Message::Start { at }
    }

    fn acknowledge(&mut self, status: Status) -> Result<Vec<ShipperAction>, Refusal> {
        let durable = status.durable.point.position;
        let beyond = match self.shipped {
            Some(shipped) => durable > shipped,
            None => matches!(self.state, ShipperState::Shipping),
        };
        if beyond {
            let shipped = self.shipped.unwrap_or(Position::ORIGIN);
            return Err(Refusal::Ours(
                Refuse::new(
                    state::PROTOCOL_VIOLATION,
                    "the slave acknowledged what it never got",
                )
                .detail(format!("shipped up to {shipped}, acknowledged {durable}")),
            ));
        }
        self.window.acknowledge(durable);
        self.status = Some(status.clone());
        Ok(vec![ShipperAction::Acknowledged(status)])
    }

    /// Bytes that may be shipped now. One piece always may when nothing is on its way.
    pub fn room(&self) -> u64 {
        self.window.room()
    }

    /// Bytes on their way: shipped and not yet durable at the slave.
    pub fn outstanding(&self) -> u64 {
        self.window.outstanding()
    }

    /// Bytes of log shipped on this connection.
    pub fn sent(&self) -> u64 {
        self.window.sent()
    }

    /// End of what was shipped.
    pub fn shipped(&self) -> Option<Position> {
        self.shipped
    }

    /// Ships a segment's header; `end` is the first block's start.
    pub fn segment(&mut self, header: Bytes, end: Position) -> Message {
        self.note(end, header.len());
        Message::Segment { header }
    }

    /// Ships whole blocks from `start` to `end`.
    pub fn blocks(&mut self, start: Position, end: Position, bytes: Bytes) -> Message {
        assert!(
            self.shipped == Some(start) && end.segment == start.segment,
            "blocks go on where the slave's log ends (invariant 5)"
        );
        self.note(end, bytes.len());
        self.last_block = Some(end);
        Message::Blocks { start, bytes }
    }

    /// Ships the seal of the segment that was shipped last.
    pub fn seal(&mut self, bytes: Bytes) -> Message {
        self.check_shipping();
        Message::Seal { bytes }
    }

    fn note(&mut self, end: Position, length: usize) {
        self.check_shipping();
        assert!(
            self.shipped.is_none_or(|shipped| shipped < end),
            "the log is shipped in its order, and nothing of it twice (invariant 3)"
        );
        self.shipped = Some(end);
        self.window
            .ship(end, u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn check_shipping(&self) {
        assert!(
            matches!(self.state, ShipperState::Shipping),
            "the log is shipped after Start only"
        );
    }

    /// A sign of life, with how the source is.
    pub fn keep_alive(source: SourceState, reply: bool) -> Message {
        Message::KeepAlive { source, reply }
    }

    /// Whether the slave was told which instance the source is.
    pub fn has_name(&self) -> bool {
        self.identify.greeting.is_some()
    }

    /// The tree above the source is this by now: what to tell the slave, where that takes it and does not know.
    ///
    /// Errors: the slave has no place below it any more.
    pub fn tell_above(&mut self, above: Above) -> Result<Option<Message>, Refusal> {
        let greeting = self.identify.greeting.as_mut();
        let Some(told) = greeting.and_then(|greeting| greeting.above.as_mut()) else {
            return Ok(None);
        };
        if **told == above {
            return Ok(None);
        }
        **told = above;
        let slave = self.slave.as_ref().and_then(|it| it.greeting.as_ref());
        if let Some(slave) = slave
            && let Err(refuse) = check_above(told, &slave.speaker)
        {
            self.state = ShipperState::Stopped;
            return Err(Refusal::Ours(refuse));
        }
        Ok(Some(Message::Above(told.clone())))
    }

    /// Whether the slave has all that was shipped so far.
    ///
    /// Headers and seals hold nothing to apply, so the end of the last block counts.
    pub fn reached(&self) -> Reached {
        let Some(last_block) = self.last_block else {
            return self.reached_before();
        };
        let Some(status) = &self.status else {
            return Reached::No;
        };
        if status.durable.point.position < last_block {
            return Reached::No;
        }
        if status.applied.point.position >= last_block {
            return Reached::Applied;
        }
        match &status.suspended {
            Some(why) => Reached::Durable {
                suspended: why.clone(),
            },
            None => Reached::No,
        }
    }

    /// Nothing was shipped: the slave had it all, and only applying may be behind.
    fn reached_before(&self) -> Reached {
        let Some(slave) = &self.slave else {
            return Reached::No;
        };
        let (durable, applied, suspended) = match &self.status {
            Some(status) => (
                Some(&status.durable),
                Some(&status.applied),
                status.suspended.clone(),
            ),
            None => (slave.durable.as_ref(), slave.applied.as_ref(), None),
        };
        let commit = |progress: Option<&Progress>| progress.map(|progress| progress.commit);
        let behind = commit(applied) < commit(durable);
        match suspended {
            _ if !behind => Reached::Applied,
            Some(suspended) => Reached::Durable { suspended },
            None => Reached::No,
        }
    }
}
