//! Ships forward-log segments of a master server to a slave server.
//!
//! | module | noun |
//! | --- | --- |
//! | [`cli`], [`options`], [`when`] | the command line as typed; what it means; points in time |
//! | [`source`] | the master's log: identity, synchronization point, what comes next |
//! | [`connection`] | the way to the slave |
//! | [`ship`] | one connection from start to end |
//! | [`run`] | one connection after the other |
//! | [`failure`] | what ends it: message, hint, exit code |
//! | [`report`], [`pace`], [`stop`], [`daemon`] | lines and the progress bar; bandwidth; signals; background |
//!
//! dbrepl keeps no state: the slave owns the position, and is asked for it on every connection.

pub mod cli;
pub mod connection;
pub mod daemon;
pub mod failure;
pub mod options;
pub mod pace;
pub mod report;
pub mod run;
pub mod ship;
pub mod source;
pub mod stop;
pub mod when;
