//! Numbers and names that nobody can guess.

use dialect::functions::Value;
use pgtypes::SqlState;
use ring::rand::{SecureRandom, SystemRandom};

use crate::session::functions::facts::SessionFunction;
use crate::session::functions::refusal::Refusal;

/// The most random bytes of one call.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "eq_random" => |_, _| double().map(Value::Real),
        "gen_random_uuid" => |_, _| uuid().map(Value::Text),
        "gen_random_bytes" => |_, arguments| bytes(arguments),
        _ => return None,
    })
}

fn fill<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    fill_all(&mut bytes)?;
    Ok(bytes)
}

fn fill_all(bytes: &mut [u8]) -> Result<(), Refusal> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Refusal::new(SqlState::INTERNAL_ERROR, "the system has no random numbers"))
}

/// As many random bytes as the argument says: pgcrypto's function, without its limit of 1024.
fn bytes(arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Integer(count)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let count = usize::try_from(*count)
        .ok()
        .filter(|count| (1..=MAX_BYTES).contains(count))
        .ok_or_else(|| {
            Refusal::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("gen_random_bytes gives from 1 to {MAX_BYTES} bytes"),
            )
        })?;
    let mut bytes = vec![0; count];
    fill_all(&mut bytes)?;
    Ok(Value::Blob(bytes))
}

/// A number from 0 up to, and without, 1.
fn double() -> Result<f64, Refusal> {
    let number = u32::from_le_bytes(fill()?);
    Ok(f64::from(number) / 4_294_967_296.0)
}

/// A UUID of version 4 (RFC 9562): 122 random bits.
fn uuid() -> Result<String, Refusal> {
    let bits = u128::from_le_bytes(fill()?);
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| hex.get(part)).collect();
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_version_and_variant() {
        for _ in 0..20 {
            let Ok(uuid) = uuid() else {
                panic!("no random numbers")
            };
            assert_eq!(uuid.len(), 36);
            assert_eq!(uuid.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        }
    }

    #[test]
    fn a_double_is_below_one() {
        assert!((0..100).all(|_| double().is_ok_and(|number| (0.0..1.0).contains(&number))));
    }
}
