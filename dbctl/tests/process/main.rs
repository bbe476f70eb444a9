//! Tests of the program itself: what it prints, sends and exits with.

// All of this is test code; the attribute says so to the lints.
#[cfg(test)]
mod offline;
#[cfg(test)]
mod online;
#[cfg(test)]
mod support;
