//! What the operator reads: lines, and a progress bar on a terminal.
//!
//! | prefix | shown |
//! | --- | --- |
//! | `R0:` | always: changes of state |
//! | `R1:` | with `-v`: progress |

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write, stderr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use dbconfig::syslog::{SYSTEM_LOG, Severity, Syslog, stderr_prefix};
use dbconfig::{HostService, LogTarget};
use fwlog::Timestamp;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::error::ShipError;
use crate::managed::Reports;
use crate::progress::CatchUp;

/// A catch-up of fewer bytes needs no bar.
const LONG_CATCH_UP: u64 = 32 << 20;

#[derive(Debug)]
enum Sink {
    Console,
    File(File, PathBuf),
    Syslog(Syslog),
    /// The server that runs this dbrepl, and the slave that the lines are about.
    Server(Reports, Option<String>),
}

impl Sink {
    fn of_source(reports: &Reports, name: &str, file: Option<&Path>) -> Result<Self, ShipError> {
        match file {
            Some(file) => Self::open(&LogTarget::File(file.to_owned())),
            None => Ok(Self::Server(reports.clone(), Some(name.to_owned()))),
        }
    }

    fn open(target: &LogTarget) -> Result<Self, ShipError> {
        Ok(match target {
            LogTarget::Console => Self::Console,
            LogTarget::File(path) => {
                let file = open(path).map_err(|error| {
                    ShipError::usage(format!(
                        "can't open the log file {}: {error}",
                        path.display()
                    ))
                    .hint(disk::directory_hint(path).unwrap_or_default())
                })?;
                Self::File(file, path.clone())
            }
            LogTarget::Syslog => Self::Syslog(Syslog::open("dbrepl").map_err(|error| {
                ShipError::usage(format!(
                    "can't reach the system's log ({SYSTEM_LOG}): {error}"
                ))
            })?),
        })
    }
}

/// Writes lines to where the operator wants them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reporter {
    sink: Arc<Mutex<Sink>>,
    verbose: bool,
    /// Lines on the console have their time, too.
    dated: bool,
    /// The slave that the lines are about, where there are several.
    about: Option<Arc<str>>,
    /// The bars of all slaves, and the one of this.
    bars: MultiProgress,
    bar: ProgressBar,
    catch_up: Option<CatchUp>,
}

impl Reporter {
    /// Opens the log. An existing file is continued.
    pub fn open(target: &LogTarget, verbose: bool) -> Result<Self, ShipError> {
        let sink = Sink::open(target)?;
        Ok(Self::to(sink, verbose))
    }

    /// Writes to standard error.
    pub fn console() -> Self {
        Self::to(Sink::Console, false)
    }

    /// Tells the server that runs this dbrepl.
    pub(crate) fn to_server(reports: &Reports, verbose: bool) -> Self {
        Self::to(Sink::Server(reports.clone(), None), verbose)
    }

    /// Lines about a slave of this name, which go to a place of their own: a file, else to that server.
    pub(crate) fn of_source(
        &self,
        reports: &Reports,
        name: &str,
        file: Option<&Path>,
    ) -> Result<Self, ShipError> {
        let sink = Sink::of_source(reports, name, file)?;
        Ok(Self::to(sink, self.verbose))
    }

    /// From now on they go to another place.
    pub(crate) fn go_on_in(
        &self,
        reports: &Reports,
        name: &str,
        file: Option<&Path>,
    ) -> Result<(), ShipError> {
        let sink = Sink::of_source(reports, name, file)?;
        *self.sink.lock().unwrap_or_else(PoisonError::into_inner) = sink;
        Ok(())
    }

    fn to(sink: Sink, verbose: bool) -> Self {
        Self {
            sink: Arc::new(Mutex::new(sink)),
            verbose,
            dated: false,
            about: None,
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            bar: ProgressBar::hidden(),
            catch_up: None,
        }
    }

    /// Writes to the same place, about one of several slaves.
    #[must_use]
    pub fn about(&self, slave: &HostService) -> Self {
        Self {
            about: Some(slave.to_string().into()),
            ..self.clone()
        }
    }

    /// From now on a console that is a file or a pipe gets the time of each line. A terminal is looked at now,
    /// and the journal has times of its own.
    pub fn date_lines(&mut self) {
        let is_journal = !stderr_prefix(Severity::Info).is_empty();
        self.dated = !is_journal && !stderr().is_terminal();
    }

    /// Opens the log file again, which somebody may have moved away.
    pub fn open_again(&self) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let Sink::File(file, path) = &mut *sink else {
            return;
        };
        match open(path) {
            Ok(opened) => *file = opened,
            Err(error) => {
                let line = format!("R0: the log file can't be opened anew: {error}");
                drop(sink);
                self.write(Severity::Warning, &line);
            }
        }
    }

    /// Whether somebody at a terminal, or the journal, reads this.
    pub fn is_console(&self) -> bool {
        let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*sink, Sink::Console)
    }

    /// A line of progress, shown with `-v`.
    pub fn progress(&self, line: &str) {
        if self.verbose {
            self.line(Severity::Info, "R1", line);
        }
    }

    /// A change of state, always shown.
    pub fn state(&self, line: &str) {
        self.line(Severity::Info, "R0", line);
    }

    /// A change of state to the worse, always shown.
    pub fn warning(&self, line: &str) {
        self.line(Severity::Warning, "R0", line);
    }

    /// What a run with a goal has come to, always shown.
    pub fn result(&self, line: &str) {
        self.line(Severity::Info, "R1", line);
    }

    /// The end, when it is a bad one.
    pub fn failure(&self, failure: &ShipError) {
        self.line(Severity::Error, "dbrepl: error", &failure.message);
        if !failure.hint.is_empty() {
            self.line(Severity::Error, "dbrepl: hint", &failure.hint);
        }
    }

    fn line(&self, severity: Severity, kind: &str, line: &str) {
        if self.tell_server(severity, line) {
            return;
        }
        let line = match &self.about {
            Some(slave) => format!("{kind}: {slave}: {line}"),
            None => format!("{kind}: {line}"),
        };
        self.write(severity, &line);
    }

    /// True: the line was for the server that runs this dbrepl. Its log has times and words for how grave a line is.
    fn tell_server(&self, severity: Severity, line: &str) -> bool {
        let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let Sink::Server(reports, name) = &*sink else {
            return false;
        };
        reports.line(name.as_deref(), severity, line);
        true
    }

    fn write(&self, severity: Severity, line: &str) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.bars.suspend(|| match &mut *sink {
            Sink::Console if self.dated => writeln!(stderr().lock(), "{} {line}", time()),
            Sink::Console => writeln!(stderr().lock(), "{}{line}", stderr_prefix(severity)),
            Sink::File(file, _) => file.write_all(format!("{} {line}\n", time()).as_bytes()),
            Sink::Syslog(syslog) => syslog.send(severity, line),
            Sink::Server(reports, name) => {
                reports.line(name.as_deref(), severity, line);
                Ok(())
            }
        });
        // A full disk under the log file must not stop replication, and there is nowhere to say so.
        drop(written);
    }

    /// Shows how a long catch-up of so many bytes goes on, when somebody can see it.
    pub fn begin_catch_up(&mut self, bytes: u64) {
        if bytes < LONG_CATCH_UP || !self.is_console() || !stderr().is_terminal() {
            return;
        }
        if self.bars.is_hidden() {
            self.bars.set_draw_target(ProgressDrawTarget::stderr());
        }
        let bar = self.bars.add(ProgressBar::new(bytes));
        // Cut to the width that the terminal has when it is drawn.
        bar.set_style(
            ProgressStyle::with_template("{wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        self.bar = bar;
        self.catch_up = Some(CatchUp::begin(Instant::now()));
        self.show_catch_up(0, bytes);
    }

    /// So many bytes are durable at the slave, of so many to go in all.
    pub fn show_catch_up(&mut self, done: u64, all: u64) {
        let Some(catch_up) = &mut self.catch_up else {
            return;
        };
        let line = catch_up.line(Instant::now(), done, all);
        let slave = self.about.as_deref().map(|slave| format!("{slave}: "));
        self.bar
            .set_message(format!("{}{line}", slave.unwrap_or_default()));
    }

    /// The slave has caught up, or the connection was lost.
    pub fn end_catch_up(&mut self) {
        if self.catch_up.take().is_none() {
            return;
        }
        let bar = std::mem::replace(&mut self.bar, ProgressBar::hidden());
        bar.finish_and_clear();
        self.bars.remove(&bar);
    }
}

/// As in the server's log.
fn time() -> String {
    Timestamp::now().to_string().replace(' ', "T")
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

/// Takes formatted debug messages, one a call; they end up in the same place.
#[derive(Debug)]
pub struct DebugMessage {
    reporter: Reporter,
    severity: Severity,
}

impl MakeWriter<'_> for Reporter {
    type Writer = DebugMessage;

    fn make_writer(&self) -> DebugMessage {
        DebugMessage {
            reporter: self.clone(),
            severity: Severity::Debug,
        }
    }

    fn make_writer_for(&self, message: &Metadata<'_>) -> DebugMessage {
        DebugMessage {
            reporter: self.clone(),
            severity: Severity::of_level(message.level().as_str()),
        }
    }
}

impl Write for DebugMessage {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.reporter.write(self.severity, text.trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(verbose: bool) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let reporter = Reporter::open(&LogTarget::File(path.clone()), verbose).unwrap();
        reporter.progress("found synchronization point with slave server");
        reporter.state("connected");
        reporter.failure(&ShipError::usage("wrong").hint("right"));
        let text = std::fs::read_to_string(path).unwrap();
        // After the time.
        text.lines()
            .map(|line| {
                line.split_once(' ')
                    .map(|(_, rest)| rest)
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn progress_is_shown_to_those_who_asked_for_it() {
        let quiet = [
            "R0: connected",
            "dbrepl: error: wrong",
            "dbrepl: hint: right",
        ];
        assert_eq!(lines(false), quiet);
        let all = lines(true);
        assert_eq!(all[0], "R1: found synchronization point with slave server");
        assert_eq!(all[1..], quiet);
    }

    #[test]
    fn where_there_are_several_each_line_names_its_slave() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let all = Reporter::open(&LogTarget::File(path.clone()), true).unwrap();
        let south = all.about(&"south:8102".parse().unwrap());
        south.state("one");
        south.progress("two");
        south.failure(&ShipError::usage("three").hint("four"));
        all.state("five");
        let text = std::fs::read_to_string(path).unwrap();
        let words: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect();
        let lines = [
            "R0: south:8102: one",
            "R1: south:8102: two",
            "dbrepl: error: south:8102: three",
            "dbrepl: hint: south:8102: four",
            "R0: five",
        ];
        assert_eq!(
            words.iter().map(|(_, line)| *line).collect::<Vec<_>>(),
            lines
        );
    }

    #[test]
    fn a_log_file_that_was_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("old"));
        let reporter = Reporter::open(&LogTarget::File(path.clone()), false).unwrap();
        reporter.state("one");
        disk::Disk::real().rename(&path, &old).unwrap();
        reporter.state("two");
        reporter.open_again();
        reporter.state("three");
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert!(text(&old).contains("two") && !text(&old).contains("three"));
        let line = text(&path);
        assert!(line.ends_with("Z R0: three\n"), "with its zone: {line}");
    }

    #[test]
    fn a_log_file_that_cannot_be_opened_is_a_mistake_in_the_options() {
        let target = LogTarget::File("/nowhere/log".into());
        let failure = Reporter::open(&target, false).unwrap_err();
        assert_eq!(failure.code, crate::error::ExitCode::Usage);
    }
}
