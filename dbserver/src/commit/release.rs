//! What of the log is released: durable here, and on as many slaves as `SyncSlaves` asks for.
//!
//! Readers see what is released, and no more (invariant 2): the horizon moves here, and nowhere else while a log is
//! written. Sessions wait here for what they have committed.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

use dbconfig::{Config, SyncOnLoss, Synchronous};
use fwlog::{CommitNumber, Durable, LogPoint};
use pagestore::Horizon;

use crate::commit::quorum::{Acknowledged, Quorum, Reach};
use crate::databases::permit::Interrupt;
use crate::error::EngineError;

/// How often who waits looks whether it may go on waiting.
const LOOK: Duration = Duration::from_secs(1);

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Enough slaves have it on their disks.
    Durable,
    /// Their readers see it, too.
    Applied,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Release {
    horizon: Arc<Horizon>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    quorum: Quorum,
    on_loss: SyncOnLoss,
    /// They never go back.
    released: Reach,
    applied: Reach,
    /// What must be released before this server answers clients: what was in the log when it began to write it.
    opens_at: Reach,
    /// Since when too few slaves have what is on this disk; what that was at the time.
    behind: Option<(Instant, Reach)>,
    /// Alone: what enough slaves have to have to be waited for again.
    caught_up_at: Option<Reach>,
    waiting: Vec<Waiting>,
    /// Counts the times that a log was begun here: who waits for what another one has is told so.
    tenure: u64,
    /// This server writes no log any more.
    has_ended: bool,
}

#[derive(Debug)]
struct Waiting {
    thread: Thread,
    target: Reach,
    until: Until,
}

/// How commits that wait stand, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct ReleaseStatus {
    /// `SyncSlaves`; none: nothing waits.
    pub(crate) rule: Option<String>,
    /// `SyncOnLoss = wait`.
    pub(crate) waits_for_ever: bool,
    /// The newest commit that is released, and the newest on this disk.
    pub(crate) released: CommitNumber,
    pub(crate) local: CommitNumber,
    /// This server goes on alone.
    pub(crate) is_alone: bool,
    /// Sessions that wait.
    pub(crate) waiting: usize,
    /// For how long too few slaves have answered.
    pub(crate) behind: Option<Duration>,
    /// All that are fed, or would be.
    pub(crate) slaves: Vec<SlaveStatus>,
}

/// How a slave counts, and what it has acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct SlaveStatus {
    pub(crate) name: String,
    pub(crate) priority: u32,
    /// In the words of `pg_stat_replication`.
    pub(crate) state: &'static str,
    pub(crate) acknowledged: Acknowledged,
}

/// What is to be written down before it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Too few slaves have answered for too long: this server is to go on alone.
    Alone,
    /// Enough slaves have caught up: they are waited for again.
    Together,
}

impl Release {
    /// Of an environment whose readers see what the horizon says.
    pub(crate) fn new(horizon: &Arc<Horizon>, own: &str, settings: &Synchronous) -> Self {
        Self {
            horizon: Arc::clone(horizon),
            state: Mutex::new(State {
                quorum: Quorum::new(own, settings.slaves.clone()),
                on_loss: settings.on_loss,
                released: Reach::default(),
                applied: Reach::default(),
                opens_at: Reach::default(),
                behind: None,
                caught_up_at: None,
                waiting: Vec::new(),
                tenure: 0,
                has_ended: false,
            }),
        }
    }

    /// The same as a configuration says.
    pub(crate) fn of(horizon: &Arc<Horizon>, config: &Config) -> Self {
        let (own, settings) = (&config.server.instance, &config.replication.synchronous);
        Self::new(horizon, own, settings)
    }

    /// A log is written from here on, behind `end`. `restarted`: what is before may not have been seen yet by anybody, or
    /// on this server only, and clients are answered once it is released ([`Release::is_open`]).
    pub(crate) fn begin(&self, end: &Durable, is_alone: bool, restarted: bool) {
        let mut state = self.state();
        state.quorum.begin(end);
        state.quorum.set_alone(is_alone);
        (state.released, state.applied) = (Reach::default(), Reach::default());
        state.opens_at = if restarted {
            Reach::from(end)
        } else {
            Reach::default()
        };
        (state.behind, state.caught_up_at) = (None, None);
        state.tenure += 1;
        state.has_ended = false;
        self.settle(&mut state);
    }

    /// This server writes no log any more: whoever still waits hears that nobody knows.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        for it in state.waiting.drain(..) {
            it.thread.unpark();
        }
    }

    /// The log is on this server's disk up to there.
    pub(crate) fn wrote(&self, durable: &Durable) {
        let mut state = self.state();
        state.quorum.wrote(durable);
        self.settle(&mut state);
    }

    /// A slave says how far it is.
    pub(crate) fn acknowledged(&self, name: &str, durable: LogPoint, applied: LogPoint) {
        let mut state = self.state();
        state.quorum.acknowledged(name, durable, applied);
        self.settle(&mut state);
    }

    /// These are the sources now, and whether each is fed.
    pub(crate) fn set_sources(&self, sources: &[(String, bool)]) {
        let mut state = self.state();
        state.quorum.set_sources(sources);
        self.settle(&mut state);
    }

    /// The configuration says this now.
    pub(crate) fn set(&self, settings: &Synchronous) {
        let mut state = self.state();
        state.quorum.set_rule(settings.slaves.clone());
        state.on_loss = settings.on_loss;
        self.settle(&mut state);
    }

    /// This server goes on alone, or waits again: what [`Release::look`] has said was written down.
    pub(crate) fn turn(&self, turn: Turn) {
        let mut state = self.state();
        state.quorum.set_alone(turn == Turn::Alone);
        (state.behind, state.caught_up_at) = (None, None);
        self.settle(&mut state);
    }

    /// Time has passed: what is to be written down, and then told to [`Release::turn`].
    pub(crate) fn look(&self, now: Instant) -> Option<Turn> {
        let mut state = self.state();
        let is_needed = state.quorum.rule().is_some();
        let (enough, local) = (state.quorum.acknowledged_by_enough(), state.quorum.local());
        if state.quorum.is_alone() {
            // Under load the newest commit is always on its way: what there was at the last look is enough.
            let wanted = state.caught_up_at.replace(local);
            let together = !is_needed || wanted.is_some_and(|wanted| enough >= wanted);
            return together.then_some(Turn::Together);
        }
        if !is_needed || enough >= local {
            state.behind = None;
            return None;
        }
        let released = state.released;
        match state.behind {
            Some((since, at)) if at == released => match state.on_loss {
                SyncOnLoss::ContinueAfter(after) if now.duration_since(since) >= after => {
                    Some(Turn::Alone)
                }
                SyncOnLoss::ContinueAfter(_) | SyncOnLoss::Wait => None,
            },
            // It goes on, if slowly.
            Some(_) | None => {
                state.behind = Some((now, released));
                None
            }
        }
    }

    /// Readers see all that is on this disk from now on, whoever has it: the data files are to take it, because the log
    /// ends here or can't be written any more. Who waits goes on waiting.
    pub(crate) fn show_all(&self) {
        let local = self.state().quorum.local().commit.get();
        self.horizon.advance(pagestore::CommitNumber::new(local));
    }

    /// Whether clients are answered: readers must not go back behind what they may have seen before the last stop.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.state();
        state.opens_at <= state.released
    }

    /// Whether slaves are waited for at all.
    pub(crate) fn is_synchronous(&self) -> bool {
        self.state().quorum.rule().is_some()
    }

    /// Whether slaves are to answer at once.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.state().quorum.place_of(name).1 != "async"
    }

    /// All that is on this disk by now, for [`Release::wait`].
    pub(crate) fn local(&self) -> Reach {
        self.state().quorum.local()
    }

    /// Waits until so much is released; none of the locks of a commit is held.
    ///
    /// Errors: the session is to end, or the statement, while too few slaves have the commit. It is in the log of this server all
    /// the same, and readers see it once it is released.
    pub(crate) fn wait(
        &self,
        target: Reach,
        until: Until,
        interrupt: &Interrupt,
    ) -> Result<(), EngineError> {
        self.wait_while(target, until, |state, is_of_tenure| {
            let may_go_on = if state.has_ended || !is_of_tenure {
                Err(EngineError::ChangingRole)
            } else {
                interrupt.check()
            };
            may_go_on.map(|()| LOOK).map_err(|why| {
                let rule = state.quorum.rule().map(ToString::to_string);
                EngineError::NotReleased {
                    commit: target.commit,
                    rule: rule.unwrap_or_default(),
                    why: Box::new(why),
                }
            })
        })
    }

    /// The same for a checkpoint or a change of role, so long at most. `false`: it is not released.
    pub(crate) fn wait_at_most(&self, commit: CommitNumber, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        let target = Reach::of_commit(commit);
        let waited = self.wait_while(target, Until::Durable, |_, _| {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                Err(())
            } else {
                Ok(left.min(LOOK))
            }
        });
        waited.is_ok()
    }

    /// Waits until so much is released. As long as it is not, `look` says for how long it may go on waiting before it is
    /// asked again, or why it may not; it is told whether the log is still that of the beginning.
    fn wait_while<E>(
        &self,
        target: Reach,
        until: Until,
        mut look: impl FnMut(&State, bool) -> Result<Duration, E>,
    ) -> Result<(), E> {
        let me = thread::current();
        let id = me.id();
        let mut state = self.state();
        let tenure = state.tenure;
        if state.has(target, until) {
            return Ok(());
        }
        state.waiting.push(Waiting {
            thread: me,
            target,
            until,
        });
        let waited = loop {
            let is_of_tenure = state.tenure == tenure;
            if is_of_tenure && state.has(target, until) {
                break Ok(());
            }
            let time = match look(&state, is_of_tenure) {
                Ok(time) => time,
                Err(why) => break Err(why),
            };
            drop(state);
            thread::park_timeout(time);
            state = self.state();
        };
        state.leave(id);
        waited
    }

    /// How it stands.
    pub(crate) fn status(&self) -> ReleaseStatus {
        let state = self.state();
        ReleaseStatus {
            rule: state.quorum.rule().map(ToString::to_string),
            waits_for_ever: state.on_loss == SyncOnLoss::Wait,
            released: state.released.commit,
            local: state.quorum.local().commit,
            is_alone: state.quorum.is_alone(),
            waiting: state.waiting.len(),
            behind: state.behind.map(|(since, _)| since.elapsed()),
            slaves: state.slaves(),
        }
    }

    /// What follows from what was heard.
    fn settle(&self, state: &mut State) {
        state.released = state.released.max(state.quorum.released());
        state.applied = state.applied.max(state.quorum.applied());
        self.show(state);
    }

    fn show(&self, state: &mut State) {
        let commit = state.released.commit.get();
        self.horizon.advance(pagestore::CommitNumber::new(commit));
        if state.waiting.is_empty() {
            return;
        }
        // The horizon first: who is woken must find visible what it waited for.
        let waiting = mem::take(&mut state.waiting);
        let (woken, waiting): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|it| state.has(it.target, it.until));
        state.waiting = waiting;
        for it in woken {
            it.thread.unpark();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn slaves(&self) -> Vec<SlaveStatus> {
        let slaves = self.quorum.slaves().iter();
        let status = |(name, acknowledged): (&String, &Acknowledged)| {
            let (priority, state) = self.quorum.place_of(name);
            SlaveStatus {
                name: name.clone(),
                priority,
                state,
                acknowledged: *acknowledged,
            }
        };
        slaves.map(status).collect()
    }

    fn has(&self, target: Reach, until: Until) -> bool {
        let is_in = |reach: Reach| target.bytes <= reach.bytes && target.commit <= reach.commit;
        is_in(self.released) && (until == Until::Durable || is_in(self.applied))
    }

    fn leave(&mut self, thread: ThreadId) {
        self.waiting.retain(|it| it.thread.id() != thread);
    }
}

#[cfg(test)]
mod tests;
