//! Where the two logs part: by their histories, else by looking for it.

use fwlog::layout::header;
use fwlog::{Candidate, ChainHash, HistoryLine, LogPoint, Position};

use super::{Bisection, Border, BorderKind, Refusal, Shipper, ShipperAction, ShipperState};
use crate::greeting::common_point;
use crate::{Message, Progress, ProtocolError, Refuse, state};

/// Nothing of the slave's log is wrong: it is the source that lacks its end.
const AHEAD: &str =
    "the slave is ahead: it has all of the master's log, and goes on where that ends";

impl Shipper {
    /// The generation that goes on in the source's log where it has left the newest one that the slave is in; `None`: it has
    /// not left it, or the histories do not tell. Both are in that generation, so positions of it are comparable.
    pub fn left_the_slaves_generation(&self) -> Option<&HistoryLine> {
        let number = self.slave_point()?.position.segment.generation;
        let theirs = &self.slave.as_ref()?.greeting.as_ref()?.branch;
        let own = &self.identify.greeting.as_ref()?.branch;
        let theirs = theirs.iter().find(|line| line.number == number)?;
        let at = own.iter().position(|line| line.id == theirs.id)?;
        let next = own.get(at + 1)?;
        (next.parent_generation() == number).then_some(next)
    }

    /// The log has no such point, and differs from the slave's somewhere before it: finds out where.
    pub fn not_located(&mut self) -> Result<Vec<ShipperAction>, Refusal> {
        let Some(to) = self.slave_point().map(|point| point.position) else {
            self.state = ShipperState::Stopped;
            return Err(Refusal::Ours(Refuse::new(
                state::LOG_MISSING,
                "the master's log does not begin at the beginning",
            )));
        };
        let slave = self.slave.as_ref();
        let candidate = slave.and_then(|slave| common_point(&self.identify, slave));
        // Where all of the slave's log is common, its point would have been found.
        let Some(candidate) = candidate.filter(|candidate| candidate.position < to) else {
            return Ok(self.bisect(to));
        };
        let border = None;
        self.state = ShipperState::Proving { candidate, border };
        Ok(vec![ShipperAction::Borders {
            of: BorderKind::Blocks(candidate.position.segment),
            from: Some(candidate.position),
            to: candidate.position,
        }])
    }

    /// What the histories can't tell is found by looking everywhere.
    fn bisect(&mut self, to: Position) -> Vec<ShipperAction> {
        self.state = ShipperState::Bisecting {
            blocks: false,
            waiting: true,
            search: Bisection::new(Vec::new()),
        };
        let from = self.slave.as_ref().and_then(|slave| slave.log_begins);
        vec![ShipperAction::Borders {
            of: BorderKind::Segments,
            from,
            to,
        }]
    }

    /// The source's border at the candidate: what is left to ask is the slave's hash there, unless its history tells it.
    fn prove(
        &mut self,
        candidate: Candidate,
        borders: Vec<Border>,
    ) -> Result<Vec<ShipperAction>, Refusal> {
        let position = candidate.position;
        let found = borders.into_iter().find(|it| it.point.position == position);
        // Where the segment is gone, the history still has the hash.
        let known = candidate.ours.map(|hash| Border {
            point: LogPoint::new(position, hash),
            commit: Some(candidate.commit),
            time: None,
        });
        match (found.or(known), candidate.theirs) {
            (Some(border), Some(hash)) => self.proved(&border, Some(hash)),
            (border @ Some(_), None) => {
                self.state = ShipperState::Proving { candidate, border };
                Ok(vec![ShipperAction::Send(Message::AskHash { position })])
            }
            (None, _) => Ok(self.bisect_up_to_slave()),
        }
    }

    fn proved(
        &mut self,
        border: &Border,
        hash: Option<ChainHash>,
    ) -> Result<Vec<ShipperAction>, Refusal> {
        if hash == Some(border.point.hash) {
            return Err(Refusal::Ours(self.diverged(Some(border))));
        }
        // Twins have written one generation each for itself, or a history is not the log's.
        Ok(self.bisect_up_to_slave())
    }

    fn bisect_up_to_slave(&mut self) -> Vec<ShipperAction> {
        let to = self.slave_point().map(|point| point.position);
        self.bisect(to.unwrap_or(Position::ORIGIN))
    }

    /// Takes the borders that [`ShipperAction::Borders`] asked for.
    pub fn borders(&mut self, borders: Vec<Border>) -> Result<Vec<ShipperAction>, Refusal> {
        let result = match &mut self.state {
            ShipperState::Proving {
                candidate,
                border: None,
            } => {
                let candidate = *candidate;
                self.prove(candidate, borders)
            }
            ShipperState::Bisecting {
                waiting, search, ..
            } => {
                *waiting = false;
                *search = Bisection::new(borders);
                self.ask()
            }
            _ => self.ask(),
        };
        if result.is_err() {
            self.state = ShipperState::Stopped;
        }
        result
    }

    pub(super) fn answer(
        &mut self,
        position: Position,
        hash: Option<ChainHash>,
    ) -> Result<Vec<ShipperAction>, Refusal> {
        let name = self.state.name();
        match &mut self.state {
            ShipperState::Proving {
                candidate,
                border: Some(border),
            } if candidate.position == position => {
                let border = border.clone();
                self.proved(&border, hash)
            }
            ShipperState::Bisecting {
                waiting: false,
                search,
                ..
            } if search.question() == Some(position) => {
                search.answer(hash);
                self.ask()
            }
            _ => Err(ProtocolError::Unexpected {
                message: "Hash",
                state: name,
            }
            .into()),
        }
    }

    /// The next question; first over segments, then over the blocks of the last common one.
    fn ask(&mut self) -> Result<Vec<ShipperAction>, Refusal> {
        let to = self.slave_point().map(|point| point.position);
        let ShipperState::Bisecting {
            blocks,
            waiting,
            search,
        } = &mut self.state
        else {
            return Ok(Vec::new());
        };
        if let Some(position) = search.question() {
            return Ok(vec![ShipperAction::Send(Message::AskHash { position })]);
        }
        let common = search.last_common().cloned();
        match (common, to) {
            (Some(common), Some(to)) if !*blocks => {
                *blocks = true;
                *waiting = true;
                let segment = common.point.position.segment;
                let from = Some(common.point.position);
                Ok(vec![ShipperAction::Borders {
                    of: BorderKind::Blocks(segment),
                    from,
                    to,
                }])
            }
            (common, _) => Err(Refusal::Ours(self.diverged(common.as_ref()))),
        }
    }

    fn diverged(&self, fork: Option<&Border>) -> Refuse {
        let message = match fork {
            Some(border) => {
                let mut words = Vec::new();
                words.extend(border.commit.map(|commit| format!("commit {}", commit.get())));
                words.extend(border.time.map(|time| time.to_string()));
                let place = border.point.position;
                let words =
                    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
                format!("diverged: the slave's log differs from the master's after {place}{words}")
            }
            None => "diverged: the slave's log differs from the master's in everything that both still have"
                .to_owned(),
        };
        let slave = self.slave.as_ref();
        let end = |progress: Option<&Progress>| {
            progress.map_or_else(
                || "no position".to_owned(),
                |p| {
                    format!(
                        "{} (commit {}, {})",
                        p.point.position,
                        p.commit.get(),
                        p.time
                    )
                },
            )
        };
        let end_here = self.identify.durable.map(|durable| durable.point.position);
        if let (None, Some(refuse)) = (fork, self.no_history()) {
            return refuse;
        }
        let has_all = fork.is_some_and(|fork| Some(fork.point.position) >= end_here);
        let (state, message, hint) = if has_all && end_here.is_some() {
            (state::AHEAD, AHEAD.to_owned(), state::KEEP_THE_SLAVE)
        } else {
            (state::DIVERGED, message, self.after(fork))
        };
        Refuse::new(state, message)
            .detail(format!(
                "slave {} is at {}, the master's log ends at {}",
                slave.map_or("", |slave| slave.instance.as_str()),
                end(slave.and_then(|slave| slave.durable.as_ref())),
                end(self.identify.durable.as_ref()),
            ))
            .hint(hint)
    }

    /// Both tell their histories, and no generation is in both: one begins behind the end of the other.
    fn no_history(&self) -> Option<Refuse> {
        let slave = self.slave.as_ref()?;
        let (ours, theirs) = (self.identify.greeting.as_ref()?, slave.greeting.as_ref()?);
        let is_known = |line: &HistoryLine| ours.branch.iter().any(|own| own.id == line.id);
        let (our_first, their_first) = (ours.branch.first()?, theirs.branch.first()?);
        if theirs.branch.iter().any(is_known) {
            return None;
        }
        let begins = |line: &HistoryLine| format!("generation {}, {}", line.number, line.time);
        let (source, name) = (&ours.speaker.name, &theirs.speaker.name);
        let message = format!(
            "the histories of {source} and {name} do not reach back to a common point ({source} begins at {}, {name} at {})",
            begins(our_first),
            begins(their_first)
        );
        Some(Refuse::new(state::NO_HISTORY, message).hint(state::KEEP_WHAT_THE_SLAVE_HAS))
    }

    /// What to do depends on who has commits behind the fork: what only the slave has must not get lost.
    fn after(&self, fork: Option<&Border>) -> &'static str {
        let common = fork.and_then(|fork| fork.commit);
        let goes_on = |end: &Progress| Some(end.commit) > common;
        // Not all that is logged is a commit: a database that was made is none.
        let is_empty = |end: &Progress| {
            let at = end.point.position;
            let next = fork.map(|fork| fork.point.position.segment.next_sequence());
            next == Some(at.segment) && at.offset == header::SIZE as u64
        };
        let slave = self.slave.as_ref().and_then(|slave| slave.durable);
        let slave_goes_on = slave.is_some_and(|end| goes_on(&end) || !is_empty(&end));
        match (
            slave_goes_on,
            self.identify.durable.is_some_and(|end| goes_on(&end)),
        ) {
            (false, _) => state::RESYNCHRONIZE,
            (true, false) => state::GO_ON_WITH_THE_SLAVE,
            (true, true) => state::KEEP_WHAT_THE_SLAVE_HAS,
        }
    }
}
