//! The operators of the catalog.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::row::{Row, optional, read, reference};
use super::{Function, TypeId, function_by_oid};

const DATA: &str = include_str!("data/operators.tsv");

/// An operator and the types of its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The number.
    pub oid: u32,
    /// How it is written.
    pub sign: &'static str,
    /// The left operand's type; none for a prefix operator.
    pub left: Option<TypeId>,
    /// The right operand's type.
    pub right: TypeId,
    /// The type of the result.
    pub result: TypeId,
    /// What it calls.
    pub function: &'static Function,
    /// The operator that gives the same with the operands exchanged.
    pub commutator: Option<u32>,
    /// The operator that gives the contrary.
    pub negator: Option<u32>,
}

struct Operators {
    /// Those of a sign stand together.
    entries: Vec<Operator>,
    by_sign: HashMap<&'static str, Range<usize>>,
    by_oid: HashMap<u32, usize>,
}

fn entry(row: &mut Row) -> Option<Operator> {
    Some(Operator {
        oid: row.number()?,
        sign: row.text()?,
        left: optional(row.type_id()?),
        right: row.type_id()?,
        result: row.type_id()?,
        function: function_by_oid(row.number()?)?,
        commutator: reference(row.number()?),
        negator: reference(row.number()?),
    })
}

fn operators() -> &'static Operators {
    static OPERATORS: OnceLock<Operators> = OnceLock::new();
    OPERATORS.get_or_init(|| {
        let mut entries = read(DATA, entry);
        entries.sort_by_key(|operator| operator.sign);
        let mut by_sign: HashMap<_, Range<usize>> = HashMap::new();
        let mut by_oid = HashMap::with_capacity(entries.len());
        for (at, operator) in entries.iter().enumerate() {
            by_sign.entry(operator.sign).or_insert(at..at).end = at + 1;
            by_oid.insert(operator.oid, at);
        }
        Operators {
            entries,
            by_sign,
            by_oid,
        }
    })
}

/// All operators of a sign, prefix operators among them.
pub fn operators_signed(sign: &str) -> &'static [Operator] {
    let operators = operators();
    operators
        .by_sign
        .get(sign)
        .and_then(|range| operators.entries.get(range.clone()))
        .unwrap_or_default()
}

/// All operators, by sign.
pub fn all_operators() -> &'static [Operator] {
    &operators().entries
}

/// The operator of a number.
pub fn operator_by_oid(oid: u32) -> Option<&'static Operator> {
    let operators = operators();
    operators.entries.get(*operators.by_oid.get(&oid)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(operators().entries.len(), DATA.lines().count());
    }

    #[test]
    fn commutators_and_negators_are_operators() {
        for operator in &operators().entries {
            for other in operator.commutator.iter().chain(&operator.negator) {
                assert!(operator_by_oid(*other).is_some(), "{}", operator.sign);
            }
        }
    }

    #[test]
    fn an_operators_function_has_its_types() {
        for operator in &operators().entries {
            let operands: Vec<_> = operator.left.into_iter().chain([operator.right]).collect();
            assert_eq!(operands, *operator.function.arguments, "{}", operator.sign);
        }
    }
}
