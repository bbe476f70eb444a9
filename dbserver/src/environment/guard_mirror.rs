//! Watches over the mirrored log.

use std::sync::Arc;

use crate::environment::retention::RetentionWatch;
use crate::environment::segment_watch::SegmentWatch;
use crate::environment::slave::Slave;
use crate::environment::space::SpaceWatch;

impl Slave {
    /// The guard's thread on a slave.
    pub(crate) fn guard_mirror(self: &Arc<Self>) {
        self.core().warn_of_openness();
        let (mut segments, mut space) = (SegmentWatch::default(), SpaceWatch::default());
        let mut kept = RetentionWatch::default();
        loop {
            self.look_after_mirror();
            self.look_after_interrupted();
            // First: those below learn at once who this is, and who is above.
            let durable = self.progress().durable;
            let position = durable.map(|durable| durable.point.position);
            self.core().instance().follow(self.core(), position);
            let newest = durable.map(|durable| durable.time);
            self.core().look_after_tree(false, newest);
            // Redo moves where the master's checkpoints say, not because something is missing.
            let _missing = segments.look(self.core());
            let now = self.core().host().clock.now();
            self.guard().set_segment_trouble(segments.trouble(), now);
            self.core().look_after_data();
            self.core().look_after_space(&mut space);
            self.core().settle_handover(durable.as_ref());
            self.core().settle_fence();
            // What may be removed was followed above.
            self.core().look_after_kept_log(&mut kept, position);
            if !self.guard().wait() {
                return;
            }
        }
    }

    fn look_after_mirror(&self) {
        let Some(failure) = self.log().look_after_files() else {
            return self.guard().clear_trouble();
        };
        let text = format!("{failure}; nothing is replicated until that is mended");
        let now = self.core().host().clock.now();
        if self.guard().set_trouble(text, now) {
            tracing::error!(%failure, "the mirror of the log cannot be written");
        }
    }
}
