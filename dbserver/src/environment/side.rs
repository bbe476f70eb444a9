//! Which side of the log an environment is on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use fwlog::Position;

use crate::environment::master::Master;
use crate::environment::slave::Slave;
use crate::error::EngineError;

/// The side at one time. It is swapped as a whole, under sessions that go on; whoever needs it asks
/// for it when he needs it, and never keeps it for longer than a statement.
#[derive(Clone)]
pub enum Side {
    /// Master or standalone: it writes the log.
    Master(Arc<Master>),
    /// It mirrors a master's log and applies it.
    Slave(Arc<Slave>),
    /// Between two roles, or after a change of role that could neither be ended nor undone: what reads
    /// is served, all else is refused (57P03).
    None,
}

impl Side {
    /// Whether it writes.
    fn is_master(&self) -> bool {
        matches!(self, Self::Master(_))
    }

    /// The side that writes, or the refusal of `what`.
    pub fn master(self, what: &str) -> Result<Arc<Master>, EngineError> {
        match self {
            Self::Master(master) => Ok(master),
            Self::Slave(_) => Err(EngineError::ReadOnly {
                what: what.to_owned(),
                hint: "This server is a slave: write on its master.".to_owned(),
            }),
            Self::None => Err(EngineError::ChangingRole),
        }
    }

    /// The side that writes, if it is that.
    pub fn leading(self) -> Option<Arc<Master>> {
        match self {
            Self::Master(master) => Some(master),
            Self::Slave(_) | Self::None => None,
        }
    }

    /// Up to there the log is on the disk, whether it is written here or mirrored.
    pub fn durable_position(&self) -> Option<Position> {
        match self {
            Self::Master(master) => Some(master.durable().point.position),
            Self::Slave(slave) => slave.progress().durable.map(|it| it.point.position),
            Self::None => None,
        }
    }

    /// The side that follows, if it is that.
    pub fn slave(self) -> Option<Arc<Slave>> {
        match self {
            Self::Slave(slave) => Some(slave),
            Self::Master(_) | Self::None => None,
        }
    }
}

/// The side at present.
pub(super) struct CurrentSide {
    side: RwLock<Side>,
    /// Whether it is another than a master: asked at every statement.
    read_only: AtomicBool,
    /// It was a root and was left behind: it is read-only whatever the side is.
    fenced: AtomicBool,
}

impl CurrentSide {
    /// The first one.
    pub(super) fn new(side: Side) -> Self {
        Self {
            read_only: AtomicBool::new(!side.is_master()),
            side: RwLock::new(side),
            fenced: AtomicBool::new(false),
        }
    }

    pub(super) fn get(&self) -> Side {
        self.side
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Acquire) || self.fenced.load(Ordering::Acquire)
    }

    /// Whether clients may not write, whatever the side is.
    pub(super) fn fence(&self, fenced: bool) {
        self.fenced.store(fenced, Ordering::Release);
    }

    pub(super) fn swap(&self, side: Side) {
        let mut current = self.side.write().unwrap_or_else(PoisonError::into_inner);
        self.read_only.store(!side.is_master(), Ordering::Release);
        *current = side;
    }
}
