//! One source: what is wished of it, and how far that is.

use std::time::Duration;

use dbproto::managed::{Backlog, Order, Run, Ship, StopReason, TaskState};
use fwlog::Timestamp;

use crate::sources::change::Change;
use crate::sources::definition::{Definition, Wish};
use crate::sources::process::{Process, millis};
use crate::sources::supervisor::Step;

/// A source that is known.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) definition: Definition,
    /// When its phase began.
    pub(super) since: Timestamp,
    pub(super) task: Option<Task>,
    /// It was given up for this reason.
    pub(super) refused: Option<String>,
    /// How long it may still send after it was to end.
    pub(super) grace: Duration,
    /// It was taken out of the configuration, and is forgotten once it has ended.
    pub(super) gone: bool,
    pub(super) backlog: Option<(Backlog, Timestamp)>,
    /// Commits wait for its slave.
    pub(super) prompt: bool,
}

/// It runs, or is about to.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) run: Run,
    /// The address by which the process knows of it; none: it does not yet.
    pub(super) told: Option<String>,
    /// It was told to end.
    pub(super) ends: bool,
    pub(super) state: TaskState,
    pub(super) reason: Option<String>,
    /// It knows that commits wait for its slave.
    pub(super) prompt: bool,
}

/// What a source has been at since a time: attempts that follow one another are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Rests,
    Passive,
    Refused,
    Tries,
    Ships,
    StandsBy,
}

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) definition: Definition,
    pub(crate) state: State,
    pub(crate) since: Timestamp,
    pub(crate) reason: Option<String>,
    /// The dbrepl that it runs in.
    pub(crate) process: Option<u32>,
    pub(crate) backlog: Option<(Backlog, Timestamp)>,
}

/// The state of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Stopped,
    Passive,
    Refused,
    Task(TaskState),
    /// Its dbrepl does not run at this moment.
    NoProcess,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stopped | Self::Task(TaskState::Ended) => "stopped",
            Self::Passive => "passive",
            Self::Refused | Self::Task(TaskState::Refused) => "refused",
            Self::Task(TaskState::Waiting) | Self::NoProcess => "waiting",
            Self::Task(TaskState::Connecting) => "connecting",
            Self::Task(TaskState::Meeting) => "meeting",
            Self::Task(TaskState::Shipping) => "shipping",
            Self::Task(TaskState::Standby) => "standby",
        }
    }
}

impl Source {
    /// One that has no task yet.
    pub(super) fn new(definition: Definition, since: Timestamp) -> Self {
        Self {
            definition,
            since,
            task: None,
            refused: None,
            grace: Duration::ZERO,
            gone: false,
            backlog: None,
            prompt: false,
        }
    }

    /// How it runs, if it does: one that is about to end still does.
    pub(super) fn runs(&self, process: &Process) -> Option<String> {
        match (&self.task, self.definition.wish) {
            (Some(_), _) => Some(match process.pid() {
                Some(pid) => format!("process {pid}"),
                None => process.in_words(),
            }),
            (None, Wish::Passive { .. }) => Some("passive".to_owned()),
            (None, Wish::Ship) if self.refused.is_none() => Some(process.in_words()),
            (None, Wish::Ship | Wish::Rest) => None,
        }
    }

    /// It was taken out of the configuration.
    pub(super) fn leave(&mut self, now: Timestamp) {
        self.gone = true;
        self.definition.wish = Wish::Rest;
        (self.refused, self.since) = (None, now);
    }

    /// The configuration says this of it now. One that was given up is tried again.
    pub(super) fn become_as(&mut self, new: Definition, now: Timestamp) -> Option<Change> {
        let before = std::mem::replace(&mut self.definition, new);
        let was_gone = std::mem::take(&mut self.gone);
        let was_refused = self.refused.take();
        if was_gone || was_refused.is_some() {
            self.since = now;
        }
        let name = &before.name;
        if was_gone {
            Some(Change::new(&self.definition))
        } else if before.address != self.definition.address {
            Some(Change::moved(
                name,
                &before.address,
                &self.definition.address,
            ))
        } else {
            was_refused.map(|why| Change::tried_again(name, why))
        }
    }

    /// What it is at.
    pub(super) fn phase(&self) -> Phase {
        let state = self.task.as_ref().map(|task| task.state);
        match (state, self.definition.wish) {
            (Some(TaskState::Shipping), _) => Phase::Ships,
            (Some(TaskState::Standby), _) => Phase::StandsBy,
            (None, Wish::Rest) => Phase::Rests,
            (None, Wish::Passive { .. }) => Phase::Passive,
            (None, Wish::Ship) if self.refused.is_some() => Phase::Refused,
            (Some(_), _) | (None, Wish::Ship) => Phase::Tries,
        }
    }

    /// Why it is to end in the process, if it is.
    fn is_to_end(&self, told: &str) -> Option<StopReason> {
        match self.definition.wish {
            _ if self.gone => Some(StopReason::Removed),
            Wish::Passive { .. } => Some(StopReason::Passive),
            Wish::Rest => Some(StopReason::Shutdown),
            // It begins anew at its new address once it has ended at the old one.
            Wish::Ship if told != self.definition.address => Some(StopReason::Moved),
            Wish::Ship => None,
        }
    }

    /// What follows from what is wished of it.
    pub(super) fn settle(&mut self, process_runs: bool, runs: &mut u64, steps: &mut Vec<Step>) {
        let ships = self.definition.wish == Wish::Ship;
        if ships && self.refused.is_none() && self.task.is_none() {
            *runs += 1;
            self.task = Some(Task {
                run: Run(*runs),
                told: None,
                ends: false,
                state: TaskState::Connecting,
                reason: None,
                prompt: false,
            });
        }
        self.task.take_if(|task| !ships && task.told.is_none());
        let Some(told) = self.task.as_ref().map(|task| task.told.clone()) else {
            return;
        };
        let because = told.as_deref().and_then(|told| self.is_to_end(told));
        let Some(task) = &mut self.task else { return };
        if let Some(because) = because.filter(|_| !task.ends) {
            task.ends = true;
            let at_most_ms = millis(std::mem::take(&mut self.grace));
            steps.push(Step::Tell(Order::Stop {
                run: task.run,
                because,
                at_most_ms,
            }));
        }
        if process_runs && told.is_none() {
            task.told = Some(self.definition.address.clone());
            steps.push(Step::Tell(Order::Ship(Ship {
                run: task.run,
                name: self.definition.name.clone(),
                address: self.definition.address.clone(),
                log_file: self.definition.log_file.clone(),
                stats: self.definition.stats.clone(),
                connect: self.definition.connect.clone(),
            })));
        }
        if task.told.is_some() && task.prompt != self.prompt {
            task.prompt = self.prompt;
            steps.push(Step::Tell(Order::Prompt {
                run: task.run,
                prompt: self.prompt,
            }));
        }
    }

    /// How it stands.
    pub(super) fn standing(&self, process: &Process) -> Standing {
        let pid = process.pid().filter(|_| self.task.is_some());
        let (state, reason) = match (&self.task, &self.refused, self.definition.wish) {
            (Some(task), _, _) if task.told.is_some() => {
                (State::Task(task.state), task.reason.clone())
            }
            (Some(_), _, _) => (State::NoProcess, Some(process.in_words())),
            (None, Some(why), Wish::Ship) => (State::Refused, Some(why.clone())),
            (None, _, Wish::Passive { auto }) => {
                let waits = auto.then(|| "until this server becomes the root".to_owned());
                (State::Passive, waits)
            }
            (None, _, Wish::Rest) => (State::Stopped, None),
            (None, None, Wish::Ship) => (State::NoProcess, Some("the server stops".to_owned())),
        };
        Standing {
            definition: self.definition.clone(),
            state,
            since: self.since,
            reason,
            process: pid,
            backlog: self.backlog,
        }
    }
}
