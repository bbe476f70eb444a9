//! A dbrepl that is refused before it has said anything: what it says first is heard. At a root its log may prove that
//! this server was left behind, and is no root any more; at a slave that another one feeds, it may belong to a circle.

use std::sync::Arc;
use std::time::Duration;

use dbproto::{Identify, Message, Refuse, check_above, state};
use futures::StreamExt as _;
use pgwire::messages::PgWireFrontendMessage;

use crate::clients::SessionEntry;
use crate::databases::fence::Fence;
use crate::environment::Environment;
use crate::environment::fence::Claim;
use crate::error::EngineError;
use crate::wire::ClientStream;
use crate::wire::codec::{Request, WireError};

/// How long the first message of a dbrepl is waited for, which it sends without being asked.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);

/// Hears who comes, where `refuse` says that this is the root, or that it is fed; gives what to refuse it with.
pub(super) async fn meet(
    stream: &mut ClientStream,
    environment: &Arc<Environment>,
    entry: &SessionEntry,
    refuse: Refuse,
) -> Result<Refuse, WireError> {
    let judge = if refuse.sqlstate == state::TO_ROOT.as_str() {
        judge
    } else if refuse.sqlstate == state::IN_USE.as_str() {
        judge_second
    } else {
        return Ok(refuse);
    };
    let first = tokio::select! {
        biased;
        () = entry.wake.notified() => return Ok(refuse),
        first = tokio::time::timeout(FIRST_MESSAGE, stream.next()) => first,
    };
    let Ok(Some(first)) = first else {
        return Ok(refuse);
    };
    Ok(match first? {
        Request::Message(PgWireFrontendMessage::CopyData(copy)) => {
            match Message::decode(copy.data) {
                Ok(Message::Identify(source)) => judge(environment, &source, refuse),
                Ok(_) | Err(_) => refuse,
            }
        }
        _ => refuse,
    })
}

/// One that comes from below would be fed in a circle, were it alone.
fn judge_second(environment: &Environment, source: &Identify, refuse: Refuse) -> Refuse {
    let own = environment.core().instance().speaker();
    let circle = source.above().map(|above| check_above(above, &own));
    match circle {
        Some(Err(circle)) if circle.sqlstate == state::CYCLE.as_str() => circle,
        _ => refuse,
    }
}

fn judge(environment: &Environment, source: &Identify, refuse: Refuse) -> Refuse {
    let own = &environment.config().server.instance;
    match environment.claim_of(source) {
        Claim::None => refuse,
        Claim::LeftBehind(fence) => match environment.yield_to(&fence) {
            Ok(()) => passing(format!("{own} was the root, and becomes a slave of {}", fence.by)),
            Err(error) => {
                tracing::error!(%error, "this server was left behind as the root, and is no slave yet");
                not_yet(own, &error)
            }
        },
        Claim::TwoRoots { ours, theirs, at } => Refuse::new(
            state::TWO_ROOTS,
            format!("{own} and {} are both roots", theirs.instance),
        )
        .detail(format!(
            "up to {at} both logs are the same; behind it generation {} was begun by {} at {}, and generation {} by {} at {}",
            ours.number, ours.instance, ours.time, theirs.number, theirs.instance, theirs.time
        ))
        .hint(format!("neither yields by itself, and each may have transactions that the other has not: keep what is missed of one of them ('dbctl database dump'), then make that one a slave (Role = Slave in section [Replication] of its eloqdb.cfg, and a restart), and start the dbrepl of the other one with --resync. {own} goes on writing until then")),
    }
}

/// A server that was left behind looks at its log before it is fed.
pub(super) fn rejoin(environment: &Environment) -> Result<(), Refuse> {
    environment.rejoin().map_err(|error| {
        tracing::error!(%error, "this server was left behind as the root, and does not follow yet");
        not_yet(&environment.config().server.instance, &error)
    })
}

/// What it has, and this source has not, is not given up without a person.
pub(super) fn refuse_left_behind(
    environment: &Environment,
    source: &Identify,
    fence: &Fence,
) -> Result<(), Refuse> {
    // Another one may have all of it.
    let Claim::LeftBehind(_) = environment.claim_of(source) else {
        return Ok(());
    };
    let own = &environment.config().server.instance;
    Err(Refuse::new(state::LEFT_BEHIND, fence.in_words(own)).hint(fence.hint().unwrap_or_default()))
}

fn passing(what: String) -> Refuse {
    Refuse::new(state::CANNOT_CONNECT_NOW, what).hint("dbrepl tries again by itself.")
}

fn not_yet(own: &str, error: &EngineError) -> Refuse {
    passing(format!(
        "{own} was left behind as the root, and does not follow yet"
    ))
    .detail(error.to_string())
}
