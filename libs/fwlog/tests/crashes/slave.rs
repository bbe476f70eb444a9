//! Crashes of a slave.
