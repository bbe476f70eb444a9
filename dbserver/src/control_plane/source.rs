//! `source list | start | activate | deactivate | shutdown | drop | checkhealth | showbacklog | changelog | statslog`

use std::time::Duration;

use dbproto::managed::Stats;

use crate::control_plane::source_words::{self, As, Words};
use crate::control_plane::{Call, Table, role};
use crate::environment::source_status::{BacklogStatus, Health, SourceStatus, with_reason};
use crate::error::EngineError;
use crate::sources::{Definition, Wish, refusal};
use crate::system::users::{Privilege, Users};

const START: &str = "source start NAME [HOST:SERVICE] [--passive [--auto]] [--root | --propagate] [--log-file FILE] [--connect-params NUMBERS]";
const ACTIVATE: &str = "source activate NAME [HOST:SERVICE] [--root | --propagate] [--log-file FILE] [--connect-params NUMBERS]";
const DEACTIVATE: &str = "source deactivate NAME [--auto] [--root | --propagate]";
const SHUTDOWN: &str = "source shutdown [NAME] [--timeout TIME]";

/// A slave that is fed gets what is durable within this time, unless it is said otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What a source does beyond that before it has ended.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// All sources, and how they stand.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("source list")?;
    let all = SourceStatus::all(call.environment)?;
    let mut table = Table::new(&[
        "source",
        "address",
        "state",
        "since",
        "process",
        "from",
        "log file",
        "statistics",
        "reason",
    ]);
    for source in &all {
        let from = match (source.configured, source.state) {
            (true, _) => "configuration",
            (false, "by hand") => "by hand",
            (false, _) => "command",
        };
        let log_file = source.log_file.as_ref();
        table.rows.push(vec![
            Some(source.source.clone()),
            Some(source.address.clone()),
            Some(source.state.to_owned()),
            Some(source.since.to_string()),
            source.process.map(|process| process.to_string()),
            Some(from.to_owned()),
            log_file.map(|file| file.display().to_string()),
            Some(if source.statistics { "on" } else { "off" }.to_owned()),
            source.reason.clone(),
        ]);
    }
    table.typed(&all)
}

/// Begins a source, or one that was shut down.
pub(crate) fn start(call: &Call<'_>) -> Result<Table, EngineError> {
    let options = [
        "--passive",
        "--auto",
        "--root",
        "--propagate",
        "--log-file",
        "--connect-params",
    ];
    let words = Words::read(call, START, &options)?;
    let (name, rest) = words.named()?;
    if words.auto && !words.passive {
        return Err(EngineError::Usage(
            "--auto is for a passive source: say --passive, too".into(),
        ));
    }
    let address = optional_address(rest, START)?;
    let own = &call.environment.config().server.instance;
    if name == own {
        return Err(refusal::same_name(own));
    }
    assert_role(call, words.role)?;
    let sources = call.environment.core().sources();
    let known = sources.standings().into_iter().map(|it| it.definition);
    let known = known.into_iter().find(|it| it.name == name);
    let mut new = match (known, address) {
        (Some(known), None) => known,
        (Some(known), Some(address)) if known.configured && known.address != address => {
            return Err(EngineError::state(
                format!(
                    "the source for {name} stands in Sources of the configuration, with the address {}",
                    known.address
                ),
                "Change it there, in section [Replication], then 'dbctl reload'; or leave the address out.",
            ));
        }
        (Some(known), Some(address)) => Definition { address, ..known },
        (None, Some(address)) => Definition::new(name, &address),
        (None, None) => return Err(with_reason(call.environment, name, refusal::unknown(name))),
    };
    new.wish = if words.passive {
        Wish::Passive { auto: words.auto }
    } else {
        Wish::Ship
    };
    new.log_file = words.log_file.or(new.log_file);
    new.connect = words.connect.or(new.connect);
    sources.start(new)?;
    let state = if words.passive { ", passive" } else { "" };
    Ok(Table::done(format!(
        "the source for {name} is started{state}"
    )))
}

/// Has a passive source send. `--root` on a slave makes it the root first.
pub(crate) fn activate(call: &Call<'_>) -> Result<Table, EngineError> {
    let options = ["--root", "--propagate", "--log-file", "--connect-params"];
    let words = Words::read(call, ACTIVATE, &options)?;
    let (name, rest) = words.named()?;
    let address = optional_address(rest, ACTIVATE)?;
    let environment = call.environment;
    let sources = environment.core().sources();
    let refused = |error| with_reason(environment, name, error);
    // Nothing has changed yet where there is no such source.
    sources.set(name, |_| ()).map_err(refused)?;
    refuse_elsewhere(call, name, address.as_deref())?;
    let promoted = match words.role {
        Some(As::Root) if environment.is_read_only() => Some(promote(call)?),
        role => {
            assert_role(call, role)?;
            None
        }
    };
    let changed = sources.set(name, |source| {
        source.wish = Wish::Ship;
        source.address = address.unwrap_or_else(|| source.address.clone());
        source.log_file = words.log_file.or(source.log_file.take());
        source.connect = words.connect.or(source.connect.take());
    });
    let what = if changed.map_err(refused)? {
        "is active"
    } else {
        "is active already"
    };
    let promoted = promoted.map_or_else(String::new, |promoted| format!("{promoted}; "));
    Ok(Table::done(format!(
        "{promoted}the source for {name} {what}"
    )))
}

/// Has a source send nothing until it is activated.
pub(crate) fn deactivate(call: &Call<'_>) -> Result<Table, EngineError> {
    let words = Words::read(call, DEACTIVATE, &["--auto", "--root", "--propagate"])?;
    let (name, rest) = words.named()?;
    if !rest.is_empty() {
        return Err(EngineError::Usage(format!("usage: {DEACTIVATE}")));
    }
    assert_role(call, words.role)?;
    let sources = call.environment.core().sources();
    let auto = words.auto;
    let changed = sources.set(name, |source| source.wish = Wish::Passive { auto });
    let changed = changed.map_err(|error| with_reason(call.environment, name, error))?;
    sources.wait_for_end(Some(name), LAST_STEPS);
    let already = if changed { "" } else { " already" };
    Ok(Table::done(format!(
        "the source for {name} is passive{already}"
    )))
}

/// Ends a source, or all, once the slave has what is durable.
pub(crate) fn shutdown(call: &Call<'_>) -> Result<Table, EngineError> {
    let words = Words::read(call, SHUTDOWN, &["--timeout"])?;
    let name = optional_name(&words, SHUTDOWN)?;
    let grace = words.timeout.unwrap_or(TIMEOUT);
    let sources = call.environment.core().sources();
    let ended = sources.shut_down(name, grace);
    let ended = ended.map_err(|error| match name {
        Some(name) => with_reason(call.environment, name, error),
        None => error,
    })?;
    if !sources.wait_for_end(name, grace + LAST_STEPS) {
        return Err(EngineError::state(
            "a source does not end",
            "'dbctl source list' shows it, and the process of its dbrepl, which may be killed: the server begins it anew where other sources need it.",
        ));
    }
    Ok(Table::done(match ended.as_slice() {
        [] => "no source is running".to_owned(),
        [one] => format!("the source for {one} is shut down"),
        all => format!("{} sources are shut down: {}", all.len(), all.join(", ")),
    }))
}

/// Forgets a source that does not run.
pub(crate) fn drop(call: &Call<'_>) -> Result<Table, EngineError> {
    let words = Words::read(call, "source drop NAME", &[])?;
    let (name, rest) = words.named()?;
    if !rest.is_empty() {
        return Err(EngineError::Usage("usage: source drop NAME".into()));
    }
    call.environment.core().sources().forget(name)?;
    Ok(Table::done(format!("the source for {name} is dropped")))
}

/// What a monitor reads: the worst of all, which is the exit code, and each source on a line of its own.
fn checked(health: u8, sources: &[SourceStatus]) -> Result<String, EngineError> {
    let lines: serde_json::Result<Vec<String>> =
        sources.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|error| EngineError::Internal(error.to_string()))?;
    let lines = lines.iter().map(|line| format!("\n{line}"));
    let lines = lines.collect::<Vec<_>>().join(",");
    Ok(format!(r#"{{"health":{health},"sources":[{lines}]}}"#))
}

/// Whether the slaves are fed.
pub(crate) fn checkhealth(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "source checkhealth [NAME]";
    let words = Words::read(call, USAGE, &[])?;
    let name = optional_name(&words, USAGE)?;
    let mut sources = SourceStatus::all(call.environment)?;
    sources.retain(|it| name.is_none_or(|name| it.source == name));
    if let (Some(name), true) = (name, sources.is_empty()) {
        return Err(refusal::unknown(name));
    }
    let worst = sources.iter().map(|it| it.health).max();
    let health = worst.unwrap_or(Health::NotRunning).code();
    let mut table = Table::new(&["source", "state", "since", "health", "reason"]);
    for source in &sources {
        table.rows.push(vec![
            Some(source.source.clone()),
            Some(source.state.to_owned()),
            Some(source.since.to_string()),
            Some(source.health.code().to_string()),
            source.reason.clone(),
        ]);
    }
    let json = checked(health, &sources)?;
    Ok(table.with_json(json))
}

/// What slaves lack of the log.
pub(crate) fn showbacklog(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "source showbacklog [NAME]";
    let words = Words::read(call, USAGE, &[])?;
    let name = optional_name(&words, USAGE)?;
    let all = BacklogStatus::of(call.environment, name)?;
    let mut table = Table::new(&[
        "source",
        "place",
        "position",
        "commit",
        "backlog in bytes",
        "backlog in commits",
        "backlog in seconds",
        "last heard of",
    ]);
    for row in &all {
        table.rows.push(vec![
            Some(row.source.clone()),
            Some(row.place.to_owned()),
            row.position.as_ref().map(ToString::to_string),
            row.commit.map(|it| it.to_string()),
            row.bytes.map(|it| it.to_string()),
            row.commits.map(|it| it.to_string()),
            row.seconds.as_ref().map(ToString::to_string),
            row.last_heard_of.as_ref().map(ToString::to_string),
        ]);
    }
    table.typed(&all)
}

/// Has lines about a source go to another file.
pub(crate) fn changelog(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "source changelog NAME FILE";
    let words = Words::read(call, USAGE, &[])?;
    let (name, rest) = words.named()?;
    let [file] = rest else {
        return Err(EngineError::Usage(format!("usage: {USAGE}")));
    };
    let file = source_words::log_file(file)?;
    let shown = file.display().to_string();
    let sources = call.environment.core().sources();
    let changed = sources.set(name, |source| source.log_file = Some(file));
    let changed = changed.map_err(|error| with_reason(call.environment, name, error))?;
    let what = if changed {
        "goes to"
    } else {
        "goes already to"
    };
    Ok(Table::done(format!(
        "what is told of the source for {name} {what} {shown}"
    )))
}

/// Turns statistics of a source on or off.
pub(crate) fn statslog(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "source statslog NAME on|off [FILE]";
    let words = Words::read(call, USAGE, &[])?;
    let (name, rest) = words.named()?;
    let wish = match rest {
        ["on"] => Some(Stats { file: None }),
        ["on", file] => {
            let file = Some(source_words::log_file(file)?);
            Some(Stats { file })
        }
        ["off"] => None,
        _ => return Err(EngineError::Usage(format!("usage: {USAGE}"))),
    };
    let on = if wish.is_some() { "on" } else { "off" };
    let sources = call.environment.core().sources();
    let changed = sources.set(name, |source| source.stats = wish);
    let changed = changed.map_err(|error| with_reason(call.environment, name, error))?;
    let already = if changed { "" } else { " already" };
    Ok(Table::done(format!(
        "statistics of the source for {name} are {on}{already}"
    )))
}

fn optional_name<'a>(words: &Words<'a>, usage: &str) -> Result<Option<&'a str>, EngineError> {
    match words.bare.as_slice() {
        [] => Ok(None),
        [name] => source_words::checked_name(name).map(Some),
        _ => Err(EngineError::Usage(format!("usage: {usage}"))),
    }
}

fn optional_address(rest: &[&str], usage: &str) -> Result<Option<String>, EngineError> {
    match rest {
        [] => Ok(None),
        [address] => source_words::address(address).map(Some),
        _ => Err(EngineError::Usage(format!("usage: {usage}"))),
    }
}

/// The words say what this server is, as whoever gives the command believes.
fn assert_role(call: &Call<'_>, role: Option<As>) -> Result<(), EngineError> {
    let own = &call.environment.config().server.instance;
    match (role, call.environment.is_read_only()) {
        (None, _) | (Some(As::Root), false) | (Some(As::Propagating), true) => Ok(()),
        (Some(As::Root), true) => Err(refusal::is_not_root(own)),
        (Some(As::Propagating), false) => Err(refusal::is_root(own)),
    }
}

/// Another address is for a source that is passive, and does not stand in the configuration.
fn refuse_elsewhere(call: &Call<'_>, name: &str, address: Option<&str>) -> Result<(), EngineError> {
    let standings = call.environment.core().sources().standings();
    let known = standings.into_iter().map(|it| it.definition);
    let known = known.into_iter().find(|it| it.name == name);
    let Some(known) = known.filter(|it| address.is_some_and(|wanted| wanted != it.address)) else {
        return Ok(());
    };
    if known.configured {
        return Err(EngineError::state(
            format!(
                "the source for {name} stands in Sources of the configuration, with the address {}",
                known.address
            ),
            "Change it there, in section [Replication], then 'dbctl reload'.",
        ));
    }
    if known.wish == Wish::Ship {
        return Err(EngineError::state(
            format!("the source for {name} sends to {}", known.address),
            format!("'dbctl source deactivate {name}' first."),
        ));
    }
    Ok(())
}

/// This slave becomes the root; that needs the privilege that `replication promote` needs.
fn promote(call: &Call<'_>) -> Result<String, EngineError> {
    if Users::of(call.environment).privilege(call.user)? != Privilege::Dba {
        return Err(EngineError::Denied(
            "'source activate --root' on a slave makes it the root, which needs the privilege dba"
                .into(),
        ));
    }
    role::become_root(call.environment, false)
}
