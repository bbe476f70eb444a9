//! Start-up: control file, data files, redo, then the log is written or mirrored.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use dbconfig::{Config, Role};
use disk::DiskFile;
use fwlog::{
    Begin, EnvironmentId, GenerationReason, Position, RecoverError, RecoverOptions, Recovered,
    SealNewest, SegmentId, SegmentStore, Timestamp, Writer,
};
use pagestore::Horizon;

use crate::apply::applier::{Applied, Applier};
use crate::commit::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::commit::committer::Committer;
use crate::environment::checkpoint::redo_point;
use crate::environment::control::{
    Control, DatabaseEntry, Identity, LogPlace, RedoPoint, role_word,
};
use crate::environment::copied;
use crate::environment::crowd::Crowd;
use crate::environment::database::ConnectionLimits;
use crate::environment::databases::{Databases, SYSTEM_DATABASE, SYSTEM_NAME};
use crate::environment::files::DatabaseFiles;
use crate::environment::host::{Drive, Host};
use crate::environment::layout::{Layout, SYSTEM_FILE};
use crate::environment::log::{self, WriterStart};
use crate::environment::log_guard::LogGuard;
use crate::environment::rebuild;
use crate::environment::state::{Environment, LogSide};
use crate::environment::verify::{self, Suspects};
use crate::error::EngineError;
use crate::pg::registry::Sessions;
use crate::slave::SlaveLog;

/// SQLite's page cache of one connection.
const CACHE_KIB: u32 = 2048;
/// Bytes of a write set that stay in memory.
const WRITE_SET_BYTES: usize = 32 << 20;

/// The environment's parts before the log is opened.
struct Parts {
    config: Config,
    host: Host,
    layout: Layout,
    control: Control,
    databases: Arc<Databases>,
    files: DatabaseFiles,
    horizon: Arc<Horizon>,
    checkpointer: Arc<Checkpointer>,
    lock: Box<dyn DiskFile>,
    suspects: Suspects,
}

impl Environment {
    /// Opens the environment that the configuration names, recovers it from its log and starts
    /// its background threads.
    pub fn start(config: Config, sessions: Arc<Sessions>) -> Result<Arc<Self>, EngineError> {
        Self::start_on(Host::system(), config, sessions)
    }

    /// The same on another host than the operating system.
    pub fn start_on(
        host: Host,
        config: Config,
        sessions: Arc<Sessions>,
    ) -> Result<Arc<Self>, EngineError> {
        let parts = Parts::read(host, config)?;
        let environment = Arc::new(parts.open_log(sessions)?);
        environment.update_control(|control| {
            control.clean = false;
            // The log has begun here: from now on it must be found.
            control.detached &= environment.is_read_only() || environment.log_has_failed();
            control.role = environment.role();
            control
                .instance
                .clone_from(&environment.config.server.instance);
        })?;
        match environment.host.drive {
            Drive::Threads => environment.start_threads()?,
            Drive::Owner => {}
        }
        Ok(environment)
    }

    fn start_threads(self: &Arc<Self>) -> Result<(), EngineError> {
        let mut threads = Vec::new();
        let me = Arc::clone(self);
        threads.push(spawn("checkpoint", move || me.checkpointer.run(&*me))?);
        match &self.log {
            LogSide::Writing(_) => {
                let me = Arc::clone(self);
                threads.push(spawn("log-guard", move || me.guard_log())?);
            }
            LogSide::Following(_) => {
                let me = Arc::clone(self);
                threads.push(spawn("applier", move || me.run_applier())?);
                let me = Arc::clone(self);
                threads.push(spawn("log-guard", move || me.guard_mirror())?);
            }
        }
        *self.threads.lock().unwrap_or_else(PoisonError::into_inner) = threads;
        Ok(())
    }
}

impl Parts {
    fn read(host: Host, config: Config) -> Result<Self, EngineError> {
        let layout = Layout::new(host.disk.clone(), &config.server.data_dir);
        let control =
            Control::read(&host.disk, &layout.control())?.ok_or_else(|| no_environment(&layout))?;
        let lock = lock(&layout)?;
        let control = rebuild::go_on(&layout, control)?;
        let limits = ConnectionLimits {
            cache_kib: CACHE_KIB,
            write_set_bytes: WRITE_SET_BYTES,
            scratch_dir: config.replication.tmp_dir.clone(),
            crowd: Crowd::new(config.server.checkpoint_size),
        };
        let policy = CheckpointPolicy {
            size: config.server.checkpoint_size,
            interval: config.server.checkpoint_interval,
        };
        let redo_commit = control.identity.as_ref().map_or(0, |i| i.redo.commit.get());
        let mut parts = Self {
            suspects: Suspects::default(),
            files: DatabaseFiles::new(layout.clone(), limits),
            horizon: Horizon::new(pagestore::CommitNumber::new(redo_commit)),
            databases: Arc::default(),
            checkpointer: Checkpointer::new(policy),
            config,
            host,
            layout,
            control,
            lock,
        };
        parts.databases.reserve(parts.control.next_database);
        for entry in parts
            .control
            .identity
            .iter()
            .flat_map(|identity| &identity.databases)
        {
            let database = match parts.files.open(entry, &parts.horizon) {
                Ok(database) => database,
                Err(error) => {
                    parts.suspects.note(entry.id, error)?;
                    parts.files.stand_in(entry, &parts.horizon)?
                }
            };
            parts.databases.insert(Arc::new(database));
        }
        Ok(parts)
    }

    fn open_log(mut self, sessions: Arc<Sessions>) -> Result<Environment, EngineError> {
        let role = self.config.replication.role;
        let log = match (self.control.identity.clone(), role) {
            (Some(identity), Role::Slave) => LogSide::Following(Arc::new(self.follow(&identity)?)),
            (None, Role::Slave) => LogSide::Following(Arc::new(self.follow_nothing(None)?)),
            (Some(identity), Role::Master | Role::Standalone) => {
                LogSide::Writing(self.write(&identity)?)
            }
            (None, Role::Master | Role::Standalone) => {
                return Err(EngineError::state(
                    format!(
                        "{} is an empty slave that has not met a master yet",
                        self.layout.data_dir().display()
                    ),
                    "Set Role = Slave and start dbrepl on the master, or make a new environment elsewhere with 'dbctl init'.",
                ));
            }
        };
        Ok(Environment {
            config: self.config,
            host: self.host,
            layout: self.layout,
            control: Mutex::new(self.control),
            databases: self.databases,
            files: self.files,
            horizon: self.horizon,
            log,
            checkpointer: self.checkpointer,
            checkpointing: Mutex::new(()),
            log_guard: LogGuard::default(),
            sessions,
            shutdown: Arc::default(),
            log_file: OnceLock::new(),
            threads: Mutex::default(),
            epoch: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            lock: self.lock,
        })
    }

    /// A master or standalone server: redo, seal what is there, begin the next segment.
    fn write(&mut self, identity: &Identity) -> Result<Committer, EngineError> {
        let (_, recovered) = self.recover(identity, SealNewest::Yes)?;
        let last = recovered.last_commit;
        let wanted = log::wanted_place(&self.config);
        let promoted = self.control.role == Role::Slave;
        if self.databases.by_id(SYSTEM_DATABASE).is_none() {
            return Err(EngineError::state(
                "this slave has not received the master's users yet: it cannot be promoted",
                "Set Role = Slave, and let dbrepl bring it further; or promote another slave.",
            ));
        }
        let begin = if wanted != self.control.log {
            self.settle_in(wanted, &recovered)?;
            log::begin_in(wanted, recovered.durable())
        } else if promoted {
            Begin::NewGeneration {
                reason: GenerationReason::Promote,
                after: recovered.durable(),
            }
        } else {
            Begin::NextSegment {
                after: recovered.durable(),
            }
        };
        if promoted {
            tracing::info!("this slave is promoted: a new generation of the log begins");
        }
        let start = WriterStart {
            config: &self.config,
            host: &self.host,
            layout: &self.layout,
            environment: identity.environment,
            under_way: self.files.under_way(),
            horizon: &self.horizon,
            checkpointer: &self.checkpointer,
        };
        let part_pages = self.host.part_pages;
        match start.start(wanted, begin) {
            // Readers are served, and the guard brings the log back when it is mended.
            Err(EngineError::LogFailed(failure))
                if failure.may_pass() && wanted == self.control.log && !promoted =>
            {
                tracing::error!(%failure, "the log has no next segment yet");
                let store = log::store_of(&self.config, &self.layout, wanted)?;
                let writer = Writer::failed(store, recovered.durable(), failure);
                Ok(Committer::new(Arc::new(writer), last, part_pages))
            }
            other => Ok(Committer::new(other?, last, part_pages)),
        }
    }

    /// FwLog was set or removed since the last run: the data files take all, redo starts anew.
    fn settle_in(&mut self, place: LogPlace, recovered: &Recovered) -> Result<(), EngineError> {
        for database in self.databases.all() {
            database.store().checkpoint(&|_progress| {})?;
        }
        let databases = self.databases.entries();
        if place == LogPlace::ForwardLog {
            let ended = log::location(&self.config, &self.layout, place)
                .and_then(|location| log::end_left_log(&self.config, &location));
            if let Err(error) = ended {
                tracing::warn!(%error, "the log of before cannot be given an end");
            }
            tracing::warn!(
                "forward logging was off and begins again: slaves must be re-synchronized"
            );
        }
        self.control.log = place;
        self.control.detached = true;
        self.control
            .set_redo(redo_point(&recovered.durable()), databases);
        self.control.write(&self.host.disk, &self.layout.control())
    }

    /// A slave: redo, then go on in the newest segment.
    fn follow(&mut self, identity: &Identity) -> Result<SlaveLog, EngineError> {
        if self.control.role != Role::Slave {
            tracing::info!("this {} becomes a slave", role_word(self.control.role));
        }
        if let Some(copied) = self.copied_from_master(identity)? {
            return Ok(copied);
        }
        let store = log::store_of(&self.config, &self.layout, self.control.log)?;
        if identity.redo == RedoPoint::BEGINNING && segments_of(&store)?.is_empty() {
            // It ended between the adoption and the first segment.
            return self.follow_nothing(Some(identity.environment));
        }
        let (applier, recovered) = self.recover(identity, SealNewest::No)?;
        SlaveLog::resume(store, &self.host, identity.environment, &recovered, applier)
    }

    /// A slave made from a copy of a master's DataDir after a clean stop, without the master's log:
    /// the data files are complete up to the redo point, and the log goes on from there.
    fn copied_from_master(&mut self, identity: &Identity) -> Result<Option<SlaveLog>, EngineError> {
        if !self.control.is_complete() {
            return Ok(None);
        }
        let place = log::wanted_place(&self.config);
        let store = log::store_of(&self.config, &self.layout, place)?;
        if !segments_of(&store)?.is_empty() {
            return Ok(None);
        }
        tracing::info!(at = %identity.redo.point.position, "this is a copy of a master: the log goes on where its data files end");
        self.verify(identity.redo.commit)?;
        self.control.log = place;
        self.control.detached = true;
        let applier = self.applier(identity.redo.commit);
        SlaveLog::copied(store, &self.host, identity, applier).map(Some)
    }

    /// A slave without a log; with an environment, if it has adopted one.
    fn follow_nothing(
        &mut self,
        environment: Option<EnvironmentId>,
    ) -> Result<SlaveLog, EngineError> {
        let store = log::store_of(&self.config, &self.layout, self.control.log)?;
        // Empty as it is, operators log in there; the master's record finds it made.
        let system = DatabaseEntry {
            id: SYSTEM_DATABASE,
            name: SYSTEM_NAME.to_owned(),
            file: SYSTEM_FILE.to_owned(),
        };
        let system = self.files.create(system, &self.horizon)?;
        self.databases.insert(Arc::new(system));
        let applier = self.applier(fwlog::CommitNumber::new(0));
        SlaveLog::empty(store, &self.host, environment, applier)
    }

    fn applier(&self, last: fwlog::CommitNumber) -> Applier {
        Applier::new(
            Arc::clone(&self.databases),
            self.files.clone(),
            Arc::clone(&self.horizon),
            self.config.replication.tmp_dir.clone(),
            last,
        )
    }

    fn recover(
        &mut self,
        identity: &Identity,
        seal: SealNewest,
    ) -> Result<(Applier, Recovered), EngineError> {
        let store = log::store_of(&self.config, &self.layout, self.control.log)?;
        let mut applier = self.applier(identity.redo.commit);
        let mut blocks = 0_u64;
        let options = RecoverOptions {
            from: identity.redo.for_recovery(),
            seal,
            discard_behind: self.ends_at_redo(identity),
        };
        let result = fwlog::recover(&store, options, &mut |block| {
            let mut applied = Applied::default();
            blocks += 1;
            applier.apply(block, &mut applied)?;
            if applier.is_due() {
                applier.publish()?;
            }
            Ok(())
        });
        let recovered = match result {
            // Only who writes the log can begin it.
            Err(RecoverError::NoLog | RecoverError::NoStart(_))
                if self.control.detached
                    && seal == SealNewest::Yes
                    && !has_segment_after(&store, identity)? =>
            {
                not_begun(identity, self.host.clock.now())
            }
            Err(RecoverError::NoLog | RecoverError::NoStart(_))
                if copied::is_copy(&self.control, &self.config) =>
            {
                let (control, location) = (&self.control, store.location());
                return Err(copied::refusal(control, &self.layout, location, identity));
            }
            other => other.map_err(|error| log::recovery_error(error, store.location()))?,
        };
        applier.publish()?;
        tracing::info!(
            from = %identity.redo.point.position,
            to = %recovered.end.position,
            blocks,
            commit = applier.last().get(),
            "recovered from the log"
        );
        if let Some(torn) = &recovered.cut {
            tracing::info!(at = %torn.at, bytes = torn.bytes, why = %torn.why, "cut off a torn tail");
        }
        self.verify(recovered.last_commit)?;
        Ok((applier, recovered))
    }

    /// Where the log of a master ends that was stopped while it could not be written: what lies behind
    /// was never acknowledged. It consists of deltas, and redo must not start before those.
    fn ends_at_redo(&self, identity: &Identity) -> Option<Position> {
        let stopped = self.control.clean && self.control.detached;
        (stopped && self.control.role != Role::Slave).then_some(identity.redo.point.position)
    }

    /// The data files, now that redo has replaced what it has.
    fn verify(&self, last: fwlog::CommitNumber) -> Result<(), EngineError> {
        let how = self.config.server.verify_data;
        verify::check(&self.databases, &self.suspects, how, last)
    }
}

fn segments_of(store: &SegmentStore) -> Result<Vec<SegmentId>, EngineError> {
    let path = store.position_path();
    store
        .list()
        .map_err(|error| EngineError::file("list beside", path, &error))
}

fn has_segment_after(store: &SegmentStore, identity: &Identity) -> Result<bool, EngineError> {
    Ok(segments_of(store)?
        .iter()
        .any(|id| *id > identity.redo.point.position.segment))
}

/// A log that has not begun in its new place: all there is stands in the data files.
fn not_begun(identity: &Identity, time: Timestamp) -> Recovered {
    let RedoPoint {
        point,
        log_bytes,
        commit,
    } = identity.redo;
    Recovered {
        environment: identity.environment,
        end: point,
        log_bytes,
        last_commit: commit,
        time,
        sealed: true,
        cut: None,
    }
}

pub(crate) fn no_environment(layout: &Layout) -> EngineError {
    EngineError::state(
        format!("there is no environment in {}", layout.data_dir().display()),
        "Make one with 'dbctl -c CONFIG init', or set DataDir to where it is.",
    )
}

/// One server an environment: the lock goes with the process, however it ends.
pub(crate) fn lock(layout: &Layout) -> Result<Box<dyn DiskFile>, EngineError> {
    let path = layout.lock();
    match layout.disk().lock(&path) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(EngineError::state(
            format!(
                "another server runs the environment in {}",
                layout.data_dir().display()
            ),
            "Stop it first ('dbctl shutdown').",
        )),
        Err(error) => Err(EngineError::file("lock", path, &error)),
    }
}

fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, EngineError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| EngineError::Storage(format!("cannot start the {name} thread: {error}")))
}
