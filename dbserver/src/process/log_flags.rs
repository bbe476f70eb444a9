//! LogFlags: a level, or levels by part of the server.

use anyhow::Context as _;
use dbconfig::Config;
use tracing_subscriber::EnvFilter;

/// The part of the log that tells of slow statements.
pub const SLOW: &str = "slow";

/// LogFlags as a filter; the error names the key. Who asks for slow statements gets them, unless LogFlags itself has a level
/// for them.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    let flags = &config.server.log_flags;
    let filter =
        EnvFilter::try_new(flags).with_context(|| format!("LogFlags = {flags} is not a filter"))?;
    let is_named = flags
        .split(',')
        .filter_map(|part| part.split_once('='))
        .any(|(target, _)| target.trim() == SLOW);
    if config.server.log_slow.is_zero() || is_named {
        return Ok(filter);
    }
    let told = format!("{SLOW}=info").parse().context("a directive")?;
    Ok(filter.add_directive(told))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn slow_statements_are_told_whatever_the_level_of_the_rest_is() {
        let shown = |text: &str| {
            let text = format!("[Server]\nDataDir = d\n{text}");
            let config = Config::parse(Path::new("x.cfg"), &text).unwrap();
            filter(&config).unwrap().to_string()
        };
        assert_eq!(shown("LogFlags = error"), "error");
        let told = shown("LogFlags = error\nLogSlow = 1s");
        assert!(
            told.contains("slow=info") && told.contains("error"),
            "{told}"
        );
        let own = shown("LogFlags = info,slow=off\nLogSlow = 1s");
        assert!(!own.contains("slow=info"), "{own}");
    }
}
