//! What people do wrong, and disks that are full: one clear message, the right exit code, nothing
//! lost.

mod access;
mod configuration;
mod full_disk;
mod places;
