//! What tells pages of a group apart.

/// The low three bytes of a page's crc32c.
///
/// One in 16 million pages that differ has the same sum. That costs bytes and is no fault: the value of the group, which the
/// taker has to come to, tells, and the whole group is sent. So it is as short as it may be, since every page of a group has to
/// be told apart where one of them differs, and it is a sum that both sides have of each page anyway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PageSum([u8; Self::SIZE]);

impl PageSum {
    /// Bytes of it.
    pub const SIZE: usize = 3;

    /// Of a page whose crc32c is this.
    pub const fn of_crc(crc: u32) -> Self {
        let [first, second, third, _] = crc.to_le_bytes();
        Self([first, second, third])
    }

    /// As it was sent.
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// To be sent.
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_three_bytes_of_the_crc() {
        let sum = PageSum::of_crc(0x1122_3344);
        assert_eq!(sum.as_bytes(), &[0x44, 0x33, 0x22]);
        assert_eq!(PageSum::from_bytes(*sum.as_bytes()), sum);
        assert_eq!(sum, PageSum::of_crc(0xff22_3344));
        assert_ne!(sum, PageSum::of_crc(0x1122_3345));
    }
}
