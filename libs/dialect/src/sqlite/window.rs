//! Calls over windows.

use crate::analysis::tree::{Bound, Expr, ExprKind, Frame, Window, WindowCall};
use crate::catalog::FunctionKind;
use crate::sqlite::{Printer, Result, fold};
use crate::syntax::ast::{FrameExclusion, FrameUnit, Position};

impl Printer<'_> {
    pub(crate) fn window_call(&mut self, call: &WindowCall, at: Position) -> Result {
        match call.call.function.kind {
            FunctionKind::Window => {
                // SQLite has the same window functions under the same names.
                self.push(call.call.function.name);
                self.push("(");
                self.list(&call.call.arguments, ", ", |printer, argument| {
                    printer.expr(argument)
                })?;
                self.push(")");
            }
            _ => self.aggregate_over(&call.call, at)?,
        }
        if let Some(filter) = &call.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        self.push(" OVER (");
        self.window(&call.window)?;
        self.push(")");
        Ok(())
    }

    fn window(&mut self, window: &Window) -> Result {
        let mut blank = "";
        if !window.partition_by.is_empty() {
            self.push("PARTITION BY ");
            self.list(&window.partition_by, ", ", |printer, key| {
                printer.collated(key)
            })?;
            blank = " ";
        }
        if !window.order_by.is_empty() {
            self.push(blank);
            self.push("ORDER BY ");
            self.sorts(&window.order_by)?;
            blank = " ";
        }
        if let Some(frame) = &window.frame {
            self.push(blank);
            self.frame(frame)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) -> Result {
        self.push(match frame.unit {
            FrameUnit::Rows => "ROWS BETWEEN ",
            FrameUnit::Range => "RANGE BETWEEN ",
            FrameUnit::Groups => "GROUPS BETWEEN ",
        });
        self.bound(&frame.start)?;
        self.push(" AND ");
        self.bound(&frame.end)?;
        self.push(match frame.exclude {
            FrameExclusion::NoOthers => "",
            FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclusion::Group => " EXCLUDE GROUP",
            FrameExclusion::Ties => " EXCLUDE TIES",
        });
        Ok(())
    }

    fn bound(&mut self, bound: &Bound) -> Result {
        match bound {
            Bound::UnboundedPreceding => self.push("UNBOUNDED PRECEDING"),
            Bound::CurrentRow => self.push("CURRENT ROW"),
            Bound::UnboundedFollowing => self.push("UNBOUNDED FOLLOWING"),
            Bound::Preceding(value) => {
                self.offset(value)?;
                self.push(" PRECEDING");
            }
            Bound::Following(value) => {
                self.offset(value)?;
                self.push(" FOLLOWING");
            }
        }
        Ok(())
    }

    /// A number that is known when the statement is prepared, or a parameter: of what calls a function or reads rows
    /// SQLite makes a NULL.
    fn offset(&mut self, value: &Expr) -> Result {
        match &value.without_relabel().kind {
            ExprKind::Constant(_) | ExprKind::Parameter(_) => return self.expr(value),
            _ => {}
        }
        if let Some(number) = fold::number(value) {
            let kind = ExprKind::Constant(number);
            return self.expr(&Expr::new(value.ty, kind, value.at));
        }
        let start = self.out.len();
        self.expr(value)?;
        if self.out.get(start..).is_some_and(calls) {
            return Err(self.unsupported(value.start(), "a frame offset that is not a constant"));
        }
        Ok(())
    }
}

/// Whether a text of SQLite's calls a function or reads rows.
fn calls(text: &str) -> bool {
    text.match_indices('(').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let word = word.into_iter().next().unwrap_or_default();
        !matches!(word, "" | "CAST" | "AND" | "OR" | "NOT")
    }) || text.contains("SELECT")
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn over(frame: &str) -> Result<String, crate::DialectError> {
        let sql = format!("SELECT sum(x) OVER (ORDER BY x {frame}) FROM (VALUES (1)) v(x)");
        Ok(crate::analyze(&sql, &NoSchema)?.sqlite.concat())
    }

    #[test]
    fn an_offset_is_a_number_or_a_parameter() {
        for (frame, printed) in [
            ("ROWS 1 + 1 PRECEDING", "2 PRECEDING"),
            ("ROWS 2.4 PRECEDING", "2 PRECEDING"),
            ("GROUPS 2::int2 * 2 PRECEDING", "4 PRECEDING"),
            ("ROWS $1 PRECEDING", "?1 PRECEDING"),
            ("ROWS ('a' < 'b')::int PRECEDING", "'a' < 'b'"),
        ] {
            let text = over(frame).unwrap();
            assert!(text.contains(printed), "{frame}: {text}");
        }
    }

    #[test]
    fn an_offset_that_sqlite_would_not_compute_is_refused() {
        for frame in [
            "ROWS (SELECT 1) PRECEDING",
            "ROWS BETWEEN CURRENT ROW AND length('ab') FOLLOWING",
            "GROUPS random()::int PRECEDING",
        ] {
            let error = over(frame).unwrap_err();
            assert_eq!(error.sqlstate, pgtypes::SqlState::FEATURE_NOT_SUPPORTED);
            assert!(
                error.message.contains("a frame offset"),
                "{}",
                error.message
            );
        }
    }
}
