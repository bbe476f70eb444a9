//! Which sources run, and the one dbrepl that they run in, as a state machine without I/O.
//!
//! ```text
//!  wish:     Rest ◀─▶ Passive ◀─▶ Ship
//!  task:     none ─▶ to be told ─▶ told: connecting, meeting, shipping, waiting, standby ─▶ none
//!                        ▲              │ dbrepl has died                             └──▶ refused
//!                        └──────────────┘
//!  process:  None ─▶ Starts ─▶ Runs ─▶ Leaves ─▶ None        Failed: begins again after a pause;
//!                                               all are refused where its options are wrong
//! ```
//! Each change ends with [`Supervisor::settle`], which says what follows from it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dbproto::managed::{Order, Report, Run, TaskState};
use fwlog::Timestamp;

use crate::error::EngineError;
use crate::sources::change::Change;
use crate::sources::definition::{Definition, Wish};
use crate::sources::process::{Process, millis};
use crate::sources::refusal;
use crate::sources::source::{Phase, Source, Standing};

/// First and longest pause before a dbrepl that has died is begun again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// One that has run for so long has not failed at its start.
const WELL: Duration = Duration::from_secs(10);

/// This moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) time: Timestamp,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin the process.
    Spawn,
    /// Tell it something.
    Tell(Order),
    /// End it at once.
    Kill,
}

/// See the module's page.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    sources: BTreeMap<String, Source>,
    limit: usize,
    process: Process,
    /// How often it has failed in a row.
    failures: u32,
    runs: u64,
    /// The server stops: nothing begins any more.
    closing: bool,
    steps: Vec<Step>,
}

impl Supervisor {
    /// With what was wished before; no process runs.
    pub(crate) fn new(definitions: Vec<Definition>, limit: usize, now: Timestamp) -> Self {
        let source =
            |definition: Definition| (definition.name.clone(), Source::new(definition, now));
        Self {
            sources: definitions.into_iter().map(source).collect(),
            limit,
            process: Process::None,
            failures: 0,
            runs: 0,
            closing: false,
            steps: Vec::new(),
        }
    }

    /// What is wished, by name.
    pub(crate) fn definitions(&self) -> Vec<Definition> {
        let sources = self.sources.values().filter(|source| !source.gone);
        sources.map(|source| source.definition.clone()).collect()
    }

    /// How each stands, by name.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let sources = self.sources.values();
        sources.map(|it| it.standing(&self.process)).collect()
    }

    /// What is to be done; whoever takes it does it.
    pub(crate) fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// When something is due by itself.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        match &self.process {
            Process::Failed { again, .. } if !self.closing => Some(*again),
            _ => None,
        }
    }

    /// Whether no process runs, and none is about to.
    pub(crate) fn is_alone(&self) -> bool {
        let nothing_to_do = !self.steps.contains(&Step::Spawn);
        nothing_to_do && matches!(self.process, Process::None | Process::Failed { .. })
    }

    /// Whether a task of this source is there, or of any.
    pub(crate) fn has_task(&self, name: Option<&str>) -> bool {
        let is_meant = |it: &&Source| name.is_none_or(|name| it.definition.name == name);
        let mut meant = self.sources.values().filter(is_meant);
        meant.any(|it| it.task.is_some())
    }

    /// A source is to run, or to be passive, as `new` says.
    pub(crate) fn start(&mut self, new: Definition, now: Now) -> Result<(), EngineError> {
        let is_full = self.sources.len() >= self.limit;
        match self.sources.get_mut(&new.name) {
            Some(source) => {
                if let Some(how) = source.runs(&self.process) {
                    return Err(refusal::runs(&new.name, &how));
                }
                source.definition = new;
                (source.refused, source.since) = (None, now.time);
            }
            None if is_full => return Err(refusal::too_many(self.limit)),
            None => {
                let source = Source::new(new, now.time);
                self.sources.insert(source.definition.name.clone(), source);
            }
        }
        self.settle(now);
        Ok(())
    }

    /// A source that runs is to be as `change` says. False: it is that already.
    pub(crate) fn change(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Definition),
        now: Now,
    ) -> Result<bool, EngineError> {
        let source = self.running(name)?;
        let before = source.definition.clone();
        change(&mut source.definition);
        let after = source.definition.clone();
        if before == after {
            return Ok(false);
        }
        if before.wish != after.wish {
            source.since = now.time;
        }
        let run = source
            .task
            .as_ref()
            .filter(|task| task.told.is_some())
            .map(|it| it.run);
        if let Some(run) = run {
            if before.log_file != after.log_file {
                let file = after.log_file.clone();
                self.steps.push(Step::Tell(Order::Log { run, file }));
            }
            if before.stats != after.stats {
                let stats = after.stats.clone();
                self.steps.push(Step::Tell(Order::Stats { run, stats }));
            }
        }
        self.settle(now);
        Ok(true)
    }

    /// A source is to end, or all of them: once its slave has all, so long at most. Gives the names of those that ran.
    pub(crate) fn shut_down(
        &mut self,
        name: Option<&str>,
        grace: Duration,
        now: Now,
    ) -> Result<Vec<String>, EngineError> {
        if let Some(name) = name {
            let source = self.sources.get(name);
            let source = source.ok_or_else(|| refusal::unknown(name))?;
            if source.definition.wish == Wish::Rest {
                return Err(refusal::does_not_run(name, None));
            }
        }
        let known = self.sources.values().map(|it| &it.definition);
        let meant =
            known.filter(|it| it.wish != Wish::Rest && name.is_none_or(|name| name == it.name));
        let names: Vec<String> = meant.map(|it| it.name.clone()).collect();
        for name in &names {
            if let Some(source) = self.sources.get_mut(name) {
                source.definition.wish = Wish::Rest;
                source.refused = None;
                (source.grace, source.since) = (grace, now.time);
            }
        }
        self.settle(now);
        Ok(names)
    }

    /// Forgets a source that does not run.
    pub(crate) fn forget(&mut self, name: &str) -> Result<(), EngineError> {
        let source = self
            .sources
            .get(name)
            .ok_or_else(|| refusal::unknown(name))?;
        if let Some(how) = source.runs(&self.process) {
            return Err(refusal::runs(name, &how));
        }
        if source.definition.configured {
            return Err(EngineError::state(
                format!("the source for {name} stands in Sources of the configuration"),
                "Take it away there, in section [Replication], then 'dbctl reload'.",
            ));
        }
        self.sources.remove(name);
        Ok(())
    }

    /// These are the sources now, and there may be so many of them. Those that were given up are tried again.
    pub(crate) fn adopt(
        &mut self,
        definitions: Vec<Definition>,
        limit: usize,
        now: Now,
    ) -> Vec<Change> {
        self.limit = limit;
        let mut changes = Vec::new();
        for (name, source) in &mut self.sources {
            if !source.gone && !definitions.iter().any(|it| it.name == *name) {
                source.leave(now.time);
                changes.push(Change::removed(name));
            }
        }
        for new in definitions {
            if let Some(source) = self.sources.get_mut(&new.name) {
                changes.extend(source.become_as(new, now.time));
            } else {
                changes.push(Change::new(&new));
                let source = Source::new(new, now.time);
                self.sources.insert(source.definition.name.clone(), source);
            }
        }
        self.settle(now);
        changes
    }

    /// Time has passed. Passive sources that wait for that become active where this server is the root.
    pub(crate) fn look(&mut self, is_root: bool, now: Now) {
        for source in self.sources.values_mut() {
            if is_root && source.definition.wish == (Wish::Passive { auto: true }) {
                source.definition.wish = Wish::Ship;
                (source.since, source.refused) = (now.time, None);
            }
        }
        self.settle(now);
    }

    /// For whose slaves commits wait.
    pub(crate) fn want_prompt(&mut self, is_wanted: impl Fn(&str) -> bool, now: Now) {
        for (name, source) in &mut self.sources {
            source.prompt = is_wanted(name);
        }
        self.settle(now);
    }

    /// The name of the source of a run.
    pub(crate) fn name_of(&self, run: Run) -> Option<&str> {
        let mut sources = self.sources.values();
        let is_meant = |it: &&Source| it.task.as_ref().is_some_and(|task| task.run == run);
        sources.find(is_meant).map(|it| it.definition.name.as_str())
    }

    /// The names of all slaves that are known, and whether each is fed just now. An archive serves nobody.
    pub(crate) fn fed(&self) -> Vec<(String, bool)> {
        let sources = self.sources.values();
        let sources = sources.filter(|it| !it.definition.is_archive());
        let fed = |it: &Source| it.phase() == Phase::Ships;
        sources
            .map(|it| (it.definition.name.clone(), fed(it)))
            .collect()
    }

    /// The process has begun.
    pub(crate) fn has_begun(&mut self, pid: u32) {
        match &mut self.process {
            Process::Starts { pid: known } | Process::Leaves { pid: known } => *known = Some(pid),
            Process::None | Process::Runs { .. } | Process::Failed { .. } => {}
        }
    }

    /// The process says something.
    pub(crate) fn hear(&mut self, report: &Report, now: Now) {
        match report {
            Report::Ready => {
                if let Process::Starts { pid: Some(pid) } = self.process {
                    let since = now.instant;
                    self.process = Process::Runs { pid, since };
                }
            }
            Report::State { run, state, reason } => {
                self.hear_state(*run, *state, reason.as_ref(), now);
            }
            Report::Backlog { run, backlog } => {
                if let Some(source) = self.of_run(*run) {
                    source.backlog = Some((*backlog, now.time));
                }
            }
            Report::Failed { .. } | Report::Line { .. } | Report::Acknowledged { .. } => {}
        }
        self.settle(now);
    }

    fn hear_state(&mut self, run: Run, state: TaskState, reason: Option<&String>, now: Now) {
        let Some(source) = self.of_run(run) else {
            return;
        };
        let before = source.phase();
        match state {
            TaskState::Ended => source.task = None,
            TaskState::Refused => {
                let was_to_end = source.task.take().is_some_and(|task| task.ends);
                if source.definition.wish == Wish::Ship && !was_to_end {
                    source.refused = Some(reason.cloned().unwrap_or_default());
                }
            }
            TaskState::Connecting
            | TaskState::Meeting
            | TaskState::Shipping
            | TaskState::Waiting
            | TaskState::Standby => {
                if let Some(task) = &mut source.task {
                    (task.state, task.reason) = (state, reason.cloned());
                }
            }
        }
        if source.phase() != before {
            source.since = now.time;
        }
    }

    /// The process has ended, or could not be begun. True: nobody has wanted that.
    pub(crate) fn has_ended(&mut self, why: &str, now: Now) -> bool {
        let is_wanted = self.closing || matches!(self.process, Process::Leaves { .. });
        let was_well = match self.process {
            Process::Runs { since, .. } => now.instant.duration_since(since) >= WELL,
            Process::None
            | Process::Starts { .. }
            | Process::Leaves { .. }
            | Process::Failed { .. } => false,
        };
        self.process = if is_wanted {
            self.failures = 0;
            Process::None
        } else {
            self.failures = if was_well { 1 } else { self.failures + 1 };
            let doublings = (self.failures - 1).min(16);
            let pause = FIRST_PAUSE
                .saturating_mul(1 << doublings)
                .min(LONGEST_PAUSE);
            Process::Failed {
                why: why.to_owned(),
                again: now.instant + pause,
            }
        };
        for source in self.sources.values_mut() {
            let before = source.phase();
            source.task.take_if(|task| task.ends);
            if let Some(task) = &mut source.task {
                (task.told, task.state, task.reason) = (None, TaskState::Connecting, None);
                task.prompt = false;
            }
            if source.phase() != before {
                source.since = now.time;
            }
        }
        self.settle(now);
        !is_wanted
    }

    /// The process can't begin as it is told to, which a person has to mend: all that were to run in it are given up.
    pub(crate) fn give_up(&mut self, why: &str, now: Now) {
        (self.process, self.failures) = (Process::None, 0);
        for source in self.sources.values_mut() {
            let had_task = source.task.take().is_some();
            if had_task && source.definition.wish == Wish::Ship {
                let name = &source.definition.name;
                source.refused = Some(format!(
                    "{why}; then 'dbctl source start {name}', or 'dbctl reload' for all"
                ));
                source.since = now.time;
            }
        }
        self.settle(now);
    }

    /// The server stops, after the log has ended: each slave that is fed gets the rest, so long at most.
    pub(crate) fn close(&mut self, grace: Duration) {
        self.closing = true;
        self.steps.retain(|step| *step != Step::Spawn);
        match self.process {
            Process::Runs { pid, .. } => {
                self.process = Process::Leaves { pid: Some(pid) };
                self.steps.push(Step::Tell(Order::Finish {
                    at_most_ms: millis(grace),
                }));
            }
            Process::Starts { pid } => {
                self.process = pid.map_or(Process::None, |pid| Process::Leaves { pid: Some(pid) });
                self.steps.push(Step::Kill);
            }
            Process::None | Process::Leaves { .. } | Process::Failed { .. } => {}
        }
    }

    /// It takes longer than it may.
    pub(crate) fn kill(&mut self) {
        self.steps.push(Step::Kill);
    }

    /// What follows from how things are.
    fn settle(&mut self, now: Now) {
        if self.closing {
            return;
        }
        let runs = matches!(self.process, Process::Runs { .. });
        for source in self.sources.values_mut() {
            source.settle(runs, &mut self.runs, &mut self.steps);
        }
        self.sources
            .retain(|_, source| !source.gone || source.task.is_some());
        let has_tasks = self.sources.values().any(|it| it.task.is_some());
        match &self.process {
            Process::None if has_tasks => self.spawn(),
            Process::Failed { again, .. } if has_tasks && *again <= now.instant => self.spawn(),
            Process::Failed { .. } if !has_tasks => {
                (self.process, self.failures) = (Process::None, 0);
            }
            Process::Runs { pid, .. } if !has_tasks => {
                self.process = Process::Leaves { pid: Some(*pid) };
                self.steps.push(Step::Tell(Order::Finish { at_most_ms: 0 }));
            }
            Process::None
            | Process::Failed { .. }
            | Process::Starts { .. }
            | Process::Runs { .. }
            | Process::Leaves { .. } => {}
        }
    }

    fn spawn(&mut self) {
        self.process = Process::Starts { pid: None };
        self.steps.push(Step::Spawn);
    }

    fn of_run(&mut self, run: Run) -> Option<&mut Source> {
        let is_meant = |it: &&mut Source| it.task.as_ref().is_some_and(|task| task.run == run);
        self.sources.values_mut().find(is_meant)
    }

    /// A source that runs, passive or not.
    fn running(&mut self, name: &str) -> Result<&mut Source, EngineError> {
        let process = self.process.clone();
        let source = self.sources.get_mut(name);
        let source = source.ok_or_else(|| refusal::unknown(name))?;
        if source.definition.wish == Wish::Rest || source.runs(&process).is_none() {
            return Err(refusal::does_not_run(name, source.refused.as_deref()));
        }
        Ok(source)
    }
}

#[cfg(test)]
#[path = "supervisor/tests.rs"]
mod tests;
