//! Hashes of texts and integers, which clients use as keys of advisory locks: Bob Jenkins' function of 2006 (lookup3)
//! with PostgreSQL's beginning, over little-endian bytes.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, integer, text, whole};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_hashtext", 1, |a| short(text(a, 0)?.as_bytes())),
    Scalar::pure("pg_hashname", 1, |a| short(text(a, 0)?.as_bytes())),
    Scalar::pure("pg_hashbpchar", 1, |a| short(text(a, 0)?.as_bytes())),
    Scalar::pure("pg_hashint2", 1, |a| short(&four_bytes(integer(a, 0)?))),
    Scalar::pure("pg_hashint4", 1, |a| short(&four_bytes(integer(a, 0)?))),
    Scalar::pure("pg_hashoid", 1, |a| short(&four_bytes(integer(a, 0)?))),
    Scalar::pure("pg_hashint8", 1, |a| short(&folded(integer(a, 0)?))),
    Scalar::pure("pg_hashtextextended", 2, |a| {
        long(text(a, 0)?.as_bytes(), a)
    }),
    Scalar::pure("pg_hashnameextended", 2, |a| {
        long(text(a, 0)?.as_bytes(), a)
    }),
    Scalar::pure("pg_hashbpcharextended", 2, |a| {
        long(text(a, 0)?.as_bytes(), a)
    }),
    Scalar::pure("pg_hashint2extended", 2, |a| {
        long(&four_bytes(integer(a, 0)?), a)
    }),
    Scalar::pure("pg_hashint4extended", 2, |a| {
        long(&four_bytes(integer(a, 0)?), a)
    }),
    Scalar::pure("pg_hashoidextended", 2, |a| {
        long(&four_bytes(integer(a, 0)?), a)
    }),
    Scalar::pure("pg_hashint8extended", 2, |a| {
        long(&folded(integer(a, 0)?), a)
    }),
];

fn short(bytes: &[u8]) -> Answer {
    let (_, low) = hash(bytes, 0);
    whole(low.cast_signed().into())
}

/// With the seed that is the second argument.
fn long(bytes: &[u8], arguments: &[SqlValueRef<'_>]) -> Answer {
    let (high, low) = hash(bytes, integer(arguments, 1)?.cast_unsigned());
    whole(((u64::from(high) << 32) | u64::from(low)).cast_signed())
}

/// The low half of an integer.
fn four_bytes(value: i64) -> [u8; 4] {
    let [a, b, c, d, ..] = value.to_le_bytes();
    [a, b, c, d]
}

/// Four bytes of eight, so that equal integers of either size have the same.
fn folded(value: i64) -> [u8; 4] {
    let high = value >> 32;
    four_bytes(value ^ if value < 0 { !high } else { high })
}

fn hash(bytes: &[u8], seed: u64) -> (u32, u32) {
    // The length counts modulo 2^32.
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(0);
    let start = 0x9e37_79b9_u32.wrapping_add(length).wrapping_add(3_923_095);
    let mut state = [start; 3];
    if seed != 0 {
        let half = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or(0);
        add(&mut state, [half(seed >> 32), half(seed), 0]);
        mix(&mut state);
    }
    let (whole, rest) = bytes.as_chunks::<12>();
    for piece in whole {
        add(&mut state, words(piece));
        mix(&mut state);
    }
    // The lowest byte of the last word is that of the length, so the ninth byte of the rest stands one higher.
    let mut last = [0; 12];
    for (index, byte) in rest.iter().enumerate() {
        if let Some(place) = last.get_mut(index + usize::from(index >= 8)) {
            *place = *byte;
        }
    }
    add(&mut state, words(&last));
    finish(state)
}

fn words(bytes: &[u8; 12]) -> [u32; 3] {
    let mut words = [0; 3];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

fn add([a, b, c]: &mut [u32; 3], words: [u32; 3]) {
    *a = a.wrapping_add(words[0]);
    *b = b.wrapping_add(words[1]);
    *c = c.wrapping_add(words[2]);
}

fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    *state = [a, b, c];
}

/// The last two words.
fn finish([mut a, mut b, mut c]: [u32; 3]) -> (u32, u32) {
    let step = |into: u32, from: u32, by: u32| (into ^ from).wrapping_sub(from.rotate_left(by));
    c = step(c, b, 14);
    a = step(a, c, 11);
    b = step(b, a, 25);
    c = step(c, b, 16);
    a = step(a, c, 4);
    b = step(b, a, 14);
    c = step(c, b, 24);
    (b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> i32 {
        hash(text.as_bytes(), 0).1.cast_signed()
    }

    fn seeded(text: &str, seed: i64) -> i64 {
        let (high, low) = hash(text.as_bytes(), seed.cast_unsigned());
        ((u64::from(high) << 32) | u64::from(low)).cast_signed()
    }

    #[test]
    fn texts_have_postgresqls_hashes() {
        assert_eq!(of(""), -1_477_818_771);
        assert_eq!(of("a"), 1_075_015_857);
        assert_eq!(of("twelve bytes"), 652_846_557);
        assert_eq!(of("hello world, this is long"), -1_137_652_777);
        assert_eq!(seeded("abc", 0), -6_747_756_470_228_489_321);
        assert_eq!(seeded("abc", 42), 4_423_357_919_252_764_502);
        assert_eq!(
            seeded("a longer text of bytes", -1),
            -3_562_342_237_605_658_040
        );
    }

    #[test]
    fn an_integer_has_one_hash_whatever_its_size() {
        for (value, expected) in [
            (5, -1_330_264_708),
            (-5, 1_412_886_042),
            (12_345_678_901, -431_047_693),
        ] {
            assert_eq!(hash(&folded(value), 0).1.cast_signed(), expected);
        }
        assert_eq!(four_bytes(-5), folded(-5));
    }
}
