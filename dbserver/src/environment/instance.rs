//! Which instance this is, and the history of its log: the files `instances` and `history` of DataDir, and `fw.history`
//! beside the log, which is all of it that dbrepl may read.
//!
//! ```text
//!  start:    instances ─▶ name, id; a new boot nonce ─▶ instances
//!            history, first blocks of the generations in the log ─▶ history, fw.history
//!  running:  a generation begins ─▶ history, fw.history
//! ```
//! The log is what holds. A file that is missing or can't be read is made anew; one that tells another history than the
//! log keeps the server from starting, for either of them is not what it was.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dbconfig::Config;
use dbproto::Greeting;
use disk::Disk;
use fwlog::{
    BootNonce, Contradiction, History, InstanceId, Instances, LogLocation, PeerRelation, Position,
    ReadError, Rival, SERVED_HISTORY_FILE, ServedHistory, Speaker, Timestamp, generations_in,
};

use crate::databases::control::LogPlace;
use crate::databases::host::Host;
use crate::databases::instance_files::readable;
use crate::databases::layout::Layout;
use crate::environment::core::Core;
use crate::environment::log;
use crate::error::EngineError;

/// This instance, as its files have it.
pub(crate) struct Instance {
    disk: Disk,
    instances_path: PathBuf,
    history_path: PathBuf,
    known: Mutex<Known>,
}

struct Known {
    instances: Instances,
    history: History,
    /// The files have what is known here.
    instances_are_written: bool,
    history_is_written: bool,
    /// The copy that has it, too.
    served: Option<PathBuf>,
    /// What went wrong the last time, as it was told: with the files, with the copy for dbrepl.
    told: Option<String>,
    told_unserved: Option<String>,
}

impl Instance {
    /// Reads the files at a start, under the name that the configuration gives.
    ///
    /// Errors: a later version has written them, or they can't be read at present.
    pub(crate) fn open(layout: &Layout, config: &Config, host: &Host) -> Result<Self, EngineError> {
        let (disk, name) = (layout.disk().clone(), &config.server.instance);
        let (instances_path, history_path) = (layout.instances(), layout.history());
        let now = host.clock.now();
        let read = readable(Instances::read(&disk, &instances_path), &disk, now)?;
        let history = readable(History::read(&disk, &history_path), &disk, now)?;
        let boot = BootNonce::from_bytes(host.random.bytes()?);
        let mut instances = read.map_or_else(
            || {
                let id = InstanceId::from_bytes(host.random.bytes()?);
                let name = name.clone();
                Ok(Instances::new(Speaker { id, boot, name }))
            },
            Ok::<_, EngineError>,
        )?;
        if instances.own.name != *name {
            let former = instances.own.name.clone();
            let id = InstanceId::from_bytes(host.random.bytes()?);
            instances.run_as(name, id, now);
            tracing::info!(former, name, %id, "this is another instance from now on");
        }
        instances.own.boot = boot;
        let own = Self {
            disk,
            instances_path,
            history_path,
            known: Mutex::new(Known {
                instances,
                history_is_written: history.is_some(),
                history: history.unwrap_or_default(),
                instances_are_written: false,
                served: None,
                told: None,
                told_unserved: None,
            }),
        };
        own.write();
        Ok(own)
    }

    /// The history of its log.
    pub(crate) fn history(&self) -> History {
        self.known().history.clone()
    }

    /// The same, looked at: it changes while nobody looks.
    pub(crate) fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.known().history)
    }

    /// Who it is.
    pub(crate) fn speaker(&self) -> Speaker {
        self.known().instances.own.clone()
    }

    /// What it tells of itself when it is connected with another one.
    pub(crate) fn greeting(&self) -> Greeting {
        let known = self.known();
        Greeting::new(known.instances.own.clone(), &known.history)
    }

    /// Who is the root, too.
    pub(crate) fn rival(&self) -> Option<Rival> {
        self.known().instances.rival.clone()
    }

    /// Notes who is the root, too, or that nobody is any more.
    pub(crate) fn set_rival(&self, rival: Option<Rival>) {
        let mut known = self.known();
        if known.instances.rival != rival {
            known.instances.rival = rival;
            known.instances_are_written = false;
        }
        drop(known);
        self.write();
    }

    /// A slave of it was heard of at this time.
    pub(crate) fn meet_slave(&self, id: InstanceId, name: &str, heard: Timestamp) {
        let mut known = self.known();
        if known.instances.meet(id, name, PeerRelation::Slave, heard) {
            known.instances_are_written = false;
        }
    }

    /// It follows this source, whose log goes on behind `after`, where the own one ends: both have one history up to there.
    pub(crate) fn follow_source(&self, core: &Core, source: &Greeting, after: Option<Position>) {
        let (speaker, now) = (&source.speaker, core.host().clock.now());
        let mut known = self.known();
        let instances = &mut known.instances;
        if instances.meet(speaker.id, &speaker.name, PeerRelation::Source, now) {
            known.instances_are_written = false;
        }
        let learned = after.is_some_and(|end| known.history.learn(&source.branch, end));
        if learned {
            known.changed();
        }
        drop(known);
        self.write();
        self.serve(core);
    }

    /// The log at a start, durable up to `end`.
    ///
    /// Errors: it tells another history than the file (XX001).
    pub(super) fn begin(&self, core: &Core, end: Option<Position>) -> Result<(), EngineError> {
        if let Some(end) = end {
            match self.take_in(core, end, true) {
                Ok(()) => {}
                Err(Trouble::Contradiction(why)) => return Err(self.contradicted(&why)),
                Err(Trouble::Log(error)) => {
                    self.tell(&format!(
                        "the history of the log can't be read from it: {error}"
                    ));
                }
            }
        }
        self.serve(core);
        Ok(())
    }

    /// The log goes on: it is durable up to `end`. Most calls find nothing new.
    pub(crate) fn follow(&self, core: &Core, end: Option<Position>) {
        let newest = self.known().history.newest().map(|line| line.number);
        if let Some(end) = end.filter(|end| Some(end.segment.generation) > newest) {
            match self.take_in(core, end, false) {
                Ok(()) => {}
                Err(Trouble::Contradiction(why)) => {
                    self.tell(&self.contradicted(&why).to_string());
                }
                Err(Trouble::Log(error)) => {
                    self.tell(&format!(
                        "the history of the log can't be read from it: {error}"
                    ));
                }
            }
        }
        self.write();
        self.serve(core);
    }

    /// A generation that had begun behind `end` was taken back.
    pub(super) fn forget_behind(&self, core: &Core, end: Position) {
        let mut known = self.known();
        if !known.history.forget_behind(end) {
            return;
        }
        known.changed();
        drop(known);
        self.write();
        self.serve(core);
    }

    /// Adds the generations that the log tells of; at a start all of them, else those that are new.
    fn take_in(&self, core: &Core, end: Position, all: bool) -> Result<(), Trouble> {
        let newest = self.known().history.newest().map(|line| line.number);
        let after = newest.filter(|_| !all);
        let mut found = Vec::new();
        for location in core.log_locations() {
            if is_there(&location)? {
                found.extend(generations_in(&location, after, end)?);
            }
        }
        let mut known = self.known();
        if known
            .history
            .take_in(&found, end)
            .map_err(Trouble::Contradiction)?
        {
            known.changed();
        }
        drop(known);
        self.write();
        Ok(())
    }

    fn contradicted(&self, why: &Contradiction) -> EngineError {
        EngineError::History(format!("{}: {why}", self.history_path.display()))
    }

    /// Writes what is not written. A failure is told, and it is tried again: what the files have is told by the log, too,
    /// or is news.
    fn write(&self) {
        let mut known = self.known();
        if !known.instances_are_written {
            match known.instances.write(&self.disk, &self.instances_path) {
                Ok(()) => known.instances_are_written = true,
                Err(error) => known.tell(&error.to_string()),
            }
        }
        if !known.history_is_written && known.history != History::default() {
            match known.history.write(&self.disk, &self.history_path) {
                Ok(()) => known.history_is_written = true,
                Err(error) => known.tell(&error.to_string()),
            }
        }
        if known.instances_are_written && known.history_is_written {
            known.told = None;
        }
    }

    /// Leaves the copy for dbrepl where the log is written.
    fn serve(&self, core: &Core) {
        if core.log_place() != LogPlace::ForwardLog {
            return;
        }
        let Ok(location) = core.log_location() else {
            return;
        };
        let path = location.directory.join(SERVED_HISTORY_FILE);
        let mut known = self.known();
        let is_served = known.served.as_ref() == Some(&path);
        // A directory that is not there, or has no log, may be the place where its disk is to be mounted.
        let position = location.directory.join(fwlog::POSITION_FILE);
        let has_log = location.disk.exists(&position).unwrap_or(false);
        if is_served && location.disk.exists(&path).unwrap_or(true) || !has_log {
            return;
        }
        let served = ServedHistory {
            speaker: known.instances.own.clone(),
            history: known.history.clone(),
        };
        match served.write(&location.disk, &path, log::file_mode(core.config())) {
            Ok(()) => (known.served, known.told_unserved) = (Some(path), None),
            Err(error) => {
                let what = format!("dbrepl can't be told who this is: {error}");
                once(&mut known.told_unserved, &what);
            }
        }
    }

    fn tell(&self, what: &str) {
        self.known().tell(what);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn changed(&mut self) {
        self.history_is_written = false;
        self.served = None;
    }

    fn tell(&mut self, what: &str) {
        once(&mut self.told, what);
    }
}

/// Says it once, however often it comes.
fn once(told: &mut Option<String>, what: &str) {
    if told.as_deref() != Some(what) {
        tracing::warn!("{what}");
        *told = Some(what.to_owned());
    }
}

/// Why the log was not taken in.
enum Trouble {
    Contradiction(Box<Contradiction>),
    Log(ReadError),
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::Log(error)
    }
}

fn is_there(location: &LogLocation) -> Result<bool, ReadError> {
    let there = location.disk.exists(&location.directory);
    there.map_err(|error| {
        ReadError::Io(fwlog::IoFailure::new(
            "look for",
            &location.directory,
            &error,
        ))
    })
}
