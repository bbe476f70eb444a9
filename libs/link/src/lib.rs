//! A connection to a server by which something else goes than SQL: its start-up, up to `CopyBoth`, and its messages as bytes.
//!
//! dbrepl feeds slaves by it and carries copies; dbctl takes backups. Reaching the server, and what its failures mean, is the
//! programs' own.
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod error;
mod frame;
mod login;

pub use error::LinkError;
pub use frame::{Frame, FrameReader, MAX_COPY, frame_head};
pub use login::{ERROR, Login, from_error};
