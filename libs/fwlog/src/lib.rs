//! The forward log: the only journal of an environment, and what its slaves are made from.
//!
//! ```text
//!  RecordBuffer ─► Writer ─► segments fw-<generation>-<sequence> ─► SegmentReader ─► Block ─► Record
//!                    │                                               │
//!                    └─► fw.position (the durable end) ─► Follow ────┘ ─► Mirror (a slave's copy)
//! ```
//!
//! `docs/forward-log.md` is the normative description of the files.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod block;
mod chain;
mod clock;
mod commit_time;
mod contents;
mod cut_tail;
mod damage;
mod directory;
mod durable_end;
mod fields;
mod fixed_fields;
mod follow;
mod follow_error;
mod header;
mod history;
mod identity;
mod instances;
pub mod layout;
mod location;
mod log_kind;
mod lost_forks;
mod mirror;
mod numbers;
mod older;
mod position;
mod reader;
mod record;
mod recover;
pub mod retention;
mod seal;
pub mod sealed_text;
mod segment_end;
mod store;
mod tail;
mod timestamp;
mod tree;
mod verify;
pub mod when;
mod writer;

pub use block::{
    BLOCK_HEAD_SIZE, Block, BlockDecoder, BlockHead, Compression, MAX_BLOCK_RAW, MAX_BLOCK_SIZE,
};
pub use chain::{CHAIN_HASH_SIZE, ChainHash};
pub use clock::{Clock, SimulatedTime};
pub use cut_tail::Torn;
pub use damage::{Damage, DecodeError, IoFailure, ReadError};
pub use directory::{DamagedSegment, Gap, LogDirectory, SegmentInfo, hash_at};
pub use durable_end::{Durable, DurableEnd, POSITION_FILE, POSITION_SIZE};
pub use follow::{Follow, FollowItem};
pub use follow_error::{FollowError, NoSyncPoint};
pub use header::{HEADER_SIZE, SegmentHeader};
pub use history::{
    Abandoned, BranchEnd, Candidate, Contradiction, GenerationCommit, GenerationId, HISTORY_FILE,
    History, HistoryLine, RootClaim, SERVED_HISTORY_FILE, ServedHistory, generation_of,
    generations_in, judge_roots, left_at, newest_common,
};
pub use identity::{
    BootNonce, EnvironmentId, InstanceId, LogIdentity, MAX_INSTANCE, ParseHexError,
};
pub use instances::{Formerly, INSTANCES_FILE, Instances, Peer, PeerRelation, Rival, Speaker};
pub use location::{LocationError, LogLocation, SegmentNaming};
pub use log_kind::LogKind;
pub use lost_forks::{
    LostFork, LostForkId, LostForks, MAX_LOST_FORKS, MAX_LOST_GENERATIONS, SERVED_SETTLED_FILE,
    SettledForks,
};
pub use mirror::{Mirror, MirrorCopy, MirrorError, Taken};
pub use numbers::{CommitNumber, DatabaseId, Generation, PageNumber, Sequence, TransactionId};
pub use position::{LogPoint, ParsePositionError, Position, SegmentId};
pub use reader::{EndKind, ReadItem, SegmentReader};
pub use record::{
    Audit, Commit, CommitEncoder, CommitHead, DatabaseAccess, Delta, GenerationReason,
    GenerationStart, MAX_NAME, MAX_STATEMENT, PAGE_SIZE, PageBody, PageChange, Pages, PagesIter,
    Part, Record, RecordBuffer, Records, UnknownReason, kind, page_crc,
};
pub use recover::{ApplyError, RecoverError, RecoverOptions, Recovered, SealNewest, recover};
pub use seal::{SEAL_SIZE, Seal};
pub use store::SegmentStore;
pub use tail::PendingSync;
pub use timestamp::Timestamp;
pub use tree::{Above, MAX_LEVELS, MAX_TWINS, SERVED_PATH_FILE, TreePath, Twin};
pub use verify::{Finding, VerifyReport, verify};
pub use writer::{Begin, Linger, Mark, Observer, SyncPolicy, Writer, WriterError, WriterOptions};
