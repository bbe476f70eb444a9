//! Which instance wrote the log from which point on: the generations of an environment, and the branches that were left.
//!
//! ```text
//!  branch      1 create north ──▶ 2 enable north ──▶ 3 promote south ──▶ …      what this log is
//!  abandoned                            └──▶ 3 promote east, to 3-1:9216        what it once was
//! ```
//! All of it is told by the records that begin generations, and it is kept in a file of its own only because it outlives
//! the segments that they are in. The log is what holds: see [`History::take_in`].

mod common;
mod file;
mod line;
mod of_log;
mod roots;

pub use common::{BranchEnd, Candidate, left_at, newest_common};
pub use file::{HISTORY_FILE, SERVED_HISTORY_FILE, ServedHistory};
pub use line::{GenerationCommit, GenerationId, HistoryLine, generation_of};
pub use of_log::generations_in;
pub use roots::{RootClaim, judge_roots};

use std::fmt;

use crate::numbers::Generation;
use crate::position::{LogPoint, Position};

/// A part of the log that the branch of today does not have: a generation up to the point at which it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abandoned {
    /// How the generation began.
    pub line: HistoryLine,
    /// Where it was left.
    pub end: LogPoint,
}

/// The generations of a log, and those that it once had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    branch: Vec<HistoryLine>,
    abandoned: Vec<Abandoned>,
}

/// The file and the log do not tell the same history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What the file has.
    pub known: HistoryLine,
    /// What the log has in its place; `None`: the log ends before it, or passes it over.
    pub found: Option<HistoryLine>,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = &self.known;
        write!(
            f,
            "generation {} ({} by {} after {}) is in the history, and the log has ",
            known.number, known.reason, known.instance, known.parent.position
        )?;
        match &self.found {
            Some(found) if found.number == known.number => write!(
                f,
                "another one ({} by {} after {})",
                found.reason, found.instance, found.parent.position
            ),
            Some(found) => write!(
                f,
                "generation {} behind {}, without it",
                found.number, found.parent.position
            ),
            None => f.write_str("no such generation: it ends before"),
        }
    }
}

impl History {
    /// The generations of the log of today, the oldest first. Older ones may be missing where nobody knows them any more.
    pub fn branch(&self) -> &[HistoryLine] {
        &self.branch
    }

    /// What was left.
    pub fn abandoned(&self) -> &[Abandoned] {
        &self.abandoned
    }

    /// The newest generation that is known.
    pub fn newest(&self) -> Option<&HistoryLine> {
        self.branch.last()
    }

    /// Takes in what the log tells: `found` are generations whose first block it has, `end` is where it is durable. Tells
    /// whether something is new.
    ///
    /// Errors: the log contradicts what is known. Then nothing is changed.
    pub fn take_in(
        &mut self,
        found: &[HistoryLine],
        end: Position,
    ) -> Result<bool, Box<Contradiction>> {
        let newest = end.segment.generation;
        let path = path_to(newest, found);
        let contradiction = |known: &HistoryLine, found: Option<&HistoryLine>| {
            let (known, found) = (known.clone(), found.cloned());
            Box::new(Contradiction { known, found })
        };
        for known in &self.branch {
            if known.number > newest {
                return Err(contradiction(known, None));
            }
            let Some(first) = path.first() else { continue };
            let at = path.iter().find(|line| line.number == known.number);
            // Between the generation that the first one goes on from and that one, there is none.
            let is_passed_over =
                known.number > first.parent_generation() || known.number >= first.number;
            match at {
                Some(line) if **line == *known => {}
                Some(line) => return Err(contradiction(known, Some(line))),
                None if is_passed_over => {
                    let behind = path.iter().find(|line| line.number > known.number);
                    return Err(contradiction(known, behind.copied()));
                }
                None => {}
            }
        }
        let before = self.clone();
        if let Some(first) = path.first() {
            self.branch.retain(|line| line.number < first.number);
            self.branch.extend(path.into_iter().cloned());
        }
        self.forget_abandoned_of_branch();
        Ok(*self != before)
    }

    /// Takes over what another instance knows of the time before the oldest generation that is known here. The log here
    /// ends at `end`, and that point is in the other's log: up to there both have one branch. Tells whether something is
    /// new.
    pub fn learn(&mut self, theirs: &[HistoryLine], end: Position) -> bool {
        let newest = end.segment.generation;
        let theirs = theirs.iter().filter(|line| line.number <= newest);
        let oldest = self.branch.first().map(|line| line.number);
        let contradicts = |line: &HistoryLine| {
            let mut own = self.branch.iter();
            own.any(|own| own.number == line.number && own.id != line.id)
        };
        if theirs.clone().any(contradicts) {
            return false;
        }
        let mut older: Vec<HistoryLine> = theirs
            .filter(|line| oldest.is_none_or(|oldest| line.number < oldest))
            .cloned()
            .collect();
        if older.is_empty() {
            return false;
        }
        older.append(&mut self.branch);
        self.branch = older;
        self.forget_abandoned_of_branch();
        true
    }

    /// The log that there was up to `end` is another one's from now on: its generations are kept as abandoned ones.
    pub fn abandon(&mut self, end: LogPoint) {
        let ends: Vec<LogPoint> = self.branch.iter().skip(1).map(|line| line.parent).collect();
        let ends = ends.into_iter().chain([end]);
        let left: Vec<Abandoned> = self
            .branch
            .drain(..)
            .zip(ends)
            .map(|(line, end)| Abandoned { line, end })
            .collect();
        for left in left {
            if !self.abandoned.contains(&left) {
                self.abandoned.push(left);
            }
        }
    }

    /// A generation that had begun behind `end` was taken back, and nobody has heard of it. Tells whether it was known.
    pub fn forget_behind(&mut self, end: Position) -> bool {
        let before = self.branch.len();
        self.branch.retain(|line| line.is_begun_at(end));
        self.branch.len() < before
    }

    /// The generation that a border of the log is in: logs that part behind the header of a generation, before its first
    /// block, part in the one before. `None`: it is not known here any more.
    pub fn generation_of(&self, at: Position) -> Option<&HistoryLine> {
        generation_of(&self.branch, at)
    }

    /// The generation that went on where this one was left.
    pub fn next_after(&self, generation: Generation) -> Option<&HistoryLine> {
        let mut lines = self.branch.iter();
        lines.find(|line| line.number > generation && line.parent_generation() == generation)
    }

    /// Whether the branch has this commit: `None` where it stands in the newest generation, or in one that is not known
    /// here, so that the history alone can't tell.
    pub fn has(&self, commit: GenerationCommit) -> Option<bool> {
        let line = self
            .branch
            .iter()
            .find(|line| line.id == commit.generation)?;
        let next = self.next_after(line.number)?;
        Some(commit.commit <= next.commit)
    }

    /// What the branch has is not abandoned.
    fn forget_abandoned_of_branch(&mut self) {
        let mut abandoned = std::mem::take(&mut self.abandoned);
        abandoned.retain(|left| {
            let mut branch = self.branch.iter();
            let Some(own) = branch.find(|line| line.id == left.line.id) else {
                return true;
            };
            let next = self.next_after(own.number);
            next.is_some_and(|next| next.parent.position < left.end.position)
        });
        self.abandoned = abandoned;
    }
}

/// The generations that led to this one, the oldest first, as far as they were found. Others may lie there: of an attempt
/// that came to nothing.
fn path_to(newest: Generation, found: &[HistoryLine]) -> Vec<&HistoryLine> {
    let mut path = Vec::new();
    let mut at = newest;
    while let Some(line) = found.iter().find(|line| line.number == at) {
        path.push(line);
        // No generation goes on from itself or a later one; the first one from nothing.
        if line.parent == LogPoint::ORIGIN || line.parent_generation() >= at {
            break;
        }
        at = line.parent_generation();
    }
    path.reverse();
    path
}

#[cfg(test)]
#[path = "history/tests.rs"]
mod tests;
