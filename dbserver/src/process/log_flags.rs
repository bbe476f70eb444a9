//! LogFlags: a level, or levels by part of the server.

use anyhow::Context as _;
use dbconfig::Config;
use tracing_subscriber::EnvFilter;

/// The part of the log that tells of slow statements.
pub const SLOW: &str = "slow";

/// What the library of TLS says by itself: what is the matter with a client, its connection tells.
const TLS: &str = "rustls";

/// LogFlags as a filter; the error names the key. Who asks for slow statements gets them, unless LogFlags itself has a level
/// for them; and nobody hears of each alert of TLS who has not asked for that.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    let flags = &config.server.log_flags;
    let mut filter =
        EnvFilter::try_new(flags).with_context(|| format!("LogFlags = {flags} is not a filter"))?;
    let is_named = |target: &str| {
        flags
            .split(',')
            .filter_map(|part| part.split_once('='))
            .any(|(named, _)| named.trim() == target)
    };
    let slow = (!config.server.log_slow.is_zero()).then_some((SLOW, "info"));
    for (target, level) in slow.into_iter().chain([(TLS, "error")]) {
        if !is_named(target) {
            let directive = format!("{target}={level}").parse();
            filter = filter.add_directive(directive.context("a directive")?);
        }
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_the_library_of_tls_says_is_told_to_who_asks() {
        let shown = |flags: &str| {
            let text = format!("[Server]\nDataDir = d\nLogFlags = {flags}\n");
            let config = Config::parse(Path::new("x.cfg"), &text).unwrap();
            filter(&config).unwrap().to_string()
        };
        assert!(shown("info").contains("rustls=error"));
        assert!(shown("info,rustls=debug").contains("rustls=debug"));
    }

    #[test]
    fn slow_statements_are_told_whatever_the_level_of_the_rest_is() {
        let shown = |text: &str| {
            let text = format!("[Server]\nDataDir = d\n{text}");
            let config = Config::parse(Path::new("x.cfg"), &text).unwrap();
            filter(&config).unwrap().to_string()
        };
        assert!(!shown("LogFlags = error").contains("slow"));
        let told = shown("LogFlags = error\nLogSlow = 1s");
        assert!(
            told.contains("slow=info") && told.contains("error"),
            "{told}"
        );
        let own = shown("LogFlags = info,slow=off\nLogSlow = 1s");
        assert!(!own.contains("slow=info"), "{own}");
    }
}
