//! One dbrepl's connection, without the socket: messages in, messages out, the mirror in between.

mod identity;
mod pace;
mod parting;
mod refusals;
mod sync;
mod syncer;
mod tree;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dbproto::{
    Below, Message, Progress, Receiver, ReceiverAction, Refuse, SourceState, Standing, Status,
    StatusPacer, not_a_slave, state,
};
use fwlog::{
    Block, EnvironmentId, LostForks, Mirror, Position, SegmentHeader, SegmentId, Timestamp,
};

use crate::commit::tell_restored;
use crate::databases::Role;
use crate::databases::control::{Identity as ControlIdentity, RedoPoint};
use crate::environment::{Environment, Slave};
use crate::feed::link::pace::SyncPace;
use crate::feed::link::refusals::{refuse_engine, refuse_second, shut_down, stopping};
use crate::feed::link::syncer::Syncer;
use crate::feed::source_news::SourceNews;
use crate::feed::{lacking, root};
use crate::peer::Peer;
use crate::slave::MirrorPlace;
use crate::slave::refusal::{cannot_read, refuse_mirror, refuse_suspended};

/// What one connection holds: the mirror is its own as long as it lives.
pub struct Link {
    environment: Arc<Environment>,
    slave: Arc<Slave>,
    mirror: Option<Box<Mirror>>,
    receiver: Receiver,
    pacer: StatusPacer,
    /// Written, and not handed on to the applier.
    pending: Vec<Block>,
    /// Whether something of it acts on files when it is applied.
    acts_on_files: bool,
    pace: SyncPace,
    /// From the first sync on that need not be waited for.
    syncer: Option<Syncer>,
    address: Option<Peer>,
    /// What the operator is told of the end, once there is something to tell.
    ending: Option<(Standing, String)>,
    /// What the log has of the source.
    news: SourceNews,
    /// Who is below, as the source was told last.
    told_below: Option<Arc<Below>>,
    /// What was lost, as the source was told last.
    told_lost: Option<Arc<LostForks>>,
    /// When the source began to send, and where this log was then.
    begun: Option<Instant>,
    began_at: Option<Position>,
}

impl Link {
    /// Takes the mirror; refused while another dbrepl has it, or when this is no slave.
    pub fn open(environment: &Arc<Environment>) -> Result<Self, Refuse> {
        let Some(slave) = environment.slave() else {
            let instance = &environment.config().server.instance;
            let role = match environment.role() {
                Role::Standalone => dbproto::Role::Standalone,
                // Between two roles it takes no log either, and is asked again.
                Role::Master | Role::Slave => dbproto::Role::Master,
            };
            return Err(not_a_slave(instance, role));
        };
        let log = slave.log();
        if let Some(said) = environment.core().sources().receiver().shut {
            return Err(shut_down(&said));
        }
        if log.feed_has_ended() {
            return Err(stopping());
        }
        let MirrorPlace::Free(mut mirror) = log.take_mirror() else {
            return Err(refuse_second(&slave.progress()));
        };
        let mended = log.mend(&mut mirror);
        let progress = slave.progress();
        // From here on the mirror goes back when this is dropped.
        let link = Self {
            environment: Arc::clone(environment),
            slave: Arc::clone(&slave),
            mirror,
            receiver: Receiver::new(identity::of(slave.core(), &progress)),
            pacer: StatusPacer::new(),
            pending: Vec::new(),
            acts_on_files: false,
            pace: SyncPace::default(),
            syncer: None,
            address: None,
            ending: None,
            news: SourceNews::default(),
            told_below: None,
            told_lost: None,
            begun: None,
            began_at: None,
        };
        mended?;
        match refuse_suspended(&progress) {
            Some(refuse) => Err(refuse),
            None => Ok(link),
        }
    }

    /// The other side is there.
    pub fn comes_from(&mut self, address: Peer) {
        self.address = Some(address);
        let now = self.slave.log().now();
        self.slave
            .log()
            .update(|progress| progress.feed.connected = Some((address, now)));
    }

    /// What the operator is told once this is over, unless more is known of the end already.
    pub fn ends(&mut self, standing: Standing, why: impl Into<String>) {
        self.ending.get_or_insert_with(|| (standing, why.into()));
    }

    /// Whether the connection before this one was refused, and this one has not got further yet.
    pub(crate) fn was_refused(&self) -> bool {
        self.slave.progress().feed.refused
    }

    /// Notes that it was refused, or that it is not any more.
    pub(crate) fn is_refused(&self, refused: bool) {
        let log = self.slave.log();
        log.update(|progress| progress.feed.refused = refused);
    }

    /// Whether more of the log has become durable than there was when it began, or there is no more.
    pub(crate) fn gets_on(&self) -> bool {
        let progress = self.slave.progress();
        let durable = progress.durable.map(|at| at.point.position);
        let Some(begun) = self.begun else {
            return false;
        };
        // What the source has said on another connection does not count.
        let has_all = |(state, at): (SourceState, Instant)| {
            at >= begun && state.caught_up && Some(state.durable.point.position) == durable
        };
        durable > self.began_at || progress.feed.source_state.is_some_and(has_all)
    }

    /// Something has come from the other side.
    pub(crate) fn source_speaks(&mut self) {
        self.news.speaks();
    }

    /// Nothing has, for so long.
    pub(crate) fn source_is_silent(&mut self, silence: Duration) {
        self.news.silent(silence);
    }

    /// The connection has ended without a word.
    pub(crate) fn is_cut_off(&mut self) {
        if self.ending.is_none() {
            tracing::warn!("the connection to dbrepl has ended without a word");
        }
        self.ends(
            Standing::NotConnected,
            "the connection to dbrepl has ended without a word: dbrepl was killed, or its machine or the line is gone; start it again",
        );
    }

    /// Whether the next message is waited for: as long as one is worked on, nobody is silent.
    pub(crate) fn listens(&self, listens: bool) {
        let hearing = self.slave.log().hearing();
        if listens {
            hearing.listen();
        } else {
            hearing.work();
        }
    }

    /// Nothing is worked on any more.
    pub(crate) fn rests(&self) {
        self.slave.log().hearing().rest();
    }

    /// Takes a message; gives those to send. A refusal is the last word.
    pub fn take(&mut self, message: Message) -> Result<Vec<Message>, Refuse> {
        if self.environment.core().sources().tells_messages() {
            let (name, from) = (message.name(), self.address.map(tracing::field::display));
            tracing::info!(from, "received {name}");
        }
        if let Message::Identify(source) = &message {
            root::admit(&self.environment, source)?;
        }
        let mut answers = Vec::new();
        for action in self.receiver.handle(message)? {
            if let Some(answer) = self.act(action)? {
                answers.push(answer);
            }
        }
        Ok(answers)
    }

    /// Whether enough is written that a sync should begin before more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.pace.is_full()
    }

    /// The status message that is due at this time, if one is.
    pub fn report(&mut self, now: Instant) -> Option<Message> {
        let progress = self.slave.progress();
        let status = Status {
            received: progress.received?,
            durable: progress.durable?,
            applied: progress.applied?,
            suspended: progress.why_suspended(),
        };
        self.pacer.report(status, now)
    }

    /// When to ask for a report again.
    pub fn next_report(&self) -> Option<Instant> {
        self.pacer.next_report()
    }

    /// Rings when the applier has gone on.
    pub(crate) async fn changed(&self) {
        self.slave.log().changed().await;
    }

    /// Why dbrepl has to leave, if so: an operator wants it, or the server stops or becomes something else.
    pub(crate) fn must_leave(&self) -> Option<Refuse> {
        if self.environment.is_stopping() {
            return Some(stopping());
        }
        let why = || {
            let shut = self.environment.core().sources().receiver().shut;
            shut.map_or_else(stopping, |said| shut_down(&said))
        };
        self.slave.log().feed_has_ended().then(why)
    }

    fn act(&mut self, action: ReceiverAction) -> Result<Option<Message>, Refuse> {
        match action {
            ReceiverAction::Send(message) => return Ok(Some(message)),
            ReceiverAction::LookUpHash(position) => {
                self.refuse_left_behind()?;
                self.goes_back()?;
                let hash = self.slave.core().hash_of_log(position);
                let hash = hash.map_err(|error| cannot_read(&error))?;
                return Ok(Some(Receiver::hash(position, hash)));
            }
            ReceiverAction::Adopt {
                environment,
                instance,
            } => {
                tracing::info!(%environment, instance, "this empty slave adopts the environment");
                self.adopt(environment)?;
            }
            ReceiverAction::Start { at } => {
                self.refuse_former_root()?;
                lacking::refuse(self.slave.core())?;
                if let Some(source) = self.receiver.source() {
                    root::is_fed(&self.environment, source)?;
                }
                self.note_start(at.map(|at| at.position));
                if self.has_segment() {
                    self.attach()?;
                }
            }
            ReceiverAction::Segment { id, header } => self.begin_segment(id, &header)?,
            ReceiverAction::Blocks { bytes, .. } => self.take_blocks(&bytes)?,
            ReceiverAction::Seal { bytes } => {
                self.sync()?;
                let durable = self.mirror()?.seal(&bytes).map_err(refuse_mirror)?;
                self.reached(&durable)?;
            }
            ReceiverAction::KeepAlive { source, reply } => {
                if let Some(mirror) = self.mirror.as_mut() {
                    mirror.look_after_files().map_err(refuse_mirror)?;
                    tell_restored(mirror.take_restored());
                }
                self.news.tell(&source);
                self.pacer.set_prompt(source.prompt);
                self.pace.set_prompt(source.prompt);
                let now = self.slave.log().now();
                self.slave.log().update(|progress| {
                    let has = progress.received.map(|received| received.point.position);
                    // All that has come was durable at the source before it said this; its bytes are unknown
                    // where it could not look.
                    let known = source.log_bytes > 0;
                    let behind =
                        known && has.is_some_and(|has| source.durable.point.position < has);
                    let since = progress.feed.behind_since.unwrap_or(now);
                    progress.feed.behind_since = behind.then_some(since);
                    progress.feed.source_state = Some((source, Instant::now()));
                });
                if reply {
                    self.pacer.ask();
                }
            }
            ReceiverAction::Above(above) => self.slave.is_below(Some(*above)),
            ReceiverAction::Refused(refuse) => {
                tracing::warn!(%refuse, "dbrepl does not go on");
                let standing = Standing::of_refusal(&refuse).unwrap_or(Standing::Refused);
                self.note_parted(standing);
                self.ends(standing, refuse.in_full());
            }
        }
        Ok(None)
    }

    fn begin_segment(&mut self, id: SegmentId, header: &[u8]) -> Result<(), Refuse> {
        self.sync()?;
        self.check_first_segment(header)?;
        let slave = Arc::clone(&self.slave);
        let is_first = !self.has_segment();
        let durable = slave.begin_segment(self.mirror()?, header)?;
        if is_first {
            slave.has_begun();
        }
        tracing::debug!(segment = %id, "a segment begins");
        self.reached(&durable)?;
        self.attach()
    }

    fn take_blocks(&mut self, bytes: &Bytes) -> Result<(), Refuse> {
        // Before anything of it is in the mirror: what is there must reach the applier.
        if let Some(refuse) = refuse_suspended(&self.slave.progress()) {
            return Err(refuse);
        }
        let mirror = self.mirror()?;
        let taken = mirror.blocks(bytes).map_err(refuse_mirror)?;
        let received = mirror.received().as_ref().map(Progress::from);
        self.pace.wrote(bytes.len());
        self.pending.extend(taken.blocks);
        self.acts_on_files |= taken.acts_on_files;
        let log = self.slave.log();
        log.note(|progress| progress.received = received);
        Ok(())
    }

    /// From now on it is fed.
    fn note_start(&mut self, after: Option<Position>) {
        let source = self.receiver.source().cloned();
        let name = source.as_ref().map(|source| source.instance.clone());
        let (from, source_name) = (self.address, name.clone().unwrap_or_default());
        (self.begun, self.began_at) = (Some(Instant::now()), after);
        if let Some(greeting) = source
            .as_ref()
            .and_then(|source| source.greeting.as_deref())
        {
            let core = self.slave.core();
            core.instance().follow_source(core, greeting, after);
        }
        self.note_above();
        let after = after.map_or_else(|| "nothing".to_owned(), |at| at.to_string());
        let address = from.map(tracing::field::display);
        if self.was_refused() {
            tracing::debug!(
                source = source_name,
                address,
                "replication goes on after {after}"
            );
        } else {
            tracing::info!(
                source = source_name,
                address,
                "replication goes on after {after}"
            );
        }
        let log = self.slave.log();
        let now = log.now();
        log.update(|progress| {
            let feed = &mut progress.feed;
            feed.source = source;
            feed.source_name = name.or(feed.source_name.take());
            feed.address = from;
            feed.since = now;
        });
    }

    /// Whether the slave has a log of its own yet.
    fn has_segment(&self) -> bool {
        let mirror = self.mirror.as_ref();
        mirror.is_some_and(|mirror| mirror.received().is_some())
    }

    /// The log of a slave that was made from a copy has begun: from now on it must be found. Where that
    /// can't be written, the next connection does it.
    fn attach(&self) -> Result<(), Refuse> {
        let core = self.slave.core();
        if !core.control().detached {
            return Ok(());
        }
        core.update_control(|control| control.detached = false)
            .map_err(|error| refuse_engine(&error))
    }

    fn mirror(&mut self) -> Result<&mut Mirror, Refuse> {
        self.mirror.as_deref_mut().ok_or_else(|| {
            Refuse::new(state::PROTOCOL_VIOLATION, "log bytes before an environment")
        })
    }

    /// The environment's identity becomes durable before the first byte of its log.
    fn adopt(&mut self, environment: EnvironmentId) -> Result<(), Refuse> {
        let log = self.slave.log();
        let mirror = log.first_mirror(environment).map_err(refuse_mirror)?;
        self.slave
            .core()
            .update_control(|control| {
                control.identity = Some(ControlIdentity {
                    environment,
                    redo: RedoPoint::BEGINNING,
                    databases: Vec::new(),
                });
            })
            .map_err(|error| refuse_engine(&error))?;
        self.mirror = Some(Box::new(mirror));
        Ok(())
    }

    /// A slave that was made from a copy of a master's data has no segment yet: the first one that
    /// comes must go on exactly where the copy ends.
    fn check_first_segment(&self, header: &[u8]) -> Result<(), Refuse> {
        let known = self.slave.progress().durable;
        let (Some(known), false) = (known, self.has_segment()) else {
            return Ok(());
        };
        let header = SegmentHeader::decode(header).map_err(|why| {
            Refuse::new(state::DAMAGED, "a segment header can't be read").detail(why.to_string())
        })?;
        if header.previous == known.point.hash && header.last_commit == known.commit {
            return Ok(());
        }
        Err(Refuse::new(
            state::DIVERGED,
            "the master's log does not go on where this copy ends",
        )
        .detail(format!(
            "the copy ends at {}, segment {} follows something else",
            known.point.position, header.id
        )))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.forget_sync();
        self.slave.log().give_back(self.mirror.take());
        self.slave.is_below(None);
        let ending = self.ending.take();
        let now = self.slave.log().now();
        // Since it was last heard, however late it is given up.
        let silence = self.slave.log().hearing().silence().as_micros();
        let silence = u64::try_from(silence).unwrap_or_default();
        let heard = Timestamp::from_micros(now.micros().saturating_sub(silence));
        self.slave.log().update(|progress| {
            let feed = &mut progress.feed;
            if feed.source.take().is_some() || ending.is_some() {
                let is_lost = matches!(ending, Some((Standing::NotConnected, _)));
                feed.since = if is_lost { heard } else { now };
            }
            (feed.connected, feed.role_has_changed) = (None, false);
            feed.behind_since = None;
            feed.ended = ending.or(feed.ended.take());
            // What was received and not synced is forgotten with the connection.
            progress.received = progress.durable;
        });
    }
}
