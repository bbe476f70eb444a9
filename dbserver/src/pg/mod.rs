//! The front end: PostgreSQL's protocol, version 3, on the service port.
//!
//! ```text
//! FrontEnd (accept) ─ one thread a connection ─▶ startup ▶ auth ▶ Client (message loop)
//!                                                            ├ simple    Query
//!                                                            ├ extended  Parse Bind Describe Execute
//!                                                            └ copy      CopyData
//!                                                                 ▼
//!                                                             session::Session
//! ```

pub mod auth;
pub mod client;
pub mod codec;
mod copy_in;
mod copy_out;
mod extended;
mod fetch;
mod front_end;
mod newcomers;
pub mod output;
mod perform;
pub mod registry;
mod simple;
pub mod startup;
pub mod watch;

#[cfg(test)]
mod tests;

pub use front_end::FrontEnd;
pub use registry::Sessions;
pub use startup::ClientStream;
