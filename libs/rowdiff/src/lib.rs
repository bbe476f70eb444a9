//! Row changes from page images.
//!
//! A commit of the forward log is a set of pages. This crate says what rows the commit has inserted, updated and
//! deleted: it reads SQLite's b-trees before and after the commit, without SQLite, without a server, and without I/O
//! of its own. The layout is that of SQLite's file format, <https://www.sqlite.org/fileformat2.html>; sections are
//! named where they are used.
//!
//! ```text
//!  pages before ──┐
//!  pages after  ──┼─► RowDiff::commit ─► Change::Schema │ Change::Row │ Change::Renumbered
//!  their numbers ─┘       │
//!                   schema, parents of pages (4 bytes a page)
//! ```
//!
//! # What it needs
//!
//! All pages of the database as they were before the first commit that is asked about, and from there on the pages of
//! each commit, in order, without a gap. That is nothing for a database whose log is there from its creation on
//! ([`RowDiff::empty`]), else a copy of the data file as of that commit ([`RowDiff::of`], which reads it once).
//!
//! # How it is done
//!
//! - *Where changed pages belong.* For each page of a table the one that points to it is known: the page above it in its
//!   tree, or the one before it in an overflow chain. A pointer changes only with the page that holds it, so that map is
//!   kept by looking at changed pages alone. Changed pages and those above them are *busy*; all others are quiet.
//! - *What is looked at.* A quiet page that is in a tree before and after has the same rows below it and is skipped, also
//!   where another page points to it now. What is left on both sides is read in the order of the tree.
//! - *What is a change.* Of a table with rowids both sides come in the order of the rowid: they are merged, and equal
//!   cells say nothing, so a row that a split has moved is none. Tables WITHOUT ROWID have an order that only their
//!   collations know: equal cells cancel one another as they come, and the rest is paired by primary key.
//! - *Which table is which.* By name; what is left then by root page and columns, which is a rename. VACUUM moves roots.
//!
//! Memory is the map, the schema, and the changed rows of one table WITHOUT ROWID; a row is handed over as it is found.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod affinity;
mod bytes;
mod cell;
mod change;
mod definition;
mod error;
mod index_diff;
mod literal;
mod node;
mod pages;
mod parents;
mod payload;
mod plan;
mod record;
mod row_diff;
mod schema;
mod table;
mod table_diff;
mod tokens;
mod value;
mod walk;

pub use change::{Change, Definition, ObjectKind, Operation, Row, RowChange, SchemaChange};
pub use error::Error;
pub use pages::{Image, PAGE_SIZE, Page, Pages};
pub use row_diff::{RowDiff, Sink, Step};
pub use table::{Column, Table};
pub use value::Value;
