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
use crate::credentials::{Credentials, Password};
use crate::error::{ExitCode, GIVE_PASSWORD, ShipError};

/// Type byte of `CopyBothResponse`, which the protocol library has no type for.
const COPY_BOTH: u8 = b'W';
/// Type byte of `NegotiateProtocolVersion`: the slave tells what it can't do, and goes on.
const NEGOTIATE: u8 = b'v';

/// Type byte of `ErrorResponse`.
pub(crate) const ERROR: u8 = b'E';

/// Logs in and asks for replication. Returns when the slave has switched to `CopyBoth`. Within TLS `binding` is what binds
/// the log-in to the slave's certificate. Gives what the server offers for the conversation that is asked for.
pub(crate) async fn log_in<R, W>(
    reader: &mut FrameReader<R>,
    writer: &mut W,
    (credentials, purpose): (&Credentials, &str),
    binding: Option<Vec<u8>>,
) -> Result<Option<String>, ShipError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut login = Login {
        user: &credentials.user,
        password: credentials.password.as_ref(),
        binding,
        scram: None,
        offer: None,
        out: BytesMut::new(),
    };
    login.start_up(purpose)?;
    loop {
        if !login.out.is_empty() {
            writer
                .write_all_buf(&mut login.out)
                .await
                .map_err(|error| lost(&error))?;
            writer.flush().await.map_err(|error| lost(&error))?;
        }
        let frame = reader.next(MAX_START_UP).await?;
        let Some(mut frame) = frame else {
            return Err(ShipError::unreachable(
                "the slave closed the connection during start-up",
            ));
        };
        match frame.kind {
            COPY_BOTH => return Ok(login.offer),
            NEGOTIATE => {}
            ERROR => return Err(from_error(&frame.into_body())),
            b'R' if let Some(mechanisms) = scram::offered(frame.body()) => {
                if !scram::offers(mechanisms, SCRAM_SHA_256) {
                    return Err(unsupported());
                }
                login.begin_scram(mechanisms)?;
            }
            _ => match Message::parse(&mut frame.bytes).map_err(unreadable)? {
                Some(message) => login.answer(message)?,
                None => return Err(unreadable("cut short")),
            },
        }
    }
}

struct Login<'a> {
    user: &'a str,
    password: Option<&'a Password>,
    /// Until it is used.
    binding: Option<Vec<u8>>,
    scram: Option<ScramSha256>,
    /// What the server can do, where it says so.
    offer: Option<String>,
    /// To be sent.
    out: BytesMut,
}

impl Login<'_> {
    fn start_up(&mut self, purpose: &str) -> Result<(), ShipError> {
        let parameters = [
            ("user", self.user),
            ("database", REPLICATION_DATABASE),
            ("replication", purpose),
            ("application_name", "dbrepl"),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(parameters, &mut self.out)
            .map_err(|_| ShipError::usage("the user name can't hold a zero byte"))
    }

    fn password(&self) -> Result<&str, ShipError> {
        self.password.map(Password::reveal).ok_or_else(|| {
            ShipError::new(
                ExitCode::Access,
                format!(
                    "access refused: the slave wants a password for user {}",
                    self.user
                ),
            )
            .hint(GIVE_PASSWORD)
        })
    }

    fn begin_scram(&mut self, mechanisms: &[u8]) -> Result<(), ShipError> {
        let (mechanism, binding) = scram::choose(mechanisms, self.binding.take());
        let scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.out)
            .map_err(unreadable)?;
        self.scram = Some(scram);
        Ok(())
    }

    fn answer(&mut self, message: Message) -> Result<(), ShipError> {
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
                scram.finish(body.data()).map_err(|_| {
                    ShipError::new(
                        ExitCode::Access,
                        "the slave could not prove that it knows the password",
                    )
                    .hint("something else may answer at this address")
                })
            }
            Message::AuthenticationCleartextPassword
            | Message::AuthenticationMd5Password(_)
            | Message::AuthenticationGss
            | Message::AuthenticationKerberosV5
            | Message::AuthenticationScmCredential
            | Message::AuthenticationSspi => Err(unsupported()),
            _ => Err(unreadable("unexpected")),
        }
    }
}

/// `ErrorResponse`: fields of a type byte and a text ended by a zero byte.
pub(crate) fn from_error(body: &[u8]) -> ShipError {
    let field = |kind: u8| {
        body.split(|byte| *byte == 0)
            .find_map(|field| match field.split_first() {
                Some((first, text)) if *first == kind => Some(plain(text)),
                _ => None,
            })
            .unwrap_or_default()
    };
    ShipError::from_error_response(&field(b'C'), &field(b'M'), &field(b'H'))
}

/// Text of the other side, for a log or a terminal: on one line, with nothing that either obeys.
fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace(char::is_control, " ")
}

fn lost(error: &std::io::Error) -> ShipError {
    ShipError::unreachable(format!("the connection to the slave was lost: {error}"))
}

fn unsupported() -> ShipError {
    ShipError::new(
        ExitCode::Access,
        "access refused: the slave asks for a kind of authentication that dbrepl does not know",
    )
    .hint("dbrepl knows SCRAM-SHA-256 and trust")
}

fn unreadable(why: impl std::fmt::Display) -> ShipError {
    ShipError::new(
        ExitCode::Error,
        format!("the slave's answer to the start-up can't be understood: {why}"),
    )
    .hint("is this the service port of an eloqdb server?")
}

#[cfg(test)]
mod tests {
    use dbproto::REPLICATION_PARAMETER;

    use super::*;

    async fn answer_with(bytes: &[u8], password: Option<&Password>) -> Result<(), ShipError> {
        let mut reader = FrameReader::new(bytes);
        let credentials = Credentials {
            user: "dba".to_owned(),
            password: password.cloned(),
            file: None,
        };
        let as_whom = (&credentials, REPLICATION_PARAMETER);
        let offer = log_in(&mut reader, &mut Vec::new(), as_whom, None).await;
        offer.map(drop)
    }

    const TRUST: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    const COPY: &[u8] = b"W\0\0\0\x07\0\0\0";
    const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

    #[tokio::test]
    async fn a_slave_that_trusts_goes_on_to_copy_both() {
        let status = b"S\0\0\0\x08a\0b\0";
        let answer = [TRUST, status, COPY].concat();
        assert_eq!(answer_with(&answer, None).await, Ok(()));
    }

    #[tokio::test]
    async fn an_error_at_start_up_is_mapped_by_its_sqlstate() {
        let error = b"E\0\0\0\x1aSFATAL\0C28P01\0Mwrong\0\0";
        let failure = answer_with(error, None).await.unwrap_err();
        assert_eq!(failure.code, ExitCode::Access);
        assert!(failure.message.contains("wrong"), "{failure}");
    }

    #[test]
    fn what_a_slave_says_is_one_line() {
        let failure = from_error(b"C57P03\0Mnot\x1b[2J\nyet\0H\ra\tb\0\0");
        assert_eq!(failure.message, "the slave is not ready: not [2J yet");
        assert_eq!(failure.hint, " a b");
    }

    #[tokio::test]
    async fn without_a_password_there_is_a_hint_where_to_put_one() {
        let failure = answer_with(SASL, None).await.unwrap_err();
        assert_eq!(failure.code, ExitCode::Access);
        assert!(failure.hint.contains("--password-file"), "{failure}");
    }

    #[tokio::test]
    async fn answers_that_make_no_sense_are_errors() {
        let password = Password::new("x");
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
            let failure = answer_with(bytes, Some(&password)).await.unwrap_err();
            assert_eq!(failure.code, ExitCode::Error, "{bytes:?}: {failure}");
        }
    }
}
