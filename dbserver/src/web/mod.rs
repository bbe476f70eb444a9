//! The status over HTTP (`ServiceHttp`): a page for people, the same as JSON, metrics for Prometheus, and two answers for
//! whoever has to know whether this server can be used.
//!
//! ```text
//! Web (one thread, an event loop of its own) ─ connection ─ access ─ answer ─┬ health     healthz, readyz
//!                                                                           ├ View ─┬ page      HTML
//!                        sampler ─▶ History (lag of the last hour) ─────────┘       ├ JSON
//!                                                                                   └ metrics   Prometheus
//! ```
//!
//! It takes no session, and answers where all of them are taken. What it shows comes from the same values as the commands of
//! dbctl. What reads the disk for it runs beside the event loop, so that a disk that hangs keeps `/healthz` from nobody.

mod access;
mod answer;
mod connection;
mod health;
mod history;
mod host;
mod metrics;
mod page;
mod view;

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dbconfig::Config;
use tls::Shown;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::clients::admission::Admissions;
use crate::clients::gate::Gate;
use crate::environment::Environment;
use crate::process::Recent;
use crate::web::access::Door;
use crate::web::history::History;
use crate::web::host::Names;
use crate::wire::certificate;

/// Connections at a time; where one more comes, the oldest has to go.
const MAX_CONNECTIONS: usize = 32;

/// What is spoken within TLS.
const HTTP: &[u8] = b"http/1.1";

/// Answers that are made at a time; others wait.
const MAX_MAKING: usize = 2;

/// How long an answer that reads a disk may hold up the stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// How a port of it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// HTTP in clear text.
    Clear,
    /// HTTP within TLS.
    Tls,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear => "http",
            Self::Tls => "https",
        })
    }
}

/// The status page, until it is dropped.
pub struct Web {
    shared: Arc<Shared>,
    /// Its end ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all connections share.
struct Shared {
    door: Door,
    names: Names,
    gate: Gate,
    admissions: Arc<Admissions>,
    history: History,
    recent: Recent,
    /// What is shown within TLS.
    certificate: Option<Shown>,
    served: OnceLock<Served>,
    /// Rung when there is an environment.
    opened: Notify,
}

/// The environment that is shown, and since when it is.
struct Served {
    environment: Arc<Environment>,
    since: Instant,
}

impl Web {
    /// Serves these sockets on a thread of its own; nothing without a socket. Until [`Web::open`] it says that the server
    /// starts.
    pub fn start(
        config: &Config,
        listeners: Vec<(Transport, TcpListener)>,
        recent: Recent,
    ) -> anyhow::Result<Option<Self>> {
        let Some(http) = config
            .server
            .http
            .as_ref()
            .filter(|_| !listeners.is_empty())
        else {
            return Ok(None);
        };
        let shared = Arc::new(Shared {
            door: Door::new(http.credentials.as_ref())
                .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?,
            names: Names::new(http),
            gate: Gate::new(&config.http_access),
            admissions: Admissions::new(MAX_CONNECTIONS),
            history: History::default(),
            recent,
            certificate: certificate::shown(config, HTTP)?,
            served: OnceLock::new(),
            opened: Notify::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MAX_MAKING)
            .thread_name("http")
            .build()
            .context("cannot start the event loop of the status page")?;
        let sockets = listeners
            .into_iter()
            .map(|(transport, listener)| Ok((transport, listener.into_std()?)));
        let sockets: Vec<_> = sockets.collect::<io::Result<_>>()?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("http".into())
            .spawn(move || {
                if let Err(error) = runtime.block_on(serve(sockets, serving, stopped)) {
                    tracing::error!(%error, "the status page is not served");
                }
                runtime.shutdown_timeout(FAREWELL);
            })
            .context("cannot start the thread of the status page")?;
        Ok(Some(Self {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }))
    }

    /// From now on it shows this environment.
    pub fn open(&self, environment: Arc<Environment>) {
        self.shared.served.get_or_init(|| Served {
            environment,
            since: Instant::now(),
        });
        self.shared.opened.notify_one();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // The thread hears that nobody will say anything more.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the status page has panicked");
        }
    }
}

/// Accepts connections and takes samples until nobody can stop it any more.
async fn serve(
    sockets: Vec<(Transport, std::net::TcpListener)>,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for (transport, socket) in sockets {
        let listener = TcpListener::from_std(socket)?;
        let shared = Arc::clone(&shared);
        tasks.spawn(connection::listen(transport, listener, shared));
    }
    tasks.spawn(history::sample(shared));
    // Nothing is ever sent: the sender is dropped.
    drop(stopped.await);
    tasks.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};
    use std::path::Path;

    use super::*;

    fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn before_there_is_an_environment_it_says_so_and_its_end_gives_the_port_back() {
        let text = "[Server]\nDataDir = d\nServiceHttp = 0\n";
        let config = Config::parse(Path::new("x.cfg"), text).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let web = runtime.block_on(async {
            Web::start(
                &config,
                vec![(Transport::Clear, listener)],
                Recent::default(),
            )
            .unwrap()
        });
        for path in [
            "/",
            "/status.json",
            "/metrics",
            "/healthz",
            "/readyz",
            "/master",
            "/replica",
        ] {
            let answer = ask(address, path);
            assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
            assert!(answer.contains("the server starts"), "{path}: {answer}");
        }
        assert!(ask(address, "/readyz?max_lag=soon").starts_with("HTTP/1.1 400"));
        drop(web);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn without_a_port_there_is_no_thread() {
        let config = Config::parse(Path::new("x.cfg"), "[Server]\nDataDir = d\n").unwrap();
        let web = Web::start(&config, Vec::new(), Recent::default()).unwrap();
        assert!(web.is_none());
    }
}
