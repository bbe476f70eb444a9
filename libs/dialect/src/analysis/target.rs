//! The select list: values, their names, and what a star stands for.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::Item;
use crate::analysis::tree::{Expr, Output};
use crate::error::DialectError;
use crate::syntax::ast::{self, ExprKind, Name, Position, Target, ValueFunction};

impl Analyzer<'_> {
    /// The values of a select list or of RETURNING, and their names.
    pub(crate) fn targets(
        &mut self,
        targets: &[Target],
    ) -> Result<(Vec<Expr>, Vec<Output>), DialectError> {
        let mut values = Vec::with_capacity(targets.len());
        let mut columns = Vec::with_capacity(targets.len());
        for target in targets {
            if let ExprKind::Star(qualifier) = &target.value.kind {
                for (name, value) in self.star(qualifier, target.value.at)? {
                    columns.push(Output { name, ty: value.ty });
                    values.push(value);
                }
                continue;
            }
            if let ExprKind::Field {
                operand,
                field: None,
            } = &target.value.kind
            {
                for (name, value) in self.all_fields(operand, target.value.at)? {
                    columns.push(Output { name, ty: value.ty });
                    values.push(value);
                }
                continue;
            }
            let value = self.expr(&target.value)?;
            let name = match &target.alias {
                Some(alias) => alias.text.clone(),
                None => column_name(&target.value),
            };
            columns.push(Output { name, ty: value.ty });
            values.push(value);
        }
        Ok((values, columns))
    }

    /// Values of a select list become of a known type: what nothing has told is text.
    pub(crate) fn settle(
        &mut self,
        values: &mut [Expr],
        columns: &mut [Output],
    ) -> Result<(), DialectError> {
        for (value, column) in values.iter_mut().zip(columns) {
            if value.is_unknown() {
                *value = self.known(value.clone())?;
                column.ty = value.ty;
            }
        }
        Ok(())
    }

    pub(crate) fn star(
        &self,
        qualifier: &[Name],
        at: Position,
    ) -> Result<Vec<(String, Expr)>, DialectError> {
        if qualifier.is_empty() {
            return self.whole_star(at);
        }
        Ok(self
            .starred(qualifier, at)?
            .columns
            .iter()
            .map(|column| {
                let value = Expr {
                    at,
                    ..column.value.clone()
                };
                (column.name.clone(), value)
            })
            .collect())
    }

    /// What stands before `.*`.
    pub(crate) fn starred(&self, qualifier: &[Name], at: Position) -> Result<&Item, DialectError> {
        let (schema, table) = match qualifier {
            [table] => (None, table),
            [schema, table] => (Some(schema.text.as_str()), table),
            _ => return Err(self.unsupported(at, "a database before a table's name")),
        };
        self.find_item(schema, &table.text)
            .ok_or_else(|| self.missing_table(table, at))
    }

    fn whole_star(&self, at: Position) -> Result<Vec<(String, Expr)>, DialectError> {
        let items = self.levels.last().map_or(&[][..], |level| &level.items);
        if items.is_empty() {
            return Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "SELECT * with no tables specified is not valid",
            ));
        }
        Ok(items
            .iter()
            .filter(|item| item.by_column)
            .flat_map(|item| &item.columns)
            .map(|column| {
                let value = Expr {
                    at,
                    ..column.value.clone()
                };
                (column.name.clone(), value)
            })
            .collect())
    }
}

/// How much a name says: a name of its own is better than one of a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Weak,
    Strong,
}

/// The name of a result's column that has no alias, by PostgreSQL's rules.
pub(crate) fn column_name(expr: &ast::Expr) -> String {
    name_of(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

fn strong(name: &str) -> (String, Strength) {
    (name.to_owned(), Strength::Strong)
}

fn name_of(expr: &ast::Expr) -> Option<(String, Strength)> {
    Some(match &expr.kind {
        ExprKind::Column(path) => strong(&path.0.last()?.text),
        ExprKind::Field {
            field: Some(field), ..
        } => strong(&field.text),
        ExprKind::Subscript { operand, .. } | ExprKind::Collate { operand, .. } => {
            return name_of(operand);
        }
        ExprKind::Call(call) => strong(&call.name.0.last()?.text),
        ExprKind::NullIf(_) => strong("nullif"),
        ExprKind::Coalesce(_) => strong("coalesce"),
        ExprKind::Greatest(_) => strong("greatest"),
        ExprKind::Least(_) => strong("least"),
        ExprKind::Grouping(_) => strong("grouping"),
        ExprKind::Is {
            test: ast::IsTest::Normalized(_),
            negated: false,
            ..
        } => strong("is_normalized"),
        ExprKind::Array(_) | ExprKind::ArrayQuery(_) => strong("array"),
        ExprKind::Row { .. } => strong("row"),
        ExprKind::Exists(_) => strong("exists"),
        ExprKind::ValueFunction { function, .. } => strong(value_function_name(*function)),
        ExprKind::Cast { operand, to } => match name_of(operand) {
            Some((name, Strength::Strong)) => strong(&name),
            _ => (to.name.0.last()?.text.clone(), Strength::Weak),
        },
        ExprKind::Case { otherwise, .. } => match otherwise.as_deref().and_then(name_of) {
            Some((name, Strength::Strong)) => strong(&name),
            _ => ("case".to_owned(), Strength::Weak),
        },
        ExprKind::Subquery(query) => strong(&query_name(query)?),
        _ => return None,
    })
}

/// A scalar subquery has the name of its column, which a cast of it keeps.
fn query_name(query: &ast::Query) -> Option<String> {
    match &query.body {
        ast::QueryBody::Select(select) => {
            let target = select.targets.first()?;
            Some(match &target.alias {
                Some(alias) => alias.text.clone(),
                None => column_name(&target.value),
            })
        }
        ast::QueryBody::Values(_) => Some("column1".to_owned()),
        ast::QueryBody::SetOperation { sides, .. } => query_name(&sides[0]),
    }
}

fn value_function_name(function: ValueFunction) -> &'static str {
    match function {
        ValueFunction::CurrentDate => "current_date",
        ValueFunction::CurrentTime => "current_time",
        ValueFunction::CurrentTimestamp => "current_timestamp",
        ValueFunction::LocalTime => "localtime",
        ValueFunction::LocalTimestamp => "localtimestamp",
        ValueFunction::CurrentRole => "current_role",
        ValueFunction::CurrentUser => "current_user",
        ValueFunction::User => "user",
        ValueFunction::SessionUser => "session_user",
        ValueFunction::CurrentCatalog => "current_catalog",
        ValueFunction::CurrentSchema => "current_schema",
    }
}
