//! The Unix socket of a server: which file it is.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The longest path of a socket, in bytes: what the system has room for (`sun_path` of `unix(7)`).
pub const MAX_PATH_BYTES: usize = 107;

/// The word for no socket at all.
const NONE: &str = "none";

/// `SocketDir`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketDir {
    /// The directory.
    pub path: PathBuf,
    /// Whether nobody has named it: then a server that can't have a socket there does without.
    pub is_default: bool,
}

impl SocketDir {
    /// The directory of this text; relative to that of the file.
    pub(crate) fn read(text: &str, directory: &Path, is_default: bool) -> Option<Self> {
        if text.eq_ignore_ascii_case(NONE) {
            return None;
        }
        let path = directory.join(text);
        Some(Self { path, is_default })
    }
}

/// The socket in a directory of the server with this port, named as clients of PostgreSQL look for it.
///
/// Error: its path is longer than the system takes.
pub fn socket_path(directory: &Path, port: u16) -> Result<PathBuf, String> {
    let path = directory.join(format!(".s.PGSQL.{port}"));
    let bytes = path.as_os_str().as_bytes().len();
    if bytes > MAX_PATH_BYTES {
        return Err(format!(
            "the path of the Unix socket {} would have {bytes} bytes, and the system takes {MAX_PATH_BYTES} at most: name a shorter directory",
            path.display()
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_named_as_clients_look_for_it_and_its_path_has_a_limit() {
        let path = socket_path(Path::new("/run/eloqdb"), 8102).unwrap();
        assert_eq!(path, Path::new("/run/eloqdb/.s.PGSQL.8102"));
        // A slash, the name and the port: 1 + 9 + 4.
        let longest = format!("/{}", "d".repeat(MAX_PATH_BYTES - 15));
        assert!(socket_path(Path::new(&longest), 8102).is_ok());
        let refused = socket_path(Path::new(&longest), 18102).unwrap_err();
        assert!(refused.contains("108 bytes"), "{refused}");
    }

    #[test]
    fn none_is_no_directory() {
        let read = |text| SocketDir::read(text, Path::new("/etc/eloqdb"), false);
        assert_eq!(read("None"), None);
        assert_eq!(read("run").unwrap().path, Path::new("/etc/eloqdb/run"));
        assert_eq!(read("/run").unwrap().path, Path::new("/run"));
    }
}
