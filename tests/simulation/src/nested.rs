//! Work of a server in whose middle clients do theirs.

use crate::hooks::Gap;
use crate::world::World;

impl World {
    /// Does work during which clients do theirs, if they do that in this seed.
    pub(crate) fn nested<T>(&self, work: impl FnOnce() -> T) -> T {
        self.nested_in(Gap::Files, work)
    }

    /// The same for a checkpoint.
    pub(crate) fn nested_checkpoint<T>(&self, work: impl FnOnce() -> T) -> T {
        self.nested_in(Gap::Checkpoint, work)
    }

    fn nested_in<T>(&self, gap: Gap, work: impl FnOnce() -> T) -> T {
        if self.settings.nested {
            self.hooks.with_gap(gap, work)
        } else {
            work()
        }
    }
}
