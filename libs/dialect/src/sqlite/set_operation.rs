//! UNION, INTERSECT, EXCEPT.

use crate::analysis::tree::{Body, Distinct, Query};
use crate::sqlite::form::collation;
use crate::sqlite::names::output_names;
use crate::sqlite::query::is_plainly_compared;
use crate::sqlite::width::{WITHOUT_BLANKS, has_no_width};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::SetOperator;

impl Printer<'_> {
    /// SQLite's operators bind from the left, with one strength: what does not is put into FROM.
    pub(crate) fn set_operation(
        &mut self,
        operator: SetOperator,
        all: bool,
        sides: &[Query; 2],
    ) -> Result {
        let [left, right] = sides;
        if all && operator != SetOperator::Union {
            return self.counted(operator, left, right);
        }
        self.operand(left, true)?;
        self.push(match (operator, all) {
            (SetOperator::Union, true) => " UNION ALL ",
            (SetOperator::Union, false) => " UNION ",
            (SetOperator::Intersect, _) => " INTERSECT ",
            (SetOperator::Except, _) => " EXCEPT ",
        });
        self.operand(right, false)
    }

    /// INTERSECT ALL and EXCEPT ALL: equal rows are counted, which makes each a row of its own.
    fn counted(&mut self, operator: SetOperator, left: &Query, right: &Query) -> Result {
        let names = output_names(left);
        let mut number = "number".to_owned();
        while names.contains(&number) || output_names(right).contains(&number) {
            number.push('_');
        }
        self.push("SELECT ");
        self.list(&names, ", ", |printer, name| {
            printer.name(name);
            Ok(())
        })?;
        self.push(" FROM (");
        self.numbered(left, &number)?;
        self.push(if operator == SetOperator::Intersect {
            " INTERSECT "
        } else {
            " EXCEPT "
        });
        self.numbered(right, &number)?;
        self.push(")");
        Ok(())
    }

    /// The rows of a query, equal ones numbered.
    fn numbered(&mut self, query: &Query, number: &str) -> Result {
        self.push("SELECT ");
        self.columns_of(query, true)?;
        self.push(", row_number() OVER (PARTITION BY ");
        self.columns_of(query, false)?;
        self.push(") AS ");
        self.name(number);
        self.push(" FROM (");
        self.query(query, false)?;
        self.push(")");
        Ok(())
    }

    /// The columns of a query, each under the collation of its type.
    fn columns_of(&mut self, query: &Query, named: bool) -> Result {
        let names = output_names(query);
        if names.is_empty() {
            self.push("NULL");
        }
        self.list(
            query.columns.iter().zip(&names),
            ", ",
            |printer, (column, name)| {
                printer.name(name);
                let blanks = has_no_width(column.ty).then_some(WITHOUT_BLANKS);
                if let Some(collation) = collation(column.ty.id).or(blanks) {
                    printer.push(" COLLATE ");
                    printer.push(collation);
                    if named {
                        printer.push(" AS ");
                        printer.name(name);
                    }
                }
                Ok(())
            },
        )
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
        self.columns_of(query, true)?;
        self.push(" FROM (");
        self.query(query, false)?;
        self.push(")");
        Ok(())
    }
}
