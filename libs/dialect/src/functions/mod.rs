//! Scalar functions that translated statements call.
//!
//! Most are pure and come with their implementation: the server registers each under its name and calls it. The rest
//! need the session and are described by their semantics.

mod catalog_text;
pub(crate) mod convert;
mod datetime;
mod encoding;
pub(crate) mod fit;
mod format;
mod list;
mod math;
mod number;
mod output;
mod regular;
mod span;
mod text;

use crate::error::DialectError;

pub use list::REQUIRED_FUNCTIONS;
/// An argument or a result, as SQLite stores it.
pub use pgtypes::SqlValue as Value;

/// PRAGMAs that every client connection needs, in this order.
///
/// `case_sensitive_like`: LIKE is case-sensitive in PostgreSQL. ILIKE becomes SQLite's MATCH operator and so the function `match`.
pub const REQUIRED_PRAGMAS: &[&str] = &["PRAGMA case_sensitive_like = ON"];

/// A pure function. It is not called with NULL unless [`FunctionSpec::strict`] is false. The error's SQLSTATE and
/// message go to the client.
pub type Pure = fn(&[Value]) -> Result<Value, DialectError>;

/// Who computes a function.
#[derive(Debug, Clone, Copy)]
pub enum Implementation {
    /// This crate.
    Pure(Pure),
    /// The server, in the way [`FunctionSpec::semantics`] says.
    Session,
}

/// A scalar function to register.
#[derive(Debug, Clone, Copy)]
pub struct FunctionSpec {
    /// The name in SQL.
    pub name: &'static str,
    /// The number of arguments; -1 = any (SQLite's convention). A name may occur with several numbers.
    pub arguments: i32,
    /// To be registered as `SQLITE_DETERMINISTIC`; all are `SQLITE_INNOCUOUS`.
    pub deterministic: bool,
    /// Any NULL argument gives NULL without a call.
    pub strict: bool,
    /// One line.
    pub semantics: &'static str,
    /// Who computes it.
    pub implementation: Implementation,
}
