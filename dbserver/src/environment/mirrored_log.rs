//! A slave's forward log is switched off and on: where its mirror is written.
//!
//! ```text
//!             leave_forward_log: copy the newest segment, control, clear what is interrupted
//!  ForwardLog ────────────────────────────────────────────────────────────────────▶ Journal
//!             ◀────────────────────────────────────────────────────────────────────
//!             begin_segment, once that is wanted: seal here, make it there, control
//! ```
//! Both directories get the same bytes. The control file says which of them has the newest segment; see
//! `docs/decisions/0013-a-slaves-forward-log-can-be-interrupted.md`.

use std::sync::Arc;
use std::time::Duration;

use dbproto::Refuse;
use fwlog::{Durable, Mirror, MirrorError};

use crate::databases::control::LogPlace;
use crate::databases::host::Drive;
use crate::environment::interrupted;
use crate::environment::log::settle;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::slave::refusal::refuse_mirror;

/// How long a command waits for the connection that feeds the slave.
const FEED_ANSWERS: Duration = Duration::from_secs(10);

impl Environment {
    /// Switches the forward log of a slave off at once, or on from the master's next segment on.
    pub(crate) fn switch_mirrored_log(
        &self,
        slave: &Arc<Slave>,
        on: bool,
    ) -> Result<(), EngineError> {
        let _no_other_role = self.hold_role()?;
        if on {
            slave.log().want_forward_log(true);
            Ok(())
        } else {
            slave.switch_off_forward_log()
        }
    }
}

impl Slave {
    fn switch_off_forward_log(self: &Arc<Self>) -> Result<(), EngineError> {
        if self.core().host().drive == Drive::Owner {
            while self.apply_waiting() {}
        }
        let me = Arc::clone(self);
        self.log()
            .with_mirror(FEED_ANSWERS, move |mirror| me.leave_forward_log(mirror))
    }

    /// What the mirror gets from now on goes to the journal. Without an error nothing of it is in the directory
    /// of FwLog; an error leaves the log where it was.
    fn leave_forward_log(&self, mirror: &mut Option<Box<Mirror>>) -> Result<(), EngineError> {
        let core = self.core();
        if core.log_place() == LogPlace::ForwardLog {
            let journal = core.log_store(LogPlace::Journal)?;
            interrupted::clear_journal(core, &journal)?;
            let copy = match mirror {
                Some(mirror) => Some(
                    mirror
                        .copy_newest(Arc::clone(&journal))
                        .map_err(not_moved)?,
                ),
                None => None,
            };
            settle(&journal)?;
            if let Err(error) = core.update_control(|control| control.log = LogPlace::Journal) {
                // The next start may look in the journal: nothing more may be written before it is known not to.
                if let Some(mirror) = mirror {
                    mirror.give_up();
                }
                return Err(error);
            }
            if let (Some(mirror), Some(copy)) = (mirror, copy) {
                mirror.go_on_in(copy);
            }
            self.log().set_store(journal);
        }
        self.log().want_forward_log(false);
        if let Err(error) = self.clear_interrupted() {
            tracing::warn!(%error, "the interrupted segment is still in the directory of FwLog; that is tried again each second");
        }
        tracing::info!(
            "the forward log of this slave is switched off: its journal has what recovery needs"
        );
        Ok(())
    }

    /// With the mirror in hand, so that no segment begins in the directory meanwhile.
    fn clear_interrupted(&self) -> Result<bool, EngineError> {
        let cleared = interrupted::clear(self.core());
        self.set_interrupted_left(cleared.is_err());
        cleared
    }

    /// What is done each second: an interrupted segment goes whose disk failed when it should have gone.
    pub(super) fn look_after_interrupted(self: &Arc<Self>) {
        if !self.is_interrupted_left() {
            return;
        }
        let me = Arc::clone(self);
        self.log().ask_for(Box::new(move |_mirror| {
            match me.clear_interrupted() {
                Ok(true) => tracing::info!("the interrupted segment has left the directory of FwLog"),
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(%error, "the interrupted segment is still in the directory of FwLog");
                }
            }
        }));
    }

    /// Begins a segment where the log is wanted.
    pub(crate) fn begin_segment(
        &self,
        mirror: &mut Mirror,
        header: &[u8],
    ) -> Result<Durable, Refuse> {
        let core = self.core();
        if core.log_place() == LogPlace::ForwardLog || !self.log().wants_forward_log() {
            return mirror.segment(header).map_err(refuse_mirror);
        }
        let refuse = |error: EngineError| {
            Refuse::new(error.sqlstate(), "the slave's forward log cannot begin")
                .detail(error.to_string())
                .hint("Mend that, and dbrepl goes on by itself; or go on without it by 'dbctl forwardlog disable' on the slave.")
        };
        interrupted::clear(core).map_err(refuse)?;
        let store = core.log_store(LogPlace::ForwardLog).map_err(refuse)?;
        let durable = mirror
            .segment_in(Arc::clone(&store), header)
            .map_err(refuse_mirror)?;
        let noted = settle(&store)
            .and_then(|()| core.update_control(|control| control.log = LogPlace::ForwardLog));
        if let Err(error) = noted {
            // The next start may look in the journal, or here: both end where this segment begins.
            mirror.give_up();
            return Err(refuse(error));
        }
        let segment = durable.point.position.segment;
        tracing::info!(%segment, "the forward log of this slave is written again");
        self.log().set_store(store);
        Ok(durable)
    }
}

fn not_moved(error: MirrorError) -> EngineError {
    match error {
        MirrorError::Io(failure) => EngineError::LogUnusable(failure),
        error @ (MirrorError::Refused { .. } | MirrorError::Read(_)) => {
            EngineError::Corrupt(error.to_string())
        }
    }
}
