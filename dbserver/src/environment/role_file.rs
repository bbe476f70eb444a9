//! `Role` in the configuration follows the role of the server, where the server may write its file. It knows its role
//! without that: a file that can't be written is a warning.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use dbconfig::{Document, Role};

use crate::databases::control::role_word;
use crate::environment::state::Environment;

impl Environment {
    /// The configuration says the role that is, so that who reads it is not misled. Gives what to tell of it.
    pub(crate) fn write_role(&self) -> String {
        let path = self.config().path.clone();
        self.while_role_stays(|role| self.say_role(&path, role))
            .unwrap_or_else(|error| {
                format!("{} does not say the role yet: {error}", path.display())
            })
    }

    fn say_role(&self, path: &Path, is: Role) -> String {
        let role = role_word(is);
        match self.replace_role(path, role) {
            Ok(()) => {
                let noted = self.configuration_says(is);
                if let Err(error) = noted {
                    tracing::warn!(%error, "what the configuration says of the role is not noted");
                }
                format!("{} says Role = {role}", path.display())
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, role, "the configuration does not say the role; the server knows it all the same");
                format!(
                    "set Role = {role} in {}, which cannot be written: {error}",
                    path.display()
                )
            }
        }
    }

    fn replace_role(&self, path: &Path, role: &str) -> io::Result<()> {
        let before = fs::metadata(path)?;
        if before.uid() != rustix::process::geteuid().as_raw() {
            // The new file would be another's.
            return Err(io::Error::other("it is not the server's own"));
        }
        let old = fs::read_to_string(path)?;
        let unreadable = || io::Error::other("it has mistakes");
        let mut document = Document::parse(&old).map_err(|_| unreadable())?;
        document
            .set("Replication", "Role", role)
            .map_err(io::Error::other)?;
        let disk = self.core().layout().disk();
        disk.write_atomic(
            path,
            document.to_string().as_bytes(),
            before.mode() & 0o7777,
        )
    }
}
