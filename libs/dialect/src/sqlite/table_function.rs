//! Functions in FROM: a table of the columns `c1`, `c2`, ….

use crate::analysis::tree::{Call, ExprKind, TableFunction};
use crate::catalog::TypeId;
use crate::sqlite::form::is_registered;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    pub(crate) fn table_function(&mut self, function: &TableFunction) -> Result {
        let ExprKind::Call(call) = &function.value.kind else {
            return self.one_row(function);
        };
        if !function.set {
            return self.one_row(function);
        }
        if is_counted(call) && !has_column(call) {
            return self.series(call, function.ordinality);
        }
        self.rows(call, function)
    }

    /// A value as a table of one row.
    fn one_row(&mut self, function: &TableFunction) -> Result {
        self.push("(SELECT ");
        self.expr(&function.value)?;
        self.push(" AS c1");
        if function.ordinality {
            self.push(", 1 AS c2");
        }
        self.push(")");
        Ok(())
    }

    /// `generate_series` over integers: a recursion, so that no row is held.
    fn series(&mut self, call: &Call, ordinality: bool) -> Result {
        let [start, stop, rest @ ..] = call.arguments.as_slice() else {
            return Err(self.missing(call.function, crate::syntax::ast::Position::default()));
        };
        self.push("(WITH RECURSIVE b(a, z, s) AS MATERIALIZED (SELECT ");
        self.expr(start)?;
        self.push(", ");
        self.expr(stop)?;
        self.push(", ");
        match rest.first() {
            None => self.push("1"),
            Some(step) => {
                self.push("pg_series_step(");
                self.expr(step)?;
                self.push(")");
            }
        }
        self.push(
            "), n(c1, z, s) AS (SELECT a, z, s FROM b WHERE CASE WHEN s > 0 THEN a <= z ELSE a >= z END \
             UNION ALL SELECT c1 + s, z, s FROM n WHERE CASE WHEN s > 0 THEN c1 <= z - s ELSE c1 >= z - s END) SELECT c1",
        );
        if ordinality {
            self.push(", row_number() OVER () AS c2");
        }
        self.push(" FROM n)");
        Ok(())
    }

    /// A function that gives its rows as a JSON array.
    fn rows(&mut self, call: &Call, function: &TableFunction) -> Result {
        let at = function.value.at;
        let name = format!("pg_set_{}", call.function.source);
        let unnest = call.function.name == "unnest" && call.arguments.len() == 1;
        if !unnest && !is_registered(&name) {
            return Err(self.missing(call.function, at));
        }
        self.push("(SELECT ");
        let columns = call.function.out.len();
        if columns > 1 {
            for column in 0..columns {
                if column > 0 {
                    self.push(", ");
                }
                self.push(&format!("value ->> {column} AS c{}", column + 1));
            }
        } else {
            self.push("value AS c1");
        }
        if function.ordinality {
            self.push(&format!(", key + 1 AS c{}", columns.max(1) + 1));
        }
        self.push(" FROM ");
        if unnest {
            if let Some(array) = call.arguments.first() {
                self.elements(array, at)?;
            }
        } else {
            self.push("json_each(");
            self.push(&name);
            self.push("(");
            self.list(&call.arguments, ", ", |printer, argument| {
                printer.expr(argument)
            })?;
            self.push("))");
        }
        self.push(")");
        Ok(())
    }
}

/// Whether it counts by integers.
fn is_counted(call: &Call) -> bool {
    call.function.name == "generate_series"
        && call
            .function
            .arguments
            .iter()
            .all(|ty| matches!(*ty, TypeId::INT4 | TypeId::INT8))
}

/// Whether the arguments read a column, which only a table function of SQLite's may.
fn has_column(call: &Call) -> bool {
    let mut found = false;
    for argument in &call.arguments {
        argument.visit(&mut |expr| found |= matches!(expr.kind, ExprKind::Column(_)));
    }
    found
}
