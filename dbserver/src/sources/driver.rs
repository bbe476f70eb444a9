//! The thread that does what the state machine says, and the process that it does it with.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dbproto::in_one_line;
use dbproto::managed::{LineWeight, Order, Report, of_line, to_line};

use crate::error::EngineError;
use crate::sources::Sources;
use crate::sources::program::Program;
use crate::sources::supervisor::{Step, Supervisor};

/// How often it is looked whether this server has become the root.
const LOOK: Duration = Duration::from_millis(500);
/// A process that has closed its output ends within this time.
const LAST_STEPS: Duration = Duration::from_secs(15);
const LOOK_FOR_END: Duration = Duration::from_millis(10);

/// Runs the sources until it is told to finish.
pub(crate) struct Driver {
    sources: Arc<Sources>,
    thread: JoinHandle<()>,
    ends: Arc<AtomicBool>,
}

impl Driver {
    /// Begins. `is_root` says whether this server is the root at that moment.
    pub(crate) fn start(
        sources: &Arc<Sources>,
        program: Program,
        is_root: impl Fn() -> bool + Send + 'static,
    ) -> Result<Self, EngineError> {
        let ends = Arc::new(AtomicBool::new(false));
        let (driven, until) = (Arc::clone(sources), Arc::clone(&ends));
        let thread = thread::Builder::new()
            .name("sources".into())
            .spawn(move || {
                let mut process = None;
                while !until.load(Ordering::Acquire) {
                    driven.look(is_root());
                    for step in driven.next_steps(LOOK) {
                        carry_out(step, &driven, &program, &mut process);
                    }
                    take_end(&driven, &mut process);
                }
                if let Some(mut process) = process.take() {
                    process.kill();
                }
            })
            .map_err(|error| EngineError::Internal(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            sources: Arc::clone(sources),
            thread,
            ends,
        })
    }

    /// Ends the process: each slave that is fed gets what the log has, so long at most.
    pub(crate) fn finish(self, grace: Duration) {
        self.sources
            .happened(|supervisor, _| supervisor.close(grace));
        if !self.wait_until_alone(grace + LAST_STEPS) {
            tracing::warn!("the dbrepl of the sources does not end: it is killed");
            self.sources.happened(|supervisor, _| supervisor.kill());
            self.wait_until_alone(LAST_STEPS);
        }
        self.ends.store(true, Ordering::Release);
        self.sources.happened(|_, _| ());
        if self.thread.join().is_err() {
            tracing::error!("the thread of the sources has panicked");
        }
    }

    fn wait_until_alone(&self, at_most: Duration) -> bool {
        let is_busy = |supervisor: &Supervisor| !supervisor.is_alone();
        let (held, _timed_out) = self
            .sources
            .bell
            .wait_timeout_while(self.sources.held(), at_most, |held| {
                is_busy(&held.supervisor)
            })
            .unwrap_or_else(PoisonError::into_inner);
        !is_busy(&held.supervisor)
    }
}

fn carry_out(step: Step, sources: &Arc<Sources>, program: &Program, process: &mut Option<Process>) {
    match step {
        Step::Spawn => match Process::begin(sources, program) {
            Ok(begun) => *process = Some(begun),
            Err(why) => has_ended(sources, None, &End::Died(why)),
        },
        Step::Tell(order) => {
            if let Some(process) = process {
                process.tell(&order);
            }
        }
        Step::Kill => {
            if let Some(process) = process {
                process.kill();
            }
        }
    }
}

/// Where the process has closed its output, it has ended.
fn take_end(sources: &Arc<Sources>, process: &mut Option<Process>) {
    let ended = process.take_if(|process| process.has_ended.load(Ordering::Acquire));
    if let Some(mut ended) = ended {
        let (pid, end) = (ended.child.id(), ended.end());
        has_ended(sources, Some(pid), &end);
    }
}

/// How a process has ended, in words.
enum End {
    Died(String),
    /// Its options or the files that they name are wrong: begun again it ends again.
    Usage(String),
}

/// The exit code for that.
const USAGE: i32 = 2;

fn has_ended(sources: &Arc<Sources>, pid: Option<u32>, end: &End) {
    let why = match end {
        End::Died(why) => why,
        End::Usage(why) => {
            tracing::error!(
                process = pid,
                "the dbrepl of the sources can't begin: {why}; the sources are given up"
            );
            return sources.happened(|supervisor, now| supervisor.give_up(why, now));
        }
    };
    if sources.happened(|supervisor, now| supervisor.has_ended(why, now)) {
        tracing::warn!(
            process = pid,
            "the dbrepl of the sources: {why}; it is started again"
        );
    } else {
        tracing::info!(process = pid, "the dbrepl of the sources: {why}");
    }
}

/// A dbrepl that runs.
struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    /// Its output is closed.
    has_ended: Arc<AtomicBool>,
    /// The last that it has left for a person.
    last_words: Arc<Mutex<Option<String>>>,
    stderr: Option<JoinHandle<()>>,
}

impl Process {
    /// Errors: why it can't be begun.
    fn begin(sources: &Arc<Sources>, program: &Program) -> Result<Self, String> {
        let path = program.path().display();
        let cannot = |error: std::io::Error| format!("{path} can't be started: {error}");
        let mut child = program.command().spawn().map_err(cannot)?;
        sources.happened(|supervisor, _| supervisor.has_begun(child.id()));
        tracing::info!(process = child.id(), "the dbrepl of the sources begins");
        let mut begun = Self {
            orders: child.stdin.take(),
            has_ended: Arc::default(),
            last_words: Arc::default(),
            stderr: None,
            child,
        };
        let (output, words) = (begun.child.stdout.take(), begun.child.stderr.take());
        let (Some(output), Some(words)) = (output, words) else {
            begun.kill();
            return Err(format!("{path} has no pipes"));
        };
        match begun.listen(sources, output, words) {
            Ok(()) => Ok(begun),
            Err(error) => {
                begun.kill();
                Err(cannot(error))
            }
        }
    }

    /// Reads what it says, each on a thread of its own.
    fn listen(
        &mut self,
        sources: &Arc<Sources>,
        output: impl Read + Send + 'static,
        words: impl Read + Send + 'static,
    ) -> std::io::Result<()> {
        let last = Arc::clone(&self.last_words);
        let stderr = thread::Builder::new()
            .name("dbrepl-words".into())
            .spawn(move || {
                for line in BufReader::new(words).lines().map_while(Result::ok) {
                    tracing::warn!("dbrepl: {}", line.trim_start_matches("dbrepl: "));
                    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                    *last = Some(and_then(last.take(), line));
                }
            })?;
        self.stderr = Some(stderr);
        let (sources, has_ended) = (Arc::clone(sources), Arc::clone(&self.has_ended));
        thread::Builder::new()
            .name("dbrepl-reports".into())
            .spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    hear(&sources, &line);
                }
                has_ended.store(true, Ordering::Release);
                sources.happened(|_, _| ());
            })?;
        Ok(())
    }

    /// One that does not read any more has ended, which is heard elsewhere.
    fn tell(&mut self, order: &Order) {
        let Some(orders) = &mut self.orders else {
            return;
        };
        let told = to_line(order).map_err(std::io::Error::other);
        let told = told.and_then(|line| orders.write_all(line.as_bytes()));
        if let Err(error) = told {
            tracing::debug!(%error, "the dbrepl of the sources can't be told anything");
        }
    }

    fn kill(&mut self) {
        // One that has ended already needs no more.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn end(&mut self) -> End {
        drop(self.orders.take());
        let status = self.status();
        if let Some(stderr) = self.stderr.take() {
            // It has nothing more to read.
            drop(stderr.join());
        }
        let words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let after = words
            .as_ref()
            .map_or_else(String::new, |it| format!(": {it}"));
        match (status, &*words) {
            (Ok(status), Some(words)) if status.code() == Some(USAGE) => End::Usage(words.clone()),
            (Ok(status), _) if status.code() == Some(USAGE) => {
                End::Usage(format!("it has ended with {status}"))
            }
            (Ok(status), _) => End::Died(format!("it has ended with {status}{after}")),
            (Err(error), _) => End::Died(format!("it has ended, nobody knows how: {error}{after}")),
        }
    }

    fn status(&mut self) -> std::io::Result<ExitStatus> {
        let deadline = Instant::now() + LAST_STEPS;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                self.child.kill()?;
                return self.child.wait();
            }
            thread::park_timeout(LOOK_FOR_END);
        }
    }
}

/// What dbrepl has said last, with one more line: a hint belongs to the error before it.
fn and_then(before: Option<String>, line: String) -> String {
    match (before, line.split_once("dbrepl: hint: ")) {
        (Some(before), Some((_, hint))) => in_one_line(&before, hint),
        _ => match line.split_once("dbrepl: error: ") {
            Some((_, error)) => error.to_owned(),
            None => line,
        },
    }
}

fn hear(sources: &Sources, line: &str) {
    let report: Report = match of_line(line) {
        Ok(report) => report,
        Err(why) => {
            tracing::error!(
                "the dbrepl of the sources says what can't be read: {why}; use dbserver and dbrepl of the same release"
            );
            return;
        }
    };
    match &report {
        Report::Line { name, weight, text } => {
            let source = name.as_deref();
            match weight {
                LineWeight::Error => tracing::error!(source, "dbrepl: {text}"),
                LineWeight::Warning => tracing::warn!(source, "dbrepl: {text}"),
                LineWeight::Info => tracing::info!(source, "dbrepl: {text}"),
                LineWeight::Debug => tracing::debug!(source, "dbrepl: {text}"),
            }
        }
        Report::Failed { reason, .. } => tracing::warn!("dbrepl: {reason}"),
        Report::Acknowledged {
            run,
            durable,
            applied,
        } => sources.acknowledged(*run, durable.0, applied.0),
        Report::Ready | Report::State { .. } | Report::Backlog { .. } => {
            sources.happened(|supervisor, now| supervisor.hear(&report, now));
        }
    }
}
