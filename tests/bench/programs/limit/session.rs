//! One client: messages in, answers out.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::log::Log;
use crate::statement::Statement;

/// How long a statement computes.
const WORK: Duration = Duration::from_micros(3);
/// Longest message; nothing that pgbench sends is near it.
const MAX_MESSAGE: usize = 1 << 20;
/// The numbers that ask for TLS and for GSSAPI instead of a start-up.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];

/// One column `balance` of type int4, in text.
const ROW_DESCRIPTION: &[u8] = b"\0\x01balance\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
/// One row with 123 in it.
const ROW: &[u8] = b"\0\x01\0\0\0\x03123";

/// A connection and what it has prepared.
pub(crate) struct Session<'log> {
    stream: TcpStream,
    log: &'log Log,
    input: Vec<u8>,
    output: Vec<u8>,
    statements: HashMap<Vec<u8>, Statement>,
    bound: Statement,
    in_transaction: bool,
}

impl<'log> Session<'log> {
    /// A client that has just come.
    pub(crate) fn new(stream: TcpStream, log: &'log Log) -> Self {
        Self {
            stream,
            log,
            input: Vec::with_capacity(65536),
            output: Vec::with_capacity(65536),
            statements: HashMap::new(),
            bound: Statement::Other,
            in_transaction: false,
        }
    }

    /// Serves until the client goes.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut started = false;
        let mut piece = vec![0; 65536];
        loop {
            let count = self.stream.read(&mut piece)?;
            if count == 0 {
                return Ok(());
            }
            self.input
                .extend_from_slice(piece.get(..count).unwrap_or_default());
            let mut at = 0;
            while let Some((kind, end)) = next_message(&self.input, at, started)? {
                let body_at = at + if started { 5 } else { 4 };
                let body = self.input.get(body_at..end).unwrap_or_default().to_vec();
                if !started {
                    started = self.start(&body)?;
                } else if kind == b'X' {
                    return Ok(());
                } else {
                    self.answer(kind, &body)?;
                }
                at = end;
            }
            self.input.drain(..at);
            // All that has come is answered at once: a pipeline is one write.
            if !self.output.is_empty() {
                self.stream.write_all(&self.output)?;
                self.output.clear();
            }
        }
    }

    fn start(&mut self, body: &[u8]) -> Result<bool> {
        let code = body.first_chunk().map_or(0, |code| u32_of(*code));
        if ENCRYPTION_REQUESTS.contains(&code) {
            self.stream.write_all(b"N")?;
            return Ok(false);
        }
        self.put(b'R', &[0; 4]);
        for setting in [
            &b"server_version\x0015.0\0"[..],
            b"client_encoding\0UTF8\0",
            b"standard_conforming_strings\0on\0",
        ] {
            self.put(b'S', setting);
        }
        self.put(b'Z', b"I");
        Ok(true)
    }

    fn answer(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        match kind {
            b'P' => {
                let (name, rest) = split_at_zero(body);
                let (text, _) = split_at_zero(rest);
                self.statements.insert(name.to_vec(), Statement::of(text));
                self.put(b'1', b"");
            }
            b'B' => {
                let (_, rest) = split_at_zero(body);
                let (name, _) = split_at_zero(rest);
                self.bound = self.statement(name)?;
                self.put(b'2', b"");
            }
            b'D' => {
                let statement = match body.split_first() {
                    Some((b'S', name)) => self.statement(split_at_zero(name).0)?,
                    _ => self.bound,
                };
                if statement == Statement::Select {
                    self.put(b'T', ROW_DESCRIPTION);
                } else {
                    self.put(b'n', b"");
                }
            }
            b'E' => self.execute(self.bound)?,
            b'Q' => {
                let (text, _) = split_at_zero(body);
                let statement = Statement::of(text);
                if statement == Statement::Select {
                    self.put(b'T', ROW_DESCRIPTION);
                }
                self.execute(statement)?;
                self.ready();
            }
            b'S' => self.ready(),
            b'C' => self.put(b'3', b""),
            b'H' => {}
            _ => return Err(Error::new(ErrorKind::InvalidData, "unknown message")),
        }
        Ok(())
    }

    fn execute(&mut self, statement: Statement) -> Result<()> {
        let end = Instant::now() + WORK;
        while Instant::now() < end {}
        match statement {
            Statement::Begin => self.in_transaction = true,
            Statement::Commit => {
                self.in_transaction = false;
                self.log.commit()?;
            }
            Statement::Write if !self.in_transaction => self.log.commit()?,
            Statement::Select => self.put(b'D', ROW),
            Statement::Write | Statement::Other => {}
        }
        self.put(b'C', statement.tag());
        Ok(())
    }

    fn statement(&self, name: &[u8]) -> Result<Statement> {
        let unknown = || Error::new(ErrorKind::InvalidData, "no such statement");
        self.statements.get(name).copied().ok_or_else(unknown)
    }

    fn ready(&mut self) {
        self.put(b'Z', if self.in_transaction { b"T" } else { b"I" });
    }

    fn put(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
        self.output.push(kind);
        self.output.extend_from_slice(&bytes_of(length));
        self.output.extend_from_slice(body);
    }
}

/// Kind and end of the message at a place, once all of it is there. The start-up has no kind.
fn next_message(input: &[u8], at: usize, started: bool) -> Result<Option<(u8, usize)>> {
    let length_at = at + usize::from(started);
    let rest = input.get(length_at..).unwrap_or_default();
    let Some(length) = rest.first_chunk() else {
        return Ok(None);
    };
    let length = u32_of(*length) as usize;
    if !(4..=MAX_MESSAGE).contains(&length) {
        return Err(Error::new(ErrorKind::InvalidData, "a message's length"));
    }
    let kind = input.get(at).copied().unwrap_or_default();
    Ok((rest.len() >= length).then_some((kind, length_at + length)))
}

fn split_at_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0);
    let (first, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    (first, rest.get(1..).unwrap_or_default())
}

/// The protocol's byte order is the network's.
fn u32_of(bytes: [u8; 4]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

fn bytes_of(number: u32) -> [u8; 4] {
    let mut bytes = number.to_le_bytes();
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_after_both_ways() {
        assert_eq!(bytes_of(0x0102_0304), [1, 2, 3, 4]);
        assert_eq!(u32_of([1, 2, 3, 4]), 0x0102_0304);
    }

    #[test]
    fn a_message_is_taken_when_all_of_it_is_there() {
        let whole = b"Q\0\0\0\x06a\0S";
        assert_eq!(
            next_message(whole, 0, true).expect("a length"),
            Some((b'Q', 7))
        );
        assert_eq!(next_message(&whole[..6], 0, true).expect("a length"), None);
        assert!(next_message(b"Q\xff\xff\xff\xff", 0, true).is_err());
    }
}
