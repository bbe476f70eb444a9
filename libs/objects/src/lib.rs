//! Buckets of object stores as stores of repositories: S3 and what speaks it, Azure and Google.
//!
//! ```text
//!  Repository ─► Store ─┬ Directory   (libs/repository)
//!                       └ Bucket ─► object_store ─► HTTP
//! ```
//! [`store_at`] has all places that a repository can be in. What is durable is the store's word: it has an object, or it
//! answers with an error.
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod bucket;
mod client;
mod failure;
mod runner;
mod url;

pub use bucket::Bucket;
pub use url::{BucketUrl, Provider, store_at};
