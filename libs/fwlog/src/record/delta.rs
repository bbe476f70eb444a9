//! The difference between two versions of a page.
//!
//! ```text
//! delta = run*
//! run   = bytes to leave as they are (varint), length (varint), so many new bytes
//! ```

use crate::damage::DecodeError;
use crate::fields::{Fields, put_varint};
use crate::record::PAGE_SIZE;

/// Runs that lie this close are written as one: another run costs two bytes or more itself.
const MERGE_GAP: usize = 4;
const WORD: usize = 8;
/// Pages are compared in pieces of this size first, most of which are equal.
const PIECE: usize = 64;

const OUTSIDE: DecodeError = DecodeError::Invalid("run of a page delta");

/// What differs between two versions of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta<'a> {
    runs: &'a [u8],
}

impl<'a> Delta<'a> {
    pub(crate) const fn new(runs: &'a [u8]) -> Self {
        Self { runs }
    }

    /// Bytes that the delta takes in its record.
    pub const fn size(&self) -> usize {
        self.runs.len()
    }

    /// Turns the old version of the page into the new one. On an error part of it may be changed.
    pub fn apply(&self, page: &mut [u8; PAGE_SIZE]) -> Result<(), DecodeError> {
        let mut fields = Fields::new(self.runs);
        let mut rest = page.as_mut_slice();
        while !fields.is_empty() {
            let (skip, new) = next_run(&mut fields).ok_or(OUTSIDE)?;
            let (_, behind) = rest.split_at_mut_checked(skip).ok_or(OUTSIDE)?;
            let (place, behind) = behind.split_at_mut_checked(new.len()).ok_or(OUTSIDE)?;
            place.copy_from_slice(new);
            rest = behind;
        }
        Ok(())
    }

    /// Whether [`Delta::apply`] can apply it, to whatever page.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let mut fields = Fields::new(self.runs);
        let mut rest = PAGE_SIZE;
        while !fields.is_empty() {
            let (skip, new) = next_run(&mut fields).ok_or(OUTSIDE)?;
            rest = rest
                .checked_sub(skip)
                .and_then(|rest| rest.checked_sub(new.len()))
                .ok_or(OUTSIDE)?;
        }
        Ok(())
    }
}

/// How many bytes stay as they are, and the new ones that follow them.
#[inline]
fn next_run<'a>(fields: &mut Fields<'a>) -> Option<(usize, &'a [u8])> {
    let skip = fields.varint_usize()?;
    let length = fields.varint_usize()?;
    Some((skip, fields.take(length)?))
}

/// Appends the delta from `old` to `new`.
pub(crate) fn encode(old: &[u8; PAGE_SIZE], new: &[u8; PAGE_SIZE], out: &mut Vec<u8>) {
    let mut runs = Runs {
        new,
        out,
        written: 0,
        start: 0,
        end: 0,
    };
    let (old_pieces, _) = old.as_chunks::<PIECE>();
    let (new_pieces, _) = new.as_chunks::<PIECE>();
    for (index, (old, new)) in old_pieces.iter().zip(new_pieces).enumerate() {
        if old != new {
            runs.compare(index * PIECE, old, new);
        }
    }
    runs.flush();
}

/// Collects the bytes that differ into runs.
struct Runs<'a> {
    new: &'a [u8; PAGE_SIZE],
    out: &'a mut Vec<u8>,
    /// End of the last run that was written.
    written: usize,
    /// The run being collected; empty when there is none.
    start: usize,
    end: usize,
}

impl Runs<'_> {
    fn compare(&mut self, at: usize, old: &[u8; PIECE], new: &[u8; PIECE]) {
        let (old_words, _) = old.as_chunks::<WORD>();
        let (new_words, _) = new.as_chunks::<WORD>();
        for (index, (old, new)) in old_words.iter().zip(new_words).enumerate() {
            let differing = u64::from_le_bytes(*old) ^ u64::from_le_bytes(*new);
            if differing != 0 {
                let word = at + index * WORD;
                let first = differing.trailing_zeros() as usize / 8;
                let behind = WORD - differing.leading_zeros() as usize / 8;
                self.extend(word + first, word + behind);
            }
        }
    }

    #[inline]
    fn extend(&mut self, start: usize, end: usize) {
        if self.end == 0 || start > self.end + MERGE_GAP {
            self.flush();
            self.start = start;
        }
        self.end = end;
    }

    fn flush(&mut self) {
        let Some(bytes) = self
            .new
            .get(self.start..self.end)
            .filter(|bytes| !bytes.is_empty())
        else {
            return;
        };
        put_varint(self.out, (self.start - self.written) as u64);
        put_varint(self.out, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        self.written = self.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(old: &[u8; PAGE_SIZE], new: &[u8; PAGE_SIZE]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(old, new, &mut out);
        let mut page = *old;
        assert_eq!(Delta::new(&out).check(), Ok(()));
        Delta::new(&out).apply(&mut page).unwrap();
        assert!(page == *new);
        out
    }

    #[test]
    fn equal_pages_have_an_empty_delta() {
        assert!(delta(&[7; PAGE_SIZE], &[7; PAGE_SIZE]).is_empty());
    }

    #[test]
    fn a_changed_byte_anywhere_makes_one_short_run() {
        for at in [0, 1, 7, 8, 63, 64, 4095] {
            let mut new = [0; PAGE_SIZE];
            new[at] = 0xff;
            assert!(delta(&[0; PAGE_SIZE], &new).len() <= 4);
        }
    }

    #[test]
    fn near_changes_are_one_run_and_far_ones_are_two() {
        let mut new = [0; PAGE_SIZE];
        (new[100], new[103]) = (1, 1);
        assert_eq!(delta(&[0; PAGE_SIZE], &new).len(), 1 + 1 + 4);
        new[300] = 1;
        assert_eq!(delta(&[0; PAGE_SIZE], &new).len(), 6 + 2 + 1 + 1);
    }

    #[test]
    fn a_page_that_changed_everywhere_is_one_run() {
        assert_eq!(delta(&[0; PAGE_SIZE], &[1; PAGE_SIZE]).len(), PAGE_SIZE + 3);
    }

    #[test]
    fn runs_that_leave_the_page_are_refused() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1];
        for runs in [&[0xff, 0x1f, 2, 1, 1][..], &[0, 5, 1], &[0x80], &[1], &huge] {
            let delta = Delta::new(runs);
            assert_eq!(delta.apply(&mut [0; PAGE_SIZE]), Err(OUTSIDE));
            assert_eq!(delta.check(), Err(OUTSIDE));
        }
    }
}
