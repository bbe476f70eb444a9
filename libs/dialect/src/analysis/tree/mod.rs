//! The tree of a statement whose names are resolved and whose types are known.
//!
//! It says what PostgreSQL's analysed query says: each expression has its type, each call its function, each conversion
//! is a node of its own. The printer needs to look nothing up.

mod change;
mod expr;
mod query;

pub use change::*;
pub use expr::*;
pub use query::*;
