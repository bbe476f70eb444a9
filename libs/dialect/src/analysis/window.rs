//! Window functions and windows.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::call::Arguments;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Call, Expr, ExprKind, Frame, Window, WindowCall};
use crate::catalog::{FunctionKind, Type};
use crate::error::DialectError;
use crate::syntax::ast::{self, FrameBound, FrameUnit, Name, Over, Position, WindowSpec};

impl Analyzer<'_> {
    /// A call with OVER.
    pub(crate) fn window_call(
        &mut self,
        name: &str,
        call: &ast::Call,
        arguments: Arguments,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if !self.clause.takes_windows() {
            return Err(self.error(
                at,
                SqlState::WINDOWING_ERROR,
                format!("window functions are not allowed in {}", self.clause.name()),
            ));
        }
        if let Some(inner) = arguments.values.iter().find_map(Expr::find_window) {
            return Err(self.error(
                inner,
                SqlState::WINDOWING_ERROR,
                "window function calls cannot be nested",
            ));
        }
        let resolved = self.resolve_function(name, &arguments, call, at)?;
        self.check_window(call, &resolved, at)?;
        let filter = self.condition_of(Clause::Filter, call.filter.as_ref(), "FILTER")?;
        let window = match &call.over {
            Some(Over::Name(name)) => self.named_window(name)?,
            Some(Over::Window(spec)) => self.window(spec),
            None => return Err(self.unsupported(at, "a window function without OVER")),
        };
        self.level().windows_used = true;
        let (function, result) = (resolved.function, resolved.result);
        let (arguments, variadic) = self.in_order(&resolved, arguments.values, at)?;
        let call = Call {
            function,
            arguments,
            variadic,
        };
        let kind = ExprKind::Window(Box::new(WindowCall {
            call,
            filter,
            window,
        }));
        Ok(Expr::new(Type::new(result), kind, at))
    }

    fn check_window(
        &self,
        call: &ast::Call,
        resolved: &crate::catalog::resolve::Resolved,
        at: Position,
    ) -> Result<(), DialectError> {
        let name = resolved.function.name;
        let (sqlstate, message) = match resolved.function.kind {
            FunctionKind::Scalar | FunctionKind::Procedure => (
                SqlState::WRONG_OBJECT_TYPE,
                format!(
                    "OVER specified, but {name} is not a window function nor an aggregate function"
                ),
            ),
            FunctionKind::Aggregate {
                ordered_set: true, ..
            } => (
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("OVER is not supported for ordered-set aggregate {name}"),
            ),
            _ if call.distinct => (
                SqlState::FEATURE_NOT_SUPPORTED,
                "DISTINCT is not implemented for window functions".to_owned(),
            ),
            _ if !call.order_by.is_empty() => (
                SqlState::FEATURE_NOT_SUPPORTED,
                "aggregate ORDER BY is not implemented for window functions".to_owned(),
            ),
            FunctionKind::Window if call.filter.is_some() => (
                SqlState::FEATURE_NOT_SUPPORTED,
                "FILTER is not implemented for non-aggregate window functions".to_owned(),
            ),
            FunctionKind::Aggregate { .. }
                if call.arguments.is_empty() && !call.star && !call.within_group =>
            {
                (
                    SqlState::WRONG_OBJECT_TYPE,
                    format!("{name}(*) must be used to call a parameterless aggregate function"),
                )
            }
            _ => return Ok(()),
        };
        Err(self.error(at, sqlstate, message))
    }

    fn named_window(&mut self, name: &Name) -> Result<Window, DialectError> {
        let found = self
            .level()
            .windows
            .iter()
            .find(|(known, _)| known.text == name.text)
            .map(|(_, window)| Window {
                name: Some(name.text.clone()),
                base: None,
                order_of_base: false,
                ..window.clone()
            });
        found.ok_or_else(|| {
            self.error(
                name.at,
                SqlState::UNDEFINED_OBJECT,
                format!("window \"{}\" does not exist", name.text),
            )
        })
    }

    /// The clause WINDOW of this query.
    pub(crate) fn named_windows(&mut self) -> Vec<(String, Window)> {
        let windows = std::mem::take(&mut self.level().windows);
        let named = windows.into_iter();
        named.map(|(name, window)| (name.text, window)).collect()
    }

    /// A window, or an empty one where its definition is wrong: PostgreSQL looks at windows last.
    pub(crate) fn window(&mut self, spec: &WindowSpec) -> Window {
        match self.window_definition(spec) {
            Ok(window) => window,
            Err(fault) => {
                self.level().window_fault.get_or_insert(fault);
                Window::default()
            }
        }
    }

    /// The definition of a window, with what it takes from the one that it builds on.
    fn window_definition(&mut self, spec: &WindowSpec) -> Result<Window, DialectError> {
        let base = spec
            .base
            .as_ref()
            .map(|name| self.named_window(name).map(|window| (name, window)))
            .transpose()?;
        let mut window = self.in_clause(Clause::Window, |analyzer| {
            Ok(Window {
                partition_by: spec
                    .partition_by
                    .iter()
                    .map(|key| analyzer.resolved(key))
                    .collect::<Result<_, DialectError>>()?,
                order_by: analyzer.sort_values(&spec.order_by)?,
                ..Window::default()
            })
        })?;
        if let Some((name, base)) = base {
            self.check_base(spec, name, &base)?;
            window.base = Some(name.text.clone());
            window.partition_by = base.partition_by;
            if window.order_by.is_empty() {
                window.order_of_base = true;
                window.order_by = base.order_by;
            }
        }
        if let Some(frame) = &spec.frame {
            window.frame = Some(self.frame(frame, &window, spec.at)?);
        }
        Ok(window)
    }

    fn check_base(
        &self,
        spec: &WindowSpec,
        name: &Name,
        base: &Window,
    ) -> Result<(), DialectError> {
        let clause = if !spec.partition_by.is_empty() {
            "PARTITION BY clause"
        } else if !spec.order_by.is_empty() && !base.order_by.is_empty() {
            "ORDER BY clause"
        } else if base.frame.is_some() {
            let error = self.error(
                spec.at,
                SqlState::WINDOWING_ERROR,
                format!(
                    "cannot copy window \"{}\" because it has a frame clause",
                    name.text
                ),
            );
            let bare = spec.order_by.is_empty() && spec.frame.is_none();
            return Err(if bare {
                error.hint("Omit the parentheses in this OVER clause.")
            } else {
                error
            });
        } else {
            return Ok(());
        };
        Err(self.error(
            spec.at,
            SqlState::WINDOWING_ERROR,
            format!("cannot override {clause} of window \"{}\"", name.text),
        ))
    }

    fn frame(
        &mut self,
        frame: &ast::Frame,
        window: &Window,
        at: Position,
    ) -> Result<Frame, DialectError> {
        if frame.unit == FrameUnit::Groups && window.order_by.is_empty() {
            return Err(self.error(
                at,
                SqlState::WINDOWING_ERROR,
                "GROUPS mode requires an ORDER BY clause",
            ));
        }
        let offset = [&frame.start, &frame.end]
            .iter()
            .any(|bound| matches!(bound, FrameBound::Preceding(_) | FrameBound::Following(_)));
        if frame.unit == FrameUnit::Range && offset && window.order_by.len() != 1 {
            return Err(self.error(
                at,
                SqlState::WINDOWING_ERROR,
                "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
            ));
        }
        let (start, written_start) = self.frame_start(&frame.start, frame.unit, window)?;
        let (end, written_end) = self.frame_end(&frame.end, frame.unit, window)?;
        Ok(Frame {
            unit: frame.unit,
            between: frame.between,
            start,
            end,
            written: [written_start, written_end],
            exclude: frame.exclude,
        })
    }
}
