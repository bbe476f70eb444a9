//! How a server stands to the role that writes: what it answers to `handover status` and to each step of a handover.

use serde::{Deserialize, Serialize};

/// The answer, as JSON has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandoverStatus {
    /// The server's instance.
    pub instance: String,
    /// Its environment; none on an empty slave.
    pub environment: Option<String>,
    /// `Master`, `Slave` or `Standalone`.
    pub role: String,
    /// `given`, `handed`, `taking`, `taken`, `paused` or `refused`.
    pub handover: Option<String>,
    /// Which handover.
    pub id: Option<String>,
    /// To whom it was given.
    pub to: Option<String>,
    /// Where dbrepl has reached that.
    pub to_address: Option<String>,
    /// Where its log ended then.
    pub position: Option<String>,
    /// Chain hash there.
    pub hash: Option<String>,
    /// The newest commit there.
    pub commit: Option<u64>,
    /// Up to where its log is on its disk.
    pub durable: Option<String>,
    /// Why it can't be the root, as it does not have all databases.
    #[serde(default)]
    pub partial: Option<String>,
    /// Whether it may be the root, by its configuration.
    #[serde(default)]
    pub may_lead: Option<bool>,
    /// Whether it has users.
    #[serde(default)]
    pub has_users: Option<bool>,
    /// Version of the format of the log that it writes and reads.
    #[serde(default)]
    pub format: Option<u32>,
    /// Limit of its data files in bytes; 0 = none.
    #[serde(default)]
    pub volume_limit: Option<u64>,
    /// Why it does not apply its log.
    #[serde(default)]
    pub held: Option<String>,
    /// On a root: the instances whose dbrepl wait here to feed it once it is a slave.
    #[serde(default)]
    pub awaited_by: Option<Vec<String>>,
    /// The slaves that it feeds by itself as soon as it is the root.
    #[serde(default)]
    pub feeds_as_root: Option<Vec<String>>,
}

impl HandoverStatus {
    /// Whether its newest promise is this one.
    pub fn is(&self, word: &str) -> bool {
        self.handover.as_deref() == Some(word)
    }

    /// Whether it is the root by this handover.
    pub fn has_taken(&self, id: &str) -> bool {
        (self.is("taken") || self.is("taking") || self.is("paused"))
            && self.id.as_deref() == Some(id)
    }
}
