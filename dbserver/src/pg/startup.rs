//! From an accepted connection to a session: TLS, version agreed on, access and
//! password checked, parameters taken.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use futures::{SinkExt, StreamExt};
use fwlog::EnvironmentId;
use pgtypes::SqlState;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::startup::{Authentication, BackendKeyData, SecretKey, Startup};

use crate::clients::Via;
use crate::databases::list::SYSTEM_NAME;
use crate::databases::open_mode::OpenMode;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::peer::Peer;
use crate::pg::auth::UnknownSalts;
use crate::pg::caller::Caller;
use crate::pg::redirect::{self, Handover};
use crate::pg::service::Service;
use crate::pg::{access, acting, auth, local, versions};
use crate::session::defaults;
use crate::session::parameters::OPEN_MODE;
use crate::session::settings::Settings;
use crate::system::defaults::Defaults;
use crate::system::users::Users;
use crate::wire::output;
use crate::wire::{ClientStream, Phase, Request, WireError};

/// How long a client may take until it is in.
pub(super) const STARTUP_LIMIT: Duration = Duration::from_mins(1);

/// A client that is in.
pub struct Authenticated {
    /// Who it is.
    pub user: String,
    /// The database it asks for.
    pub database: String,
    /// What it asks for.
    pub purpose: Purpose,
    /// Its parameters.
    pub settings: Settings,
    /// The open mode that it asks for.
    pub asked_mode: Option<OpenMode>,
    /// Who has logged in for the user, where that was a slave.
    pub via: Option<Via>,
    /// What its cancel requests must carry.
    pub key: SecretKey,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// SQL.
    Sql,
    /// The forward log of a master.
    ForwardLog,
    /// A copy, given or taken.
    Base,
}

/// What a connection has become.
pub(super) enum Started {
    /// Nothing: it only asked for a cancel, or went away.
    Nothing,
    /// A client that is in.
    Session(Arc<Environment>, Box<Authenticated>),
    /// A client whose session a master has taken.
    Elsewhere(Box<Handover>),
}

/// Brings a client in, or hands it on. What it says of itself is noted in `caller`.
pub(super) async fn start_up(
    stream: &mut ClientStream,
    service: &Service,
    caller: &mut Caller,
) -> Result<Started, Failure> {
    let work = async {
        let Some((startup, packet)) = first_message(stream, service, caller).await? else {
            return Ok(Started::Nothing);
        };
        caller.claim(startup.parameters.get("user"));
        service.certificates().check(caller)?;
        let env = service.environment().await?;
        access::check(service, &env, caller, &startup.parameters).await?;
        if let Some(handover) = redirect::hand_over(&env, caller, &startup, &packet).await? {
            return Ok(Started::Elsewhere(Box::new(handover)));
        }
        acting::check_server(&env, &startup.parameters)?;
        let asked = startup.parameters.get("replication").map(String::as_str);
        let replicates = matches!(purpose(asked), Ok(Purpose::ForwardLog));
        match admit(stream, &env, (service, caller), startup).await {
            Ok(client) => Ok(Started::Session(env, Box::new(client))),
            Err(failure) => {
                if replicates {
                    tell_slave(&env, caller.client, &failure);
                }
                Err(failure)
            }
        }
    };
    match tokio::time::timeout(STARTUP_LIMIT, work).await {
        Ok(result) => result,
        Err(_) => Err(took_too_long()),
    }
}

/// What a client reads that needs longer than [`STARTUP_LIMIT`].
pub(super) fn took_too_long() -> Failure {
    Failure::fatal(
        SqlState::CONNECTION_FAILURE,
        "the client took too long to start up",
    )
}

/// A dbrepl that may not come in is why a slave gets nothing.
pub(super) fn tell_slave(environment: &Environment, peer: Peer, failure: &Failure) {
    let state = failure.sqlstate();
    if state.as_str().starts_with("28") || state == SqlState::INSUFFICIENT_PRIVILEGE {
        crate::feed::was_refused(environment, peer, &failure.to_string());
    }
}

/// Answers requests for encryption and cancels until the start-up message comes; gives it and its packet.
async fn first_message(
    stream: &mut ClientStream,
    service: &Service,
    caller: &mut Caller,
) -> Result<Option<(Startup, Bytes)>, Failure> {
    service.certificates().begin(stream, caller).await?;
    let mut may_be_proxy = true;
    // At most one request for TLS and one for GSS may come before it.
    for _ in 0..3 {
        let mut message = stream.next().await;
        if let Some(Ok(Request::Proxy(header))) = &message
            && may_be_proxy
        {
            caller.came_through(header, service.redirect_from())?;
            message = stream.next().await;
        }
        // It stands before all else, or is the first that comes within TLS.
        may_be_proxy = matches!(message, Some(Ok(Request::Tls)));
        match message {
            Some(Ok(Request::Tls)) => service.certificates().answer(stream, caller).await?,
            Some(Ok(Request::Gss)) => {
                stream.write_buffer_mut().put_u8(b'N');
                flush(stream).await?;
            }
            Some(Ok(Request::Cancel(request, packet))) => {
                let sessions = service.sessions();
                if !sessions.cancel(request.pid, &request.secret_key) {
                    let env = service.environment().await?;
                    let targets = sessions.redirect_targets();
                    redirect::cancel(&env, caller, &packet, targets).await;
                }
                return Ok(None);
            }
            Some(Ok(Request::Startup(startup, packet))) => return Ok(Some((startup, packet))),
            Some(Err(WireError::Violation(why))) => {
                return Err(Failure::fatal(SqlState::PROTOCOL_VIOLATION, why));
            }
            None | Some(Err(WireError::Io(_))) => return Ok(None),
            Some(Ok(_)) => break,
        }
    }
    Err(Failure::fatal(
        SqlState::PROTOCOL_VIOLATION,
        "expected a startup packet",
    ))
}

async fn admit(
    stream: &mut ClientStream,
    env: &Environment,
    (service, caller): (&Service, &Caller),
    startup: Startup,
) -> Result<Authenticated, Failure> {
    let version = versions::negotiate(stream.write_buffer_mut(), &startup);
    let mut parameters = startup.parameters;
    let user = parameters
        .remove("user")
        .filter(|user| !user.is_empty())
        .ok_or_else(|| {
            Failure::fatal(
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                "no user name specified in startup packet",
            )
        })?;
    let database = parameters
        .remove("database")
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| user.clone());
    let database = named(env, database);
    let purpose = purpose(parameters.remove("replication").as_deref())?;
    let options = parameters.remove("options").unwrap_or_default();

    let acts = acting::is_asked(&parameters);
    authenticate(stream, env, (service, caller), (&user, acts)).await?;

    let (user, via) = match acting::take_asked(&mut parameters) {
        Some(_) if purpose != Purpose::Sql => {
            return Err(Failure::fatal(
                SqlState::PROTOCOL_VIOLATION,
                "who replicates acts for nobody else",
            ));
        }
        Some(asked) => acting::admit(env, caller, &asked, (user, &database))?,
        None => (user, None),
    };

    let mut settings = Settings::new(HashMap::new());
    settings.set_temporary_ceiling(env.config().server.temp_file_limit);
    let mut asked_mode = None;
    // Administration must not end by what applications begin with.
    if purpose == Purpose::Sql && database != SYSTEM_NAME {
        asked_mode = begin_with_defaults(&mut settings, env, (&database, &user))?;
    }
    let given = option_settings(&options)?.into_iter().chain(parameters);
    for (name, value) in given.filter(|(name, _)| !name.starts_with("_pq_.")) {
        if name.eq_ignore_ascii_case(OPEN_MODE) {
            asked_mode = defaults::mode(&value).map_err(Failure::into_fatal)?;
            continue;
        }
        settings
            .set(&name, Some(&value), false, false)
            .map_err(Failure::into_fatal)?;
    }
    settings.make_defaults();
    settings.set_fixed("session_authorization", &user);
    settings.set_hot_standby(env.is_read_only_in(&database));
    set_limits(&mut settings, env);
    // Who administers may wait for the end of the server; and a slave watches the pauses of its own clients.
    if purpose == Purpose::Sql && database != SYSTEM_NAME && via.is_none() {
        let limit = env.config().server.idle_session_timeout;
        settings.set_limit("idle_session_timeout", limit);
    }
    // The welcome tells them all.
    settings.take_changed();
    Ok(Authenticated {
        user,
        database,
        purpose,
        settings,
        asked_mode,
        via,
        key: version.secret_key()?,
    })
}

/// The limits of the configuration, where neither the client nor the defaults of its role and database have others.
fn set_limits(settings: &mut Settings, env: &Environment) {
    let server = &env.config().server;
    for (name, limit) in [
        ("statement_timeout", server.statement_timeout),
        (
            "idle_in_transaction_session_timeout",
            server.idle_transaction_timeout,
        ),
        ("lock_timeout", server.lock_timeout),
    ] {
        settings.set_limit(name, limit);
    }
}

/// By the process that has called, where the kernel says enough of it; by a certificate, where that says who the user is;
/// else by his password. `acts`: for somebody else.
async fn authenticate(
    stream: &mut ClientStream,
    env: &Environment,
    (service, caller): (&Service, &Caller),
    (user, acts): (&str, bool),
) -> Result<(), Failure> {
    stream.codec_mut().set_phase(Phase::Authentication);
    if !acts && local::is_administrator(env, caller.peer, user)? {
        stream.codec_mut().set_phase(Phase::Session);
        return Ok(());
    }
    let verifier = Users::of(env)
        .verifier(user)
        .map_err(|error| Failure::from(error).into_fatal())?;
    // Else the channel is that of another server: the one who logs in is behind it.
    let own_channel = caller.hops == 0 || acts;
    let channel = caller.channel.as_ref().filter(|_| own_channel);
    let certified = channel.and_then(|channel| service.certificates().user_of(channel));
    if let Some(name) = certified {
        let exists = Users::of(env).has(user);
        let exists = exists.map_err(|error| Failure::from(error).into_fatal())?;
        auth::check_certificate(name, user, exists)?;
    } else {
        let (guesses, host) = (service.guesses(), caller.client.host());
        guesses.check(host, &caller.user, Instant::now())?;
        let binding = channel.map(|channel| &*channel.tls);
        let environment = env.core().id().map(EnvironmentId::to_bytes);
        let salts = UnknownSalts::of(&environment.unwrap_or_default());
        auth::authenticate(stream, (user, verifier.as_deref()), &salts, binding).await?;
        guesses.right(host, &caller.user);
    }
    stream.codec_mut().set_phase(Phase::Session);
    Ok(())
}

/// Databases that each server of PostgreSQL's has: tools open them to make and drop others.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// The database that a name means: one for maintenance that is not there is the server's own.
pub(super) fn named(env: &Environment, name: String) -> String {
    if MAINTENANCE.contains(&&*name) && env.refuse_taken(&name).is_ok() {
        return SYSTEM_NAME.to_owned();
    }
    name
}

/// The defaults of the database and the role; gives their open mode. What is no value any more is left out.
fn begin_with_defaults(
    settings: &mut Settings,
    env: &Environment,
    (database, role): (&str, &str),
) -> Result<Option<OpenMode>, Failure> {
    let mut asked_mode = None;
    let defaults = Defaults::of(env)
        .of_session(database, role)
        .map_err(|error| Failure::from(error).into_fatal())?;
    for default in defaults {
        let (name, value) = (&default.name, &default.value);
        let set = if name == OPEN_MODE {
            defaults::mode(value).map(|mode| asked_mode = mode)
        } else {
            settings.set(name, Some(value), false, false)
        };
        if let Err(failure) = set {
            tracing::warn!(database, role, %failure, "a default of sessions is no value any more");
        }
    }
    Ok(asked_mode)
}

pub(super) fn purpose(replication: Option<&str>) -> Result<Purpose, Failure> {
    match replication {
        None | Some("false" | "off" | "no" | "0") => Ok(Purpose::Sql),
        Some(dbproto::REPLICATION_PARAMETER) => Ok(Purpose::ForwardLog),
        Some(dbproto::base::BASE_PARAMETER) => Ok(Purpose::Base),
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            Err(Failure::fatal(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("replication={other} is not supported"),
            )
            .hint("Use dbrepl: it ships the forward log."))
        }
    }
}

/// `AuthenticationOk`, parameters, key, ready: all in one go.
pub async fn welcome(
    stream: &mut ClientStream,
    settings: &Settings,
    pid: i32,
    key: SecretKey,
    more: &[(&str, &str)],
) -> Result<(), Failure> {
    let out = stream.write_buffer_mut();
    output::append(out, &Authentication::Ok);
    for (name, value) in settings.reported() {
        output::parameter_status(out, name, value);
    }
    for (name, value) in more {
        output::parameter_status(out, name, value);
    }
    output::append(out, &BackendKeyData::new(pid, key));
    output::ready_for_query(out, pgwire::messages::response::TransactionStatus::Idle);
    flush(stream).await
}

/// Sends what is in the write buffer.
pub async fn flush(stream: &mut ClientStream) -> Result<(), Failure> {
    SinkExt::<PgWireBackendMessage>::flush(stream)
        .await
        .map_err(|error| Failure::fatal(SqlState::CONNECTION_FAILURE, error.to_string()))
}

/// `-c name=value` and `--name=value`, separated by blanks; a backslash keeps the next character.
pub fn option_settings(options: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut words = split_words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-c") {
            Some("") => words.next(),
            Some(rest) => Some(rest.to_owned()),
            None => word.strip_prefix("--").map(str::to_owned),
        };
        let pair = assignment.as_deref().and_then(|text| text.split_once('='));
        let Some((name, value)) = pair else {
            let word: String = word.chars().take(100).collect();
            return Err(Failure::fatal(
                SqlState::SYNTAX_ERROR,
                format!("invalid command-line argument for server process: {word}"),
            ));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            c if c.is_ascii_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_settings() {
        let found = option_settings("-c a=1 -cb=x\\ y --work-mem=4MB").unwrap();
        let expected = [("a", "1"), ("b", "x y"), ("work_mem", "4MB")];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(option_settings("-q").is_err());
        assert!(option_settings("-c").is_err());
    }

    #[test]
    fn only_the_forward_log_is_replicated() {
        assert_eq!(purpose(None).unwrap(), Purpose::Sql);
        assert_eq!(purpose(Some("forwardlog")).unwrap(), Purpose::ForwardLog);
        assert_eq!(
            purpose(Some("database")).unwrap_err().sqlstate(),
            SqlState::FEATURE_NOT_SUPPORTED
        );
    }
}
