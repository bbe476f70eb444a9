//! A root that was left behind: another instance has become the root at an earlier point of the log. It stands in the
//! control file, and no server with it writes.
//!
//! ```text
//!   root ── meets a log that has left it ──▶ Unknown ── nothing is lost ──▶ Cutting ──▶ Nothing ── follows ──▶ –
//!                                               └────── something is ─────▶ Transactions ── rewound ──▶ Nothing
//!                                                                             └── GivenUp ── a copy ──▶ –
//! ```
//! *Unknown*: what the log has behind that point was not looked at yet. *Cutting*: it is nothing that anybody would miss,
//! and is set aside; a start goes on with that before it does anything else. *Given up*: an operator has said that a copy of the
//! new root is to take the place of it.

use std::fmt;
use std::str::FromStr;

use fwlog::{Generation, GenerationId, Position};

use crate::databases::handover::HandoverPoint;

/// What the log of a root that was left behind has behind the point where it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nobody has looked.
    Unknown,
    /// What the new root does not have.
    Transactions {
        /// How many.
        count: u64,
        /// Where the block of the first one begins.
        first: Position,
    },
    /// The same, and the next one that feeds this server is to bring a copy.
    GivenUp {
        /// How many.
        count: u64,
        /// Where the block of the first one begins.
        first: Position,
    },
    /// No transaction: it goes to this directory below `lost`.
    Cutting(String),
    /// Nothing: it was cut.
    Nothing,
}

/// By whom an instance was left behind, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The generation with which the other one became the root.
    pub generation: Generation,
    /// What that is known by; `None`: it was noted by an older version.
    pub generation_id: Option<GenerationId>,
    /// The newest point that both have.
    pub at: HandoverPoint,
    /// What the own log has behind it.
    pub tail: Tail,
    /// The instance that is the root.
    pub by: String,
}

impl Tail {
    /// Whether the new root lacks something of it.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Transactions { .. } | Self::GivenUp { .. })
    }
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Transactions { count, first } => write!(f, "transactions:{count}:{first}"),
            Self::GivenUp { count, first } => write!(f, "given-up:{count}:{first}"),
            Self::Cutting(name) => write!(f, "cutting:{name}"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' is no tail of a log");
        match text.split_once(':') {
            None if text == "unknown" => Ok(Self::Unknown),
            None if text == "nothing" => Ok(Self::Nothing),
            Some(("cutting", name)) if !name.is_empty() => Ok(Self::Cutting(name.to_owned())),
            Some((word @ ("transactions" | "given-up"), rest)) => {
                let (count, first) = rest.split_once(':').ok_or_else(odd)?;
                let count = count.parse().map_err(|_| odd())?;
                let first = first.parse().map_err(|_| odd())?;
                Ok(if word == "given-up" {
                    Self::GivenUp { count, first }
                } else {
                    Self::Transactions { count, first }
                })
            }
            _ => Err(odd()),
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (generation, at, tail, by) = (self.generation, self.at, &self.tail, &self.by);
        match self.generation_id {
            Some(id) => write!(f, "{generation}={id} {at} {tail} {by}"),
            None => write!(f, "{generation} {at} {tail} {by}"),
        }
    }
}

impl FromStr for Fence {
    type Err = String;

    /// Generation, behind it `=` and its id where that is known, position, chain hash, commit, tail and name, with blanks
    /// between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' is no fence");
        let mut words = text.splitn(6, ' ');
        let mut next = || words.next().ok_or_else(odd);
        let generation = next()?;
        let (generation, id) = match generation.split_once('=') {
            Some((number, id)) => (number, Some(id.parse().map_err(|_| odd())?)),
            None => (generation, None),
        };
        let (position, hash, commit) = (next()?, next()?, next()?);
        Ok(Self {
            generation: generation.parse().map_err(|_| odd())?,
            generation_id: id,
            at: format!("{position} {hash} {commit}").parse()?,
            tail: next()?.parse()?,
            by: next()?.to_owned(),
        })
    }
}

impl Fence {
    /// Whether the data files of the instance stay as they are: what they do not have is taken back without a copy.
    pub(crate) fn keeps_data_files(&self) -> bool {
        match self.tail {
            Tail::Unknown | Tail::Transactions { .. } | Tail::GivenUp { .. } => true,
            Tail::Cutting(_) | Tail::Nothing => false,
        }
    }

    /// How the instance called `own` came to it, in one clause.
    pub fn in_words(&self, own: &str) -> String {
        let (by, generation, at) = (&self.by, self.generation, self.at.point.position);
        let left = format!(
            "{own} was the root until {at}, where {by} has become it with generation {generation} of the log"
        );
        match &self.tail {
            Tail::Unknown => {
                format!("{left}; what {own} has written behind that was not looked at yet")
            }
            Tail::Transactions { count, first } | Tail::GivenUp { count, first } => {
                let (transactions, are) = if *count == 1 {
                    ("transaction", "is")
                } else {
                    ("transactions", "are")
                };
                let given_up = if matches!(self.tail, Tail::GivenUp { .. }) {
                    "; they are given up"
                } else {
                    ""
                };
                format!(
                    "{left}; {count} {transactions} of {own} {are} not there, the first at {first}{given_up}"
                )
            }
            Tail::Cutting(_) | Tail::Nothing => {
                format!("{left}; nothing of {own} is lost, and it follows")
            }
        }
    }

    /// What to do about it; `None`: it comes right by itself.
    pub fn hint(&self) -> Option<String> {
        let by = &self.by;
        match &self.tail {
            Tail::Unknown => Some(format!(
                "start a dbrepl of {by} to this server, if none runs: then it is looked at; where that fails, the log of this server says why"
            )),
            Tail::Transactions { .. } => Some(format!(
                "'dbctl rejoin' takes it back to that point and keeps those transactions as files ('dbctl rejoin --dry-run' says how, and what would be lost); then it follows {by}, as soon as a dbrepl of {by} runs ('dbctl source start' with this server's name on {by} where Sources feed it). To give up what {by} has instead: 'dbctl replication promote --force' here"
            )),
            Tail::GivenUp { .. } => Some(format!(
                "start a dbrepl of {by} to this server, if none runs ('dbctl source start' with this server's name on {by} where Sources feed it): it brings a copy. 'dbctl rejoin --give-up' takes that back"
            )),
            Tail::Cutting(_) | Tail::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(tail: Tail) -> Fence {
        let hash = "ab".repeat(32);
        Fence {
            generation: Generation::new(13),
            generation_id: None,
            at: format!("12-3:184320 {hash} 70412").parse().unwrap(),
            tail,
            by: "south of the river".into(),
        }
    }

    #[test]
    fn fences_read_back_and_nothing_else_does() {
        let tails = [
            Tail::Unknown,
            Tail::Transactions {
                count: 37,
                first: "12-3:184320".parse().unwrap(),
            },
            Tail::GivenUp {
                count: 1,
                first: "12-3:184320".parse().unwrap(),
            },
            Tail::Cutting("20260131T120000Z".into()),
            Tail::Nothing,
        ];
        let id = GenerationId::new(fwlog::ChainHash::from_bytes([13; 32]));
        let fences = tails.into_iter().flat_map(|tail| {
            let known = Fence {
                generation_id: Some(id),
                ..fence(tail.clone())
            };
            [fence(tail), known]
        });
        for fence in fences {
            let text = fence.to_string();
            assert_eq!(text.parse::<Fence>().unwrap(), fence, "{text}");
            let half = &text[..text.len() / 2];
            for wrong in [
                half,
                &text.replace(fence.tail.to_string().as_str(), "no"),
                "",
            ] {
                wrong.parse::<Fence>().unwrap_err();
            }
        }
    }

    #[test]
    fn it_says_who_where_and_what_is_lost() {
        let first = "12-3:184320".parse().unwrap();
        let lost = fence(Tail::Transactions { count: 37, first });
        assert_eq!(
            lost.in_words("north"),
            "north was the root until 12-3:184320, where south of the river has become it with generation 13 of the log; 37 transactions of north are not there, the first at 12-3:184320"
        );
        assert!(lost.hint().unwrap().contains("dbctl rejoin"));
        assert_eq!(fence(Tail::Nothing).hint(), None);
    }
}
