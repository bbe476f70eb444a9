//! A root that does not write at present. It was started, and has not heard yet whether it still is the root; or it has
//! lost the end of its log, which another instance has, and gets that back.
//!
//! ```text
//!   start ─▶ paused ── no peer has more ─────────────────────────────────▶ root
//!              │ ── one goes on where this log ends ─▶ gets that back ──▶ paused
//!              └ ── one has become the root ─────────▶ fenced
//! ```
//! It is a slave meanwhile: it may be fed by whoever has more, and by nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dbconfig::StartGuard;
use dbproto::{Progress, Weight};
use fwlog::Rival;

use crate::databases::handover::{GetsBack, Handover};
use crate::environment::fence::{Claim, OtherLog};
use crate::environment::roles;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// What is known of the peers, for people.
#[derive(Debug, Default)]
pub(crate) struct PeerNews(Mutex<Option<String>>);

impl PeerNews {
    /// What there is to know now.
    pub(crate) fn set(&self, news: Option<String>) {
        *self.news() = news;
    }

    fn get(&self) -> Option<String> {
        self.news().clone()
    }

    fn news(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That a root does not write at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What it gets back first.
    pub back: Option<GetsBack>,
}

/// What a peer has to say to a root that is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerSays {
    /// Nothing that keeps it from being the root.
    Nothing,
    /// It is the root no more, and knows it now.
    LeftBehind,
    /// The peer goes on where its log ends, which is noted.
    Ahead,
    /// Why neither of the two logs goes on from the other.
    Forked(String),
}

impl Environment {
    /// Whether it is a root that does not write at present.
    pub fn paused(&self) -> Option<Pause> {
        match &self.core().control().handover {
            Some(Handover::Paused { back, .. }) => Some(Pause { back: back.clone() }),
            _ => None,
        }
    }

    /// Hears a peer out: `same_here` is whether its log has the end of the own one.
    pub fn hear_peer(&self, other: &OtherLog, same_here: bool) -> Result<PeerSays, EngineError> {
        match self.claim_by(other) {
            Claim::LeftBehind(fence) => {
                self.yield_to(&fence)?;
                return Ok(PeerSays::LeftBehind);
            }
            // Neither yields by itself.
            Claim::TwoRoots { ours, theirs, at } => {
                self.note_rival(Rival {
                    at,
                    ours: ours.number,
                    theirs: theirs.number,
                    name: theirs.instance,
                });
                return Ok(PeerSays::Nothing);
            }
            Claim::None => {}
        }
        match self.goes_on_here(other) {
            None => Ok(PeerSays::Nothing),
            Some(end) if same_here => {
                self.gets_back(GetsBack {
                    end,
                    from: other.instance.clone(),
                })?;
                Ok(PeerSays::Ahead)
            }
            Some(end) => Ok(PeerSays::Forked(self.forked(other, end.point.position))),
        }
    }

    /// In words: both have written one generation, each for itself.
    pub(crate) fn forked(&self, other: &OtherLog, their_end: fwlog::Position) -> String {
        let own = &self.config().server.instance;
        let end = self.durable_position();
        let end = end.map_or_else(|| "nowhere".to_owned(), |at| at.to_string());
        format!(
            "{own} and {} have written one generation of the log, each for itself: {own} up to {end}, {} up to {their_end}",
            other.instance, other.instance
        )
    }

    /// Another instance has the end of the log, and that goes on where this one ends: nothing is written before it is here.
    pub(crate) fn gets_back(&self, back: GetsBack) -> Result<(), EngineError> {
        let Some(Pause { back: known }) = self.paused() else {
            return Ok(());
        };
        let is_news = known.is_none_or(|it| it.end.point.position < back.end.point.position);
        if !is_news {
            return Ok(());
        }
        tracing::warn!(
            "this root has lost the end of its log: it gets that back from {}, up to {}, before it writes",
            back.from,
            back.end.point.position
        );
        let _one_author = self.core().one_author();
        self.core().update_control(|control| {
            if let Some(Handover::Paused { back: at, .. }) = &mut control.handover {
                *at = Some(back);
            }
        })
    }

    /// Whether all that it gets back is here; then that is noted, and its peers may be asked again. Where another instance
    /// has become the root meanwhile, it is a slave as any other.
    pub fn has_got_back(&self) -> Result<bool, EngineError> {
        let Some(Pause { back: Some(back) }) = self.paused() else {
            return Ok(true);
        };
        let Some(slave) = self.slave() else {
            return Ok(true);
        };
        let progress = slave.progress();
        let reaches = |at: Option<Progress>| {
            at.is_some_and(|at| at.point.position >= back.end.point.position)
        };
        if !reaches(progress.durable) || !reaches(progress.applied) {
            return Ok(false);
        }
        let here = progress.durable.map(|at| at.point.position);
        self.core().instance().follow(self.core(), here);
        let follows_another = self.core().follows_another_root(back.end.point.position);
        let _one_author = self.core().one_author();
        self.core().update_control(|control| {
            if let Some(Handover::Paused { back, .. }) = &mut control.handover {
                *back = None;
            }
            if follows_another {
                control.handover = None;
            }
        })?;
        tracing::info!(from = back.from, "this root has back what its log had lost");
        Ok(true)
    }

    /// It writes again. Nothing is done where it does, or is no root any more.
    pub fn resume(&self) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        match self.side() {
            Side::Slave(slave) if self.paused().is_some_and(|it| it.back.is_none()) => {
                roles::resume(self.core(), self.current_side(), &slave)
            }
            Side::Slave(_) | Side::Master(_) => Ok(()),
            Side::None => Err(EngineError::ChangingRole),
        }
    }

    /// How bad that is: it comes right by itself, unless there is something to say.
    pub(crate) fn pause_weight(&self) -> Weight {
        let has_news = self.core().peer_news().get().is_some();
        match (self.paused().is_some(), has_news) {
            (true, true) => Weight::Critical,
            (true, false) | (false, true) => Weight::Warning,
            (false, false) => Weight::Ok,
        }
    }

    /// Why it does not write though it is the root, or what was wrong when its peers were asked.
    pub(crate) fn paused_in_words(&self) -> Option<String> {
        let news = self.core().peer_news().get();
        let Some(Pause { back }) = self.paused() else {
            return news;
        };
        let why = match back {
            Some(GetsBack { end, from }) => format!(
                "has lost the end of its log, which {from} has up to {}",
                end.point.position
            ),
            None => "asks its Peers first".to_owned(),
        };
        let required = self.config().replication.start_guard == StartGuard::Require;
        let required = if required {
            " (StartGuard = require)"
        } else {
            ""
        };
        let words = format!("the root, and does not write yet: it {why}{required}");
        Some(match news {
            Some(news) => format!("{words}; {news}"),
            None => words,
        })
    }
}
