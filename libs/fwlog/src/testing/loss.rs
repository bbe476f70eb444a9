//! What a power cut leaves of a file.

use crate::testing::Random;

/// What a power cut leaves or loses as a whole.
const SECTOR: usize = 512;

/// A file as its users see it, and as the disk has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) live: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    /// What was done since the last sync.
    pub(crate) pending: Vec<Change>,
    /// The name, or its removal, may not be on the disk.
    pub(crate) name_in_doubt: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

pub(crate) fn torn(new: Option<&[u8]>, old: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut bytes = new?.to_vec();
    let half = bytes.len() / 2;
    let old = old.unwrap_or_default();
    for (byte, old) in bytes
        .iter_mut()
        .zip(old.iter().chain(std::iter::repeat(&0)))
        .take(half)
    {
        *byte = *old;
    }
    Some(bytes)
}

/// The seed with which nothing is lost.
const ALL_SURVIVES: u64 = 1;

/// Decides what is lost.
pub(crate) struct Chance {
    seed: u64,
    random: Random,
}

impl Image {
    /// What the disk has when all is written that the operating system holds for unwritten.
    pub(crate) fn after_sync(&self) -> Vec<u8> {
        Chance::new(ALL_SURVIVES).left_of(self)
    }
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            random: Random::new(seed),
        }
    }

    pub(crate) fn survives(&mut self) -> bool {
        match self.seed {
            0 => false,
            ALL_SURVIVES => true,
            _ => self.random.coin(),
        }
    }

    pub(crate) fn left_of(&mut self, image: &Image) -> Vec<u8> {
        let mut left = image.durable.clone();
        for change in &image.pending {
            match change {
                Change::Truncate(length) => {
                    if self.survives() {
                        left.resize(*length, 0);
                    }
                }
                Change::Write(at, bytes) => {
                    // Whole sectors of the disk, not pieces of the write.
                    let first = SECTOR - at % SECTOR;
                    let (head, rest) = bytes.split_at(first.min(bytes.len()));
                    let mut from = *at;
                    for sector in std::iter::once(head).chain(rest.chunks(SECTOR)) {
                        if self.survives() {
                            put(&mut left, from, sector);
                        }
                        from += sector.len();
                    }
                }
            }
        }
        left
    }
}

/// Writes `bytes` at `at`, with zeros between the end and there.
pub(crate) fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}
