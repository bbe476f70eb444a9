//! Windows, their frames, and the keys of ORDER BY.

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::*;

use super::super::ast::{Frame, FrameBound, FrameExclusion, FrameUnit, Name, SortKey, WindowSpec};
use super::{Lowering, Result, at};
use crate::DialectError;
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// The keys of ORDER BY.
    pub(super) fn lower_order_by(&self, node: Node<'_>) -> Result<Vec<SortKey>> {
        let list = self.need(node, SORT_BY_LIST)?;
        self.check_commas(list)?;
        list.nodes().map(|key| self.sort_key(key)).collect()
    }

    fn sort_key(&self, node: Node<'_>) -> Result<SortKey> {
        let mut parts = node.nodes();
        let value = parts.next().ok_or_else(|| self.syntax_after(node))?;
        let mut key = SortKey {
            value: self.lower_expr(value)?,
            descending: false,
            nulls_first: None,
            using: None,
        };
        for part in parts {
            match part.kind() {
                SORT_ASC => {}
                SORT_DESC => key.descending = true,
                NULLS_FIRST => key.nulls_first = Some(true),
                NULLS_LAST => key.nulls_first = Some(false),
                SORT_USING => {
                    let operator = part.nodes().next().ok_or_else(|| self.syntax_after(part))?;
                    key.using = Some(if operator.kind() == OPERATOR_CALL {
                        self.operator_call(operator)?
                    } else {
                        self.sign_operator(operator)?
                    });
                }
                _ => return Err(self.syntax(part)),
            }
        }
        Ok(key)
    }

    /// WINDOW w AS (…), ….
    pub(super) fn lower_windows(&self, node: Node<'_>) -> Result<Vec<(Name, WindowSpec)>> {
        self.check_commas(node)?;
        let mut windows = Vec::new();
        for definition in node.nodes() {
            let name = self.column_name(self.need(definition, WINDOW)?)?;
            windows.push((name, self.lower_window(definition)?));
        }
        Ok(windows)
    }

    /// What stands in a window's parentheses; the node holds those.
    pub(super) fn lower_window(&self, node: Node<'_>) -> Result<WindowSpec> {
        let open = self.need(node, L_PAREN)?;
        let mut window = WindowSpec {
            base: None,
            partition_by: Vec::new(),
            order_by: Vec::new(),
            frame: None,
            at: at(open),
        };
        if let Some(spec) = node.child(WINDOW_SPEC) {
            for child in spec.children() {
                match child.kind() {
                    WINDOW_REF => window.base = Some(self.column_name(child)?),
                    PARTITION_BY_CLAUSE => {
                        self.check_commas(child)?;
                        for value in child.nodes() {
                            window.partition_by.push(self.lower_expr(value)?);
                        }
                    }
                    ORDER_BY_CLAUSE => window.order_by = self.lower_order_by(child)?,
                    FRAME_CLAUSE => window.frame = Some(self.frame(child)?),
                    _ => return Err(self.syntax(child)),
                }
            }
        }
        self.need(node, R_PAREN)?;
        Ok(window)
    }

    fn frame(&self, node: Node<'_>) -> Result<Frame> {
        let mut parts = node.nodes();
        let (Some(unit), Some(extent)) = (parts.next(), parts.next()) else {
            return Err(self.syntax_after(node));
        };
        let between = extent.kind() == FRAME_BETWEEN;
        let (start, end) = if between {
            let mut bounds = extent.nodes();
            let (Some(start), Some(end)) = (bounds.next(), bounds.next()) else {
                return Err(self.syntax_after(extent));
            };
            (self.bound(start)?, self.bound(end)?)
        } else {
            (self.bound(extent)?, FrameBound::CurrentRow)
        };
        self.check_frame(&start, &end, extent)?;
        let exclude = parts.next().and_then(|exclude| exclude.nodes().next());
        Ok(Frame {
            unit: match unit.kind() {
                FRAME_ROWS => FrameUnit::Rows,
                FRAME_GROUPS => FrameUnit::Groups,
                _ => FrameUnit::Range,
            },
            between,
            start,
            end,
            exclude: match exclude.map(Node::kind) {
                Some(CURRENT_ROW) => FrameExclusion::CurrentRow,
                Some(GROUP) => FrameExclusion::Group,
                Some(TIES) => FrameExclusion::Ties,
                _ => FrameExclusion::NoOthers,
            },
            at: at(node),
        })
    }

    /// Frames that cannot be, in the words of PostgreSQL's grammar.
    fn check_frame(&self, start: &FrameBound, end: &FrameBound, extent: Node<'_>) -> Result<()> {
        let between = extent.kind() == FRAME_BETWEEN;
        let mut bounds = extent.nodes().filter(|_| between);
        let start_at = bounds.next().unwrap_or(extent);
        let end_at = bounds.next().unwrap_or(extent);
        let (message, place) = match (start, end) {
            (FrameBound::UnboundedFollowing, _) => {
                ("frame start cannot be UNBOUNDED FOLLOWING", start_at)
            }
            (_, FrameBound::UnboundedPreceding) => {
                ("frame end cannot be UNBOUNDED PRECEDING", end_at)
            }
            (FrameBound::CurrentRow, FrameBound::Preceding(_)) => (
                "frame starting from current row cannot have preceding rows",
                end_at,
            ),
            (FrameBound::Following(_), FrameBound::CurrentRow) if !between => (
                "frame starting from following row cannot end with current row",
                start_at,
            ),
            (FrameBound::Following(_), FrameBound::Preceding(_) | FrameBound::CurrentRow) => (
                "frame starting from following row cannot have preceding rows",
                end_at,
            ),
            _ => return Ok(()),
        };
        Err(DialectError::new(SqlState::WINDOWING_ERROR, message).at(self.sql, place.start()))
    }

    fn bound(&self, node: Node<'_>) -> Result<FrameBound> {
        let value = || {
            let value = node.nodes().next().ok_or_else(|| self.syntax(node))?;
            self.lower_expr(value).map(Box::new)
        };
        Ok(match node.kind() {
            UNBOUNDED_PRECEDING => FrameBound::UnboundedPreceding,
            UNBOUNDED_FOLLOWING => FrameBound::UnboundedFollowing,
            CURRENT_ROW => FrameBound::CurrentRow,
            EXPR_PRECEDING => FrameBound::Preceding(value()?),
            EXPR_FOLLOWING => FrameBound::Following(value()?),
            _ => return Err(self.syntax(node)),
        })
    }
}
