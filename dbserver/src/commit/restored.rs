//! What is said when files of the log had to be written once more.

use std::path::PathBuf;

/// Files of the log had lost their names, and got them back.
pub(crate) fn tell_restored(paths: Vec<PathBuf>) {
    for path in paths {
        tracing::error!(
            "{} was removed, renamed or replaced while the server writes it; it has been written once more, and nothing is lost. Leave the newest segment and fw.position alone",
            path.display()
        );
    }
}
