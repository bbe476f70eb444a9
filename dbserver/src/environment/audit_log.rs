//! The log of audit records beside the journal (`AuditOnly`): who writes it, and what follows where that fails.
//!
//! ```text
//!            the journal has news: copy
//!              ┌───┐       it can't be written               FwOnFailure = disable
//! begin ─▶ Copying ─┴──────────────────────▶ Failed ───────────────────────────────▶ GivenUp
//!              ◀── once that is mended ──────┘  writes are refused
//! ```

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbconfig::OnFailure;
use fwlog::{Durable, IoFailure, LogLocation, Position, SegmentId};

use crate::commit::tell_restored;
use crate::databases::Role;
use crate::databases::control::role_word;
use crate::environment::audit_copier::Copier;
use crate::environment::core::Core;
use crate::environment::guard::LogGuard;
use crate::environment::log;
use crate::environment::space::AUDIT_LOG;
use crate::error::EngineError;

/// How often files are looked at, and a log that can't be written is tried again.
const TICK: Duration = Duration::from_secs(1);
/// So much room, in bytes, is wanted on a disk that was full before the log goes on.
const ROOM_TO_GO_ON: u64 = 16 << 20;

/// The audit log of a server that has one.
#[derive(Default)]
pub(crate) struct AuditLog {
    phase: Mutex<Phase>,
    shared: Mutex<Shared>,
    changed: Condvar,
}

/// What happens to it. Held while records are copied.
#[derive(Default)]
enum Phase {
    /// Nothing yet, or all is done.
    #[default]
    Closed,
    Copying(Box<Copier>),
    Failed {
        why: EngineError,
        /// The durable end of the audit log in this process.
        end: Option<Position>,
        /// Where the journal was when this server began, in case that there is no audit log yet.
        begin: Durable,
    },
    /// It is not written any more.
    GivenUp,
}

/// What others ask for, without waiting for a disk.
#[derive(Default)]
struct Shared {
    /// The journal has something new.
    news: bool,
    stop: bool,
    refusal: Option<EngineError>,
    given_up: bool,
    /// All before this point of the journal was copied.
    covered: Option<Position>,
    durable: Option<Durable>,
}

/// How an audit log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditStanding {
    /// Its durable end, where it is known.
    pub(crate) durable: Option<Durable>,
    /// It was given up.
    pub(crate) given_up: bool,
}

impl AuditLog {
    /// The journal has something new that is durable.
    pub(crate) fn ring(&self) {
        self.shared().news = true;
        self.changed.notify_all();
    }

    /// Ends the thread that copies.
    pub(super) fn stop(&self) {
        self.shared().stop = true;
        self.changed.notify_all();
    }

    /// Why nothing may be committed: what is done would have no record that lasts.
    pub(crate) fn refusal(&self) -> Option<EngineError> {
        self.shared().refusal.clone()
    }

    pub(crate) fn standing(&self) -> AuditStanding {
        let shared = self.shared();
        AuditStanding {
            durable: shared.durable,
            given_up: shared.given_up,
        }
    }

    /// The first segment of the journal that is still to be copied; `None`: all may go.
    pub(super) fn needs(&self) -> Option<SegmentId> {
        let shared = self.shared();
        let from = shared.covered.unwrap_or(Position::ORIGIN);
        (!shared.given_up).then_some(from.segment)
    }

    /// Waits for news or the next tick. `None`: the server stops; `Some(true)`: there are news.
    fn wait(&self) -> Option<bool> {
        let (mut shared, _timed_out) = self
            .changed
            .wait_timeout_while(self.shared(), TICK, |shared| !shared.news && !shared.stop)
            .unwrap_or_else(PoisonError::into_inner);
        let news = std::mem::take(&mut shared.news);
        (!shared.stop).then_some(news)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, copier: &Copier) {
        let mut shared = self.shared();
        shared.refusal = None;
        shared.covered = Some(copier.covered());
        shared.durable = Some(copier.writer().durable());
    }
}

impl Core {
    /// Where the audit records are with `AuditOnly`.
    pub(crate) fn audit_location(&self) -> Result<LogLocation, EngineError> {
        log::audit_location(self.config(), self.layout())?
            .ok_or_else(|| EngineError::Internal("there is no audit log without AuditOnly".into()))
    }

    /// With audit records alone nothing can be replicated; and what is still to be copied is copied before that ends.
    pub(super) fn check_audit_only(&self, role: Role) -> Result<(), EngineError> {
        let audit_only = self.config().forward_log.audit_only;
        if audit_only && role != Role::Standalone {
            return Err(EngineError::state(
                format!(
                    "AuditOnly = 1: this server can't be a {}, for nothing can be replicated",
                    role_word(role)
                ),
                "Set AuditOnly = 0 and restart the server; or start it once with AuditOnly = 0 as it is, change its role back, and then set AuditOnly.",
            ));
        }
        if !audit_only && self.control().audit_open {
            return Err(EngineError::state(
                "AuditOnly was on when this server ended, and records in its journal are not in the audit log yet",
                "Start it once more with AuditOnly = 1 and the FwLog that it had, and stop it cleanly; then switch AuditOnly off.",
            ));
        }
        Ok(())
    }

    /// Goes on with the audit log, given the end of the journal; nothing is committed before.
    ///
    /// Errors: its files are damaged, or not this environment's. Where they can't be written, readers are served.
    pub(super) fn begin_audit(
        &self,
        journal: Durable,
        guard: &LogGuard,
    ) -> Result<(), EngineError> {
        let Some(audit) = self.audit_log() else {
            return Ok(());
        };
        let mut phase = audit.phase();
        match Copier::resume(self, &journal, None) {
            Ok(copier) => {
                audit.note(&copier);
                *phase = Phase::Copying(Box::new(copier));
                Ok(())
            }
            Err(why) if may_pass(&why) => {
                *phase = self.audit_failed(audit, guard, why, (None, journal));
                Ok(())
            }
            Err(why) => Err(why),
        }
    }

    /// The thread that copies: runs until the server stops.
    pub(super) fn copy_audit_records(&self, guard: &LogGuard) {
        let Some(audit) = self.audit_log() else {
            return;
        };
        while let Some(news) = audit.wait() {
            self.copy_audit(guard);
            if !news {
                look_after_files(&audit.phase());
            }
        }
    }

    /// Copies what is there to copy, or tries to go on after a failure.
    pub(super) fn copy_audit(&self, guard: &LogGuard) {
        let Some(audit) = self.audit_log() else {
            return;
        };
        let mut phase = audit.phase();
        let next = match &mut *phase {
            Phase::Copying(copier) => match copier.copy() {
                Ok(()) => return audit.note(copier),
                Err(why) => {
                    let end = copier.writer().durable().point.position;
                    self.audit_failed(audit, guard, why, (Some(end), copier.began()))
                }
            },
            Phase::Failed { why, end, begin } if may_pass(why) && self.has_room_for(why) => {
                match Copier::resume(self, begin, *end) {
                    Ok(copier) => {
                        audit.note(&copier);
                        guard.set_audit_trouble(None, self.host().clock.now());
                        tracing::info!("the audit log can be written again; writes are accepted");
                        audit.ring();
                        Phase::Copying(Box::new(copier))
                    }
                    Err(why) => self.audit_failed(audit, guard, why, (*end, *begin)),
                }
            }
            Phase::Closed | Phase::Failed { .. } | Phase::GivenUp => return,
        };
        *phase = next;
    }

    /// It can't be written: writes are refused, or it is given up, as FwOnFailure says.
    fn audit_failed(
        &self,
        audit: &AuditLog,
        guard: &LogGuard,
        why: EngineError,
        (end, begin): (Option<Position>, Durable),
    ) -> Phase {
        let now = self.host().clock.now();
        if self.config().forward_log.on_failure == OnFailure::Disable {
            tracing::error!(%why, "FwOnFailure = disable: audit records are not kept any more");
            guard.set_audit_trouble(Some(format!(
                "the audit log was given up (FwOnFailure = disable): {why}; what is done is not recorded. A restart begins it again"
            )), now);
            // The next start does not look for what was not copied.
            if let Err(error) = self.update_control(|control| control.audit_open = false) {
                tracing::warn!(%error, "that the audit log was given up can't be noted");
            }
            let mut shared = audit.shared();
            shared.refusal = None;
            shared.given_up = true;
            return Phase::GivenUp;
        }
        let until = if why.is_disk_full() {
            "there is room"
        } else if may_pass(&why) {
            "that is mended"
        } else {
            "the server is restarted"
        };
        let text = format!("audit log: {why}; writes are refused until {until}");
        if guard.set_audit_trouble(Some(text.clone()), now) {
            tracing::error!("{text}");
        }
        audit.shared().refusal = Some(EngineError::AuditFailed(Box::new(why.clone())));
        Phase::Failed { why, end, begin }
    }

    /// Room enough that it does not fail again at once. Unknown is enough.
    fn has_room_for(&self, why: &EngineError) -> bool {
        let spaces = self.space();
        let log = spaces.iter().find(|space| space.what == AUDIT_LOG);
        !why.is_disk_full() || log.is_none_or(|log| log.free >= ROOM_TO_GO_ON.min(log.size / 4))
    }

    /// Ends the segment of the audit log, and begins the next one.
    pub(crate) fn switch_audit(&self) -> Result<SegmentId, EngineError> {
        let not_written = || {
            EngineError::state(
                "the audit log is not written",
                "A restart of the server begins it again.",
            )
        };
        let audit = self.audit_log().ok_or_else(not_written)?;
        match &*audit.phase() {
            Phase::Copying(copier) => {
                let segment = copier.writer().switch().map_err(EngineError::LogFailed)?;
                audit.note(copier);
                Ok(segment)
            }
            Phase::Failed { why, .. } => Err(EngineError::AuditFailed(Box::new(why.clone()))),
            Phase::Closed | Phase::GivenUp => Err(not_written()),
        }
    }

    /// The journal is closed: copies the rest, and ends the audit log. `true`: nothing is left to be copied.
    pub(super) fn finish_audit(&self) -> bool {
        let Some(audit) = self.audit_log() else {
            return false;
        };
        let finished = match std::mem::take(&mut *audit.phase()) {
            Phase::Closed | Phase::GivenUp => return true,
            Phase::Failed { why, .. } => Err(why),
            Phase::Copying(mut copier) => copier.copy().and_then(|()| {
                copier.writer().close().map_err(EngineError::LogFailed)?;
                let store = copier.writer().store();
                let stopped = store.mark_stopped().and_then(|()| store.settle_position());
                stopped.map_err(|error| EngineError::file("write", store.position_path(), &error))
            }),
        };
        if let Err(error) = &finished {
            tracing::error!(%error, "audit records are still in the journal alone: the next start copies them");
        }
        finished.is_ok()
    }
}

fn look_after_files(phase: &Phase) {
    if let Phase::Copying(copier) = phase {
        // An error is the writer's failure, which the next copy meets.
        let looked = copier.writer().look_after_files();
        tracing::trace!(ok = looked.is_ok(), "the files of the audit log");
        tell_restored(copier.writer().take_restored());
    }
}

/// Whether a person can mend it while the server runs. Not after a failed sync: nobody knows then what the disk has.
fn may_pass(why: &EngineError) -> bool {
    match why {
        EngineError::LogFailed(failure) => failure.may_pass(),
        EngineError::LogUnusable(failure) => failure.may_pass(),
        EngineError::File {
            what,
            path,
            reason,
            kind,
        } => IoFailure {
            operation: what,
            path: path.clone(),
            kind: *kind,
            message: reason.clone(),
        }
        .may_pass(),
        _ => false,
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turns;
