//! What a taker's driver is to do, and what it says of it.

use bytes::Bytes;
use fwlog::Position;
use pagehash::{GroupNumber, Root};

use super::{Asked, CutOffer, PageSum, Pages};
use crate::Refuse;

/// What the driver does for the [`Taker`](super::Taker), in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakerAction {
    /// Send the message.
    Send(Asked),
    /// The cut: make room for it, or refuse it; then call [`Taker::begin`](super::Taker::begin) with what is here.
    Meet(CutOffer),
    /// Make the values of these groups, of what is here; then call [`Taker::valued`](super::Taker::valued).
    Value {
        /// The database.
        database: u32,
        /// The first of the groups.
        first: GroupNumber,
        /// How many.
        count: u32,
    },
    /// Compare with what is here; then call [`Taker::differ`](super::Taker::differ).
    Compare {
        /// The database.
        database: u32,
        /// The group.
        group: GroupNumber,
        /// Of each of its pages in the cut.
        sums: Vec<PageSum>,
    },
    /// See whether the group has its value with these pages, and keep them if so; then call [`Taker::kept`](super::Taker::kept).
    Keep(Pages),
    /// Keep a piece of the log.
    KeepLog {
        /// Of the first byte.
        start: Position,
        /// As it is in its file.
        bytes: Bytes,
    },
    /// Read all back and compare with these; then call [`Taker::proved`](super::Taker::proved).
    Prove(Vec<(u32, Root)>),
    /// All is here. The conversation is over.
    Complete,
    /// The giver won't go on. The conversation is over.
    Refused(Refuse),
}

/// What has become of pages that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The group has its value with them, and they are kept.
    Proved,
    /// The group has another value with them: they are not kept.
    Differs,
}
