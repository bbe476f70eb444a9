//! GROUP BY, HAVING, and the rule that a grouped query shows only what its groups have in common.

use pgtypes::SqlState;

use crate::analysis::schema::place_of;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{ColumnRef, Expr, ExprKind, Output, RelationId, SortBy, Source};
use crate::analysis::{Analyzer, deeper};
use crate::error::DialectError;
use crate::syntax::ast::GroupItem;

impl Analyzer<'_> {
    /// The keys of GROUP BY.
    pub(crate) fn group_by(
        &mut self,
        items: &[GroupItem],
        targets: &mut [Expr],
        columns: &mut [Output],
    ) -> Result<Vec<Expr>, DialectError> {
        let mut keys: Vec<Expr> = Vec::with_capacity(items.len());
        for item in items {
            let expr = match item {
                GroupItem::Value(expr) => expr,
                // The sets of the last three come here one by one.
                GroupItem::Empty
                | GroupItem::Rollup(_)
                | GroupItem::Cube(_)
                | GroupItem::Sets(_) => continue,
            };
            let key = self.in_clause(Clause::GroupBy, |analyzer| {
                analyzer.sort_target(expr, targets, columns, "GROUP BY")
            })?;
            let key = match key {
                SortBy::Value(value) => value,
                SortBy::Output(index) => {
                    self.settle(targets, columns)?;
                    match targets.get(index) {
                        Some(target) => target.clone(),
                        None => continue,
                    }
                }
            };
            if let Some(aggregate) = key.find_aggregate() {
                return Err(self.error(
                    aggregate,
                    SqlState::GROUPING_ERROR,
                    "aggregate functions are not allowed in GROUP BY",
                ));
            }
            self.must_equal(&key)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// 42803 for a column of this query that is neither grouped by nor in an aggregate.
    pub(crate) fn check_grouped(&self, value: &Expr, keys: &[Expr]) -> Result<(), DialectError> {
        let own = self.own_relations();
        self.check_part(value, keys, &own, false)
    }

    fn own_relations(&self) -> Vec<RelationId> {
        self.levels.last().map_or_else(Vec::new, |level| {
            level
                .items
                .iter()
                .filter_map(|item| item.relation)
                .collect()
        })
    }

    fn check_part(
        &self,
        value: &Expr,
        keys: &[Expr],
        own: &[RelationId],
        inside_query: bool,
    ) -> Result<(), DialectError> {
        if keys.contains(value) {
            return Ok(());
        }
        match &value.kind {
            ExprKind::Aggregate(aggregate) if !inside_query => {
                // The direct arguments are computed once a group.
                return aggregate.direct().iter().try_for_each(|argument| {
                    deeper(|| self.check_part(argument, keys, own, false)).map_err(|error| {
                        error.detail(
                            "Direct arguments of an ordered-set aggregate must use only grouped columns.",
                        )
                    })
                });
            }
            // Its arguments must be keys, which is found when the keys are known.
            ExprKind::Grouping(_) => return Ok(()),
            ExprKind::Column(column) if own.contains(&column.relation) => {
                return self.check_column(value, *column, keys, inside_query);
            }
            _ => {}
        }
        let mut result = Ok(());
        value.each_part(&mut |part| {
            if result.is_ok() {
                result = deeper(|| self.check_part(part, keys, own, inside_query));
            }
        });
        value.each_query(&mut |query| {
            query.visit_top(&mut |part| {
                if result.is_ok() {
                    result = self.check_part(part, keys, own, true);
                }
            });
        });
        result
    }

    fn check_column(
        &self,
        value: &Expr,
        column: ColumnRef,
        keys: &[Expr],
        inside_query: bool,
    ) -> Result<(), DialectError> {
        if self.depends_on_key(column, keys) {
            return Ok(());
        }
        let Some(relation) = self.relations.get(column.relation.0) else {
            return Ok(());
        };
        let name = relation
            .columns
            .get(column.column)
            .map_or("", |column| column.name.as_str());
        let shown = format!("\"{}.{name}\"", relation.alias);
        let message = if inside_query {
            format!("subquery uses ungrouped column {shown} from outer query")
        } else {
            format!(
                "column {shown} must appear in the GROUP BY clause or be used in an aggregate function"
            )
        };
        Err(self.error(value.at, SqlState::GROUPING_ERROR, message))
    }

    /// Whether a column's table is grouped by its primary key, on which all its columns depend.
    fn depends_on_key(&self, column: ColumnRef, keys: &[Expr]) -> bool {
        let Some(relation) = self.relations.get(column.relation.0) else {
            return false;
        };
        let Source::Table { schema, name, .. } = &relation.source else {
            return false;
        };
        let Some(info) = self.schema.relation(Some(place_of(schema)), name) else {
            return false;
        };
        let grouped = |place: usize| {
            let wanted = ColumnRef {
                relation: column.relation,
                column: place,
            };
            keys.iter()
                .any(|key| key.without_relabel().kind == ExprKind::Column(wanted))
        };
        info.keys
            .iter()
            .any(|key| key.primary && key.columns.iter().all(|place| grouped(*place)))
    }
}
