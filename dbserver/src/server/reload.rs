//! The configuration, read again while the server runs.

use dbconfig::Config;

use crate::environment::Environment;
use crate::environment::reload::Reloaded;

/// Reads it for whom `who` names, and says in the log what has changed, and since when that holds.
///
/// Errors: it can't be read, or the sources can't be as it says; they are as they were then.
pub(super) fn read_again(
    environment: &Environment,
    who: &str,
    (held, read): (&mut Config, &impl Fn(&str) -> Result<Config, String>),
) -> Result<Reloaded, String> {
    let changes = held.reload(&read(who)?);
    environment.core().reload(held);
    for setting in &changes.taken {
        tracing::info!("{who}: {} is {} now", setting.key.name, setting.text);
    }
    for setting in &changes.waiting {
        let place = setting.place();
        tracing::info!(
            "{who}: {} in [{place}] has changed, which holds at the next start",
            setting.key.name
        );
    }
    let sources = environment.core().reload_sources(held).map_err(|error| {
        let hint = error.hint().unwrap_or_default();
        let why = format!("the sources are as they were: {error}. {hint}");
        tracing::warn!("{who}: {why}");
        why
    })?;
    for change in &sources {
        tracing::info!("{who}: {change}");
    }
    Ok(Reloaded::new(&changes, sources))
}
