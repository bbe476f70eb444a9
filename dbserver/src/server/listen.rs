//! Sockets that wait for clients.

use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use dbconfig::Config;
use tokio::net::{TcpListener, TcpSocket};

use crate::server::local_socket::{self, LocalSocket};
use crate::web::Transport;
use crate::wire::Listener;

/// Connections that the system holds for us while we accept.
pub(super) const BACKLOG: u32 = 1024;

/// All sockets of a server, which are there before anybody is let in.
pub(super) struct Sockets {
    pub(super) service: Vec<Listener>,
    pub(super) http: Vec<(Transport, TcpListener)>,
    pub(super) places: Places,
}

/// Where they are.
pub(super) struct Places {
    /// The addresses of the service port.
    pub(super) service: Vec<SocketAddr>,
    /// The Unix socket.
    pub(super) local: Option<LocalSocket>,
    /// The status page.
    pub(super) http: Vec<(Transport, SocketAddr)>,
}

impl Sockets {
    /// Opens them as the configuration says.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let listeners = service(config)?;
        let addresses = listeners.iter().map(TcpListener::local_addr);
        let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
        // The one that the system has chosen, where that is so.
        let port = addresses.first().map_or(0, SocketAddr::port);
        let (local_listener, local) = local_socket::open(config, port)?.unzip();
        let http = http(config)?;
        let http_addresses = http
            .iter()
            .map(|(transport, listener)| Ok((*transport, listener.local_addr()?)))
            .collect::<io::Result<Vec<_>>>()?;
        let network = listeners.into_iter().map(Listener::Network);
        Ok(Self {
            service: network.chain(local_listener.map(Listener::Local)).collect(),
            http,
            places: Places {
                service: addresses,
                local,
                http: http_addresses,
            },
        })
    }
}

/// The service port.
fn service(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let wanted = config
        .server
        .sockets()
        .context("Service cannot be resolved")?;
    listen("Service", wanted, config.server.listen_is_default)
}

/// The ports of the status page; nothing where there is none.
fn http(config: &Config) -> anyhow::Result<Vec<(Transport, TcpListener)>> {
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
