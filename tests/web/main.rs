//! The status over HTTP, slow statements in the log, and log lines as JSON.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

mod access;
mod browser;
mod devtools;
mod grammar;
mod http;
mod limits;
mod lines;
mod metrics;
mod page;
mod proxy;
mod readiness;
mod slow;

use dbtests::Settings;

/// A master with a status page on a port that the system chooses.
fn master() -> Settings {
    with_page(Settings::master())
}

fn with_page(settings: Settings) -> Settings {
    settings.set("Server", "ServiceHttp", 0)
}
