//! MERGE.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::schema::{Relation as Stored, RelationKind};
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Assignment, Body, Expr, FromItem, Merge, MergeAction, MergeWhen};
use crate::error::DialectError;
use crate::syntax::ast::{self, ExprKind, Name, Position};

impl Analyzer<'_> {
    /// MERGE
    pub(crate) fn merge(&mut self, merge: &ast::Merge) -> Result<Merge, DialectError> {
        if merge.with.as_ref().is_some_and(|with| with.recursive) {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                "WITH RECURSIVE is not supported for MERGE statement",
            ));
        }
        let (with, _) = self.with(merge.with.as_ref())?;
        check_reachable(&merge.whens)?;
        let stored = self.stored(&merge.table)?;
        if stored.kind == RelationKind::View {
            let name = stored.shown_name();
            let message = format!("cannot execute MERGE on relation \"{name}\"");
            return Err(DialectError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .detail("This operation is not supported for views."));
        }
        let stored = self.target_table(&merge.table, "merge into")?;
        let table = self.enter_target(&stored, merge.alias.as_ref())?;
        let target = merge.alias.as_ref().or(merge.table.0.last());
        check_names(target, &merge.source)?;
        let source = self.source(&merge.source)?;
        let on = self.in_clause(Clause::JoinOn, |analyzer| {
            analyzer.condition(&merge.on, "JOIN/ON")
        })?;
        let mut whens = Vec::with_capacity(merge.whens.len());
        for when in &merge.whens {
            whens.push(self.when(when, merge, &stored)?);
        }
        Ok(Merge {
            with,
            table,
            source,
            on,
            whens,
        })
    }

    fn source(&mut self, source: &ast::FromItem) -> Result<FromItem, DialectError> {
        let mut items = self.items_beside(std::slice::from_ref(source))?;
        let item = items.pop();
        item.ok_or_else(|| self.unsupported(Position::default(), "MERGE without USING"))
    }

    fn when(
        &mut self,
        when: &ast::MergeWhen,
        merge: &ast::Merge,
        stored: &Stored,
    ) -> Result<MergeWhen, DialectError> {
        if when.matched {
            let condition =
                self.condition_of(Clause::MergeWhen, when.condition.as_ref(), "WHEN")?;
            return Ok(MergeWhen {
                matched: true,
                condition,
                action: self.matched_action(&when.action, stored)?,
            });
        }
        // There is no row of the table.
        let target = self.level().items.remove(0);
        self.level().unseen.push(target);
        let condition = self.condition_of(Clause::MergeWhen, when.condition.as_ref(), "WHEN");
        let action = condition.and_then(|condition| {
            let action = self.inserted(&when.action, merge, stored)?;
            Ok((condition, action))
        });
        if let Some(target) = self.level().unseen.pop() {
            self.level().items.insert(0, target);
        }
        let (condition, action) = action?;
        Ok(MergeWhen {
            matched: false,
            condition,
            action,
        })
    }

    fn matched_action(
        &mut self,
        action: &ast::MergeAction,
        stored: &Stored,
    ) -> Result<MergeAction, DialectError> {
        let ast::MergeAction::Update(assignments) = action else {
            return Ok(match action {
                ast::MergeAction::Delete => MergeAction::Delete,
                _ => MergeAction::Nothing,
            });
        };
        for assignment in assignments {
            if let ast::Assignment::Several(_, value) = assignment
                && matches!(value.kind, ExprKind::Subquery(_))
            {
                let what = "an assignment of several columns from a query in MERGE";
                return Err(self.unsupported(value.at, what));
            }
        }
        let assigned = self.assignments(assignments, stored)?;
        let values = assigned
            .into_iter()
            .filter_map(|assignment| match assignment {
                Assignment::One(place, value) => Some((place, value)),
                Assignment::Several { .. } => None,
            });
        Ok(MergeAction::Update(values.collect()))
    }

    fn inserted(
        &mut self,
        action: &ast::MergeAction,
        merge: &ast::Merge,
        stored: &Stored,
    ) -> Result<MergeAction, DialectError> {
        let ast::MergeAction::Insert {
            columns,
            overriding,
            values,
        } = action
        else {
            return Ok(MergeAction::Nothing);
        };
        let insert = ast::Insert {
            with: None,
            table: merge.table.clone(),
            alias: None,
            columns: columns.clone(),
            overriding: *overriding,
            source: values.clone(),
            on_conflict: None,
            returning: Vec::new(),
        };
        let (columns, source) = self.inserted_rows(&insert, stored)?;
        let row = match source.map(|query| query.body) {
            Some(Body::Values(mut rows)) => rows.pop().unwrap_or_default(),
            Some(_) => {
                let what = "parts of columns in INSERT of MERGE";
                return Err(self.unsupported(Position::default(), what));
            }
            None => Vec::new(),
        };
        let values: Vec<(usize, Expr)> = columns.into_iter().zip(row).collect();
        Ok(MergeAction::Insert(values))
    }
}

/// What stands behind one of its kind that has no condition would never be reached.
fn check_reachable(whens: &[ast::MergeWhen]) -> Result<(), DialectError> {
    let mut last = [false; 2];
    for when in whens {
        let [unmatched, matched] = &mut last;
        let last = if when.matched { matched } else { unmatched };
        if *last {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                "unreachable WHEN clause specified after unconditional WHEN clause",
            ));
        }
        *last = when.condition.is_none();
    }
    Ok(())
}

/// The source may not be called as the table.
fn check_names(target: Option<&Name>, source: &ast::FromItem) -> Result<(), DialectError> {
    let called = match source {
        ast::FromItem::Relation { name, alias, .. } => {
            let alias = alias.as_ref().and_then(|alias| alias.name.as_ref());
            alias.or(name.0.last())
        }
        ast::FromItem::Query { alias, .. } | ast::FromItem::Function { alias, .. } => {
            alias.as_ref().and_then(|alias| alias.name.as_ref())
        }
        _ => None,
    };
    match (target, called) {
        (Some(target), Some(called)) if target.text == called.text => {
            let message = format!("name \"{}\" specified more than once", target.text);
            Err(DialectError::new(SqlState::DUPLICATE_ALIAS, message)
                .detail("The name is used both as MERGE target table and data source."))
        }
        _ => Ok(()),
    }
}
