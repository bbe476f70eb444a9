//! `reload`

use std::time::Duration;

use crate::control_plane::{Call, Table};
use crate::error::EngineError;

/// How long the server may take.
const AT_MOST: Duration = Duration::from_secs(10);

/// Has the server read its configuration again, as SIGHUP does, and says what has come of that.
pub(crate) fn reload(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("reload")?;
    let reloaded = call.environment.reload_request().ask(AT_MOST);
    let reloaded = reloaded.map_err(|why| {
        EngineError::state(
            format!("the configuration is not read again: {why}"),
            "All is as it was. 'dbctl config check' shows what is wrong with the file.",
        )
    })?;
    let mut table = Table::list();
    for it in &reloaded.taken {
        table.entry(it.key, format_args!("{} now", it.value));
    }
    for it in &reloaded.waiting {
        let text = format_args!("has changed in [{}]: holds at the next start", it.section);
        table.entry(it.key, text);
    }
    for change in &reloaded.sources {
        table.entry(&change.source, change);
    }
    if table.rows.is_empty() {
        table = Table::done("nothing has changed");
    }
    table.typed(&reloaded)
}
