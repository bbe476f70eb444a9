//! The process: sockets, signals, a clean stop.

pub mod announce;
pub mod arguments;
pub mod check;
mod log_modes;
pub mod open_files;
pub mod owner;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dbconfig::Config;
use disk::Disk;
use pgtypes::SqlState;
use signals::Signal;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clients::Sessions;
use crate::databases::control::role_word;
use crate::databases::layout::Layout;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::pg::FrontEnd;

use crate::process::LogFile;

/// How long running transactions may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);
/// How long ended sessions may take to leave.
const LEAVE: Duration = Duration::from_secs(10);
/// How long clients may take to hear that a stop was not clean.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often it is looked whether clients whose statements run are still there.
const LOOK: Duration = Duration::from_secs(1);
/// Connections that the system holds for us while we accept.
const BACKLOG: u32 = 1024;

/// Runs a server until it is told to stop; the stop is clean.
pub async fn run(
    config: Config,
    log_file: Option<LogFile>,
    reload: impl Fn() + Send + 'static,
) -> anyhow::Result<()> {
    let mut heard = hear_signals()?;
    // Who starts a server twice reads that, not that the port is in use.
    Layout::new(Disk::real(), &config.server.data_dir)
        .refuse_running()
        .context("the server cannot start")?;
    // What does not fit in memory would fail at night.
    let tmp_dir = &config.replication.tmp_dir;
    check::tempfile_in(tmp_dir)
        .map_err(|error| EngineError::file("make a file in TmpDir", tmp_dir, &error))?;
    // Ports are taken before recovery, so that a port in use is known at once.
    let listeners = listen(&config)?;
    let addresses = addresses(&listeners)?;
    let sessions = Sessions::new(config.server.max_sessions as usize);
    let front = FrontEnd::new(&config, Arc::clone(&sessions)).context("the server cannot start")?;
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(Arc::clone(&front).listen(listener));
    }
    let starting = tokio::task::spawn_blocking(move || Environment::start(config, sessions));
    let environment = starting
        .await
        .context("the start panicked")?
        .context("the server cannot start")?;
    if let Some(log_file) = log_file {
        environment.set_log_file(log_file);
    }
    log_modes::bring(&environment);
    announce::started(&environment, &addresses)?;
    front.open(Arc::clone(&environment));
    tracing::info!(role = role_word(environment.role()), addresses = ?addresses, "ready");

    let request = Arc::clone(environment.shutdown_request());
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some((signal, from)) = heard.recv() => match signal {
                Signal::HangUp => {
                    reload();
                    front.renew_certificate();
                }
                Signal::Terminate | Signal::Interrupt => break tracing::info!("{from}: stopping"),
            },
            () = request.due() => break tracing::info!("stopping on request"),
            _ = look.tick() => environment.sessions().end_vanished(),
        }
    }
    announce::stopping();
    front.close();
    accepting.shutdown().await;
    tokio::task::spawn_blocking(move || {
        stop(&environment).inspect_err(|error| tell_who_waits(&environment, error))
    })
    .await
    .context("the stop panicked")?
}

/// `dbctl shutdown` waits for the end, and takes a connection that ends without a word for a clean one.
fn tell_who_waits(environment: &Environment, error: &anyhow::Error) {
    let last_word = Failure::fatal(SqlState::SYSTEM_ERROR, format!("{error:#}"));
    let deadline = Instant::now() + FAREWELL;
    environment.sessions().tell_all(&last_word, deadline);
}

/// The signals of this process from now on, each with the words about its sender.
fn hear_signals() -> anyhow::Result<mpsc::UnboundedReceiver<(Signal, String)>> {
    let (sender, heard) = mpsc::unbounded_channel();
    // Nobody listens any more once the stop has begun.
    signals::listen(move |signal, from| drop(sender.send((signal, from))))
        .context("cannot listen for signals")?;
    Ok(heard)
}

/// Ends the sessions, then the environment.
fn stop(environment: &Environment) -> anyhow::Result<()> {
    let sessions = environment.sessions();
    environment.begin_stop();
    sessions.terminate_idle();
    if !sessions.wait_empty(Instant::now() + GRACE) {
        tracing::warn!(
            sessions = sessions.count(),
            "transactions still run; they are ended"
        );
        sessions.terminate_all();
        if !sessions.wait_empty(Instant::now() + LEAVE) {
            anyhow::bail!(
                "the stop was not clean; the next start recovers from the log: {} sessions did not end",
                sessions.count()
            );
        }
    }
    environment.stop().with_context(|| {
        // The log alone does not bring back what only they had.
        if environment.core().lost_files().is_empty() {
            "the stop was not clean; the next start recovers from the log"
        } else {
            "the stop was not clean: data files are gone with this server"
        }
    })?;
    tracing::info!("stopped");
    Ok(())
}

fn listen(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let wanted = config
        .server
        .sockets()
        .context("Service cannot be resolved")?;
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
            Err(error) if config.server.listen_is_default && missing_address(&error) => {
                skipped.push(address);
            }
            Err(error) => return Err(bind_error(address, &error)),
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

fn bind_error(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "cannot listen on {address}: another program uses the port; set Service to a free one, or stop that program"
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "cannot listen on {address}: ports below 1024 are for root; set Service to a higher one"
        ),
        io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "cannot listen on {address}: this machine has no such address ('ip address' shows those that it has); set Listen"
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    }
}

fn addresses(listeners: &[TcpListener]) -> anyhow::Result<Vec<SocketAddr>> {
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?))
        .collect()
}
