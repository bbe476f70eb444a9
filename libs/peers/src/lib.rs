//! What a server is asked by another one, or by dbctl for both: commands as SQL, over TLS, and the comparison of two
//! servers that is made of them.
//!
//! | module | noun |
//! | --- | --- |
//! | [`command`] | a command of the server as a statement |
//! | [`driver`] | TLS as the PostgreSQL driver wants it |
//! | [`handover`] | how a server stands to the role that writes |
//! | [`introduction`] | what an instance tells of its log to one that was the root |
//! | [`compare`] | whether two servers have the same databases |

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

pub mod command;
pub mod compare;
pub mod driver;
pub mod handover;
pub mod introduction;
