//! The service port: connections become threads, each with one session.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use dbconfig::Config;
use futures::SinkExt;
use pgtypes::SqlState;
use pgwire::messages::PgWireBackendMessage;
use tls::TlsError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::codec::Framed;

use crate::clients::admission::Admissions;
use crate::clients::registry::RESERVED;
use crate::clients::{NewSession, Sessions};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::peer::Peer;
use crate::pg::caller::Caller;
use crate::pg::client::{Client, tell_denial};
use crate::pg::keep_alive;
use crate::pg::let_in;
use crate::pg::redirect::{Relay, Relays};
use crate::pg::service::Service;
use crate::pg::start_ups::{StartUp, StartUps};
use crate::pg::startup::{self, Purpose, STARTUP_LIMIT, Started};
use crate::session::Session;
use crate::wire::codec::{ClientCodec, Phase};
use crate::wire::output::{self, BUFFER_BYTES, FLUSH_BYTES};
use crate::wire::{Accepted, ClientStream, Detached, Listener, Socket};

/// Stack of a session's thread: SQLite's deepest expressions and triggers fit.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Connections that may show who they are at a time; each has a thread. The others wait their turn.
const MAX_START_UPS: usize = 64;

/// Connections that may be there beside the sessions: those on their way in, and as many that are
/// just being closed.
const BESIDE_SESSIONS: usize = 2 * MAX_START_UPS;

/// Accepted connections of a port that wait for their turn or for their first byte; each takes a descriptor. Those beyond
/// wait with the system.
const MAX_WAITING: usize = 512;

/// Connections that may be there without having said anything: where one more comes, the oldest has to go. Fewer than may
/// wait, so that they keep nobody out.
const MAX_SILENT: usize = MAX_WAITING / 2;

/// What all connections share.
pub struct FrontEnd {
    service: Service,
    connections: Arc<Semaphore>,
    silent: Arc<Admissions>,
    start_ups: Arc<StartUps>,
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
            connections: Arc::new(Semaphore::new(max_sessions + RESERVED + BESIDE_SESSIONS)),
            silent: Admissions::new(MAX_SILENT),
            start_ups: StartUps::new(MAX_START_UPS),
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

    /// Lets nobody in until it is opened again: clients are told to come again (57P03).
    pub fn pause(&self) {
        self.service.pause();
    }

    /// Lets nobody in any more; those who are in stay.
    pub fn close(&self) {
        self.service.close();
    }

    /// Accepts connections until the future is dropped; those that wait go with it.
    pub async fn listen(self: Arc<Self>, listener: Listener) {
        let waiting = Arc::new(Semaphore::new(MAX_WAITING));
        let mut arrivals = JoinSet::new();
        // Nobody closes it.
        while let Ok(room) = Arc::clone(&waiting).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let front = Arc::clone(&self);
                    arrivals.spawn(async move {
                        if let Err(error) = front.arrive(stream, peer).await {
                            not_served(peer, &error);
                        }
                        drop(room);
                    });
                }
                Err(error) => {
                    // Out of descriptors, most likely: others have to leave first.
                    tracing::warn!(%error, "a connection could not be accepted{}", way_out(&error));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            while arrivals.try_join_next().is_some() {}
        }
    }

    /// A connection that says something gets a thread when it is its turn.
    async fn arrive(self: &Arc<Self>, stream: Accepted, peer: Peer) -> io::Result<()> {
        let silent = self.silent.arrive();
        let speaks = tokio::select! {
            speaks = tokio::time::timeout(STARTUP_LIMIT, stream.readable()) => speaks,
            () = silent.sent_away() => return turn_away(&stream, peer, &too_silent()),
        };
        drop(silent);
        match speaks {
            Ok(readable) => readable?,
            Err(_) => return turn_away(&stream, peer, &startup::took_too_long()),
        }
        let connection = Arc::clone(&self.connections).acquire_owned().await;
        let connection = connection.map_err(io::Error::other)?;
        let start_up = self.start_ups.begin().await;
        self.spawn((start_up, connection), stream, peer)
    }

    /// Serves a connection on a thread of its own. A panic there ends that session only.
    fn spawn(
        self: &Arc<Self>,
        (start_up, connection): (StartUp, OwnedSemaphorePermit),
        stream: Accepted,
        peer: Peer,
    ) -> io::Result<()> {
        let stream = stream.detach()?;
        let front = Arc::clone(self);
        thread::Builder::new()
            .name(match peer {
                Peer::Network(address) => format!("client {}", address.port()),
                Peer::Local { pid, .. } => format!("local {pid}"),
            })
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let work = AssertUnwindSafe(|| run(&front, start_up, stream, peer));
                if std::panic::catch_unwind(work).is_err() {
                    tracing::error!(address = %peer, "a session has panicked and was ended");
                }
                drop(connection);
            })
            .map(drop)
    }
}

/// Says why, if it can be said without a wait.
fn turn_away(stream: &Accepted, peer: Peer, failure: &Failure) -> io::Result<()> {
    let host = peer.host();
    tracing::info!(%host, %failure, "connection refused");
    let mut out = BytesMut::new();
    output::error(&mut out, failure);
    stream.try_write(&out).map(drop)
}

/// What a client reads whose place somebody else gets.
fn too_silent() -> Failure {
    Failure::fatal(
        SqlState::TOO_MANY_CONNECTIONS,
        "too many connections at once",
    )
    .detail("This one has said nothing for a while, and others were waiting.")
}

fn run(front: &FrontEnd, start_up: StartUp, stream: Detached, peer: Peer) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            // One more descriptor a session: without it a vanished client is noticed later.
            let twin = stream.twin().ok().map(Arc::new);
            if let Detached::Network(stream) = &stream {
                keep_alive::watch(stream, &keep_alive::WITH_CLIENT)?;
            }
            let (socket, called) = stream.attach()?;
            let caller = Caller::new(peer, called);
            serve(front, start_up, socket, (caller, twin)).await;
            io::Result::Ok(())
        })?;
        // A name that is still being looked up for somebody who has gone is not waited for.
        runtime.shutdown_background();
        Ok(())
    });
    if let Err(error) = served {
        not_served(peer, &error);
    }
}

/// Without the port, what is said again and again is counted.
fn not_served(peer: Peer, error: &io::Error) {
    let host = peer.host();
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
    start_up: StartUp,
    socket: Socket,
    (mut caller, twin): (Caller, Option<Arc<OwnedFd>>),
) {
    let codec = ClientCodec::noting(Arc::clone(start_up.silence()));
    let mut stream = Framed::with_capacity(socket, codec, BUFFER_BYTES);
    stream.set_backpressure_boundary(FLUSH_BYTES);
    let started = tokio::select! {
        started = startup::start_up(&mut stream, &front.service, &mut caller) => started,
        () = start_up.sent_away() => Err(too_silent()),
    };
    drop(start_up);
    let result = match started {
        Ok(Started::Session(environment, client)) => {
            enter(&environment, stream, *client, (&caller, twin)).await
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
        answer_late(&caller, &failure, &front.service).await;
        refuse(stream, &failure).await;
    }
}

/// The session of a client that has shown who it is.
async fn enter(
    environment: &Arc<Environment>,
    mut stream: ClientStream,
    client: startup::Authenticated,
    (caller, twin): (&Caller, Option<Arc<OwnedFd>>),
) -> Result<(), (ClientStream, Failure)> {
    if client.purpose != Purpose::Sql {
        return replicate(stream, environment, client, caller).await;
    }
    let settings = client.settings;
    let entry = NewSession {
        user: client.user,
        database: client.database,
        application: settings
            .get("application_name")
            .unwrap_or_default()
            .to_owned(),
        address: caller.client,
        asked_mode: client.asked_mode,
        key: client.key.clone(),
        socket: twin,
        redirected: None,
        via: client.via,
        secured: caller.secured(),
    };
    let opened = let_in::database(environment, &entry.user, &entry.database)
        .and_then(|(seat, limits)| environment.sessions().register(entry, seat, limits))
        .and_then(|registered| Session::open(Arc::clone(environment), registered, settings));
    let session = match opened {
        Ok(session) => session,
        Err(failure) => {
            let failure = being_set_up(environment).unwrap_or(failure);
            return Err((stream, failure.into_fatal()));
        }
    };
    let pid = session.backend().entry().pid;
    let told = startup::welcome(&mut stream, session.settings(), pid, client.key, &[]).await;
    if let Err(failure) = told {
        return Err((stream, failure));
    }
    Client::new(stream, session).run().await;
    Ok(())
}

/// An empty slave that gets its first copy has no databases yet: clients come again.
fn being_set_up(environment: &Environment) -> Option<Failure> {
    let is_empty = environment.id().is_none();
    let slave = environment.slave().filter(|_| is_empty)?;
    let copying = slave.progress().copying?;
    let why = format!("the server is being set up: {copying}");
    Some(Failure::fatal(SqlState::CANNOT_CONNECT_NOW, why))
}

/// Hands the connection to the receiver of a master's log.
async fn replicate(
    mut stream: ClientStream,
    environment: &Arc<Environment>,
    client: startup::Authenticated,
    caller: &Caller,
) -> Result<(), (ClientStream, Failure)> {
    let refusal = let_in::replication(environment, &client.user).err();
    if let Some(refusal) = refusal {
        startup::tell_slave(environment, caller.client, &refusal);
        return Err((stream, refusal));
    }
    let entry = NewSession {
        user: client.user,
        database: client.database,
        application: "dbrepl".to_owned(),
        address: caller.client,
        asked_mode: None,
        key: client.key.clone(),
        socket: None,
        redirected: None,
        via: None,
        secured: caller.secured(),
    };
    let registered = match environment.sessions().register_replication(entry) {
        Ok(registered) => registered,
        Err(failure) => return Err((stream, failure)),
    };
    let pid = registered.entry.pid;
    let offers = [crate::base::offer(), crate::feed::offer(environment)];
    let more: &[(&str, &str)] = match client.purpose {
        Purpose::Base => &[(dbproto::base::BASE_OFFER, &offers[0])],
        Purpose::ForwardLog => &[(dbproto::REPLICATION_OFFER, &offers[1])],
        Purpose::Sql => &[],
    };
    let told = startup::welcome(&mut stream, &client.settings, pid, client.key, more).await;
    if let Err(failure) = told {
        return Err((stream, failure));
    }
    stream.codec_mut().set_phase(Phase::Replication);
    let environment = Arc::clone(environment);
    if client.purpose == Purpose::Base {
        crate::base::serve_base(stream, environment, &registered).await;
    } else {
        crate::feed::serve_replication(stream, environment, &registered).await;
    }
    Ok(())
}

/// By weight: somebody may be guessing passwords. With the host first and without the port: what is said again
/// and again is counted. A client that leaves without a word is most often a monitor that looks at the port.
fn tell_refusal(caller: &Caller, failure: &Failure, sessions: &Sessions) {
    let (host, state) = (caller.client.host(), failure.sqlstate());
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

/// Waits before a wrong password is answered, whether its client stays or not. It has no place any more that others
/// could wait for.
async fn answer_late(caller: &Caller, failure: &Failure, service: &Service) {
    if failure.sqlstate() != SqlState::INVALID_PASSWORD {
        return;
    }
    let host = caller.client.host();
    if let Some(late) = service.guesses().wrong(host, &caller.user, Instant::now()) {
        tokio::time::sleep(late.delay).await;
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
