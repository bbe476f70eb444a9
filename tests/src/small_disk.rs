//! A disk that is soon full: a small file system in memory.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::files;
use crate::process::run;
use crate::waiting::{LONG, pause, wait_for};

/// Set inside of a namespace that a test has made for itself.
const INSIDE: &str = "ELOQDB_TEST_INSIDE";

/// A small file system, as long as this lives.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one; a size is as in `24m`. For use [`where_mounting_works`].
    #[track_caller]
    pub fn mount(path: &Path, size: &str) -> Self {
        let disk = Self::try_mount(path, size);
        assert!(disk.is_some(), "cannot mount {}", path.display());
        disk.expect("asserted")
    }

    fn try_mount(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "eloqdb-test"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(path.to_owned()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes all room that there is at the moment, but so many bytes.
    pub fn fill(&self, leave: u64) {
        let filler = self.filler();
        let full = Command::new("dd")
            .args([
                "if=/dev/zero",
                "bs=64k",
                "oflag=append",
                "conv=notrunc",
                &format!("of={}", filler.display()),
            ])
            .stderr(Stdio::null())
            .status()
            .expect("dd");
        assert!(!full.success(), "dd ends when the disk is full");
        let length = std::fs::metadata(&filler).expect("the filler").len();
        files::cut(&filler, length.saturating_sub(leave));
    }

    /// Takes all room, also what is given back meanwhile, until something has happened.
    #[track_caller]
    pub fn starve(&self, what: &str, mut happened: impl FnMut() -> bool) {
        wait_for(what, LONG, || {
            self.fill(0);
            pause(Duration::from_millis(50));
            happened().then_some(())
        });
    }

    /// Gives back what [`SmallDisk::fill`] has taken.
    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("the filler");
    }

    /// Whether it is filled at present.
    pub fn is_filled(&self) -> bool {
        self.filler().exists()
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server under test may still hold files in there for a moment.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()) || std::thread::panicking(),
            "umount {}",
            self.0.display()
        );
    }
}

/// Runs a test that mounts: here when this process may mount, else in a namespace of its own where
/// it may. Where the system allows neither, the test has nothing to run on: it says so, and under CI
/// it fails.
///
/// `test` is the body as a closure of the test's function: its type tells which test it is.
#[expect(
    clippy::print_stdout,
    reason = "the report of the test says where it ran, or why it did nothing"
)]
pub fn where_mounting_works<F: FnOnce()>(test: F) {
    let probe = tempfile::tempdir().expect("a directory");
    if SmallDisk::try_mount(probe.path(), "64k").is_some() {
        return test();
    }
    let outside = env::var_os(INSIDE).is_none();
    if outside
        && namespace(Path::new("true"))
            .status()
            .is_ok_and(|status| status.success())
    {
        println!("in a namespace of its own: this user may not mount");
        let program = env::current_exe().expect("the path of the test executable");
        let mut again = namespace(&program);
        again
            .args(["--exact", "--nocapture", &name_of::<F>()])
            .env(INSIDE, "1");
        let report = run(&mut again, b"").ok();
        assert!(report.contains("1 passed"), "{report}");
        return;
    }
    let why = "only root, or a user who may make namespaces, can mount a small file system";
    assert!(env::var_os("CI").is_none(), "{why}");
    println!("SKIPPED: {why}");
}

fn namespace(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.arg("-Urm").arg(program).stderr(Stdio::null());
    command
}

/// `faults::full_disk::a_test::{{closure}}` is the test `full_disk::a_test`.
fn name_of<F>() -> String {
    let path: Vec<&str> = std::any::type_name::<F>()
        .split("::")
        .filter(|part| !part.starts_with("{{"))
        .skip(1)
        .collect();
    path.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_is_full_until_there_is_room() {
        where_mounting_works(|| {
            let folder = crate::Folder::new();
            let disk = SmallDisk::mount(&folder.join("disk"), "1m");
            disk.fill(64 << 10);
            assert!(disk.is_filled());
            let file = disk.path().join("file");
            assert!(std::fs::copy("/proc/self/exe", &file).is_err(), "no room");
            disk.make_room();
            files::write(&file, vec![1; 512 << 10]);
        });
    }
}
