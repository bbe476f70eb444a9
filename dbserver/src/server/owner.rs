//! Whose environment it is: files that one user makes in the directory of another can't be read by that
//! one any more, so only the owner of `DataDir` serves it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::error::EngineError;

/// Refuses a directory of another user. Where there is none, whoever makes it will be its owner.
pub fn refuse_other(data_dir: &Path) -> Result<(), EngineError> {
    let own = rustix::process::geteuid().as_raw();
    match fs::metadata(data_dir) {
        Ok(found) if found.uid() != own => Err(other(data_dir, found.uid(), own)),
        // What else is wrong with it, a start says.
        _ => Ok(()),
    }
}

fn other(data_dir: &Path, owner: u32, own: u32) -> EngineError {
    let (owner, own) = (signals::user(owner), signals::user(own));
    EngineError::state(
        format!(
            "DataDir {} belongs to {owner}, and this is {own}",
            data_dir.display()
        ),
        format!(
            "Run it as its owner ('runuser -u NAME -- …', in systemd 'User='), or give DataDir and the log directory to {own} with all files (chown -R)."
        ),
    )
}
