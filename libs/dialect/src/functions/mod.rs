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
pub(crate) mod interval;
mod list;
mod math;
mod number;
mod regular;
mod span;
mod text;
pub(crate) mod time;

use crate::error::DialectError;

pub use list::REQUIRED_FUNCTIONS;

/// PRAGMAs that every client connection needs, in this order.
///
/// `case_sensitive_like`: LIKE is case-sensitive in PostgreSQL. ILIKE becomes SQLite's MATCH operator and so the function `match`.
pub const REQUIRED_PRAGMAS: &[&str] = &["PRAGMA case_sensitive_like = ON"];

/// An argument or a result, as SQLite stores it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

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
