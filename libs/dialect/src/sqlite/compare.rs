//! Comparisons that SQLite has a form of its own for.

use crate::analysis::tree::{Call, Expr, InList};
use crate::catalog::Operator;
use crate::sqlite::form::{Form, collation, form};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

/// Whether SQLite compares the stored forms by itself, perhaps under a collation.
pub(crate) fn is_native(operator: &Operator) -> bool {
    matches!(form(operator.function), Form::Infix(_) | Form::Compare(_))
}

fn is_native_call(call: &Call) -> bool {
    matches!(form(call.function), Form::Infix(_) | Form::Compare(_))
}

impl Printer<'_> {
    /// IS [NOT] DISTINCT FROM.
    pub(crate) fn distinct(&mut self, equality: &Call, negated: bool, at: Position) -> Result {
        let [left, right] = equality.arguments.as_slice() else {
            return Err(self.missing(equality.function, at));
        };
        self.push("(");
        if is_native_call(equality) {
            self.collated(left)?;
            self.push(if negated { " IS " } else { " IS NOT " });
            self.expr(right)?;
        } else {
            // Two NULLs are alike, one is not like a value.
            self.push("CASE WHEN ");
            self.expr(left)?;
            self.push(" IS NULL OR ");
            self.expr(right)?;
            self.push(" IS NULL THEN (");
            self.expr(left)?;
            self.push(" IS NULL) ");
            self.push(if negated { "=" } else { "<>" });
            self.push(" (");
            self.expr(right)?;
            self.push(" IS NULL) ELSE ");
            self.push(if negated { "" } else { "NOT " });
            self.call(equality, at)?;
            self.push(" END");
        }
        self.push(")");
        Ok(())
    }

    /// NULLIF.
    pub(crate) fn null_if(&mut self, equality: &Call, at: Position) -> Result {
        let [left, right] = equality.arguments.as_slice() else {
            return Err(self.missing(equality.function, at));
        };
        if is_native_call(equality) {
            self.push("nullif(");
            let start = self.out.len();
            self.expr(left)?;
            if let Some(collation) = collation(left.ty.id) {
                self.push(" COLLATE ");
                self.push(collation);
            }
            let end = self.out.len();
            self.push(", ");
            self.expr(right)?;
            self.shield(left, start, end);
            self.push(")");
            return Ok(());
        }
        self.push("CASE WHEN ");
        self.call(equality, at)?;
        self.push(" THEN NULL ELSE ");
        self.expr(left)?;
        self.push(" END");
        Ok(())
    }

    /// `x IN (a, b)`
    pub(crate) fn in_list(&mut self, test: &InList, at: Position) -> Result {
        if is_native(test.operator) {
            return self.member(&test.operand, &test.list, test.negated);
        }
        self.push("(");
        let word = if test.negated { " AND " } else { " OR " };
        self.list(&test.list, word, |printer, element| {
            printer.call(&pair(test.operator, &test.operand, element), at)
        })?;
        self.push(")");
        Ok(())
    }

    /// IN as SQLite has it.
    pub(crate) fn member(&mut self, operand: &Expr, list: &[Expr], negated: bool) -> Result {
        self.push("(");
        self.collated(operand)?;
        self.push(if negated { " NOT IN (" } else { " IN (" });
        self.list(list, ", ", Self::expr)?;
        self.push("))");
        Ok(())
    }

    /// Rows: SQLite compares them as PostgreSQL does, if it can compare their fields.
    pub(crate) fn compare_rows(&mut self, sign: &str, fields: &[Call], at: Position) -> Result {
        if !fields.iter().all(is_native_call) {
            if sign != "=" && sign != "<>" {
                return Err(self.unsupported(at, "this comparison of rows"));
            }
            let word = if sign == "=" { " AND " } else { " OR " };
            self.push("(");
            self.list(fields, word, |printer, field| printer.call(field, at))?;
            self.push(")");
            return Ok(());
        }
        if let [only] = fields {
            return self.call(only, at);
        }
        self.push("((");
        self.list(fields, ", ", |printer, field| {
            match field.arguments.first() {
                Some(left) => printer.collated(left),
                None => Ok(()),
            }
        })?;
        self.push(") ");
        self.push(sign);
        self.push(" (");
        self.list(fields, ", ", |printer, field| {
            match field.arguments.get(1) {
                Some(right) => printer.expr(right),
                None => Ok(()),
            }
        })?;
        self.push("))");
        Ok(())
    }
}

/// An operator's call.
pub(crate) fn pair(operator: &'static Operator, left: &Expr, right: &Expr) -> Call {
    Call {
        function: operator.function,
        arguments: vec![left.clone(), right.clone()],
        variadic: None,
    }
}
