//! UNION, INTERSECT, EXCEPT.

use crate::analysis::tree::{Body, Distinct, Query};
use crate::sqlite::names::output_names;
use crate::sqlite::query::is_plainly_compared;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::{Position, SetOperator};

impl Printer<'_> {
    /// SQLite's operators bind from the left, with one strength: what does not is put into FROM.
    pub(crate) fn set_operation(
        &mut self,
        operator: SetOperator,
        all: bool,
        sides: &[Query; 2],
    ) -> Result {
        let [left, right] = sides;
        self.operand(left, true)?;
        self.push(match (operator, all) {
            (SetOperator::Union, false) => " UNION ",
            (SetOperator::Union, true) => " UNION ALL ",
            (SetOperator::Intersect, false) => " INTERSECT ",
            (SetOperator::Except, false) => " EXCEPT ",
            (SetOperator::Intersect, true) => {
                return Err(self.unsupported(Position::default(), "INTERSECT ALL"));
            }
            (SetOperator::Except, true) => {
                return Err(self.unsupported(Position::default(), "EXCEPT ALL"));
            }
        });
        self.operand(right, false)
    }

    fn operand(&mut self, query: &Query, leftmost: bool) -> Result {
        let bare = query.with.is_empty()
            && query.order_by.is_empty()
            && query.limit.is_none()
            && query.offset.is_none();
        match &query.body {
            Body::Select(select) if bare && !matches!(select.distinct, Distinct::On(_)) => {
                return self.select(query, select, true);
            }
            Body::Values(rows) if bare && is_plainly_compared(query) => return self.values(rows),
            Body::SetOperation {
                operator,
                all,
                sides,
            } if bare && leftmost => return self.set_operation(*operator, *all, sides),
            _ => {}
        }
        self.push("SELECT ");
        let names = output_names(query);
        self.list(
            query.columns.iter().zip(&names),
            ", ",
            |printer, (column, name)| {
                printer.name(name);
                if let Some(collation) = crate::sqlite::form::collation(column.ty.id) {
                    printer.push(" COLLATE ");
                    printer.push(collation);
                    printer.push(" AS ");
                    printer.name(name);
                }
                Ok(())
            },
        )?;
        self.push(" FROM (");
        self.query(query, false)?;
        self.push(")");
        Ok(())
    }
}
