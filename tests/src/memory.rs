//! How much memory a process has taken.

use std::fs;

/// The most that the process ever had in memory, in MiB.
pub fn peak_mib(pid: u32) -> u64 {
    mib(pid, "VmHWM:")
}

/// What it has in memory now, in MiB.
pub fn now_mib(pid: u32) -> u64 {
    mib(pid, "VmRSS:")
}

fn mib(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number")
        / 1024
}
