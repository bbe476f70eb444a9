//! The process: sockets, signals, a clean stop.

pub mod announce;
pub mod arguments;
pub mod as_of;
pub mod check;
mod listen;
mod local_socket;
mod log_modes;
mod lost_watch;
mod message_file;
mod nightly;
pub mod open_files;
pub mod owner;
mod reload;
mod sections;
mod start_guard;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dbconfig::Config;
use disk::Disk;
use pgtypes::SqlState;
use signals::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clients::Sessions;
use crate::databases::control::role_word;
use crate::databases::layout::Layout;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::pg::FrontEnd;
use crate::process::{LogFile, Recent};
use crate::server::listen::{Places, Sockets};
use crate::server::lost_watch::LostWatch;
use crate::server::nightly::Nightly;
use crate::server::start_guard::PeerWatch;
use crate::sources::driver::Driver;
use crate::sources::program::Program;
use crate::system::local;
use crate::web::Web;

/// How long running transactions may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);
/// How long ended sessions may take to leave.
const LEAVE: Duration = Duration::from_secs(10);
/// How long clients may take to hear that a stop was not clean.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long slaves may take for the rest of the log when this server stops.
const LAST_OF_LOG: Duration = Duration::from_secs(10);
/// How often it is looked whether clients whose statements run are still there.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a server until it is told to stop; the stop is clean. `reload` reads the configuration again for whom it is told,
/// and gives it, or says why not.
pub async fn run(
    config: Config,
    (log_file, recent): (Option<LogFile>, Recent),
    reload: impl Fn(&str) -> Result<Config, String> + Send + 'static,
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
    let sockets = Sockets::open(&config)?;
    let places = sockets.places;
    let web = Web::start(&config, sockets.http, recent)?;
    let sessions = Sessions::new(config.server.max_sessions as usize);
    let front = FrontEnd::new(&config, Arc::clone(&sessions)).context("the server cannot start")?;
    let mut accepting = JoinSet::new();
    for listener in sockets.service {
        accepting.spawn(Arc::clone(&front).listen(listener));
    }
    let environment = begin(&config, &sessions, log_file.as_ref()).await?;
    announce::started(&environment, &places)?;
    front.open(Arc::clone(&environment));
    if let Some(web) = &web {
        web.open(Arc::clone(&environment));
    }
    tell_ready(&environment, &places);
    let mut feeding = feed(&environment)?;
    let (mut environment, mut config) = (environment, config);
    while let Wish::BeginAnew = wait(&environment, &front, &mut heard, (&mut config, &reload)).await
    {
        finish_feeding(feeding, Duration::ZERO).await?;
        // What it was when the process began is no wish of an operator.
        config.replication.role = environment.said_role();
        environment = begin_anew(environment, &front, (&config, log_file.as_ref())).await?;
        announce::started(&environment, &places)?;
        front.open(Arc::clone(&environment));
        if let Some(web) = &web {
            web.open(Arc::clone(&environment));
        }
        tracing::info!(role = role_word(environment.role()), "ready again");
        feeding = feed(&environment)?;
    }
    announce::stopping();
    front.close();
    accepting.shutdown().await;
    drop(places);
    tokio::task::spawn_blocking(move || {
        let stopped = stop(&environment).inspect_err(|error| tell_who_waits(&environment, error));
        // The end of the log is sent, too.
        feeding.finish(LAST_OF_LOG);
        // Until here it says that the server stops.
        drop(web);
        stopped
    })
    .await
    .context("the stop panicked")?
}

/// The slaves of `Sources`, and those that were begun by command, are fed from now on. What will keep a log-in from other
/// servers is told now.
fn feed(environment: &Arc<Environment>) -> anyhow::Result<Driver> {
    let (sources, weak) = (environment.core().sources(), Arc::downgrade(environment));
    let is_root = move || {
        weak.upgrade()
            .is_some_and(|environment| !environment.is_read_only())
    };
    for file in environment.config().late_password_files() {
        if let Err(why) = file.check() {
            tracing::warn!("{why}");
        }
    }
    let program = Program::of(environment.config());
    Driver::start(sources, program, is_root).context("the sources cannot be started")
}

/// They are not fed any more, for now.
async fn finish_feeding(feeding: Driver, grace: Duration) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || feeding.finish(grace))
        .await
        .context("the end of the sources panicked")
}

/// Why the server does not go on as it is.
enum Wish {
    Stop,
    /// A copy is complete.
    BeginAnew,
}

/// Serves until somebody wishes otherwise.
async fn wait(
    environment: &Arc<Environment>,
    front: &FrontEnd,
    heard: &mut mpsc::UnboundedReceiver<(Signal, String)>,
    (held, reload): (&mut Config, &impl Fn(&str) -> Result<Config, String>),
) -> Wish {
    let request = Arc::clone(environment.shutdown_request());
    let asked = Arc::clone(environment.reload_request());
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut shown = None;
    let mut nightly = Nightly::new(environment.core().host().clock.now());
    let mut peers = PeerWatch::default();
    let mut lost = LostWatch::default();
    loop {
        tokio::select! {
            Some((signal, from)) = heard.recv() => match signal {
                Signal::HangUp => {
                    // What is wrong was told.
                    drop(reload::read_again(environment, "SIGHUP", (held, reload)));
                    front.renew_certificate();
                }
                Signal::Terminate | Signal::Interrupt => {
                    tracing::info!("{from}: stopping");
                    return Wish::Stop;
                }
            },
            () = request.due() => {
                tracing::info!("stopping on request");
                return Wish::Stop;
            }
            () = asked.due() => {
                asked.answer(&reload::read_again(environment, "dbctl reload", (held, reload)));
                front.renew_certificate();
            }
            () = environment.is_to_begin_anew() => return Wish::BeginAnew,
            _ = look.tick() => {
                environment.sessions().end_vanished();
                announce::show_copy(environment, &mut shown);
                environment.settle_backup_mode();
                nightly.look(environment);
                peers.look(environment);
                lost.look(environment);
            }
        }
    }
}

/// Recovers the environment and makes it ready to be served.
async fn begin(
    config: &Config,
    sessions: &Arc<Sessions>,
    log_file: Option<&LogFile>,
) -> anyhow::Result<Arc<Environment>> {
    let (config, sessions) = (config.clone(), Arc::clone(sessions));
    let starting = tokio::task::spawn_blocking(move || Environment::start(config, sessions));
    let environment = starting
        .await
        .context("the start panicked")?
        .context("the server cannot start")?;
    if let Some(log_file) = log_file {
        environment.set_log_file(log_file.clone());
    }
    open_local(&environment).await?;
    lost_watch::begin(&environment).await;
    log_modes::bring(&environment);
    message_file::begin(&environment);
    sections::warn_of_unknown(&environment);
    Ok(environment)
}

/// Recovers the databases that are not replicated, if there are some.
async fn open_local(environment: &Arc<Environment>) -> anyhow::Result<()> {
    let opened = Arc::clone(environment);
    let opening = tokio::task::spawn_blocking(move || local::open(&opened));
    let opened = opening.await.context("the start panicked")?;
    if opened.is_err() {
        // What has begun is ended as it is at a stop.
        let begun = Arc::clone(environment);
        drop(tokio::task::spawn_blocking(move || begun.stop()).await);
    }
    opened.context("the server cannot start: its local databases cannot be opened")
}

/// Ends all sessions and the environment, and starts it again: what has come in becomes its state. Clients that come
/// meanwhile are told that the server starts.
async fn begin_anew(
    environment: Arc<Environment>,
    front: &FrontEnd,
    (config, log_file): (&Config, Option<&LogFile>),
) -> anyhow::Result<Arc<Environment>> {
    front.pause();
    let sessions = Arc::clone(environment.sessions());
    tokio::task::spawn_blocking(move || end_for_a_while(&environment))
        .await
        .context("the stop panicked")??;
    begin(config, &sessions, log_file).await
}

fn end_for_a_while(environment: &Environment) -> anyhow::Result<()> {
    environment.begin_stop();
    let sessions = environment.sessions();
    sessions.terminate_all();
    if !sessions.wait_empty(Instant::now() + LEAVE) {
        anyhow::bail!(
            "{} sessions did not end; start the server again, and it goes on with the copy",
            sessions.count()
        );
    }
    environment
        .stop()
        .context("the server cannot begin anew with the copy; start it again")
}

/// Clients are let in, at these places.
fn tell_ready(environment: &Environment, places: &Places) {
    tracing::info!(role = role_word(environment.role()), addresses = ?places.service, "ready");
    if let Some(socket) = &places.local {
        tracing::info!(path = %socket.shown(), "the Unix socket is served");
    }
    for (transport, address) in &places.http {
        tracing::info!(%transport, %address, "the status page is served");
    }
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
