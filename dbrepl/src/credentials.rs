//! Who logs in at the slaves, and with which password.

use std::fmt;
use std::path::{Path, PathBuf};

use dbconfig::password_file;

use crate::error::ShipError;

/// A password that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps it.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user, and the password as it was read last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User on the slave.
    pub user: String,
    /// The user's password.
    pub password: Option<Password>,
    /// The file that it is from.
    pub file: Option<PathBuf>,
}

impl Credentials {
    /// Reads the password file again, after access was refused. True where it has another password by now.
    pub fn read_again(&mut self) -> Result<bool, ShipError> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let password = Some(read(file)?);
        let changed = password != self.password;
        self.password = password;
        Ok(changed)
    }
}

/// The password in a file.
pub fn read(path: &Path) -> Result<Password, ShipError> {
    password_file::read(path)
        .map(Password::new)
        .map_err(ShipError::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_is_news_once_it_has_another_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pw");
        let write = |text: &str| {
            disk::Disk::real()
                .write_atomic(&path, text.as_bytes(), 0o600)
                .unwrap();
        };
        write("one\n");
        let mut credentials = Credentials {
            user: "dba".to_owned(),
            password: Some(read(&path).unwrap()),
            file: Some(path.clone()),
        };
        assert_eq!(credentials.read_again(), Ok(false));
        write("two\n");
        assert_eq!(credentials.read_again(), Ok(true));
        assert_eq!(credentials.password, Some(Password::new("two")));
        assert_eq!(credentials.read_again(), Ok(false));
        std::fs::remove_file(&path).unwrap();
        assert!(credentials.read_again().is_err());
        credentials.file = None;
        assert_eq!(credentials.read_again(), Ok(false));
    }
}
