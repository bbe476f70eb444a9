//! The configuration file of eloqdb: its grammar, its keys, and an editor that keeps comments.
//!
//! | module | noun |
//! | --- | --- |
//! | [`keys`] | the one table of sections, keys, defaults and meanings |
//! | [`document`] | the file as lines: where an entry is, and how to change it |
//! | [`config`] | the checked configuration of a server, typed |
//! | [`client`] | the checked `[client]` file of dbctl |
//! | [`replication`] | the checked `[dbrepl]` file of the log shipper |
//! | [`value`], [`service`], [`net`], [`host`], [`instance`] | what a value can be |
//! | [`reload`] | what a running server reads again |
//! | [`peer`] | other servers that this one asks by itself |
//! | [`sources`], [`connect_params`] | the slaves that a server feeds by itself; how they are reached |
//! | [`archives`] | the repositories that a server archives its log in by itself |
//! | [`place`] | the head of a section: `[db-access shop]` |
//! | [`local_socket`] | which file the Unix socket of a server is |
//! | [`apply`] | which databases a slave applies |
//! | [`access`] | who may connect: from where, as whom, to which database |
//! | [`secrets`], [`password_file`] | how passwords stay with who may know them |
//! | [`syslog`] | where `LogFile` = syslog goes, and the severity of a line |
//!
//! # Grammar
//!
//! ```text
//! file    = line*
//! line    = blank | comment | "[" section "]" comment? | key "=" value comment?
//! comment = ("#" | ";") anything                 an unquoted # or ; ends the value before it
//! value   = text | '"' anything but '"' '"'      quotes keep blanks, # and ; in the value
//! ```
//! Section and key names ignore case. `${NAME}` in a value is replaced by the environment variable
//! NAME, which must be set. A section may appear more than once, a key only once. What is not known
//! is an error that names file and line: a typing mistake must not switch replication off.
//! `[db-access NAME]` is for the database NAME, whatever its case; a name with blanks at its ends has quotes.
//! `[Archive NAME]` is one of several archives.
//!
//! Sizes are bytes, with `k`, `m`, `g`, `t` in steps of 1024. Times need a unit: `ms`, `s`, `m`
//! (or `min`), `h`, `d`; only 0 does without. Switches are 0 or 1. Relative paths start at the
//! directory of the configuration file, so that every program finds the same files.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

pub mod access;
pub mod apply;
pub mod archives;
mod backup_hold;
pub mod client;
pub mod config;
pub mod connect_params;
mod default_path;
pub mod document;
pub mod error;
mod hint;
pub mod host;
pub mod http;
pub mod instance;
pub mod keys;
mod line;
mod load;
pub mod local_socket;
mod log_flags;
pub mod net;
pub mod password_file;
pub mod peer;
pub mod place;
mod reader;
pub mod reload;
pub mod replication;
pub mod running;
pub mod secrets;
pub mod service;
pub mod sources;
pub mod sync_slaves;
pub mod syslog;
pub mod tls;
pub mod value;

pub use access::{Access, Asked, Decision, Origin, Target};
pub use apply::Apply;
pub use archives::{ARCHIVE_NAMES, Archive, KeepBackups};
pub use backup_hold::BackupHold;
pub use client::ClientConfig;
pub use config::{
    Compression, Config, ForwardLog, ForwardWrites, Keep, LogFormat, LogTarget, OnFailure,
    Replication, Role, Server, Setting, SyncMode, VerifyData, Volumes,
};
pub use connect_params::ConnectParams;
pub use default_path::{DEFAULT_PATH, default_path};
pub use document::Document;
pub use error::{ConfigError, Problem};
pub use http::{Credentials, Http, HttpHosts};
pub use local_socket::{SocketDir, socket_path};
pub use net::Net;
pub use peer::{PeerLogin, RepairFrom, StartGuard, TimeOfDay, VerifyAt};
pub use place::{DatabaseName, Place};
pub use reload::Changes;
pub use replication::ReplicationConfig;
pub use running::running_at;
pub use service::{AddressFamily, DEFAULT_PORT, HostService, Service, ServiceError};
pub use sources::{NamedSlave, Sources};
pub use sync_slaves::{SyncOnLoss, SyncSlaves, Synchronous};
pub use tls::Tls;
