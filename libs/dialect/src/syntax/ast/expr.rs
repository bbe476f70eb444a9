//! Expressions as they are written.

use super::{Name, Path, Position, Query};

/// An expression and the place that an error about it points at: for an operator that of the operator, for a call and a
/// name their beginning, for `::` that of the sign, as in PostgreSQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// PostgreSQL's location of the node.
    pub at: Position,
    /// The first byte of its text, for statements that keep a part of it.
    pub from: Position,
    /// The byte after its text.
    pub to: Position,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `$n`.
    Parameter(u32),
    /// `a`, `t.a`, `s.t.a`; also a whole row, which only the scope can tell.
    Column(Path),
    /// `*` (empty path) or `t.*`; in a select list, in RETURNING, and inside `count(*)`'s relatives.
    Star(Vec<Name>),
    /// `expr::type`, `CAST (expr AS type)`; `type 'text'` with a string literal inside.
    Cast {
        /// What is cast.
        operand: Box<Expr>,
        /// To what.
        to: TypeName,
    },
    /// A prefix operator: `-`, `+`, `~`, `@`, `|/`, `!!` …
    Prefix {
        /// The operator.
        operator: Operator,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// A binary operator that the catalog resolves. `<>` stands for `!=`, too.
    Infix {
        /// The operator.
        operator: Operator,
        /// Its operands.
        operands: Box<[Expr; 2]>,
    },
    /// AND of two or more, flattened from the left.
    And(Vec<Expr>),
    /// OR of two or more, flattened from the left.
    Or(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// `IS [NOT] …`; ISNULL and NOTNULL are `IS NULL` and `IS NOT NULL`.
    Is {
        /// What is tested.
        operand: Box<Expr>,
        /// For what.
        test: IsTest,
        /// IS NOT.
        negated: bool,
    },
    /// `IS [NOT] DISTINCT FROM`.
    Distinct {
        /// The two.
        operands: Box<[Expr; 2]>,
        /// IS NOT DISTINCT FROM.
        negated: bool,
    },
    /// LIKE, ILIKE, SIMILAR TO.
    Like {
        /// Which.
        kind: LikeKind,
        /// The text and the pattern.
        operands: Box<[Expr; 2]>,
        /// ESCAPE.
        escape: Option<Box<Expr>>,
        /// NOT LIKE.
        negated: bool,
    },
    /// BETWEEN.
    Between {
        /// The value, the low and the high end.
        operands: Box<[Expr; 3]>,
        /// BETWEEN SYMMETRIC.
        symmetric: bool,
        /// NOT BETWEEN.
        negated: bool,
    },
    /// `x IN (a, b)`.
    InList {
        /// The value.
        operand: Box<Expr>,
        /// What it is compared with, one or more.
        list: Vec<Expr>,
        /// NOT IN.
        negated: bool,
    },
    /// `x op ANY (query)`, `x op ALL (query)`, `x [NOT] IN (query)`.
    QuantifiedQuery(QuantifiedQuery),
    /// `x op ANY (array)`, `x op ALL (array)`.
    QuantifiedArray {
        /// The value and the array.
        operands: Box<[Expr; 2]>,
        /// The operator.
        operator: Operator,
        /// ALL.
        all: bool,
    },
    /// EXISTS (query).
    Exists(Box<Query>),
    /// A query in parentheses where a value is wanted.
    Subquery(Box<Query>),
    /// ARRAY (query).
    ArrayQuery(Box<Query>),
    /// ARRAY [a, b].
    Array(Vec<Expr>),
    /// `(a, b)` or `ROW (a, b)`.
    Row {
        /// The fields; none in `ROW ()`.
        fields: Vec<Expr>,
        /// ROW was said.
        explicit: bool,
    },
    /// CASE.
    Case {
        /// `CASE x WHEN …`.
        operand: Option<Box<Expr>>,
        /// WHEN … THEN ….
        arms: Vec<Arm>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// A call of a function, an aggregate, a window function.
    Call(Box<Call>),
    /// COALESCE.
    Coalesce(Vec<Expr>),
    /// NULLIF.
    NullIf(Box<[Expr; 2]>),
    /// GREATEST.
    Greatest(Vec<Expr>),
    /// LEAST.
    Least(Vec<Expr>),
    /// GROUPING (…).
    Grouping(Vec<Expr>),
    /// `CURRENT_DATE` and its kin, which are called without parentheses.
    ValueFunction {
        /// Which.
        function: ValueFunction,
        /// Digits of a second.
        precision: Option<i32>,
    },
    /// COLLATE.
    Collate {
        /// The text.
        operand: Box<Expr>,
        /// The collation.
        collation: Path,
    },
    /// `a[i]`, and `a[i:j]` with either end left out.
    Subscript {
        /// The array or jsonb.
        operand: Box<Expr>,
        /// One place.
        index: Subscript,
    },
    /// `(row).field`.
    Field {
        /// The composite value.
        operand: Box<Expr>,
        /// `None` is `(row).*`.
        field: Option<Name>,
    },
    /// DEFAULT as a value of INSERT or UPDATE.
    Default,
    /// What the grammar knows and this server does not: refused by this name (`XMLELEMENT`, `JSON_TABLE`).
    Unsupported(&'static str),
}

/// A constant as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// NULL.
    Null,
    /// TRUE, FALSE.
    Boolean(bool),
    /// A number of digits only, without sign: an integer if it fits one, else numeric. Decimal digits, whatever the
    /// base that it was written in, without underscores.
    Integer(String),
    /// A number with a point or an exponent, as it was written without underscores.
    Numeric(String),
    /// Any kind of string, its escapes undone, adjacent ones joined.
    String(String),
    /// B'101', and X'1f' as its bits.
    Bits(String),
}

/// `a[i]` or `a[i:j]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Subscript {
    /// One element.
    Index(Box<Expr>),
    /// A slice.
    Slice(Option<Box<Expr>>, Option<Box<Expr>>),
}

/// An operator by its sign, with a schema if `OPERATOR (schema.sign)` was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `pg_catalog`, if any was said.
    pub schema: Option<Name>,
    /// `+`, `<=`, `->>`, `<>` for `!=`.
    pub sign: String,
    /// Where it stands.
    pub at: Position,
}

/// What IS tests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsTest {
    /// IS NULL.
    Null,
    /// IS TRUE.
    True,
    /// IS FALSE.
    False,
    /// IS UNKNOWN.
    Unknown,
    /// IS [form] NORMALIZED.
    Normalized(Option<NormalForm>),
    /// IS DOCUMENT.
    Document,
    /// IS JSON and its forms, PostgreSQL 16's.
    Json,
}

/// Unicode's normal forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Unicode's names")]
pub enum NormalForm {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

/// `x op ANY (query)`, `x op ALL (query)`; `x IN (query)` is `= ANY`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantifiedQuery {
    /// The value; a row where the query gives several columns.
    pub operand: Box<Expr>,
    /// The operator.
    pub operator: Operator,
    /// ALL.
    pub all: bool,
    /// The query.
    pub query: Box<Query>,
    /// NOT IN: not of `= ANY`.
    pub negated: bool,
}

/// WHEN … THEN ….
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What WHEN says.
    pub condition: Expr,
    /// What THEN says.
    pub result: Expr,
    /// Where it begins.
    pub at: Position,
}

/// Kinds of pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum LikeKind {
    Like,
    Ilike,
    Similar,
}

/// Functions that are called without parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum ValueFunction {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the grammar's words, which are said or not"
)]
pub struct Call {
    /// The function.
    pub name: Path,
    /// The arguments in their order.
    pub arguments: Vec<Argument>,
    /// `count(*)`.
    pub star: bool,
    /// `f(DISTINCT …)`.
    pub distinct: bool,
    /// The last argument is VARIADIC.
    pub variadic: bool,
    /// ORDER BY inside the parentheses, or of WITHIN GROUP.
    pub order_by: Vec<SortKey>,
    /// WITHIN GROUP.
    pub within_group: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// IGNORE NULLS, which no version of PostgreSQL that we follow has.
    pub ignore_nulls: bool,
    /// OVER.
    pub over: Option<Over>,
    /// SQL's own spelling (`EXTRACT (year FROM d)`, `TRIM (a)`), not a plain call.
    pub special: bool,
}

/// An argument, perhaps with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// `name => value`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// OVER: the name of a window, or its definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    /// `OVER w`.
    Name(Name),
    /// `OVER (…)`.
    Window(WindowSpec),
}

/// The definition of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    /// The window that it builds on.
    pub base: Option<Name>,
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortKey>,
    /// ROWS, RANGE, GROUPS.
    pub frame: Option<Frame>,
    /// The parenthesis.
    pub at: Position,
}

/// A window's frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its unit.
    pub unit: FrameUnit,
    /// Both ends were said.
    pub between: bool,
    /// Its beginning.
    pub start: FrameBound,
    /// Its end; CURRENT ROW where none was said.
    pub end: FrameBound,
    /// EXCLUDE.
    pub exclude: FrameExclusion,
    /// Where it begins.
    pub at: Position,
}

/// What a frame counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

/// One end of a frame.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum FrameBound {
    UnboundedPreceding,
    Preceding(Box<Expr>),
    CurrentRow,
    Following(Box<Expr>),
    UnboundedFollowing,
}

/// What a frame leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum FrameExclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

/// One key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What is sorted by.
    pub value: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (true) or LAST, where said.
    pub nulls_first: Option<bool>,
    /// USING operator.
    pub using: Option<Operator>,
}

/// A type as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    /// `int4`, `pg_catalog.int4`, `mood`. The grammar's own spellings arrive under the name in the catalog: `int4` for
    /// `integer`, `bpchar` for `character`, `timestamptz` for `timestamp with time zone`, `varchar`, `float8` for
    /// `double precision` and `float(25)`, `bit`, `varbit`.
    pub name: Path,
    /// The modifiers in parentheses: `numeric(10,2)`; `char` without one has 1.
    pub modifiers: Vec<Expr>,
    /// The fields of `interval day to second`.
    pub interval: Option<IntervalFields>,
    /// The number of `[]`; 1 for ARRAY.
    pub dimensions: u32,
    /// SETOF.
    pub set_of: bool,
    /// Where it begins.
    pub at: Position,
}

/// The fields that an interval keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQL's names")]
pub enum IntervalFields {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    YearToMonth,
    DayToHour,
    DayToMinute,
    DayToSecond,
    HourToMinute,
    HourToSecond,
    MinuteToSecond,
}
