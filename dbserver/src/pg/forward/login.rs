//! How a slave logs in on the master, for one of its users.
//!
//! TLS comes before, in [`reach`](crate::pg::redirect::reach); the log-in is bound to the certificate that the master has
//! shown there.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use dbconfig::{ForwardWrites, password_file};
use pgtypes::SqlState;
use postgres_protocol::authentication::sasl::ScramSha256;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tls::{ClientTls, scram};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::pg::acting::{ACT_FOR, ENVIRONMENT};
use crate::pg::forward::answer;
use crate::pg::forward::line::Line;
use crate::pg::redirect::{self, Reached, reach};
use crate::session::parameters::OPEN_MODE;
use crate::wire::ProxyHeader;

/// How long it may take until a transaction can begin.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest message before the session begins.
const LONGEST: usize = 64 << 10;
const CANCEL_CODE: u32 = 80_877_102;
const ERROR: u8 = b'E';
/// `NegotiateProtocolVersion`: what the master can't do, and it goes on.
const NEGOTIATE: u8 = b'v';

/// For whom a connection is.
pub(super) struct Person<'a> {
    pub(super) user: &'a str,
    pub(super) database: &'a str,
    pub(super) application: &'a str,
    /// Where the client is, and what it has called.
    pub(super) header: ProxyHeader,
}

/// Connects to the first master that takes the session.
///
/// Errors: 08001 where none answers, else what the master says.
pub(super) async fn open(
    environment: &Environment,
    forward: &ForwardWrites,
    person: &Person<'_>,
) -> Result<Line, Failure> {
    let password = password_file::read(&forward.password_file).map_err(|why| {
        Failure::new(
            SqlState::CONFIG_FILE_ERROR,
            format!("this slave can't forward: {why}"),
        )
        .hint("ForwardPasswordFile in section Replication of its configuration names the file.")
    })?;
    let environment_id = environment
        .id()
        .map(|id| id.to_string())
        .unwrap_or_default();
    let mut opening = BytesMut::new();
    person.header.encode(&mut opening);
    let parameters = [
        ("user", forward.user.as_str()),
        ("database", person.database),
        ("application_name", person.application),
        ("client_encoding", "UTF8"),
        (ACT_FOR, person.user),
        (ENVIRONMENT, &environment_id),
        (OPEN_MODE, ""),
    ];
    frontend::startup_message(parameters, &mut opening).map_err(|_| unreadable("a zero byte"))?;
    let targets = &environment.config().replication.redirect_write;
    let work = async {
        let tls = redirect::tls(environment)?;
        let reached = reach(targets, &opening, &tls)
            .await
            .map_err(|tried| nobody_there(&tried))?;
        let target = reached.target.clone();
        let cancels = redirect::tls_without_name(environment)?;
        log_in((reached, cancels), &password, forward, person)
            .await
            .map_err(|failure| explained(failure, &target, &forward.user))
    };
    match tokio::time::timeout(LIMIT, work).await {
        Ok(opened) => opened,
        Err(_) => Err(nobody_there(&[])),
    }
}

fn nobody_there(tried: &[(String, String)]) -> Failure {
    let reasons: Vec<String> = tried
        .iter()
        .map(|(target, why)| format!("{target}: {why}"))
        .collect();
    let detail = if reasons.is_empty() {
        "No master has taken the session in time.".to_owned()
    } else {
        reasons.join("; ")
    };
    Failure::new(
        SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        "no master can be reached for a transaction that writes",
    )
    .detail(detail)
    .hint("This slave forwards such transactions to RedirectWrite of its configuration; reads are served here. Nothing was sent: the transaction can be run again.")
}

/// What a master says at the login is about this slave as much as about the client: it is named.
fn explained(mut failure: Failure, target: &str, forwarder: &str) -> Failure {
    let fields = failure.fields_mut();
    fields.severity = crate::failure::Severity::Error;
    fields.context = Some(format!(
        "forwarding to {target}, where this slave logs in as \"{forwarder}\""
    ));
    if fields.hint.is_none() && fields.sqlstate == SqlState::INVALID_PASSWORD {
        fields.hint = Some("ForwardUser and ForwardPasswordFile in section Replication of the slave's configuration say how it logs in.".into());
    }
    failure
}

struct Login<'a> {
    password: &'a str,
    /// What binds the log-in to the master's certificate, until it is used.
    binding: Option<Vec<u8>>,
    scram: Option<ScramSha256>,
    out: BytesMut,
    /// Who the master says that the session is for.
    authorization: Option<String>,
    cancel: Option<Bytes>,
    ready: bool,
}

async fn log_in(
    (mut reached, cancels): (Reached, ClientTls),
    password: &str,
    forward: &ForwardWrites,
    person: &Person<'_>,
) -> Result<Line, Failure> {
    let mut login = Login {
        password,
        binding: reached.stream.binding(),
        scram: None,
        out: BytesMut::new(),
        authorization: None,
        cancel: None,
        ready: false,
    };
    let lost = |error: std::io::Error| nobody_there(&[(reached.target.clone(), error.to_string())]);
    while !login.ready {
        if login.take(&mut reached.answer)? {
            reached
                .stream
                .write_all_buf(&mut login.out)
                .await
                .map_err(lost)?;
            reached.stream.flush().await.map_err(lost)?;
            continue;
        }
        if reached.answer.len() > LONGEST {
            return Err(unreadable("too long"));
        }
        if reached
            .stream
            .read_buf(&mut reached.answer)
            .await
            .map_err(lost)?
            == 0
        {
            return Err(lost(std::io::ErrorKind::UnexpectedEof.into()));
        }
    }
    // A server that does not know of this would take the statements as those of the forwarder.
    if login.authorization.as_deref() != Some(person.user) {
        return Err(Failure::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!(
                "the master does not let user \"{}\" act for others",
                forward.user
            ),
        )
        .hint("Its version has to be the slave's, or a newer one."));
    }
    let cancel = login
        .cancel
        .ok_or_else(|| unreadable("there is no key for cancel requests"))?;
    Ok(Line::new(
        (reached.stream, reached.answer),
        (&reached.target, reached.address),
        (cancel, cancels),
    ))
}

impl Login<'_> {
    /// Takes a message off the input; false: there is no whole one.
    fn take(&mut self, input: &mut BytesMut) -> Result<bool, Failure> {
        use bytes::Buf as _;
        let Some(Ok(length)) = input.get(1..).map(|mut rest| rest.try_get_u32()) else {
            return Ok(false);
        };
        let length = length as usize;
        if !(4..=LONGEST).contains(&length) {
            return Err(unreadable("a length that can't be"));
        }
        if input.len() <= length {
            return Ok(false);
        }
        let mut bytes = input.split_to(length + 1);
        match bytes.first() {
            Some(&ERROR) => {
                bytes.advance(5);
                return Err(answer::failure(&bytes));
            }
            Some(&NEGOTIATE) => {}
            Some(b'R') if let Some(mechanisms) = bytes.get(5..).and_then(scram::offered) => {
                self.begin_scram(mechanisms)?;
            }
            _ => {
                match Message::parse(&mut bytes).map_err(|error| unreadable(&error.to_string()))? {
                    Some(message) => self.answer(message)?,
                    None => return Err(unreadable("cut short")),
                }
            }
        }
        Ok(true)
    }

    fn begin_scram(&mut self, mechanisms: &[u8]) -> Result<(), Failure> {
        let (mechanism, binding) = scram::choose(mechanisms, self.binding.take());
        let scram = ScramSha256::new(self.password.as_bytes(), binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.out)
            .map_err(|error| unreadable(&error.to_string()))?;
        self.scram = Some(scram);
        Ok(())
    }

    fn answer(&mut self, message: Message) -> Result<(), Failure> {
        let broken = |error: std::io::Error| unreadable(&error.to_string());
        match message {
            Message::AuthenticationOk | Message::NoticeResponse(_) => {}
            Message::ParameterStatus(body) => {
                if body.name().map_err(broken)? == "session_authorization" {
                    self.authorization = Some(body.value().map_err(broken)?.to_owned());
                }
            }
            Message::BackendKeyData(body) => {
                let mut packet = BytesMut::new();
                packet.put_u32(16);
                packet.put_u32(CANCEL_CODE);
                packet.put_i32(body.process_id());
                packet.put_i32(body.secret_key());
                self.cancel = Some(packet.freeze());
            }
            Message::ReadyForQuery(_) => self.ready = true,
            Message::AuthenticationSaslContinue(body) => {
                let scram = self
                    .scram
                    .as_mut()
                    .ok_or_else(|| unreadable("out of order"))?;
                if !scram::may_ask(body.data()) {
                    return Err(unreadable("an impossible number of iterations"));
                }
                scram.update(body.data()).map_err(broken)?;
                frontend::sasl_response(scram.message(), &mut self.out).map_err(broken)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let scram = self
                    .scram
                    .as_mut()
                    .ok_or_else(|| unreadable("out of order"))?;
                scram
                    .finish(body.data())
                    .map_err(|_| unreadable("it could not prove that it knows the password"))?;
            }
            _ => return Err(unreadable("unexpected")),
        }
        Ok(())
    }
}

fn unreadable(why: &str) -> Failure {
    Failure::new(
        SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        format!("the master's answer to the login can't be understood: {why}"),
    )
    .hint("Does RedirectWrite name the service port of an eloqdb server?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login<'static> {
        Login {
            password: "secret",
            binding: None,
            scram: None,
            out: BytesMut::new(),
            authorization: None,
            cancel: None,
            ready: false,
        }
    }

    fn taken(bytes: &[u8]) -> Result<(Login<'static>, bool), Failure> {
        let mut login = login();
        let mut input = BytesMut::from(bytes);
        let mut last = true;
        while last && !input.is_empty() {
            last = login.take(&mut input)?;
        }
        Ok((login, last))
    }

    #[test]
    fn what_the_session_needs_is_taken_from_the_welcome() {
        let welcome = b"R\0\0\0\x08\0\0\0\0S\0\0\0\x1esession_authorization\0ann\0K\0\0\0\x0c\0\0\0\x07\0\0\0\x09Z\0\0\0\x05I";
        let (login, _) = taken(welcome).unwrap();
        assert_eq!(login.authorization.as_deref(), Some("ann"));
        assert_eq!(&login.cancel.unwrap()[8..], b"\0\0\0\x07\0\0\0\x09");
        assert!(login.ready);
        let (login, whole) = taken(&welcome[..welcome.len() - 1]).unwrap();
        assert!(!whole && !login.ready);
    }

    #[test]
    fn answers_that_make_no_sense_are_refused() {
        let sasl = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
        for bytes in [
            b"R\0\0\0\x08\0\0\0\x03".as_slice(),
            b"R\0\0\0\x09\0\0\0\x0bx",
            b"HTTP/1.1 400 Bad Request",
            &[
                &sasl[..],
                b"R\0\0\0\x29\0\0\0\x0br=abc,s=QUJDREVGR0g=,i=4294967295",
            ]
            .concat(),
        ] {
            let failure = taken(bytes).err().unwrap();
            assert_eq!(failure.sqlstate().as_str(), "08001", "{failure}");
        }
        let refused = taken(b"E\0\0\0\x1aSFATAL\0C28P01\0Mwrong\0\0")
            .err()
            .unwrap();
        assert_eq!(explained(refused, "m:1", "f").to_string(), "wrong (28P01)");
    }
}
