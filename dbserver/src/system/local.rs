//! The environment of the local databases is made with the first of them, and opened at each start.

use std::sync::Arc;

use fwlog::EnvironmentId;
use pagestore::sum_file;

use crate::databases::layout::{Layout, SYSTEM_FILE};
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
    if has_control(&layout)? {
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
        let layout = layout_of(environment);
        clear_half_made(&layout)?;
        // One that could not be taken back when it was made in vain is as good as a new one.
        if !has_control(&layout)? {
            let id = EnvironmentId::from_bytes(host.random.bytes()?);
            create_on(host, &config, NO_PASSWORD, id)?;
        }
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

fn has_control(layout: &Layout) -> Result<bool, EngineError> {
    let there = layout.disk().exists(&layout.control());
    there.map_err(|error| EngineError::file("look for", layout.control(), &error))
}

/// What a crash has left of an environment that was being made, or was taken back: files without a control file, of which
/// nobody knows. Nothing is removed where there is a database.
fn clear_half_made(layout: &Layout) -> Result<(), EngineError> {
    let disk = layout.disk();
    if has_control(layout)? || layout.some_database_file()?.is_some() {
        return Ok(());
    }
    let system = layout.data_file(SYSTEM_FILE);
    for path in [
        sum_file(&system),
        system,
        layout.instances(),
        layout.history(),
    ] {
        disk.remove_if_there(&path)
            .map_err(|error| EngineError::file("remove", &path, &error))?;
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
