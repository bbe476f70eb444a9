//! What an instance has promised of the one role that writes. It stands in the control file.
//!
//! ```text
//!   old root:  –  ── offer ──▶ Given ── it was taken ──▶ Handed
//!                                └───── withdrawn ─────▶ Taken
//!   new root:  –  ── take ───▶ Taking ─────────────────▶ Taken
//!              –  ── refuse ─▶ Refused
//!   a root that starts:  Taken ── its peers are asked ─▶ Paused ── none has more ──▶ Taken
//! ```
//! *Given*: it writes nothing behind the end of its log before it knows that the other has refused. *Taking* is the
//! moment from which on the other is the root, also when it crashes before its generation begins. So there are never
//! two that write; when nobody can tell what became of it, there is none until a person says. *Paused*: it is the root, and
//! writes nothing before it has heard whether it still is, and has back what another one has of its log.

use std::fmt;
use std::str::FromStr;

use fwlog::{ChainHash, CommitNumber, LogPoint, Position};

use crate::error::EngineError;

/// Which change of the root it is: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoverId(u128);

impl HandoverId {
    /// The id with these bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// That of a slave which becomes the root by itself, where its log ends.
    pub fn alone_at(end: &LogPoint) -> Self {
        let half = end.hash.to_bytes().into_iter().take(16);
        Self(half.fold(0, |bits, byte| bits << 8 | u128::from(byte)))
    }
}

impl fmt::Display for HandoverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for HandoverId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_hex);
        let bits = bits.ok_or_else(|| format!("'{text}' is no handover: 32 hex digits"))?;
        Ok(Self(bits))
    }
}

/// Where the old root's log ends, and the new one's generation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoverPoint {
    /// The sealed end of the log.
    pub point: LogPoint,
    /// The newest commit before it.
    pub commit: CommitNumber,
}

impl HandoverPoint {
    /// A slave that is `here` has not all of it, or something else; `why` follows the sentence.
    pub(crate) fn not_reached(&self, here: Option<Position>, why: &str) -> EngineError {
        let here = here.map_or_else(|| "nowhere".to_owned(), |here| here.to_string());
        let end = self.point.position;
        EngineError::state(
            format!("this slave is at {here}, and the log of the root ends at {end}{why}"),
            "Nothing has changed here. 'dbctl replication status' shows how it gets on.",
        )
    }
}

impl fmt::Display for HandoverPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogPoint { position, hash } = self.point;
        write!(f, "{position} {hash} {}", self.commit.get())
    }
}

impl FromStr for HandoverPoint {
    type Err = String;

    /// Position, chain hash and commit, with blanks between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(' ');
        let (Some(position), Some(hash), Some(commit), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!(
                "'{text}' is no end of a log: position, hash and commit"
            ));
        };
        let position: Position = position
            .parse()
            .map_err(|_| format!("{position} is no position (12-3:184320)"))?;
        let hash: ChainHash = hash
            .parse()
            .map_err(|_| format!("'{hash}' is no chain hash"))?;
        let commit = commit
            .parse()
            .map_err(|_| format!("'{commit}' is no commit"))?;
        Ok(Self {
            point: LogPoint::new(position, hash),
            commit: CommitNumber::new(commit),
        })
    }
}

/// The end of a root's log, which the root has lost and another instance has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetsBack {
    /// Where that one's log ends.
    pub end: HandoverPoint,
    /// Which it is.
    pub from: String,
}

/// The newest promise of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handover {
    /// This instance was the root up to here, and has offered that to another one.
    Given {
        /// Which.
        id: HandoverId,
        /// The instance that may have taken it.
        to: String,
        /// Where its own log ended.
        end: HandoverPoint,
    },
    /// This instance is the root; its generation has not begun yet.
    Taking {
        /// Which.
        id: HandoverId,
    },
    /// This instance has become the root.
    Taken {
        /// Which.
        id: HandoverId,
    },
    /// This instance is the root by this one, and does not write at present.
    Paused {
        /// Which.
        id: HandoverId,
        /// What its log has lost; `None`: nothing is known of that.
        back: Option<GetsBack>,
    },
    /// This instance was the root up to here, and another one has taken that.
    Handed {
        /// Which.
        id: HandoverId,
        /// The instance that has taken it.
        to: String,
        /// Where its own log ended.
        end: HandoverPoint,
    },
    /// This instance never becomes the root by this one, nor by one of before, whose request may still be on its way.
    Refused {
        /// Which.
        id: HandoverId,
        /// Where the old root's log ended: at each later offer it ends later.
        end: HandoverPoint,
    },
}

impl Handover {
    /// Which one.
    pub fn id(&self) -> HandoverId {
        match self {
            Self::Given { id, .. }
            | Self::Taking { id }
            | Self::Taken { id }
            | Self::Paused { id, .. }
            | Self::Handed { id, .. }
            | Self::Refused { id, .. } => *id,
        }
    }

    /// The same once what was given is taken.
    #[must_use]
    pub fn was_taken(self) -> Self {
        match self {
            Self::Given { id, to, end } => Self::Handed { id, to, end },
            other => other,
        }
    }

    /// Whether the instance is the root by this handover, whether it writes at present or not.
    pub fn is_root_by(&self, id: HandoverId) -> bool {
        let is_root = matches!(
            self,
            Self::Taking { .. } | Self::Taken { .. } | Self::Paused { .. }
        );
        is_root && self.id() == id
    }

    /// Which of them.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Given { .. } => "given",
            Self::Taking { .. } => "taking",
            Self::Taken { .. } => "taken",
            Self::Paused { .. } => "paused",
            Self::Handed { .. } => "handed",
            Self::Refused { .. } => "refused",
        }
    }
}

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word(), self.id())?;
        match self {
            Self::Given { to, end, .. } | Self::Handed { to, end, .. } => write!(f, " {end} {to}"),
            Self::Paused {
                back: Some(GetsBack { end, from }),
                ..
            } => write!(f, " {end} {from}"),
            Self::Refused { end, .. } => write!(f, " {end}"),
            Self::Taking { .. } | Self::Taken { .. } | Self::Paused { back: None, .. } => Ok(()),
        }
    }
}

impl FromStr for Handover {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' is no handover");
        let (word, rest) = text.split_once(' ').ok_or_else(odd)?;
        let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let id = id.parse()?;
        match (word, rest) {
            ("given", rest) => {
                let (end, to) = end_and_name(rest).ok_or_else(odd)?;
                Ok(Self::Given { id, to, end })
            }
            ("handed", rest) => {
                let (end, to) = end_and_name(rest).ok_or_else(odd)?;
                Ok(Self::Handed { id, to, end })
            }
            ("paused", "") => Ok(Self::Paused { id, back: None }),
            ("paused", rest) => {
                let (end, from) = end_and_name(rest).ok_or_else(odd)?;
                let back = Some(GetsBack { end, from });
                Ok(Self::Paused { id, back })
            }
            ("taking", "") => Ok(Self::Taking { id }),
            ("taken", "") => Ok(Self::Taken { id }),
            ("refused", end) => Ok(Self::Refused {
                id,
                end: end.parse()?,
            }),
            _ => Err(odd()),
        }
    }
}

/// Three words of the end of a log, and a name behind them.
fn end_and_name(text: &str) -> Option<(HandoverPoint, String)> {
    let (at, _) = text.match_indices(' ').nth(2)?;
    let (end, name) = text.split_at(at);
    Some((end.parse().ok()?, name.trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_taken() {
        let id = HandoverId::new(0xabcd);
        let end = HandoverPoint {
            point: LogPoint::new(
                "12-3:184320".parse().unwrap(),
                ChainHash::from_bytes([9; 32]),
            ),
            commit: CommitNumber::new(70412),
        };
        let all = [
            Handover::Given {
                id,
                to: "south.1".into(),
                end,
            },
            Handover::Taking { id },
            Handover::Taken { id },
            Handover::Refused { id, end },
            Handover::Paused { id, back: None },
            Handover::Paused {
                id,
                back: Some(GetsBack {
                    end,
                    from: "south of it".into(),
                }),
            },
            Handover::Handed {
                id,
                to: "south".into(),
                end,
            },
        ];
        for handover in all {
            let text = handover.to_string();
            assert_eq!(text.parse::<Handover>().unwrap(), handover, "{text}");
            assert_eq!(handover.id(), id);
            for wrong in [&text[..text.len() / 2], &format!("un{text}"), ""] {
                wrong.parse::<Handover>().unwrap_err();
            }
        }
        format!("taken {id} more").parse::<Handover>().unwrap_err();
        format!("given {id} {end}").parse::<Handover>().unwrap_err();
    }
}
