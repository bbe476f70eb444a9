//! The two directions of a redirected session, from the master's first word to the end.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use pgtypes::SqlState;
use tls::Line;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::{NewSession, Redirected, Registered, SessionEntry};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::pg::caller::Caller;
use crate::pg::redirect::frames::Frames;
use crate::pg::redirect::relays::Relays;
use crate::pg::redirect::{Handover, shown};
use crate::pg::versions::MinorVersion;
use crate::session::backend::terminated;
use crate::wire::ClientStream;
use crate::wire::output::{self, BUFFER_BYTES};

/// How long a client may take to read the last word, and to go.
const FAREWELL: Duration = Duration::from_secs(1);
/// `ErrorResponse`: what a master says before it ends a session.
const ERROR: u8 = b'E';
/// `Terminate`: what a client says before it goes.
const TERMINATE: u8 = b'X';

/// A session on the list that a master serves.
pub(in crate::pg) struct Relay {
    passage: Passage,
    master: Line<TcpStream>,
    /// What the master has said already.
    answer: Bytes,
}

/// What passes between the two, as far as it is looked at.
struct Passage {
    registered: Registered,
    environment: Arc<Environment>,
    redirected: Arc<Redirected>,
    /// Who the client says that it is.
    user: String,
    from_client: Frames,
    from_master: Frames,
}

/// Why it is over.
#[derive(Debug)]
enum End {
    /// The client has gone, with a word or without.
    ClientGone,
    /// The master has closed the connection, as it does at the end of a session.
    MasterClosed,
    /// The master is gone in the middle of it.
    MasterLost(Option<io::Error>),
    /// This server ends it.
    Ended,
}

/// Why a direction is over. A stream that ends is no fault.
enum Stopped {
    AtEnd,
    Reading(io::Error),
    Writing,
}

impl Relay {
    /// Puts the session on the list.
    ///
    /// Errors: 53300 and 57P03, as for any session.
    pub(in crate::pg) fn begin(handover: Handover, caller: &Caller) -> Result<Self, Failure> {
        let Handover {
            environment,
            asked,
            reached,
        } = handover;
        let redirected = Arc::new(Redirected::new(reached.target, reached.address));
        let registered = environment.sessions().register_redirected(NewSession {
            user: asked.user,
            database: asked.database,
            application: asked.application,
            address: caller.client,
            asked_mode: Some(asked.mode),
            // Nobody is told: the client has one of the master.
            key: MinorVersion::NEWEST.secret_key()?,
            socket: None,
            redirected: Some(Arc::clone(&redirected)),
            via: None,
            secured: caller.secured(),
        })?;
        let (session, user, address) = (registered.entry.pid, &caller.user, caller.client);
        let target = shown(&redirected.target, redirected.address);
        tracing::info!(session, user, %address, mode = %asked.mode, target, "a session is redirected");
        if let Some((state, words)) = reached.refusal {
            tracing::warn!(
                session,
                target,
                "a redirected session is refused there: {words} ({state})"
            );
        }
        Ok(Self {
            passage: Passage {
                registered,
                environment,
                redirected,
                user: caller.user.clone(),
                from_client: Frames::new(),
                from_master: Frames::new(),
            },
            master: reached.stream,
            answer: reached.answer.freeze(),
        })
    }

    /// Serves the session to its end: in clear text one of `relays` does; within TLS, on either side, the caller's thread,
    /// which cannot give such a connection away.
    pub(in crate::pg) async fn go_on(self, client: ClientStream, relays: &Relays) {
        let session = self.passage.registered.entry.pid;
        let parts = client.into_parts();
        let first = (parts.read_buf.freeze(), self.answer);
        let client = match parts.io.into_line() {
            Ok(client) => client,
            Err(error) => return not_begun(session, &error),
        };
        let (client, master) = match (client, self.master) {
            (Line::Clear(client), Line::Clear(master)) => (client, master),
            (client, master) => {
                let ends = (tokio::io::split(client), tokio::io::split(master));
                return self.passage.serve(ends.0, ends.1, first).await;
            }
        };
        // A socket is waited for by the thread that reads it.
        let taken = || Ok((client.into_std()?, master.into_std()?));
        let begun = taken().and_then(|(client, master)| {
            relays.spawn(async move {
                let taken = TcpStream::from_std(client)
                    .and_then(|client| Ok((client, TcpStream::from_std(master)?)));
                match taken {
                    Ok((client, master)) => {
                        let ends = (client.into_split(), master.into_split());
                        self.passage.serve(ends.0, ends.1, first).await;
                    }
                    Err(error) => not_begun(session, &error),
                }
            })
        });
        if let Err(error) = begun {
            not_begun(session, &error);
        }
    }
}

fn not_begun(session: i32, error: &io::Error) {
    tracing::error!(session, %error, "a redirected session could not begin");
}

impl End {
    /// As the log says it.
    fn told(&self) -> String {
        match self {
            Self::ClientGone => "the client has gone".to_owned(),
            Self::MasterClosed => "the master has ended it".to_owned(),
            Self::MasterLost(Some(error)) => format!("the connection to the master broke: {error}"),
            Self::MasterLost(None) => {
                "the master closed the connection in the middle of it".to_owned()
            }
            Self::Ended => "it was ended on this server".to_owned(),
        }
    }

    /// What the client is told, where the master can't.
    fn last_word(&self, target: &str, entry: &SessionEntry) -> Option<Failure> {
        match self {
            Self::ClientGone | Self::MasterClosed => None,
            Self::MasterLost(_) => Some(
                Failure::fatal(
                    SqlState::CONNECTION_FAILURE,
                    format!("the connection to the master {target} was lost"),
                )
                .detail("Whether a transaction that was being committed is committed is not known.")
                .hint("Connect again: the session goes to the first server of RedirectWrite that takes it."),
            ),
            Self::Ended => Some(entry.last_word().unwrap_or_else(terminated)),
        }
    }
}

impl Passage {
    /// Serves the session to its end, and says in the log how that came. `first` is what each side has said already.
    async fn serve(
        mut self,
        client: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        master: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        first: (Bytes, Bytes),
    ) {
        let begun = Instant::now();
        let end = self.run(client, master, first).await;
        let entry = &self.registered.entry;
        let (session, address, user) = (entry.pid, entry.address, &self.user);
        let target = shown(&self.redirected.target, self.redirected.address);
        let (to_master, to_client) = (self.redirected.to_master(), self.redirected.to_client());
        let seconds = begun.elapsed().as_secs();
        let told = end.told();
        if matches!(end, End::MasterLost(_)) {
            tracing::warn!(session, user, %address, target, to_master, to_client, seconds, "a redirected session has ended: {told}");
        } else {
            tracing::info!(session, user, %address, target, to_master, to_client, seconds, "a redirected session has ended: {told}");
        }
    }

    /// Both directions, and the last word.
    async fn run(
        &mut self,
        client: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        master: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        first: (Bytes, Bytes),
    ) -> End {
        let (mut client_in, mut client_out) = client;
        let (mut master_in, mut master_out) = master;
        let end = self
            .both(
                (&mut client_in, &mut client_out),
                (&mut master_in, &mut master_out),
                first,
            )
            .await;
        // What runs there ends now, and not when the client has read why.
        drop((master_in, master_out));
        let last_word = end.last_word(&self.redirected.target, &self.registered.entry);
        if !matches!(end, End::ClientGone) {
            let words = last_word.filter(|_| self.from_master.is_between());
            let told = farewell(&mut client_in, &mut client_out, words);
            if tokio::time::timeout(FAREWELL, told).await.is_err() {
                tracing::debug!("the client of a redirected session does not go by itself");
            }
        }
        end
    }

    async fn both(
        &mut self,
        client: (
            &mut (impl AsyncRead + Unpin),
            &mut (impl AsyncWrite + Unpin),
        ),
        master: (
            &mut (impl AsyncRead + Unpin),
            &mut (impl AsyncWrite + Unpin),
        ),
        first: (Bytes, Bytes),
    ) -> End {
        let mut client_is_done = false;
        let stopped = {
            let entry = &self.registered.entry;
            let (redirected, environment) = (&self.redirected, &self.environment);
            let (up, down) = (&mut self.from_client, &mut self.from_master);
            let to_master = async {
                let stopped = pump(client.0, master.1, &first.0, |bytes| {
                    up.pass(bytes);
                    redirected.count_to_master(bytes.len());
                })
                .await;
                match stopped {
                    Stopped::AtEnd if master.1.shutdown().await.is_err() => Stopped::Writing,
                    stopped => stopped,
                }
            };
            let to_client = pump(master.0, client.1, &first.1, |bytes| {
                down.pass(bytes);
                redirected.count_to_client(bytes.len(), down.is_idle());
                // As any session does between its transactions.
                if redirected.is_idle() && environment.is_stopping() {
                    entry.wake.notify_one();
                }
            });
            tokio::pin!(to_master, to_client);
            let mut listens = true;
            loop {
                tokio::select! {
                    biased;
                    () = entry.wake.notified() => return End::Ended,
                    stopped = &mut to_client => break stopped,
                    stopped = &mut to_master, if listens => match stopped {
                        // It may still read what it has asked for.
                        Stopped::AtEnd => (listens, client_is_done) = (false, true),
                        // Why the master takes no more, the other direction tells.
                        Stopped::Writing => listens = false,
                        Stopped::Reading(_) => return End::ClientGone,
                    },
                }
            }
        };
        let error = match stopped {
            Stopped::Writing => return End::ClientGone,
            Stopped::AtEnd => None,
            Stopped::Reading(error) => Some(error),
        };
        let says_goodbye = self.from_client.last() == Some(TERMINATE);
        if says_goodbye || (client_is_done && error.is_none()) {
            End::ClientGone
        } else if self.from_master.last() == Some(ERROR) && self.from_master.is_between() {
            End::MasterClosed
        } else {
            End::MasterLost(error)
        }
    }
}

/// Carries one direction until its stream ends. No more is read before all is written, so who sends waits
/// for who reads.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    first: &[u8],
    mut passed: impl FnMut(&[u8]),
) -> Stopped {
    if !hand_on(to, first, &mut passed).await {
        return Stopped::Writing;
    }
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) => return Stopped::AtEnd,
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                if !hand_on(to, bytes, &mut passed).await {
                    return Stopped::Writing;
                }
            }
            Err(error) => return Stopped::Reading(error),
        }
    }
}

/// Writes all, and tells of each part that is written; false when the other side takes no more.
async fn hand_on(
    to: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    passed: &mut impl FnMut(&[u8]),
) -> bool {
    while !bytes.is_empty() {
        match to.write(bytes).await {
            Ok(written @ 1..) => {
                let (written, rest) = bytes.split_at(written);
                passed(written);
                bytes = rest;
            }
            Ok(_) | Err(_) => return false,
        }
    }
    // Within TLS what is written may wait for the socket.
    to.flush().await.is_ok()
}

/// The last word, then the end; and a wait for the client to go, which reads it so: a connection that is
/// closed over what nobody has read is reset, and words on their way are lost.
async fn farewell(
    client_in: &mut (impl AsyncRead + Unpin),
    client_out: &mut (impl AsyncWrite + Unpin),
    word: Option<Failure>,
) {
    let mut out = BytesMut::new();
    if let Some(word) = word {
        output::error(&mut out, &word);
    }
    let gone = async {
        client_out.write_all(&out).await?;
        client_out.shutdown().await?;
        let mut unread = [0; 4096];
        while client_in.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    if let Err(error) = gone.await {
        tracing::debug!(%error, "the client of a redirected session was gone before its end");
    }
}
