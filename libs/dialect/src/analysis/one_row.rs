//! Whether a query is known to give no more than one row.

use pgtypes::SqlValue;

use crate::analysis::Analyzer;
use crate::analysis::schema::place_of;
use crate::analysis::tree::{
    Assignment, Body, ColumnRef, Expr, ExprKind, FromItem, Query, RelationId, Select, Source,
    Statement,
};
use crate::catalog::TypeId;

impl Analyzer<'_> {
    /// Known by its form, or by a key of its table that is compared with values from elsewhere.
    pub(crate) fn gives_one_row(&self, query: &Query) -> bool {
        if query.limit.as_ref().is_some_and(is_one) {
            return true;
        }
        match &query.body {
            Body::Values(rows) => rows.len() <= 1,
            Body::SetOperation { .. } => false,
            Body::Select(select) => {
                (select.grouped && select.group_by.is_empty())
                    || select.from.is_empty()
                    || self.is_one_by_key(select)
            }
        }
    }

    /// Whether a change finds its rows by itself or by a key, so that it reads nothing that others may change meanwhile.
    pub(crate) fn is_by_key(&self, statement: &Statement) -> bool {
        let asks = |expr: &Expr| {
            let mut found = false;
            expr.visit(&mut |part| part.each_query(&mut |_| found = true));
            found
        };
        let pinned = |table, filter: &Option<Expr>| {
            filter
                .as_ref()
                .is_some_and(|filter| !asks(filter) && self.is_pinned(table, filter))
        };
        match statement {
            Statement::Query(_) => false,
            Statement::Insert(insert) => {
                insert.with.is_empty()
                    && insert.source.as_ref().is_none_or(|source| {
                        let given = match &source.body {
                            Body::Values(rows) => !rows.iter().flatten().any(asks),
                            Body::Select(select) => {
                                select.from.is_empty() && !select.targets.iter().any(asks)
                            }
                            Body::SetOperation { .. } => false,
                        };
                        given && source.with.is_empty()
                    })
            }
            Statement::Update(update) => {
                update.with.is_empty()
                    && update.from.is_empty()
                    && pinned(update.table, &update.filter)
                    && update
                        .assignments
                        .iter()
                        .all(|assignment| match assignment {
                            Assignment::One(_, value) => !asks(value),
                            Assignment::Several { .. } => false,
                        })
            }
            Statement::Delete(delete) => {
                delete.with.is_empty()
                    && delete.using.is_empty()
                    && pinned(delete.table, &delete.filter)
            }
        }
    }

    fn is_one_by_key(&self, select: &Select) -> bool {
        match (select.from.as_slice(), &select.filter) {
            ([FromItem::Relation(id)], Some(filter)) => self.is_pinned(*id, filter),
            _ => false,
        }
    }

    /// Whether a condition names one row of the table, by a key.
    fn is_pinned(&self, id: RelationId, filter: &Expr) -> bool {
        let Some(Source::Table { schema, name, .. }) =
            self.relations.get(id.0).map(|relation| &relation.source)
        else {
            return false;
        };
        let Some(info) = self.schema.relation(Some(place_of(schema)), name) else {
            return false;
        };
        let mut told = Vec::new();
        equalities(filter, id, &mut told);
        info.keys
            .iter()
            .any(|key| key.columns.iter().all(|place| told.contains(place)))
    }
}

/// Whether a LIMIT is 0 or 1, which was converted to a bigint.
fn is_one(limit: &Expr) -> bool {
    match &limit.kind {
        ExprKind::Constant(SqlValue::Integer(0 | 1)) => true,
        ExprKind::Call(call) => match call.arguments.as_slice() {
            [only] => only.ty.id == TypeId::INT4 && is_one(only),
            _ => false,
        },
        _ => false,
    }
}

/// The columns of a relation that a condition compares with a value from elsewhere.
fn equalities(filter: &Expr, relation: RelationId, told: &mut Vec<usize>) {
    match &filter.kind {
        ExprKind::And(list) => list
            .iter()
            .for_each(|part| equalities(part, relation, told)),
        ExprKind::Call(call) if call.function.source.ends_with("eq") => {
            let [left, right] = call.arguments.as_slice() else {
                return;
            };
            for (column, value) in [(left, right), (right, left)] {
                if let ExprKind::Column(column) = &column.without_relabel().kind
                    && column.relation == relation
                    && !reads(value, relation)
                {
                    told.push(column.column);
                }
            }
        }
        _ => {}
    }
}

fn reads(value: &Expr, of: RelationId) -> bool {
    let mut found = false;
    value.visit(&mut |part| {
        found |=
            matches!(part.kind, ExprKind::Column(ColumnRef { relation, .. }) if relation == of);
    });
    found
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn is_counted(sql: &str) -> bool {
        let statement = crate::analyze(sql, &NoSchema).unwrap();
        statement.sqlite.concat().contains("pg_one_row")
    }

    #[test]
    fn rows_are_counted_only_where_a_second_may_come() {
        assert!(is_counted(
            "SELECT (SELECT x FROM (VALUES (1), (2)) AS v(x))"
        ));
        for single in [
            "SELECT (SELECT 1)",
            "SELECT (SELECT max(x) FROM (VALUES (1), (2)) AS v(x))",
            "SELECT (SELECT x FROM (VALUES (1), (2)) AS v(x) LIMIT 1)",
        ] {
            assert!(!is_counted(single), "{single}");
        }
    }
}
