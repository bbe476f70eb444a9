//! Connections become threads, each with one session.

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;

use futures::{SinkExt, StreamExt};
use pgwire::messages::PgWireBackendMessage;
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

use crate::environment::Environment;
use crate::pg::client::Client;
use crate::pg::codec::{ClientCodec, Phase, Request, WireError};
use crate::pg::output::{self, FLUSH_BYTES};
use crate::pg::registry::Newcomer as Entry;
use crate::pg::startup::{self, ClientStream, Purpose};
use crate::session::Session;
use crate::session::failure::Failure;
use crate::system::users::Privilege;

/// Stack of a session's thread: SQLite's deepest expressions and triggers fit.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Serves an accepted connection on a thread of its own. A panic there ends that session only.
///
/// Errors: there is no thread for it, or too many connections are on their way in.
pub fn spawn_session(
    stream: TcpStream,
    address: SocketAddr,
    environment: &Arc<Environment>,
) -> io::Result<()> {
    let arrival = environment
        .sessions()
        .arrive()
        .ok_or_else(|| io::Error::other("too many connections at once"))?;
    let stream = stream.into_std()?;
    let environment = Arc::clone(environment);
    thread::Builder::new()
        .name(format!("client {}", address.port()))
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _arrival = arrival;
            let work = AssertUnwindSafe(|| run(&environment, stream, address));
            if std::panic::catch_unwind(work).is_err() {
                tracing::error!(%address, "a session has panicked and was ended");
            }
        })
        .map(drop)
}

fn run(environment: &Arc<Environment>, stream: std::net::TcpStream, address: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            let stream = TcpStream::from_std(stream)?;
            stream.set_nodelay(true)?;
            serve(environment, stream, address).await;
            Ok(())
        })
    });
    if let Err(error) = served {
        tracing::warn!(%address, %error, "a connection could not be served");
    }
}

async fn serve(environment: &Arc<Environment>, stream: TcpStream, address: SocketAddr) {
    let mut stream = Framed::with_capacity(stream, ClientCodec::new(), FLUSH_BYTES);
    stream.set_backpressure_boundary(FLUSH_BYTES);
    let result = match startup::start_up(&mut stream, environment, address).await {
        Ok(Some(newcomer)) => enter(environment, stream, newcomer, address).await,
        Ok(None) => return,
        Err(failure) => Err((stream, failure)),
    };
    if let Err((stream, failure)) = result {
        tracing::info!(%address, %failure, "connection refused");
        refuse(stream, &failure).await;
    }
}

/// The session of a client that has shown who it is.
async fn enter(
    environment: &Arc<Environment>,
    mut stream: ClientStream,
    newcomer: startup::Newcomer,
    address: SocketAddr,
) -> Result<(), (ClientStream, Failure)> {
    if newcomer.purpose == Purpose::ForwardLog {
        return replicate(stream, environment, newcomer).await;
    }
    let mut settings = newcomer.settings;
    let entry = Entry {
        user: newcomer.user,
        database: newcomer.database,
        application: settings
            .get("application_name")
            .unwrap_or_default()
            .to_owned(),
        address,
        key: newcomer.key.clone(),
    };
    let opened = environment
        .sessions()
        .register(entry)
        .and_then(|registered| {
            let pid = registered.entry.pid;
            let session = Session::open(Arc::clone(environment), registered, settings.clone())?;
            Ok((pid, session))
        });
    let (pid, session) = match opened {
        Ok(opened) => opened,
        Err(failure) => return Err((stream, failure.into_fatal())),
    };
    if let Err(failure) = startup::welcome(&mut stream, &mut settings, pid, newcomer.key).await {
        return Err((stream, failure));
    }
    Client::new(stream, session).run().await;
    Ok(())
}

/// Hands the connection to the receiver of a master's log.
async fn replicate(
    mut stream: ClientStream,
    environment: &Arc<Environment>,
    newcomer: startup::Newcomer,
) -> Result<(), (ClientStream, Failure)> {
    let refusal = match environment.privilege(&newcomer.user) {
        Ok(Privilege::Dba | Privilege::Operator) => None,
        Ok(Privilege::User) => {
            let why = "replication needs the privilege dba or operator";
            Some(Failure::fatal("42501", why))
        }
        Err(error) => Some(Failure::from(error).into_fatal()),
    };
    if let Some(refusal) = refusal {
        return Err((stream, refusal));
    }
    let mut settings = newcomer.settings;
    if let Err(failure) = startup::welcome(&mut stream, &mut settings, 0, newcomer.key).await {
        return Err((stream, failure));
    }
    let mut wire = stream
        .sink_map_err(io::Error::from)
        .map(|request| match request {
            Ok(Request::Message(message)) => Ok(message),
            Ok(_) => Err(io::Error::other("unexpected message during replication")),
            Err(error) => Err(error.into()),
        });
    if let Err(error) = crate::slave::serve_replication(&mut wire, environment).await {
        tracing::info!(%error, "the replication connection has ended");
    }
    Ok(())
}

impl From<WireError> for io::Error {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io(error) => error,
            WireError::Violation(why) => Self::new(io::ErrorKind::InvalidData, why),
        }
    }
}

/// Says why, and closes.
async fn refuse(mut stream: ClientStream, failure: &Failure) {
    stream.codec_mut().set_phase(Phase::Session);
    output::error(stream.write_buffer_mut(), failure);
    if let Err(error) = SinkExt::<PgWireBackendMessage>::close(&mut stream).await {
        tracing::debug!(%error, "the refused client was gone");
    }
}
