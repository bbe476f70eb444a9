//! Expressions with their types.

use pgtypes::SqlValue;

use super::Query;
use crate::catalog::{Function, FunctionKind, Operator, Type, TypeId};
use crate::syntax::ast::{FrameExclusion, FrameUnit, Position, ValueFunction};

/// An expression with its type.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Its type; [`TypeId::UNKNOWN`] only before it was coerced.
    pub ty: Type,
    /// What it is.
    pub kind: ExprKind,
    /// Where errors about it point at.
    pub at: Position,
}

/// Two expressions are equal when they mean the same, wherever they stand.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.kind == other.kind
    }
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A value in the stored form of its type, or NULL.
    Constant(SqlValue),
    /// A string literal whose type nothing has told yet.
    Unknown(String),
    /// `$n`.
    Parameter(u32),
    /// A column of a relation in scope.
    Column(ColumnRef),
    /// A function, also one behind an operator or a cast.
    Call(Call),
    /// A value that another type takes as it is.
    Relabel(Box<Expr>),
    /// A conversion by output and input.
    ViaText(Box<Expr>),
    /// AND.
    And(Vec<Expr>),
    /// OR.
    Or(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS [NOT] NULL.
    IsNull {
        /// What is tested.
        operand: Box<Expr>,
        /// IS NOT NULL.
        negated: bool,
    },
    /// IS [NOT] TRUE, FALSE.
    IsTruth {
        /// What is tested.
        operand: Box<Expr>,
        /// For this.
        truth: bool,
        /// IS NOT.
        negated: bool,
    },
    /// IS [NOT] DISTINCT FROM, by an equality operator.
    Distinct {
        /// `=` of the operands' types.
        equality: Call,
        /// IS NOT DISTINCT FROM.
        negated: bool,
    },
    /// NULLIF, by an equality operator.
    NullIf(Call),
    /// COALESCE; all of one type.
    Coalesce(Vec<Expr>),
    /// GREATEST or LEAST; all of one type. NULLs are left out.
    Extreme {
        /// GREATEST.
        greatest: bool,
        /// Two or more, or one.
        operands: Vec<Expr>,
    },
    /// CASE WHEN …; `CASE x WHEN y` is `CASE WHEN x = y`.
    Case {
        /// Conditions and results.
        arms: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// `x IN (a, b, …)`.
    InList(InList),
    /// `x op ANY (array)`, `x op ALL (array)`.
    QuantifiedArray(QuantifiedArray),
    /// `x op ANY (query)`, `x op ALL (query)`.
    QuantifiedQuery(QuantifiedQuery),
    /// EXISTS.
    Exists(Box<Query>),
    /// The only value of a query.
    Subquery {
        /// Of one column.
        query: Box<Query>,
        /// It is known to give no second row.
        single: bool,
    },
    /// ARRAY (query).
    ArrayQuery(Box<Query>),
    /// ARRAY […].
    Array(Vec<Expr>),
    /// `a[i][j]`
    Element {
        /// An array.
        array: Box<Expr>,
        /// Where in it: an integer for each dimension.
        indexes: Vec<Expr>,
    },
    /// `(row).field` of a row that is kept as its text.
    Field {
        /// The row.
        record: Box<Expr>,
        /// Its place in it.
        index: usize,
    },
    /// A value of an enum.
    Label {
        /// What is shown.
        text: String,
        /// What is stored.
        value: SqlValue,
    },
    /// `a[low:high]…`
    Slice {
        /// An array.
        array: Box<Expr>,
        /// The first and the last place in each dimension, where they are said.
        bounds: Vec<Bounds>,
    },
    /// An array with other elements at a place, or from one to another.
    WithElements {
        /// The array.
        array: Box<Expr>,
        /// An element, or an array of those in the slice.
        value: Box<Expr>,
        /// The slice in each dimension; of an element the places alone.
        bounds: Vec<Bounds>,
        /// A slice was written.
        slice: bool,
    },
    /// An array whose elements are within the limits of a modifier, that of the expression.
    Limited {
        /// The array.
        array: Box<Expr>,
        /// A cast was written, which cuts what is too long.
        explicit: bool,
    },
    /// GROUPING (…); a number as soon as the keys of the groups are known.
    Grouping(Vec<Expr>),
    /// A jsonb with another value at a path; the steps are texts.
    WithMember {
        /// The jsonb.
        document: Box<Expr>,
        /// The new value.
        value: Box<Expr>,
        /// A NULL becomes an array, not an object.
        as_array: bool,
        /// Where the value stands.
        steps: Vec<Expr>,
    },
    /// A row.
    Row {
        /// Its values.
        fields: Vec<Expr>,
        /// What they are called; those of an anonymous row, which has none here, are `f1`, `f2`, ….
        names: Vec<String>,
    },
    /// Rows compared field by field.
    CompareRows {
        /// `=`, `<>`, `<`, `<=`, `>`, `>=`.
        sign: String,
        /// One comparison a field.
        fields: Vec<Call>,
    },
    /// An aggregate.
    Aggregate(Box<Aggregate>),
    /// A window function, or an aggregate over a window.
    Window(Box<WindowCall>),
    /// `CURRENT_TIMESTAMP` and its kin.
    ValueFunction {
        /// Which.
        function: ValueFunction,
        /// Digits of a second.
        precision: Option<i32>,
    },
    /// Compared by this collation.
    Collate {
        /// The text.
        operand: Box<Expr>,
        /// PostgreSQL's name of it: all that there are compare bytes.
        collation: String,
    },
    /// A value for a column that takes no NULL, and of which SQLite would make a value by itself.
    NotNull {
        /// The value.
        operand: Box<Expr>,
        /// The column's name.
        column: String,
        /// The table's name.
        table: String,
    },
    /// The default of a column, where INSERT or UPDATE says DEFAULT: SQLite's text.
    ColumnDefault(String),
}

impl ExprKind {
    /// ROW (…): a row whose fields have no names of their own.
    pub(crate) fn anonymous_row(fields: Vec<Expr>) -> Self {
        let names = Vec::new();
        Self::Row { fields, names }
    }
}

/// The first and the last place of a slice in one dimension.
pub(crate) type Bounds = (Option<Expr>, Option<Expr>);

/// `x IN (a, b, …)`: every element compared by the same operator.
#[derive(Debug, Clone, PartialEq)]
pub struct InList {
    /// The value.
    pub operand: Box<Expr>,
    /// The elements.
    pub list: Vec<Expr>,
    /// `=` or `<>` of the element type.
    pub operator: &'static Operator,
    /// NOT IN.
    pub negated: bool,
}

/// `x op ANY (array)`, `x op ALL (array)`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantifiedArray {
    /// The value.
    pub operand: Box<Expr>,
    /// The array.
    pub array: Box<Expr>,
    /// Compares the value with an element.
    pub operator: &'static Operator,
    /// ALL.
    pub all: bool,
}

/// `x op ANY (query)`, `x op ALL (query)`; several columns for rows.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantifiedQuery {
    /// The values, one a column.
    pub left: Vec<Expr>,
    /// One operator a column, all of one sign.
    pub operators: Vec<&'static Operator>,
    /// Its columns are coerced to the operators' right sides.
    pub query: Box<Query>,
    /// ALL.
    pub all: bool,
    /// NOT IN.
    pub negated: bool,
}

/// A column of a relation of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// Which relation.
    pub relation: RelationId,
    /// Its place among the relation's columns.
    pub column: usize,
}

/// A relation's place in [`Relations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationId(pub usize);

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// One a parameter, of the parameter's type.
    pub arguments: Vec<Expr>,
    /// `"any"` where the last argument is an array whose elements are the last arguments.
    pub variadic: Option<TypeId>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.function.oid == other.function.oid && self.arguments == other.arguments
    }
}

/// A call of an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function and its arguments; none in `count(*)`.
    pub call: Call,
    /// DISTINCT.
    pub distinct: bool,
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// FILTER.
    pub filter: Option<Expr>,
    /// WITHIN GROUP: the sorted values are the last arguments.
    pub within_group: bool,
}

impl Aggregate {
    /// The arguments before WITHIN GROUP: one value for the whole group.
    pub(crate) fn direct(&self) -> &[Expr] {
        let direct = match self.call.function.kind {
            FunctionKind::Aggregate { direct, .. } if self.within_group => usize::from(direct),
            _ => 0,
        };
        self.call.arguments.get(..direct).unwrap_or_default()
    }
}

/// A call over a window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    /// The function and its arguments.
    pub call: Call,
    /// FILTER.
    pub filter: Option<Expr>,
    /// The window, with what it takes from a named one.
    pub window: Window,
}

/// A window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// The frame, where one was said.
    pub frame: Option<Frame>,
    /// It is this one of the clause WINDOW.
    pub name: Option<String>,
    /// It builds on this one of the clause WINDOW: all of `partition_by` is of that one.
    pub base: Option<String>,
    /// `order_by` is of that one, too.
    pub order_of_base: bool,
}

/// A window's frame.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "SQL's words")]
pub struct Frame {
    pub unit: FrameUnit,
    pub between: bool,
    pub start: Bound,
    pub end: Bound,
    /// The offsets of start and end as they were written, before a distance became a number.
    pub written: [Option<Expr>; 2],
    pub exclude: FrameExclusion,
}

/// One end of a frame.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "SQL's words")]
pub enum Bound {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What is sorted by.
    pub key: SortBy,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST; PostgreSQL's default is filled in.
    pub nulls_first: bool,
}

/// What is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum SortBy {
    /// A column of the result, from 0.
    Output(usize),
    /// An expression.
    Value(Expr),
}
