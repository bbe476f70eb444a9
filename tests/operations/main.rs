//! What happens to a running system from outside: files that go, disks that fill, permissions, clocks.
//! Each has a row in the table of docs/operating.md.

mod check;
mod clocks;
mod counts;
mod devices;
mod failing;
mod full;
mod interrupts;
mod kept;
mod lost_files;
mod missing_segments;
mod nothing_touched;
mod parts;
mod permissions;
mod readme;
mod recorded;
mod sessions;
mod severities;
mod shop;
mod shutdowns;
mod start;
mod states;
mod story;
mod units;
