//! A file whose first line is a password.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The password in the file. An error says what is wrong with the file, and nothing of its content. A file
/// that everybody can read, or write, holds no secret.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("can't read the password file {shown}: {error}");
    let mut file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(format!(
            "the password file {shown} is open to others (mode {mode:o}); close it with chmod 600"
        ));
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
        set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        let refused = read(path).unwrap_err();
        assert!(refused.contains("mode 644"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}
