//! What other instances tell of their logs, and the end of a log that one of them has and this one lacks: this server asks
//! for it, and is its own dbrepl meanwhile.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dbconfig::HostService;
use dbproto::{Greeting, Identify, Message, Progress, Refuse, state};
use futures::future::join_all;
use fwlog::{BootNonce, ChainHash, CommitNumber, LogPoint, Position, Speaker, Timestamp};
use peers::introduction::Introduction;
use tokio::time::timeout;

use crate::asking::{Access, Session};
use crate::environment::Environment;
use crate::environment::fence::OtherLog;
use crate::feed::link::Link;

/// How long a piece of the log may take.
const PIECE: Duration = Duration::from_secs(30);

/// A peer that has answered.
pub(crate) struct Peer {
    session: Session,
    /// What it has told.
    pub(crate) told: Introduction,
    /// Its log.
    pub(crate) log: OtherLog,
    /// Its log has the point of the own one that it was asked for.
    pub(crate) has_point: bool,
}

impl Peer {
    /// The chain hash of its log at a position; `None`: no block ends there.
    ///
    /// Error: why it could not be asked, without its name.
    pub(crate) async fn hash_at(&self, position: Position) -> Result<Option<ChainHash>, String> {
        let asking = introduction(&self.session, position);
        let told = timeout(PIECE, asking).await;
        let told = told.unwrap_or_else(|_| Err("no answer in time".into()))?;
        let hash = told.hash_there.map(|hash| hash.parse());
        hash.transpose()
            .map_err(|_| "its hash can't be read: is it of another version?".to_owned())
    }
}

/// What came of asking one.
pub(crate) enum Answer {
    /// It is this server.
    Own,
    /// It has no log yet.
    Empty,
    /// It has one, of the same environment.
    Peer(Box<Peer>),
}

/// Asks all of `Peers` at once whether they have this point.
///
/// Errors: why one could not be asked, without its name.
pub(crate) async fn ask_peers(
    environment: &Environment,
    point: Option<LogPoint>,
    at_most: Duration,
) -> Vec<(HostService, Result<Answer, String>)> {
    let access = Access::of(environment.config());
    let peers = &environment.config().replication.peers;
    let asked = peers.iter().map(|peer| {
        let asking = Box::pin(introduced(environment, &access, peer, point));
        async move {
            let answer = timeout(at_most, asking).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer in time".into()));
            (peer.clone(), answer)
        }
    });
    join_all(asked).await
}

/// Asks this one.
///
/// Error: why it could not be asked, without its name.
pub(crate) async fn ask_peer(
    environment: &Environment,
    peer: &HostService,
    at_most: Duration,
) -> Result<Answer, String> {
    let access = Access::of(environment.config());
    let point = environment.branch_end().map(|end| end.point);
    let asking = Box::pin(introduced(environment, &access, peer, point));
    let answer = timeout(at_most, asking).await;
    answer.unwrap_or_else(|_| Err("no answer in time".into()))
}

async fn introduced(
    environment: &Environment,
    access: &Access,
    peer: &HostService,
    point: Option<LogPoint>,
) -> Result<Answer, String> {
    let session = Session::open(access, peer).await?;
    let at = point.map_or(Position::ORIGIN, |point| point.position);
    let told = introduction(&session, at).await?;
    let core = environment.core();
    if told.id == core.instance().greeting().speaker.id.to_string() {
        // The list may be the same on all servers.
        return Ok(Answer::Own);
    }
    let Some(log) = log_of(&told)? else {
        return Ok(Answer::Empty);
    };
    if core.id() != Some(log.environment) {
        return Err("it belongs to another environment".into());
    }
    if log.branch.is_empty() {
        return Err("it does not know the history of its log".into());
    }
    let there = told.hash_there.as_deref();
    let has_point = point.is_some_and(|at| there == Some(at.hash.to_string().as_str()));
    Ok(Answer::Peer(Box::new(Peer {
        session,
        told,
        log,
        has_point,
    })))
}

async fn introduction(session: &Session, at: Position) -> Result<Introduction, String> {
    let words = ["peer".to_owned(), "introduce".to_owned(), at.to_string()];
    let json = session.ask_json(&words).await?;
    serde_json::from_str(&json)
        .map_err(|_| "its answer can't be read: is it of another version?".to_owned())
}

/// Takes what the peer has behind the own log.
pub(crate) async fn get_back(environment: &Arc<Environment>, peer: &Peer) -> Result<(), String> {
    let in_full = |refuse: Refuse| refuse.in_full();
    let mut back = GetBack::begin(environment, &peer.told, &peer.log).map_err(in_full)?;
    while let Some(LogPoint { position, hash }) = back.point() {
        let words = [
            "peer".to_owned(),
            "log".to_owned(),
            position.to_string(),
            hash.to_string(),
        ];
        let rows = timeout(PIECE, peer.session.ask(&words)).await;
        let rows = rows.unwrap_or_else(|_| Err("no answer in time".into()))?;
        if !back.take(&rows).map_err(in_full)? {
            break;
        }
    }
    Ok(())
}

/// The log of a peer, as it has introduced itself. `None`: it has none. An error names what can't be read.
fn log_of(told: &Introduction) -> Result<Option<OtherLog>, String> {
    let odd = |what: &str| format!("its {what} can't be read: is it of another version?");
    let (Some(environment), Some(end)) = (&told.environment, &told.end) else {
        return Ok(None);
    };
    let point = LogPoint::new(
        end.position.parse().map_err(|_| odd("position"))?,
        end.hash.parse().map_err(|_| odd("hash"))?,
    );
    let branch = told.history.iter().map(|line| line.parse());
    Ok(Some(OtherLog {
        environment: environment.parse().map_err(|_| odd("environment"))?,
        instance: told.instance.clone(),
        branch: branch
            .collect::<Result<_, _>>()
            .map_err(|_| odd("history"))?,
        end: fwlog::BranchEnd {
            point,
            commit: CommitNumber::new(end.commit),
        },
    }))
}

/// What comes back, piece by piece.
struct GetBack {
    environment: Arc<Environment>,
    link: Link,
    /// Where the newest seal stands that was taken: it is given again where a question begins there.
    sealed: Option<Position>,
}

impl GetBack {
    /// Takes the place of a dbrepl of this peer.
    fn begin(
        environment: &Arc<Environment>,
        told: &Introduction,
        log: &OtherLog,
    ) -> Result<Self, Refuse> {
        let mut link = Link::open(environment)?;
        let end = environment.branch_end();
        link.take(Message::Identify(identify(told, log)?))?;
        link.take(Message::Start {
            at: end.map(|end| end.point),
        })?;
        Ok(Self {
            environment: Arc::clone(environment),
            link,
            sealed: None,
        })
    }

    /// What comes next is asked for behind this point.
    fn point(&self) -> Option<LogPoint> {
        self.environment.branch_end().map(|end| end.point)
    }

    /// Takes the rows of an answer; they are durable afterwards. `false`: there was nothing new.
    fn take(&mut self, rows: &[Vec<Option<String>>]) -> Result<bool, Refuse> {
        let mut is_news = false;
        for row in rows {
            let Some((piece, at, bytes)) = read(row) else {
                return Err(Refuse::new(
                    state::PROTOCOL_VIOLATION,
                    "a piece of the log can't be read",
                )
                .hint("is the other server of another version?"));
            };
            let message = match piece {
                "segment" => Message::Segment { header: bytes },
                "blocks" => Message::Blocks { start: at, bytes },
                _ if self.sealed == Some(at) => continue,
                _ => {
                    self.sealed = Some(at);
                    Message::Seal { bytes }
                }
            };
            self.link.take(message)?;
            is_news = true;
        }
        self.link.sync()?;
        Ok(is_news)
    }
}

fn read(row: &[Option<String>]) -> Option<(&str, Position, Bytes)> {
    let [Some(piece), Some(at), Some(content)] = row else {
        return None;
    };
    let bytes = STANDARD.decode(content).ok()?;
    Some((piece, at.parse().ok()?, Bytes::from(bytes)))
}

/// As its dbrepl would introduce it.
fn identify(told: &Introduction, log: &OtherLog) -> Result<Identify, Refuse> {
    let odd = || {
        Refuse::new(
            state::PROTOCOL_VIOLATION,
            "who the other server is can't be read",
        )
    };
    let end = told.end.as_ref().ok_or_else(odd)?;
    Ok(Identify {
        protocol: dbproto::PROTOCOL_VERSION,
        format: told.format,
        environment: log.environment,
        instance: told.instance.clone(),
        role: dbproto::Role::Slave,
        page_size: u32::try_from(fwlog::PAGE_SIZE).unwrap_or(u32::MAX),
        volume_limit: told.volume_limit,
        durable: Some(Progress {
            point: log.end.point,
            commit: log.end.commit,
            time: Timestamp::from_micros(end.time),
        }),
        pack: false,
        greeting: Some(Box::new(Greeting {
            speaker: Speaker {
                id: told.id.parse().map_err(|_| odd())?,
                boot: BootNonce::from_bytes(Default::default()),
                name: told.instance.clone(),
            },
            branch: log.branch.clone(),
            above: None,
            settled: None,
        })),
    })
}
