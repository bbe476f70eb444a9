//! `lost.json`: what a directory is about, and the proof of all its other files.

use std::collections::BTreeMap;

use fwlog::{LogPoint, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, MadeBy, Standing};

/// The first member of each `lost.json`.
pub(crate) const FORMAT: &str = "eloqdb-lost-1";

/// What begins the last member, the hash of all bytes before it.
const SEAL: &str = "  \"seal\": \"";

/// The content of `lost.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of all files of the directory.
    pub format: String,
    /// What the log was taken back by.
    pub made_by: MadeBy,
    /// Whether the instance was the root.
    pub role: Standing,
    /// The environment, in hex.
    pub environment: String,
    /// The instance whose log it is.
    pub instance: String,
    /// Its id, in hex.
    pub instance_id: String,
    /// When the log was taken back.
    pub time: String,
    /// The last point in common with the root's log.
    pub fork: ForkDescription,
    /// Where the log ended.
    pub end: PointDescription,
    /// The root.
    pub root: Option<RootDescription>,
    /// How the log was taken back.
    pub plan: String,
    /// So many transactions were committed behind the fork.
    pub transactions: u64,
    /// So many rows and objects of a schema they have changed, as far as that can be told.
    pub changes: u64,
    /// The ids of the generations that they were committed in, in hex: each id of a transaction begins with one.
    pub generations: Vec<String>,
    /// The databases that they were in, by name.
    pub databases: Vec<String>,
    /// Whether `lost.jsonl` tells all of it.
    pub exact: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Transactions that were never committed; they are in `broken/`.
    pub broken: u64,
    /// All other files, by their names in the directory.
    pub files: BTreeMap<String, FileProof>,
}

/// A point of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointDescription {
    /// As `12-3:184320`.
    pub position: String,
    /// The chain hash there, in hex.
    pub hash: String,
    /// The newest commit up to there.
    pub commit: u64,
    /// When that was; left out where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// The fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkDescription {
    /// As `12-3:184320`.
    pub position: String,
    /// The chain hash there, in hex.
    pub hash: String,
    /// The newest commit up to there.
    pub commit: u64,
    /// When that was; left out where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The id of the generation that it is in, in hex.
    pub generation: String,
}

/// The root at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootDescription {
    /// Its name.
    pub instance: String,
    /// The number of its generation.
    pub generation: u32,
    /// The id of that generation, in hex.
    pub id: String,
}

/// What a file is proved by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileProof {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content, in hex.
    pub blake3: String,
}

impl PointDescription {
    pub(crate) fn of(point: LogPoint, commit: u64, time: Option<Timestamp>) -> Self {
        Self {
            position: point.position.to_string(),
            hash: point.hash.to_string(),
            commit,
            time: time.map(|time| time.to_string()),
        }
    }
}

impl Description {
    /// Of a directory of which nothing is known yet but what its maker says.
    pub(crate) fn begin(facts: &Facts) -> Self {
        let fork = &facts.fork;
        let point = PointDescription::of(fork.point, fork.commit.get(), fork.time);
        Self {
            format: FORMAT.to_owned(),
            made_by: facts.made_by,
            role: facts.standing,
            environment: facts.environment.to_string(),
            instance: facts.instance.clone(),
            instance_id: facts.instance_id.to_string(),
            time: facts.time.to_string(),
            end: point.clone(),
            fork: ForkDescription {
                position: point.position,
                hash: point.hash,
                commit: point.commit,
                time: point.time,
                generation: fork.generation.to_string(),
            },
            root: facts.root.as_ref().map(|root| RootDescription {
                instance: root.instance.clone(),
                generation: root.generation.get(),
                id: root.id.to_string(),
            }),
            plan: facts.plan.clone(),
            transactions: 0,
            changes: 0,
            generations: Vec::new(),
            databases: Vec::new(),
            exact: true,
            why: None,
            broken: 0,
            files: BTreeMap::new(),
        }
    }

    /// It does not tell all, for this reason; the first one stays.
    pub(crate) fn doubt(&mut self, why: &str) {
        self.exact = false;
        self.why.get_or_insert_with(|| why.to_owned());
    }

    /// The text of the file, which ends with the hash of all before it.
    pub(crate) fn sealed(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.truncate(text.trim_end().trim_end_matches('}').trim_end().len());
        text.push_str(",\n");
        let hash = blake3::hash(text.as_bytes()).to_hex();
        text.push_str(SEAL);
        text.push_str(&hash);
        text.push_str("\"\n}\n");
        Ok(text)
    }

    /// Reads it.
    pub(crate) fn open(text: &str) -> Result<Self, String> {
        let at = text
            .rfind(SEAL)
            .ok_or("its seal is missing: it is cut off")?;
        let (body, seal) = text.split_at(at);
        let hash = seal.strip_prefix(SEAL);
        let hash = hash.and_then(|rest| rest.strip_suffix("\"\n}\n"));
        if hash != Some(blake3::hash(body.as_bytes()).to_hex().as_str()) {
            return Err("its seal does not fit its content".to_owned());
        }
        let whole = format!("{}}}", body.trim_end().trim_end_matches(','));
        let format = serde_json::from_str::<Format>(&whole).map_err(|error| error.to_string())?;
        if format.format != FORMAT {
            return Err(format!(
                "it has format {}; this program reads {FORMAT}",
                format.format
            ));
        }
        serde_json::from_str(&whole).map_err(|error| error.to_string())
    }
}

#[derive(Deserialize)]
struct Format {
    format: String,
}
