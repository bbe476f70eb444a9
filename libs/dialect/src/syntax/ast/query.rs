//! Queries as they are written.

use super::{Delete, Expr, Insert, Name, Path, Position, SortKey, TypeName, Update, WindowSpec};

/// SELECT in all its forms, with what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// WITH.
    pub with: Option<With>,
    /// The rows.
    pub body: QueryBody,
    /// ORDER BY.
    pub order_by: Vec<SortKey>,
    /// LIMIT or FETCH; `None` also for LIMIT ALL.
    pub limit: Option<Expr>,
    /// FETCH … WITH TIES.
    pub with_ties: bool,
    /// OFFSET.
    pub offset: Option<Expr>,
    /// FOR UPDATE and its kin.
    pub locking: Vec<Locking>,
    /// Its first byte.
    pub at: Position,
    /// The byte after it.
    pub to: Position,
}

/// Where a query's rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryBody {
    /// SELECT.
    Select(Box<Select>),
    /// VALUES; one row or more, checked to be of one length by the analysis.
    Values(Vec<Vec<Expr>>),
    /// UNION, INTERSECT, EXCEPT.
    SetOperation {
        /// Which.
        operator: SetOperator,
        /// ALL.
        all: bool,
        /// Both sides; a side in parentheses has clauses of its own.
        sides: Box<[Query; 2]>,
        /// The operator.
        at: Position,
    },
}

/// The set operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

/// One SELECT. `TABLE t` is `SELECT * FROM t`.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: Distinct,
    /// The select list; may be empty.
    pub targets: Vec<Target>,
    /// SELECT … INTO.
    pub into: Option<Into>,
    /// FROM.
    pub from: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Vec<GroupItem>,
    /// GROUP BY DISTINCT.
    pub group_distinct: bool,
    /// HAVING.
    pub having: Option<Expr>,
    /// WINDOW.
    pub windows: Vec<(Name, WindowSpec)>,
    /// Its first byte.
    pub at: Position,
}

/// DISTINCT of a SELECT.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// Not said, or ALL.
    No,
    /// DISTINCT.
    Rows,
    /// DISTINCT ON.
    On(Vec<Expr>),
}

/// SELECT … INTO [TEMP] table.
#[derive(Debug, Clone, PartialEq)]
pub struct Into {
    /// The new table.
    pub table: Path,
    /// TEMP.
    pub temporary: bool,
}

/// One entry of a select list.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The value, or a [`ExprKind::Star`].
    pub value: Expr,
    /// AS.
    pub alias: Option<Name>,
}

/// One entry of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    /// An expression, a column's number, or an output column's name.
    Value(Expr),
    /// ().
    Empty,
    /// ROLLUP.
    Rollup(Vec<Expr>),
    /// CUBE.
    Cube(Vec<Expr>),
    /// GROUPING SETS.
    Sets(Vec<GroupItem>),
}

/// One item of FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum FromItem {
    /// A table, a view, a common table expression.
    Relation {
        /// Its name.
        name: Path,
        /// ONLY was said.
        only: bool,
        /// The alias.
        alias: Option<Alias>,
        /// TABLESAMPLE was said, which is refused.
        sampled: bool,
    },
    /// A query.
    Query {
        /// The query.
        query: Box<Query>,
        /// LATERAL.
        lateral: bool,
        /// The alias.
        alias: Option<Alias>,
    },
    /// A function, or several in ROWS FROM.
    Function {
        /// One, or those of ROWS FROM; each with its own column definitions.
        calls: Vec<(Expr, Vec<ColumnDefinition>)>,
        /// ROWS FROM.
        rows_from: bool,
        /// WITH ORDINALITY.
        ordinality: bool,
        /// LATERAL was said; a function sees what stands before it in any case.
        lateral: bool,
        /// The alias.
        alias: Option<Alias>,
        /// Where it begins.
        at: Position,
    },
    /// A join.
    Join(Box<Join>),
    /// What the grammar knows and this server does not, by name.
    Unsupported(&'static str, Position),
}

/// A join of two items.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// INNER (also CROSS), LEFT, RIGHT, FULL.
    pub kind: JoinKind,
    /// Its sides.
    pub sides: [FromItem; 2],
    /// On what.
    pub on: JoinCondition,
    /// `(a JOIN b …) AS j (…)`.
    pub alias: Option<Alias>,
    /// The word JOIN.
    pub at: Position,
}

/// Kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

/// What joined rows have in common.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinCondition {
    /// CROSS JOIN.
    None,
    /// ON.
    On(Expr),
    /// USING, perhaps `AS alias`.
    Using(Vec<Name>, Option<Name>),
    /// NATURAL.
    Natural,
}

/// AS name (columns).
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The name. `None`: only column definitions stand there, as in `f() AS (a int)`.
    pub name: Option<Name>,
    /// New names of the columns.
    pub columns: Vec<Name>,
    /// Columns with types, for functions that give records.
    pub definitions: Vec<ColumnDefinition>,
}

/// A column's name and type.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: TypeName,
}

/// WITH.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// In their order.
    pub tables: Vec<CommonTable>,
}

/// One common table expression.
#[derive(Debug, Clone, PartialEq)]
pub struct CommonTable {
    /// Its name.
    pub name: Name,
    /// Names of its columns.
    pub columns: Vec<Name>,
    /// MATERIALIZED (true) or NOT MATERIALIZED, where said.
    pub materialized: Option<bool>,
    /// What it stands for.
    pub body: CommonTableBody,
    /// SEARCH or CYCLE was said, which is refused.
    pub search_or_cycle: bool,
}

/// What a common table expression stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum CommonTableBody {
    /// A query.
    Query(Box<Query>),
    /// INSERT … RETURNING.
    Insert(Box<Insert>),
    /// UPDATE … RETURNING.
    Update(Box<Update>),
    /// DELETE … RETURNING.
    Delete(Box<Delete>),
    /// MERGE.
    Merge,
}

/// FOR UPDATE and its kin.
#[derive(Debug, Clone, PartialEq)]
pub struct Locking {
    /// How strong.
    pub strength: LockStrength,
    /// OF: all tables where empty.
    pub of: Vec<Path>,
    /// What to do about a row that is locked already.
    pub wait: LockWait,
    /// Where it begins.
    pub at: Position,
}

/// Strengths of row locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

/// What to do about a row that another transaction has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum LockWait {
    Block,
    SkipLocked,
    Nowait,
}
