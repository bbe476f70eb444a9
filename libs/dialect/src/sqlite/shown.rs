//! What a client sees of a statement's result: the numbers of objects by their names.

use crate::analysis::tree::{Body, Distinct, Expr, ExprKind, Query, Sort, SortBy};
use crate::catalog::{Type, TypeId};
use crate::sqlite::expr::is_named;
use crate::sqlite::names::output_names;
use crate::sqlite::width::{padded, with_blanks};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

impl Printer<'_> {
    /// The query of a statement.
    pub(crate) fn shown(&mut self, query: &Query) -> Result {
        let named = query.columns.iter().any(|column| is_named(column.ty.id));
        if !named {
            return match with_blanks(query) {
                Some(query) => self.query(&query, false),
                None => self.query(query, false),
            };
        }
        if let Some(query) = with_names(query) {
            return self.query(&query, false);
        }
        // Rows that are compared with others get their names afterwards.
        self.push("SELECT ");
        let names = output_names(query);
        self.list(
            query.columns.iter().zip(&names),
            ", ",
            |printer, (column, name)| {
                let plain = |printer: &mut Self, _: &Expr| {
                    printer.name(name);
                    Ok(())
                };
                let value = Expr::new(column.ty, ExprKind::Or(Vec::new()), Position::default());
                if is_named(column.ty.id) {
                    printer.name_of_number(column.ty.id, &value, plain)?;
                } else {
                    plain(printer, &value)?;
                }
                printer.push(" AS ");
                printer.name(name);
                Ok(())
            },
        )?;
        self.push(" FROM (");
        self.query(query, false)?;
        self.push(")");
        Ok(())
    }
}

/// The values that a client sees.
pub(crate) fn shown_values(values: &[Expr]) -> Vec<Expr> {
    values.iter().map(shown).collect()
}

fn shown(value: &Expr) -> Expr {
    if !is_named(value.ty.id) {
        return padded(value);
    }
    Expr::new(
        Type::new(TypeId::TEXT),
        ExprKind::ViaText(Box::new(value.clone())),
        value.at,
    )
}

/// A query whose rows are not compared with each other, with names in the place of numbers; it is sorted as before.
fn with_names(query: &Query) -> Option<Query> {
    let Body::Select(select) = &query.body else {
        return None;
    };
    if select.distinct != Distinct::No {
        return None;
    }
    let order_by = query.order_by.iter().map(|sort| {
        let target = match sort.key {
            SortBy::Output(index) => select.targets.get(index),
            SortBy::Value(_) => None,
        };
        match target.filter(|target| is_named(target.ty.id)) {
            Some(target) => Sort {
                key: SortBy::Value(target.clone()),
                ..sort.clone()
            },
            None => sort.clone(),
        }
    });
    let mut select = select.clone();
    select.targets = shown_values(&select.targets);
    Some(Query {
        body: Body::Select(select),
        order_by: order_by.collect(),
        ..query.clone()
    })
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> (String, bool) {
        let statement = crate::analyze(sql, &NoSchema).unwrap();
        (statement.sqlite.concat(), statement.catalog)
    }

    #[test]
    fn an_object_is_shown_by_its_name_and_sorted_by_its_number() {
        let (text, catalog) = printed("SELECT oid::regclass FROM pg_class ORDER BY 1");
        assert_eq!(
            text,
            "SELECT pg_regclassout(\"pg_class\".\"oid\") AS \"oid\" FROM temp.\"pg_class\" AS \"pg_class\" \
             ORDER BY \"pg_class\".\"oid\""
        );
        assert!(catalog);
    }

    #[test]
    fn rows_that_are_compared_get_their_names_afterwards() {
        let (text, _) = printed("SELECT DISTINCT 23::regtype AS t");
        assert_eq!(
            text,
            "SELECT pg_regtypeout(\"t\") AS \"t\" FROM (SELECT DISTINCT 23 AS \"t\")"
        );
    }

    #[test]
    fn a_table_that_never_has_rows_is_an_empty_query() {
        let (text, catalog) = printed("SELECT count(*) FROM pg_seclabel");
        assert_eq!(
            text,
            "SELECT count(*) AS \"count\" FROM (SELECT NULL AS \"objoid\", NULL AS \"classoid\", NULL AS \"objsubid\", \
             NULL AS \"provider\", NULL AS \"label\" WHERE 0) AS \"pg_seclabel\""
        );
        assert!(!catalog);
    }
}
