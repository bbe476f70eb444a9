//! Calls over windows.

use crate::analysis::tree::{Bound, Frame, Window, WindowCall};
use crate::catalog::FunctionKind;
use crate::sqlite::{Printer, Result};
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
                self.expr(value)?;
                self.push(" PRECEDING");
            }
            Bound::Following(value) => {
                self.expr(value)?;
                self.push(" FOLLOWING");
            }
        }
        Ok(())
    }
}
