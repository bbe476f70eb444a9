//! Whether a query is known to give no more than one row.

use pgtypes::SqlValue;

use crate::analysis::Analyzer;
use crate::analysis::tree::{
    Body, ColumnRef, Expr, ExprKind, FromItem, Query, RelationId, Select, Source,
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

    fn is_one_by_key(&self, select: &Select) -> bool {
        let ([FromItem::Relation(id)], Some(filter)) = (select.from.as_slice(), &select.filter)
        else {
            return false;
        };
        let Some(Source::Table { schema, name, .. }) =
            self.relations.get(id.0).map(|relation| &relation.source)
        else {
            return false;
        };
        let schema = if *schema == "temp" {
            "pg_temp"
        } else {
            "public"
        };
        let Some(info) = self.schema.relation(Some(schema), name) else {
            return false;
        };
        let mut told = Vec::new();
        equalities(filter, *id, &mut told);
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
