//! What happens in the middle of an operation of a disk: a crash, or other clients' work.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::testing::{Kind, Operation, Random, SimulatedDisk};

use crate::clients::Clients;

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Its process ends; what it has given to the system stays.
    Kill,
    /// Its machine ends.
    Power,
}

/// A crash that is to come.
#[derive(Clone, Copy, Debug)]
struct Armed {
    server: usize,
    /// Operations until then.
    left: u64,
    crash: Crash,
}

/// Where others may do something in the middle of what is being done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Nowhere.
    #[default]
    None,
    /// At operations on the log and the data files.
    Files,
    /// Where the pages of a large transaction are read back, to go into the log.
    Parts,
}

impl Gap {
    /// Whether it is at this operation.
    fn is_at(self, operation: &Operation) -> bool {
        let scratch = operation.path.starts_with("/tmp");
        match self {
            Self::None => false,
            // A scratch file is cut while the pages that were in it are dropped, under their lock.
            Self::Files => !scratch,
            Self::Parts => scratch && operation.kind == Kind::Read,
        }
    }
}

#[derive(Debug, Default)]
struct Plan {
    gap: Gap,
    armed: Option<Armed>,
    /// Crashes that have come and are not cleared away yet.
    struck: Vec<(usize, Crash)>,
}

/// What the hooks of all disks share.
pub(crate) struct Hooks {
    clients: Arc<Mutex<Clients>>,
    /// By server: tells its clients that it has ended.
    ended: Vec<Arc<AtomicBool>>,
    plan: Mutex<Plan>,
    random: Mutex<Random>,
}

impl Hooks {
    /// Nothing is planned.
    pub(crate) fn new(clients: Arc<Mutex<Clients>>, seed: u64) -> Arc<Self> {
        let known = clients.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = known
            .servers
            .iter()
            .map(|seen| Arc::clone(&seen.ended))
            .collect();
        drop(known);
        Arc::new(Self {
            ended,
            clients,
            plan: Mutex::default(),
            random: Mutex::new(Random::new(seed ^ 0x0000_400C)),
        })
    }

    /// Lets the hooks see what is done to the disk of a server.
    pub(crate) fn attach(self: &Arc<Self>, server: usize, machine: &SimulatedDisk) {
        let hooks = Arc::clone(self);
        machine.set_hook(move |disk, operation| hooks.before(server, disk, operation));
    }

    /// Plans a crash of a server, so many operations from now.
    pub(crate) fn arm(&self, server: usize, left: u64, crash: Crash) {
        self.plan().armed = Some(Armed {
            server,
            left,
            crash,
        });
    }

    /// Whether a planned crash has not come yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.plan().armed.is_some()
    }

    /// Plans nothing any more.
    pub(crate) fn disarm(&self) {
        self.plan().armed = None;
    }

    /// A server that has crashed and was not told by this yet.
    pub(crate) fn struck(&self) -> Option<(usize, Crash)> {
        self.plan().struck.pop()
    }

    /// Whether a planned crash has ended the server, and it is not cleared away yet.
    pub(crate) fn is_struck(&self, server: usize) -> bool {
        let plan = self.plan();
        plan.struck.iter().any(|(struck, _)| *struck == server)
    }

    /// Does `work`, during which clients may do something at every operation of a disk.
    pub(crate) fn among_clients<T>(&self, work: impl FnOnce() -> T) -> T {
        self.with_gap(Gap::Files, work)
    }

    /// Gives a large transaction to the server: clients, the log and checkpoints go on meanwhile.
    pub(crate) fn among_parts<T>(&self, work: impl FnOnce() -> T) -> T {
        self.with_gap(Gap::Parts, work)
    }

    /// Does `work`, in whose middle others may do something.
    pub(crate) fn with_gap<T>(&self, gap: Gap, work: impl FnOnce() -> T) -> T {
        let before = mem::replace(&mut self.plan().gap, gap);
        let result = work();
        self.plan().gap = before;
        result
    }

    fn before(&self, server: usize, disk: &SimulatedDisk, operation: &Operation) {
        if self.strikes(server) {
            disk.power_off();
            return;
        }
        let gap = self.plan().gap;
        if !gap.is_at(operation) || self.random().below(5) != 0 {
            return;
        }
        // Whoever has the clients is one of them, in the middle of something.
        if let Ok(mut clients) = self.clients.try_lock() {
            self.with_gap(Gap::None, || match gap {
                Gap::None | Gap::Files => clients.interfere(),
                Gap::Parts => clients.interfere_with_parts(),
            });
        }
    }

    fn strikes(&self, server: usize) -> bool {
        let mut plan = self.plan();
        match &mut plan.armed {
            Some(armed) if armed.server == server && armed.left > 0 => {
                armed.left -= 1;
                false
            }
            Some(armed) if armed.server == server => {
                let crash = armed.crash;
                plan.struck.push((server, crash));
                plan.armed = None;
                self.ended[server].store(true, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn random(&self) -> MutexGuard<'_, Random> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
