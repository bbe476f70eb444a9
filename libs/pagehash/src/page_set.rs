//! Which pages of a group.

use crate::index::GROUP_PAGES;

const BYTES: usize = GROUP_PAGES as usize / 8;

/// Some of the pages of a group, by their place in it, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSet([u8; BYTES]);

impl PageSet {
    /// None.
    pub const EMPTY: Self = Self([0; BYTES]);

    /// Bytes of its form on the wire.
    pub const SIZE: usize = BYTES;

    /// The first so many.
    pub fn first(count: u32) -> Self {
        (0..count.min(GROUP_PAGES)).collect()
    }

    /// As it was sent.
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// To be sent: page 0 is the lowest bit of the first byte.
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Adds the page at this place.
    ///
    /// # Panics
    /// Where the group has no such place.
    pub fn insert(&mut self, place: u32) {
        assert!(place < GROUP_PAGES, "a group has {GROUP_PAGES} places");
        if let Some(byte) = self.0.get_mut(place as usize / 8) {
            *byte |= 1 << (place % 8);
        }
    }

    /// Whether the page at this place is in it.
    pub fn contains(&self, place: u32) -> bool {
        let byte = self.0.get(place as usize / 8);
        byte.is_some_and(|byte| byte & (1 << (place % 8)) != 0)
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; BYTES]
    }

    /// Whether all of them are among the first so many.
    pub fn is_within(&self, count: u32) -> bool {
        self.iter().all(|place| place < count)
    }

    /// The places, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..GROUP_PAGES).filter(|place| self.contains(*place))
    }
}

impl Default for PageSet {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl FromIterator<u32> for PageSet {
    fn from_iter<T: IntoIterator<Item = u32>>(places: T) -> Self {
        let mut set = Self::EMPTY;
        places.into_iter().for_each(|place| set.insert(place));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let set: PageSet = [0, 9, 511].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 9, 511]);
        assert_eq!(set.len(), 3);
        assert!(set.contains(9) && !set.contains(8) && !set.contains(512));
        assert!(set.is_within(512) && !set.is_within(511));
        assert_eq!(PageSet::from_bytes(*set.as_bytes()), set);
        assert!(PageSet::EMPTY.is_empty() && PageSet::EMPTY.is_within(0));
        assert_eq!(PageSet::first(600).len(), 512);
    }
}
