//! Which operator or function a call means, by the types of its arguments.

use super::candidates::{Candidate, Choice, choose};
use super::coerce::{Context, Pathway, STRING, pathway};
use super::function_candidates::{FunctionCandidate, candidates};
use super::polymorphism::consistent_polymorphism;
use super::{Function, Operator, TypeId, operators_signed, type_by_name};
use crate::DialectError;

/// What an operator's sign and operands mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorMatch {
    /// This operator.
    Found(&'static Operator),
    /// No operator takes such operands.
    None,
    /// Several would do equally well.
    Ambiguous,
}

/// A function, and how its arguments are brought to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The function.
    pub function: &'static Function,
    /// For each actual argument, in the order of the call, the type to which it is brought.
    pub declared: Vec<TypeId>,
    /// The type of the result.
    pub result: TypeId,
    /// Actual arguments from here on are collected into an array; not those of `VARIADIC "any"`, which stay apart.
    pub variadic_from: Option<usize>,
    /// For each parameter the place of its argument in the call, none where the default stands. Arguments behind the
    /// last parameter's belong to that.
    pub order: Vec<Option<usize>>,
}

/// What a function's name and arguments mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionMatch {
    /// This function.
    Found(Resolved),
    /// No call: the name is that of a type to which the only argument is cast.
    Coercion(TypeId),
    /// No function takes such arguments.
    None,
    /// Several would do equally well.
    Ambiguous,
    /// A function does, but its polymorphic types cannot be determined.
    Undetermined(DialectError),
}

/// An operator without the places that only one of the two sorts has.
struct OperatorCandidate {
    operator: &'static Operator,
    takes: Vec<TypeId>,
}

impl Candidate for OperatorCandidate {
    fn takes(&self) -> &[TypeId] {
        &self.takes
    }
}

/// The operator of a sign for operands of these types; without a left one it is a prefix operator.
///
/// The types of a polymorphic operator are found by
/// [`consistent_polymorphism`](super::polymorphism::consistent_polymorphism).
pub fn operator(sign: &str, left: Option<TypeId>, right: TypeId) -> OperatorMatch {
    let signed = operators_signed(sign);
    // An untyped operand is first taken to be of the other's type.
    let exact = match left {
        Some(TypeId::UNKNOWN) => (Some(right), right),
        Some(left) if right == TypeId::UNKNOWN => (Some(left), left),
        _ => (left, right),
    };
    let same = |operator: &&Operator| (operator.left, operator.right) == exact;
    if let Some(operator) = signed.iter().find(same) {
        return OperatorMatch::Found(operator);
    }
    let sort = signed
        .iter()
        .filter(|operator| operator.left.is_some() == left.is_some());
    let candidates: Vec<_> = sort
        .map(|operator| OperatorCandidate {
            operator,
            takes: operator.left.into_iter().chain([operator.right]).collect(),
        })
        .collect();
    let operands: Vec<_> = left.into_iter().chain([right]).collect();
    match choose(&candidates, &operands) {
        Choice::One(candidate) => OperatorMatch::Found(candidate.operator),
        Choice::None => OperatorMatch::None,
        Choice::Several => OperatorMatch::Ambiguous,
    }
}

/// The function, or the cast, that a call means.
///
/// Each argument has a type and, in named notation, a name; those with names come last. `variadic` is for a call whose
/// last argument is marked so.
pub fn function(
    name: &str,
    arguments: &[TypeId],
    names: &[Option<&str>],
    variadic: bool,
) -> FunctionMatch {
    let named = names.iter().any(Option::is_some);
    let candidates = candidates(name, arguments.len(), names, variadic);
    let exact = |candidate: &&FunctionCandidate| candidate.takes() == arguments;
    let found = candidates.iter().find(exact);
    if found.is_none()
        && let ([source], false) = (arguments, named)
        && let Some(target) = coercion(name, *source)
    {
        return FunctionMatch::Coercion(target);
    }
    let chosen = match found.map_or_else(|| choose(&candidates, arguments), Choice::One) {
        Choice::One(candidate) => candidate,
        Choice::None => return FunctionMatch::None,
        Choice::Several => return FunctionMatch::Ambiguous,
    };
    if chosen.ambiguous {
        return FunctionMatch::Ambiguous;
    }
    if named && variadic && !chosen.marks_the_last(arguments.len()) {
        return FunctionMatch::None;
    }
    match consistent_polymorphism(chosen.takes(), arguments, chosen.function.result) {
        Ok((declared, result)) => FunctionMatch::Found(Resolved {
            function: chosen.function,
            declared,
            result,
            variadic_from: chosen.collects_from(),
            order: chosen.order.clone(),
        }),
        Err(error) => FunctionMatch::Undetermined(error),
    }
}

/// A call with one argument of a function named as a type is a cast, where that needs no function of its own.
fn coercion(name: &str, source: TypeId) -> Option<TypeId> {
    let target = type_by_name(name)?;
    let cast = match pathway(source, target, Context::Explicit) {
        _ if source == TypeId::UNKNOWN => true,
        Pathway::Relabel => true,
        // A row is shown as text by a cast only.
        Pathway::ViaIo => source != TypeId::RECORD || target.category() != STRING,
        Pathway::None | Pathway::Function(_) | Pathway::ArrayElements(_) => false,
    };
    cast.then_some(target)
}

#[cfg(test)]
mod tests;
