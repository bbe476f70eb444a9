//! The slots of an environment, in memory as they are on the disk.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use disk::Disk;

use crate::databases::layout::Layout;
use crate::databases::slots::{self, Slot};
use crate::error::EngineError;

/// All slots. Whoever holds them alone decides what is kept; see [`Slots::hold`].
#[derive(Debug)]
pub(crate) struct Slots {
    disk: Disk,
    path: PathBuf,
    known: Mutex<Known>,
    /// Held while segments are removed, and while slots are learned or dropped.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    slots: Result<Vec<Slot>, String>,
    /// What the file has; none where a write has failed.
    written: Option<Vec<Slot>>,
}

/// The one who may change slots and remove segments.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    slots: &'a Slots,
    _held: MutexGuard<'a, ()>,
}

impl Slots {
    /// Reads the file. One that can't be read keeps no server from starting: then nothing is removed.
    pub(crate) fn open(layout: &Layout) -> Self {
        let (disk, path) = (layout.disk().clone(), layout.slots());
        let read = slots::read(&disk, &path);
        if let Err(why) = &read {
            tracing::error!("{why}; {WITHOUT}");
        }
        Self {
            disk,
            path,
            known: Mutex::new(Known {
                written: read.clone().ok(),
                slots: read,
            }),
            turn: Mutex::default(),
        }
    }

    /// All of them, by name.
    ///
    /// Errors: the file could not be read.
    pub(crate) fn list(&self) -> Result<Vec<Slot>, EngineError> {
        self.known().slots.clone().map_err(|why| {
            EngineError::state(format!("the slots are not known: {why}"), WITHOUT_HINT)
        })
    }

    /// Takes the right to change them and to remove segments.
    pub(super) fn hold(&self) -> Turn<'_> {
        Turn {
            slots: self,
            _held: self.turn.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WITHOUT: &str = "no segment of the forward log is removed";
const WITHOUT_HINT: &str = "No segment of the forward log is removed. Bring DataDir/slots back; or remove it and restart the server: the slots of slaves whose dbrepl runs are learned again.";

impl Turn<'_> {
    /// All slots.
    pub(super) fn list(&self) -> Result<Vec<Slot>, EngineError> {
        self.slots.list()
    }

    /// Changes them; durable on return, but for how far a slot is within its segment. After an error they are as
    /// they were.
    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<Slot>)) -> Result<(), EngineError> {
        let mut new = self.slots.list()?;
        change(&mut new);
        new.sort_by(|a, b| a.name.cmp(&b.name));
        let mut known = self.slots.known();
        let is_written = known.written.as_ref().is_some_and(|written| {
            let mut pairs = new.iter().zip(written);
            new.len() == written.len() && pairs.all(|(new, old)| new.is_as_durable_as(old))
        });
        if !is_written {
            // Until the write is known to have succeeded, nobody knows what the file has.
            known.written = None;
            slots::write(&self.slots.disk, &self.slots.path, &new)?;
            known.written = Some(new.clone());
        }
        known.slots = Ok(new);
        Ok(())
    }
}
