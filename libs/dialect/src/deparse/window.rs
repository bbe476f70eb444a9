//! Calls over windows.

use crate::analysis::tree::{Bound, Expr, Frame, SortBy, Window, WindowCall};
use crate::catalog::FunctionKind;
use crate::deparse::Writer;
use crate::pg_catalog::identifier;
use crate::syntax::ast::{FrameExclusion, FrameUnit};

impl Writer<'_> {
    pub(super) fn window_call(&mut self, call: &WindowCall) {
        let function = call.call.function;
        self.push(&identifier(function.name));
        self.push("(");
        if call.call.arguments.is_empty() && !matches!(function.kind, FunctionKind::Window) {
            self.push("*");
        }
        self.list(&call.call.arguments, true);
        self.push(")");
        if let Some(filter) = &call.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter, false);
            self.push(")");
        }
        self.push(" OVER ");
        match &call.window.name {
            Some(name) => self.push(&identifier(name)),
            None => self.window(&call.window),
        }
    }

    /// The clause WINDOW.
    pub(super) fn windows(&mut self, windows: &[(String, Window)]) {
        for (index, (name, window)) in windows.iter().enumerate() {
            if index == 0 {
                self.clause(" WINDOW ", 1);
            } else {
                self.push(", ");
            }
            self.push(&identifier(name));
            self.push(" AS ");
            self.window(window);
        }
    }

    fn window(&mut self, window: &Window) {
        self.push("(");
        let mut blank = "";
        if let Some(base) = &window.base {
            self.push(&identifier(base));
            blank = " ";
        } else if !window.partition_by.is_empty() {
            self.push("PARTITION BY ");
            self.keys(&window.partition_by);
            blank = " ";
        }
        if !window.order_by.is_empty() && !window.order_of_base {
            self.push(blank);
            self.push("ORDER BY ");
            for (index, sort) in window.order_by.iter().enumerate() {
                self.push(if index > 0 { ", " } else { "" });
                match &sort.key {
                    SortBy::Value(value) => self.key(value),
                    SortBy::Output(_) => self.complete = false,
                }
                self.direction(sort);
            }
            blank = " ";
        }
        if let Some(frame) = &window.frame {
            self.push(blank);
            self.frame(frame);
        }
        self.push(")");
    }

    fn frame(&mut self, frame: &Frame) {
        self.push(match frame.unit {
            FrameUnit::Rows => "ROWS ",
            FrameUnit::Range => "RANGE ",
            FrameUnit::Groups => "GROUPS ",
        });
        if frame.between {
            self.push("BETWEEN ");
        }
        self.bound(&frame.start, frame.written[0].as_ref());
        if frame.between {
            self.push(" AND ");
            self.bound(&frame.end, frame.written[1].as_ref());
        }
        self.push(match frame.exclude {
            FrameExclusion::NoOthers => "",
            FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclusion::Group => " EXCLUDE GROUP",
            FrameExclusion::Ties => " EXCLUDE TIES",
        });
    }

    fn bound(&mut self, bound: &Bound, written: Option<&Expr>) {
        match bound {
            Bound::UnboundedPreceding => self.push("UNBOUNDED PRECEDING"),
            Bound::CurrentRow => self.push("CURRENT ROW"),
            Bound::UnboundedFollowing => self.push("UNBOUNDED FOLLOWING"),
            Bound::Preceding(by) => {
                self.expr(written.unwrap_or(by), false);
                self.push(" PRECEDING");
            }
            Bound::Following(by) => {
                self.expr(written.unwrap_or(by), false);
                self.push(" FOLLOWING");
            }
        }
    }
}
