//! A slave under attack, and what must be true of it afterwards.

use bytes::Bytes;
use dbproto::{Message, Refuse};
use dbtests::{Cluster, LONG, wait_for};
use fwlog::{EnvironmentId, LogPoint};
use pgtypes::SqlState;

use crate::log;
use crate::shop;
use crate::source::Source;
use dbtests::memory::peak_mib;

/// What a slave takes in memory at most while it is sent nonsense: its caches, and some messages.
const MEMORY_MIB: u64 = 400;

/// A slave under attack.
pub(crate) struct Attack {
    pub(crate) cluster: Cluster,
    pub(crate) environment: EnvironmentId,
}

impl Attack {
    /// A slave that is behind its master.
    pub(crate) fn begin() -> Self {
        let cluster = shop::ahead();
        let environment = log::environment(&cluster.master);
        Self {
            cluster,
            environment,
        }
    }

    /// The log goes on where the slave stands.
    pub(crate) fn start(&self) -> (Source, LogPoint) {
        Source::start(self.cluster.slave.address(), self.environment)
    }

    /// Sends one message behind the slave's end, which must be refused.
    #[track_caller]
    pub(crate) fn refused(&self, what: &str, message: impl FnOnce(LogPoint) -> Message) -> Refuse {
        let (mut source, point) = self.start();
        source.send(&message(point));
        self.last_word(what, source)
    }

    /// The same for blocks.
    #[track_caller]
    pub(crate) fn blocks_refused(
        &self,
        what: &str,
        bytes: impl FnOnce(LogPoint) -> Bytes,
    ) -> Refuse {
        self.refused(what, |point| Message::Blocks {
            start: point.position,
            bytes: bytes(point),
        })
    }

    /// The slave has refused, its log says so, and its readers go on.
    #[track_caller]
    pub(crate) fn last_word(&self, what: &str, source: Source) -> Refuse {
        let refuse = source.refusal();
        assert_eq!(refuse.sqlstate.len(), 5, "{what}: {refuse:?}");
        wait_for("the slave's log to say why", LONG, || {
            self.cluster
                .slave
                .log()
                .contains(&refuse.message)
                .then_some(())
        });
        shop::assert_serves(&self.cluster.slave);
        refuse
    }

    /// The honest dbrepl goes on where the slave was.
    pub(crate) fn end(mut self) {
        let log = self.cluster.slave.log();
        assert!(!log.contains("panicked"), "{log}");
        assert!(!log.contains("suspended"), "{log}");
        let peak = peak_mib(self.cluster.slave.process().pid());
        assert!(peak < MEMORY_MIB, "the slave took {peak} MiB");
        self.cluster.synchronize();
        self.cluster.compare();
    }
}

/// A refusal for that reason.
#[track_caller]
pub(crate) fn assert_state(what: &str, refuse: &Refuse, sqlstate: SqlState) {
    assert_eq!(refuse.sqlstate, sqlstate, "{what}: {refuse:?}");
}
