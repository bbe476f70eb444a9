//! UPDATE, and assignments.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::required::required;
use crate::analysis::schema::Relation as Stored;
use crate::analysis::scope::Clause;
use crate::analysis::subscript::is_slice;
use crate::analysis::tree::{self, Assignment, ColumnRef, Expr, FromItem, Update};
use crate::error::DialectError;
use crate::syntax::ast::{self, AssignmentTarget, ExprKind, Filter, Name, Path, Position};

impl Analyzer<'_> {
    /// UPDATE
    pub(crate) fn update(&mut self, update: &ast::Update) -> Result<Update, DialectError> {
        let (with, recursive) = self.with(update.with.as_ref())?;
        let stored = self.target_table(&update.table, "update")?;
        let table = self.enter_target(&stored, update.alias.as_ref())?;
        let from = self.items_beside(&update.from)?;
        let filter = self.row_filter(&update.filter)?;
        let returning = self.returning(&update.returning)?;
        // PostgreSQL looks at what is assigned last.
        let assignments = self.assignments(&update.assignments, &stored)?;
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

    /// FROM of UPDATE or USING of DELETE, where the table that is changed is not seen.
    pub(crate) fn items_beside(
        &mut self,
        items: &[ast::FromItem],
    ) -> Result<Vec<FromItem>, DialectError> {
        let target = std::mem::take(&mut self.level().items);
        let unseen = std::mem::replace(&mut self.level().unseen, target);
        let from = self.in_clause(Clause::From, |analyzer| analyzer.from(items));
        let target = std::mem::replace(&mut self.level().unseen, unseen);
        let others = std::mem::replace(&mut self.level().items, target);
        for item in others {
            self.enter_item(item)?;
        }
        from
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
        assignments: &[ast::Assignment],
        stored: &Stored,
    ) -> Result<Vec<Assignment>, DialectError> {
        let mut taken = Vec::with_capacity(assignments.len());
        let mut result = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            match assignment {
                ast::Assignment::One(target, value) => {
                    let assigned = match self.take_member(target, stored, &mut result)? {
                        Some(before) => self.assign_member(before, target, value, stored)?,
                        None => self.assign_one(target, value, stored, &mut taken)?,
                    };
                    result.push(assigned);
                }
                ast::Assignment::Several(targets, value) => match &value.kind {
                    ExprKind::Row { fields, .. } => {
                        let fields = self.fields_of_row(fields)?;
                        self.check_number(fields.len(), targets, value.at)?;
                        for (target, value) in targets.iter().zip(&fields) {
                            result.push(self.assign_one(target, value, stored, &mut taken)?);
                        }
                    }
                    ExprKind::Subquery(query) => {
                        result.push(self.assign_row(targets, query, stored, &mut taken)?);
                    }
                    _ => {
                        return Err(self.error(
                            value.at,
                            SqlState::FEATURE_NOT_SUPPORTED,
                            "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
                        ));
                    }
                },
            }
        }
        Ok(result)
    }

    fn check_number(
        &self,
        values: usize,
        targets: &[AssignmentTarget],
        at: Position,
    ) -> Result<(), DialectError> {
        if values == targets.len() {
            return Ok(());
        }
        Err(self.error(
            at,
            SqlState::SYNTAX_ERROR,
            "number of columns does not match number of values",
        ))
    }

    fn assign_one(
        &mut self,
        target: &AssignmentTarget,
        value: &ast::Expr,
        stored: &Stored,
        taken: &mut Vec<usize>,
    ) -> Result<Assignment, DialectError> {
        let place = self.free_column(target, stored, taken)?;
        if target.subscripts.is_empty() {
            let value = self.assigned(value, place, stored, Clause::Update)?;
            return Ok(Assignment::One(place, required(value, place, stored)));
        }
        let value = self.part(target, value, place, stored)?;
        let document = self.own_column(place, stored, target.column.at)?;
        let changed = self.in_clause(Clause::Update, |analyzer| {
            analyzer.with_part(document, &target.subscripts, value)
        })?;
        Ok(Assignment::One(place, required(changed, place, stored)))
    }

    /// A column of the table that is changed, whatever else has one of its name.
    fn own_column(
        &mut self,
        place: usize,
        stored: &Stored,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let table = self.level().items.first().and_then(|item| item.relation);
        let (Some(relation), Some(column)) = (table, stored.columns.get(place)) else {
            return Err(self.unsupported(at, "this column"));
        };
        let reference = ColumnRef {
            relation,
            column: place,
        };
        Ok(Expr::new(column.ty, tree::ExprKind::Column(reference), at))
    }

    /// A value for a part of a column: for an element, or for a slice.
    pub(crate) fn part(
        &mut self,
        target: &AssignmentTarget,
        value: &ast::Expr,
        place: usize,
        stored: &Stored,
    ) -> Result<Expr, DialectError> {
        let Some(column) = stored.columns.get(place) else {
            return Err(self.unsupported(value.at, "this column"));
        };
        if value.kind == ExprKind::Default {
            let message = "cannot set an array element to DEFAULT";
            return Err(self.error(target.column.at, SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let given = self.given(value, place, stored, Clause::Update)?;
        let mut ty = column.ty;
        if let (Some(element), false) = (ty.id.element(), is_slice(&target.subscripts)) {
            ty.id = element;
        }
        self.assign_part(given, &target.column, ty)
    }

    /// The value that an assignment to another member has given to a column, to which this one adds.
    fn take_member(
        &mut self,
        target: &AssignmentTarget,
        stored: &Stored,
        result: &mut Vec<Assignment>,
    ) -> Result<Option<Expr>, DialectError> {
        if target.subscripts.is_empty() {
            return Ok(None);
        }
        let place = self.target_column(target, stored)?;
        let before = result.iter().position(|assignment| {
            matches!(assignment, Assignment::One(own, value)
                if *own == place && member(value).is_some())
        });
        Ok(match before.map(|at| result.remove(at)) {
            Some(Assignment::One(_, value)) => member(&value).cloned(),
            _ => None,
        })
    }

    fn assign_member(
        &mut self,
        before: Expr,
        target: &AssignmentTarget,
        value: &ast::Expr,
        stored: &Stored,
    ) -> Result<Assignment, DialectError> {
        let place = self.target_column(target, stored)?;
        let value = self.part(target, value, place, stored)?;
        let changed = self.in_clause(Clause::Update, |analyzer| {
            analyzer.with_part(before, &target.subscripts, value)
        })?;
        Ok(Assignment::One(place, required(changed, place, stored)))
    }

    /// The fields of ROW (…), where `v.*` is each of its columns.
    fn fields_of_row(&mut self, fields: &[ast::Expr]) -> Result<Vec<ast::Expr>, DialectError> {
        let mut result = Vec::with_capacity(fields.len());
        for field in fields {
            let ExprKind::Star(table) = &field.kind else {
                result.push(field.clone());
                continue;
            };
            for (name, _) in self.star(table, field.at)? {
                let column = Name {
                    text: name,
                    at: field.at,
                };
                let mut path = table.clone();
                path.push(column);
                result.push(ast::Expr {
                    kind: ExprKind::Column(Path(path)),
                    ..field.clone()
                });
            }
        }
        Ok(result)
    }

    /// `(a, b) = (SELECT …)`
    fn assign_row(
        &mut self,
        targets: &[AssignmentTarget],
        query: &ast::Query,
        stored: &Stored,
        taken: &mut Vec<usize>,
    ) -> Result<Assignment, DialectError> {
        let columns = targets
            .iter()
            .map(|target| match target.subscripts.first() {
                Some(_) => Err(self.unsupported(
                    target.column.at,
                    "an assignment to a part of a column from a query",
                )),
                None => self.free_column(target, stored, taken),
            })
            .collect::<Result<Vec<usize>, DialectError>>()?;
        let given = self.at_next_level(query, Self::open_query)?;
        self.check_number(given.columns.len(), targets, query.at)?;
        let single = self.gives_one_row(&given);
        let query = Box::new(self.fit(given, &columns, stored)?);
        Ok(Assignment::Several {
            columns,
            query,
            single,
        })
    }

    /// The place of a column that no other assignment names.
    fn free_column(
        &mut self,
        target: &AssignmentTarget,
        stored: &Stored,
        taken: &mut Vec<usize>,
    ) -> Result<usize, DialectError> {
        let place = self.target_column(target, stored)?;
        if taken.contains(&place) {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                format!(
                    "multiple assignments to same column \"{}\"",
                    target.column.text
                ),
            ));
        }
        taken.push(place);
        self.moves_rows |= stored.columns.get(place).is_some_and(|column| column.rowid);
        Ok(place)
    }
}

/// A document with another member, whether or not NULL is refused for it.
fn member(value: &Expr) -> Option<&Expr> {
    match &value.kind {
        tree::ExprKind::WithMember { .. } | tree::ExprKind::WithElements { .. } => Some(value),
        tree::ExprKind::NotNull { operand, .. } => member(operand),
        _ => None,
    }
}
