//! The server's own database: users and privileges.

pub mod statement;
pub mod users;
pub mod verifier;
