//! Bytes that nobody can guess.

use pgtypes::{SqlState, SqlValue as Value};
use ring::rand::{SecureRandom, SystemRandom};

use crate::session::functions::facts::SessionFunction;
use crate::session::functions::refusal::Refusal;

/// The most random bytes of one call.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "gen_random_bytes" => |_, arguments| bytes(arguments),
        _ => return None,
    })
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
