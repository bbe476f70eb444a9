//! The warnings and errors of late, and how many there were: for the status page and the metrics.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use dbconfig::syslog::Severity;
use fwlog::Timestamp;

use crate::process::Counter;

/// Lines that are kept.
const MOST: usize = 20;

/// Bytes that are kept of a line.
const MAX_TEXT: usize = 500;

/// A warning or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentLine {
    /// When it was told.
    pub time: Timestamp,
    /// An error, else a warning.
    pub is_error: bool,
    /// Its words, with the part of the server that has said them.
    pub text: String,
}

/// What was told of late. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Recent(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<VecDeque<RecentLine>>,
    errors: Counter,
    warnings: Counter,
}

impl Recent {
    /// The lines, the newest first.
    pub fn lines(&self) -> Vec<RecentLine> {
        let lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().cloned().collect()
    }

    /// Errors since the start, with those that were only counted.
    pub fn errors(&self) -> u64 {
        self.0.errors.get()
    }

    /// Warnings since the start, with those that were only counted.
    pub fn warnings(&self) -> u64 {
        self.0.warnings.get()
    }

    /// One more, whether it is told or not.
    pub(super) fn count(&self, severity: Severity) {
        match severity {
            Severity::Error => self.0.errors.add(1),
            Severity::Warning => self.0.warnings.add(1),
            Severity::Info | Severity::Debug => {}
        }
    }

    /// One that is told; `words` begin with its level.
    pub(super) fn note(&self, severity: Severity, words: &str) {
        if !matches!(severity, Severity::Error | Severity::Warning) {
            return;
        }
        let words = words.trim_start();
        let text = words.split_once(' ').map_or(words, |(_, text)| text);
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST {
            lines.pop_front();
        }
        lines.push_back(RecentLine {
            time: Timestamp::now(),
            is_error: severity == Severity::Error,
            text: text.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_all_are_counted() {
        let recent = Recent::default();
        for number in 0..30 {
            recent.count(Severity::Error);
            recent.note(Severity::Error, &format!("ERROR part: broken {number}"));
        }
        recent.count(Severity::Warning);
        recent.note(
            Severity::Warning,
            &format!(" WARN part: {}", "ü".repeat(MAX_TEXT)),
        );
        recent.note(Severity::Info, "INFO part: all is well");
        let lines = recent.lines();
        assert_eq!(lines.len(), MOST);
        assert_eq!(
            (lines[1].text.as_str(), lines[1].is_error),
            ("part: broken 29", true)
        );
        assert!(!lines[0].is_error && lines[0].text.len() <= MAX_TEXT);
        assert_eq!((recent.errors(), recent.warnings()), (30, 1));
    }
}
