//! The name of an instance.

use std::fs;

use crate::service::shortened;

/// Longest name, in characters: segment headers have room for so many.
pub const MAX_INSTANCE_CHARS: usize = 15;

/// Checks a name: 1 to 15 letters, digits, `-`, `_` or `.` of ASCII.
pub fn checked(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.len() <= MAX_INSTANCE_CHARS && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{}` is not an instance name; write 1 to {MAX_INSTANCE_CHARS} letters, digits, `-`, `_` or `.`",
        shortened(text)
    ))
}

fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// The name of an instance that has none in its configuration: the host name.
pub fn from_host_name() -> String {
    cut(&host_name())
}

/// What this machine calls itself; empty where it does not say.
pub fn host_name() -> String {
    let read = |path: &str| fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    name.unwrap_or_default().trim().to_owned()
}

/// The host name without its domain and without what can't stand in a name, 15 characters of it.
fn cut(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let name: String = first
        .chars()
        .filter(|c| u8::try_from(*c).is_ok_and(allowed))
        .take(MAX_INSTANCE_CHARS)
        .collect();
    if name.is_empty() {
        "eloqdb".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_15_plain_characters() {
        assert_eq!(checked("db-1.site_A"), Ok("db-1.site_A".to_owned()));
        assert!(checked("123456789012345").is_ok());
        for name in ["", "1234567890123456", "a b", "é", "a/b"] {
            assert!(checked(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_long_host_name_is_cut() {
        assert_eq!(cut("a-very-long-host-name.example.com"), "a-very-long-hos");
        assert_eq!(cut("db1.example.com"), "db1");
        assert_eq!(cut("日本"), "eloqdb");
        assert!(checked(&from_host_name()).is_ok());
    }
}
