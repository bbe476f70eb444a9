//! Drawing things of other types than the generator's.

use disk::testing::Random;

/// Draws by the generator.
pub(crate) trait Draw {
    /// An index into something of this length, which is not 0.
    fn index(&mut self, length: usize) -> usize;

    /// A number below `bound`, which is not 0.
    fn small(&mut self, bound: u32) -> u32;
}

impl Draw for Random {
    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    fn small(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(u64::from(bound))).expect("below a small number")
    }
}
