//! The environment of the local databases is made with the first of them, and opened at each start.

use std::sync::Arc;

use fwlog::EnvironmentId;

use crate::databases::layout::Layout;
use crate::environment::Environment;
use crate::environment::local::config_of;
use crate::error::EngineError;
use crate::system::create::create_on;
use crate::system::moving;

/// Nobody logs in by it: users are those of the server.
const NO_PASSWORD: &str = "none";

/// Opens the local databases of a server that has just started, if it has any, and ends a move that was broken off.
pub fn open(environment: &Arc<Environment>) -> Result<(), EngineError> {
    let layout = layout_of(environment);
    let there = layout.disk().exists(&layout.control());
    if there.map_err(|error| EngineError::file("look for", layout.control(), &error))? {
        start(environment)?;
    }
    moving::settle(environment)
}

/// The local environment, made where there is none yet.
pub(super) fn make(environment: &Environment) -> Result<&Arc<Environment>, EngineError> {
    if let Some(local) = environment.local() {
        return Ok(local);
    }
    let core = environment.core();
    let _one_at_a_time = core.one_author();
    // Somebody else may have made it meanwhile.
    if environment.local().is_none() {
        let (host, config) = (core.host(), config_of(core.config()));
        clear_half_made(&layout_of(environment))?;
        let id = EnvironmentId::from_bytes(host.random.bytes()?);
        create_on(host, &config, NO_PASSWORD, id)?;
        start(environment)?;
    }
    environment
        .local()
        .ok_or_else(|| EngineError::Internal("the local environment was just opened".into()))
}

fn layout_of(environment: &Environment) -> Layout {
    let core = environment.core();
    let directory = config_of(core.config()).server.data_dir;
    Layout::new(core.layout().disk().clone(), directory)
}

fn start(environment: &Environment) -> Result<(), EngineError> {
    let core = environment.core();
    let (host, sessions) = (core.host().clone(), Arc::clone(core.sessions()));
    let local = Environment::start_on(host, config_of(core.config()), sessions)?;
    environment.adopt_local(local);
    Ok(())
}

/// What a crash has left of an environment that was being made: a log without a control file, of which nobody knows.
fn clear_half_made(layout: &Layout) -> Result<(), EngineError> {
    let disk = layout.disk();
    let there = disk.exists(&layout.control());
    let has_control =
        there.map_err(|error| EngineError::file("look for", layout.control(), &error))?;
    if has_control || layout.some_data_file()?.is_some() {
        return Ok(());
    }
    let journal = layout.journal();
    let names = match disk.list(&journal) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(|error| EngineError::file("list", &journal, &error))?,
    };
    for path in names.into_iter().map(|name| journal.join(name)) {
        disk.remove(&path)
            .map_err(|error| EngineError::file("remove", &path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
