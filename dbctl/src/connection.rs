//! A connection to a server, and what its errors mean for the exit code.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage};

use crate::credentials::Credentials;
use crate::error::{CommandError, Exit, Result};
use crate::output::{self, Table};
use crate::place::Place;
use crate::target::{Endpoint, Target};

/// The database of users and settings; commands run there.
pub(crate) const SYSTEM_DATABASE: &str = "system";

pub(crate) const CANNOT_REACH: &str = "cannot reach the server at";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that accepts the connection says within this time whether it lets one in; on a busy machine
/// the key derivation takes a while. Monitors give a check ten seconds.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(8);

/// A person who waits gets a word after this time.
pub(crate) const WORD_AFTER: Duration = Duration::from_secs(10);

/// A session of a server.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// Reads what the server sends and prints its notices; ends with the connection.
    reader: JoinHandle<Option<tokio_postgres::Error>>,
}

/// A result set, or the number of rows that a statement changed.
pub(crate) enum Answer {
    Rows(Table),
    Done(u64),
}

impl Connection {
    /// Connects to the first endpoint of a server that answers. Asks for a password where the
    /// server wants one and a person is there.
    pub(crate) async fn open(
        target: &Target,
        credentials: &mut Credentials,
        database: &str,
    ) -> Result<Self> {
        let mut reasons = Vec::new();
        for endpoint in &target.endpoints {
            let is_last_resort = match endpoint {
                Endpoint::Network { .. } => true,
                Endpoint::Local(local) => !local.is_tried,
            };
            let places = match Place::of(endpoint, &target.tls).await {
                Ok(places) => places,
                // Not who answers there.
                Err(failure) if failure.exit == Exit::Refused && is_last_resort => {
                    return Err(failure);
                }
                Err(failure) => {
                    if failure.exit == Exit::Refused {
                        output::note(format_args!("warning: {}", failure.message));
                    }
                    reasons.push((endpoint.to_string(), failure.message));
                    continue;
                }
            };
            match Self::open_one(&places, credentials, database, &mut reasons).await {
                Some(Err(failure)) if failure.exit == Exit::Refused && !is_last_resort => {
                    reasons.push((endpoint.to_string(), failure.message));
                }
                Some(done) => return done,
                None => {}
            }
        }
        Err(CommandError::unreachable(all_reasons(&reasons))
            .with_hint("is the server running? -h and -s say where it is"))
    }

    /// Connects to the first of these that answers; `None`: why none does is in the reasons.
    async fn open_one(
        places: &[Place],
        credentials: &mut Credentials,
        database: &str,
        reasons: &mut Vec<(String, String)>,
    ) -> Option<Result<Self>> {
        for place in places {
            match Self::try_open(place, credentials, database).await {
                // With a hint, somebody is there: the other addresses are of the same server.
                Err(failure) if failure.exit == Exit::Unreachable && failure.hint.is_none() => {
                    reasons.push((place.shown.clone(), failure.message));
                }
                other => return Some(other),
            }
        }
        None
    }

    async fn try_open(
        place: &Place,
        credentials: &mut Credentials,
        database: &str,
    ) -> Result<Self> {
        loop {
            let mut config = tokio_postgres::Config::new();
            place.way.name_in(&mut config);
            config
                .dbname(database)
                .user(&credentials.user)
                .application_name("dbctl")
                .ssl_mode(place.tls.mode())
                .connect_timeout(CONNECT_TIMEOUT);
            if let Some(password) = &credentials.password {
                config.password(password);
            }
            let asked =
                tokio::time::timeout(LOGIN_TIMEOUT, Box::pin(config.connect(place.tls.clone())));
            let Ok(connected) = asked.await else {
                return Err(CommandError::unreachable(format!(
                    "{} accepts the connection, and does not answer within {} s",
                    place.shown,
                    LOGIN_TIMEOUT.as_secs()
                ))
                .with_hint("something listens there and hangs or is overloaded: is the server's process stopped (state T in 'ps'), does a disk hang, is the machine busy? is it the server at all?"));
            };
            match connected {
                Ok((client, connection)) => {
                    let reader = tokio::spawn(read_messages(connection));
                    return Ok(Self { client, reader });
                }
                Err(error) if wants_password(&error) && credentials.password.is_none() => {
                    credentials.ask()?;
                }
                Err(error) => return Err(connect_failure(&error, &place.shown)),
            }
        }
    }

    /// Runs one command or query of the simple protocol.
    pub(crate) async fn query(
        &self,
        sql: &str,
    ) -> std::result::Result<Vec<Answer>, tokio_postgres::Error> {
        let mut answers = Vec::new();
        let mut table: Option<Table> = None;
        let asked = self.client.simple_query(sql);
        let answered = told_after(WORD_AFTER, asked, || {
            output::note("still waiting for the server's answer; Ctrl-C gives up");
        });
        for message in answered.await? {
            match message {
                SimpleQueryMessage::RowDescription(columns) => {
                    let names = columns
                        .iter()
                        .map(|column| column.name().to_owned())
                        .collect();
                    table = Some(Table {
                        columns: names,
                        rows: Vec::new(),
                    });
                }
                SimpleQueryMessage::Row(row) => {
                    let values = (0..row.len()).map(|index| row.get(index).map(str::to_owned));
                    table.get_or_insert_default().rows.push(values.collect());
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    answers.push(table.take().map_or(Answer::Done(count), Answer::Rows));
                }
                _ => {}
            }
        }
        Ok(answers)
    }

    /// Waits until the server ends the connection; an error is the last word of a stop that went wrong.
    pub(crate) async fn wait_for_end(self) -> Result<()> {
        let Self { client, reader } = self;
        // A reader that was cancelled has ended as well.
        let error = reader.await.ok().flatten();
        drop(client);
        match error.as_ref().and_then(|error| error.as_db_error()) {
            Some(last_word) => match server_failure(last_word) {
                failure if failure.exit == Exit::Unreachable => Ok(()),
                failure => Err(failure),
            },
            None => Ok(()),
        }
    }

    /// Ends the connection in order: what the server still has to say is printed.
    pub(crate) async fn close(self) {
        let Self { client, reader } = self;
        drop(client);
        let _ended: std::result::Result<_, _> = reader.await;
    }
}

/// Waits for a thing, and tells after a while that it is waited for.
pub(crate) async fn told_after<F: Future>(
    pause: Duration,
    waited_for: F,
    tell: impl FnOnce(),
) -> F::Output {
    let mut waited_for = pin!(waited_for);
    if let Ok(done) = tokio::time::timeout(pause, &mut waited_for).await {
        return done;
    }
    tell();
    waited_for.await
}

/// Reads until the connection ends. An error ends it, too; the query that waits for an answer gets it, or
/// it is given back where none does.
async fn read_messages<S, T>(
    mut connection: tokio_postgres::Connection<S, T>,
) -> Option<tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await? {
            Ok(AsyncMessage::Notice(notice)) => {
                output::note(format_args!("{}: {}", notice.severity(), notice.message()));
                for (word, text) in [("detail", notice.detail()), ("hint", notice.hint())] {
                    if let Some(text) = text {
                        output::note(format_args!("  {word}: {text}"));
                    }
                }
            }
            Ok(_) => {}
            Err(error) => return Some(error),
        }
    }
}

/// The driver has no code for this: the server asked, and it had nothing to answer.
fn wants_password(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none()
        && error
            .source()
            .is_some_and(|source| source.to_string() == "password missing")
}

/// What was tried at each address, and why it failed; one reason is told once.
fn all_reasons(tried: &[(String, String)]) -> String {
    let each = tried.iter().map(|(endpoint, message)| {
        let begin = format!("{CANNOT_REACH} {endpoint}: ");
        Some((endpoint.as_str(), message.strip_prefix(&begin)?))
    });
    let (endpoints, reasons): (Vec<&str>, Vec<&str>) = each.flatten().unzip();
    if let [first, others @ ..] = reasons.as_slice()
        && reasons.len() == tried.len()
        && others.iter().all(|other| other == first)
    {
        return format!("{CANNOT_REACH} {}: {first}", endpoints.join(" and "));
    }
    let messages: Vec<&str> = tried.iter().map(|(_, message)| message.as_str()).collect();
    messages.join("\n")
}

fn connect_failure(error: &tokio_postgres::Error, endpoint: &str) -> CommandError {
    if let Some(database_error) = error.as_db_error() {
        return server_failure(database_error).at(endpoint);
    }
    if wants_password(error) {
        return CommandError::refused(format!("{endpoint}: the server asks for a password"));
    }
    let failure = CommandError::unreachable(format!("{CANNOT_REACH} {endpoint}: {}", cause(error)));
    // The driver has no other word for it.
    if failure.message.contains("does not support TLS") {
        return failure.with_hint("give the server a certificate (TlsCert and TlsKey in its eloqdb.cfg), or say --tls prefer where the line is yours");
    }
    if error.to_string().contains("TLS handshake") {
        return failure.with_hint("does --ca-file have the authority of the server's certificate, is the certificate for the name that -h gives, and still valid?");
    }
    failure
}

/// What a failed query means.
pub(crate) fn query_failure(error: &tokio_postgres::Error) -> CommandError {
    match error.as_db_error() {
        Some(database_error) => server_failure(database_error),
        None => CommandError::unreachable(format!(
            "the connection to the server ended: {}",
            cause(error)
        )),
    }
}

/// What a failed command means: words that the server does not understand are a usage mistake.
pub(crate) fn command_failure(error: &tokio_postgres::Error) -> CommandError {
    let failure = query_failure(error);
    if error.code() == Some(&SqlState::SYNTAX_ERROR) {
        return CommandError {
            exit: Exit::Usage,
            ..failure
        };
    }
    failure
}

/// The innermost reason; the outer ones only say that there was an error.
fn cause(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => match source.downcast_ref::<io::Error>() {
            Some(io) if io.kind() == io::ErrorKind::TimedOut => "no answer".to_owned(),
            _ => source.to_string(),
        },
        None => error.to_string(),
    }
}

fn server_failure(error: &DbError) -> CommandError {
    let message = error.message();
    let failure = match error.code() {
        code if is_refusal(code) => CommandError::refused(message),
        &SqlState::CANNOT_CONNECT_NOW | &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN => {
            CommandError::unreachable(message)
        }
        _ => CommandError::error(message),
    };
    // Where there is no detail, the context may say which line of COPY data it was.
    let failure = match error.detail().or(error.where_()) {
        Some(detail) => failure.with_detail(detail),
        None => failure,
    };
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// Wrong password, unknown user, address not allowed, missing privilege.
fn is_refusal(code: &SqlState) -> bool {
    code.code().starts_with("28") || *code == SqlState::INSUFFICIENT_PRIVILEGE
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use peers::driver::DriverTls;

    use super::*;
    use crate::place::Way;

    #[test]
    fn one_reason_at_all_addresses_is_told_once() {
        let tried = |reasons: [&str; 2]| {
            let endpoints = ["127.0.0.1:1", "[::1]:1"];
            let pairs = endpoints.into_iter().zip(reasons);
            let pairs: Vec<(String, String)> = pairs
                .map(|(at, why)| (at.to_owned(), format!("{CANNOT_REACH} {at}: {why}")))
                .collect();
            all_reasons(&pairs)
        };
        assert_eq!(
            tried(["refused", "refused"]),
            "cannot reach the server at 127.0.0.1:1 and [::1]:1: refused"
        );
        assert_eq!(tried(["refused", "no route"]).lines().count(), 2);
    }

    /// A server that takes no more connections: the system leaves those that come unanswered.
    fn deaf() -> (tokio::net::TcpListener, Vec<std::net::TcpStream>, Place) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let wait = Duration::from_millis(200);
        let connect = || std::net::TcpStream::connect_timeout(&address, wait).ok();
        let waiting: Vec<_> = std::iter::from_fn(connect).collect();
        let shown = format!("db1:8102 ({address})");
        let host = "db1".to_owned();
        let place = Place {
            way: Way::Network { host, address },
            shown,
            tls: DriverTls(tls::ClientTls::none()),
        };
        (listener, waiting, place)
    }

    /// Bug: the time of two addresses where nobody is was longer than that for an answer, and the server was said
    /// to accept.
    #[tokio::test]
    async fn a_name_with_addresses_where_nobody_is_does_not_accept() {
        let (_one, _waiting, first) = deaf();
        let (_other, _too, second) = deaf();
        let mut credentials = Credentials {
            user: "dba".to_owned(),
            password: None,
        };
        let mut reasons = Vec::new();
        tokio::time::pause();
        let places = [first, second];
        let opened = Connection::open_one(&places, &mut credentials, "x", &mut reasons).await;
        assert!(opened.is_none());
        let told = all_reasons(&reasons);
        assert!(told.ends_with(": no answer"), "{told}");
        for place in &places {
            assert!(told.contains(&place.shown), "{told}");
        }
    }

    #[tokio::test]
    async fn who_waits_long_is_told_so_once() {
        let told = Cell::new(0);
        let tell = || told.set(told.get() + 1);
        let slow = async {
            while told.get() == 0 {
                tokio::task::yield_now().await;
            }
            7
        };
        assert_eq!(told_after(Duration::ZERO, slow, tell).await, 7);
        assert_eq!(told_after(WORD_AFTER, std::future::ready(8), tell).await, 8);
        assert_eq!(told.get(), 1);
    }

    #[test]
    fn access_is_refused_for_passwords_and_for_privileges() {
        assert!(is_refusal(&SqlState::INVALID_PASSWORD));
        assert!(is_refusal(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION));
        assert!(is_refusal(&SqlState::INSUFFICIENT_PRIVILEGE));
        assert!(!is_refusal(&SqlState::UNDEFINED_TABLE));
    }
}
