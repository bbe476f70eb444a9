//! Functions in FROM.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::target::column_name;
use crate::analysis::tree::{
    Call, Definition, Expr, ExprKind, FromItem, Relation, RelationColumn, Source, TableFunction,
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
        let definitions = self.definitions(calls, alias, at)?;
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
            let given = if definitions.is_empty() {
                self.function_columns(&value, &own_name, alias, at)?
            } else {
                self.defined_columns(&value, &definitions, at)?
            };
            columns.extend(given);
            values.push(value);
        }
        if ordinality {
            columns.push(RelationColumn::given("ordinality", Type::new(TypeId::INT8)));
        }
        let relation = Relation {
            alias: name,
            source: Source::Function(Box::new(TableFunction {
                values,
                ordinality,
                definitions,
            })),
            columns,
        };
        let id = self.named(relation, alias)?;
        self.enter(id, None)?;
        Ok(FromItem::Relation(id))
    }

    /// The column definition list of the only function.
    fn definitions(
        &mut self,
        calls: &[(ast::Expr, Vec<ColumnDefinition>)],
        alias: Option<&Alias>,
        at: Position,
    ) -> Result<Vec<Definition>, DialectError> {
        let own = calls.iter().flat_map(|(_, definitions)| definitions);
        let all = own.chain(alias.iter().flat_map(|alias| &alias.definitions));
        let mut columns = Vec::new();
        for definition in all {
            if calls.len() > 1 {
                return Err(
                    self.unsupported(at, "a column definition list of one of several functions")
                );
            }
            let ty = self.type_name(&definition.ty)?;
            let element = ty.id.element().unwrap_or(ty.id);
            let shape = if element.is_composite() {
                Some(self.shape(ty, at)?)
            } else {
                None
            };
            columns.push(Definition {
                name: definition.name.text.clone(),
                ty,
                shape,
            });
        }
        Ok(columns)
    }

    fn defined_columns(
        &self,
        value: &Expr,
        definitions: &[Definition],
        at: Position,
    ) -> Result<Vec<RelationColumn>, DialectError> {
        let named = |call: &Call| {
            matches!(
                call.function.name,
                "json_to_record" | "jsonb_to_record" | "json_to_recordset" | "jsonb_to_recordset"
            )
        };
        match &value.kind {
            ExprKind::Call(call) if named(call) => Ok(definitions
                .iter()
                .map(|column| RelationColumn::given(&column.name, column.ty))
                .collect()),
            _ if value.ty.id != TypeId::RECORD => Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "a column definition list is only allowed for functions returning \"record\"",
            )),
            _ => Err(self.unsupported(at, "a column definition list of this function")),
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
