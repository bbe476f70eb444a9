//! Queries, and the relations that they read.

use super::{Expr, RelationId, Sort, Window};
use crate::catalog::Type;
use crate::syntax::ast::{JoinKind, LockStrength, LockWait, SetOperator};

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// WITH.
    pub with: Vec<CommonTable>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// Where the rows come from.
    pub body: Body,
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// LIMIT, a bigint.
    pub limit: Option<Expr>,
    /// OFFSET, a bigint.
    pub offset: Option<Expr>,
    /// The columns of the result.
    pub columns: Vec<Output>,
    /// FOR UPDATE and its kin: the tables whose rows are locked, of a query with one SELECT.
    pub locks: Vec<RowLock>,
}

/// A table whose rows a query locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowLock {
    /// The table.
    pub relation: RelationId,
    /// How strong.
    pub strength: LockStrength,
    /// What to do about a row that is locked already.
    pub wait: LockWait,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// As PostgreSQL names it.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// Where a query's rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// VALUES.
    Values(Vec<Vec<Expr>>),
    /// UNION, INTERSECT, EXCEPT over queries with columns of the same types.
    SetOperation {
        /// Which.
        operator: SetOperator,
        /// ALL.
        all: bool,
        /// Both sides.
        sides: Box<[Query; 2]>,
    },
}

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: Distinct,
    /// The values of the result's columns.
    pub targets: Vec<Expr>,
    /// FROM.
    pub from: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Vec<Expr>,
    /// HAVING.
    pub having: Option<Expr>,
    /// The clause WINDOW: the calls have what they need of it by themselves.
    pub windows: Vec<(String, Window)>,
    /// There is a GROUP BY, a HAVING or an aggregate.
    pub grouped: bool,
    /// It stands for a query with grouping sets or with functions that give rows among its values, and reads what those
    /// were made into.
    pub rewritten: bool,
}

impl Select {
    /// `SELECT targets FROM relation [WHERE filter]`
    pub fn from_relation(relation: RelationId, targets: Vec<Expr>, filter: Option<Expr>) -> Self {
        Self {
            distinct: Distinct::No,
            targets,
            from: vec![FromItem::Relation(relation)],
            filter,
            group_by: Vec::new(),
            having: None,
            windows: Vec::new(),
            grouped: false,
            rewritten: false,
        }
    }
}

/// DISTINCT.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// All rows.
    No,
    /// Each row once.
    Rows,
    /// The first row of each group of equal values.
    On(Vec<Expr>),
}

/// An item of FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum FromItem {
    /// A relation.
    Relation(RelationId),
    /// A join.
    Join {
        /// Which kind.
        kind: JoinKind,
        /// Both sides.
        sides: Box<[FromItem; 2]>,
        /// On what.
        on: Option<Expr>,
        /// The columns that USING or NATURAL names.
        using: Vec<MergedColumn>,
        /// `USING (…) AS name`.
        using_alias: Option<String>,
        /// `(a JOIN b …) AS j (…)`.
        alias: Option<JoinAlias>,
    },
}

/// A column of both sides of a join that is one behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedColumn {
    /// As USING names it.
    pub name: String,
    /// What it is on either side.
    pub sides: [Expr; 2],
    /// What it is behind the join.
    pub value: Expr,
}

/// The name that a join has as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinAlias {
    /// The name.
    pub name: String,
    /// The names of its columns, and what they stand for.
    pub columns: Vec<(String, Expr)>,
}

/// A common table expression.
#[derive(Debug, Clone, PartialEq)]
pub struct CommonTable {
    /// Its place among the statement's common table expressions.
    pub id: CommonTableId,
    /// Its name.
    pub name: String,
    /// The names that its first columns are given.
    pub names: Vec<String>,
    /// What it stands for.
    pub query: Query,
    /// MATERIALIZED or NOT MATERIALIZED was said.
    pub said: Option<bool>,
    /// It is to be computed once, or each time that it is read, where that matters.
    pub materialized: Option<bool>,
}

impl CommonTable {
    /// What its columns are called.
    pub(crate) fn column_names(&self) -> impl Iterator<Item = &str> {
        let columns = self.query.columns.iter().enumerate();
        columns.map(|(at, column)| self.names.get(at).unwrap_or(&column.name).as_str())
    }
}

/// A common table expression's number in the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommonTableId(pub usize);

/// A relation of the statement: every mention of a table is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The name that the statement calls it by.
    pub alias: String,
    /// Where its rows come from.
    pub source: Source,
    /// Its columns.
    pub columns: Vec<RelationColumn>,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    /// Its name in this statement.
    pub name: String,
    /// Its name where it comes from.
    pub stored_name: String,
    /// Its type.
    pub ty: Type,
    /// It is never NULL where it comes from.
    pub not_null: bool,
}

impl RelationColumn {
    /// A column of what is no table: it may be NULL.
    pub(crate) fn given(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            stored_name: String::new(),
            ty,
            not_null: false,
        }
    }
}

/// Where a relation's rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A table or view, by SQLite's schema and name.
    Table {
        /// `main` or `temp`.
        schema: &'static str,
        /// Its name.
        name: String,
        /// Its rows have numbers.
        has_rowid: bool,
    },
    /// A table of `pg_catalog` or `information_schema`.
    Catalog {
        /// Its number in `pg_class`.
        oid: u32,
        /// Which of the two.
        schema: &'static str,
        /// The name of the temp table; `None`: it has no rows.
        stored: Option<&'static str>,
    },
    /// A query in FROM.
    Query(Box<Query>),
    /// A query in FROM that reads what stands beside it.
    Lateral(Box<Query>),
    /// A common table expression.
    CommonTable(CommonTableId),
    /// A function in FROM.
    Function(Box<TableFunction>),
    /// The row that INSERT … ON CONFLICT could not insert.
    Excluded,
}

/// A function in FROM, or several whose rows stand side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFunction {
    /// Calls of functions that give sets, or values that are one row each; at least one. Where there are several, the
    /// columns of each are NULL behind its last row.
    pub values: Vec<Expr>,
    /// WITH ORDINALITY: the last column counts.
    pub ordinality: bool,
    /// The columns that the statement says the function's records have.
    pub definitions: Vec<Definition>,
}

/// A column that the statement says a function's records have.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What the rows of its type consist of.
    pub shape: Option<String>,
}

/// All relations of a statement, by number.
pub type Relations = Vec<Relation>;
