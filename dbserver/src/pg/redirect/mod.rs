//! Sessions that a slave hands to its master, because they ask for an open mode that writes.
//!
//! ```text
//!  client ── start-up packet ──▶ slave: asked (mode 1 to 4?) ─▶ reach (the masters, in turn)
//!                                                                 │ PROXY header, the packet as it came
//!                                                                 ▼
//!  client ◀═════════ relay: bytes both ways, as they are ═══════▶ master: authentication, session
//! ```
//!
//! It is decided before authentication: a slave has verifiers of passwords, and can't log in for anybody. From then
//! on it looks at the frames only to know where one ends: so it can put a last word behind it.

mod asked;
mod cancel;
mod frames;
mod reach;
mod relay;
mod relays;
mod secured;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use pgtypes::SqlState;
use pgwire::messages::startup::Startup;

use crate::databases::open_mode::OpenMode;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::peer::Peer;
use crate::pg::caller::Caller;
use crate::wire::ProxyHeader;

pub(super) use cancel::{cancel, send_cancel};
pub(super) use reach::{Reached, reach};
pub(super) use relay::Relay;
pub(super) use relays::Relays;
pub(super) use secured::{tls, tls_without_name};

use asked::{Asked, asked};

/// How often a session may be handed on: by the slave that it has called, and once more by a master that has
/// become a slave meanwhile.
const MAX_HOPS: u8 = 2;

/// A session whose master has answered.
pub(super) struct Handover {
    environment: Arc<Environment>,
    asked: Asked,
    reached: Reached,
}

/// Hands a session that asks a slave for a mode that writes to the first master that takes it; `None` where this
/// server serves it itself, be it with a refusal after authentication.
///
/// Errors: 25006 where it must not be handed on, 08001 where no master answers.
pub(super) async fn hand_over(
    environment: &Arc<Environment>,
    caller: &Caller,
    startup: &Startup,
    packet: &Bytes,
) -> Result<Option<Handover>, Failure> {
    let targets = &environment.config().replication.redirect_write;
    if !environment.is_read_only() || (targets.is_empty() && caller.hops == 0) {
        return Ok(None);
    }
    let Some(asked) = asked(environment, &startup.parameters) else {
        return Ok(None);
    };
    if let Peer::Local { .. } = caller.peer {
        return Err(not_from_here(&asked));
    }
    // Before authentication: the one who has handed it on may then ask another master.
    check_hops(caller.hops, !targets.is_empty(), &asked)?;
    let mut opening = BytesMut::new();
    header(caller).encode(&mut opening);
    opening.extend_from_slice(packet);
    let tls = tls(environment)?;
    match reach(targets, &opening, &tls).await {
        Ok(reached) => Ok(Some(Handover {
            environment: Arc::clone(environment),
            asked,
            reached,
        })),
        Err(tried) => Err(nobody_there(asked.mode, &tried)),
    }
}

/// What the next server hears before all else.
fn header(caller: &Caller) -> ProxyHeader {
    ProxyHeader {
        addresses: caller.client.address().zip(caller.called),
        hops: caller.hops.saturating_add(1),
    }
}

/// Whether a session that was handed on so often may be handed on from here.
fn check_hops(hops: u8, has_targets: bool, asked: &Asked) -> Result<(), Failure> {
    if hops < MAX_HOPS && has_targets {
        return Ok(());
    }
    let (name, mode) = (&asked.database, asked.mode);
    let why = if has_targets {
        format!("this server is a slave, and the session was redirected {hops} times")
    } else {
        "the session was redirected to this server, and it is a slave".to_owned()
    };
    Err(Failure::fatal(
        SqlState::READ_ONLY_SQL_TRANSACTION,
        format!("cannot open database \"{name}\" in mode {mode}: {why}"),
    )
    .hint("RedirectWrite of the slave that the client has called must name the server that is the master now."))
}

/// Who may need no password here needs one there, and the master knows no process of this machine.
fn not_from_here(asked: &Asked) -> Failure {
    let (name, mode) = (&asked.database, asked.mode);
    Failure::fatal(
        SqlState::READ_ONLY_SQL_TRANSACTION,
        format!("cannot open database \"{name}\" in mode {mode}: this server is a slave, and does not redirect a session of the Unix socket"),
    )
    .hint("Connect to this server, or to the master, by the network and with a password; or open the database in a mode that reads: 5 to 9.")
}

fn nobody_there(mode: OpenMode, tried: &[(String, String)]) -> Failure {
    let detail: Vec<String> = tried
        .iter()
        .map(|(target, why)| format!("{target}: {why}"))
        .collect();
    Failure::fatal(
        SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        format!("no master can be reached for a session in mode {mode}"),
    )
    .detail(detail.join("; "))
    .hint("This slave redirects such sessions to RedirectWrite of its configuration; it serves modes 5 to 9 itself.")
}

/// Which of a master's addresses it was.
fn shown(target: &str, address: SocketAddr) -> String {
    let address = address.to_string();
    if target == address {
        address
    } else {
        format!("{target} ({address})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_handed_on_twice_and_no_more() {
        let asked = Asked {
            user: "ann".into(),
            database: "shop".into(),
            application: String::new(),
            mode: OpenMode::Write,
        };
        assert!(check_hops(0, true, &asked).is_ok());
        assert!(check_hops(1, true, &asked).is_ok());
        for (hops, has_targets, words) in [
            (2, true, "redirected 2 times"),
            (255, true, "redirected 255 times"),
            (1, false, "was redirected to this server"),
        ] {
            let refused = check_hops(hops, has_targets, &asked).unwrap_err();
            assert_eq!(refused.sqlstate().as_str(), "25006");
            assert!(refused.to_string().contains(words), "{refused}");
        }
        // The number does not begin anew.
        let address = SocketAddr::from(([10, 0, 0, 5], 4000));
        let mut caller = Caller::new(address.into(), Some(address));
        caller.hops = 255;
        assert_eq!(header(&caller).hops, 255);
    }

    #[test]
    fn an_address_that_is_the_name_is_told_once() {
        let address = SocketAddr::from(([10, 0, 0, 5], 4000));
        assert_eq!(shown("10.0.0.5:4000", address), "10.0.0.5:4000");
        assert_eq!(shown("db:4000", address), "db:4000 (10.0.0.5:4000)");
    }
}
