//! How large the large things are: small forms of the same code always run, the real ones when
//! `ELOQDB_LARGE` is set.

use std::fs;

use dbtests::Server;
use dbtests::memory::peak_mib;
use dbtests::waiting::{SHORT, wait_for};

/// Mebibytes in bytes.
pub(crate) const MIB: u64 = 1 << 20;

/// What a server takes beside pages: programs, caches of sessions, buffers of the log, and what the
/// allocator keeps.
pub(crate) const BESIDE: u64 = 192 * MIB;

/// The real size when it is asked for.
pub(crate) fn scaled(small: u64, large: u64) -> u64 {
    if is_large() { large } else { small }
}

/// Whether the real sizes are asked for.
pub(crate) fn is_large() -> bool {
    std::env::var_os("ELOQDB_LARGE").is_some()
}

/// The most memory that the process has had so far.
pub(crate) fn peak(server: &mut Server) -> u64 {
    peak_mib(server.process().pid()) * MIB
}

/// Its memory did not go beyond a limit; reports it.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the report says how much it was")]
pub(crate) fn stays_within(server: &mut Server, limit: u64, when: &str) {
    let peak = peak(server);
    println!("{when}: peak {} MiB", peak / MIB);
    assert!(
        peak <= limit,
        "{when}: {} MiB, more than {}",
        peak / MIB,
        limit / MIB
    );
}

/// Open files of the process.
pub(crate) fn open_files(server: &mut Server) -> usize {
    let path = format!("/proc/{}/fd", server.process().pid());
    fs::read_dir(path).expect("a running process").count()
}

/// Waits until all pages are in the data files.
#[track_caller]
pub(crate) fn checkpoint(server: &Server) {
    server.sql("system", "CHECKPOINT");
    wait_for("no page outside of the data files", SHORT, || {
        let status = server.command("status");
        let left = status.get("pages not in data files")?;
        left.starts_with("0 ").then_some(())
    });
}
