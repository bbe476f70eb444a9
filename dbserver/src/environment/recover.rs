//! `dbserver recover`: what `dbctl backup restore` has brought becomes an environment, redone to its end and stopped cleanly.
//!
//! ```text
//!  control of an environment that has no state ─► incoming::Restored, whose plan is the switch ─► a start ─► redo ─► a clean stop
//! ```
//! A crash before the switch leaves no environment, and the same command begins again; after it, this command or any start goes on.

use std::path::{Path, PathBuf};

use dbconfig::{Config, Role};
use fwlog::Generation;

use crate::clients::Sessions;
use crate::databases::control::{Control, LogPlace};
use crate::databases::host::Host;
use crate::databases::layout::Layout;
use crate::databases::list::SYSTEM_DATABASE;
use crate::environment::{Environment, log};
use crate::error::EngineError;
use crate::incoming::{Restored, is_complete, is_restoring};

/// What is made of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoverAs {
    /// A master, with a new generation.
    Master,
    /// A slave, which goes on with its master's log.
    Slave,
    /// A server of its own that keeps no forward log.
    Copy,
}

/// The configuration of a copy in this directory: it has no other.
pub fn of_copy(data_dir: &Path) -> Result<Config, EngineError> {
    let text = format!("[Server]\nDataDir = \"{}\"\n", data_dir.display());
    Config::parse(&PathBuf::from("recover"), &text)
        .map_err(|error| EngineError::Usage(error.to_string()))
}

/// Makes what was brought the state of the environment that the configuration names.
pub fn recover(host: &Host, config: &Config, recover_as: RecoverAs) -> Result<(), EngineError> {
    let layout = Layout::new(host.disk.clone(), &config.server.data_dir);
    {
        let _lock = layout.take_lock()?;
        if !is_complete(&layout)? {
            stage(host, config, &layout, recover_as)?;
        }
    }
    let environment = Environment::start_on(host.clone(), config.clone(), Sessions::new(1))?;
    environment.stop()
}

/// All up to the switch.
fn stage(
    host: &Host,
    config: &Config,
    layout: &Layout,
    recover_as: RecoverAs,
) -> Result<(), EngineError> {
    let control = Control::read(&host.disk, &layout.control())?;
    if control.is_some_and(|control| control.identity.is_some()) {
        return Err(EngineError::state(
            format!(
                "there is an environment in {} already",
                layout.data_dir().display()
            ),
            "Restore into another directory, or move this one away. Nothing was changed.",
        ));
    }
    if let Some(file) = layout.some_data_file()? {
        return Err(layout.control_is_missing(&file));
    }
    let restored = Restored::read(layout)?;
    let place = log::wanted_place(config);
    let location = log::location(config, layout, place)?;
    for directory in [&layout.databases(), &layout.journal(), &location.directory] {
        let made = host.disk.make_directory(directory, 0o700);
        made.map_err(|error| EngineError::file("make the directory", directory, &error))?;
    }
    empty(config, place).write(&host.disk, &layout.control())?;
    let instance = match recover_as {
        RecoverAs::Slave => None,
        RecoverAs::Master | RecoverAs::Copy => {
            Some((config.server.instance.as_str(), newest(config, layout)?))
        }
    };
    restored.complete(host, &config.replication.apply, instance)
}

/// An environment that has no state yet: no start serves it.
fn empty(config: &Config, place: LogPlace) -> Control {
    let role: Role = config.replication.role;
    Control {
        instance: config.server.instance.clone(),
        role,
        configured_role: role,
        clean: false,
        log: place,
        detached: false,
        next_database: SYSTEM_DATABASE.get(),
        identity: None,
        bootstrap: None,
        audit_open: false,
        handover: None,
        fence: None,
        alone_since: None,
    }
}

/// What is said of a control file that has no state, where none is to come.
pub(super) fn no_state_yet(layout: &Layout) -> EngineError {
    let data_dir = layout.data_dir().display();
    if is_restoring(layout) {
        return EngineError::state(
            format!("the restore into {data_dir} was not completed"),
            "Give the same 'dbctl backup restore' once more: it goes on.",
        );
    }
    EngineError::state(
        format!("{data_dir} is an empty slave that has not met a master yet"),
        "Set Role = Slave and start dbrepl on the master, or make a new environment elsewhere with 'dbctl init'.",
    )
}

/// The newest generation of which this machine has segments.
fn newest(config: &Config, layout: &Layout) -> Result<Generation, EngineError> {
    let mut newest = Generation::new(0);
    for place in [LogPlace::ForwardLog, LogPlace::Journal] {
        let Ok(location) = log::location(config, layout, place) else {
            continue;
        };
        let directory = location.directory.clone();
        let segments = match location.list() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            other => other.map_err(|error| EngineError::file("list", &directory, &error))?,
        };
        let generations = segments.into_iter().map(|id| id.generation);
        newest = generations.max().unwrap_or(newest).max(newest);
    }
    Ok(newest)
}

#[cfg(test)]
mod tests;
