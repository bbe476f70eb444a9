//! Where the configuration file is when nobody says.

use std::env;
use std::path::{Path, PathBuf};

/// The place of an installed system.
pub const DEFAULT_PATH: &str = "/etc/eloqdb/eloqdb.cfg";

/// The place in a source tree, or wherever eloqdb is tried out.
const LOCAL_PATH: &str = "./etc/eloqdb.cfg";

/// The configuration file to use without `-c`: the value of `EQ_CONFIG`, else
/// `/etc/eloqdb/eloqdb.cfg` when it exists, else `./etc/eloqdb.cfg` when that exists, else
/// `/etc/eloqdb/eloqdb.cfg` (so that the error names the place where it is expected).
pub fn default_path() -> PathBuf {
    choose(env::var_os("EQ_CONFIG").map(PathBuf::from), Path::exists)
}

fn choose(from_environment: Option<PathBuf>, exists: impl Fn(&Path) -> bool) -> PathBuf {
    match from_environment {
        Some(path) if !path.as_os_str().is_empty() => path,
        _ if exists(Path::new(DEFAULT_PATH)) => PathBuf::from(DEFAULT_PATH),
        _ if exists(Path::new(LOCAL_PATH)) => PathBuf::from(LOCAL_PATH),
        _ => PathBuf::from(DEFAULT_PATH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_variable_wins_over_the_places() {
        let path = choose(Some("/srv/a.cfg".into()), |_| true);
        assert_eq!(path, Path::new("/srv/a.cfg"));
    }

    #[test]
    fn an_empty_environment_variable_counts_as_unset() {
        assert_eq!(
            choose(Some(PathBuf::new()), |_| true),
            Path::new(DEFAULT_PATH)
        );
    }

    #[test]
    fn the_local_file_is_taken_only_when_the_installed_one_is_missing() {
        assert_eq!(
            choose(None, |path| path == Path::new(LOCAL_PATH)),
            Path::new(LOCAL_PATH)
        );
        assert_eq!(choose(None, |_| false), Path::new(DEFAULT_PATH));
    }
}
