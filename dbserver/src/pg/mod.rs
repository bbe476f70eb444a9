//! The front end: PostgreSQL's protocol, version 3, on the service port.
//!
//! ```text
//! FrontEnd (accept) ─ one thread a connection ─▶ startup (secure: TLS) ▶ auth ▶ Client (message loop)
//!                                                   └ redirect (a mode that writes, on a slave) ▶ relays
//!                                                            ├ simple    Query
//!                                                            ├ extended  Parse Bind Describe Execute
//!                                                            └ copy      CopyData
//!                                                                 ▼
//!                                                             session::Session
//! ```
//!
//! `start_ups` says whose turn it is to get a thread, `guesses` how late a wrong password is answered.

mod access;
mod acting;
pub mod auth;
mod caller;
pub mod client;
mod connection;
mod copy_in;
mod copy_out;
mod extended;
mod fetch;
mod forward;
mod front_end;
mod guesses;
mod keep_alive;
mod let_in;
mod local;
mod perform;
mod redirect;
pub(crate) mod secure;
mod service;
mod simple;
mod slow;
mod start_ups;
pub mod startup;
mod versions;

#[cfg(test)]
mod tests;

pub use front_end::FrontEnd;
