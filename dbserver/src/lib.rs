//! The eloqdb server: SQL by SQLite, clients by PostgreSQL's protocol, durability and replication
//! by the forward log. `ARCHITECTURE.md` has the map.

pub mod apply;
pub mod commit;
pub mod control_plane;
pub mod environment;
pub mod error;
pub mod pg;
pub mod server;
pub mod session;
pub mod slave;
pub mod system;
