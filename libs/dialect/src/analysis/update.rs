//! UPDATE, and assignments.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::schema::Relation as Stored;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Expr, Update};
use crate::error::DialectError;
use crate::syntax::ast::{self, Assignment, AssignmentTarget, ExprKind, Filter};

impl Analyzer<'_> {
    /// UPDATE
    pub(crate) fn update(&mut self, update: &ast::Update) -> Result<Update, DialectError> {
        let (with, recursive) = self.with(update.with.as_ref())?;
        let stored = self.target_table(&update.table, "update")?;
        let table = self.enter_target(&stored, update.alias.as_ref())?;
        let from = self.in_clause(Clause::From, |analyzer| analyzer.from(&update.from))?;
        let assignments = self.assignments(&update.assignments, &stored)?;
        let filter = self.row_filter(&update.filter)?;
        let returning = self.returning(&update.returning)?;
        Ok(Update {
            with,
            recursive,
            table,
            assignments,
            from,
            filter,
            returning,
        })
    }

    /// WHERE of UPDATE and DELETE.
    pub(crate) fn row_filter(&mut self, filter: &Filter) -> Result<Option<Expr>, DialectError> {
        match filter {
            Filter::None => Ok(None),
            Filter::Where(condition) => self.condition_of(Clause::Where, Some(condition), "WHERE"),
            Filter::CurrentOf(name) => Err(self.unsupported(name.at, "WHERE CURRENT OF")),
        }
    }

    /// SET
    pub(crate) fn assignments(
        &mut self,
        assignments: &[Assignment],
        stored: &Stored,
    ) -> Result<Vec<(usize, Expr)>, DialectError> {
        let mut result: Vec<(usize, Expr)> = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            match assignment {
                Assignment::One(target, value) => {
                    self.assign_one(target, value, stored, &mut result)?;
                }
                Assignment::Several(targets, value) => {
                    let ExprKind::Row { fields, .. } = &value.kind else {
                        return Err(self.unsupported(
                            value.at,
                            "an assignment of a subquery to several columns",
                        ));
                    };
                    if fields.len() != targets.len() {
                        return Err(self.error(
                            value.at,
                            SqlState::SYNTAX_ERROR,
                            "number of columns does not match number of values",
                        ));
                    }
                    for (target, value) in targets.iter().zip(fields) {
                        self.assign_one(target, value, stored, &mut result)?;
                    }
                }
            }
        }
        Ok(result)
    }

    fn assign_one(
        &mut self,
        target: &AssignmentTarget,
        value: &ast::Expr,
        stored: &Stored,
        result: &mut Vec<(usize, Expr)>,
    ) -> Result<(), DialectError> {
        let place = self.target_column(target, stored)?;
        if result.iter().any(|(other, _)| *other == place) {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                format!(
                    "multiple assignments to same column \"{}\"",
                    target.column.text
                ),
            ));
        }
        let value = self.assigned(value, place, stored, Clause::Update)?;
        result.push((place, value));
        Ok(())
    }
}
