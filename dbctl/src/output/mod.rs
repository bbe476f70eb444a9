//! What dbctl prints: results to standard output, all else to standard error.

mod json;
mod table;

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::error::{CommandError, Exit, Result};

pub(crate) use table::Table;

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints the result of a command: a list when its columns are (name, value), else a table;
    /// with `--json` an object or an array of objects.
    pub(crate) fn result(self, table: &Table) -> Result<()> {
        if self.json {
            return json(&json::CommandResult(table));
        }
        if table.is_list() {
            text(&table.as_list())
        } else {
            text(&table.as_columns())
        }
    }

    /// Prints the rows of a query, framed; with `--json` an array of objects.
    pub(crate) fn rows(self, table: &Table) -> Result<()> {
        if self.json {
            return json(&json::Rows(table));
        }
        text(&table.as_frame())
    }

    /// Prints a line for people; nothing with `--json`.
    pub(crate) fn line(self, line: impl Display) -> Result<()> {
        if self.json {
            Ok(())
        } else {
            text(&format!("{line}\n"))
        }
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<()> {
    let line = serde_json::to_string(value)
        .map_err(|error| CommandError::error(format!("cannot write the result: {error}")))?;
    text(&(line + "\n"))
}

/// Prints text to standard output as it is.
pub(crate) fn text(text: &str) -> Result<()> {
    bytes(text.as_bytes())
}

/// Prints bytes to standard output as they are. A reader that has seen enough (`| head`) is no
/// error.
pub(crate) fn bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError::error(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Ends the program as Ctrl-C does.
#[expect(
    clippy::exit,
    reason = "nobody else can, while the program waits for its input"
)]
pub(crate) fn interrupted() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}

/// Prints a line to standard error.
#[expect(clippy::print_stderr, reason = "the one place that does")]
pub(crate) fn note(line: impl Display) {
    eprintln!("{line}");
}

/// One line on a terminal that is written over again and again. Nothing where nobody watches.
pub(crate) struct ProgressLine {
    watched: bool,
    shown: Option<std::time::Instant>,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self {
            watched: io::stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows a text, at most ten times a second.
    #[expect(clippy::print_stderr, reason = "progress is no result")]
    pub(crate) fn show(&mut self, line: impl FnOnce() -> String) {
        let due = self
            .shown
            .is_none_or(|shown| shown.elapsed().as_millis() >= 100);
        if self.watched && due {
            self.shown = Some(std::time::Instant::now());
            eprint!("\r\x1b[K{}", line());
        }
    }

    /// Removes the line.
    #[expect(clippy::print_stderr, reason = "progress is no result")]
    pub(crate) fn clear(&mut self) {
        if self.shown.take().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}
