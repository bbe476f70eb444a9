//! A copy over the base conversation: a giver, a taker, and messages on their way, which dbrepl carries over unread.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use dbproto::Refuse;
use dbproto::base::{Asked, Given, Offer};
use dbserver::base::{Giving, Heard, Next, Taking};
use dbserver::environment::Environment;
use dbserver::environment::cut::Cut;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// Something, or nothing for want of a message.
    On,
    /// The taker has proved all: its next start makes it the state.
    Complete,
}

/// Why it is over.
#[derive(Debug)]
pub(crate) enum Over {
    /// The giver refuses.
    Giver(Refuse),
    /// The taker refuses.
    Taker(Refuse),
}

/// One conversation.
pub(crate) struct Conversation {
    giving: Giving,
    taker: Arc<Environment>,
    taking: Option<Taking>,
    to_giver: VecDeque<Bytes>,
    to_taker: VecDeque<Bytes>,
    /// A start of the taker may find the copy complete.
    proving: bool,
}

impl Conversation {
    /// dbrepl asks the giver for a cut.
    pub(crate) fn open(
        giver: &Arc<Environment>,
        taker: &Arc<Environment>,
        pack: bool,
    ) -> Result<Self, Refuse> {
        let first = Asked::OpenCut {
            version: Offer::base().version(),
            taker: "simulation".to_owned(),
            pack,
        };
        Ok(Self {
            giving: Giving::open(giver, first)?,
            taker: Arc::clone(taker),
            taking: None,
            to_giver: VecDeque::new(),
            to_taker: VecDeque::new(),
            proving: false,
        })
    }

    /// What is copied.
    pub(crate) fn cut(&self) -> &Cut {
        self.giving.cut()
    }

    /// Whether a start of the taker may find the copy complete.
    pub(crate) fn is_proving(&self) -> bool {
        self.proving
    }

    /// The giver says what it has to say, or hears what has arrived.
    pub(crate) fn move_giver(&mut self) -> Result<Moved, Over> {
        if let Some(message) = self.giving.say().map_err(Over::Giver)? {
            let mut bytes = BytesMut::new();
            let tail = message.encode_parts(&mut bytes);
            bytes.extend_from_slice(&tail);
            self.to_taker.push_back(bytes.freeze());
            return Ok(Moved::On);
        }
        if let Some(bytes) = self.to_giver.pop_front() {
            let asked = Asked::decode(bytes).map_err(|error| Over::Giver(Refuse::from(&error)))?;
            match self.giving.handle(asked).map_err(Over::Giver)? {
                Heard::Answer | Heard::Complete => {}
                Heard::Refused(refuse) => return Err(Over::Taker(refuse)),
            }
        }
        Ok(Moved::On)
    }

    /// The taker hears what has arrived.
    pub(crate) fn move_taker(&mut self) -> Result<Moved, Over> {
        let Some(bytes) = self.to_taker.pop_front() else {
            return Ok(Moved::On);
        };
        let given = Given::decode(bytes).map_err(|error| Over::Taker(Refuse::from(&error)))?;
        self.hear(given).map_err(Over::Taker)
    }

    fn hear(&mut self, given: Given) -> Result<Moved, Refuse> {
        let taking = match &mut self.taking {
            Some(taking) => taking,
            none => none.insert(Taking::begin(&self.taker)?),
        };
        taking.handle(given)?;
        loop {
            match taking.go_on()? {
                Next::Listen => return Ok(Moved::On),
                Next::Meet(cut) => taking.meet(&cut)?,
                Next::Say(asked) => self.to_giver.push_back(encode(&asked)),
                Next::Prove(roots) => {
                    self.proving = true;
                    let last = taking.prove(&roots)?;
                    self.to_giver.extend(last.iter().map(encode));
                    return Ok(Moved::Complete);
                }
                Next::Over(refuse) => return Err(refuse),
            }
        }
    }
}

fn encode(asked: &Asked) -> Bytes {
    let mut bytes = BytesMut::new();
    let tail = asked.encode_parts(&mut bytes);
    bytes.extend_from_slice(&tail);
    bytes.freeze()
}
