//! One event of the log is one line, whatever a client has put into it.

use std::borrow::Cow;
use std::io::{self, Write};

/// A text as one line: control characters are escaped.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_control() {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Writes events. Control characters in them are escaped: nobody forges a line, or sends commands to
/// the terminal of whoever reads the log.
#[derive(Debug)]
pub(super) struct Lines<W>(pub(super) W);

impl<W: Write> Write for Lines<W> {
    /// Takes a whole event, which ends with a line feed.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        match plain(line) {
            Cow::Borrowed(_) => self.0.write_all(event)?,
            Cow::Owned(line) => self.0.write_all((line + end).as_bytes())?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_without_control_characters() {
        let mut out = Vec::new();
        let mut lines = Lines(&mut out);
        lines
            .write_all("für \"a\nERROR b\x1b[2J\u{9b}\"\n".as_bytes())
            .unwrap();
        lines.write_all(b"next\n").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "für \"a\\nERROR b\\u{1b}[2J\\u{9b}\"\nnext\n"
        );
    }
}
