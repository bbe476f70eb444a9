//! The start-up of the PostgreSQL protocol, up to `CopyBoth`.

use bytes::BytesMut;
use dbproto::base::BASE_OFFER;
use dbproto::{REPLICATION_DATABASE, REPLICATION_OFFER};
use postgres_protocol::authentication::sasl::{SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tls::scram;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::frame::{FrameReader, MAX_START_UP};
use crate::error::LinkError;

/// Type byte of `CopyBothResponse`, which the protocol library has no type for.
const COPY_BOTH: u8 = b'W';
/// Type byte of `NegotiateProtocolVersion`: the server tells what it can't do, and goes on.
const NEGOTIATE: u8 = b'v';

/// Type byte of `ErrorResponse`.
pub const ERROR: u8 = b'E';

/// Who logs in, and for what.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user.
    pub user: &'a str,
    /// The user's password.
    pub password: Option<&'a str>,
    /// The value of the start-up parameter `replication`.
    pub purpose: &'a str,
    /// The program, for the server's list of sessions.
    pub program: &'a str,
}

impl Login<'_> {
    /// Logs in and asks for replication. Returns when the server has switched to `CopyBoth`. Within TLS `binding` is what binds
    /// the log-in to the server's certificate. Gives what the server offers for the conversation that is asked for.
    pub async fn log_in<R, W>(
        &self,
        reader: &mut FrameReader<R>,
        writer: &mut W,
        binding: Option<Vec<u8>>,
    ) -> Result<Option<String>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut start = StartUp {
            user: self.user,
            password: self.password,
            binding,
            scram: None,
            offer: None,
            out: BytesMut::new(),
        };
        start.begin(self)?;
        loop {
            if !start.out.is_empty() {
                let sent = writer.write_all_buf(&mut start.out).await;
                sent.map_err(|error| lost(&error))?;
                writer.flush().await.map_err(|error| lost(&error))?;
            }
            let frame = reader.next(MAX_START_UP).await?;
            let Some(mut frame) = frame else {
                return Err(LinkError::Left("closed the connection during start-up"));
            };
            match frame.kind {
                COPY_BOTH => return Ok(start.offer),
                NEGOTIATE => {}
                ERROR => return Err(from_error(&frame.into_body())),
                b'R' if let Some(mechanisms) = scram::offered(frame.body()) => {
                    if !scram::offers(mechanisms, SCRAM_SHA_256) {
                        return Err(LinkError::UnknownAuthentication);
                    }
                    start.begin_scram(mechanisms)?;
                }
                _ => match Message::parse(&mut frame.bytes).map_err(unreadable)? {
                    Some(message) => start.answer(message)?,
                    None => return Err(unreadable("cut short")),
                },
            }
        }
    }
}

struct StartUp<'a> {
    user: &'a str,
    password: Option<&'a str>,
    /// Until it is used.
    binding: Option<Vec<u8>>,
    scram: Option<ScramSha256>,
    /// What the server can do, where it says so.
    offer: Option<String>,
    /// To be sent.
    out: BytesMut,
}

impl StartUp<'_> {
    fn begin(&mut self, login: &Login<'_>) -> Result<(), LinkError> {
        let parameters = [
            ("user", self.user),
            ("database", REPLICATION_DATABASE),
            ("replication", login.purpose),
            ("application_name", login.program),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(parameters, &mut self.out).map_err(|_| LinkError::OddUser)
    }

    fn password(&self) -> Result<&str, LinkError> {
        self.password.ok_or_else(|| LinkError::NoPassword {
            user: self.user.to_owned(),
        })
    }

    fn begin_scram(&mut self, mechanisms: &[u8]) -> Result<(), LinkError> {
        let (mechanism, binding) = scram::choose(mechanisms, self.binding.take());
        let scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.out)
            .map_err(unreadable)?;
        self.scram = Some(scram);
        Ok(())
    }

    fn answer(&mut self, message: Message) -> Result<(), LinkError> {
        match message {
            Message::AuthenticationOk
            | Message::BackendKeyData(_)
            | Message::NoticeResponse(_)
            | Message::ReadyForQuery(_) => Ok(()),
            Message::ParameterStatus(told) => {
                let offer = [BASE_OFFER, REPLICATION_OFFER];
                if told.name().is_ok_and(|name| offer.contains(&name)) {
                    self.offer = told.value().ok().map(str::to_owned);
                }
                Ok(())
            }
            Message::AuthenticationSaslContinue(body) => {
                let scram = self
                    .scram
                    .as_mut()
                    .ok_or_else(|| unreadable("out of order"))?;
                if !scram::may_ask(body.data()) {
                    return Err(unreadable("an impossible number of iterations"));
                }
                scram.update(body.data()).map_err(unreadable)?;
                frontend::sasl_response(scram.message(), &mut self.out).map_err(unreadable)
            }
            Message::AuthenticationSaslFinal(body) => {
                let scram = self
                    .scram
                    .as_mut()
                    .ok_or_else(|| unreadable("out of order"))?;
                scram.finish(body.data()).map_err(|_| LinkError::Unproved)
            }
            Message::AuthenticationCleartextPassword
            | Message::AuthenticationMd5Password(_)
            | Message::AuthenticationGss
            | Message::AuthenticationKerberosV5
            | Message::AuthenticationScmCredential
            | Message::AuthenticationSspi => Err(LinkError::UnknownAuthentication),
            _ => Err(unreadable("unexpected")),
        }
    }
}

/// `ErrorResponse`: fields of a type byte and a text ended by a zero byte.
pub fn from_error(body: &[u8]) -> LinkError {
    let field = |kind: u8| {
        body.split(|byte| *byte == 0)
            .find_map(|field| match field.split_first() {
                Some((first, text)) if *first == kind => Some(plain(text)),
                _ => None,
            })
            .unwrap_or_default()
    };
    LinkError::Told {
        sqlstate: field(b'C'),
        message: field(b'M'),
        hint: field(b'H'),
    }
}

/// Text of the other side, for a log or a terminal: on one line, with nothing that either obeys.
fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace(char::is_control, " ")
}

fn lost(error: &std::io::Error) -> LinkError {
    LinkError::Lost(error.to_string())
}

fn unreadable(why: impl std::fmt::Display) -> LinkError {
    LinkError::Unreadable(why.to_string())
}

#[cfg(test)]
mod tests {
    use dbproto::REPLICATION_PARAMETER;

    use super::*;

    async fn answer_with(bytes: &[u8], password: Option<&str>) -> Result<(), LinkError> {
        let mut reader = FrameReader::new(bytes);
        let login = Login {
            user: "dba",
            password,
            purpose: REPLICATION_PARAMETER,
            program: "test",
        };
        let offer = login.log_in(&mut reader, &mut Vec::new(), None).await;
        offer.map(drop)
    }

    const TRUST: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    const COPY: &[u8] = b"W\0\0\0\x07\0\0\0";
    const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

    #[tokio::test]
    async fn a_server_that_trusts_goes_on_to_copy_both() {
        let status = b"S\0\0\0\x08a\0b\0";
        let answer = [TRUST, status, COPY].concat();
        assert_eq!(answer_with(&answer, None).await, Ok(()));
    }

    #[tokio::test]
    async fn an_error_at_start_up_is_what_it_was_told() {
        let error = b"E\0\0\0\x1aSFATAL\0C28P01\0Mwrong\0\0";
        let failure = answer_with(error, None).await.unwrap_err();
        let told = LinkError::Told {
            sqlstate: "28P01".to_owned(),
            message: "wrong".to_owned(),
            hint: String::new(),
        };
        assert_eq!(failure, told);
    }

    #[test]
    fn what_a_server_says_is_one_line() {
        let failure = from_error(b"C57P03\0Mnot\x1b[2J\nyet\0H\ra\tb\0\0");
        let told = LinkError::Told {
            sqlstate: "57P03".to_owned(),
            message: "not [2J yet".to_owned(),
            hint: " a b".to_owned(),
        };
        assert_eq!(failure, told);
    }

    #[tokio::test]
    async fn without_a_password_it_says_whose_is_wanted() {
        let failure = answer_with(SASL, None).await.unwrap_err();
        let user = "dba".to_owned();
        assert_eq!(failure, LinkError::NoPassword { user });
    }

    #[tokio::test]
    async fn answers_that_make_no_sense_are_errors() {
        for bytes in [
            b"R\0\0\0\x08\0\0\0\x0b".as_slice(),
            b"R\0\0\0\x08\0\0\0\x63",
            b"R\0\0\0\x05\0",
            b"?\0\0\0\x04",
            b"HTTP/1.1 400 Bad Request",
            &[SASL, b"R\0\0\0\x09\0\0\0\x0bx"].concat(),
            &[
                SASL,
                b"R\0\0\0\x29\0\0\0\x0br=abc,s=QUJDREVGR0g=,i=4294967295",
            ]
            .concat(),
        ] {
            let failure = answer_with(bytes, Some("x")).await.unwrap_err();
            let is_refusal = matches!(
                failure,
                LinkError::Told { .. } | LinkError::NoPassword { .. }
            );
            assert!(!is_refusal, "{bytes:?}: {failure}");
        }
    }
}
