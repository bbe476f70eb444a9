//! What is known of forks: points where logs of one environment part.

use crate::environment::lost_news::LostNews;
use crate::environment::rewind::Parted;
use crate::environment::since_fork::SinceFork;

/// All of it; nothing of it outlives the process.
#[derive(Default)]
pub(crate) struct Forks {
    /// Pages that were written behind one.
    pub(in crate::environment) since: SinceFork,
    /// What this instance and those below it have lost.
    pub(crate) lost: LostNews,
    /// The log that has left the own one.
    pub(crate) parted: Parted,
}
