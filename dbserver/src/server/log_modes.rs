//! Who may read the forward log, for what was made under another setting of `GroupReadAccess`.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fwlog::{
    LogLocation, POSITION_FILE, SERVED_HISTORY_FILE, SERVED_PATH_FILE, SERVED_SETTLED_FILE,
};

use crate::databases::control::LogPlace;
use crate::environment::Environment;

/// Modes of the directory and of the files in it: closed, and open to the group.
const DIRECTORY: [u32; 2] = [0o700, 0o750];
const FILE: [u32; 2] = [0o600, 0o640];

/// Brings directory, segments and what stands beside them to the mode that the configuration says. What a person has
/// given yet another mode stays as it is.
pub(super) fn bring(environment: &Environment) {
    let core = environment.core();
    let location = match core.log_place() {
        LogPlace::ForwardLog => core.log_location(),
        LogPlace::Journal => core.audit_location(),
    };
    let Ok(location) = location else {
        return;
    };
    let open = core.config().forward_log.group_read_access;
    match bring_all(&location, open) {
        Ok(0) => {}
        Ok(changed) => tracing::info!(
            changed,
            "GroupReadAccess = {}: directory and files in {} have the mode that goes with it",
            u8::from(open),
            location.directory.display()
        ),
        Err(error) => tracing::warn!(
            %error,
            "GroupReadAccess = {} does not hold for all of {}; 'chmod' by the owner of its files",
            u8::from(open),
            location.directory.display()
        ),
    }
}

/// How many were brought to another mode.
fn bring_all(location: &LogLocation, open: bool) -> io::Result<usize> {
    let mut changed = usize::from(bring_one(&location.directory, DIRECTORY, open)?);
    for entry in fs::read_dir(&location.directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_of_log = name.to_str().is_some_and(|name| {
            let beside = [
                POSITION_FILE,
                SERVED_HISTORY_FILE,
                SERVED_PATH_FILE,
                SERVED_SETTLED_FILE,
            ];
            beside.contains(&name) || location.naming.segment_of(name).is_some()
        });
        if is_of_log {
            changed += usize::from(bring_one(&entry.path(), FILE, open)?);
        }
    }
    Ok(changed)
}

fn bring_one(path: &Path, [closed, opened]: [u32; 2], open: bool) -> io::Result<bool> {
    let (wanted, other) = if open {
        (opened, closed)
    } else {
        (closed, opened)
    };
    // One that was removed meanwhile needs no mode.
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?,
    };
    // Beside these bits a directory may have the one that gives its group on.
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o777 != other {
        return Ok(false);
    }
    fs::set_permissions(path, Permissions::from_mode(mode & !0o777 | wanted))?;
    Ok(true)
}
