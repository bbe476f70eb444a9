//! Where a repository is, as users write it.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;

use crate::directory::Directory;
use crate::store::Store;

const DIRECTORY: &str = "file://";

/// Whether a text names the place of a repository, and not a server.
pub fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// The store in a directory; nothing is looked at yet.
pub fn directory_at(url: &str) -> Result<Arc<dyn Store>, String> {
    let Some(path) = url.strip_prefix(DIRECTORY) else {
        return Err(format!("'{url}' is no directory: write file:///DIRECTORY"));
    };
    if !path.starts_with('/') || path.trim_matches('/').is_empty() {
        return Err(format!(
            "'{url}' names no directory: write file:// and its path from the root, as file:///backup/eloqdb"
        ));
    }
    let has_odd = path.split('/').any(|word| word == "." || word == "..");
    if has_odd || path.contains(['?', '#', '%']) {
        return Err(format!(
            "'{url}': write the directory without ., .., ?, # and %"
        ));
    }
    let path = Path::new(path.trim_end_matches('/'));
    Ok(Arc::new(Directory::new(Disk::real(), path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_named_by_its_path_from_the_root() {
        let place = |url: &str| directory_at(url).map(|store| store.place());
        assert_eq!(
            place("file:///backup/eloqdb/").as_deref(),
            Ok("file:///backup/eloqdb")
        );
        for odd in [
            "file://backup/x",
            "file:///",
            "file://",
            "file:///a/../b",
            "file:///a%20b",
            "s3://bucket/x",
            "/backup/eloqdb",
        ] {
            assert!(place(odd).is_err(), "{odd}");
        }
        assert!(is_url("s3://bucket") && !is_url("north:8102") && !is_url("[::1]:8102"));
    }
}
