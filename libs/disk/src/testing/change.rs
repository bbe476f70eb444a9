//! Changes of a file that are not on the platter yet, and which of them survive.

use super::random::Random;

/// What a power cut leaves or loses as a whole.
pub(crate) const SECTOR: usize = 512;

/// A change that is in memory alone.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Bytes at an offset.
    Write(usize, Vec<u8>),
    /// The file is at least so long.
    Grow(usize),
    /// The file is so long, and was longer.
    Cut(usize),
}

impl Change {
    /// Makes the change, or what survives of it.
    pub(crate) fn apply(&self, content: &mut Vec<u8>, survives: &mut dyn FnMut() -> bool) {
        match self {
            Self::Write(at, bytes) => {
                for (from, sector) in sectors(*at, bytes) {
                    if survives() {
                        put(content, from, sector);
                    }
                }
            }
            Self::Grow(length) => {
                if content.len() < *length && survives() {
                    content.resize(*length, 0);
                }
            }
            Self::Cut(length) => {
                if survives() {
                    content.truncate(*length);
                }
            }
        }
    }

    /// Makes all of the change.
    pub(crate) fn apply_whole(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => put(content, *at, bytes),
            _ => self.apply(content, &mut || true),
        }
    }
}

/// The pieces of a write by sectors of the disk, not by its own beginning.
pub(crate) fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let first = (SECTOR - at % SECTOR).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    let begins = std::iter::once(at).chain((at + first..).step_by(SECTOR));
    begins.zip(std::iter::once(head).chain(rest.chunks(SECTOR)))
}

/// Writes `bytes` at `at`, with zeros between the end and there.
pub(crate) fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

/// Decides what survives a power cut.
pub(crate) struct Chance {
    /// Of 16.
    survivors: u64,
    pub(crate) random: Random,
}

impl Chance {
    /// Seed 0 loses everything, seed 1 nothing; others lose much, half or little.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let survivors = match seed {
            0 => 0,
            1 => 16,
            _ => [1, 4, 8, 12, 15][usize::try_from(random.below(5)).unwrap_or_default()],
        };
        Self { survivors, random }
    }

    pub(crate) fn survives(&mut self) -> bool {
        self.random.below(16) < self.survivors
    }

    /// How many of `count` ordered things survive: a prefix of them.
    pub(crate) fn prefix(&mut self, count: usize) -> usize {
        match self.survivors {
            0 => 0,
            16 => count,
            _ => usize::try_from(self.random.below(count as u64 + 1)).unwrap_or(count),
        }
    }
}
