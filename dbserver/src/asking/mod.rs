//! What this server asks of others by itself: damaged pages, and whether both have the same.

mod session;

use std::thread;

use dbconfig::{Config, PeerLogin};
use tls::{ClientOptions, ClientTls, Mode};
use tokio::runtime::Runtime;

pub(crate) use session::Session;

/// Has a thread of its own wait for what others answer: that of a session has an event loop already.
///
/// Error: there is no such thread.
pub(crate) fn ask_others<T: Send>(
    name: &str,
    ask: impl FnOnce(&Runtime) -> T + Send,
) -> Result<T, String> {
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .map(|runtime| ask(&runtime))
            .map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let asking = thread::Builder::new()
            .name(name.into())
            .spawn_scoped(scope, work)
            .map_err(|error| error.to_string())?;
        let died = || Err("the thread that asks them has ended".to_owned());
        asking.join().unwrap_or_else(|_| died())
    })
}

/// How this server logs in on others.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    login: PeerLogin,
    tls: ClientOptions,
}

impl Access {
    /// As the configuration has it.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            login: config.replication.peer_login.clone(),
            tls: tls_options(config, tls_mode(config)),
        }
    }

    /// Error: a file that can't be used.
    fn tls(&self) -> Result<ClientTls, String> {
        ClientTls::load(&self.tls)
            .map_err(|why| format!("{why} (RedirectTls and RedirectTlsCa of this server)"))
    }
}

/// How much `RedirectTls` asks for.
pub(crate) fn tls_mode(config: &Config) -> Mode {
    let word = config.replication.redirect_tls;
    word.parse().unwrap_or_else(|why| {
        // The configuration takes these words and no others.
        tracing::error!("RedirectTls: {why}");
        Mode::VerifyFull
    })
}

/// TLS of this server as a client. To a server that wants a certificate it shows its own.
pub(crate) fn tls_options(config: &Config, mode: Mode) -> ClientOptions {
    let own = config.server.tls.as_ref();
    ClientOptions {
        mode,
        authorities: config.replication.redirect_tls_ca.clone(),
        certificate: own.map(|tls| (tls.certificate.clone(), tls.key.clone())),
    }
}
