//! Functions in FROM.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::target::column_name;
use crate::analysis::tree::{
    Expr, ExprKind, FromItem, Relation, RelationColumn, Source, TableFunction,
};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Alias, ColumnDefinition, Position};

impl Analyzer<'_> {
    /// `f(…) [WITH ORDINALITY] [AS alias (columns)]`
    pub(crate) fn table_function(
        &mut self,
        (call, definitions): &(ast::Expr, Vec<ColumnDefinition>),
        ordinality: bool,
        alias: Option<&Alias>,
        at: Position,
    ) -> Result<FromItem, DialectError> {
        if let ast::ExprKind::Call(unnest) = &call.kind
            && unnest.arguments.len() > 1
            && unnest
                .name
                .0
                .last()
                .is_some_and(|name| name.text == "unnest")
        {
            return Err(self.unsupported(at, "unnest of several arrays"));
        }
        let value = self.in_clause(Clause::From, |analyzer| analyzer.resolved(call))?;
        let name = column_name(call);
        let defined = !definitions.is_empty() || alias.is_some_and(|a| !a.definitions.is_empty());
        if defined {
            return Err(self.unsupported(at, "a column definition list"));
        }
        let mut columns = self.function_columns(&value, &name, alias, at)?;
        if ordinality {
            columns.push(RelationColumn::given("ordinality", Type::new(TypeId::INT8)));
        }
        let set = matches!(&value.kind, ExprKind::Call(call) if call.function.returns_set);
        let relation = Relation {
            alias: name,
            source: Source::Function(Box::new(TableFunction {
                value,
                set,
                ordinality,
            })),
            columns,
        };
        let id = self.named(relation, alias)?;
        self.enter(id, None)?;
        Ok(FromItem::Relation(id))
    }

    /// The columns that the function gives: those of its OUT parameters, else one.
    fn function_columns(
        &self,
        value: &Expr,
        name: &str,
        alias: Option<&Alias>,
        at: Position,
    ) -> Result<Vec<RelationColumn>, DialectError> {
        if let ExprKind::Call(call) = &value.kind
            && !call.function.out.is_empty()
        {
            return Ok(call
                .function
                .out
                .iter()
                .map(|(id, name)| RelationColumn::given(name, Type::new(*id)))
                .collect());
        }
        if value.ty.id == TypeId::RECORD {
            return Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "a column definition list is required for functions returning \"record\"",
            ));
        }
        // The only column has the alias' name, unless it gets one of its own.
        let name = alias
            .and_then(|alias| alias.name.as_ref())
            .map_or(name, |name| name.text.as_str());
        Ok(vec![RelationColumn::given(name, value.ty)])
    }
}
