//! A dbrepl that is refused before it has said anything: what it says first is heard. At a root its log may prove that
//! this server was left behind, and is no root any more; at a slave that another one feeds, it may belong to a circle.

use std::sync::Arc;
use std::time::Duration;

use dbproto::{Identify, Message, Refuse, check_above, state};
use futures::StreamExt as _;
use fwlog::{HistoryLine, Position, Rival};
use pgwire::messages::PgWireFrontendMessage;

use crate::clients::SessionEntry;
use crate::databases::fence::{Fence, Tail};
use crate::databases::handover::GetsBack;
use crate::environment::Environment;
use crate::environment::fence::{Claim, OtherLog};
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
        Claim::None => forked(environment, source).unwrap_or_else(|| {
            if let Some(greeting) = &source.greeting {
                environment.is_awaited_by(&greeting.speaker.name);
            }
            refuse
        }),
        Claim::LeftBehind(fence) => match environment.yield_to(&fence) {
            Ok(()) => passing(format!(
                "{own} was the root, and becomes a slave of {}",
                fence.by
            )),
            Err(error) => {
                tracing::error!(%error, "this server was left behind as the root, and is no slave yet");
                not_yet(own, &error)
            }
        },
        Claim::TwoRoots { ours, theirs, at } => {
            environment.note_rival(Rival {
                at,
                ours: ours.number,
                theirs: theirs.number,
                name: theirs.instance.clone(),
            });
            two_roots(own, &ours, &theirs, at)
        }
    }
}

/// The slave has the end of a log that this root had once, and has written over.
fn forked(environment: &Environment, source: &Identify) -> Option<Refuse> {
    let other = OtherLog::of(source)?;
    let theirs = environment.has_forked_from(&other)?;
    let (own, name) = (&environment.config().server.instance, &other.instance);
    let why = environment.forked(&other, theirs);
    Some(Refuse::new(state::NEEDS_REJOIN, why).hint(format!(
        "was {own} brought back from an old copy, or has its disk lost the end of the log? To go on with {own}: 'dbctl rejoin --from' the address of {own}, given to {name}, which keeps what it takes back. To go on with {name}: Role = Slave in the eloqdb.cfg of {own} and a restart, 'dbctl replication promote' on {name}, then 'dbctl rejoin --from' the address of {name}, given to {own}. Where that says so, the dbrepl of the one to the other with --resync. With Peers {own} would have got it back at its start"
    )))
}

fn two_roots(own: &str, ours: &HistoryLine, theirs: &HistoryLine, at: Position) -> Refuse {
    Refuse::new(
            state::TWO_ROOTS,
            format!("{own} and {} are both roots", theirs.instance),
        )
        .detail(format!(
            "up to {at} both logs are the same; behind it generation {} was begun by {} at {}, and generation {} by {} at {}",
            ours.number, ours.instance, ours.time, theirs.number, theirs.instance, theirs.time
        ))
        .hint(format!("neither yields by itself, and each may have transactions that the other has not: keep what is missed of one of them ('dbctl database dump'), then make that one a slave (Role = Slave in section [Replication] of its eloqdb.cfg, and a restart), and start the dbrepl of the other one with --resync. {own} goes on writing until then"))
}

/// A root that does not write yet takes what its log has lost, and nothing else.
pub(super) fn admit(environment: &Environment, source: &Identify) -> Result<(), Refuse> {
    if environment.paused().is_none() {
        return Ok(());
    }
    let own = &environment.config().server.instance;
    let refuse = dbproto::not_a_slave(own, dbproto::Role::Master);
    match environment.claim_of(source) {
        Claim::None => {}
        Claim::LeftBehind(_) | Claim::TwoRoots { .. } => {
            return Err(judge(environment, source, refuse));
        }
    }
    let goes_on = OtherLog::of(source).and_then(|other| environment.goes_on_here(&other));
    goes_on.map(drop).ok_or(refuse)
}

/// The source has found the end of the own log in its log: what it has behind that comes back first.
pub(super) fn is_fed(environment: &Environment, source: &Identify) -> Result<(), Refuse> {
    let Some(other) = OtherLog::of(source).filter(|_| environment.paused().is_some()) else {
        return Ok(());
    };
    let Some(end) = environment.goes_on_here(&other) else {
        return Ok(());
    };
    let from = other.instance;
    environment
        .gets_back(GetsBack { end, from })
        .map_err(|error| not_yet(&environment.config().server.instance, &error))
}

/// A server that was left behind looks at its log before it is fed; with `Rejoin = auto` it goes back by itself.
pub fn look_at_own_log(environment: &Environment) -> Result<(), Refuse> {
    let own = &environment.config().server.instance;
    let begun = environment
        .rejoin()
        .and_then(|()| environment.rejoin_by_itself());
    match begun {
        Ok(false) => Ok(()),
        Ok(true) => Err(goes_back(own)),
        Err(error) if environment.fence().is_none() => {
            tracing::error!(%error, "this server does not go back to where its log has left that of the root yet");
            let why =
                format!("{own} does not go back to where its log has left that of the root yet");
            Err(passing(why).detail(error.to_string()))
        }
        Err(error) => {
            tracing::error!(%error, "this server was left behind as the root, and does not follow yet");
            Err(not_yet(own, &error))
        }
    }
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
    if let Tail::GivenUp { .. } = fence.tail {
        // Whoever sends the log makes a copy first.
        return Err(Refuse::new(state::LOG_MISSING, fence.in_words(own)).hint(state::COPY));
    }
    Err(Refuse::new(state::LEFT_BEHIND, fence.in_words(own)).hint(fence.hint().unwrap_or_default()))
}

/// It is about to begin anew, or will be when a dbrepl comes again.
pub(super) fn goes_back(own: &str) -> Refuse {
    passing(format!(
        "{own} goes back to where its log has left that of the root, and begins anew"
    ))
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
