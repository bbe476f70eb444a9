//! Tests: IS, IN, LIKE, BETWEEN, OVERLAPS, and comparisons with ANY and ALL.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{
    Expr, ExprKind, IsTest, LikeKind, NormalForm, Operator, Position, QuantifiedQuery,
};
use super::chain::{Chain, Kind, query_in, wrap};
use super::operator::Level;
use super::{Lowering, Result, at, position};
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// A test's word, the place that errors point at, and whether NOT stands before it.
#[derive(Clone, Copy)]
pub(super) struct Test<'t> {
    /// The place.
    pub(super) place: Position,
    /// IN, LIKE, ILIKE, SIMILAR, BETWEEN.
    pub(super) word: Node<'t>,
    /// NOT.
    pub(super) negated: bool,
}

impl Lowering<'_> {
    /// `op ANY (…)`, `op ALL (…)`.
    pub(super) fn quantified(
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
        if let Some(query) = query_in(inner) {
            let query = Box::new(self.lower_query(query)?);
            wrap(left, place, call.end(), |operand| {
                ExprKind::QuantifiedQuery(QuantifiedQuery {
                    operand: Box::new(operand),
                    operator,
                    all,
                    query,
                    negated: false,
                })
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
    pub(super) fn is_test(
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
            return Err(fault::syntax(self.sql, chain.end));
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
            NORMALIZED_KW if alone => IsTest::Normalized(None),
            form @ (NFC_KW | NFD_KW | NFKC_KW | NFKD_KW) if alone => {
                if chain.peek_kind() != Some(NORMALIZED_KW) {
                    return Err(fault::syntax(self.sql, chain.end));
                }
                chain.take();
                IsTest::Normalized(Some(match form {
                    NFD_KW => NormalForm::Nfd,
                    NFKC_KW => NormalForm::Nfkc,
                    NFKD_KW => NormalForm::Nfkd,
                    _ => NormalForm::Nfc,
                }))
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
    pub(super) fn pattern(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        test: Test<'_>,
    ) -> Result<bool> {
        let Test {
            place,
            word,
            negated,
        } = test;
        let kind = match word.kind() {
            IN_KW => return self.in_test(chain, left, test),
            BETWEEN_KW => return self.between(chain, left, test),
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

    fn in_test(&self, chain: &mut Chain<'_>, left: &mut Expr, test: Test<'_>) -> Result<bool> {
        let Test {
            place,
            word,
            negated,
        } = test;
        let Some(list) = chain.take() else {
            return Err(self.syntax_after(word));
        };
        if let Some(query) = query_in(list) {
            let query = Box::new(self.lower_query(query)?);
            wrap(left, place, list.end(), |operand| {
                ExprKind::QuantifiedQuery(QuantifiedQuery {
                    operand: Box::new(operand),
                    operator: Operator {
                        schema: None,
                        sign: "=".to_owned(),
                        at: place,
                    },
                    all: false,
                    query,
                    negated,
                })
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

    fn between(&self, chain: &mut Chain<'_>, left: &mut Expr, test: Test<'_>) -> Result<bool> {
        let Test { place, negated, .. } = test;
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
                || fault::syntax(self.sql, chain.end),
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
    pub(super) fn overlaps(
        &self,
        chain: &mut Chain<'_>,
        left: &mut Expr,
        item: Node<'_>,
    ) -> Result<()> {
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
}

/// ANY, SOME or ALL with its parentheses.
pub(super) fn quantifier<'t>(chain: &Chain<'t>) -> Option<Node<'t>> {
    let item = chain.peek().filter(|item| item.kind() == CALL_EXPR)?;
    let function = item.nodes().next()?;
    matches!(function.kind(), ANY_FN | SOME_FN | ALL_FN).then_some(item)
}
