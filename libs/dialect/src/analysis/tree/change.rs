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
    /// The terms of the unique index, and the condition of a partial one; none: any.
    pub target: Option<(Vec<Expr>, Option<Expr>)>,
    /// DO UPDATE; `None` is DO NOTHING.
    pub update: Option<(Vec<(usize, Expr)>, Option<Expr>)>,
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
    /// Columns and their new values.
    pub assignments: Vec<(usize, Expr)>,
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
