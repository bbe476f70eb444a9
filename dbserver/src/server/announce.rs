//! Tells the surroundings that the server runs: systemd, and who looks for its port.

use std::env;
use std::fmt::Write as _;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process;

use anyhow::Context as _;
use dbconfig::Config;

use crate::databases::control::role_word;
use crate::environment::Environment;
use crate::server::listen::Places;

/// Writes process and addresses into the environment's lock file, and notifies the service manager.
pub(super) fn started(environment: &Environment, places: &Places) -> anyhow::Result<()> {
    let mut text = format!("pid = {}\n", process::id());
    let service = places
        .service
        .iter()
        .map(|address| ("address".to_owned(), address));
    let pages = places
        .http
        .iter()
        .map(|(transport, address)| (transport.to_string(), address));
    for (name, address) in service.chain(pages) {
        writeln!(text, "{name} = {address}").context("cannot format an address")?;
    }
    environment.core().note_running(&text)?;
    notify("READY=1");
    Ok(())
}

/// The first line of each life: who, with what, on which files. `does`: `starts`, or what else it was asked for.
pub fn beginning(config: &Config, does: &str) {
    let shown = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        path.display().to_string()
    };
    let log = config
        .forward_log
        .location
        .as_deref()
        .and_then(Path::parent);
    tracing::info!(
        process = process::id(),
        configuration = shown(&config.path),
        instance = config.server.instance,
        role = role_word(config.replication.role),
        data = shown(&config.server.data_dir),
        log = log.map_or_else(|| "none".to_owned(), shown),
        "dbserver {} {does}",
        env!("CARGO_PKG_VERSION")
    );
}

/// The service manager shows how far a copy is: `shown` is what it knows.
pub(super) fn show_copy(environment: &Environment, shown: &mut Option<String>) {
    let copying = environment.slave().and_then(|it| it.progress().copying);
    let state = copying.map(|copying| copying.to_string());
    if state != *shown {
        notify(&format!("STATUS={}", state.as_deref().unwrap_or("ready")));
        *shown = state;
    }
}

/// The stop has begun.
pub(crate) fn stopping() {
    notify("STOPPING=1");
}

/// The protocol of `sd_notify(3)`: one datagram to the socket that the manager names.
fn notify(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to(state.as_bytes(), &path));
    report(sent);
}

fn report(sent: io::Result<usize>) {
    if let Err(error) = sent {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}
