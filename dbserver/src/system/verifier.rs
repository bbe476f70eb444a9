//! Passwords as they are kept: a SCRAM-SHA-256 verifier, from which the password cannot be had.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pgwire::api::auth::sasl::scram::{ScramSecret, gen_salted_password};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::EngineError;

const ITERATIONS: usize = 4096;
const SALT_BYTES: usize = 16;

/// A verifier in PostgreSQL's form,
/// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, with a fresh salt.
pub fn from_password(password: &str) -> Result<String, EngineError> {
    let mut salt = vec![0; SALT_BYTES];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| EngineError::Storage("the system gives no random bytes".into()))?;
    let salted = gen_salted_password(password, &salt, ITERATIONS);
    match ScramSecret::verifier_from_salted_password(salt, salted, ITERATIONS) {
        ScramSecret::Verifier {
            salt,
            iterations,
            stored_key,
            server_key,
        } => Ok(format!(
            "SCRAM-SHA-256${iterations}:{}${}:{}",
            STANDARD.encode(salt),
            STANDARD.encode(stored_key),
            STANDARD.encode(server_key)
        )),
        ScramSecret::SaltedPassword { .. } => Err(EngineError::Internal(
            "a verifier was asked for, a salted password came".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::users::is_verifier;

    #[test]
    fn each_verifier_has_its_own_salt() {
        let (one, two) = (
            from_password("secret").unwrap(),
            from_password("secret").unwrap(),
        );
        assert!(is_verifier(&one) && is_verifier(&two));
        assert_ne!(one, two);
        assert!(!one.contains("secret"));
    }
}
