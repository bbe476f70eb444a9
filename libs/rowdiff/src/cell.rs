//! One record in a tree.

use std::ops::Range;

use crate::pages::Image;

/// A cell with a record: where its payload is.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The page that it is on.
    pub(crate) image: Image,
    pub(crate) page: u32,
    /// Of a table's row; 0 in an index.
    pub(crate) rowid: i64,
    /// Bytes of payload, as the cell says: nothing has checked yet that there are as many.
    pub(crate) payload: u64,
    /// The part of it on the page.
    pub(crate) local: Range<usize>,
    /// The page with the next part, 0 for none.
    pub(crate) overflow: u32,
    pub(crate) usable: usize,
}

impl Cell {
    /// The part of the payload on the page itself.
    pub(crate) fn local(&self) -> &[u8] {
        self.image.get(self.local.clone()).unwrap_or_default()
    }
}
