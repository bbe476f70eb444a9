//! A structure of fixed size whose fields stand at the offsets of [`crate::layout`].

/// The bytes of one structure. Offsets are constants of the layout, so an access beyond the end is
/// a mistake in this crate, never in a file: it panics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedFields<const SIZE: usize>(pub(crate) [u8; SIZE]);

const INSIDE: &str = "a field of the layout lies inside its structure";

impl<const SIZE: usize> FixedFields<SIZE> {
    pub(crate) const fn blank() -> Self {
        Self([0; SIZE])
    }

    pub(crate) fn put(&mut self, at: usize, field: &[u8]) -> &mut Self {
        let place = self.0.get_mut(at..at + field.len()).expect(INSIDE);
        place.copy_from_slice(field);
        self
    }

    pub(crate) fn put_u32(&mut self, at: usize, value: u32) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn put_u64(&mut self, at: usize, value: u64) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    /// Writes the CRC-32C of everything before `at`.
    pub(crate) fn put_crc(&mut self, at: usize) -> &mut Self {
        let crc = crc32c::crc32c(self.before(at));
        self.put_u32(at, crc)
    }

    pub(crate) fn crc_matches(&self, at: usize) -> bool {
        self.u32(at) == crc32c::crc32c(self.before(at))
    }

    pub(crate) fn before(&self, at: usize) -> &[u8] {
        self.0.get(..at).expect(INSIDE)
    }

    pub(crate) fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let rest = self.0.get(at..).expect(INSIDE);
        *rest.first_chunk().expect(INSIDE)
    }

    pub(crate) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(crate) fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}
