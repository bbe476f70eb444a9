//! How many bytes the temporary files of a connection have, and may have.

use crate::error::Error;

#[derive(Debug, Default)]
pub(crate) struct TemporarySpace {
    used: u64,
    /// `None`: as many as the disk has.
    limit: Option<u64>,
}

impl TemporarySpace {
    pub(crate) fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// Bytes of all of them.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// They grow by so much.
    ///
    /// Error: more than they may have; then nothing is taken.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Error> {
        let used = self.used.saturating_add(bytes);
        match self.limit {
            // What was there before the limit was set may stay.
            Some(limit) if used > limit && bytes > 0 => Err(Error::TemporaryLimit { limit }),
            _ => {
                self.used = used;
                Ok(())
            }
        }
    }

    /// They have shrunk by so much.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }
}
