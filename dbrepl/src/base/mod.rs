//! What the log can't tell a slave any more comes as pages: dbrepl connects the server of the log, which gives a cut, and the
//! slave, which takes it, and carries over what they say.

mod copies;
mod copy;
mod relay;

pub use copies::{Copies, Init};
pub(crate) use copy::copy;
