//! Statements, and those that change rows.

use super::{CommonTable, Expr, FromItem, Output, Query, RelationId};

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A query.
    Query(Box<Query>),
    /// INSERT.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
}

/// INSERT.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// WITH.
    pub with: Vec<CommonTable>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// The table.
    pub table: RelationId,
    /// The places of the columns that get a value.
    pub columns: Vec<usize>,
    /// The rows: of the columns' types. `None` is DEFAULT VALUES.
    pub source: Option<Query>,
    /// ON CONFLICT.
    pub on_conflict: Option<Conflict>,
    /// RETURNING.
    pub returning: Returning,
}

/// ON CONFLICT.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The unique index; none: any.
    pub target: Option<ConflictTarget>,
    /// DO UPDATE; `None` is DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// The unique index of ON CONFLICT.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictTarget {
    /// Its terms.
    pub terms: Vec<Expr>,
    /// The condition of a partial one.
    pub filter: Option<Expr>,
}

/// DO UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictUpdate {
    /// SET.
    pub assignments: Vec<Assignment>,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// What columns get: the columns by their places, the values of their types.
#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    /// `a = 1`
    One(usize, Expr),
    /// `(a, b) = (SELECT …)`
    Several {
        /// As many as the query has columns.
        columns: Vec<usize>,
        /// NULLs where it gives no row.
        query: Box<Query>,
        /// It is known that it gives no second row.
        single: bool,
    },
}

/// UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// WITH.
    pub with: Vec<CommonTable>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// The table.
    pub table: RelationId,
    /// SET.
    pub assignments: Vec<Assignment>,
    /// FROM.
    pub from: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// RETURNING.
    pub returning: Returning,
}

/// DELETE.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// WITH.
    pub with: Vec<CommonTable>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// The table.
    pub table: RelationId,
    /// USING.
    pub using: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// RETURNING.
    pub returning: Returning,
}

/// RETURNING.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Returning {
    /// The values; none without RETURNING.
    pub values: Vec<Expr>,
    /// Their names and types.
    pub columns: Vec<Output>,
}
