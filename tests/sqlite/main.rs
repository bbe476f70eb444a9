//! SQLite's own promises, kept by the server: what plain SQLite answers to the same statements.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `ELOQDB_SEEDS` | so many random histories instead of a few |
//! | `ELOQDB_SEED` | this one only, as a failure names it |
//! | `ELOQDB_SLT` | a directory with more scripts in the format of sqllogictest |
//! | `ELOQDB_LARGE` | set: the large forms as well (needs 30 GB of disk and an hour) |

#![expect(clippy::panic, reason = "a panic is how a test fails")]

mod beside;
mod blobs;
mod engine;
mod generator;
mod histories;
mod large;
mod logic;
mod maintenance;
mod many;
mod pair;
mod random;
mod scale;
mod script;
mod serial;
