//! Which way back is the cheapest that is exact. No I/O.
//!
//! | plan | what is done | when it is exact |
//! | --- | --- | --- |
//! | nothing | nothing | the log is the beginning of the other one |
//! | cut | the log is cut | no data file has a commit behind the fork: the durable mark proves it |
//! | log | the same, and the pages that were written behind the fork are taken from the log before it | the log has them |
//! | compare | a copy takes the place of all: pages by their hashes, from the root | always |

use std::fmt;
use std::str::FromStr;

use fwlog::CommitNumber;

/// A way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// There is nothing to be taken back.
    Nothing,
    /// The log is cut.
    Cut,
    /// Pages from the own log, and the log is cut.
    Log,
    /// A copy of the root's state.
    Compare,
}

impl Plan {
    const WORDS: [(Self, &'static str); 4] = [
        (Self::Nothing, "nothing"),
        (Self::Cut, "cut"),
        (Self::Log, "log"),
        (Self::Compare, "compare"),
    ];
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(plan, _)| plan == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::WORDS.iter().find(|(_, known)| *known == word);
        known
            .map(|(plan, _)| *plan)
            .ok_or_else(|| format!("'{word}' is no plan: cut, log or compare"))
    }
}

/// What is known of a server whose log has left another one.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The commit of the newest point that both logs have.
    pub(super) fork: CommitNumber,
    /// That from which redo of this server would begin: the data files have all before it.
    pub(super) redo: CommitNumber,
    /// No page of a data file is of a later commit, by the durable mark.
    pub(super) data_up_to: Option<CommitNumber>,
    /// The newest commit of the head of any sum file.
    pub(super) newest_head: CommitNumber,
    /// A database that was removed behind the fork.
    pub(super) removed: Option<String>,
    /// Why there is no point from which redo could begin.
    pub(super) no_redo: Option<String>,
    /// Why the log does not tell all pages that were written behind the fork.
    pub(super) parts: Option<String>,
}

/// Why a plan is not exact. `None`: it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Obstacles {
    pub(super) cut: Option<String>,
    pub(super) log: Option<String>,
}

/// What is in the way of each plan.
pub(super) fn obstacles(facts: &Facts) -> Obstacles {
    let common = common(facts);
    Obstacles {
        cut: common.clone().or_else(|| data_files(facts)),
        // A data file that is not beyond the fork has none of those pages.
        log: common.or_else(|| facts.parts.clone()),
    }
}

fn common(facts: &Facts) -> Option<String> {
    let removed = facts.removed.as_ref();
    let removed = removed.map(|name| {
        format!("database \"{name}\" was removed behind the fork, and its pages with it")
    });
    removed.or_else(|| facts.no_redo.clone())
}

fn data_files(facts: &Facts) -> Option<String> {
    let fork = facts.fork;
    let up_to = match facts.data_up_to {
        None => return Some("it is not known how new the data files are".to_owned()),
        Some(up_to) => up_to.max(facts.newest_head).max(facts.redo),
    };
    (up_to > fork).then(|| {
        format!("the data files may have commits up to {up_to}, and the fork is at commit {fork}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(number: u64) -> CommitNumber {
        CommitNumber::new(number)
    }

    fn healthy() -> Facts {
        Facts {
            fork: commit(50),
            redo: commit(40),
            data_up_to: Some(commit(50)),
            newest_head: commit(40),
            removed: None,
            no_redo: None,
            parts: None,
        }
    }

    #[test]
    fn a_plan_is_a_word_and_reads_back() {
        for (plan, word) in Plan::WORDS {
            assert_eq!((plan.to_string().as_str(), word.parse()), (word, Ok(plan)));
        }
        "undo".parse::<Plan>().unwrap_err();
    }

    #[test]
    fn a_cut_is_exact_only_where_no_data_file_is_beyond_the_fork() {
        assert_eq!(obstacles(&healthy()), Obstacles::default());
        let unknown = Facts {
            data_up_to: None,
            ..healthy()
        };
        let beyond = Facts {
            data_up_to: Some(commit(51)),
            ..healthy()
        };
        // A file that somebody has put there says more than the mark.
        let foreign = Facts {
            newest_head: commit(60),
            ..healthy()
        };
        let checkpointed = Facts {
            redo: commit(51),
            ..healthy()
        };
        for facts in [unknown, beyond, foreign, checkpointed] {
            let found = obstacles(&facts);
            assert!(found.cut.is_some(), "{facts:?}");
            assert_eq!(found.log, None, "{facts:?}");
        }
        // A checkpoint behind the fork without a commit between the two.
        let same = Facts {
            redo: commit(50),
            ..healthy()
        };
        assert_eq!(obstacles(&same), Obstacles::default());
    }

    #[test]
    fn pages_that_the_log_does_not_tell_are_in_the_way_of_the_log_alone() {
        let unknown = Facts {
            parts: Some("a part is gone".into()),
            ..healthy()
        };
        let found = obstacles(&unknown);
        assert_eq!((found.cut, found.log), (None, unknown.parts));
    }

    #[test]
    fn a_database_that_is_gone_leaves_nothing_but_a_copy() {
        let removed = Facts {
            removed: Some("shop".into()),
            ..healthy()
        };
        let no_redo = Facts {
            no_redo: Some("no checkpoint".into()),
            ..healthy()
        };
        for facts in [removed, no_redo] {
            let found = obstacles(&facts);
            assert!(found.cut.is_some() && found.log.is_some());
        }
    }
}
