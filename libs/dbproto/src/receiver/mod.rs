//! The slave's side of the conversation, without any I/O.
//!
//! ```text
//!          Identify          Start               Segment, Blocks, Seal
//! Waiting ──────────▶ Known ───────▶ Receiving ───────────────────────▶ Receiving
//!                      │ ▲ AskHash
//!                      └─┘
//! ```
//!
//! It checks that each message has its place: right order, right start, right environment. What the
//! bytes hold (checksums, chain hashes, commit numbers) is the mirror's to check.

mod pacer;

use bytes::Bytes;
use fwlog::{Above, ChainHash, EnvironmentId, LogPoint, Position, SegmentHeader, SegmentId};

use crate::{Identify, Identity, Message, ProtocolError, Refuse, SourceState};
use crate::{check_above, check_compatible, state};

pub use pacer::{STATUS_INTERVAL, StatusPacer};

/// What the driver does for the [`Receiver`], in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverAction {
    /// Send the message.
    Send(Message),
    /// Look up the chain hash of the slave's own log at this block border, then send what
    /// [`Receiver::hash`] makes of it.
    LookUpHash(Position),
    /// The empty slave becomes part of this environment: make that durable before going on.
    Adopt {
        /// The source's environment.
        environment: EnvironmentId,
        /// The source's instance, for the log.
        instance: String,
    },
    /// The source goes on after the slave's durable point (`None`: from the log's beginning).
    Start {
        /// The slave's own durable point.
        at: Option<LogPoint>,
    },
    /// Begin a segment.
    Segment {
        /// Which.
        id: SegmentId,
        /// Its header as on disk.
        header: Bytes,
    },
    /// Append whole blocks to the segment.
    Blocks {
        /// Position of the first byte.
        start: Position,
        /// The blocks as on disk.
        bytes: Bytes,
    },
    /// Seal the segment.
    Seal {
        /// The seal as on disk.
        bytes: Bytes,
    },
    /// How the source is, to know the lag by; call [`StatusPacer::ask`] when `reply`.
    KeepAlive {
        /// How the source is.
        source: SourceState,
        /// The source wants a status now.
        reply: bool,
    },
    /// The tree above the slave is this from now on.
    Above(Box<Above>),
    /// The source won't go on: log why. The connection ends.
    Refused(Refuse),
}

/// Where in the log the next bytes belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogPlace {
    /// Before the first segment.
    Beginning,
    /// After the seal of this segment.
    AfterSeal(SegmentId),
    /// The slave has its segment sealed already; the source may repeat the seal.
    AtOwnSeal(SegmentId),
    /// In an open segment.
    Open(Position),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReceiverState {
    Waiting,
    Known,
    Receiving(LogPlace),
    Stopped,
}

impl ReceiverState {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for Identify",
            Self::Known => "waiting for Start",
            Self::Receiving(LogPlace::Open(_)) => "inside a segment",
            Self::Receiving(_) => "between segments",
            Self::Stopped => "stopped",
        }
    }
}

/// The slave's side.
#[derive(Debug)]
pub struct Receiver {
    identity: Identity,
    source: Option<Identify>,
    state: ReceiverState,
}

impl Receiver {
    /// `identity`: what the slave is and has at this moment; nothing may change its log while the
    /// receiver lives but what the receiver hands out.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            source: None,
            state: ReceiverState::Waiting,
        }
    }

    /// The source, once it has introduced itself.
    pub fn source(&self) -> Option<&Identify> {
        self.source.as_ref()
    }

    /// Next byte of the log that is expected, once `Start` came and a segment is open.
    pub fn expected(&self) -> Option<Position> {
        match self.state {
            ReceiverState::Receiving(LogPlace::Open(position)) => Some(position),
            _ => None,
        }
    }

    /// Takes a message of the source. An error goes back to the source as [`Message::Refuse`], and
    /// the connection ends; nothing of the refused message may reach the log.
    pub fn handle(&mut self, message: Message) -> Result<Vec<ReceiverAction>, Refuse> {
        let result = self.accept(message);
        if result.is_err() {
            self.state = ReceiverState::Stopped;
        }
        result
    }

    fn accept(&mut self, message: Message) -> Result<Vec<ReceiverAction>, Refuse> {
        match (message, self.state) {
            (Message::Refuse(refuse), _) => {
                self.state = ReceiverState::Stopped;
                Ok(vec![ReceiverAction::Refused(refuse)])
            }
            (Message::Identify(identify), ReceiverState::Waiting) => Ok(self.meet(identify)),
            (Message::AskHash { position }, ReceiverState::Known) => {
                self.check_source()?;
                Ok(vec![ReceiverAction::LookUpHash(position)])
            }
            (Message::Start { at }, ReceiverState::Known) => self.start(at),
            (Message::Segment { header }, ReceiverState::Receiving(place)) => {
                self.segment(place, header)
            }
            (
                Message::Blocks { start, bytes },
                ReceiverState::Receiving(LogPlace::Open(expected)),
            ) => self.blocks(expected, start, bytes),
            (
                Message::Blocks { start, .. },
                ReceiverState::Receiving(LogPlace::AtOwnSeal(segment)),
            ) if start.segment == segment => Err(Refuse::new(
                state::DIVERGED,
                format!("diverged: the slave's log differs from the master's after {start}"),
            )
            .detail(format!(
                "the slave's segment {segment} is sealed there, the master's goes on"
            ))
            .hint(state::RESYNCHRONIZE)),
            (Message::Seal { bytes }, ReceiverState::Receiving(place)) => self.seal(place, bytes),
            (Message::KeepAlive { source, reply }, ReceiverState::Receiving(_)) => {
                Ok(vec![ReceiverAction::KeepAlive { source, reply }])
            }
            (Message::Above(above), ReceiverState::Receiving(_)) => self.above(above),
            (message, state) => Err(unexpected(&message, state)),
        }
    }

    /// Whoever finds itself above cuts the circle.
    fn above(&self, above: Box<Above>) -> Result<Vec<ReceiverAction>, Refuse> {
        if let Some(greeting) = &self.identity.greeting {
            check_above(&above, &greeting.speaker)?;
        }
        Ok(vec![ReceiverAction::Above(above)])
    }

    /// The slave tells who it is even to a source that doesn't fit: the source then says why not.
    fn meet(&mut self, identify: Identify) -> Vec<ReceiverAction> {
        if identify.greeting.is_none() {
            // An older source can't take more.
            self.identity.greeting = None;
        }
        self.source = Some(identify);
        self.state = ReceiverState::Known;
        vec![ReceiverAction::Send(Message::Identity(
            self.identity.clone(),
        ))]
    }

    fn check_source(&self) -> Result<&Identify, Refuse> {
        let source = self.source.as_ref().ok_or_else(|| {
            Refuse::new(
                state::PROTOCOL_VIOLATION,
                "the source has not introduced itself",
            )
        })?;
        check_compatible(source, &self.identity)?;
        Ok(source)
    }

    /// The answer to [`ReceiverAction::LookUpHash`].
    pub fn hash(position: Position, hash: Option<ChainHash>) -> Message {
        Message::Hash { position, hash }
    }

    fn start(&mut self, at: Option<LogPoint>) -> Result<Vec<ReceiverAction>, Refuse> {
        let source = self.check_source()?;
        let own = self.identity.durable.map(|durable| durable.point);
        if at != own {
            let show = |point: Option<LogPoint>| {
                point.map_or_else(|| "its beginning".to_owned(), |point| point.to_string())
            };
            return Err(Refuse::new(
                state::PROTOCOL_VIOLATION,
                "the log does not go on where the slave stands",
            )
            .detail(format!(
                "slave at {}, source starts at {}",
                show(own),
                show(at)
            )));
        }
        let mut actions = Vec::new();
        if self.identity.environment.is_none() {
            let environment = source.environment;
            let instance = source.instance.clone();
            actions.push(ReceiverAction::Adopt {
                environment,
                instance,
            });
            self.identity.environment = Some(environment);
        }
        self.state = ReceiverState::Receiving(match at {
            None => LogPlace::Beginning,
            Some(point) if self.identity.sealed => LogPlace::AtOwnSeal(point.position.segment),
            Some(point) => LogPlace::Open(point.position),
        });
        actions.push(ReceiverAction::Start { at });
        Ok(actions)
    }

    fn segment(&mut self, place: LogPlace, bytes: Bytes) -> Result<Vec<ReceiverAction>, Refuse> {
        let header = SegmentHeader::decode(&bytes).map_err(|error| {
            Refuse::new(state::DAMAGED, "a segment header can't be read").detail(error.to_string())
        })?;
        let id = header.id;
        let in_order = match place {
            LogPlace::Beginning => id == SegmentId::FIRST,
            LogPlace::AfterSeal(last) | LogPlace::AtOwnSeal(last) => id.may_follow(last),
            // The source may have removed the segment that ended here, with its seal. That it did
            // end here is proved to the mirror by the header's hash.
            LogPlace::Open(at) => id.may_follow(at.segment),
        };
        if !in_order {
            return Err(
                Refuse::new(state::PROTOCOL_VIOLATION, "segments arrive out of order")
                    .detail(format!("segment {id} while {}", self.state.name())),
            );
        }
        if Some(header.environment) != self.identity.environment {
            return Err(
                Refuse::new(state::OTHER_ENVIRONMENT, "a segment of another environment").detail(
                    format!("segment {id} is of environment {}", header.environment),
                ),
            );
        }
        let offset = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.state = ReceiverState::Receiving(LogPlace::Open(Position {
            segment: id,
            offset,
        }));
        Ok(vec![ReceiverAction::Segment { id, header: bytes }])
    }

    fn blocks(
        &mut self,
        expected: Position,
        start: Position,
        bytes: Bytes,
    ) -> Result<Vec<ReceiverAction>, Refuse> {
        if start != expected {
            return Err(
                Refuse::new(state::PROTOCOL_VIOLATION, "blocks arrive out of order")
                    .detail(format!("expected {expected}, got {start}")),
            );
        }
        let end = u64::try_from(bytes.len())
            .ok()
            .and_then(|length| start.offset.checked_add(length));
        let Some(offset) = end.filter(|end| *end > start.offset) else {
            return Err(Refuse::new(
                state::PROTOCOL_VIOLATION,
                "blocks without bytes",
            ));
        };
        self.state = ReceiverState::Receiving(LogPlace::Open(Position { offset, ..start }));
        Ok(vec![ReceiverAction::Blocks { start, bytes }])
    }

    fn seal(&mut self, place: LogPlace, bytes: Bytes) -> Result<Vec<ReceiverAction>, Refuse> {
        match place {
            LogPlace::Open(position) => {
                self.state = ReceiverState::Receiving(LogPlace::AfterSeal(position.segment));
                Ok(vec![ReceiverAction::Seal { bytes }])
            }
            LogPlace::AtOwnSeal(segment) => {
                self.state = ReceiverState::Receiving(LogPlace::AfterSeal(segment));
                Ok(Vec::new())
            }
            LogPlace::Beginning | LogPlace::AfterSeal(_) => {
                Err(unexpected(&Message::Seal { bytes }, self.state))
            }
        }
    }
}

fn unexpected(message: &Message, state: ReceiverState) -> Refuse {
    Refuse::from(&ProtocolError::Unexpected {
        message: message.name(),
        state: state.name(),
    })
}
