//! DISTINCT ON: the first row of each group by a window function.

use crate::analysis::tree::{Expr, Query, Select, SortBy};
use crate::sqlite::form::collation;
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    pub(crate) fn distinct_on(&mut self, query: &Query, select: &Select, keys: &[Expr]) -> Result {
        let names = output_names(query);
        self.find_nullable(&select.from);
        self.push("SELECT ");
        self.list(&names, ", ", |printer, name| {
            printer.name(name);
            Ok(())
        })?;
        self.push(" FROM (SELECT ");
        self.targets(&select.targets, &names, false)?;
        let sorted = self.sort_columns(query, select)?;
        self.push(", row_number() OVER (PARTITION BY ");
        self.list(keys, ", ", Self::collated)?;
        if !query.order_by.is_empty() {
            self.push(" ORDER BY ");
            self.list(
                query.order_by.iter().zip(&sorted),
                ", ",
                |printer, (sort, value)| {
                    let by_value = crate::analysis::tree::Sort {
                        key: SortBy::Value((*value).clone()),
                        ..sort.clone()
                    };
                    printer.sort(&by_value, None)
                },
            )?;
        }
        self.push(") AS \"eloqdb row\"");
        self.clauses(select)?;
        self.push(") WHERE \"eloqdb row\" = 1");
        self.order_outside(query, &sorted)?;
        self.limits(query)
    }

    /// The values sorted by, each a column of its own inside.
    fn sort_columns<'q>(&mut self, query: &'q Query, select: &'q Select) -> Result<Vec<&'q Expr>> {
        let mut sorted = Vec::with_capacity(query.order_by.len());
        for (index, sort) in query.order_by.iter().enumerate() {
            let value = match &sort.key {
                SortBy::Value(value) => value,
                SortBy::Output(place) => match select.targets.get(*place) {
                    Some(target) => target,
                    None => continue,
                },
            };
            self.push(", ");
            self.expr(value)?;
            self.push(&format!(" AS \"eloqdb sort {index}\""));
            sorted.push(value);
        }
        Ok(sorted)
    }

    fn order_outside(&mut self, query: &Query, sorted: &[&Expr]) -> Result {
        if sorted.is_empty() {
            return Ok(());
        }
        self.push(" ORDER BY ");
        let keys = query.order_by.iter().zip(sorted).enumerate();
        self.list(keys, ", ", |printer, (index, (sort, value))| {
            printer.push(&format!("\"eloqdb sort {index}\""));
            if let Some(collation) = collation(value.ty.id) {
                printer.push(" COLLATE ");
                printer.push(collation);
            }
            printer.push(if sort.descending { " DESC" } else { "" });
            printer.push(if sort.nulls_first {
                " NULLS FIRST"
            } else {
                " NULLS LAST"
            });
            Ok(())
        })
    }
}
