//! Chains of operators, put together by PostgreSQL's precedences.
//!
//! The parser's tree gives the operands and operators in their order; which belong together is decided here.

use squawk_parser::SyntaxKind::{self, *};

use super::super::ast::{Expr, ExprKind, IsTest, Operator};
use super::operator::{Level, infix_level, is_infix_only};
use super::predicate::{Test, quantifier};
use super::{Lowering, Result, at, expr, is_expression, is_query, position, too_deep};
use crate::syntax::ast::Position;
use crate::syntax::tree::{Children, Node};

/// How many operators may nest by standing in a row.
const MAX_CHAIN: usize = 1000;

/// What an expression may be made of where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything.
    Full,
    /// What PostgreSQL calls `b_expr`: no AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL, COLLATE, AT.
    Restricted,
}

/// Operands and operators in their order, and how many are read.
pub(super) struct Chain<'t> {
    items: Vec<Node<'t>>,
    next: usize,
    nested: usize,
    /// The byte after the last item that was read.
    pub(super) end: usize,
}

impl<'t> Chain<'t> {
    pub(super) fn peek(&self) -> Option<Node<'t>> {
        self.items.get(self.next).copied()
    }

    pub(super) fn peek_kind(&self) -> Option<SyntaxKind> {
        self.peek().map(Node::kind)
    }

    /// The kind of the item after the next.
    fn kind_after(&self) -> Option<SyntaxKind> {
        self.items.get(self.next + 1).map(|item| item.kind())
    }

    pub(super) fn take(&mut self) -> Option<Node<'t>> {
        let item = self.peek()?;
        self.next += 1;
        self.end = item.end();
        Some(item)
    }
}

/// Nodes that are taken apart into operands and operators.
fn is_chain(node: Node<'_>) -> bool {
    match node.kind() {
        BIN_EXPR | PREFIX_EXPR | POSTFIX_EXPR | BETWEEN_EXPR | COLLATE | IS_NOT
        | IS_DISTINCT_FROM | IS_NOT_DISTINCT_FROM | IS_NORMALIZED | IS_NOT_NORMALIZED
        | UNICODE_NORMAL_FORM | NOT_LIKE | NOT_ILIKE | NOT_IN | NOT_SIMILAR_TO | SIMILAR_TO
        | SYMMETRIC | ASYMMETRIC => true,
        CAST_EXPR => node.has(COLON_COLON),
        INDEX_EXPR | SLICE_EXPR | FIELD_EXPR => node.nodes().next().is_some_and(is_chain_base),
        _ => false,
    }
}

/// Whether an operand of a subscript or field is itself a chain, whose last operand it belongs to.
fn is_chain_base(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        BIN_EXPR | PREFIX_EXPR | POSTFIX_EXPR | BETWEEN_EXPR | COLLATE
    ) || node.kind() == CAST_EXPR && node.has(COLON_COLON)
}

/// The items of a chain, without recursion: a chain may be long.
fn flatten(node: Node<'_>) -> Chain<'_> {
    let mut items = Vec::with_capacity(8);
    let mut open: Vec<Children<'_>> = vec![node.children()];
    while let Some(children) = open.last_mut() {
        match children.next() {
            None => {
                open.pop();
            }
            Some(child) if is_chain(child) => open.push(child.children()),
            Some(child) => items.push(child),
        }
    }
    Chain {
        items,
        next: 0,
        nested: 0,
        end: node.start(),
    }
}

impl Lowering<'_> {
    /// An expression.
    pub(super) fn lower_expr(&self, node: Node<'_>) -> Result<Expr> {
        self.expression(node, Kind::Full)
    }

    /// An expression where PostgreSQL's grammar takes only a `b_expr`.
    pub(super) fn lower_restricted(&self, node: Node<'_>) -> Result<Expr> {
        self.expression(node, Kind::Restricted)
    }

    fn expression(&self, node: Node<'_>, kind: Kind) -> Result<Expr> {
        self.deeper(node, || {
            if !is_chain(node) {
                return self.lower_operand(node);
            }
            let mut chain = flatten(node);
            let value = self.climb(&mut chain, Level::Or, kind)?;
            match chain.peek() {
                Some(rest) => Err(self.syntax(unknown_word(rest))),
                None => Ok(value),
            }
        })
    }

    /// One more operator; a row of them nests as deep as it is long.
    fn nest(&self, chain: &mut Chain<'_>, at: Node<'_>) -> Result<()> {
        chain.nested += 1;
        if chain.nested > MAX_CHAIN {
            return Err(too_deep().at(self.sql, at.start()));
        }
        Ok(())
    }

    /// An expression of operators that bind at least as tightly as `lowest`.
    pub(super) fn climb(&self, chain: &mut Chain<'_>, lowest: Level, kind: Kind) -> Result<Expr> {
        let mut left = self.deeper_chain(chain, |this, chain| this.prefix(chain, kind))?;
        // the level of the operator before, if no other of its level may follow
        let mut closed: Option<Level> = None;
        while let Some(item) = chain.peek() {
            let Some(level) = infix_level(item, chain.kind_after()) else {
                return Err(self.syntax(unknown_word(item)));
            };
            if level < lowest {
                break;
            }
            if closed == Some(level) || kind == Kind::Restricted && !is_restricted(chain, item) {
                if closed != Some(level) {
                    break;
                }
                return Err(self.syntax(item));
            }
            let open_end = self.infix(chain, &mut left, level, kind)?;
            closed = (level.is_nonassociative() && open_end).then_some(level);
        }
        Ok(left)
    }

    fn deeper_chain<T>(
        &self,
        chain: &mut Chain<'_>,
        lower: impl FnOnce(&Self, &mut Chain<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(item) = chain.peek() else {
            return Err(crate::syntax::fault::syntax(self.sql, chain.end));
        };
        self.deeper(item, || lower(self, chain))
    }

    /// A prefix operator with its operand, or an operand with its suffixes.
    fn prefix(&self, chain: &mut Chain<'_>, kind: Kind) -> Result<Expr> {
        let Some(item) = chain.peek() else {
            return Err(crate::syntax::fault::syntax(self.sql, chain.end));
        };
        let operator = match item.kind() {
            NOT_KW if kind == Kind::Full => {
                chain.take();
                let operand = self.climb(chain, Level::Not, kind)?;
                let to = chain.end;
                let value = ExprKind::Not(Box::new(operand));
                return Ok(expr(value, at(item), item.start(), to));
            }
            PLUS | MINUS => {
                chain.take();
                let operand = self.climb(chain, Level::Sign, kind)?;
                let operator = self.sign_operator(item)?;
                return Ok(prefixed(operator, operand, item, chain.end));
            }
            OPERATOR_CALL => self.operator_call(item)?,
            CUSTOM_OP if !is_infix_only(item.text()) => self.sign_operator(item)?,
            kind if is_expression(kind) => return self.suffixed(chain),
            _ => return Err(self.syntax(item)),
        };
        chain.take();
        let operand = self.climb(chain, Level::Other.above(), kind)?;
        Ok(prefixed(operator, operand, item, chain.end))
    }

    /// An operand and what follows it without a blank's worth of precedence: casts, subscripts, fields.
    fn suffixed(&self, chain: &mut Chain<'_>) -> Result<Expr> {
        let Some(item) = chain.take() else {
            return Err(crate::syntax::fault::syntax(self.sql, chain.end));
        };
        self.lower_operand(item)
    }

    /// Takes an operator and what stands right of it; whether an operand ended it, not a word or parenthesis.
    fn infix(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        level: Level,
        kind: Kind,
    ) -> Result<bool> {
        let Some(item) = chain.take() else {
            return Ok(false);
        };
        match item.kind() {
            OR_KW | AND_KW => {
                // their terms stand beside each other, not in each other
                chain.nested = 0;
                let right = self.climb(chain, level.above(), kind)?;
                join(left, right, item, level == Level::And);
                return Ok(true);
            }
            _ => self.nest(chain, item)?,
        }
        let place = at(item);
        match item.kind() {
            IS_KW => return self.is_test(chain, left, place, kind),
            ISNULL_KW | NOTNULL_KW => {
                let negated = item.kind() == NOTNULL_KW;
                wrap(left, place, item.end(), |operand| ExprKind::Is {
                    operand: Box::new(operand),
                    test: IsTest::Null,
                    negated,
                });
                return Ok(false);
            }
            NOT_KW => {
                let word = chain.take().unwrap_or(item);
                let test = Test {
                    place,
                    word,
                    negated: true,
                };
                return self.pattern(chain, left, test);
            }
            IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW => {
                let test = Test {
                    place,
                    word: item,
                    negated: false,
                };
                return self.pattern(chain, left, test);
            }
            OVERLAPS_KW => self.overlaps(chain, left, item)?,
            AT_TIME_ZONE => {
                let right = self.climb(chain, level.above(), kind)?;
                wrap(left, place, chain.end, |value| {
                    let call = super::call::special("timezone", vec![right, value], place);
                    ExprKind::Call(Box::new(call))
                });
            }
            COLLATE_KW => {
                let collation = chain.take().ok_or_else(|| self.syntax_after(item))?;
                let path = self.need(collation, PATH_REF)?;
                let collation = self.lower_path(path, super::names::Place::Column)?;
                wrap(left, place, path.end(), |operand| ExprKind::Collate {
                    operand: Box::new(operand),
                    collation,
                });
            }
            COLON_COLON => {
                let ty = chain.take().ok_or_else(|| self.syntax_after(item))?;
                let to = self.lower_type(ty)?;
                wrap(left, place, ty.end(), |operand| ExprKind::Cast {
                    operand: Box::new(operand),
                    to,
                });
            }
            ESCAPE_KW | L_BRACK | DOT => return Err(self.syntax(item)),
            _ => return self.binary(chain, left, item, kind),
        }
        Ok(true)
    }

    /// `a op b`, `a op ANY (b)`.
    fn binary(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        item: Node<'_>,
        kind: Kind,
    ) -> Result<bool> {
        let level = infix_level(item, None).unwrap_or(Level::Other);
        let operator = if item.kind() == OPERATOR_CALL {
            self.operator_call(item)?
        } else {
            self.sign_operator(item)?
        };
        if kind == Kind::Full
            && let Some(quantified) = quantifier(chain)
        {
            chain.take();
            self.quantified(left, operator, quantified, at(item))?;
            return Ok(false);
        }
        let right = self.climb(chain, level.above(), kind)?;
        let to = chain.end;
        wrap(left, at(item), to, |left| ExprKind::Infix {
            operator,
            operands: Box::new([left, right]),
        });
        Ok(true)
    }
}

/// The query that a node is, or that stands in its parentheses.
pub(super) fn query_in(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    loop {
        if is_query(node.kind()) {
            return Some(node);
        }
        if node.kind() != PAREN_EXPR {
            return None;
        }
        node = node.nodes().next()?;
    }
}

/// The word of a later version's operator that PostgreSQL stumbles over.
fn unknown_word(item: Node<'_>) -> Node<'_> {
    item.children()
        .find(|word| !matches!(word.kind(), IS_KW | NOT_KW | AT_KW))
        .filter(|_| !is_expression(item.kind()) && item.kind() != CUSTOM_OP)
        .unwrap_or(item)
}

/// Whether an operator may stand in a `b_expr`.
fn is_restricted(chain: &Chain<'_>, item: Node<'_>) -> bool {
    match item.kind() {
        IS_KW => {
            let next = chain.items.get(chain.next + 1).map(|item| item.kind());
            let after = chain.items.get(chain.next + 2).map(|item| item.kind());
            match next {
                Some(DISTINCT_KW) => true,
                Some(NOT_KW) => after == Some(DISTINCT_KW),
                _ => false,
            }
        }
        AND_KW | OR_KW | ISNULL_KW | NOTNULL_KW | IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW
        | BETWEEN_KW | NOT_KW | ESCAPE_KW | OVERLAPS_KW | AT_TIME_ZONE | COLLATE_KW => false,
        _ => true,
    }
}

fn prefixed(operator: Operator, operand: Expr, item: Node<'_>, to: usize) -> Expr {
    let kind = ExprKind::Prefix {
        operator,
        operand: Box::new(operand),
    };
    expr(kind, at(item), item.start(), to)
}

/// Makes an expression the operand of another that begins where it begins.
pub(super) fn wrap(
    left: &mut Expr,
    place: Position,
    to: usize,
    build: impl FnOnce(Expr) -> ExprKind,
) {
    let from = left.from;
    let placeholder = Expr {
        kind: ExprKind::Default,
        at: place,
        from,
        to: from,
    };
    let operand = std::mem::replace(left, placeholder);
    *left = Expr {
        kind: build(operand),
        at: place,
        from,
        to: position(to),
    };
}

/// Adds a term to AND or OR: to the one on the left, if that is of the same kind, as PostgreSQL does.
fn join(left: &mut Expr, right: Expr, item: Node<'_>, and: bool) {
    let to = right.to;
    match &mut left.kind {
        ExprKind::And(terms) if and => terms.push(right),
        ExprKind::Or(terms) if !and => terms.push(right),
        _ => wrap(left, at(item), to.0 as usize, |first| {
            let terms = vec![first, right];
            if and {
                ExprKind::And(terms)
            } else {
                ExprKind::Or(terms)
            }
        }),
    }
    left.to = to;
}
