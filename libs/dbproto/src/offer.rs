//! What a side can speak, told before the first message.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::{PROTOCOL_VERSION, Refuse, state};

/// The status parameter in which a server tells its [`Offer`] for the base conversation at the end of a start-up.
pub const BASE_OFFER: &str = "eloqdb.base";

/// The same for the conversation about the log.
pub const REPLICATION_OFFER: &str = "eloqdb.replication";

/// A sign of life of the source says what it holds back on purpose.
pub const BRAKE: &str = "brake";

/// A sign of life of the source says whether somebody waits for the slave's disk: it is to write and to answer at once.
pub const PROMPT: &str = "prompt";

/// The greeting of both sides goes on with who they are and with the history of their logs.
pub const HISTORY: &str = "history";

/// Both sides take part in the tree of instances: the path goes down it, and how those below stand comes up.
pub const TREE: &str = "tree";

/// The slave tells what it and those below it have lost behind a fork, and the source which of that is settled.
pub const LOST: &str = "lost";

/// The slave leaves databases out: its log has all of them, and it can't be the root.
pub const PARTIAL: &str = "partial";

/// Versions of a conversation, and names of what can be done beyond them. Whoever adds something gives it a name, and
/// uses it where both sides have said that name; unknown names are of no account.
///
/// Its text: `1-2 changed-pages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    from: u16,
    to: u16,
    capabilities: BTreeSet<String>,
}

impl Offer {
    /// What this release has for the base conversation. Version 1 had a hash of 16 bytes for each page and no way back from
    /// two that are equal by chance; nobody speaks it any more.
    pub fn base() -> Self {
        Self::new(2, 2, &[])
    }

    /// What dbrepl of this release has for the conversation about the log.
    pub fn replication() -> Self {
        let all = [HISTORY, BRAKE, PROMPT, TREE, LOST, PARTIAL];
        Self::new(PROTOCOL_VERSION, PROTOCOL_VERSION, &all)
    }

    /// The same of a slave, which may leave databases out.
    pub fn of_slave(is_partial: bool) -> Self {
        let mut offer = Self::replication();
        if !is_partial {
            offer.capabilities.remove(PARTIAL);
        }
        offer
    }

    /// Versions `from` to `to`, and names without blanks.
    ///
    /// # Panics
    /// Where there is no version.
    pub fn new(from: u16, to: u16, capabilities: &[&str]) -> Self {
        assert!(from <= to, "an offer has a version");
        let capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
        Self {
            from,
            to,
            capabilities,
        }
    }

    /// What both have.
    ///
    /// Errors: 0A000 where no version is of both; `other` names the other side.
    pub fn common(&self, with: &Self, other: &str) -> Result<Self, Refuse> {
        let (from, to) = (self.from.max(with.from), self.to.min(with.to));
        if from > to {
            let later = if with.from > self.to { "here" } else { "there" };
            return Err(Refuse::new(
                state::NOT_SUPPORTED,
                format!("no common version with {other}"),
            )
            .detail(format!("it offers {with}, this side {self}"))
            .hint(format!("update the programs {later}")));
        }
        let capabilities = self.capabilities.intersection(&with.capabilities);
        Ok(Self {
            from,
            to,
            capabilities: capabilities.cloned().collect(),
        })
    }

    /// The version to be spoken: the newest.
    pub fn version(&self) -> u16 {
        self.to
    }

    /// Whether this can be done.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)?;
        let mut names = self.capabilities.iter();
        names.try_for_each(|name| write!(f, " {name}"))
    }
}

/// An offer that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no range of versions")]
pub struct BadOffer(String);

impl FromStr for Offer {
    type Err = BadOffer;

    fn from_str(text: &str) -> Result<Self, BadOffer> {
        let mut words = text.split_ascii_whitespace();
        let range = words.next().and_then(|range| range.split_once('-'));
        let range = range.and_then(|(from, to)| {
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (from <= to).then_some((from, to))
        });
        let (from, to) = range.ok_or_else(|| BadOffer(text.chars().take(40).collect()))?;
        Ok(Self {
            from,
            to,
            capabilities: words.map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sides_speak_the_newest_version_and_use_what_both_can() {
        let new: Offer = "1-3 changed-pages more".parse().unwrap();
        let old: Offer = "1-2 more other".parse().unwrap();
        let common = new.common(&old, "the slave").unwrap();
        assert_eq!(common.version(), 2);
        assert!(common.can("more") && !common.can("changed-pages") && !common.can("other"));
        assert_eq!(common.to_string(), "1-2 more");
        assert_eq!("2-2".parse::<Offer>().unwrap().to_string(), "2-2");
    }

    #[test]
    fn sides_without_a_common_version_are_told_which_is_too_old() {
        let (old, new) = (Offer::new(1, 1, &[]), Offer::new(2, 4, &[]));
        let refuse = old.common(&new, "the slave").unwrap_err();
        assert_eq!(
            refuse.in_full(),
            "no common version with the slave: it offers 2-4, this side 1-1; update the programs here"
        );
        let refuse = new.common(&old, "the slave").unwrap_err();
        assert!(refuse.hint.ends_with("there"), "{refuse:?}");
    }

    /// Version 1 would take sums for hashes.
    #[test]
    fn the_first_version_of_the_base_conversation_is_refused() {
        let refuse = Offer::base().common(&Offer::new(1, 1, &[]), "the slave");
        let refuse = refuse.unwrap_err();
        assert_eq!(refuse.sqlstate, state::NOT_SUPPORTED);
        assert!(refuse.hint.ends_with("there"), "{refuse:?}");
        let range: Offer = "1-2".parse().unwrap();
        assert_eq!(Offer::base().common(&range, "").unwrap().version(), 2);
    }

    #[test]
    fn what_is_no_offer_is_refused() {
        for text in ["", "1", "2-1", "a-b", "1-99999", "-"] {
            assert!(text.parse::<Offer>().is_err(), "{text}");
        }
    }
}
