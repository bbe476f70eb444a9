//! Where this instance is in the tree of instances, and who is below it.
//!
//! ```text
//!  source ─ Above ─▶ Link ─▶ Tree ─▶ fw.path ─▶ dbrepl ─ Above ─▶ each slave
//!  source ◀─ Below ─ Link ◀─ Tree ◀─ slave-*.status, slave-*.below ◀─ dbrepl ◀─ Below ─ each slave
//! ```
//! The log guard looks each second, and at once when another instance feeds this one: no connection waits for a disk.

mod compose;
mod status;
mod twins;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dbproto::Below;
use fwlog::{Above, MAX_TWINS, SERVED_PATH_FILE, Speaker, Timestamp, TreePath};

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::log;
use crate::environment::replication_status::forward_log_of;
use crate::environment::report_standing::Look;
use crate::error::EngineError;

pub use status::{Part, Place, TreeInstance, TreeStatus, TreeSummary};
use twins::TwinWatch;

/// What is known of the tree.
#[derive(Debug, Default)]
pub(crate) struct Tree(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What the source tells; none where nobody feeds this instance.
    source: Option<Above>,
    /// This instance writes.
    is_root: bool,
    below: Arc<Below>,
    twins: TwinWatch,
    /// What dbrepl finds beside the log, and where that is.
    served: Option<(PathBuf, Above)>,
    /// What went wrong the last time, as it was told.
    told: Option<String>,
}

impl Tree {
    /// Another instance feeds this one, or none does. Tells whether that is new.
    pub(crate) fn is_below(&self, source: Option<Above>) -> bool {
        let mut known = self.known();
        let is_new = known.source != source;
        known.source = source;
        is_new
    }

    /// Who is below, as it was seen last.
    pub(crate) fn below(&self) -> Arc<Below> {
        Arc::clone(&self.known().below)
    }

    /// The way from the root to this instance.
    pub(crate) fn path(&self, own: Speaker) -> TreePath {
        self.known().path(own)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn path(&self, own: Speaker) -> TreePath {
        let below = self.source.as_ref().and_then(|it| it.path.to(own.clone()));
        below.unwrap_or_else(|| TreePath::alone(own, self.is_root))
    }

    /// What those below are told.
    fn above(&self, own: Speaker) -> Above {
        let told = self.source.iter().flat_map(|it| &it.twins);
        let mut twins: Vec<_> = self.twins.found().iter().chain(told).cloned().collect();
        twins.truncate(MAX_TWINS);
        Above {
            path: self.path(own),
            twins,
        }
    }

    /// Says it once, however often it comes.
    fn tell(&mut self, why: Option<String>) {
        if let Some(why) = why.as_ref().filter(|why| self.told.as_ref() != Some(why)) {
            tracing::warn!("{why}");
        }
        self.told = why;
    }
}

impl Core {
    /// Looks who is below, and leaves beside the log what those are to know. `newest`: the time of the log's end.
    pub(super) fn look_after_tree(&self, is_root: bool, newest: Option<Timestamp>) {
        let looked = self.look_at_tree(is_root, newest);
        self.tree().known().tell(looked.err());
    }

    fn look_at_tree(&self, is_root: bool, newest: Option<Timestamp>) -> Result<(), String> {
        let below = self.compose_below(newest);
        let below = below.map_err(|error| format!("who is below is not known: {error}"))?;
        let own = self.instance().speaker();
        let mut known = self.tree().known();
        known.is_root = is_root;
        let path = known.path(own.clone());
        let below = compose::without_those_above(&below, &path);
        if *known.below != below {
            known.below = Arc::new(below);
        }
        let below = Arc::clone(&known.below);
        known.twins.look(twins::conflicts(&path, &below));
        let above = known.above(own);
        drop(known);
        let served = self.serve_path(&above);
        served.map_err(|error| format!("dbrepl can't be told where this server is: {error}"))
    }

    fn compose_below(&self, newest: Option<Timestamp>) -> Result<Below, EngineError> {
        match forward_log_of(self)? {
            Some(location) => compose::compose(&location, &Look::now(self, newest)),
            None => Ok(Below::default()),
        }
    }

    /// Leaves it for dbrepl where the log is written.
    fn serve_path(&self, above: &Above) -> Result<(), String> {
        if self.log_place() != LogPlace::ForwardLog {
            return Ok(());
        }
        let location = self.log_location().map_err(|error| error.to_string())?;
        let path = location.directory.join(SERVED_PATH_FILE);
        // A directory that is not there, or has no log, may be the place where its disk is to be mounted.
        let position = location.directory.join(fwlog::POSITION_FILE);
        let has_log = location.disk.exists(&position).unwrap_or(false);
        let is_told = |(there, told): &(PathBuf, Above)| *there == path && told == above;
        let is_served = self.tree().known().served.as_ref().is_some_and(is_told);
        if is_served && location.disk.exists(&path).unwrap_or(true) || !has_log {
            return Ok(());
        }
        let mode = log::file_mode(self.config());
        let written = above.write(&location.disk, &path, mode);
        self.tree().known().served = written.is_ok().then(|| (path, above.clone()));
        written.map_err(|error| error.to_string())
    }
}
