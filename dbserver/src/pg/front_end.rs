//! The service port: connections become threads, each with one session.

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use dbconfig::Config;
use futures::SinkExt;
use pgtypes::SqlState;
use pgwire::messages::PgWireBackendMessage;
use tls::TlsError;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

use crate::clients::admission::{Admission, Admissions};
use crate::clients::{NewSession, Sessions};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::pg::caller::Caller;
use crate::pg::client::{Client, tell_denial};
use crate::pg::redirect::{Relay, Relays};
use crate::pg::service::Service;
use crate::pg::startup::{self, Purpose, Started};
use crate::session::Session;
use crate::system::users::{Privilege, Users};
use crate::wire::codec::{ClientCodec, Phase};
use crate::wire::output::{self, BUFFER_BYTES, FLUSH_BYTES};
use crate::wire::{ClientStream, Socket};

/// Stack of a session's thread: SQLite's deepest expressions and triggers fit.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Connections that may be on their way in.
const MAX_ADMISSIONS: usize = 64;

/// Connections that may be there beside the sessions: those on their way in, and as many that are
/// just being closed.
const BESIDE_SESSIONS: usize = 2 * MAX_ADMISSIONS;

/// What all connections share.
pub struct FrontEnd {
    service: Service,
    max_connections: usize,
    connections: AtomicUsize,
    admissions: Arc<Admissions>,
    relays: Relays,
}

impl FrontEnd {
    /// A front end whose environment is not there yet: clients are told to come again (57P03).
    ///
    /// Error: the certificate can't be read.
    pub fn new(config: &Config, sessions: Arc<Sessions>) -> Result<Arc<Self>, TlsError> {
        let max_sessions = config.server.max_sessions as usize;
        Ok(Arc::new(Self {
            service: Service::new(config, sessions)?,
            max_connections: max_sessions.saturating_add(BESIDE_SESSIONS),
            connections: AtomicUsize::new(0),
            admissions: Admissions::new(MAX_ADMISSIONS),
            relays: Relays::default(),
        }))
    }

    /// Reads the certificate again; who is in stays.
    pub fn renew_certificate(&self) {
        self.service.certificates().renew();
    }

    /// Lets clients in.
    pub fn open(&self, environment: Arc<Environment>) {
        self.service.open(environment);
    }

    /// Lets nobody in any more; those who are in stay.
    pub fn close(&self) {
        self.service.close();
    }

    /// Accepts connections until the future is dropped.
    pub async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    if let Err(error) = self.spawn(stream, address) {
                        not_served(address, &error);
                    }
                }
                Err(error) => {
                    // Out of descriptors, most likely: others have to leave first.
                    tracing::warn!(%error, "a connection could not be accepted{}", way_out(&error));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves a connection on a thread of its own. A panic there ends that session only.
    fn spawn(self: &Arc<Self>, stream: TcpStream, address: SocketAddr) -> io::Result<()> {
        let before = self.connections.fetch_add(1, Ordering::AcqRel);
        let arrival = Arrival(Arc::clone(self));
        if before >= self.max_connections {
            turn_away(&stream);
            return Err(io::Error::other("too many connections at once"));
        }
        let admission = self.admissions.arrive();
        let stream = stream.into_std()?;
        thread::Builder::new()
            .name(format!("client {}", address.port()))
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let work = AssertUnwindSafe(|| run(&arrival.0, admission, stream, address));
                if std::panic::catch_unwind(work).is_err() {
                    tracing::error!(%address, "a session has panicked and was ended");
                }
            })
            .map(drop)
    }
}

/// A connection, until it is dropped.
struct Arrival(Arc<FrontEnd>);

impl Drop for Arrival {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Says why, if it can be said without a wait.
fn turn_away(stream: &TcpStream) {
    let mut out = BytesMut::new();
    output::error(&mut out, &too_many());
    if let Err(error) = stream.try_write(&out) {
        tracing::debug!(%error, "a client was turned away without a word");
    }
}

fn too_many() -> Failure {
    Failure::fatal(
        SqlState::TOO_MANY_CONNECTIONS,
        "too many connections at once",
    )
}

fn run(front: &FrontEnd, admission: Admission, stream: std::net::TcpStream, address: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            // One more descriptor a session: without it a vanished client is noticed later.
            let socket = stream.try_clone().ok().map(Arc::new);
            let stream = TcpStream::from_std(stream)?;
            stream.set_nodelay(true)?;
            let caller = Caller::new(address, stream.local_addr()?);
            serve(front, admission, stream, (caller, socket)).await;
            io::Result::Ok(())
        })?;
        // A name that is still being looked up for somebody who has gone is not waited for.
        runtime.shutdown_background();
        Ok(())
    });
    if let Err(error) = served {
        not_served(address, &error);
    }
}

/// Without the port, what is said again and again is counted.
fn not_served(address: SocketAddr, error: &io::Error) {
    let host = address.ip();
    tracing::warn!(%host, %error, "a connection could not be served{}", way_out(error));
}

/// What a person can do about it, behind the words.
fn way_out(error: &io::Error) -> &'static str {
    // EMFILE and ENFILE have no kind of their own.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    match error.raw_os_error() {
        Some(EMFILE) => {
            "; the limit of open files is reached: raise it (LimitNOFILE= in systemd, 'ulimit -n'), or lower MaxSessions"
        }
        Some(ENFILE) => "; the machine's limit of open files is reached (fs.file-max)",
        _ => "",
    }
}

async fn serve(
    front: &FrontEnd,
    admission: Admission,
    stream: TcpStream,
    (mut caller, socket): (Caller, Option<Arc<std::net::TcpStream>>),
) {
    let socket_of = Socket::Clear(stream);
    let mut stream = Framed::with_capacity(socket_of, ClientCodec::new(), BUFFER_BYTES);
    stream.set_backpressure_boundary(FLUSH_BYTES);
    let started = tokio::select! {
        started = startup::start_up(&mut stream, &front.service, &mut caller) => started,
        () = admission.sent_away() => Err(too_many()),
    };
    drop(admission);
    let result = match started {
        Ok(Started::Session(environment, client)) => {
            enter(&environment, stream, *client, (caller.client, socket)).await
        }
        Ok(Started::Elsewhere(handover)) => match Relay::begin(*handover, &caller) {
            Ok(relay) => return relay.go_on(stream, &front.relays).await,
            Err(failure) => Err((stream, failure)),
        },
        Ok(Started::Nothing) => return,
        Err(failure) => Err((stream, failure)),
    };
    if let Err((stream, failure)) = result {
        tell_refusal(&caller, &failure, front.service.sessions());
        refuse(stream, &failure).await;
    }
}

/// The session of a client that has shown who it is.
async fn enter(
    environment: &Arc<Environment>,
    mut stream: ClientStream,
    client: startup::Authenticated,
    (address, socket): (SocketAddr, Option<Arc<std::net::TcpStream>>),
) -> Result<(), (ClientStream, Failure)> {
    if client.purpose == Purpose::ForwardLog {
        return replicate(stream, environment, client, address).await;
    }
    let settings = client.settings;
    let entry = NewSession {
        user: client.user,
        database: client.database,
        application: settings
            .get("application_name")
            .unwrap_or_default()
            .to_owned(),
        address,
        asked_mode: client.asked_mode,
        key: client.key.clone(),
        socket,
        redirected: None,
        via: client.via,
    };
    let registered = environment.sessions().register(entry);
    let opened = registered
        .and_then(|registered| Session::open(Arc::clone(environment), registered, settings));
    let session = match opened {
        Ok(session) => session,
        Err(failure) => return Err((stream, failure.into_fatal())),
    };
    let pid = session.backend().entry().pid;
    let told = startup::welcome(&mut stream, session.settings(), pid, client.key).await;
    if let Err(failure) = told {
        return Err((stream, failure));
    }
    Client::new(stream, session).run().await;
    Ok(())
}

/// Hands the connection to the receiver of a master's log.
async fn replicate(
    mut stream: ClientStream,
    environment: &Arc<Environment>,
    client: startup::Authenticated,
    address: SocketAddr,
) -> Result<(), (ClientStream, Failure)> {
    let refusal = match Users::of(environment).privilege(&client.user) {
        Ok(Privilege::Dba | Privilege::Operator) => None,
        Ok(Privilege::User) => {
            let why = "replication needs the privilege dba or operator";
            Some(Failure::fatal(SqlState::INSUFFICIENT_PRIVILEGE, why))
        }
        Err(error) => Some(Failure::from(error).into_fatal()),
    };
    if let Some(refusal) = refusal {
        startup::tell_slave(environment, address, &refusal);
        return Err((stream, refusal));
    }
    let entry = NewSession {
        user: client.user,
        database: client.database,
        application: "dbrepl".to_owned(),
        address,
        asked_mode: None,
        key: client.key.clone(),
        socket: None,
        redirected: None,
        via: None,
    };
    let registered = match environment.sessions().register_replication(entry) {
        Ok(registered) => registered,
        Err(failure) => return Err((stream, failure)),
    };
    let pid = registered.entry.pid;
    let told = startup::welcome(&mut stream, &client.settings, pid, client.key).await;
    if let Err(failure) = told {
        return Err((stream, failure));
    }
    stream.codec_mut().set_phase(Phase::Replication);
    crate::feed::serve_replication(stream, Arc::clone(environment), &registered).await;
    Ok(())
}

/// By weight: somebody may be guessing passwords. With the host first and without the port: what is said again
/// and again is counted. A client that leaves without a word is most often a monitor that looks at the port.
fn tell_refusal(caller: &Caller, failure: &Failure, sessions: &Sessions) {
    let (host, state) = (caller.client.ip(), failure.sqlstate());
    if state == SqlState::CONNECTION_FAILURE {
        tracing::debug!(%host, "a client has left before it was let in");
    } else if state.as_str().starts_with("28") || state == SqlState::INSUFFICIENT_PRIVILEGE {
        sessions.counts().denied.add(1);
        match &caller.refused_by {
            Some(rule) => {
                tracing::warn!(%host, user = caller.user, %failure, rule, "access refused");
            }
            None => tell_denial(&caller.user, caller.client, failure),
        }
    } else if state == SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION {
        let why = failure.fields().detail.as_deref().unwrap_or_default();
        tracing::warn!(%host, user = caller.user, %failure, "a session could not be redirected: {why}");
    } else {
        tracing::info!(%host, %failure, "connection refused");
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
