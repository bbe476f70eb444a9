//! LogFlags: a level, or levels by part of the server.

use anyhow::Context as _;
use dbconfig::Config;
use tracing_subscriber::EnvFilter;

/// What can stand alone.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// LogFlags as a filter; the error names the key.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    let flags = &config.server.log_flags;
    check(flags)
        .map_err(anyhow::Error::msg)
        .and_then(|()| EnvFilter::try_new(flags).map_err(Into::into))
        .with_context(|| format!("LogFlags = {flags} is not a filter"))
}

/// A word that is no level would be taken for a part of the server, and silence all others.
fn check(flags: &str) -> Result<(), String> {
    let known = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    for flag in flags.split(',').map(str::trim) {
        let level = match flag.rsplit_once('=') {
            Some((_part, level)) => level,
            None => flag,
        };
        if !known(level.trim()) {
            return Err(format!(
                "'{level}' is not a level; levels are {}, for a part of the server it is part=level, as in info,fwlog=debug",
                LEVELS.join(", ")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_word_is_a_level_and_nothing_else() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,fwlog=debug",
            "warn, dbserver::feed=trace",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "warning",
            "verbose",
            "dbserver",
            "info,fwlog",
            "fwlog=loud",
            "",
        ] {
            let refused = check(bad).unwrap_err();
            assert!(refused.contains("levels are off, error"), "{refused}");
        }
    }
}
