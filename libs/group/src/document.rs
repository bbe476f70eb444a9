//! What the sites agree about: one small document, rarely written.

use std::collections::BTreeMap;
use std::fmt;

use fwlog::{ChainHash, CommitNumber, Generation, Position};
use serde::{Deserialize, Serialize};

use crate::rule::Rule;
use crate::text;

/// The format of the document; a site that reads a later one says so and does nothing.
const FORMAT: u32 = 1;
/// Tenures that are remembered.
const MAX_HISTORY: usize = 64;

/// The name of a site: that of its instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteName(String);

impl SiteName {
    /// The site of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its name.
    pub name: SiteName,
    /// Which of several with as much log becomes master; 0: never.
    pub priority: u32,
    /// Without, it is a witness: it helps to decide, and has nothing to promise.
    pub has_data: bool,
}

/// The end of a site's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Of its newest segment.
    #[serde(with = "text")]
    pub generation: Generation,
    /// Bytes of log from the beginning of the history on.
    pub bytes: u64,
    /// Where it ends.
    #[serde(with = "text")]
    pub position: Position,
    /// Chain hash of everything before.
    #[serde(with = "text")]
    pub hash: ChainHash,
    /// The newest commit in it.
    #[serde(with = "text")]
    pub commit: CommitNumber,
}

impl End {
    /// What decides between two logs: who wrote last, then how much. One generation has one writer, so that of two logs of one
    /// generation the shorter is the beginning of the longer.
    pub fn rank(&self) -> (Generation, u64) {
        (self.generation, self.bytes)
    }
}

/// A site takes nothing from an older generation any more, and ends here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Its log as it stands still.
    pub end: End,
    /// So many bytes more than this it knows its master to have had.
    #[serde(default)]
    pub behind: u64,
    /// It can't lead now: a reader holds it, its disk is full.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
}

/// Where the group is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// The generation has a master.
    Steady {
        /// Who.
        master: SiteName,
        /// What its generation goes on from.
        since: End,
    },
    /// The generation has nobody yet: sites promise.
    Opening,
    /// It has been decided who leads.
    Elected {
        /// Who.
        winner: SiteName,
        /// Who has the log that it needs first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fetch_from: Option<SiteName>,
        /// What it begins from.
        end: End,
    },
}

/// A master answers alone: what it has committed meanwhile, others may not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Who; while it stands nobody else becomes master by itself.
    pub site: SiteName,
    /// Since which of its tenures.
    #[serde(with = "text")]
    pub generation: Generation,
}

/// One master's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// Its generation.
    #[serde(with = "text")]
    pub generation: Generation,
    /// Who.
    pub master: SiteName,
    /// What it went on from.
    pub since: End,
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    format: u32,
    /// All sites.
    pub sites: Vec<Site>,
    /// The newest generation that was handed out.
    #[serde(with = "text")]
    pub generation: Generation,
    /// Where that one is.
    pub state: State,
    /// Promises for that one.
    #[serde(default)]
    pub promises: BTreeMap<SiteName, Promise>,
    /// For whom commits wait; all of them are obeyed. Two while one takes the other's place.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The master does not wait, as was noted before the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Degraded>,
    /// Nobody is elected: a person works on the group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The tenures, oldest first.
    pub history: Vec<Tenure>,
}

impl Group {
    /// A group with its first master, whose log is there already.
    pub fn new(sites: Vec<Site>, rule: Option<Rule>, master: &SiteName, log: End) -> Self {
        let generation = log.generation;
        Self {
            format: FORMAT,
            sites,
            generation,
            state: State::Steady {
                master: master.clone(),
                since: log,
            },
            promises: BTreeMap::new(),
            rules: rule.into_iter().collect(),
            degraded: None,
            paused: false,
            history: vec![Tenure {
                generation,
                master: master.clone(),
                since: log,
            }],
        }
    }

    /// The site of that name.
    pub fn site(&self, name: &SiteName) -> Option<&Site> {
        self.sites.iter().find(|site| site.name == *name)
    }

    /// The last one that was master.
    pub fn last_master(&self) -> Option<&SiteName> {
        self.history.last().map(|tenure| &tenure.master)
    }

    /// Whether this site is the master of the present generation.
    pub fn is_led_by(&self, name: &SiteName) -> bool {
        matches!(&self.state, State::Steady { master, .. } if master == name)
    }

    /// Adds a tenure, and forgets the oldest.
    pub(crate) fn remember(&mut self, tenure: Tenure) {
        self.history.push(tenure);
        let over = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..over);
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads JSON.
    ///
    /// Errors: what is none, and what a later version wrote.
    pub fn from_json(json: &str) -> Result<Self, Unreadable> {
        let group: Self = serde_json::from_str(json).map_err(|why| Unreadable(why.to_string()))?;
        if group.format != FORMAT {
            let why = format!(
                "its format is {}, this program knows {FORMAT}",
                group.format
            );
            return Err(Unreadable(why));
        }
        Ok(group)
    }
}

/// Why a document can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the document of the group can't be read: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}
