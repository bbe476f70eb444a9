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
    /// `f(…) [WITH ORDINALITY] [AS alias (columns)]`, or several side by side: ROWS FROM, `unnest` of several arrays.
    pub(crate) fn table_function(
        &mut self,
        calls: &[(ast::Expr, Vec<ColumnDefinition>)],
        ordinality: bool,
        alias: Option<&Alias>,
        at: Position,
    ) -> Result<FromItem, DialectError> {
        let defined = calls.iter().any(|(_, definitions)| !definitions.is_empty())
            || alias.is_some_and(|alias| !alias.definitions.is_empty());
        if defined {
            return Err(self.unsupported(at, "a column definition list"));
        }
        let mut values = Vec::new();
        let mut columns = Vec::new();
        let mut name = None;
        for (call, _) in calls {
            let own = column_name(call);
            let sets = self.in_clause(Clause::From, |analyzer| analyzer.sets_of(call))?;
            let only = calls.len() == 1 && sets.len() == 1;
            for value in sets {
                let alias = alias.filter(|_| only);
                columns.extend(self.function_columns(&value, &own, alias, at)?);
                values.push(value);
            }
            name.get_or_insert(own);
        }
        if ordinality {
            columns.push(RelationColumn::given("ordinality", Type::new(TypeId::INT8)));
        }
        let is_set =
            |value: &Expr| matches!(&value.kind, ExprKind::Call(call) if call.function.returns_set);
        if values.len() > 1 && !values.iter().all(is_set) {
            return Err(self.unsupported(at, "ROWS FROM a function that gives one row"));
        }
        let mut values = values.into_iter();
        let Some(value) = values.next() else {
            return Err(self.unsupported(at, "ROWS FROM"));
        };
        let relation = Relation {
            alias: name.unwrap_or_default(),
            source: Source::Function(Box::new(TableFunction {
                set: is_set(&value),
                value,
                beside: values.collect(),
                ordinality,
            })),
            columns,
        };
        let id = self.named(relation, alias)?;
        self.enter(id, None)?;
        Ok(FromItem::Relation(id))
    }

    /// The value of a call in FROM; `unnest` of several arrays is one of each.
    fn sets_of(&mut self, call: &ast::Expr) -> Result<Vec<Expr>, DialectError> {
        match &call.kind {
            ast::ExprKind::Call(unnest) if is_unnest(unnest) => unnest
                .arguments
                .iter()
                .map(|argument| {
                    let array = self.expr(&argument.value)?;
                    self.call_named("unnest", vec![array], call.at)
                })
                .collect(),
            _ => Ok(vec![self.resolved(call)?]),
        }
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

/// Only in FROM `unnest` takes several arrays.
fn is_unnest(call: &ast::Call) -> bool {
    let name = call.name.0.last().map(|name| name.text.as_str());
    call.arguments.len() > 1 && name == Some("unnest")
}
