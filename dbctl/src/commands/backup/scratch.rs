//! `backup verify --restore`: really restored, into a directory of its own that is removed afterwards.

use std::fs::DirBuilder;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use repository::{BackupId, RestoreTarget};
use serde_json::json;

use super::open::{Opened, bytes};
use super::restore::{Restore, Wanted};
use super::staging::Staging;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// A directory that goes with this.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn in_directory(directory: &Path) -> Result<Self> {
        let name = format!("eloqdb-restore-{:016x}", RandomState::new().hash_one(0_u8));
        let path = directory.join(name);
        // It is as secret as the databases.
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| CommandError::io("make", &path, &error))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn directory(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            output::note(format_args!(
                "warning: cannot remove {}: {error}",
                self.0.display()
            ));
        }
    }
}

pub(super) fn run(
    invocation: &Invocation,
    opened: &Opened,
    wanted: Option<BackupId>,
    directory: &Path,
) -> Result<()> {
    let scratch = Scratch::in_directory(directory)?;
    let name = wanted.map(|id| id.to_string());
    let begun = Instant::now();
    let restore = Restore::choose(opened, RestoreTarget::Latest, name.as_deref())?;
    let copy = Wanted::copy_in(scratch.0.clone());
    let log = restore.bring(Staging::lock(&scratch.0)?)?.log;
    let brought = begun.elapsed();
    copy.make_it_the_state()?;
    let all = begun.elapsed();
    let manifest = restore.manifest();
    let end = log.end.map_or(manifest.commit, |end| end.commit);
    let size = manifest.page_count() * pagehash::PAGE_SIZE as u64;
    if invocation.output.json {
        let milliseconds =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        return output::json(&json!({
            "backup": manifest.id.to_string(),
            "commit": end.get(),
            "bytes": size,
            "log_bytes": log.bytes,
            "milliseconds_to_bring": milliseconds(brought),
            "milliseconds": milliseconds(all),
        }));
    }
    let mut table = Table::new(&["name", "value"]);
    for (name, value) in [
        ("backup", manifest.id.to_string()),
        ("restored up to commit", end.to_string()),
        ("pages", bytes(size)),
        ("log", bytes(log.bytes)),
        ("brought in", format!("{:.1} s", brought.as_secs_f64())),
        ("restored in", format!("{:.1} s", all.as_secs_f64())),
    ] {
        table.push([name.to_owned(), value]);
    }
    invocation.output.result(&table)
}
