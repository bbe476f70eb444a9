//! The taker's end: a slave gets what the log can't tell it any more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbproto::base::{Asked, CutOffer, Given, Taker, TakerAction};
use dbproto::{Refuse, state};
use fwlog::{Mirror, Timestamp};
use pagehash::Root;

use super::line::{Ended, Line};
use super::refuse_engine;
use crate::databases::control::role_word;
use crate::environment::{Environment, Slave};
use crate::error::EngineError;
use crate::incoming::Incoming;
use crate::slave::{Copying, MirrorPlace};

/// How long the applier may take for what it has, before a copy begins.
const APPLIED_SOON: Duration = Duration::from_mins(1);

/// How often is told how far it is.
const STATUS: Duration = Duration::from_secs(1);

/// Talks until all is here, or the other side leaves.
pub(super) async fn take(
    line: &mut Line<'_>,
    environment: &Arc<Environment>,
    first: Given,
) -> Result<(), Ended> {
    let mut taking = Taking::begin(environment)?;
    let mut message = Some(first);
    let mut told = Instant::now();
    while let Some(given) = message.take() {
        let mut next = taking.handle(given).map_err(Fault::refuse)?;
        if let Next::Meet(cut) = next {
            next = taking.meet(line, *cut).await?;
        }
        match next {
            Next::Meet(_) => {}
            Next::Say(asked) => {
                for asked in asked {
                    line.send(&asked).await?;
                }
            }
            Next::Prove(roots) => return taking.prove(line, roots).await,
            Next::Over(refuse) => return Err(Ended::Left(refuse.in_full())),
        }
        if told.elapsed() >= STATUS {
            told = Instant::now();
            line.send(&Asked::Status(taking.machine.status())).await?;
            taking.show();
        }
        message = match line.receive().await? {
            Some(bytes) => Some(Given::decode(bytes)?),
            None => None,
        };
    }
    Err(Ended::Left("dbrepl has left".to_owned()))
}

/// What follows a message.
enum Next {
    /// Room is to be made for this cut.
    Meet(Box<CutOffer>),
    Say(Vec<Asked>),
    Prove(Vec<(u32, Root)>),
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
struct Taking {
    environment: Arc<Environment>,
    slave: Arc<Slave>,
    mirror: Option<Box<Mirror>>,
    machine: Taker,
    incoming: Option<Incoming>,
    since: Timestamp,
}

impl Taking {
    fn begin(environment: &Arc<Environment>) -> Result<Self, Refuse> {
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
        })
    }

    fn handle(&mut self, message: Given) -> Result<Next, Fault> {
        let actions = self.machine.handle(message)?;
        self.perform(actions)
    }

    fn perform(&mut self, actions: Vec<TakerAction>) -> Result<Next, Fault> {
        let mut actions = VecDeque::from(actions);
        let mut asked = Vec::new();
        while let Some(action) = actions.pop_front() {
            match action {
                TakerAction::Send(message) => asked.push(message),
                TakerAction::Meet(cut) => return Ok(Next::Meet(Box::new(cut))),
                TakerAction::Prove(roots) => return Ok(Next::Prove(roots)),
                TakerAction::Refused(refuse) => return Ok(Next::Over(refuse)),
                other => actions.extend(self.act(other)?),
            }
        }
        Ok(Next::Say(asked))
    }

    fn act(&mut self, action: TakerAction) -> Result<Vec<TakerAction>, Fault> {
        let Some(incoming) = &mut self.incoming else {
            let why = "pages came before the cut";
            return Err(Refuse::new(state::PROTOCOL_VIOLATION, why).into());
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
                hashes,
            } => {
                let pages = incoming.differ(database, group, &hashes)?;
                vec![self.machine.differ(database, group, pages)]
            }
            TakerAction::Keep(pages) => {
                incoming.keep(&pages)?;
                self.machine.staged(pages.database, pages.group)
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

    /// Makes room. What is here is written to the data files before: what is compared is what stands there, also after
    /// a crash.
    async fn meet(&mut self, line: &mut Line<'_>, cut: CutOffer) -> Result<Next, Ended> {
        check(&self.environment, &cut)?;
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
        let (core, slave) = (Arc::clone(self.environment.core()), Arc::clone(&self.slave));
        let lost = self.lost();
        let making = tokio::task::spawn_blocking(move || {
            if !is_first {
                slave.write_all(APPLIED_SOON)?;
            }
            Incoming::begin(core.layout(), &cut, core.databases(), lost)
        });
        let status = self.machine.status();
        let made = line
            .meanwhile(making, || Box::new(Asked::Status(status)))
            .await?;
        let incoming = made
            .map_err(|error| EngineError::Internal(error.to_string()))
            .and_then(|made| made)
            .map_err(|error| Fault::from(error).refuse())?;
        let actions = self.machine.begin(incoming.here());
        self.incoming = Some(incoming);
        Ok(self.perform(actions).map_err(Fault::refuse)?)
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

    fn show(&self) {
        let Some(cut) = self.machine.cut() else {
            return;
        };
        let copying = Copying {
            from: cut.instance.clone(),
            is_first: self.environment.id().is_none(),
            since: self.since,
            status: self.machine.status(),
            seen: self.slave.log().now(),
        };
        let log = self.slave.log();
        log.update(|progress| progress.copying = Some(copying));
    }

    /// Reads all back, and has the server begin with it.
    async fn prove(mut self, line: &mut Line<'_>, roots: Vec<(u32, Root)>) -> Result<(), Ended> {
        self.show();
        let Some(incoming) = self.incoming.take() else {
            return Ok(());
        };
        let status = self.machine.status();
        let proving = tokio::task::spawn_blocking(move || incoming.complete(&roots));
        let proved = line
            .meanwhile(proving, || Box::new(Asked::Status(status)))
            .await?;
        proved
            .map_err(|error| EngineError::Internal(error.to_string()))
            .and_then(|proved| proved)
            .map_err(|error| Fault::from(error).refuse())?;
        for action in self.machine.proved() {
            if let TakerAction::Send(message) = action {
                line.send(&message).await?;
            }
        }
        tracing::info!(
            equal = status.equal,
            taken = status.taken,
            "the copy is complete and proved: the server begins anew with it"
        );
        self.environment.begin_anew();
        Ok(())
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let log = self.slave.log();
        log.give_back(self.mirror.take());
        log.update(|progress| progress.copying = None);
    }
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
