//! The server's own database: users, privileges, and what sessions begin with.

pub mod create;
pub mod defaults;
pub mod forwarders;
pub mod statement;
pub mod users;
pub mod verifier;
