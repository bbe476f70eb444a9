//! Expressions of a table's definition: defaults, checks, generated columns, terms and conditions of indexes.

use crate::analysis::Analyzer;
use crate::analysis::schema::{Relation as Stored, Schema};
use crate::analysis::scope::{Clause, Level};
use crate::analysis::tree::{Expr, RelationId, Relations};
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast;

/// What an expression of a definition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// DEFAULT of a column of this name and type.
    Default(&'a str, Type),
    /// GENERATED ALWAYS AS, for a column of this name and type.
    Generated(&'a str, Type),
    /// CHECK.
    Check,
    /// A term of an index.
    IndexTerm,
    /// The WHERE of an index.
    IndexCondition,
    /// A value to which an existing column is converted: ALTER COLUMN … TYPE … USING.
    Using(&'a str, Type),
}

/// An analysed expression of a definition.
#[derive(Debug, Clone)]
pub struct Standalone {
    /// The expression.
    pub value: Expr,
    /// The relations that it names: the table, if it may name its columns.
    pub relations: Relations,
    /// The table.
    pub table: Option<RelationId>,
    /// SQLite keeps what it gives, in an index or a column, and takes only functions that it knows to be deterministic.
    pub kept: bool,
    /// It is part of a table's text, in which no query may stand.
    pub lasting: bool,
    /// It gives another value each time.
    pub volatile: bool,
}

/// Analyses an expression of the definition of `table`.
pub fn expression(
    sql: &str,
    expr: &ast::Expr,
    schema: &dyn Schema,
    table: &Stored,
    purpose: Purpose<'_>,
) -> Result<Standalone, DialectError> {
    let mut analyzer = Analyzer::new(sql, schema, &[]);
    analyzer.levels.push(Level::default());
    let sees_columns = !matches!(purpose, Purpose::Default(..));
    let id = if sees_columns {
        let id = analyzer.stored_relation(table, None)?;
        analyzer.enter(id, None)?;
        Some(id)
    } else {
        None
    };
    let value = analyzer.for_purpose(expr, purpose)?;
    Ok(Standalone {
        value,
        table: id,
        kept: matches!(
            purpose,
            Purpose::Generated(..) | Purpose::IndexTerm | Purpose::IndexCondition
        ),
        lasting: !matches!(purpose, Purpose::Using(..)),
        volatile: analyzer.volatile,
        relations: analyzer.relations,
    })
}

/// The type that a name stands for, as it is written in `sql`.
pub(crate) fn type_of_name(
    sql: &str,
    name: &ast::TypeName,
    schema: &dyn Schema,
) -> Result<Type, DialectError> {
    Analyzer::new(sql, schema, &[]).named_type(name)
}

impl Analyzer<'_> {
    fn for_purpose(
        &mut self,
        expr: &ast::Expr,
        purpose: Purpose<'_>,
    ) -> Result<Expr, DialectError> {
        match purpose {
            Purpose::Default(column, ty) => self.for_column(expr, Clause::Default, column, ty),
            Purpose::Generated(column, ty) => self.for_column(expr, Clause::Generated, column, ty),
            Purpose::Using(column, ty) => self.for_column(expr, Clause::Update, column, ty),
            Purpose::Check => {
                self.in_clause(Clause::Check, |analyzer| analyzer.condition(expr, "CHECK"))
            }
            Purpose::IndexTerm => self.in_clause(Clause::Index, |analyzer| analyzer.resolved(expr)),
            Purpose::IndexCondition => self.in_clause(Clause::IndexPredicate, |analyzer| {
                analyzer.condition(expr, "WHERE")
            }),
        }
    }

    fn for_column(
        &mut self,
        expr: &ast::Expr,
        clause: Clause,
        column: &str,
        ty: Type,
    ) -> Result<Expr, DialectError> {
        let value = self.in_clause(clause, |analyzer| analyzer.expr(expr))?;
        self.assign(value, column, ty)
    }
}
