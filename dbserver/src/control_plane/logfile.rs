//! `logfile [NEW_FILE]`

use std::path::Path;

use crate::control_plane::transfer::absolute;
use crate::control_plane::{Call, Table};
use crate::error::EngineError;

/// Opens the log file again after somebody has moved it away, or goes on in a new file.
pub(crate) fn logfile(call: &Call<'_>) -> Result<Table, EngineError> {
    let new = match call.arguments.as_slice() {
        [] => None,
        [path] => {
            absolute(path)?;
            Some(Path::new(*path))
        }
        _ => return Err(EngineError::Usage("usage: logfile [NEW_FILE]".into())),
    };
    let Some(log_file) = call.environment.log_file() else {
        return Err(EngineError::state(
            "the server does not log to a file",
            "Set LogFile in section [Server] of its configuration.",
        ));
    };
    let path = log_file
        .switch(new)
        .map_err(|(path, error)| EngineError::file("open the log file", path, &error))?;
    let mut table = Table::list();
    table.entry("log file", path.display());
    Ok(table)
}
