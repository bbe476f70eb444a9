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
    /// `f(…) [WITH ORDINALITY] [AS alias (columns)]`, or several in `ROWS FROM (…)`
    pub(crate) fn table_function(
        &mut self,
        calls: &[(ast::Expr, Vec<ColumnDefinition>)],
        ordinality: bool,
        alias: Option<&Alias>,
        at: Position,
    ) -> Result<FromItem, DialectError> {
        let defined = calls.iter().any(|(_, definitions)| !definitions.is_empty())
            || alias.is_some_and(|a| !a.definitions.is_empty());
        if defined {
            return Err(self.unsupported(at, "a column definition list"));
        }
        let calls: Vec<ast::Expr> = calls
            .iter()
            .flat_map(|(call, _)| each_array(call))
            .collect();
        let Some(first) = calls.first() else {
            return Err(self.unsupported(at, "ROWS FROM without functions"));
        };
        let name = column_name(first);
        let mut values = Vec::with_capacity(calls.len());
        let mut columns = Vec::with_capacity(calls.len());
        for call in &calls {
            let value = self.in_clause(Clause::From, |analyzer| analyzer.resolved(call))?;
            let own_name = column_name(call);
            let alias = alias.filter(|_| calls.len() == 1);
            let given = self.function_columns(&value, &own_name, alias, at)?;
            columns.extend(given);
            values.push(value);
        }
        if ordinality {
            columns.push(RelationColumn::given("ordinality", Type::new(TypeId::INT8)));
        }
        let relation = Relation {
            alias: name,
            source: Source::Function(Box::new(TableFunction { values, ordinality })),
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
            let columns = call.columns().into_iter();
            return Ok(columns
                .map(|(ty, name)| RelationColumn::given(name, ty))
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

/// `unnest(a, b)` is `unnest(a), unnest(b)` side by side.
fn each_array(call: &ast::Expr) -> Vec<ast::Expr> {
    match &call.kind {
        ast::ExprKind::Call(unnest)
            if unnest.arguments.len() > 1
                && unnest
                    .name
                    .0
                    .last()
                    .is_some_and(|name| name.text == "unnest") =>
        {
            let one = |argument: &ast::Argument| {
                let kind = ast::ExprKind::Call(Box::new(ast::Call {
                    arguments: vec![argument.clone()],
                    ..ast::Call::clone(unnest)
                }));
                ast::Expr {
                    kind,
                    ..call.clone()
                }
            };
            unnest.arguments.iter().map(one).collect()
        }
        _ => vec![call.clone()],
    }
}
