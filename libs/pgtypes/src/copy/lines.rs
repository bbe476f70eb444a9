//! Where the lines of a COPY stream end.
//!
//! ```text
//! chunk ──> | done | line that is being looked for | not looked at yet |
//!                  ^ start                         ^ scan
//! ```
//!
//! A byte is looked at once, however the stream is cut: `scan` only moves forward, and where the
//! meaning of a byte depends on the next ones, the search stops before it until they are there.

use std::ops::Range;

use memchr::memchr3;

use super::error::CopyError;
use super::options::{CopyFormat, CopyOptions};
use crate::SqlState;

/// How the lines of this stream end; the first line decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    NotSeenYet,
    Newline,
    CarriageReturn,
    Both,
}

/// Whether there is more to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    Finished,
    /// The end marker was there: what follows means nothing.
    Marked,
}

/// Where the search stands with quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Quotes {
    inside: bool,
    /// The last byte inside was an escape that is not escaped itself.
    escaped: bool,
}

/// What the search came upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A line, without its end.
    Line(Range<usize>),
    /// Nothing whole; feed more.
    NeedMore,
    /// The end of the stream or the end marker.
    End,
}

/// Cuts a stream into lines.
#[derive(Debug)]
pub(super) struct Lines {
    /// Quote and escape, where quotes hide line ends.
    csv: Option<(u8, u8)>,
    buffer: Vec<u8>,
    start: usize,
    scan: usize,
    line_end: LineEnd,
    quotes: Quotes,
    number: u64,
    input: Input,
    max_line_bytes: usize,
}

impl Lines {
    pub(super) fn new(options: &CopyOptions, max_line_bytes: usize) -> Self {
        Self {
            csv: (options.format == CopyFormat::Csv).then_some((options.quote, options.escape)),
            buffer: Vec::new(),
            start: 0,
            scan: 0,
            line_end: LineEnd::NotSeenYet,
            quotes: Quotes::default(),
            number: 0,
            input: Input::Open,
            max_line_bytes,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        if self.input == Input::Marked {
            return;
        }
        self.buffer.drain(..self.start);
        self.scan -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    pub(super) fn finish(&mut self) {
        if self.input == Input::Open {
            self.input = Input::Finished;
        }
    }

    /// The number of the line that was found last, or that is being looked for inside quotes.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    pub(super) fn find(&mut self) -> Result<Found, CopyError> {
        if self.input == Input::Marked {
            return Ok(Found::End);
        }
        loop {
            if self.scan - self.start > self.max_line_bytes {
                return Err(self.too_long());
            }
            let Some(&byte) = self.buffer.get(self.scan) else {
                return Ok(self.at_end_of_buffer());
            };
            let found = match byte {
                b'\r' if !self.quotes.inside => self.carriage_return()?,
                b'\n' if !self.quotes.inside => self.newline()?,
                b'\\' if self.csv.is_none() || (self.scan == self.start && !self.quotes.inside) => {
                    self.backslash()?
                }
                _ => {
                    self.plain(byte);
                    None
                }
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// A byte that ends nothing; in CSV it may open or close quotes.
    fn plain(&mut self, byte: u8) {
        self.scan += 1;
        let Some((quote, escape)) = self.csv else {
            // Nothing but line ends and backslashes matters: go on to the next of them.
            let rest = self.buffer.get(self.scan..).unwrap_or_default();
            self.scan += memchr3(b'\n', b'\r', b'\\', rest).unwrap_or(rest.len());
            return;
        };
        if quote == escape {
            // A doubled quote closes and opens: no line end can hide between the two.
            self.quotes.inside ^= byte == quote;
        } else {
            if byte == escape && self.quotes.inside {
                self.quotes.escaped = !self.quotes.escaped;
            }
            self.quotes.inside ^= byte == quote && !self.quotes.escaped;
            self.quotes.escaped &= byte == escape;
        }
        if self.quotes.inside && byte == self.byte_that_counts_lines() {
            self.number += 1;
        }
        let rest = self.buffer.get(self.scan..).unwrap_or_default();
        let next = if !self.quotes.inside {
            memchr3(b'\n', b'\r', quote, rest)
        } else if self.quotes.escaped {
            Some(0)
        } else {
            memchr3(quote, escape, self.byte_that_counts_lines(), rest)
        };
        self.scan += next.unwrap_or(rest.len());
    }

    fn byte_that_counts_lines(&self) -> u8 {
        match self.line_end {
            LineEnd::CarriageReturn => b'\r',
            LineEnd::NotSeenYet | LineEnd::Newline | LineEnd::Both => b'\n',
        }
    }

    fn at_end_of_buffer(&mut self) -> Found {
        if self.input == Input::Open {
            return Found::NeedMore;
        }
        if self.start == self.scan {
            Found::End
        } else {
            self.line(0)
        }
    }

    /// The line ends before `scan`; its end takes `end_bytes`.
    fn line(&mut self, end_bytes: usize) -> Found {
        let range = self.start..self.scan;
        self.scan += end_bytes;
        self.start = self.scan;
        self.number += 1;
        self.quotes = Quotes::default();
        Found::Line(range)
    }

    /// The byte `ahead` of `scan`: `None` when the stream ends there, `Err` when it is not here yet.
    fn peek(&self, ahead: usize) -> Result<Option<u8>, Found> {
        match self.buffer.get(self.scan + ahead) {
            Some(byte) => Ok(Some(*byte)),
            None if self.input == Input::Finished => Ok(None),
            None => Err(Found::NeedMore),
        }
    }

    fn carriage_return(&mut self) -> Result<Option<Found>, CopyError> {
        if self.line_end == LineEnd::Newline {
            return Err(self.stray("carriage return"));
        }
        if self.line_end == LineEnd::CarriageReturn {
            return Ok(Some(self.line(1)));
        }
        match self.peek(1) {
            Err(need_more) => Ok(Some(need_more)),
            Ok(Some(b'\n')) => {
                self.line_end = LineEnd::Both;
                Ok(Some(self.line(2)))
            }
            Ok(_) if self.line_end == LineEnd::Both => Err(self.stray("carriage return")),
            Ok(_) => {
                self.line_end = LineEnd::CarriageReturn;
                Ok(Some(self.line(1)))
            }
        }
    }

    fn newline(&mut self) -> Result<Option<Found>, CopyError> {
        if matches!(self.line_end, LineEnd::CarriageReturn | LineEnd::Both) {
            return Err(self.stray("newline"));
        }
        self.line_end = LineEnd::Newline;
        Ok(Some(self.line(1)))
    }

    fn backslash(&mut self) -> Result<Option<Found>, CopyError> {
        let next = match self.peek(1) {
            Err(need_more) => return Ok(Some(need_more)),
            Ok(next) => next,
        };
        if next != Some(b'.') {
            match self.csv {
                Some(_) => self.plain(b'\\'),
                None => self.scan += if next.is_some() { 2 } else { 1 },
            }
            return Ok(None);
        }
        match self.peek(2) {
            Err(need_more) => Ok(Some(need_more)),
            Ok(None | Some(b'\n' | b'\r')) => Ok(Some(self.end_marker())),
            Ok(Some(_)) if self.csv.is_some() => {
                self.plain(b'\\');
                Ok(None)
            }
            Ok(Some(_)) => Err(self.error(CopyError::format("end-of-copy marker corrupt"))),
        }
    }

    /// The stream ends here; what stands before the marker on its line is still a line.
    fn end_marker(&mut self) -> Found {
        self.input = Input::Marked;
        if self.start == self.scan {
            Found::End
        } else {
            self.line(0)
        }
    }

    fn stray(&self, what: &str) -> CopyError {
        let (kind, hint) = match (self.csv, what) {
            (Some(_), "newline") => ("unquoted", "Use quoted CSV field to represent newline."),
            (Some(_), _) => (
                "unquoted",
                "Use quoted CSV field to represent carriage return.",
            ),
            (None, "newline") => ("literal", "Use \"\\n\" to represent newline."),
            (None, _) => ("literal", "Use \"\\r\" to represent carriage return."),
        };
        CopyError::format(format!("{kind} {what} found in data"))
            .with_hint(hint)
            .at(self.number + 1, None)
    }

    fn too_long(&self) -> CopyError {
        let mut error =
            CopyError::format(format!("line is longer than {} bytes", self.max_line_bytes));
        error.sqlstate = SqlState::PROGRAM_LIMIT_EXCEEDED;
        self.error(error)
    }

    /// An error in the line that is being looked for.
    fn error(&self, error: CopyError) -> CopyError {
        error.at(self.number + 1, Some(self.bytes(self.start..self.scan)))
    }
}
