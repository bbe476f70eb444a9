//! Sort keys.

use pgtypes::SqlValue;

use crate::analysis::tree::{Expr, ExprKind, Query, Sort, SortBy};
use crate::catalog::Volatility;
use crate::sqlite::form::collation;
use crate::sqlite::width::{WITHOUT_BLANKS, has_no_width};
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    /// A sort key; `query` is the one whose columns a number counts.
    pub(crate) fn sort(&mut self, sort: &Sort, query: Option<&Query>) -> Result {
        let mut not_null = false;
        match &sort.key {
            SortBy::Output(index) => {
                self.push(&(index + 1).to_string());
                let ty = query
                    .and_then(|query| query.columns.get(*index))
                    .map(|column| column.ty);
                let blanks = ty.filter(|ty| has_no_width(*ty)).map(|_| WITHOUT_BLANKS);
                if let Some(collation) = ty.and_then(|ty| collation(ty.id)).or(blanks) {
                    self.push(" COLLATE ");
                    self.push(collation);
                }
                if let Some(crate::analysis::tree::Body::Select(select)) =
                    query.map(|query| &query.body)
                {
                    not_null = select
                        .targets
                        .get(*index)
                        .is_some_and(|target| self.is_not_null(target));
                }
            }
            SortBy::Value(value) => {
                self.must_be_ordered(value)?;
                self.key(value)?;
                not_null = self.is_not_null(value);
            }
        }
        if sort.descending {
            self.push(" DESC");
        }
        // SQLite's NULLs are smaller than every value. Where there are none, an index may give the order.
        if !not_null {
            match (sort.descending, sort.nulls_first) {
                (false, false) => self.push(" NULLS LAST"),
                (true, true) => self.push(" NULLS FIRST"),
                _ => {}
            }
        }
        Ok(())
    }

    /// What is grouped or sorted by. A constant is the same for all rows, and would be taken for a column's place; so
    /// would what SQLite makes one of.
    pub(crate) fn key(&mut self, value: &Expr) -> Result {
        let (mut varies, mut computed) = (false, false);
        value.visit(&mut |part| {
            computed |= matches!(part.kind, ExprKind::Call(_) | ExprKind::ViaText(_));
            varies |= match &part.kind {
                ExprKind::Call(call) => call.function.volatility == Volatility::Volatile,
                ExprKind::Constant(_)
                | ExprKind::Label { .. }
                | ExprKind::Relabel(_)
                | ExprKind::ViaText(_) => false,
                kind => !is_plain(kind),
            }
        });
        if varies && !is_false(value) {
            return self.collated(value);
        }
        let start = self.out.len();
        if computed {
            self.wrapped("CAST(", value, " AS TEXT)")?;
        }
        // What calls something may fail.
        let calls = self.out.get(start + "CAST(".len()..);
        if !calls.is_some_and(|text| text.contains('(')) {
            self.out.truncate(start);
            self.push("NULL");
        }
        Ok(())
    }

    /// Whether a value is a column that holds no NULL.
    pub(crate) fn is_not_null(&self, value: &Expr) -> bool {
        match value.without_relabel().kind {
            ExprKind::Column(column) => {
                !self.nullable.contains(&column.relation)
                    && self
                        .relations
                        .get(column.relation.0)
                        .and_then(|relation| relation.columns.get(column.column))
                        .is_some_and(|column| column.not_null)
            }
            ExprKind::Constant(ref value) => !matches!(value, SqlValue::Null),
            _ => false,
        }
    }

    /// ORDER BY, LIMIT and OFFSET of a query.
    pub(crate) fn tail(&mut self, query: &Query) -> Result {
        self.order(query)?;
        self.limits(query)
    }

    /// ORDER BY of a query.
    pub(crate) fn order(&mut self, query: &Query) -> Result {
        if !query.order_by.is_empty() {
            self.push(" ORDER BY ");
            self.list(&query.order_by, ", ", |printer, sort| {
                printer.sort(sort, Some(query))
            })?;
        }
        Ok(())
    }
}

/// Expressions that are constant if their parts are.
fn is_plain(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::IsNull { .. }
            | ExprKind::IsTruth { .. }
            | ExprKind::Distinct { .. }
            | ExprKind::NullIf(_)
            | ExprKind::Coalesce(_)
            | ExprKind::Extreme { .. }
            | ExprKind::Case { .. }
            | ExprKind::InList(_)
            | ExprKind::Array(_)
    )
}

/// Whether a condition is false because a part of it is.
fn is_false(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Constant(value) => *value == SqlValue::Integer(0),
        ExprKind::And(parts) => parts.iter().any(is_false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    #[test]
    fn a_constant_that_has_to_be_computed_may_fail() {
        let sql = "SELECT 1 FROM (VALUES (1)) AS v(a) ORDER BY jsonb_build_object(1), 2 + 3";
        let printed = crate::analyze(sql, &NoSchema).unwrap().sqlite.concat();
        assert!(
            printed.contains(" ORDER BY CAST(pg_jsonb_build_object("),
            "{printed}"
        );
    }

    #[test]
    fn what_is_never_true_is_no_column_to_group_by() {
        let sql = "SELECT count(*) FROM (VALUES (true)) AS v(b) GROUP BY b AND false";
        let printed = crate::analyze(sql, &NoSchema).unwrap().sqlite.concat();
        assert!(printed.ends_with(" GROUP BY NULL"), "{printed}");
    }
}
