//! Whose a Unix socket is: who connects to one of a stranger talks to a stranger.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::error::{CommandError, Result};
use crate::target::LocalEndpoint;

/// The user number of root.
const ROOT: u32 = 0;

/// Refuses a socket that is neither root's, nor one's own, nor of the owner of the server's files, nor of the owner of
/// its directory. Where there is none, a connection says so.
pub(crate) fn check(local: &LocalEndpoint) -> Result<()> {
    let Ok(found) = fs::symlink_metadata(&local.path) else {
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    let places = [local.data_dir.as_deref(), Some(local.directory.as_path())];
    let owners = places
        .into_iter()
        .flatten()
        .filter_map(|path| fs::metadata(path).ok());
    let mut trusted = [ROOT, own]
        .into_iter()
        .chain(owners.map(|owner| owner.uid()));
    if trusted.any(|uid| uid == found.uid()) {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "the Unix socket {} belongs to user {}, and not to root, to you or to the owner of its directory",
        local.path.display(),
        found.uid()
    ))
    .with_hint("it may be another program's; where it is the server's, name its configuration with -c: DataDir tells whose that is"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_socket_of_a_stranger_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let local = LocalEndpoint {
            directory: directory.path().to_owned(),
            port: 1,
            path: path.clone(),
            data_dir: None,
            is_tried: false,
        };
        assert!(check(&local).is_ok());
        let _socket = UnixListener::bind(&path).unwrap();
        assert!(check(&local).is_ok());
        // Only root can give files away.
        if chown(&path, Some(65534), None).is_err() {
            return;
        }
        let refused = check(&local).unwrap_err();
        assert!(
            refused.message.contains("user 65534"),
            "{}",
            refused.message
        );
        let data_dir = tempfile::tempdir().unwrap();
        chown(data_dir.path(), Some(65534), None).unwrap();
        let known = LocalEndpoint {
            data_dir: Some(data_dir.path().to_owned()),
            ..local
        };
        assert!(check(&known).is_ok());
    }
}
