//! What the tests of the whole product share: real processes, real clients, and comparisons.
//!
//! ```no_run
//! use dbtests::Cluster;
//!
//! let cluster = Cluster::start();
//! cluster.master.sql("system", "CREATE DATABASE shop");
//! cluster.synchronize();
//! cluster.compare();
//! ```
//! Every process is ended, and every file removed, when its owner goes out of scope. When a test
//! fails, the logs of its servers are printed.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

pub mod client;
pub mod cluster;
pub mod compare;
pub mod data;
pub mod files;
pub mod follower;
pub mod line;
pub mod memory;
pub mod port;
pub mod process;
pub mod programs;
pub mod python;
pub mod server;
pub mod settings;
pub mod small_disk;
pub mod terminal;
pub mod waiting;

pub use client::{Client, Refusal};
pub use cluster::{Cluster, Folder};
pub use follower::Follower;
pub use line::{Line, Traffic};
pub use process::Run;
pub use python::psycopg2;
pub use server::{PASSWORD, Server};
pub use settings::Settings;
pub use small_disk::{SmallDisk, where_mounting_works};
pub use waiting::{LONG, SHORT, wait_for};
