//! MERGE as it is written.

use super::{
    Assignment, AssignmentTarget, Expr, FromItem, Name, Overriding, Path, Position, Query, With,
};

/// MERGE.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// WITH.
    pub with: Option<With>,
    /// The table.
    pub table: Path,
    /// AS.
    pub alias: Option<Name>,
    /// USING.
    pub source: FromItem,
    /// ON.
    pub on: Expr,
    /// WHEN, in their order; at least one.
    pub whens: Vec<MergeWhen>,
}

/// WHEN.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeWhen {
    /// MATCHED, or NOT MATCHED.
    pub matched: bool,
    /// AND.
    pub condition: Option<Expr>,
    /// THEN.
    pub action: MergeAction,
    /// Where it begins.
    pub at: Position,
}

/// What is done with a row.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeAction {
    /// DO NOTHING.
    Nothing,
    /// DELETE.
    Delete,
    /// UPDATE SET.
    Update(Vec<Assignment>),
    /// INSERT.
    Insert {
        /// The columns named.
        columns: Vec<AssignmentTarget>,
        /// OVERRIDING SYSTEM VALUE or USER VALUE.
        overriding: Option<Overriding>,
        /// VALUES with one row; `None` is DEFAULT VALUES.
        values: Option<Box<Query>>,
    },
}
