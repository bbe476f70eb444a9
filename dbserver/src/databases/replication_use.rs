//! What replication does with a database of a slave, and what the sessions that have it open mean for that.

use std::fmt;

use crate::databases::open_mode::OpenMode;

/// What is done to the database, as far as its sessions matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplicationUse {
    /// Its contents change.
    Writes,
    /// They change by somebody who has the database alone on the master.
    WritesAlone,
    /// It is dropped, or gets another name.
    Removes,
}

/// What a session means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// It goes on beside it.
    Stays,
    /// It is ended, so that an idle pool never stops replication.
    Leaves,
    /// It is waited for.
    HoldsBack,
}

impl ReplicationUse {
    /// What a session in this mode means for it.
    pub fn bearing(self, mode: OpenMode) -> Bearing {
        use OpenMode::{Read, ReadAlone, ReadNobodyWrites};
        match (self, mode) {
            (_, ReadAlone | ReadNobodyWrites) | (Self::WritesAlone | Self::Removes, Read) => {
                Bearing::HoldsBack
            }
            (Self::Removes, _) => Bearing::Leaves,
            (Self::Writes | Self::WritesAlone, _) => Bearing::Stays,
        }
    }
}

impl fmt::Display for ReplicationUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writes => "a session of the master writes to it, and lets nobody else",
            Self::WritesAlone => "a session of the master has it alone",
            Self::Removes => "it is being dropped or renamed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_5_and_9_never_hold_replication_back() {
        let bearings = |used: ReplicationUse| -> String {
            OpenMode::ALL
                .into_iter()
                .map(|mode| match used.bearing(mode) {
                    Bearing::Stays => '-',
                    Bearing::Leaves => 'x',
                    Bearing::HoldsBack => 'w',
                })
                .collect()
        };
        assert_eq!(bearings(ReplicationUse::Writes), "------ww-");
        assert_eq!(bearings(ReplicationUse::WritesAlone), "-----www-");
        assert_eq!(bearings(ReplicationUse::Removes), "xxxxxwwwx");
    }
}
