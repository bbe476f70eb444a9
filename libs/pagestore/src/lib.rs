//! (see the crate's docs)
