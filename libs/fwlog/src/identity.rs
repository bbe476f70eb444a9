//! Which environment a log belongs to, and which instance of it speaks.

use std::fmt;
use std::str::FromStr;

/// Declares 128 random bits that something is known by: the type, its bytes, and its text form (32 hex digits).
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes of the id, as they stand in files and messages.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = ParseHexError;

            fn from_str(text: &str) -> Result<Self, ParseHexError> {
                let mut bytes = [0; 16];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseHexError { digits: 32 })?;
                Ok(Self(bytes))
            }
        }
    };
}

random_id! {
    /// 128 random bits that an environment is given when it is made. A slave has its master's.
    EnvironmentId
}
random_id! {
    /// 128 random bits that an instance is given when it first runs under its name. A copy of its DataDir has the same
    /// until it runs under another one.
    InstanceId
}
random_id! {
    /// 128 random bits that each start of a server draws: two that run on copies of one DataDir differ in it.
    BootNonce
}

/// A text that is not an id or a chain hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hex digits")]
pub struct ParseHexError {
    /// How many digits the text must have.
    pub digits: usize,
}

/// Longest name of an instance, in bytes.
pub const MAX_INSTANCE: usize = 15;

/// What a writer puts into the header of each segment that it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    /// The environment that the log belongs to.
    pub environment: EnvironmentId,
    /// Name of the instance that writes, 1 to 15 bytes.
    pub instance: String,
    /// Size of a database page in bytes.
    pub page_size: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_id_reads_back_what_it_prints() {
        let id =
            EnvironmentId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xfd, 0xfe, 0xff]);
        let text = id.to_string();
        assert_eq!(text, "000102030405060708090a0b0cfdfeff");
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn a_text_of_another_length_is_no_environment_id() {
        assert!("00".parse::<EnvironmentId>().is_err());
        assert!("g0".repeat(16).parse::<EnvironmentId>().is_err());
    }
}
