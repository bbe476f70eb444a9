//! All pages of a database have come: what makes that sure before the switch, and lasting.
//!
//! | a page is | proved by | until the switch |
//! | --- | --- | --- |
//! | in the data file | the value of its group, when it was compared or when pages of it came | nobody writes there |
//! | staged | the same, by the bytes that came | is read back after the sync, and has the sum of those bytes |
//!
//! The values together are the root that the giver has. The sums go to the sum file: whatever happens to a page later, on the
//! way to the data file or in it, is found when it is read.

use pagehash::{PAGE_SIZE, Root};
use pagestore::{CommitNumber, sum_of, write_sum_file};

use super::altered;
use super::arriving::{Arriving, Room, spans, start};
use crate::error::EngineError;

impl Arriving {
    /// Proves that all is as in the cut, whose root is this, and makes what the switch needs.
    pub(super) fn prove(
        &mut self,
        root: Root,
        commit: CommitNumber,
        room: &mut Room,
    ) -> Result<(), EngineError> {
        if self.base.is_none() {
            // It becomes the data file as it is: pages of zeros at its end, too.
            let length = u64::from(self.pages) * PAGE_SIZE as u64;
            let cut = self.staged.set_length(length);
            cut.map_err(|error| self.failed("cut", &error))?;
        }
        let synced = self.staged.sync();
        synced.map_err(|error| self.failed("sync", &error))?;
        let missing: Vec<_> = self.tree.missing().collect();
        for group in missing {
            self.look_at(group, room)?;
        }
        let here = self.tree.root();
        if here != Some(root) {
            let here = here.map(|here| format!(": checksum {here}, not {root}"));
            return Err(altered(format!(
                "the copy of database {} is not the original{}",
                self.number,
                here.unwrap_or_default()
            )));
        }
        self.read_back(room)?;
        self.write_pages()?;
        let sum = self.path.with_extension("sum");
        write_sum_file(&self.disk, &sum, self.number, commit, &self.sums())?;
        Ok(())
    }

    /// Reads what is staged, as the disk has it.
    fn read_back(&self, room: &mut Room) -> Result<(), EngineError> {
        for (group, known) in &self.groups {
            let sums = known.sums();
            for (at, length) in spans(known.staged) {
                let bytes = room.pages(length / PAGE_SIZE);
                let read = self.staged.read_exact_at(start(*group) + at as u64, bytes);
                read.map_err(|error| self.failed("read", &error))?;
                let first = at / PAGE_SIZE;
                for (place, page) in (first..).zip(bytes.chunks(PAGE_SIZE)) {
                    if sums.get(place) != Some(&sum_of(page)) {
                        return Err(altered(format!(
                            "page {} of database {} is not on the disk as it came",
                            group.first().page() as usize + place,
                            self.number
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// The sums of all pages.
    fn sums(&self) -> Vec<u32> {
        // The lock page has no sum: nobody reads it.
        let mut sums = vec![0; self.pages as usize];
        for (group, known) in &self.groups {
            let first = group.first().page() as usize - 1;
            let places = sums.iter_mut().skip(first);
            places
                .zip(known.sums())
                .for_each(|(place, sum)| *place = *sum);
        }
        sums
    }

    /// Which pages are to go to the data file; without one the staged file becomes it.
    fn write_pages(&self) -> Result<(), EngineError> {
        if self.base.is_none() {
            return Ok(());
        }
        let mut bits = vec![0_u8; self.pages.div_ceil(8) as usize];
        for (group, known) in &self.groups {
            let first = group.first().page() - 1;
            for at in known.staged.iter().map(|place| first + place) {
                if let Some(byte) = bits.get_mut(at as usize / 8) {
                    *byte |= 1 << (at % 8);
                }
            }
        }
        let path = self.path.with_extension("pages");
        let written = self.disk.write_atomic(&path, &bits, 0o600);
        written.map_err(|error| EngineError::file("write", path, &error))
    }
}
