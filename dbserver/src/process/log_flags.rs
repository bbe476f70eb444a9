//! LogFlags: a level, or levels by part of the server.

use anyhow::Context as _;
use dbconfig::Config;
use tracing_subscriber::EnvFilter;

/// LogFlags as a filter; the error names the key.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    let flags = &config.server.log_flags;
    EnvFilter::try_new(flags).with_context(|| format!("LogFlags = {flags} is not a filter"))
}
