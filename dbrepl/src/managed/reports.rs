//! What the server that runs this dbrepl is told: lines on standard output.

use std::io::{Write as _, stdout};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dbconfig::syslog::Severity;
use dbproto::Status;
use dbproto::managed::{Backlog, LineWeight, Proved, Report, Run, StopReason, TaskState, to_line};
use tokio::sync::watch;

use crate::stats::Stats;

/// The way to the server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Reports(Arc<Mutex<()>>);

impl Reports {
    /// Tells it something. A server that is gone needs not be told, and its end is heard on standard input.
    pub(crate) fn send(&self, report: &Report) {
        let Ok(line) = to_line(report) else {
            // No report has anything that is no text.
            return;
        };
        // One line at a time.
        let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = stdout().lock();
        drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
    }

    /// A line for its log.
    pub(crate) fn line(&self, name: Option<&str>, severity: Severity, text: &str) {
        self.send(&Report::Line {
            name: name.map(str::to_owned),
            weight: match severity {
                Severity::Error => LineWeight::Error,
                Severity::Warning => LineWeight::Warning,
                Severity::Info => LineWeight::Info,
                Severity::Debug => LineWeight::Debug,
            },
            text: text.to_owned(),
        });
    }
}

/// Tells the server how a source stands, where one runs this dbrepl. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Teller(Option<Arc<Told>>);

#[derive(Debug)]
struct Told {
    run: Run,
    /// The name that the slave must have.
    name: String,
    reports: Reports,
    stats: Stats,
    last: Mutex<Last>,
    /// An operator wants it to end.
    stop: OnceLock<StopReason>,
    /// Commits wait for the slave.
    prompt: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Last {
    state: Option<(TaskState, Option<String>)>,
    backlog: Option<Backlog>,
}

impl Teller {
    /// Of one run of a source.
    pub(crate) fn new(run: Run, name: &str, reports: &Reports, stats: &Stats) -> Self {
        Self(Some(Arc::new(Told {
            run,
            name: name.to_owned(),
            reports: reports.clone(),
            stats: stats.clone(),
            last: Mutex::default(),
            stop: OnceLock::new(),
            prompt: watch::Sender::new(false),
        })))
    }

    /// The name that the slave must have, if one is asked for.
    pub(crate) fn expected(&self) -> Option<&str> {
        self.0.as_ref().map(|told| told.name.as_str())
    }

    /// An operator wants it to end; what was said first counts.
    pub(crate) fn is_to_stop(&self, because: StopReason) {
        if let Some(told) = &self.0 {
            told.stop.get_or_init(|| because);
        }
    }

    /// Commits wait for the slave, or do not.
    pub(crate) fn set_prompt(&self, prompt: bool) {
        if let Some(told) = &self.0 {
            told.prompt.send_replace(prompt);
        }
    }

    /// Whether commits wait for the slave.
    pub(crate) fn is_prompt(&self) -> bool {
        self.0.as_ref().is_some_and(|told| *told.prompt.borrow())
    }

    /// Tells when that changes, where a server runs this dbrepl.
    pub(crate) fn prompt(&self) -> Option<watch::Receiver<bool>> {
        self.0.as_ref().map(|told| told.prompt.subscribe())
    }

    /// So far the slave is, for those who wait for it.
    pub(crate) fn acknowledged(&self, status: &Status) {
        let Some(told) = self.0.as_ref().filter(|told| *told.prompt.borrow()) else {
            return;
        };
        told.reports.send(&Report::Acknowledged {
            run: told.run,
            durable: Proved(status.durable.point),
            applied: Proved(status.applied.point),
        });
    }

    /// For the operator of the source: why nothing is sent any more, where a server runs this dbrepl.
    pub(crate) fn why_stopped(&self) -> Option<String> {
        let told = self.0.as_ref()?;
        let name = &told.name;
        Some(match told.stop.get() {
            Some(StopReason::Shutdown) => {
                format!("the source was shut down; 'dbctl source start {name}' goes on")
            }
            Some(StopReason::Passive) => {
                format!("the source is passive; 'dbctl source activate {name}' has it send")
            }
            Some(StopReason::Moved) => format!(
                "the source for {name} goes to another address by now; Sources in its configuration says to which"
            ),
            Some(StopReason::Removed) => format!(
                "{name} was taken out of Sources in the configuration; put it back there, then 'dbctl reload', or 'dbctl source start {name} HOST:SERVICE'"
            ),
            None => "the dbrepl of this source has ended with its server, which begins it again; start the server".to_owned(),
        })
    }

    /// Whether a server runs this dbrepl.
    pub(crate) fn is_managed(&self) -> bool {
        self.0.is_some()
    }

    /// It is in this state now; told once. On standby each try looks the same, until one gets further.
    pub(crate) fn state(&self, state: TaskState, reason: Option<&str>) {
        let Some(told) = &self.0 else { return };
        let new = (state, reason.map(str::to_owned));
        let mut last = told.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.state.as_ref();
        let stands_by = before.is_some_and(|(state, _)| *state == TaskState::Standby);
        let is_try = match state {
            TaskState::Connecting => true,
            // A copy has a reason.
            TaskState::Meeting => reason.is_none(),
            TaskState::Shipping
            | TaskState::Waiting
            | TaskState::Standby
            | TaskState::Refused
            | TaskState::Ended => false,
        };
        if before == Some(&new) || stands_by && is_try {
            return;
        }
        told.stats.state(&match reason {
            Some(reason) => format!("{state}: {reason}"),
            None => state.to_string(),
        });
        told.reports.send(&Report::State {
            run: told.run,
            state,
            reason: new.1.clone(),
        });
        last.state = Some(new);
    }

    /// So far the slave is; told where that is another place than before.
    pub(crate) fn backlog(&self, backlog: Backlog) {
        let Some(told) = &self.0 else { return };
        let mut last = told.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.backlog == Some(backlog) {
            return;
        }
        last.backlog = Some(backlog);
        told.reports.send(&Report::Backlog {
            run: told.run,
            backlog,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_source_has_stopped_is_told_with_the_command_that_goes_on() {
        let new = || Teller::new(Run(1), "south", &Reports::default(), &Stats::default());
        let why = |teller: Teller| teller.why_stopped().expect("a reason");
        for (reason, command) in [
            (StopReason::Shutdown, "'dbctl source start south'"),
            (StopReason::Passive, "'dbctl source activate south'"),
            (StopReason::Moved, "another address"),
            (
                StopReason::Removed,
                "'dbctl source start south HOST:SERVICE'",
            ),
        ] {
            let teller = new();
            teller.is_to_stop(reason);
            assert!(why(teller).contains(command), "{reason:?}");
        }
        // The server was killed: nobody has said anything.
        assert!(why(new()).contains("ended with its server"));
        assert_eq!(Teller::default().why_stopped(), None);
    }

    #[test]
    fn on_standby_a_try_is_no_other_state() {
        let teller = Teller::new(Run(1), "south", &Reports::default(), &Stats::default());
        let states = [
            (TaskState::Connecting, None, TaskState::Connecting),
            (TaskState::Standby, Some("root"), TaskState::Standby),
            (TaskState::Connecting, Some("root"), TaskState::Standby),
            (TaskState::Meeting, None, TaskState::Standby),
            (TaskState::Standby, Some("root"), TaskState::Standby),
            (TaskState::Waiting, Some("gone"), TaskState::Waiting),
            (TaskState::Connecting, Some("gone"), TaskState::Connecting),
            (TaskState::Standby, Some("root"), TaskState::Standby),
            (TaskState::Meeting, Some("a copy"), TaskState::Meeting),
            (TaskState::Standby, Some("root"), TaskState::Standby),
            (TaskState::Shipping, None, TaskState::Shipping),
        ];
        for (state, reason, expected) in states {
            teller.state(state, reason);
            let told = teller.0.as_ref().expect("a server");
            let last = told.last.lock().unwrap();
            let last = last.state.as_ref().map(|(state, _)| *state);
            assert_eq!(last, Some(expected), "{state} {reason:?}");
        }
    }
}
