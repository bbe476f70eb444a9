//! Sockets that wait for clients.

use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use dbconfig::Config;
use tokio::net::{TcpListener, TcpSocket};

use crate::web::Transport;

/// Connections that the system holds for us while we accept.
const BACKLOG: u32 = 1024;

/// The service port.
pub(super) fn service(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let wanted = config
        .server
        .sockets()
        .context("Service cannot be resolved")?;
    listen("Service", wanted, config.server.listen_is_default)
}

/// The ports of the status page; nothing where there is none.
pub(super) fn http(config: &Config) -> anyhow::Result<Vec<(Transport, TcpListener)>> {
    let server = &config.server;
    let mut listeners = Vec::new();
    for (key, transport, wanted) in [
        ("ServiceHttp", Transport::Clear, server.http_sockets()),
        ("ServiceHttps", Transport::Tls, server.https_sockets()),
    ] {
        let wanted = wanted.with_context(|| format!("{key} cannot be resolved"))?;
        if !wanted.is_empty() {
            let listening = listen(key, wanted, server.listen_is_default)?;
            listeners.extend(listening.into_iter().map(|listener| (transport, listener)));
        }
    }
    Ok(listeners)
}

/// Sockets of the key. `lenient`: nobody asked for these addresses by name.
fn listen(key: &str, wanted: Vec<SocketAddr>, lenient: bool) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    let mut skipped = Vec::new();
    for mut address in wanted {
        // Port 0: the system gives one, the same for all addresses.
        if address.port() == 0
            && let Some(first) = listeners.first()
        {
            let first: &TcpListener = first;
            address.set_port(first.local_addr()?.port());
        }
        match bind(address) {
            Ok(listener) => listeners.push(listener),
            // A machine without IPv6 is no mistake as long as nobody asked for it by name.
            Err(error) if lenient && missing_address(&error) => {
                skipped.push(address);
            }
            Err(error) => return Err(bind_error(key, address, &error)),
        }
    }
    if listeners.is_empty() {
        anyhow::bail!("none of the addresses {skipped:?} exists on this machine; set Listen");
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn missing_address(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn bind_error(key: &str, address: SocketAddr, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "cannot listen on {address}: another program uses the port; set {key} to a free one, or stop that program"
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "cannot listen on {address}: ports below 1024 are for root; set {key} to a higher one"
        ),
        io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "cannot listen on {address}: this machine has no such address ('ip address' shows those that it has); set Listen"
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    }
}
