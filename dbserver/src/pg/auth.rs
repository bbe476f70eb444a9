//! SCRAM-SHA-256: who the client is, without the password ever being here; within TLS bound to the certificate that the
//! client has seen.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::SinkExt;
use pgtypes::SqlState;
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth};
use pgwire::error::PgWireError;
use pgwire::messages::startup::{Authentication, PasswordMessageFamily};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use tls::ServerTls;

use crate::failure::Failure;
use crate::wire::ClientStream;
use crate::wire::codec::Request;

/// The mechanism on offer; and the one that is bound to the server's certificate.
const MECHANISM: &str = "SCRAM-SHA-256";
const BOUND: &str = "SCRAM-SHA-256-PLUS";
/// Iterations told to a client whose user does not exist.
pub const ITERATIONS: usize = 4096;

/// Runs the exchange. `verifier` is the user's, or `None` for a user who does not exist: then the
/// exchange runs all the same, against a salt that is always the same for the name, and fails. `binding` is the certificate
/// that the client has seen, if it is this server's.
pub async fn authenticate(
    stream: &mut ClientStream,
    (user, verifier): (&str, Option<&str>),
    salts: &UnknownSalts,
    binding: Option<&ServerTls>,
) -> Result<(), Failure> {
    let known = verifier.map(parse_verifier).transpose()?;
    let exists = known.is_some();
    let secret = match known {
        Some(secret) => secret,
        None => salts.unknown_user(user)?,
    };
    let mut server = ScramServerAuth::new();
    let binding = binding.filter(|tls| tls.end_point().is_some());
    let mut mechanisms = vec![MECHANISM.to_owned()];
    if let Some(tls) = binding {
        server
            .configure_certificate(tls.pem())
            .map_err(|error| refusal(&error, user))?;
        mechanisms.insert(0, BOUND.to_owned());
    }
    send(stream, Authentication::SASL(mechanisms)).await?;

    let first = initial_response(&receive(stream).await?, binding.is_some())?;
    let (answer, exchange) = server
        .on_client_first_message_with_secret(&first, secret)
        .map_err(|error| refusal(&error, user))?;
    send(stream, Authentication::SASLContinue(Bytes::from(answer))).await?;

    let last = receive(stream).await?;
    let proof = exchange
        .on_client_final_message(&last)
        .map_err(|error| refusal(&error, user))?;
    if !exists {
        return Err(wrong_password(user));
    }
    send(stream, Authentication::SASLFinal(Bytes::from(proof))).await
}

/// A certificate stands for the user of its name, and for nobody else.
///
/// Error: 28000.
pub fn check_certificate(name: &str, user: &str, exists: bool) -> Result<(), Failure> {
    if name == user && exists {
        return Ok(());
    }
    Err(Failure::fatal(
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        format!("certificate authentication failed for user \"{user}\""),
    ))
}

/// What everybody reads who may not come in with that name.
pub fn wrong_password(user: &str) -> Failure {
    Failure::fatal(
        SqlState::INVALID_PASSWORD,
        format!("password authentication failed for user \"{user}\""),
    )
}

fn refusal(error: &PgWireError, user: &str) -> Failure {
    match error {
        PgWireError::InvalidPassword(_) => wrong_password(user),
        other => Failure::fatal(
            SqlState::PROTOCOL_VIOLATION,
            format!("malformed SCRAM message: {other}"),
        ),
    }
}

async fn send(stream: &mut ClientStream, message: Authentication) -> Result<(), Failure> {
    stream
        .send(PgWireBackendMessage::Authentication(message))
        .await
        .map_err(|error| Failure::fatal(SqlState::CONNECTION_FAILURE, error.to_string()))
}

async fn receive(stream: &mut ClientStream) -> Result<Bytes, Failure> {
    use futures::StreamExt;
    match stream.next().await {
        Some(Ok(Request::Message(PgWireFrontendMessage::PasswordMessageFamily(
            PasswordMessageFamily::Raw(body),
        )))) => Ok(body.freeze()),
        Some(Ok(_)) => Err(Failure::fatal(
            SqlState::PROTOCOL_VIOLATION,
            "expected a password message",
        )),
        Some(Err(error)) => Err(Failure::fatal(
            SqlState::PROTOCOL_VIOLATION,
            error.to_string(),
        )),
        None => Err(Failure::fatal(
            SqlState::CONNECTION_FAILURE,
            "the client went away",
        )),
    }
}

/// `SASLInitialResponse`: mechanism, zero byte, length, data. Who chooses the bound mechanism says so in the data, too, and
/// nobody else does.
pub fn initial_response(body: &Bytes, binds: bool) -> Result<Bytes, Failure> {
    let malformed = || Failure::fatal(SqlState::PROTOCOL_VIOLATION, "malformed SASL message");
    let end = body
        .iter()
        .position(|byte| *byte == 0)
        .ok_or_else(malformed)?;
    let mechanism = body.get(..end).unwrap_or_default();
    let is_bound = mechanism == BOUND.as_bytes() && binds;
    if !is_bound && mechanism != MECHANISM.as_bytes() {
        return Err(Failure::fatal(
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            "client selected an invalid SASL authentication mechanism",
        ));
    }
    let data = body.get(end + 5..).ok_or_else(malformed)?;
    if is_bound != data.starts_with(b"p=") {
        return Err(malformed());
    }
    Ok(body.slice_ref(data))
}

/// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, keys and salt in base64.
fn parse_verifier(text: &str) -> Result<ScramSecret, Failure> {
    let parsed = || -> Option<ScramSecret> {
        let rest = text.strip_prefix("SCRAM-SHA-256$")?;
        let (head, keys) = rest.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        Some(ScramSecret::Verifier {
            salt: STANDARD.decode(salt).ok()?,
            iterations: iterations.parse().ok()?,
            stored_key: STANDARD
                .decode(stored)
                .ok()
                .filter(|key| key.len() == KEY_BYTES)?,
            server_key: STANDARD
                .decode(server)
                .ok()
                .filter(|key| key.len() == KEY_BYTES)?,
        })
    };
    parsed().ok_or_else(|| {
        tracing::error!("a password verifier in system.db can't be read");
        Failure::fatal(
            SqlState::DATA_CORRUPTED,
            "the stored password can't be read",
        )
        .hint("Set it again.")
    })
}

/// Length of a SHA-256 key.
const KEY_BYTES: usize = 32;
/// Length of a salt, as stored verifiers have it.
const SALT_BYTES: usize = 16;

/// What the salts of users that do not exist are made from. As those of known ones they stay over a restart, and are the same
/// on a master and its slaves.
pub struct UnknownSalts(hmac::Key);

impl UnknownSalts {
    /// Those of an environment, by what all its servers know and nobody learns before a log-in.
    pub fn of(environment: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, environment))
    }

    /// A secret that no password fits, with a salt that depends on the name alone: asking twice does not
    /// tell an unknown user from a known one.
    fn unknown_user(&self, user: &str) -> Result<ScramSecret, Failure> {
        let tag = hmac::sign(&self.0, user.as_bytes());
        let salt = tag.as_ref().iter().copied().take(SALT_BYTES).collect();
        let mut never = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut never).map_err(|_| {
            Failure::fatal(SqlState::INTERNAL_ERROR, "the system has no random numbers")
        })?;
        Ok(ScramSecret::Verifier {
            salt,
            iterations: ITERATIONS,
            stored_key: digest::digest(&digest::SHA256, &never).as_ref().to_vec(),
            server_key: never.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_read_and_a_broken_one_refused() {
        let key = STANDARD.encode([7; 32]);
        let text = format!(
            "SCRAM-SHA-256$4096:{}${key}:{key}",
            STANDARD.encode([1; 16])
        );
        let Ok(ScramSecret::Verifier {
            iterations, salt, ..
        }) = parse_verifier(&text)
        else {
            panic!("not read");
        };
        assert_eq!((iterations, salt), (4096, vec![1; 16]));
        assert!(parse_verifier("md5abc").is_err());
        assert!(parse_verifier("SCRAM-SHA-256$x:y$z:w").is_err());
    }

    #[test]
    fn the_salt_of_an_unknown_user_is_the_same_each_time() {
        let salt = |environment: &[u8], user| match UnknownSalts::of(environment).unknown_user(user)
        {
            Ok(ScramSecret::Verifier { salt, .. }) => salt,
            _ => panic!("no verifier"),
        };
        assert_eq!(salt(b"one", "nobody"), salt(b"one", "nobody"));
        assert_ne!(salt(b"one", "nobody"), salt(b"one", "somebody"));
        assert_ne!(salt(b"one", "nobody"), salt(b"two", "nobody"));
        assert_eq!(salt(b"one", "nobody").len(), SALT_BYTES);
    }

    #[test]
    fn an_initial_response_names_the_mechanism() {
        let read =
            |bytes: &'static [u8], binds| initial_response(&Bytes::from_static(bytes), binds);
        let plain = b"SCRAM-SHA-256\0\0\0\0\x03n,,";
        assert_eq!(read(plain, false).unwrap(), Bytes::from_static(b"n,,"));
        assert!(read(plain, true).is_ok());
        assert!(read(b"PLAIN\0\0\0\0\0", true).is_err());
        assert!(read(b"SCRAM-SHA-256\0\0", false).is_err());
        let bound = b"SCRAM-SHA-256-PLUS\0\0\0\0\x04p=x,";
        assert!(read(bound, true).is_ok());
        assert!(read(bound, false).is_err());
        // The mechanism and what stands in the data belong together.
        assert!(read(b"SCRAM-SHA-256-PLUS\0\0\0\0\x03n,,", true).is_err());
        assert!(read(b"SCRAM-SHA-256\0\0\0\0\x04p=x,", true).is_err());
    }
}
