//! Directories that are not there.

use std::path::{Path, PathBuf};

/// The directory that a file should be in and that is not there, or the directory of that name itself where
/// `is_directory`.
fn missing_directory(path: &Path, is_directory: bool) -> Option<PathBuf> {
    let directory = if is_directory {
        Some(path)
    } else {
        path.parent()
    };
    // The directory of a plain name is where the program runs.
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty())?;
    (!directory.exists()).then(|| directory.to_owned())
}

fn make(directory: &Path) -> String {
    let alone = directory.parent().is_none_or(Path::exists);
    let parents = if alone { "" } else { "-p " };
    let directory = directory.display();
    format!(
        "there is no directory {directory}; make it, or bring it back: mkdir {parents}-m 700 {directory}"
    )
}

/// What to do where a file can't be opened or made because its directory is not there; `None`: it is.
pub fn directory_hint(file: &Path) -> Option<String> {
    missing_directory(file, false).map(|directory| make(&directory))
}

/// What to do where a directory can't be opened because it is not there; `None`: it is.
pub fn missing_hint(directory: &Path) -> Option<String> {
    missing_directory(directory, true).map(|directory| make(&directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_line_that_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let hint = |path: &str| directory_hint(&folder.path().join(path));
        assert_eq!(hint("file"), None);
        assert_eq!(directory_hint(Path::new("file")), None);
        let told = hint("logs/file").unwrap();
        assert!(
            told.contains(&format!("no directory {here}/logs;")),
            "{told}"
        );
        assert!(
            told.ends_with(&format!("mkdir -m 700 {here}/logs")),
            "{told}"
        );
        let told = hint("a/b/file").unwrap();
        assert!(
            told.ends_with(&format!("mkdir -p -m 700 {here}/a/b")),
            "{told}"
        );
        assert_eq!(missing_hint(folder.path()), None);
        assert!(missing_hint(&folder.path().join("fwlog")).is_some());
    }
}
