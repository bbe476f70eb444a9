//! What stands in pages: made from a number, and known again by a number.

use crate::draw::Draw as _;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use disk::testing::Random;
use pagestore::{PAGE_SIZE, PageData};

/// Tells whether two pages are equal. Never stored, so any good hash will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print(u64);

impl Print {
    /// The print of this page.
    pub(crate) fn of(page: &PageData) -> Self {
        let mut hasher = DefaultHasher::new();
        page.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// A page of zeros.
    pub(crate) fn zeros() -> Self {
        Self::of(&[0; PAGE_SIZE])
    }
}

/// Another content for the page: most of the time a few bytes of it change, as in a database.
pub(crate) fn change(page: &mut PageData, random: &mut Random) {
    if random.below(4) == 0 {
        let seed = random.next();
        for (index, byte) in page.iter_mut().enumerate() {
            // Text-like: repeats, so that it compresses somewhat.
            *byte = (seed >> ((index % 7) * 8) & 0x7f) as u8
                ^ u8::try_from(index / 97).unwrap_or_default();
        }
    }
    for _ in 0..=random.below(3) {
        let length = 1 + random.index(40);
        let at = random.index(PAGE_SIZE - length);
        let value = random.next().to_le_bytes();
        for (index, byte) in page[at..at + length].iter_mut().enumerate() {
            *byte = value[index % 6];
        }
    }
}
