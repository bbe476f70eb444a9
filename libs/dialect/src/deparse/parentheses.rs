//! Where a part stands in parentheses, when no more of them are shown than are needed.

use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::{Operator, operators};
use crate::deparse::Writer;
use crate::deparse::coercion::Coercion;

/// The operator that a call was written with.
pub(super) fn operator_of(call: &Call) -> Option<&'static Operator> {
    operators()
        .iter()
        .find(|operator| operator.function.oid == call.function.oid)
}

/// What an expression is where parentheses are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// It stands for itself.
    Simple,
    /// An operator with its sign.
    Operator(&'static str),
    /// IS NULL and the like.
    Test,
    And,
    Or,
    Not,
    /// What has parentheses or words around its parts.
    Enclosing,
    /// ANY and ALL over arrays.
    Quantified,
}

fn sort_of(value: &Expr) -> Sort {
    if let Some(coercion) = Coercion::of(value) {
        return sort_of(coercion.operand);
    }
    match &value.kind {
        ExprKind::Call(call) => match operator_of(call) {
            Some(operator) => Sort::Operator(operator.sign),
            None => Sort::Simple,
        },
        ExprKind::And(_) => Sort::And,
        ExprKind::Or(_) => Sort::Or,
        ExprKind::Not(_) => Sort::Not,
        ExprKind::IsNull { .. } | ExprKind::IsTruth { .. } | ExprKind::Distinct { .. } => {
            Sort::Test
        }
        ExprKind::InList(test) if test.list.len() == 1 => Sort::Operator(test.operator.sign),
        ExprKind::InList(_) | ExprKind::QuantifiedArray(_) | ExprKind::CompareRows { .. } => {
            Sort::Quantified
        }
        _ => Sort::Simple,
    }
}

fn parent_of(value: Option<&Expr>) -> Option<Sort> {
    let value = value?;
    Some(match &value.kind {
        ExprKind::Coalesce(_)
        | ExprKind::Extreme { .. }
        | ExprKind::NullIf(_)
        | ExprKind::Array(_)
        | ExprKind::Row { .. }
        | ExprKind::Case { .. } => Sort::Enclosing,
        ExprKind::Call(call) if operator_of(call).is_none() => Sort::Enclosing,
        _ => sort_of(value),
    })
}

fn rank(sign: &str) -> u8 {
    match sign {
        "+" | "-" => 1,
        "*" | "/" | "%" => 2,
        _ => 0,
    }
}

/// Whether a part needs no parentheses inside another; without one it is a conversion.
fn stands_alone(value: &Expr, parent: Option<&Expr>, first: bool) -> bool {
    let (sort, parent) = (sort_of(value), parent_of(parent));
    match (sort, parent) {
        (Sort::Simple, _) | (_, Some(Sort::Enclosing)) => true,
        (Sort::Operator(sign), Some(Sort::Operator(outer))) => {
            let (inner, outer) = (rank(sign), rank(outer));
            inner > 0 && outer > 0 && (inner > outer || (inner == outer && first))
        }
        _ => matches!(
            (sort, parent),
            (
                Sort::Operator(_) | Sort::Test,
                Some(Sort::And | Sort::Or | Sort::Not)
            ) | (Sort::And | Sort::Not, Some(Sort::And | Sort::Or))
                | (Sort::Or, Some(Sort::Or))
        ),
    }
}

impl Writer<'_> {
    /// A part of an expression; `parent` is `None` for a conversion.
    pub(super) fn wrapped(&mut self, value: &Expr, parent: Option<&Expr>) {
        self.part(value, parent, true);
    }

    /// The same; `first`: it is the left operand.
    pub(super) fn part(&mut self, value: &Expr, parent: Option<&Expr>, first: bool) {
        let implicit = !matches!(
            parent.map(|parent| &parent.kind),
            None | Some(ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Not(_))
        );
        let wrap = self.pretty && !stands_alone(value, parent, first);
        if wrap {
            self.push("(");
        }
        self.expr(value, implicit);
        if wrap {
            self.push(")");
        }
    }
}
