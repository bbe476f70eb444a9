//! What an instance tells of itself and its log to one that asks whether it is still the root.

use serde::{Deserialize, Serialize};

/// The answer to `peer introduce`, as JSON has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Introduction {
    /// The server's instance.
    pub instance: String,
    /// Its id.
    pub id: String,
    /// Its environment; none on an empty slave.
    pub environment: Option<String>,
    /// Whether it takes writes.
    pub writes: bool,
    /// Version of the format of its log.
    pub format: u32,
    /// Limit of its data files in bytes; 0 = none.
    pub volume_limit: u64,
    /// Where its log is durable; none where it has no log.
    pub end: Option<LogEnd>,
    /// The generations of its log, the oldest first, as in the history file.
    pub history: Vec<String>,
    /// The chain hash of its log where it was asked for; none: no block ends there.
    pub hash_there: Option<String>,
}

/// A border of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogEnd {
    /// Where.
    pub position: String,
    /// The chain hash of all before it.
    pub hash: String,
    /// The newest commit before it.
    pub commit: u64,
    /// When that was made, in microseconds.
    pub time: u64,
}
