//! INSERT, UPDATE and DELETE as they are written.

use super::{Expr, FromItem, Name, Path, Position, Query, Subscript, Target, With};

/// INSERT.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// WITH.
    pub with: Option<With>,
    /// The table.
    pub table: Path,
    /// AS.
    pub alias: Option<Name>,
    /// The columns named.
    pub columns: Vec<AssignmentTarget>,
    /// OVERRIDING SYSTEM VALUE or USER VALUE.
    pub overriding: Option<Overriding>,
    /// `None` is DEFAULT VALUES. VALUES may hold [`ExprKind::Default`].
    pub source: Option<Box<Query>>,
    /// ON CONFLICT.
    pub on_conflict: Option<OnConflict>,
    /// RETURNING.
    pub returning: Vec<Target>,
}

/// OVERRIDING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum Overriding {
    System,
    User,
}

/// A column that is assigned to, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignmentTarget {
    /// The column.
    pub column: Name,
    /// A field was named, which is refused.
    pub partial: bool,
    /// The subscripts that lead to the part.
    pub subscripts: Vec<Subscript>,
}

/// ON CONFLICT.
#[derive(Debug, Clone, PartialEq)]
pub struct OnConflict {
    /// Which constraint.
    pub target: ConflictTarget,
    /// DO UPDATE SET, with its WHERE; `None` is DO NOTHING.
    pub update: Option<(Vec<Assignment>, Option<Expr>)>,
    /// Where it begins.
    pub at: Position,
}

/// Which constraint an INSERT may run into.
#[derive(Debug, Clone, PartialEq)]
pub enum ConflictTarget {
    /// Any.
    Any,
    /// These index terms, with the WHERE of a partial index.
    Terms(Vec<ConflictTerm>, Option<Expr>),
    /// ON CONSTRAINT.
    Constraint(Name),
}

/// A term of a conflict target.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictTerm {
    /// A column or an expression.
    pub value: Expr,
    /// COLLATE.
    pub collation: Option<Path>,
    /// The operator class.
    pub operator_class: Option<Path>,
}

/// `column = value`, or `(a, b) = row`.
#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    /// One column.
    One(AssignmentTarget, Expr),
    /// Several columns from a row, `ROW (…)` or a subquery.
    Several(Vec<AssignmentTarget>, Expr),
}

/// UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// WITH.
    pub with: Option<With>,
    /// The table.
    pub table: Path,
    /// AS.
    pub alias: Option<Name>,
    /// SET.
    pub assignments: Vec<Assignment>,
    /// FROM.
    pub from: Vec<FromItem>,
    /// WHERE.
    pub filter: Filter,
    /// RETURNING.
    pub returning: Vec<Target>,
}

/// DELETE.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// WITH.
    pub with: Option<With>,
    /// The table.
    pub table: Path,
    /// AS.
    pub alias: Option<Name>,
    /// USING.
    pub using: Vec<FromItem>,
    /// WHERE.
    pub filter: Filter,
    /// RETURNING.
    pub returning: Vec<Target>,
}

/// WHERE of UPDATE and DELETE.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All rows.
    None,
    /// Those for which it is true.
    Where(Expr),
    /// WHERE CURRENT OF cursor.
    CurrentOf(Name),
}
