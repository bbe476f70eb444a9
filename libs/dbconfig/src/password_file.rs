//! A file whose first line is a password.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::error::{ConfigError, Problem};

/// The password in the file. An error says what is wrong with the file, and nothing of its content.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("can't read the password file {shown}: {error}");
    let mut file = File::open(path).map_err(failed)?;
    if let Some(mode) = open_to(&file).map_err(failed)? {
        return Err(format!("the password file {shown} {}", closing(mode)));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!(
            "the first line of the password file {shown} is empty"
        )),
    }
}

/// The mode of a file that its group or everybody can read or write: it holds no secret. The rule is that of
/// PostgreSQL's `.pgpass`.
pub(crate) fn open_to(file: &File) -> std::io::Result<Option<u32>> {
    let mode = file.metadata()?.mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// What is wrong with a file of this mode, and what to do.
pub(crate) fn closing(mode: u32) -> String {
    format!("is open to others (mode {mode:o}); close it with chmod 600")
}

/// A file with a password is a password file.
pub(crate) fn refuse_open(path: &Path) -> Result<(), ConfigError> {
    let open = File::open(path).and_then(|file| open_to(&file));
    let open = open.map_err(|reason| ConfigError::Read {
        path: path.to_owned(),
        reason,
    })?;
    let Some(mode) = open else { return Ok(()) };
    Err(ConfigError::Invalid {
        path: path.to_owned(),
        problems: vec![Problem {
            line: None,
            message: format!("has a password, and {}", closing(mode)),
        }],
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"secret\nmore").unwrap();
        let path = file.path();
        assert_eq!(read(path).unwrap(), "secret");
        for mode in [0o644, 0o640, 0o620, 0o602] {
            set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let refused = read(path).unwrap_err();
            assert!(refused.contains(&format!("mode {mode:o}")), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
