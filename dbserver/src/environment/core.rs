//! What an environment has whatever its role is: directory, control file, databases.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dbconfig::{Config, Role};
use fwlog::{EnvironmentId, LogLocation, SegmentStore, Timestamp};
use pagestore::{Horizon, PageSource};

use crate::asking::Access;
use crate::clients::Sessions;
use crate::commit::release::Release;
use crate::databases::Database;
use crate::databases::control::{Control, Identity, LogPlace, RedoPoint};
use crate::databases::data_mark::DataMark;
use crate::databases::database::{CACHE_KIB, ConnectionLimits};
use crate::databases::fence::Fence;
use crate::databases::files::DatabaseFiles;
use crate::databases::host::Host;
use crate::databases::layout::Layout;
use crate::databases::list::Databases;
use crate::databases::memory_budget::MemoryBudget;
use crate::environment::audit_log::AuditLog;
use crate::environment::awaiting::Awaiting;
use crate::environment::cut::Cuts;
use crate::environment::data_watch::DataWatch;
use crate::environment::forks::Forks;
use crate::environment::instance::Instance;
use crate::environment::pause::PeerNews;
use crate::environment::proof::Proof;
use crate::environment::reload::KeptLog;
use crate::environment::repair::{OwnLog, Repairs};
use crate::environment::repair_source::RepairSource;
use crate::environment::retention::Slots;
use crate::environment::scrub::Scrub;
use crate::environment::tree::Tree;
use crate::environment::verify::Suspects;
use crate::environment::{doublewrite, log, partial, rebuild};
use crate::error::EngineError;
use crate::incoming;
use crate::process::{Counters, SlowLimit};
use crate::sources::Sources;

/// Bytes of a write set that stay in memory.
const WRITE_SET_BYTES: usize = 32 << 20;

fn limits(config: &Config, host: &Host) -> ConnectionLimits {
    ConnectionLimits {
        cache_kib: CACHE_KIB,
        write_set_bytes: WRITE_SET_BYTES,
        scratch_dir: config.replication.tmp_dir.clone(),
        pinned_limit: host.pinned_limit,
        memory_budget: MemoryBudget::new(config.server.checkpoint_size),
    }
}

/// What never changes its identity while the environment is open; both sides of the log work on it.
pub struct Core {
    config: Config,
    host: Host,
    layout: Layout,
    control: Mutex<Control>,
    /// A write of the control file has failed: the disk has what it had, or what it was to get.
    control_in_doubt: AtomicBool,
    /// What the configuration's file says of the role by now, also where the control file could not be told.
    said_role: Mutex<Role>,
    /// What this start found was a copy that was complete.
    begins_with_copy: bool,
    databases: Arc<Databases>,
    files: DatabaseFiles,
    horizon: Arc<Horizon>,
    release: Arc<Release>,
    sessions: Arc<Sessions>,
    /// See [`Core::one_author`].
    author: Mutex<()>,
    epoch: AtomicU64,
    data_watch: DataWatch,
    data_mark: Mutex<Option<DataMark>>,
    /// The state is about to be replaced by what a rewind has staged: see [`Core::keeps_data_files`].
    rewinds: AtomicBool,
    counters: Counters,
    slow_limit: SlowLimit,
    /// With `AuditOnly`.
    audit_log: Option<Arc<AuditLog>>,
    cuts: Cuts,
    repairs: Arc<Repairs>,
    own_log: Arc<OwnLog>,
    repair_source: Arc<RepairSource>,
    scrub: Scrub,
    kept_log: KeptLog,
    proof: Proof,
    peer_news: PeerNews,
    awaiting: Awaiting,
    /// When it became the root in the running process, in microseconds; 0: it did not.
    root_since: AtomicU64,
    slots: Slots,
    instance: Instance,
    forks: Forks,
    tree: Tree,
    sources: Arc<Sources>,
}

impl Core {
    /// Reads the control file, takes the environment's lock and opens the data files. Those that are
    /// damaged are suspects until redo has ended.
    pub(crate) fn open(
        host: Host,
        config: Config,
        sessions: Arc<Sessions>,
    ) -> Result<(Arc<Self>, Suspects), EngineError> {
        let layout = Layout::new(host.disk.clone(), &config.server.data_dir);
        let control =
            Control::read(&host.disk, &layout.control())?.ok_or_else(|| layout.no_environment())?;
        let lock = layout.take_lock()?;
        let control = rebuild::go_on(&layout, control)?;
        let (control, begins_with_copy) = incoming::go_on(&layout, control, |place| {
            log::plain_store(&config, &log::location(&config, &layout, place)?)
        })?;
        let limits = limits(&config, &host);
        let control = doublewrite::go_on(&layout, &limits, control)?;
        let control = partial::leave_out(&layout, &config, control, host.clock.now())?;
        let data_mark = DataMark::read(&layout)?;
        let redo_commit = control.identity.as_ref().map_or(0, |i| i.redo.commit.get());
        let repairs: Arc<Repairs> = Arc::default();
        let places = [LogPlace::ForwardLog, LogPlace::Journal]
            .into_iter()
            .filter_map(|place| log::location(&config, &layout, place).ok());
        let own_log = Arc::new(OwnLog::new(&host, places.collect()));
        let repair_source = Arc::new(RepairSource::new(
            Arc::clone(&own_log),
            Access::of(&config),
            config.server.repair_from.clone(),
            (Arc::clone(&repairs), host.clock.clone()),
        ));
        repair_source.know(control.identity.as_ref().map(|it| it.environment));
        let source = Arc::clone(&repair_source) as Arc<dyn PageSource>;
        let horizon = Horizon::new(pagestore::CommitNumber::new(redo_commit));
        let release = Arc::new(Release::of(&horizon, &config));
        let core = Self {
            files: DatabaseFiles::new(layout.clone(), limits, Some(source)),
            scrub: Scrub::new(&config.server, host.clock.now()),
            proof: Proof::default(),
            peer_news: PeerNews::default(),
            awaiting: Awaiting::default(),
            root_since: AtomicU64::new(0),
            kept_log: KeptLog::new(&config.forward_log),
            repairs,
            own_log,
            repair_source,
            counters: Counters::default(),
            cuts: Cuts::new(host.clock.now()),
            slots: Slots::open(&layout),
            instance: Instance::open(&layout, &config, &host)?,
            forks: Forks::default(),
            tree: Tree::default(),
            sources: Arc::new(Sources::open(&layout, &config, &host, &release)),
            slow_limit: SlowLimit::new(config.server.log_slow),
            audit_log: config.forward_log.audit_only.then(Arc::default),
            horizon,
            release,
            databases: Arc::default(),
            said_role: Mutex::new(config.replication.role),
            config,
            host,
            layout,
            control: Mutex::new(control),
            control_in_doubt: AtomicBool::new(false),
            begins_with_copy,
            sessions,
            author: Mutex::new(()),
            epoch: AtomicU64::new(0),
            data_watch: DataWatch::new(lock),
            data_mark: Mutex::new(data_mark),
            rewinds: AtomicBool::new(false),
        };
        let suspects = core.open_data_files()?;
        Ok((Arc::new(core), suspects))
    }

    fn open_data_files(&self) -> Result<Suspects, EngineError> {
        let control = self.control();
        let mut suspects = Suspects::default();
        self.databases.reserve(control.next_database);
        for entry in control
            .identity
            .iter()
            .flat_map(|identity| &identity.databases)
        {
            if !entry.applied {
                self.databases.leave_out(entry.clone());
                continue;
            }
            let database = match self.files.open(entry, &self.horizon) {
                Ok(database) => database,
                Err(error) => {
                    suspects.note(entry.id, error)?;
                    self.files.stand_in(entry, &self.horizon)?
                }
            };
            self.databases.insert(Arc::new(database));
        }
        Ok(suspects)
    }

    /// The configuration that the server was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it stands on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where its files lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether this start found a complete copy, which is its state now.
    pub(crate) fn begins_with_copy(&self) -> bool {
        self.begins_with_copy
    }

    /// The slaves that it feeds by itself, and what operators have said of those who feed it.
    pub(crate) fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// What it has done since its start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// From when on a statement is told as a slow one.
    pub fn slow_limit(&self) -> &SlowLimit {
        &self.slow_limit
    }

    /// The log of audit records, where they have one of their own.
    pub(crate) fn audit_log(&self) -> Option<&Arc<AuditLog>> {
        self.audit_log.as_ref()
    }

    /// The cuts that are open.
    pub fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    /// What was repaired of the data files.
    pub(crate) fn repairs(&self) -> &Arc<Repairs> {
        &self.repairs
    }

    /// Its log, as what damaged pages are made again from.
    pub(crate) fn own_log(&self) -> &Arc<OwnLog> {
        &self.own_log
    }

    /// What damaged pages come from by themselves.
    pub(crate) fn repair_source(&self) -> &Arc<RepairSource> {
        &self.repair_source
    }

    /// How far the data files are looked through.
    pub(crate) fn scrub(&self) -> &Scrub {
        &self.scrub
    }

    /// Whether it has what its master has.
    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// When it became the root while it ran, if it did.
    pub(super) fn root_since(&self) -> Option<Timestamp> {
        let since = self.root_since.load(Ordering::Acquire);
        (since > 0).then_some(Timestamp::from_micros(since))
    }

    /// It is the root from now on.
    pub(super) fn leads_from_now(&self) {
        let now = self.host.clock.now().micros();
        self.root_since.store(now, Ordering::Release);
    }

    /// What was heard of its peers.
    pub(crate) fn peer_news(&self) -> &PeerNews {
        &self.peer_news
    }

    /// Whose dbrepl wait here.
    pub(crate) fn awaiting(&self) -> &Awaiting {
        &self.awaiting
    }

    /// How long its log is kept.
    pub(crate) fn kept_log(&self) -> &KeptLog {
        &self.kept_log
    }

    /// From where on slaves need the log.
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Which instance this is, and the history of its log.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Where this instance is in the tree, and who is below it.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What is known of forks.
    pub(crate) fn forks(&self) -> &Forks {
        &self.forks
    }

    /// Who is connected.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// All its databases.
    pub fn databases(&self) -> &Arc<Databases> {
        &self.databases
    }

    /// Their files.
    pub(crate) fn files(&self) -> &DatabaseFiles {
        &self.files
    }

    /// How far commits are durable, hence visible.
    pub(crate) fn horizon(&self) -> &Arc<Horizon> {
        &self.horizon
    }

    /// What of the log is released to readers while this server writes it.
    pub(crate) fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// The newest commit that readers see; 0 where there is none.
    pub fn newest_visible_commit(&self) -> u64 {
        self.horizon.durable().get()
    }

    /// The environment's id; `None` on an empty slave.
    pub fn id(&self) -> Option<EnvironmentId> {
        self.control().identity.as_ref().map(|it| it.environment)
    }

    /// The same where there must be one.
    pub(crate) fn known_id(&self) -> Result<EnvironmentId, EngineError> {
        self.id().ok_or_else(|| {
            EngineError::Internal("a log cannot be written before there is an environment".into())
        })
    }

    /// What it got once; `None` on an empty slave.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.control().identity.clone()
    }

    /// Where redo would start.
    pub fn redo(&self) -> Option<RedoPoint> {
        self.control().identity.as_ref().map(|it| it.redo)
    }

    /// Where the log is written at present.
    pub fn log_place(&self) -> LogPlace {
        self.control().log
    }

    /// Directory and file names of the log.
    pub fn log_location(&self) -> Result<LogLocation, EngineError> {
        log::location(&self.config, &self.layout, self.log_place())
    }

    /// The segments of the log where it is, or is going to be.
    pub(crate) fn log_store(&self, place: LogPlace) -> Result<Arc<SegmentStore>, EngineError> {
        log::store_of(&self.config, &self.layout, place)
    }

    /// Where the log is and was: where it is written first.
    pub(crate) fn log_locations(&self) -> Vec<LogLocation> {
        let here = self.log_place();
        [here, here.other()]
            .into_iter()
            .filter_map(|place| log::location(&self.config, &self.layout, place).ok())
            .collect()
    }

    /// The database of that name.
    pub fn database(&self, name: &str) -> Result<Arc<Database>, EngineError> {
        self.databases.by_name(name).ok_or_else(|| {
            if self.databases.has_name(name) {
                self.not_applied(name)
            } else {
                EngineError::NoSuchDatabase(name.to_owned())
            }
        })
    }

    /// Rises when published commits were taken back (the log failed): SQLite connections that may
    /// have cached their pages must be reopened, open transactions are lost.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// What was published and never became durable goes; sessions learn by the epoch.
    pub(crate) fn take_back_lost_commits(&self) {
        self.void_open_write_sets();
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Pages that were written on the state as it is now can't be committed any more: whoever writes
    /// next does not follow them.
    pub(crate) fn void_open_write_sets(&self) {
        let durable = self.horizon.durable();
        for database in self.databases.all() {
            database.store().rewind(durable);
        }
    }

    /// The lock on the environment, and what is known of its files.
    pub(super) fn data_watch(&self) -> &DataWatch {
        &self.data_watch
    }

    /// How new the data files may be, as it is on the disk.
    pub(super) fn data_mark(&self) -> MutexGuard<'_, Option<DataMark>> {
        let mark = self.data_mark.lock();
        mark.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the data files stay as they are: what is newer is to be taken back, as long as it is in none of them.
    pub(super) fn keeps_data_files(&self) -> bool {
        let control = self.control();
        let is_left_behind = control.fence.as_ref().is_some_and(Fence::keeps_data_files);
        is_left_behind || self.rewinds.load(Ordering::Acquire)
    }

    /// From now on they do; or not any more.
    pub(super) fn set_rewinds(&self, rewinds: bool) {
        self.rewinds.store(rewinds, Ordering::Release);
    }

    /// The control file as it is on the disk.
    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while a checkpoint is made, the log moves, the list of databases or the role changes: the
    /// control file has one author at a time.
    pub(crate) fn one_author(&self) -> MutexGuard<'_, ()> {
        self.author.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the control file: memory follows the disk, not the other way round.
    pub(crate) fn update_control(
        &self,
        change: impl FnOnce(&mut Control),
    ) -> Result<(), EngineError> {
        let mut control = self.control();
        let mut new = control.clone();
        change(&mut new);
        if new == *control && !self.control_in_doubt.load(Ordering::Acquire) {
            // It is on the disk as it is: a start after a crash needs no room.
            return Ok(());
        }
        new.next_database = self.databases.next_id().get();
        let written = new.write(self.layout.disk(), &self.layout.control());
        self.control_in_doubt
            .store(written.is_err(), Ordering::Release);
        written?;
        *control = new;
        let environment = control.identity.as_ref().map(|it| it.environment);
        self.repair_source.know(environment);
        Ok(())
    }

    /// What the file of the configuration says of the role: each change of the role notes it, so that nothing that this
    /// server has written there is taken for a wish of an operator.
    pub(super) fn said_role(&self) -> MutexGuard<'_, Role> {
        self.said_role
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a change of the control file has failed, the disk gets what is known here: before that nothing
    /// may be written to a log that the next start might look for elsewhere.
    pub(crate) fn settle_control(&self) -> Result<(), EngineError> {
        self.update_control(|_as_it_is| {})
    }
}
