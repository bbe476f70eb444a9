//! The eloqdb server: SQL by SQLite, clients by PostgreSQL's protocol, durability and replication
//! by the forward log. `ARCHITECTURE.md` has the map.
//!
//! The modules are layers, from low to high; each uses only what stands before it, and
//! `tests/tidy.rs` holds that.

pub mod error;
pub mod failure;
pub mod peer;

pub mod process;

mod asking;

pub mod databases;

mod incoming;

pub mod wire;

pub mod clients;

pub mod apply;
pub mod commit;

pub mod slave;
pub(crate) mod sources;

pub mod environment;

pub mod base;
pub mod feed;

pub mod system;

pub mod control_plane;

pub mod session;

pub mod pg;
pub mod web;

pub mod server;
