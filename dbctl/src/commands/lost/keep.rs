//! `lost keep POSITION`: makes the directory of lost transactions of this instance by hand, from its own log, without a
//! server.
//!
//! Whoever takes a log back makes it by itself. This is for a machine whose server will not come again, and for a log that a
//! person is about to give up.

use disk::Disk;
use fwlog::{
    EnvironmentId, Instances, LogLocation, Position, SegmentReader, SegmentStore, Timestamp,
};
use lost::{Facts, Fork, ForkState, LogState, MadeBy, Place, Standing, Summary};

use crate::commands::lost::usage;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

const KEEP: &str = "dbctl -c CFG lost keep POSITION [--secondary]";

pub(super) fn run(invocation: &Invocation, words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (position, standing) = match words.as_slice() {
        [position] => (*position, Standing::Primary),
        [position, "--secondary"] | ["--secondary", position] => (*position, Standing::Secondary),
        _ => return Err(usage(KEEP)),
    };
    let position: Position = position.parse().map_err(|_| {
        CommandError::usage(format!("{position} is no position (12-3:184320)")).with_hint(
            "'dbctl replication history' at the root shows where its generation goes on from",
        )
    })?;
    let made = keep(invocation, position, standing)?;
    say(invocation, &made)
}

fn keep(invocation: &Invocation, position: Position, standing: Standing) -> Result<Summary> {
    let failed = |error: lost::Error| CommandError::error(error.to_string());
    let config = invocation.config()?;
    let data_dir = config.server.data_dir.clone();
    let pattern = config.forward_log.location.clone().ok_or_else(|| {
        CommandError::usage(format!("{}: FwLog is not set", config.path.display()))
            .with_hint("without a forward log nothing is there to be kept")
    })?;
    let location = LogLocation::parse(&pattern).map_err(|error| {
        CommandError::usage(format!("{}: FwLog: {error}", config.path.display()))
    })?;
    let log = SegmentStore::at(location, 0o600);
    let disk = Disk::real();
    let path = data_dir.join(fwlog::INSTANCES_FILE);
    let own = Instances::read(&disk, &path)
        .map_err(|error| CommandError::error(error.to_string()))?
        .ok_or_else(|| {
            CommandError::error(format!("there is no instance file {}", path.display()))
        })?
        .own;
    let place = Place {
        disk: disk.clone(),
        directory: data_dir.join("lost"),
    };
    disk.make_directory(&place.directory, 0o700)
        .map_err(|error| CommandError::io("make the directory", &place.directory, &error))?;
    let fork = Fork::at(&log, position).map_err(failed)?;
    let known = LogState::read(&log, fork.point, (&disk, &place.directory)).map_err(failed)?;
    let state = match &known {
        Some(known) => ForkState::Known(known.databases()),
        None => ForkState::Unknown {
            why: "the log does not begin with its environment, so the state at the fork can't be made from it".to_owned(),
            names: Vec::new(),
        },
    };
    let facts = Facts {
        made_by: MadeBy::To,
        standing,
        environment: environment(&log, position)?,
        instance: own.name,
        instance_id: own.id,
        fork,
        root: None,
        plan: "keep".to_owned(),
        time: Timestamp::now(),
    };
    lost::write(&place, &facts, &state, &log).map_err(failed)
}

fn environment(log: &SegmentStore, position: Position) -> Result<EnvironmentId> {
    let reader = SegmentReader::open_in(log, position.segment);
    let reader = reader.map_err(|error| CommandError::error(error.to_string()))?;
    Ok(reader.header().environment)
}

fn say(invocation: &Invocation, made: &Summary) -> Result<()> {
    if invocation.output.json {
        return output::json(&made.description);
    }
    let known = &made.description;
    let mut table = Table::new(&["name", "value"]);
    let exact = match &known.why {
        None => "yes".to_owned(),
        Some(why) => format!("no: {why}"),
    };
    for (name, value) in [
        ("directory", made.directory.display().to_string()),
        ("fork", known.fork.position.clone()),
        ("end", known.end.position.clone()),
        ("transactions", known.transactions.to_string()),
        ("exact", exact),
    ] {
        table.push([name.to_owned(), value]);
    }
    invocation.output.result(&table)
}
