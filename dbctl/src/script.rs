//! SQL scripts as psql writes and reads them: statements, `\` commands, COPY data.

use std::io::{self, BufRead};

use crate::splitter::Splitter;

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A statement without its semicolon.
    Statement(Statement),
    /// `\c name`: go on in another database.
    Connect { database: String, line: usize },
    /// `\echo text`
    Echo(String),
}

/// A statement of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    /// Line where it begins, from 1.
    pub(crate) line: usize,
    pub(crate) copy: Option<Copy>,
    /// What it does, as a command tag begins: `INSERT`, `CREATE TABLE`.
    pub(crate) verb: String,
}

/// The direction of a COPY through the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    In,
    Out,
}

/// A script that can't be read on; the line, and why.
#[derive(Debug)]
pub(crate) struct ScriptError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Reads a script step by step, never more than a statement or a line of COPY data at a time.
pub(crate) struct Script<R> {
    input: R,
    /// Number of the line that `text` is.
    line: usize,
    /// The line that is being read, and how much of it is done.
    text: String,
    done: usize,
    ended: bool,
}

impl<R: BufRead> Script<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            text: String::new(),
            done: 0,
            ended: false,
        }
    }

    /// The next step; none at the end, or after `\q`.
    pub(crate) fn next(&mut self) -> Result<Option<Step>, ScriptError> {
        let mut splitter = Splitter::new();
        let mut sql = String::new();
        let mut begin = self.line;
        while !self.ended {
            if self.done >= self.text.len() && !self.read_line()? {
                break;
            }
            let text = self.text.get(self.done..).unwrap_or_default();
            if !splitter.has_begun() && text.trim_start().starts_with('\\') {
                let command = text.trim().to_owned();
                self.done = self.text.len();
                if let Some(step) = self.meta_command(&command)? {
                    return Ok(Some(step));
                }
                continue;
            }
            let begun = splitter.has_begun();
            let feed = splitter.feed(text);
            if !begun && splitter.has_begun() {
                begin = self.line;
            }
            sql.push_str(text.get(feed.start..feed.end).unwrap_or_default());
            self.done = if feed.complete {
                self.done + feed.end + 1
            } else {
                self.text.len()
            };
            if feed.complete {
                // An empty statement (`;;`) is none.
                if splitter.has_words() {
                    return Ok(Some(Step::Statement(splitter.statement(&sql, begin))));
                }
                (splitter, sql) = (Splitter::new(), String::new());
            }
        }
        self.ended = true;
        if splitter.has_words() && !sql.trim().is_empty() {
            return Ok(Some(Step::Statement(splitter.statement(&sql, begin))));
        }
        Ok(None)
    }

    /// The next line of the data of COPY FROM STDIN, with its line end; none after `\.`.
    pub(crate) fn copy_line(&mut self) -> Result<Option<Vec<u8>>, ScriptError> {
        // The data begins in the line after the statement.
        self.done = self.text.len();
        let bytes = self.read_bytes()?;
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok((!bytes.is_empty() && text != b"\\.").then_some(bytes))
    }

    /// Reads a line; false at the end.
    fn read_line(&mut self) -> Result<bool, ScriptError> {
        let bytes = self.read_bytes()?;
        let text = String::from_utf8(bytes).map_err(|_| ScriptError {
            line: self.line,
            message: "this is not UTF-8 text".into(),
        })?;
        // A byte order mark is no text.
        let mark = if self.line == 1 && text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        (self.text, self.done) = (text, mark);
        Ok(!self.text.is_empty())
    }

    fn read_bytes(&mut self) -> Result<Vec<u8>, ScriptError> {
        let mut bytes = Vec::new();
        self.line += 1;
        let read: io::Result<usize> = self.input.read_until(b'\n', &mut bytes);
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(ScriptError {
                line: self.line,
                message: error.to_string(),
            }),
        }
    }

    fn meta_command(&mut self, text: &str) -> Result<Option<Step>, ScriptError> {
        let line = self.line;
        let (command, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim().trim_end_matches(';').trim_end();
        match command {
            "\\c" | "\\connect" => {
                let database = database_name(argument);
                if database.is_empty() {
                    return Err(ScriptError {
                        line,
                        message: format!("{command} needs a database"),
                    });
                }
                Ok(Some(Step::Connect { database, line }))
            }
            "\\echo" => Ok(Some(Step::Echo(argument.trim_matches('\'').to_owned()))),
            "\\q" | "\\quit" => {
                self.ended = true;
                Ok(None)
            }
            // Settings of psql itself, which scripts of dumps begin with.
            "\\set" | "\\unset" | "\\encoding" | "\\pset" | "\\timing" | "\\restrict"
            | "\\unrestrict" => Ok(None),
            _ => Err(ScriptError {
                line,
                message: format!("{command} is not understood here; psql knows it"),
            }),
        }
    }
}

/// The first word, without quotes.
fn database_name(argument: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(rest) = argument.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default().to_owned();
        }
    }
    argument
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(script: &str) -> Vec<(usize, String)> {
        let mut script = Script::new(script.as_bytes());
        let mut found = Vec::new();
        while let Some(step) = script.next().unwrap() {
            let Step::Statement(statement) = step else {
                panic!("{step:?}")
            };
            found.push((statement.line, statement.sql));
        }
        found
    }

    #[test]
    fn statements_end_at_semicolons_and_know_their_lines() {
        let script = "\u{feff}-- head\n\nSELECT 1; SELECT\n 2;;\n/* c; */ SELECT 3";
        assert_eq!(
            statements(script),
            [
                (3, "SELECT 1".into()),
                (3, "SELECT\n 2".into()),
                (5, "SELECT 3".into())
            ]
        );
        assert_eq!(statements("  \n-- nothing\n;\n"), []);
    }

    #[test]
    fn backslash_commands_stand_between_statements() {
        let mut script = Script::new(
            &b"\\set ON_ERROR_STOP on\nSELECT '\n\\c no\n';\n\\c \"my db\";\n\\echo done\n\\q\nSELECT 1;"[..],
        );
        assert!(
            matches!(script.next().unwrap(), Some(Step::Statement(s)) if s.sql.contains("\\c no"))
        );
        let connect = Step::Connect {
            database: "my db".into(),
            line: 5,
        };
        assert_eq!(script.next().unwrap(), Some(connect));
        assert_eq!(script.next().unwrap(), Some(Step::Echo("done".into())));
        assert_eq!(script.next().unwrap(), None);
        assert_eq!(script.next().unwrap(), None);
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        let error = Script::new(&b"\n\\gexec\n"[..]).next().unwrap_err();
        assert_eq!(
            (error.line, error.message.as_str()),
            (2, "\\gexec is not understood here; psql knows it")
        );
        assert_eq!(Script::new(&b"\\c\n"[..]).next().unwrap_err().line, 1);
        assert_eq!(
            Script::new(&b"SELECT 1\n+ \xff;"[..])
                .next()
                .unwrap_err()
                .line,
            2
        );
    }

    #[test]
    fn copy_data_ends_at_backslash_dot() {
        let text = "COPY t FROM stdin;\n1\ta;b\n\\\\.\n\\.\nSELECT 1;\n";
        let mut script = Script::new(text.as_bytes());
        let Some(Step::Statement(copy)) = script.next().unwrap() else {
            panic!("a statement")
        };
        assert_eq!(copy.copy, Some(Copy::In));
        assert_eq!(script.copy_line().unwrap(), Some(b"1\ta;b\n".to_vec()));
        assert_eq!(script.copy_line().unwrap(), Some(b"\\\\.\n".to_vec()));
        assert_eq!(script.copy_line().unwrap(), None);
        let Some(Step::Statement(next)) = script.next().unwrap() else {
            panic!("a statement")
        };
        assert_eq!((next.line, next.sql.as_str()), (5, "SELECT 1"));
    }
}
