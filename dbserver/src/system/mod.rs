//! The server's own database: users and privileges.

pub mod create;
pub mod statement;
pub mod users;
pub mod verifier;
