//! What must hold for any bytes, one module for each place where bytes come in.
//!
//! Each `check` takes bytes that nobody vouches for and panics where a promise does not hold. The
//! fuzz targets call them with what the fuzzer makes up, and an ordinary test of the workspace
//! (`tests/bytes.rs`) with every file of `corpus` and `crashes`.

pub mod archive;
pub mod backup;
pub mod block;
mod choices;
pub mod config;
pub mod copy;
pub mod delta;
pub mod dialect;
pub mod forks;
pub mod frames;
pub mod lost;
pub mod pem;
pub mod position;
pub mod records;
pub mod rows;
mod sealed;
pub mod segment;
pub mod startup;
pub mod values;

/// Panics where a promise does not hold.
pub type Check = fn(&[u8]);

/// Every check by its name, which is also that of its folders in `corpus` and `crashes`.
pub const CHECKS: &[(&str, Check)] = &[
    ("archive", archive::check),
    ("backup", backup::check),
    ("block", block::check),
    ("config", config::check),
    ("copy", copy::check),
    ("delta", delta::check),
    ("dialect", dialect::check),
    ("forks", forks::check),
    ("frames", frames::check),
    ("lost", lost::check),
    ("pem", pem::check),
    ("position", position::check),
    ("records", records::check),
    ("rows", rows::check),
    ("segment", segment::check),
    ("startup", startup::check),
    ("values", values::check),
];
