//! `lost list | status | fork | register | outcomes | complete | floor | purge`: transactions that only another instance had.

pub(super) mod commands;
mod floor;

use std::path::PathBuf;

pub(crate) use floor::floor;

use fwlog::{ChainHash, LogPoint, Timestamp};
use lost::Directory;
use serde::Serialize;

use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::lost_forks::{LostFork, LostForks};
use crate::system::lost_outcomes::{self, Outcome};

/// A directory below `lost` of the DataDir.
#[derive(Serialize)]
struct Here {
    name: String,
    instance: Option<String>,
    role: Option<String>,
    fork: Option<String>,
    transactions: Option<u64>,
    exact: Option<bool>,
    plan: Option<String>,
    time: Option<String>,
    /// Why it can't be read.
    damaged: Option<String>,
    /// Where it is on the machine of this server, for who copies it.
    path: String,
}

fn lost_directory(environment: &Environment) -> PathBuf {
    environment.core().layout().data_dir().join("lost")
}

/// The directories of this instance.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("lost list")?;
    let core = call.environment.core();
    let found = Directory::all(core.layout().disk(), &lost_directory(call.environment));
    let shown: Vec<Here> = found.map_err(failed)?.into_iter().map(here).collect();
    let mut table = Table::new(&[
        "directory",
        "instance",
        "role",
        "fork",
        "transactions",
        "exact",
        "made",
        "path",
    ]);
    for one in &shown {
        let text = |text: &Option<String>| text.clone();
        table.rows.push(vec![
            Some(one.name.clone()),
            text(&one.instance).or_else(|| text(&one.damaged)),
            text(&one.role),
            text(&one.fork),
            one.transactions.map(|count| count.to_string()),
            one.exact.map(|exact| yes(exact).to_owned()),
            text(&one.time),
            Some(one.path.clone()),
        ]);
    }
    table.typed(&shown)
}

fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn here((path, opened): lost::Found) -> Here {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let path = path.display().to_string();
    match opened {
        Ok(directory) => {
            let known = directory.description();
            Here {
                name,
                path,
                instance: Some(known.instance.clone()),
                role: Some(known.role.to_string()),
                fork: Some(known.fork.position.clone()),
                transactions: Some(known.transactions),
                exact: Some(known.exact),
                plan: Some(known.plan.clone()),
                time: Some(known.time.clone()),
                damaged: None,
            }
        }
        Err(error) => Here {
            name,
            path,
            instance: None,
            role: None,
            fork: None,
            transactions: None,
            exact: None,
            plan: None,
            time: None,
            damaged: Some(error.to_string()),
        },
    }
}

/// A fork with what came of its transactions.
#[derive(Serialize)]
struct Standing {
    #[serde(flatten)]
    fork: LostFork,
    applied: usize,
    there: usize,
    conflict: usize,
    /// Transactions of which nobody has said anything.
    open: u64,
}

/// All forks that are known, here and everywhere.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("lost status")?;
    let forks = LostForks::of(call.environment).all()?;
    let outcomes = lost_outcomes::all(call.environment, "")?;
    let mut shown = Vec::new();
    for fork in forks {
        let count = |outcome: Outcome| {
            let of_fork = outcomes.iter().filter(|it| {
                let of = it.id.split_once('/').map(|(generation, _)| generation);
                let mut own = fork.generations.split(' ');
                own.any(|own| Some(own) == of) && it.outcome == outcome.word()
            });
            of_fork.count()
        };
        let (applied, there, conflict) = (
            count(Outcome::Applied),
            count(Outcome::There),
            count(Outcome::Conflict),
        );
        let said = (applied + there + conflict) as u64;
        shown.push(Standing {
            open: fork.transactions.saturating_sub(said),
            fork,
            applied,
            there,
            conflict,
        });
    }
    let mut table = Table::new(&[
        "instance",
        "role",
        "fork",
        "transactions",
        "applied",
        "there",
        "conflict",
        "open",
        "settled",
    ]);
    for one in &shown {
        table.rows.push(vec![
            Some(one.fork.instance.clone()),
            Some(one.fork.role.clone()),
            Some(one.fork.position.clone()),
            Some(one.fork.transactions.to_string()),
            Some(one.applied.to_string()),
            Some(one.there.to_string()),
            Some(one.conflict.to_string()),
            Some(one.open.to_string()),
            one.fork.settled.clone(),
        ]);
    }
    table.typed(&shown)
}

/// What reads files where dbctl runs.
pub(crate) fn by_dbctl(_call: &Call<'_>) -> Result<Table, EngineError> {
    Err(EngineError::state(
        "this command reads files where dbctl runs, so it is none of the server",
        "Run dbctl with them; lost.sql in the same directory is for psql.",
    ))
}

/// Whether a point is in the log of this server, and who this is.
#[derive(Serialize)]
struct Known {
    instance: String,
    instance_id: String,
    writes: bool,
    in_log: bool,
    registered: bool,
}

fn known(environment: &Environment, position: &str, hash: &str) -> Result<Known, EngineError> {
    let position: fwlog::Position = position
        .parse()
        .map_err(|_| EngineError::Usage(format!("{position} is no position (12-3:184320)")))?;
    let parsed: ChainHash = hash
        .parse()
        .map_err(|_| EngineError::Usage(format!("'{hash}' is no chain hash")))?;
    let core = environment.core();
    let forks = LostForks::of(environment);
    let in_log = forks.has(LogPoint::new(position, parsed))?;
    let greeting = core.instance().greeting();
    let forks = forks.all()?;
    Ok(Known {
        instance: environment.config().server.instance.clone(),
        instance_id: greeting.speaker.id.to_string(),
        writes: !environment.is_read_only(),
        in_log,
        registered: forks.iter().any(|fork| fork.hash == hash),
    })
}

/// Whether the log of this server has a point.
pub(crate) fn fork(call: &Call<'_>) -> Result<Table, EngineError> {
    let [position, hash] = call.arguments.as_slice() else {
        return Err(EngineError::Usage("usage: lost fork POSITION HASH".into()));
    };
    let known = known(call.environment, position, hash)?;
    let mut table = Table::list();
    table.entry("instance", &known.instance);
    table.entry("writes", yes(known.writes));
    table.entry("has the fork", yes(known.in_log));
    table.entry("registered", yes(known.registered));
    table.typed(&known)
}

/// Notes a fork in the log, for every instance and every later root.
pub(crate) fn register(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "usage: lost register INSTANCE ID primary|secondary POSITION HASH COMMIT TRANSACTIONS [GENERATION …]";
    let usage = || EngineError::Usage(USAGE.into());
    let [
        instance,
        id,
        role,
        position,
        hash,
        commit,
        transactions,
        generations @ ..,
    ] = call.arguments.as_slice()
    else {
        return Err(usage());
    };
    if !["primary", "secondary"].contains(role) {
        return Err(usage());
    }
    let environment = call.environment;
    let here = known(environment, position, hash)?;
    if !here.in_log {
        return Err(EngineError::Source {
            state: pgtypes::SqlState::REPLICATION_NO_HISTORY,
            message: format!(
                "the log of {} does not have the fork {position} of {instance}: what was lost there has nothing in common with what is here",
                here.instance
            ),
            hint: "Is this the root of the same environment? 'dbctl replication history' shows which instance wrote its log, and from where.".into(),
        });
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| usage());
    let fork = LostFork {
        instance: (*instance).to_owned(),
        instance_id: (*id).to_owned(),
        role: (*role).to_owned(),
        position: (*position).to_owned(),
        hash: (*hash).to_owned(),
        commit: number(commit)?,
        transactions: number(transactions)?,
        generations: generations.join(" "),
        registered: Timestamp::now().to_string(),
        settled: None,
    };
    LostForks::of(environment).register(&fork)?;
    Ok(Table::done(format!(
        "{transactions} lost transactions of {instance} behind {position} are known here"
    )))
}

/// What came of lost transactions, of one generation or of all.
pub(crate) fn outcomes(call: &Call<'_>) -> Result<Table, EngineError> {
    let generation = match call.arguments.as_slice() {
        [] => "",
        [generation] => generation,
        _ => {
            return Err(EngineError::Usage(
                "usage: lost outcomes [GENERATION]".into(),
            ));
        }
    };
    let outcomes = lost_outcomes::all(call.environment, generation)?;
    let mut table = Table::new(&["database", "id", "outcome", "time", "by"]);
    for one in &outcomes {
        table.row(vec![
            one.database.clone(),
            one.id.clone(),
            one.outcome.clone(),
            one.time.clone(),
            one.by.clone(),
        ]);
    }
    table.typed(&outcomes)
}

/// A person says that all lost transactions that are known are done, or will not be.
pub(crate) fn complete(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("lost complete")?;
    let settled = LostForks::of(call.environment).complete()?;
    Ok(Table::done(match settled {
        0 => "there is no fork that was open".to_owned(),
        1 => "1 fork is settled, here and on every instance that follows".to_owned(),
        many => format!("{many} forks are settled, here and on every instance that follows"),
    }))
}

/// Removes a directory of lost transactions for good.
pub(crate) fn purge(call: &Call<'_>) -> Result<Table, EngineError> {
    let (name, yes) = match call.arguments.as_slice() {
        [name] => (name, false),
        [name, "--yes"] | ["--yes", name] => (name, true),
        _ => return Err(EngineError::Usage("usage: lost purge NAME [--yes]".into())),
    };
    let core = call.environment.core();
    let all = Directory::all(core.layout().disk(), &lost_directory(call.environment));
    let found = all.map_err(failed)?.into_iter().find(|(path, _)| {
        path.file_name()
            .is_some_and(|own| own.to_str() == Some(name))
    });
    let Some((_, opened)) = found else {
        return Err(EngineError::state(
            format!("there is no directory of lost transactions called {name}"),
            "'dbctl lost list' shows those that this server keeps.",
        ));
    };
    let directory = opened.map_err(failed)?;
    let known = directory.description();
    let forks = LostForks::of(call.environment).all()?;
    let is_settled = forks.iter().any(|fork| {
        fork.hash == known.fork.hash
            && fork.instance_id == known.instance_id
            && fork.settled.is_some()
    });
    if !is_settled && !yes {
        return Err(EngineError::state(
            format!(
                "{} lost transactions in {name} are not settled: they are nowhere else",
                known.transactions
            ),
            "Apply them at the root ('dbctl lost apply') and say 'dbctl lost complete' there; or give --yes to remove them all the same.",
        ));
    }
    let transactions = known.transactions;
    directory.remove().map_err(failed)?;
    Ok(Table::done(format!(
        "{name} is removed, with {transactions} lost transactions"
    )))
}

fn failed(error: lost::Error) -> EngineError {
    match error {
        lost::Error::Io { what, path, source } => EngineError::file(what, path, &source),
        other => EngineError::Corrupt(other.to_string()),
    }
}
