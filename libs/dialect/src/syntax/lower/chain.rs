//! Chains of operators, put together by PostgreSQL's precedences.
//!
//! The parser's tree gives the operands and operators in their order; which belong together is decided here.

use squawk_parser::SyntaxKind::{self, *};

use super::super::ast::{Expr, ExprKind, IsTest, LikeKind, NormalForm, Operator};
use super::operator::{Level, is_infix_only, level_of};
use super::{Lowering, Result, at, expr, is_expression, is_query, position, too_deep};
use crate::syntax::ast::Position;
use crate::syntax::tree::{Children, Node};

/// How many operators may nest by standing in a row.
const MAX_CHAIN: usize = 1000;

/// What an expression may be made of where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Anything.
    Full,
    /// What PostgreSQL calls `b_expr`: no AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL, COLLATE, AT.
    Restricted,
}

/// Operands and operators in their order, and how many are read.
struct Chain<'t> {
    items: Vec<Node<'t>>,
    next: usize,
    nested: usize,
    end: usize,
}

impl<'t> Chain<'t> {
    fn peek(&self) -> Option<Node<'t>> {
        self.items.get(self.next).copied()
    }

    fn peek_kind(&self) -> Option<SyntaxKind> {
        self.peek().map(Node::kind)
    }

    fn take(&mut self) -> Option<Node<'t>> {
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
    fn climb(&self, chain: &mut Chain<'_>, lowest: Level, kind: Kind) -> Result<Expr> {
        let mut left = self.deeper_chain(chain, |this, chain| this.prefix(chain, kind))?;
        // the level of the operator before, if no other of its level may follow
        let mut closed: Option<Level> = None;
        while let Some(item) = chain.peek() {
            let Some(level) = self.infix_level(chain, item) else {
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

    /// How tightly the next item binds what stands before it.
    fn infix_level(&self, chain: &Chain<'_>, item: Node<'_>) -> Option<Level> {
        Some(match item.kind() {
            OR_KW => Level::Or,
            AND_KW => Level::And,
            IS_KW | ISNULL_KW | NOTNULL_KW => Level::Is,
            IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW => Level::Pattern,
            NOT_KW => match chain.items.get(chain.next + 1).map(|next| next.kind()) {
                Some(IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW) => Level::Pattern,
                _ => return None,
            },
            ESCAPE_KW => Level::Escape,
            OVERLAPS_KW | CUSTOM_OP | OPERATOR_CALL => match item.text() {
                text @ ("<" | ">" | "=" | "<=" | ">=" | "<>" | "!=") => level_of(text),
                _ => Level::Other,
            },
            AT_TIME_ZONE => Level::AtTimeZone,
            COLLATE_KW => Level::Collate,
            COLON_COLON | L_BRACK | DOT => Level::Suffix,
            PLUS | MINUS | STAR | SLASH | PERCENT | CARET | L_ANGLE | R_ANGLE | EQ | LTEQ
            | GTEQ | NEQ | NEQB => level_of(item.text()),
            _ => return None,
        })
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
                return self.pattern(chain, left, place, word, true);
            }
            IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW => {
                return self.pattern(chain, left, place, item, false);
            }
            ESCAPE_KW => return Err(self.syntax(item)),
            OVERLAPS_KW => self.overlaps(chain, left, item)?,
            AT_TIME_ZONE => {
                let right = self.climb(chain, level.above(), kind)?;
                self.at_time_zone(left, right, item, chain.end);
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
            L_BRACK | DOT => return Err(self.syntax(item)),
            _ => return self.binary(chain, left, item, level, kind),
        }
        Ok(true)
    }

    /// `a op b`, `a op ANY (b)`.
    fn binary(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        item: Node<'_>,
        level: Level,
        kind: Kind,
    ) -> Result<bool> {
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

    /// `op ANY (…)`, `op ALL (…)`.
    fn quantified(
        &self,
        left: &mut Expr,
        operator: Operator,
        call: Node<'_>,
        place: Position,
    ) -> Result<()> {
        let function = call.nodes().next().ok_or_else(|| self.syntax_after(call))?;
        if let Some(extra) = call.children().nth(1) {
            return Err(self.syntax(extra));
        }
        let all = function.kind() == ALL_FN;
        let inner = function
            .nodes()
            .next()
            .ok_or_else(|| self.syntax_after(function))?;
        if let Some(query) = self.query_in(inner) {
            let query = Box::new(self.lower_query(query)?);
            wrap(left, place, call.end(), |operand| {
                ExprKind::QuantifiedQuery {
                    operand: Box::new(operand),
                    operator,
                    all,
                    query,
                    negated: false,
                }
            });
            return Ok(());
        }
        let array = self.lower_expr(inner)?;
        wrap(left, place, call.end(), |operand| {
            ExprKind::QuantifiedArray {
                operands: Box::new([operand, array]),
                operator,
                all,
            }
        });
        Ok(())
    }

    /// What IS tests for.
    fn is_test(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        place: Position,
        kind: Kind,
    ) -> Result<bool> {
        let mut negated = false;
        if chain.peek_kind() == Some(NOT_KW) {
            chain.take();
            negated = true;
        }
        let Some(word) = chain.take() else {
            return Err(crate::syntax::fault::syntax(self.sql, chain.end));
        };
        let first = super::names::first_token(word).unwrap_or(word);
        let alone = first.end() == word.end();
        if word.kind() == DISTINCT_KW {
            if chain.peek_kind() == Some(FROM_KW) {
                chain.take();
            }
            let right = self.climb(chain, Level::Is.above(), kind)?;
            let to = chain.end;
            wrap(left, place, to, |left| ExprKind::Distinct {
                operands: Box::new([left, right]),
                negated,
            });
            return Ok(true);
        }
        let test = match first.kind() {
            DOCUMENT_KW if alone => IsTest::Document,
            _ if kind == Kind::Restricted => return Err(self.syntax(word)),
            NULL_KW if alone => IsTest::Null,
            TRUE_KW if alone => IsTest::True,
            FALSE_KW if alone => IsTest::False,
            UNKNOWN_KW if alone => IsTest::Unknown,
            NORMALIZED_KW if alone => IsTest::Normalized(NormalForm::Nfc),
            form @ (NFC_KW | NFD_KW | NFKC_KW | NFKD_KW) if alone => {
                if chain.peek_kind() != Some(NORMALIZED_KW) {
                    return Err(crate::syntax::fault::syntax(self.sql, chain.end));
                }
                chain.take();
                IsTest::Normalized(match form {
                    NFD_KW => NormalForm::Nfd,
                    NFKC_KW => NormalForm::Nfkc,
                    NFKD_KW => NormalForm::Nfkd,
                    _ => NormalForm::Nfc,
                })
            }
            _ => return Err(self.syntax(word)),
        };
        let to = chain.end;
        wrap(left, place, to, |operand| ExprKind::Is {
            operand: Box::new(operand),
            test,
            negated,
        });
        Ok(false)
    }

    /// IN, LIKE, ILIKE, SIMILAR TO, BETWEEN, each perhaps with NOT before it.
    fn pattern(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        place: Position,
        word: Node<'_>,
        negated: bool,
    ) -> Result<bool> {
        let kind = match word.kind() {
            IN_KW => return self.in_test(chain, left, place, word, negated),
            BETWEEN_KW => return self.between(chain, left, place, negated),
            ILIKE_KW => LikeKind::Ilike,
            SIMILAR_KW => {
                chain.take();
                LikeKind::Similar
            }
            _ => LikeKind::Like,
        };
        if kind != LikeKind::Similar
            && let Some(quantified) = quantifier(chain)
        {
            chain.take();
            let sign = match (kind, negated) {
                (LikeKind::Ilike, false) => "~~*",
                (LikeKind::Ilike, true) => "!~~*",
                (_, false) => "~~",
                (_, true) => "!~~",
            };
            let operator = Operator {
                schema: None,
                sign: sign.to_owned(),
                at: place,
            };
            self.quantified(left, operator, quantified, place)?;
            return Ok(false);
        }
        let right = self.climb(chain, Level::Escape.above(), Kind::Full)?;
        let mut escape = None;
        if chain.peek_kind() == Some(ESCAPE_KW) {
            chain.take();
            escape = Some(Box::new(self.climb(
                chain,
                Level::Escape.above(),
                Kind::Full,
            )?));
            if let Some(second) = chain.peek().filter(|next| next.kind() == ESCAPE_KW) {
                return Err(self.syntax(second));
            }
        }
        let to = chain.end;
        wrap(left, place, to, |left| ExprKind::Like {
            kind,
            operands: Box::new([left, right]),
            escape,
            negated,
        });
        Ok(true)
    }

    fn in_test(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        place: Position,
        word: Node<'_>,
        negated: bool,
    ) -> Result<bool> {
        let Some(list) = chain.take() else {
            return Err(self.syntax_after(word));
        };
        if let Some(query) = self.query_in(list) {
            let query = Box::new(self.lower_query(query)?);
            wrap(left, place, list.end(), |operand| {
                ExprKind::QuantifiedQuery {
                    operand: Box::new(operand),
                    operator: Operator {
                        schema: None,
                        sign: "=".to_owned(),
                        at: place,
                    },
                    all: false,
                    query,
                    negated,
                }
            });
            return Ok(false);
        }
        if !matches!(list.kind(), TUPLE_EXPR | PAREN_EXPR) || list.has(ROW_KW) {
            return Err(self.syntax(list));
        }
        let values = self.lower_list(list)?;
        if values.is_empty() {
            return Err(self.syntax_close(list));
        }
        wrap(left, place, list.end(), |operand| ExprKind::InList {
            operand: Box::new(operand),
            list: values,
            negated,
        });
        Ok(false)
    }

    fn between(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        place: Position,
        negated: bool,
    ) -> Result<bool> {
        let mut symmetric = false;
        if let Some(word @ (SYMMETRIC_KW | ASYMMETRIC_KW)) = chain.peek_kind() {
            chain.take();
            symmetric = word == SYMMETRIC_KW;
        }
        let low = self.climb(chain, Level::Or, Kind::Restricted)?;
        if let Some(IS_KW) = chain.peek_kind() {
            // IS DISTINCT FROM may stand here, so that the fault is in the word after IS
            chain.take();
            if chain.peek_kind() == Some(NOT_KW) {
                chain.take();
            }
        }
        if chain.peek_kind() != Some(AND_KW) {
            return Err(chain.peek().map_or_else(
                || crate::syntax::fault::syntax(self.sql, chain.end),
                |item| self.syntax(item),
            ));
        }
        chain.take();
        let high = self.climb(chain, Level::Pattern.above(), Kind::Full)?;
        let to = chain.end;
        wrap(left, place, to, |left| ExprKind::Between {
            operands: Box::new([left, low, high]),
            symmetric,
            negated,
        });
        Ok(true)
    }

    /// `(a, b) OVERLAPS (c, d)`.
    fn overlaps(&self, chain: &mut Chain<'_>, left: &mut Expr, item: Node<'_>) -> Result<()> {
        let right = self.climb(chain, Level::Other.above(), Kind::Full)?;
        let mut arguments = Vec::with_capacity(4);
        for side in [&mut *left, &mut { right }] {
            match std::mem::replace(&mut side.kind, ExprKind::Default) {
                ExprKind::Row { fields, .. } => arguments.push((fields, side.at)),
                _ => return Err(self.syntax(item)),
            }
        }
        for (name, (fields, place)) in ["left", "right"].iter().zip(&arguments) {
            if fields.len() != 2 {
                return Err(self.refuse(
                    place.0 as usize,
                    format!("wrong number of parameters on {name} side of OVERLAPS expression"),
                ));
            }
        }
        let arguments = arguments.into_iter().flat_map(|(fields, _)| fields);
        let call = super::call::special("overlaps", arguments.collect(), at(item));
        left.kind = ExprKind::Call(Box::new(call));
        left.at = at(item);
        left.to = position(chain.end);
        Ok(())
    }

    fn at_time_zone(&self, left: &mut Expr, zone: Expr, item: Node<'_>, to: usize) {
        wrap(left, at(item), to, |value| {
            let call = super::call::special("timezone", vec![zone, value], at(item));
            ExprKind::Call(Box::new(call))
        });
    }

    /// The query that a node is, or that stands in its parentheses.
    pub(super) fn query_in<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
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

/// ANY, SOME or ALL with its parentheses.
fn quantifier<'t>(chain: &Chain<'t>) -> Option<Node<'t>> {
    let item = chain.peek().filter(|item| item.kind() == CALL_EXPR)?;
    let function = item.nodes().next()?;
    matches!(function.kind(), ANY_FN | SOME_FN | ALL_FN).then_some(item)
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
