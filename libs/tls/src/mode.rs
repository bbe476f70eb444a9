//! How much a client wants of TLS.

use std::fmt;
use std::str::FromStr;

/// The modes of libpq's `sslmode`, in rising order; `allow` is left out, which asks for TLS last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Never.
    Disable,
    /// Where the server has it.
    #[default]
    Prefer,
    /// Always, with whatever certificate the server shows, unless a file of authorities is given: then as `VerifyCa`.
    Require,
    /// Always, with a certificate that one of the authorities has signed, for whatever name.
    VerifyCa,
    /// Always, with a certificate that one of the authorities has signed for the name that is connected to.
    VerifyFull,
}

impl Mode {
    /// All, in rising order.
    pub const ALL: [Self; 5] = [
        Self::Disable,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// Whether clear text will not do.
    pub fn is_required(self) -> bool {
        self >= Self::Require
    }

    /// Whether the certificate is worth nothing without an authority.
    pub fn needs_authority(self) -> bool {
        self >= Self::VerifyCa
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| {
            format!("\"{text}\" is none of disable, prefer, require, verify-ca, verify-full")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_as_they_are_read() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert!("allow".parse::<Mode>().is_err());
        assert_eq!(Mode::default(), Mode::Prefer);
    }
}
