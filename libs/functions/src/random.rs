//! What is different each time: `random` and `gen_random_uuid`.

use ring::rand::{SecureRandom, SystemRandom};

use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, double, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_gen_random_uuid", 0, uuid).volatile(),
    Scalar::pure("pg_drandom", 0, fraction).volatile(),
];

fn bytes<const N: usize>() -> Result<[u8; N], ValueError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        ValueError::new(SqlState::INTERNAL_ERROR, "could not generate random values")
    })?;
    Ok(bytes)
}

/// Version 4, by RFC 4122.
fn uuid(_: &[SqlValueRef<'_>]) -> Answer {
    let mut bytes = bytes::<16>()?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    written(pgtypes::uuid::text(bytes))
}

/// From 0 up to, but not including, 1: as many bits as a double has.
fn fraction(_: &[SqlValueRef<'_>]) -> Answer {
    let bits = u64::from_le_bytes(bytes()?) >> 11;
    let whole = pgtypes::float::double_of_integer(i64::try_from(bits).unwrap_or(0));
    double(whole / 9_007_199_254_740_992.0)
}

#[cfg(test)]
mod tests {
    use super::{fraction, uuid};

    #[test]
    fn identifiers_are_of_version_4_and_fractions_below_1() {
        let pgtypes::SqlValue::Text(text) = uuid(&[]).unwrap() else {
            panic!("no text");
        };
        assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'));
        assert!("89ab".contains(char::from(text.as_bytes()[19])));
        let pgtypes::SqlValue::Real(value) = fraction(&[]).unwrap() else {
            panic!("no number");
        };
        assert!((0.0..1.0).contains(&value));
    }
}
