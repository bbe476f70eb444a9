//! The taker's end, without the socket: messages in, messages out, what has come in between. A slave gets what the log
//! can't tell it any more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dbproto::base::{Asked, CutOffer, Given, StageStatus, Taker, TakerAction};
use dbproto::{Refuse, state};
use fwlog::{Mirror, Timestamp};
use pagehash::Root;

use super::refuse_engine;
use crate::databases::control::role_word;
use crate::environment::{Environment, Slave};
use crate::error::EngineError;
use crate::incoming::Incoming;
use crate::slave::{Copying, MirrorPlace};

/// How long the applier may take for what it has, before a copy begins.
const APPLIED_SOON: Duration = Duration::from_mins(1);

/// What follows a message.
#[derive(Debug)]
pub enum Next {
    /// It is the giver's turn.
    Listen,
    /// Room is to be made for this cut: [`Taking::meet`].
    Meet(Box<CutOffer>),
    /// This is to be sent, at once: the giver has work to do beside this end then.
    Say(Asked),
    /// All has come: [`Taking::prove`].
    Prove(Vec<(u32, Root)>),
    /// The giver won't go on.
    Over(Refuse),
}

/// Why a message leads nowhere.
enum Fault {
    Protocol(Refuse),
    Engine(EngineError),
}

impl From<Refuse> for Fault {
    fn from(refuse: Refuse) -> Self {
        Self::Protocol(refuse)
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl Fault {
    /// What has come and is not what was sent is the way's fault, not the disk's.
    fn refuse(self) -> Refuse {
        match self {
            Self::Protocol(refuse) => refuse,
            Self::Engine(EngineError::Corrupt(why)) => Refuse::new(state::DAMAGED, why),
            Self::Engine(error) => refuse_engine(&error),
        }
    }
}

/// A slave that takes a copy. As long as it does no dbrepl feeds it.
///
/// From the moment on in which a start may find the copy complete, the state that is here does not change: pages that are
/// not sent are those of its data files. So nobody feeds it any more, and when this is dropped the server begins anew.
pub struct Taking {
    environment: Arc<Environment>,
    slave: Arc<Slave>,
    mirror: Option<Box<Mirror>>,
    machine: Taker,
    incoming: Option<Incoming>,
    /// What the machine wants, in order.
    actions: VecDeque<TakerAction>,
    since: Timestamp,
    is_over: bool,
}

impl Taking {
    /// Takes the mirror; refused while a dbrepl has it, or when this is no slave.
    pub fn begin(environment: &Arc<Environment>) -> Result<Self, Refuse> {
        let Some(slave) = environment.slave() else {
            let why = format!(
                "this server is not a slave: it is {}",
                role_word(environment.role())
            );
            return Err(Refuse::new(state::PREREQUISITE, why));
        };
        let MirrorPlace::Free(mirror) = slave.log().take_mirror() else {
            return Err(Refuse::new(
                state::IN_USE,
                "another dbrepl feeds this slave",
            ));
        };
        Ok(Self {
            environment: Arc::clone(environment),
            since: slave.log().now(),
            slave,
            mirror,
            machine: Taker::new(),
            incoming: None,
            actions: VecDeque::new(),
            is_over: false,
        })
    }

    /// Takes a message of the giver: [`Taking::go_on`] says what follows.
    pub fn handle(&mut self, message: Given) -> Result<(), Refuse> {
        let actions = self.machine.handle(message)?;
        self.actions.extend(actions);
        Ok(())
    }

    /// Does what comes next, and says what the caller has to do then, until it is the giver's turn.
    pub fn go_on(&mut self) -> Result<Next, Refuse> {
        self.perform().map_err(Fault::refuse)
    }

    /// How far it is.
    pub fn status(&self) -> StageStatus {
        self.machine.status()
    }

    /// The same while so many bytes of the next message are here: pages, most of the time, which are not proved yet.
    pub(super) fn status_with(&self, here: usize) -> StageStatus {
        let status = self.status();
        let coming = (here / pagehash::PAGE_SIZE) as u64;
        let missing = status.of.saturating_sub(status.done());
        StageStatus {
            taken: status.taken.saturating_add(coming.min(missing)),
            ..status
        }
    }

    fn perform(&mut self) -> Result<Next, Fault> {
        while let Some(action) = self.actions.pop_front() {
            match action {
                TakerAction::Send(message) => return Ok(Next::Say(message)),
                TakerAction::Meet(cut) => return Ok(Next::Meet(Box::new(cut))),
                TakerAction::Prove(roots) => return Ok(Next::Prove(roots)),
                TakerAction::Refused(refuse) => return Ok(Next::Over(refuse)),
                // What an action leads to comes before the next one: the giver waits for it.
                other => {
                    let follow = self.act(other)?.into_iter().rev();
                    follow.for_each(|action| self.actions.push_front(action));
                }
            }
        }
        Ok(Next::Listen)
    }

    fn act(&mut self, action: TakerAction) -> Result<Vec<TakerAction>, Fault> {
        let Some(incoming) = &mut self.incoming else {
            return Err(pages_before_the_cut().into());
        };
        Ok(match action {
            TakerAction::Value {
                database,
                first,
                count,
            } => {
                let values = incoming.values(database, first, count)?;
                self.machine.valued(database, first, values)
            }
            TakerAction::Compare {
                database,
                group,
                sums,
            } => {
                let pages = incoming.differ(database, group, &sums)?;
                vec![self.machine.differ(database, group, pages)]
            }
            TakerAction::Keep(pages) => {
                let kept = incoming.keep(&pages)?;
                self.machine.kept(pages.database, pages.group, kept)?
            }
            TakerAction::KeepLog { start, bytes } => {
                incoming.keep_log(start, &bytes)?;
                Vec::new()
            }
            TakerAction::Send(_)
            | TakerAction::Meet(_)
            | TakerAction::Prove(_)
            | TakerAction::Complete
            | TakerAction::Refused(_) => Vec::new(),
        })
    }

    /// Makes room, which takes a while. What is here is written to the data files before: what is compared is what stands
    /// there, also after a crash.
    pub fn meet(&mut self, cut: &CutOffer) -> Result<(), Refuse> {
        check(&self.environment, cut)?;
        let is_first = self.environment.id().is_none();
        tracing::info!(
            from = cut.instance,
            commit = cut.commit.get(),
            pages = cut.pages(),
            "{}",
            if is_first {
                "a first copy begins"
            } else {
                "re-synchronization begins"
            }
        );
        self.show();
        self.make_room(cut, is_first).map_err(Fault::refuse)
    }

    fn make_room(&mut self, cut: &CutOffer, is_first: bool) -> Result<(), Fault> {
        if !is_first {
            self.slave.apply_all(APPLIED_SOON)?;
            self.keep_discarded();
            self.slave.write_all(APPLIED_SOON)?;
        }
        let core = self.environment.core();
        let wanted = (&core.config().replication.apply, self.lost());
        let incoming = Incoming::begin(core.layout(), cut, core.databases(), wanted)?;
        self.machine.leave_out(incoming.left_out());
        let actions = self.machine.begin(incoming.here());
        self.incoming = Some(incoming);
        self.actions.extend(actions);
        Ok(())
    }

    /// Rows of what only this server has are told while they can be; its log is set aside as it is in any case.
    fn keep_discarded(&self) {
        match self.environment.keep_before_resync() {
            Ok(None) => {}
            Ok(Some(kept)) => match kept.inexact {
                None => tracing::warn!(
                    "what the copy discards of this server is kept in lost/{}: {} rows and objects",
                    kept.name,
                    kept.changes
                ),
                Some(why) => tracing::warn!(
                    "what the copy discards of this server is kept in lost/{} as segments of the log alone: {why}",
                    kept.name
                ),
            },
            Err(error) => tracing::warn!(
                "what the copy discards of this server is kept as segments of the log alone, in lost/{} beside it: {error}",
                self.lost()
            ),
        }
    }

    /// The directory for what is discarded: when that was, without what shells dislike.
    fn lost(&self) -> String {
        let now = self.since.to_string();
        let seconds = now.split('.').next().unwrap_or_default();
        seconds
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect()
    }

    /// Shows people how far it is.
    pub(super) fn show(&self) {
        self.show_status(self.status());
    }

    /// The same, where this is how far it is.
    pub(super) fn show_status(&self, status: StageStatus) {
        let Some(cut) = self.machine.cut() else {
            return;
        };
        let copying = Copying {
            from: cut.instance.clone(),
            is_first: self.environment.id().is_none(),
            since: self.since,
            status,
            seen: self.slave.log().now(),
        };
        let log = self.slave.log();
        log.update(|progress| progress.copying = Some(copying));
    }

    /// Reads all back, which takes a while, and has the next start make it the state. Gives the last messages.
    pub fn prove(&mut self, roots: &[(u32, Root)]) -> Result<Vec<Asked>, Refuse> {
        self.show();
        let Some(incoming) = self.incoming.take() else {
            return Err(pages_before_the_cut());
        };
        self.complete(incoming, roots).map_err(Fault::refuse)?;
        let StageStatus { equal, taken, .. } = self.machine.status();
        tracing::info!(
            equal,
            taken,
            "the copy is complete and proved: the server begins anew with it"
        );
        let actions = self.machine.proved().into_iter();
        let messages = actions.filter_map(|action| match action {
            TakerAction::Send(message) => Some(message),
            _ => None,
        });
        Ok(messages.collect())
    }

    fn complete(&mut self, mut incoming: Incoming, roots: &[(u32, Root)]) -> Result<(), Fault> {
        incoming.prove(roots)?;
        let completed = incoming.complete();
        self.is_over = incoming.may_be_complete();
        Ok(completed?)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let log = self.slave.log();
        log.update(|progress| progress.copying = None);
        if self.is_over {
            self.environment.begin_anew();
        } else {
            log.give_back(self.mirror.take());
        }
    }
}

fn pages_before_the_cut() -> Refuse {
    Refuse::new(state::PROTOCOL_VIOLATION, "pages came before the cut")
}

/// Whether this server can be in the state of the cut.
fn check(environment: &Environment, cut: &CutOffer) -> Result<(), Refuse> {
    if let Some(own) = environment.id()
        && own != cut.environment
    {
        return Err(Refuse::new(
            state::OTHER_ENVIRONMENT,
            "the slave belongs to another environment",
        )
        .detail(format!("copy of {}, slave's {own}", cut.environment)));
    }
    let format = fwlog::layout::header::FORMAT_VERSION;
    if cut.format > format || cut.page_size as usize != fwlog::PAGE_SIZE {
        return Err(
            Refuse::new(state::NOT_SUPPORTED, "the slave can't read this copy")
                .detail(format!(
                    "log format {} and pages of {} bytes, slave reads up to {format} and {}",
                    cut.format,
                    cut.page_size,
                    fwlog::PAGE_SIZE
                ))
                .hint("update the slave's dbserver first"),
        );
    }
    Ok(())
}
