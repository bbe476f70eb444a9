//! What operators stand between: names, constants, calls, parentheses, CASE, ARRAY, ROW.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{Arm, Expr, ExprKind, Name, Path, Subscript, ValueFunction};
use super::chain::{query_in, wrap};
use super::names::{Place, first_token};
use super::types::is_interval;
use super::{Lowering, Result, at, expr, is_expression, position};
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// An operand.
    pub(super) fn lower_operand(&self, node: Node<'_>) -> Result<Expr> {
        match node.kind() {
            LITERAL => self.lower_literal(node),
            NAME_REF => self.name_expr(node),
            FIELD_EXPR | INDEX_EXPR | SLICE_EXPR => self.indirection(node),
            CAST_EXPR => self.cast(node),
            CALL_EXPR => self.lower_call(node),
            PAREN_EXPR => self.parentheses(node),
            TUPLE_EXPR => self.row(node),
            ARRAY_EXPR => self.array(node),
            CASE_EXPR => self.case(node),
            PAREN_SELECT => self.subquery(node, node),
            kind if is_expression(kind) => self.lower_expr(node),
            _ => Err(self.syntax(node)),
        }
    }

    /// Expressions in parentheses or brackets, with commas between.
    pub(super) fn lower_list(&self, node: Node<'_>) -> Result<Vec<Expr>> {
        self.check_commas(node)?;
        let mut list = Vec::new();
        for child in node.nodes() {
            list.push(self.lower_expr(child)?);
        }
        if let Some(last) = node
            .children()
            .filter(|child| !matches!(child.kind(), R_PAREN | R_BRACK))
            .last()
            .filter(|last| last.kind() == COMMA)
        {
            return Err(self.syntax_after(last));
        }
        Ok(list)
    }

    fn name_expr(&self, node: Node<'_>) -> Result<Expr> {
        let kind = match first_token(node).and_then(value_function) {
            Some(function) => ExprKind::ValueFunction {
                function,
                precision: None,
            },
            None => ExprKind::Column(Path(vec![self.column_name(node)?])),
        };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }

    /// Fields and subscripts behind a name or behind something in parentheses.
    fn indirection(&self, node: Node<'_>) -> Result<Expr> {
        let mut steps = Vec::new();
        let mut base = node;
        while matches!(base.kind(), FIELD_EXPR | INDEX_EXPR | SLICE_EXPR) {
            steps.push(base);
            base = base.nodes().next().ok_or_else(|| self.syntax(base))?;
        }
        steps.reverse();
        let parameter = base.kind() == LITERAL
            && first_token(base).is_some_and(|token| token.kind() == POSITIONAL_PARAM);
        let mut rest = steps.as_slice();
        let mut value = match base.kind() {
            NAME_REF if first_token(base).and_then(value_function).is_none() => {
                let mut names = vec![self.column_name(base)?];
                let mut star = false;
                while let [step, others @ ..] = rest
                    && step.kind() == FIELD_EXPR
                    && !star
                {
                    match self.field(*step)? {
                        Some(name) => names.push(name),
                        None => star = true,
                    }
                    rest = others;
                }
                let end = steps
                    .get(steps.len().saturating_sub(rest.len() + 1))
                    .filter(|_| rest.len() < steps.len())
                    .map_or(base.end(), |step| step.end());
                let kind = if star {
                    ExprKind::Star(names)
                } else {
                    ExprKind::Column(Path(names))
                };
                expr(kind, at(base), base.start(), end)
            }
            PAREN_EXPR | PAREN_SELECT => self.lower_operand(base)?,
            LITERAL if parameter => self.lower_operand(base)?,
            _ => return Err(self.syntax_after(base)),
        };
        let mut star = matches!(value.kind, ExprKind::Star(_));
        for step in rest {
            if star {
                return Err(self.refuse(value.at.0 as usize, "improper use of \"*\""));
            }
            let place = value.at;
            if step.kind() == FIELD_EXPR {
                let field = self.field(*step)?;
                star = field.is_none();
                wrap(&mut value, place, step.end(), |operand| ExprKind::Field {
                    operand: Box::new(operand),
                    field,
                });
            } else {
                let index = self.subscript(*step)?;
                wrap(&mut value, place, step.end(), |operand| {
                    ExprKind::Subscript {
                        operand: Box::new(operand),
                        index,
                    }
                });
            }
        }
        Ok(value)
    }

    /// The name after the dot; none is the star.
    fn field(&self, step: Node<'_>) -> Result<Option<Name>> {
        let dot = self.need(step, DOT)?;
        let Some(after) = step.children().find(|child| child.start() >= dot.end()) else {
            return Err(self.syntax_after(step));
        };
        match after.kind() {
            STAR => Ok(None),
            NAME_REF => self.lower_name(after, Place::Label).map(Some),
            _ => Err(self.syntax(after)),
        }
    }

    /// What stands between brackets.
    pub(super) fn subscript(&self, step: Node<'_>) -> Result<Subscript> {
        let open = self.need(step, L_BRACK)?;
        let mut inner = step.nodes().filter(|child| child.start() >= open.end());
        let Some(colon) = step.child(COLON) else {
            let index = inner.next().ok_or_else(|| self.syntax_after(open))?;
            return Ok(Subscript::Index(Box::new(self.lower_expr(index)?)));
        };
        let (mut low, mut high) = (None, None);
        for child in inner {
            let value = Some(Box::new(self.lower_expr(child)?));
            if child.start() < colon.start() {
                low = value;
            } else {
                high = value;
            }
        }
        Ok(Subscript::Slice(low, high))
    }

    /// `CAST (a AS t)` or `t 'text'`.
    fn cast(&self, node: Node<'_>) -> Result<Expr> {
        if let Some(word) = node.child(TREAT_KW) {
            return Ok(expr(
                ExprKind::Unsupported("TREAT"),
                at(word),
                node.start(),
                node.end(),
            ));
        }
        let mut parts = node.nodes();
        let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
            return Err(self.syntax_after(node));
        };
        if node.has(CAST_KW) {
            let operand = Box::new(self.lower_expr(first)?);
            let to = self.lower_type(second)?;
            let kind = ExprKind::Cast { operand, to };
            return Ok(expr(kind, at(node), node.start(), node.end()));
        }
        let mut to = self.literal_type(first)?;
        if let Some(fields) = parts.next().filter(|part| is_interval(part.kind())) {
            if !to.modifiers.is_empty() {
                return Err(self.syntax(fields));
            }
            self.interval_fields(fields, &mut to)?;
        }
        let plain = second.kind() == LITERAL
            && first_token(second).is_some_and(|token| {
                matches!(
                    token.kind(),
                    STRING | ESC_STRING | UNICODE_ESC_STRING | DOLLAR_QUOTED_STRING
                )
            });
        if !plain || to.set_of || to.dimensions > 0 {
            return Err(self.syntax(second));
        }
        let operand = Box::new(self.lower_literal(second)?);
        let kind = ExprKind::Cast { operand, to };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }

    fn parentheses(&self, node: Node<'_>) -> Result<Expr> {
        self.check_commas(node)?;
        let inner = node.nodes().next().ok_or_else(|| self.syntax_after(node))?;
        if node.child(R_PAREN).is_none() {
            // what stands there wrongly inside comes first
            if is_expression(inner.kind()) {
                self.lower_expr(inner)?;
            }
            return Err(self.syntax_after(node));
        }
        if let Some(query) = query_in(node) {
            return self.subquery(node, query);
        }
        if !is_expression(inner.kind()) {
            return Err(self.syntax(inner));
        }
        let mut value = self.lower_expr(inner)?;
        value.from = position(node.start());
        value.to = position(node.end());
        Ok(value)
    }

    fn subquery(&self, node: Node<'_>, query: Node<'_>) -> Result<Expr> {
        let query = Box::new(self.lower_query(query)?);
        Ok(expr(
            ExprKind::Subquery(query),
            at(node),
            node.start(),
            node.end(),
        ))
    }

    fn row(&self, node: Node<'_>) -> Result<Expr> {
        let explicit = node.has(ROW_KW);
        let fields = self.lower_list(node)?;
        if !explicit && fields.len() < 2 {
            return Err(self.syntax_close(node));
        }
        let kind = ExprKind::Row { fields, explicit };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }

    fn array(&self, node: Node<'_>) -> Result<Expr> {
        let inner = node.nodes().next();
        let query = inner.filter(|_| node.has(L_PAREN)).and_then(query_in);
        let kind = if let Some(query) = query {
            ExprKind::ArrayQuery(Box::new(self.lower_query(query)?))
        } else if !node.has(ARRAY_KW) {
            return Err(self.syntax(node));
        } else if !node.has(L_BRACK) {
            let open = node.children().nth(1).unwrap_or(node);
            return Err(self.syntax_after(open));
        } else {
            ExprKind::Array(self.elements(node)?)
        };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }

    /// Elements of ARRAY; brackets inside are arrays, too, and stand beside others of their kind only.
    fn elements(&self, node: Node<'_>) -> Result<Vec<Expr>> {
        self.check_commas(node)?;
        let nested = |child: Node<'_>| child.kind() == ARRAY_EXPR && !child.has(ARRAY_KW);
        let brackets = node.nodes().next().is_some_and(nested);
        let mut list = Vec::new();
        for child in node.nodes() {
            if nested(child) != brackets {
                return Err(self.syntax(child));
            }
            if brackets {
                let elements = self.deeper(child, || self.elements(child))?;
                let kind = ExprKind::Array(elements);
                list.push(expr(kind, at(child), child.start(), child.end()));
            } else {
                list.push(self.lower_expr(child)?);
            }
        }
        Ok(list)
    }

    fn case(&self, node: Node<'_>) -> Result<Expr> {
        let mut operand = None;
        let mut arms = Vec::new();
        let mut otherwise = None;
        for child in node.nodes() {
            match child.kind() {
                WHEN_CLAUSE_LIST => {
                    for arm in child.nodes() {
                        let mut sides = arm.nodes();
                        let (Some(when), Some(then)) = (sides.next(), sides.next()) else {
                            return Err(self.syntax_after(arm));
                        };
                        arms.push(Arm {
                            condition: self.lower_expr(when)?,
                            result: self.lower_expr(then)?,
                            at: at(arm),
                        });
                    }
                }
                ELSE_CLAUSE => {
                    let value = child.nodes().next();
                    let value = value.ok_or_else(|| self.syntax_after(child))?;
                    otherwise = Some(Box::new(self.lower_expr(value)?));
                }
                _ => operand = Some(Box::new(self.lower_expr(child)?)),
            }
        }
        self.need(node, END_KW)?;
        let kind = ExprKind::Case {
            operand,
            arms,
            otherwise,
        };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }
}

/// The function that a word calls without parentheses.
pub(super) fn value_function(token: Node<'_>) -> Option<ValueFunction> {
    Some(match token.kind() {
        CURRENT_DATE_KW => ValueFunction::CurrentDate,
        CURRENT_TIME_KW => ValueFunction::CurrentTime,
        CURRENT_TIMESTAMP_KW => ValueFunction::CurrentTimestamp,
        LOCALTIME_KW => ValueFunction::LocalTime,
        LOCALTIMESTAMP_KW => ValueFunction::LocalTimestamp,
        CURRENT_ROLE_KW => ValueFunction::CurrentRole,
        CURRENT_USER_KW => ValueFunction::CurrentUser,
        USER_KW => ValueFunction::User,
        SESSION_USER_KW => ValueFunction::SessionUser,
        CURRENT_CATALOG_KW => ValueFunction::CurrentCatalog,
        CURRENT_SCHEMA_KW => ValueFunction::CurrentSchema,
        _ => return None,
    })
}
