//! One event of the log is one line, whatever a client has put into it.

use std::io::{self, Write};

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
        if line.contains(char::is_control) {
            let mut plain = String::with_capacity(event.len() + 16);
            for c in line.chars() {
                if c.is_control() {
                    plain.extend(c.escape_default());
                } else {
                    plain.push(c);
                }
            }
            plain.push_str(end);
            self.0.write_all(plain.as_bytes())?;
        } else {
            self.0.write_all(event)?;
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
