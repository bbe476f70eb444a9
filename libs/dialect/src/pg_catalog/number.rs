//! Numbers of objects, which come from their names, so that they stay.

/// The first oid that PostgreSQL gives to what users make.
pub(crate) const FIRST: u32 = 16_384;

/// The number of an object by its kind and name, where no other has it.
pub(crate) fn number_of(kind: &str, name: &str) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for byte in kind.bytes().chain([0]).chain(name.bytes()) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    FIRST + hash % 0x3fff_0000
}

/// The same of a type that a user makes.
pub(crate) fn number_of_type(name: &str) -> u32 {
    number_of("type", name)
}
