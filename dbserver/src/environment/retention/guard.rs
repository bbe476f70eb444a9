//! The log guard removes what nobody needs, one segment a second, oldest first.

use dbconfig::Keep;
use fwlog::{LogLocation, Position, SegmentId};

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::error::EngineError;

/// Small segments go together, up to so many bytes a second.
const BYTES_A_LOOK: u64 = 256 << 20;
/// While the log stays in one segment, and there was nothing to remove, so many looks pass: what else changes can
/// wait, and headers of all segments are read.
const BETWEEN_LOOKS: u32 = 10;

/// What the guard's thread knows from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct RetentionWatch {
    newest: Option<SegmentId>,
    idle: u32,
    /// Why nothing could be removed, as it was told.
    told: Option<String>,
}

impl Core {
    /// Learns from where on slaves need the log, and removes what nobody needs. All up to `durable` is on the disk.
    pub(in crate::environment) fn look_after_kept_log(
        &self,
        watch: &mut RetentionWatch,
        durable: Option<Position>,
    ) {
        let (Some(durable), LogPlace::ForwardLog) = (durable, self.log_place()) else {
            return;
        };
        let looked = self
            .log_location()
            .and_then(|location| self.look_at_kept_log(watch, &location, durable));
        let why = looked.err().map(|error| error.to_string());
        if why != watch.told {
            match &why {
                Some(why) if self.kept_log().rule().keep != Keep::All => {
                    tracing::warn!("what nobody needs of the forward log is not removed: {why}");
                }
                Some(why) => tracing::debug!("slots are not learned: {why}"),
                None => {}
            }
            watch.told = why;
        }
    }

    fn look_at_kept_log(
        &self,
        watch: &mut RetentionWatch,
        location: &LogLocation,
        durable: Position,
    ) -> Result<(), EngineError> {
        let turn = self.slots().hold();
        self.learn_slots(&turn, location)?;
        let keep = self.kept_log().rule().keep;
        if keep == Keep::All {
            return Ok(());
        }
        let is_new = watch.newest.replace(durable.segment) != Some(durable.segment);
        if !is_new && watch.idle > 0 {
            watch.idle -= 1;
            return Ok(());
        }
        let mut bytes = 0;
        loop {
            let plan = self.plan(&turn, location, durable, keep)?;
            let Some(oldest) = plan.going().next() else {
                if bytes == 0 && !plan.is_short_of_room() {
                    watch.idle = BETWEEN_LOOKS;
                }
                return Ok(());
            };
            // Where there is little room, as much goes at once as has to.
            if bytes > 0 && bytes + oldest.bytes > BYTES_A_LOOK && !plan.is_short_of_room() {
                return Ok(());
            }
            self.remove_segment(&turn, &plan, oldest)?;
            bytes += oldest.bytes.max(1);
        }
    }
}
