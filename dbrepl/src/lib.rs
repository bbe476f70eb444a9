//! Ships forward-log segments of a master server to slave servers.
//!
//! | module | noun |
//! | --- | --- |
//! | [`cli`], [`options`], [`credentials`], [`when`] | the command line as typed; what it means; who logs in; points in time |
//! | [`source`] | the master's log: identity, synchronization point, what comes next |
//! | [`connection`] | the way to the slave |
//! | [`ship`], [`peers`] | one connection from start to end; those that there are |
//! | [`attempts`] | one connection to a slave after the other |
//! | [`archive`] | the log into a repository, instead of to a slave |
//! | [`base`] | what the log can't tell a slave: a copy of the source's state |
//! | [`run`] | all slaves |
//! | [`gate`] | what may hold the log back, and never changes it: a delay, a filter |
//! | [`managed`], [`stats`] | a dbrepl that a server runs: slaves by order; statistics of one |
//! | [`error`] | what ends it: message, hint, exit code |
//! | [`report`], [`progress`], [`bandwidth`], [`shutdown`], [`daemon`] | lines; the progress bar; bandwidth; signals; background |
//!
//! dbrepl keeps no state: the slave owns the position, and is asked for it on every connection.

pub mod archive;
pub mod attempts;
pub mod bandwidth;
pub mod base;
pub mod cli;
pub mod connection;
pub mod credentials;
pub mod daemon;
pub mod error;
pub mod gate;

pub mod managed;
pub mod note;
pub mod options;
pub mod peers;
pub mod progress;
pub mod report;
pub mod run;
pub mod served_log;
pub mod ship;
pub mod shutdown;
pub mod source;
pub mod stats;
