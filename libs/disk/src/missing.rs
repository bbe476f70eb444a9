//! Directories that are not there.

use std::path::Path;

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
    missing_hint(file.parent()?)
}

/// What to do where a directory can't be opened because it is not there; `None`: it is.
pub fn missing_hint(directory: &Path) -> Option<String> {
    // The directory of a plain name is where the program runs.
    let is_here = directory.as_os_str().is_empty() || directory.exists();
    (!is_here).then(|| make(directory))
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
