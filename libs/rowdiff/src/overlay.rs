//! Pages of a commit, laid over what was before.

use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::pages::{Image, Pages};

/// A database after a commit: its pages where it has any, else those before.
pub struct Overlay<'a> {
    /// The database before.
    pub below: &'a dyn Pages,
    /// The pages of the commit, by number.
    pub pages: &'a FxHashMap<u32, Image>,
    /// How many pages the database has after it.
    pub count: u32,
}

impl Pages for Overlay<'_> {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        match self.pages.get(&number) {
            Some(image) => Ok(Image::clone(image)),
            None => self.below.page(number),
        }
    }
}
