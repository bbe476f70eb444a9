//! Work of a server in whose middle clients do theirs.

use crate::world::World;

impl World {
    /// Does work during which clients do theirs, if they do that in this seed.
    pub(crate) fn nested<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.settings.nested {
            self.hooks.among_clients(work)
        } else {
            work()
        }
    }
}
