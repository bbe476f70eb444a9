//! A root that does not write yet asks its peers whether it still is the root, and gets back from them what its log has
//! lost (`Peers`, `StartGuard`).

use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dbconfig::StartGuard;
use tokio::time::sleep;

use crate::environment::Environment;
use crate::environment::pause::PeerSays;
use crate::feed::get_back::{Answer, Peer, ask_peers, get_back};

/// How long all peers may take to answer.
const ANSWERS: Duration = Duration::from_secs(3);
/// How long is waited before they are asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Has a thread ask as long as the server is a root that does not write.
#[derive(Default)]
pub(super) struct PeerWatch {
    thread: Option<JoinHandle<()>>,
    failed: bool,
}

impl PeerWatch {
    /// Begins to ask, where that is due.
    pub(super) fn look(&mut self, environment: &Arc<Environment>) {
        let asks = self.thread.as_ref().is_some_and(|it| !it.is_finished());
        if asks || environment.paused().is_none() {
            return;
        }
        let weak = Arc::downgrade(environment);
        let thread = thread::Builder::new().name("start-guard".into());
        match thread.spawn(move || run(&weak)) {
            Ok(thread) => (self.thread, self.failed) = (Some(thread), false),
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!(%error, "cannot start a thread that asks the peers");
                }
            }
        }
    }
}

fn run(weak: &Weak<Environment>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(ask_on(weak)),
        Err(error) => tracing::error!(%error, "the peers can't be asked"),
    }
}

async fn ask_on(weak: &Weak<Environment>) {
    let mut told = None;
    while let Some(environment) = weak.upgrade() {
        if environment.is_stopping() || environment.paused().is_none() {
            return;
        }
        let news = Round::of(&environment).ask().await;
        if news.is_some() && news != told {
            tracing::warn!("{}", news.as_deref().unwrap_or_default());
        }
        environment.core().peer_news().set(news.clone());
        told = news;
        let is_over = environment.paused().is_none();
        drop(environment);
        if is_over {
            return;
        }
        sleep(AGAIN).await;
    }
}

/// All peers are asked once.
struct Round<'a> {
    environment: &'a Arc<Environment>,
    /// Why peers have not answered, each with its name.
    silent: Vec<String>,
    /// Peers that go on where the own log ends.
    ahead: Vec<Peer>,
    forked: Vec<String>,
    answers: usize,
}

impl<'a> Round<'a> {
    fn of(environment: &'a Arc<Environment>) -> Self {
        Self {
            environment,
            silent: Vec::new(),
            ahead: Vec::new(),
            forked: Vec::new(),
            answers: 0,
        }
    }

    /// What there is to say of it, where it is not over or was not as it should be.
    async fn ask(mut self) -> Option<String> {
        let end = self.environment.branch_end().map(|end| end.point);
        for (peer, answer) in ask_peers(self.environment, end, ANSWERS).await {
            if let Err(why) = answer.and_then(|answer| self.hear(answer)) {
                self.silent.push(format!("{peer}: {why}"));
            }
        }
        self.environment.paused()?;
        self.decide().await
    }

    fn hear(&mut self, answer: Answer) -> Result<(), String> {
        let peer = match answer {
            Answer::Own => return Ok(()),
            Answer::Empty => {
                self.answers += 1;
                return Ok(());
            }
            Answer::Peer(peer) => peer,
        };
        self.answers += 1;
        let says = self.environment.hear_peer(&peer.log, peer.has_point);
        match says.map_err(|error| error.to_string())? {
            PeerSays::Nothing | PeerSays::LeftBehind => {}
            PeerSays::Ahead => self.ahead.push(*peer),
            PeerSays::Forked(why) => self.forked.push(why),
        }
        Ok(())
    }

    async fn decide(mut self) -> Option<String> {
        let environment = self.environment;
        self.ahead.sort_by_key(|peer| peer.log.end.point.position);
        if let Some(peer) = self.ahead.pop()
            && let Err(why) = get_back(environment, &peer).await
        {
            return Some(format!("{} does not give it: {why}", peer.told.instance));
        }
        match environment.has_got_back() {
            Ok(true) => {}
            Ok(false) => {
                let silent = self.silent.join("; ");
                return (!silent.is_empty()).then(|| format!("not asked: {silent}"));
            }
            Err(error) => return Some(error.to_string()),
        }
        if let Some(why) = self.forked.first() {
            return Some(format!(
                "{why}; keep what is missed of one of them ('dbctl database dump'), then 'dbctl replication promote --force' here and 'dbrepl --resync' to the other one, or the other way round"
            ));
        }
        let nobody = (self.answers == 0)
            .then(|| format!("no peer has answered: {}", self.silent.join("; ")));
        match (environment.config().replication.start_guard, nobody) {
            (StartGuard::Require, Some(nobody)) => Some(nobody),
            (StartGuard::Off, _) | (_, None) => self.resume(None),
            (StartGuard::Ask, Some(nobody)) => self.resume(Some(format!(
                "{nobody}; this server writes all the same: if another one was made the root meanwhile, there are two (StartGuard = require waits for an answer)"
            ))),
        }
    }

    fn resume(&self, news: Option<String>) -> Option<String> {
        match self.environment.resume() {
            Ok(()) => news,
            Err(error) => Some(error.to_string()),
        }
    }
}
