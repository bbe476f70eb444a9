//! The server's own database: users, privileges, and what sessions begin with.

pub mod attributes;
pub mod authority;
pub mod create;
pub mod defaults;
mod dependents;
pub mod forwarders;
pub mod local;
pub mod lost_forks;
pub mod lost_news;
pub mod lost_outcomes;
pub mod members;
pub mod moving;
pub mod ownership;
pub mod since_fork;
pub mod statement;
pub mod stored_rights;
pub mod users;
pub mod verifier;
