//! Who asks, and with which password. A password never reaches a message, a log or an argument
//! list that this program makes.

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;

use dbconfig::password_file;

use crate::args::Options;
use crate::error::{CommandError, Result};

/// The administrator that `init` makes.
const DEFAULT_USER: &str = "dba";

/// A user and, where it is known, the password.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

impl Credentials {
    /// From options that are settled.
    pub(crate) fn from_options(options: &Options) -> Result<Self> {
        let password = match (&options.password, &options.password_file) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(path)) => Some(first_line(path)?),
            (None, None) => None,
        };
        Ok(Self {
            user: options
                .user
                .clone()
                .unwrap_or_else(|| DEFAULT_USER.to_owned()),
            password,
        })
    }

    /// Asks for the password that the server wants.
    pub(crate) fn ask(&mut self) -> Result<()> {
        if !io::stdin().is_terminal() {
            return Err(CommandError::refused("the server asks for a password")
                .with_hint("set EQ_DBPASSWORD, or use --password-file"));
        }
        self.password = Some(prompt(&format!("Password of {}: ", self.user))?);
        Ok(())
    }
}

/// A password to be set: from an environment variable, else asked for twice.
pub(crate) fn new_password(user: &str, from: &str) -> Result<String> {
    if let Ok(password) = env::var(from) {
        return not_empty(password).map_err(|failure| failure.at(from));
    }
    if !io::stdin().is_terminal() {
        return Err(
            CommandError::usage(format!("there is no password for {user}"))
                .with_hint(format!("set {from}, or run this on a terminal")),
        );
    }
    let first = not_empty(prompt(&format!("New password of {user}: "))?)?;
    if first != prompt("The same again: ")? {
        return Err(CommandError::usage(
            "the passwords differ; nothing was changed",
        ));
    }
    Ok(first)
}

/// What the server stores instead of a password: it proves one and does not reveal it.
pub(crate) fn verifier(password: &str) -> String {
    postgres_protocol::password::scram_sha_256(password.as_bytes())
}

fn not_empty(password: String) -> Result<String> {
    if password.is_empty() {
        return Err(CommandError::usage("an empty password is not accepted"));
    }
    Ok(password)
}

fn prompt(text: &str) -> Result<String> {
    rpassword::prompt_password(text)
        .map_err(|error| CommandError::error(format!("cannot read the password: {error}")))
}

fn first_line(path: &Path) -> Result<String> {
    password_file::read(path).map_err(CommandError::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_does_not_hold_the_password() {
        let verifier = verifier("open sesame");
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:"), "{verifier}");
        assert!(!verifier.contains("sesame"));
    }

    #[test]
    fn the_first_line_of_a_password_file_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pw");
        disk::Disk::real()
            .write_atomic(&path, b"one two\nthree\n", 0o600)
            .unwrap();
        assert_eq!(first_line(&path).unwrap(), "one two");
        disk::Disk::real()
            .write_atomic(&path, b"\nthree\n", 0o600)
            .unwrap();
        assert!(first_line(&path).unwrap_err().message.contains("is empty"));
        assert!(first_line(&directory.path().join("none")).is_err());
    }
}
