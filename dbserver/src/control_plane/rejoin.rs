//! `replication rejoin`: a server whose log goes beyond what it has in common with the root goes back to that point.

use std::sync::Arc;
use std::time::Duration;

use dbconfig::HostService;
use dbproto::state;
use fwlog::{CommitNumber, Position};
use serde::Serialize;

use crate::asking::ask_others;
use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::environment::fence::{Claim, OtherLog};
use crate::environment::rewind::{Fork, Outcome, Plan, Planned, root_of};
use crate::error::EngineError;
use crate::feed::get_back::{Answer, ask_peer};
use crate::process::bytes;

const USAGE: &str = "usage: replication rejoin [--from HOST:SERVICE | --to POSITION] [--plan cut | log | compare] [--dry-run] | --give-up";

/// How long another server may take to say who it is.
const ANSWER: Duration = Duration::from_secs(10);

/// What is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    from: Option<HostService>,
    to: Option<Position>,
    plan: Option<Plan>,
    dry_run: bool,
    give_up: bool,
}

impl Wanted {
    fn read(arguments: &[&str]) -> Result<Self, EngineError> {
        let usage = || EngineError::Usage(USAGE.into());
        let mut wanted = Self::default();
        let words = arguments
            .iter()
            .flat_map(|word| match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => vec![option, value],
                _ => vec![*word],
            });
        let mut words = words.collect::<Vec<_>>().into_iter();
        while let Some(word) = words.next() {
            match word {
                "--from" => {
                    let address = words.next().ok_or_else(usage)?;
                    let why = |why| EngineError::Usage(format!("--from: {why}"));
                    wanted.from = Some(address.parse().map_err(why)?);
                }
                "--to" => {
                    let position = words.next().ok_or_else(usage)?;
                    let odd =
                        |_| EngineError::Usage(format!("{position} is no position (12-3:184320)"));
                    wanted.to = Some(position.parse().map_err(odd)?);
                }
                "--plan" => {
                    let plan = words.next().ok_or_else(usage)?;
                    let plan: Plan = plan.parse().map_err(EngineError::Usage)?;
                    wanted.plan = Some(plan);
                    if plan == Plan::Nothing {
                        return Err(usage());
                    }
                }
                "--dry-run" => wanted.dry_run = true,
                "--give-up" => wanted.give_up = true,
                _ => return Err(usage()),
            }
        }
        if wanted.give_up
            && wanted
                != (Self {
                    give_up: true,
                    ..Self::default()
                })
        {
            return Err(usage());
        }
        let is_copied = wanted.from.is_some() || wanted.plan == Some(Plan::Compare);
        if wanted.to.is_some() && is_copied {
            return Err(usage());
        }
        Ok(wanted)
    }
}

/// A point of a log.
#[derive(Debug, Serialize)]
struct Point {
    position: String,
    hash: String,
    commit: u64,
}

/// A plan that is not exact, and why.
#[derive(Debug, Serialize)]
struct NotTaken {
    plan: String,
    why: String,
}

/// What is done, or would be.
#[derive(Debug, Serialize)]
struct Rejoined {
    instance: String,
    /// The instance whose log it goes on with.
    root: String,
    /// Its address, where that was given.
    from: Option<String>,
    plan: String,
    /// `nothing`, `planned`, `begun` (the server begins anew), `awaits-copy`.
    state: &'static str,
    fork: Option<Point>,
    /// Where the log ends now.
    end: Option<String>,
    /// Transactions that the root does not have.
    transactions: u64,
    /// Where the first of them begins, and the newest commit.
    first: Option<String>,
    last_commit: Option<u64>,
    /// Pages that are made again from the own log.
    pages: u64,
    bytes: u64,
    not_cheaper: Vec<NotTaken>,
    /// Rows that the transactions have changed, once that was told.
    changes: Option<u64>,
    /// Why not all rows are told.
    inexact: Option<String>,
    /// The directory below `lost` for what is taken back.
    lost: Option<String>,
}

/// See the module's page.
pub(crate) fn rejoin(call: &Call<'_>) -> Result<Table, EngineError> {
    let wanted = Wanted::read(&call.arguments)?;
    let environment = call.environment;
    if wanted.give_up {
        return Ok(Table::done(if environment.give_up_rejoin()? {
            "the rejoin is given up; the server is as it was before"
        } else {
            "no rejoin was under way"
        }));
    }
    let Some(fork) = fork(environment, &wanted)? else {
        return nothing(environment, &wanted);
    };
    let planned = environment.plan_rejoin(fork, wanted.plan)?;
    if wanted.to.is_some() {
        refuse_inexact(&planned)?;
    }
    let outcome = if wanted.dry_run {
        None
    } else {
        Some(environment.begin_rejoin(&planned)?)
    };
    table(&report(environment, &wanted, &planned, outcome))
}

/// Where its log has left that of the root. `None`: nowhere.
fn fork(environment: &Arc<Environment>, wanted: &Wanted) -> Result<Option<Fork>, EngineError> {
    let other = match &wanted.from {
        Some(from) => Some(log_of(environment, from)?),
        None => None,
    };
    if let Some(to) = wanted.to {
        environment.rejoin()?;
        let is_end = environment.durable_position() == Some(to);
        return if is_end {
            Ok(None)
        } else {
            environment.fork_at(to).map(Some)
        };
    }
    let (other, has_end) = other.map_or((None, false), |(log, has_end)| (Some(log), has_end));
    if !environment.has_come_to_follow()? {
        yield_to(environment, wanted, other.as_ref())?;
    }
    environment.rejoin()?;
    if let Some(fork) = environment.fork_of_fence() {
        let root = other.as_ref().and_then(root_of);
        return Ok(Some(Fork {
            root: root.or(fork.root.clone()),
            ..fork
        }));
    }
    match &other {
        Some(other) => match environment.fork_from(other, has_end) {
            Err(error) if error.sqlstate() == state::NEEDS_REJOIN => {
                among_twins(environment, wanted.from.as_ref().ok_or(error)?)
            }
            found => found,
        },
        None if environment.fence().is_some() => Ok(None),
        None => Err(EngineError::state(
            "this server knows of no root that has left it behind",
            "Say which one it is to follow: --from HOST:SERVICE. The log-in there is that of PeerUser and PeerPasswordFile.",
        )),
    }
}

/// What that server tells of its log, and whether that has the end of the own one.
fn log_of(
    environment: &Arc<Environment>,
    from: &HostService,
) -> Result<(OtherLog, bool), EngineError> {
    let cannot = |why: String| cannot_ask(from, &why);
    let asked = ask_others("rejoin", |runtime| {
        runtime.block_on(ask_peer(environment, from, ANSWER))
    });
    match asked.and_then(|answer| answer).map_err(cannot)? {
        Answer::Peer(peer) => Ok((peer.log, peer.has_point)),
        Answer::Empty => Err(cannot("it has no log yet".to_owned())),
        Answer::Own => Err(cannot("it is this server".to_owned())),
    }
}

/// The histories do not tell where the two logs part: the other one is asked for its chain hashes.
fn among_twins(
    environment: &Arc<Environment>,
    from: &HostService,
) -> Result<Option<Fork>, EngineError> {
    let asked = ask_others("rejoin", |runtime| {
        let answer = runtime.block_on(ask_peer(environment, from, ANSWER));
        let Answer::Peer(peer) = answer.map_err(|why| cannot_ask(from, &why))? else {
            return Err(cannot_ask(from, "it has become another one"));
        };
        let mut hash_at = |position| {
            let hash = runtime.block_on(peer.hash_at(position));
            hash.map_err(|why| cannot_ask(from, &why))
        };
        environment.fork_among_twins(&peer.log, &mut hash_at)
    });
    asked.map_err(|why| cannot_ask(from, &why))?
}

/// Back to a point that a person has named it goes by its own log, or not at all.
fn refuse_inexact(planned: &Planned) -> Result<(), EngineError> {
    if planned.plan != Plan::Compare {
        return Ok(());
    }
    let why = planned.not_cheaper.iter();
    let why: Vec<String> = why.map(|(plan, why)| format!("{plan}: {why}")).collect();
    Err(EngineError::state(
        format!(
            "this server cannot go back to {} by its own log: {}",
            planned.fork.at.point.position,
            why.join("; ")
        ),
        "A backup brings it there; or a later position. Nothing has changed.",
    ))
}

fn cannot_ask(from: &HostService, why: &str) -> EngineError {
    EngineError::state(
        format!("{from} can't be asked: {why}"),
        "It is asked as PeerUser with the password in PeerPasswordFile, and needs the privilege operator there. A server that 'dbctl status' calls fenced knows its root, and needs no --from. Nothing has changed.",
    )
}

/// A server that is the root, and meets the proof that it is none any more.
fn yield_to(
    environment: &Arc<Environment>,
    wanted: &Wanted,
    other: Option<&OtherLog>,
) -> Result<(), EngineError> {
    let own = &environment.config().server.instance;
    let is_root = |why: String, hint: &str| {
        Err(EngineError::Source {
            state: state::TO_ROOT,
            message: why,
            hint: hint.to_owned(),
        })
    };
    let Some(other) = other else {
        return is_root(
            format!("{own} is the root: it has nobody to rejoin"),
            "Where another instance has become the root, say where: --from HOST:SERVICE.",
        );
    };
    match environment.claim_by(other) {
        Claim::LeftBehind(fence) if wanted.dry_run => is_root(
            format!("{}: it still writes", fence.in_words(own)),
            "Without --dry-run it writes no more; what it has behind that point is told then.",
        ),
        Claim::LeftBehind(fence) => environment.yield_to(&fence),
        Claim::TwoRoots { theirs, at, .. } => Err(EngineError::Source {
            state: state::TWO_ROOTS,
            message: format!(
                "{own} and {} are both roots: behind {at} each has begun a generation",
                theirs.instance
            ),
            hint: format!(
                "To go on with {}: keep what is missed of {own} ('dbctl database dump'), Role = Slave in its eloqdb.cfg and a restart, then the dbrepl of {} with --resync.",
                theirs.instance, theirs.instance
            ),
        }),
        Claim::None => is_root(
            format!(
                "{own} is the root, and nothing in the log of {} says that it is none any more",
                other.instance
            ),
            "'dbctl replication history' on both shows who became the root, and where.",
        ),
    }
}

fn nothing(environment: &Environment, wanted: &Wanted) -> Result<Table, EngineError> {
    let root = environment.fence().map(|fence| fence.by);
    table(&Rejoined {
        instance: environment.config().server.instance.clone(),
        root: root.unwrap_or_default(),
        from: wanted.from.as_ref().map(ToString::to_string),
        plan: Plan::Nothing.to_string(),
        state: "nothing",
        fork: None,
        end: environment.durable_position().map(|end| end.to_string()),
        transactions: 0,
        first: None,
        last_commit: None,
        pages: 0,
        bytes: 0,
        not_cheaper: Vec::new(),
        changes: None,
        inexact: None,
        lost: None,
    })
}

fn report(
    environment: &Environment,
    wanted: &Wanted,
    planned: &Planned,
    outcome: Option<Outcome>,
) -> Rejoined {
    let at = planned.fork.at;
    let (state, kept) = match outcome {
        None => ("planned", None),
        Some(Outcome::Armed(kept)) => ("begun", Some(kept)),
        Some(Outcome::Awaits(kept)) => ("awaits-copy", Some(kept)),
    };
    let not_cheaper = planned.not_cheaper.iter().map(|(plan, why)| NotTaken {
        plan: plan.to_string(),
        why: why.clone(),
    });
    Rejoined {
        instance: environment.config().server.instance.clone(),
        root: planned.fork.by.clone(),
        from: wanted.from.as_ref().map(ToString::to_string),
        plan: planned.plan.to_string(),
        state,
        fork: Some(Point {
            position: at.point.position.to_string(),
            hash: at.point.hash.to_string(),
            commit: at.commit.get(),
        }),
        end: Some(planned.end().position.to_string()),
        transactions: planned.transactions(),
        first: planned.first().map(|first| first.to_string()),
        last_commit: planned.last().map(CommitNumber::get),
        pages: planned.pages,
        bytes: planned.bytes(),
        not_cheaper: not_cheaper.collect(),
        changes: kept.as_ref().map(|kept| kept.changes),
        inexact: kept.as_ref().and_then(|kept| kept.inexact.clone()),
        lost: kept.map(|kept| kept.name),
    }
}

fn table(told: &Rejoined) -> Result<Table, EngineError> {
    let mut table = Table::list();
    table.entry("instance", &told.instance);
    table.entry("root", &told.root);
    table.entry("plan", &told.plan);
    for not in &told.not_cheaper {
        table.entry(&format!("not {}", not.plan), &not.why);
    }
    if let Some(fork) = &told.fork {
        table.entry(
            "back to",
            format!("{}, commit {}", fork.position, fork.commit),
        );
    }
    table.maybe("log ends at", told.end.as_ref());
    table.entry("transactions lost", told.transactions);
    table.maybe("the first at", told.first.as_ref());
    table.entry(
        "pages made again",
        format!("{} ({})", told.pages, bytes(told.bytes)),
    );
    if told.lost.is_some() {
        table.maybe("rows changed by them", told.changes);
        table.maybe(
            "kept in",
            told.lost.as_ref().map(|name| format!("lost/{name}")),
        );
    }
    if let Some(why) = &told.inexact {
        table.entry("not all rows told", why);
    }
    let result = match told.state {
        "nothing" => {
            "there is nothing to take back: it follows as soon as a dbrepl of the root comes"
                .to_owned()
        }
        "planned" => "nothing has changed; without --dry-run it is done".to_owned(),
        "begun" => "the server begins anew there".to_owned(),
        _ => format!(
            "the next dbrepl of {} brings a copy; --give-up takes that back before",
            told.root
        ),
    };
    table.entry("rejoin", result);
    table.typed(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_what_makes_no_sense_is_refused() {
        let read = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            Wanted::read(&words)
        };
        assert_eq!(read("").unwrap(), Wanted::default());
        let all = read("--from south:8102 --plan=log --dry-run").unwrap();
        assert_eq!((all.plan, all.dry_run), (Some(Plan::Log), true));
        assert_eq!(all.from.unwrap().to_string(), "south:8102");
        assert!(read("--give-up").unwrap().give_up);
        let to = read("--to 12-3:184320 --plan log").unwrap().to;
        assert_eq!(to.unwrap().to_string(), "12-3:184320");
        for wrong in [
            "--give-up --dry-run",
            "--plan",
            "--to",
            "--to twelve",
            "--to 12-3:184320 --from south:8102",
            "--to 12-3:184320 --plan compare",
            "--plan undo",
            "--plan nothing",
            "--from",
            "south",
        ] {
            read(wrong).unwrap_err();
        }
    }
}
