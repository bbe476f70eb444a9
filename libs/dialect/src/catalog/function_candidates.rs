//! The functions of a name that take a number of arguments, with the types they take in the order of the call.

use super::candidates::Candidate;
use super::{Function, TypeId, functions_named};

/// A function as a call with so many arguments sees it.
pub(super) struct FunctionCandidate {
    pub(super) function: &'static Function,
    /// For each argument of the call the type of the parameter it goes to.
    takes: Vec<TypeId>,
    /// For each parameter the place of its argument in the call.
    pub(super) order: Vec<Option<usize>>,
    /// The last parameter collects the rest of the arguments.
    expanded: bool,
    /// It stands for several that take the same.
    pub(super) ambiguous: bool,
}

impl Candidate for FunctionCandidate {
    fn takes(&self) -> &[TypeId] {
        &self.takes
    }
}

impl FunctionCandidate {
    /// The place in the call from which on arguments are collected into an array.
    pub(super) fn collects_from(&self) -> Option<usize> {
        let apart = self.function.variadic == Some(TypeId::ANY);
        let last = self.order.len().checked_sub(1)?;
        Some(last).filter(|_| self.expanded && !apart)
    }

    /// The last of so many arguments goes to the last parameter.
    pub(super) fn marks_the_last(&self, arguments: usize) -> bool {
        self.order.last().copied().flatten() == arguments.checked_sub(1)
    }

    /// The types that decide whether another takes the same.
    fn is_like(&self, other: &Self) -> bool {
        self.takes == other.takes
    }
}

/// All functions of a name that take so many arguments. Of those that take the same types, one without a collecting
/// parameter is preferred.
pub(super) fn candidates(
    name: &str,
    count: usize,
    names: &[Option<&str>],
    variadic: bool,
) -> Vec<FunctionCandidate> {
    let mut candidates: Vec<FunctionCandidate> = Vec::new();
    for function in functions_named(name) {
        let Some(new) = candidate(function, count, names, variadic) else {
            continue;
        };
        match candidates.iter_mut().find(|old| old.is_like(&new)) {
            None => candidates.push(new),
            Some(old) if old.expanded && !new.expanded => *old = new,
            Some(old) if new.expanded && !old.expanded => {}
            Some(old) => old.ambiguous = true,
        }
    }
    candidates
}

fn candidate(
    function: &'static Function,
    count: usize,
    names: &[Option<&str>],
    variadic: bool,
) -> Option<FunctionCandidate> {
    let parameters = function.arguments.len();
    let named = names.iter().any(Option::is_some);
    let expands = function.variadic.filter(|_| !variadic);
    // Collected arguments have no names.
    if named && expands.is_some() {
        return None;
    }
    let expanded = expands.filter(|_| parameters <= count);
    let required = parameters.saturating_sub(usize::from(function.defaults));
    if count < required || (count > parameters && expanded.is_none()) {
        return None;
    }
    let order = if named {
        by_names(function, names)?
    } else {
        (0..parameters)
            .map(|at| Some(at).filter(|at| *at < count))
            .collect()
    };
    let mut takes = vec![TypeId::ANY; count];
    for (ty, place) in function.arguments.iter().zip(&order) {
        if let Some(slot) = place.and_then(|place| takes.get_mut(place)) {
            *slot = *ty;
        }
    }
    if let Some(element) = expanded {
        let collected = takes.iter_mut().skip(parameters.saturating_sub(1));
        collected.for_each(|slot| *slot = element);
    }
    Some(FunctionCandidate {
        function,
        takes,
        order,
        expanded: expanded.is_some(),
        ambiguous: false,
    })
}

/// For each parameter the place of its argument; none if a name is unknown or given twice, or a parameter without a
/// default gets nothing.
fn by_names(function: &Function, names: &[Option<&str>]) -> Option<Vec<Option<usize>>> {
    let parameters = function.arguments.len();
    let mut order = vec![None; parameters];
    for (place, name) in names.iter().enumerate() {
        let parameter = match name {
            None => place,
            Some(name) => function.argument_names.iter().position(|own| own == name)?,
        };
        let slot = order.get_mut(parameter)?;
        if slot.replace(place).is_some() {
            return None;
        }
    }
    let required = parameters.saturating_sub(usize::from(function.defaults));
    let given = order.iter().take(required).all(Option::is_some);
    given.then_some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(name: &str, count: usize, names: &[Option<&str>]) -> Vec<Vec<Option<usize>>> {
        candidates(name, count, names, false)
            .into_iter()
            .map(|candidate| candidate.order)
            .collect()
    }

    #[test]
    fn arguments_may_be_left_out_from_the_right() {
        let order = vec![Some(0), Some(1), Some(2), None];
        assert_eq!(orders("jsonb_set", 3, &[]), [order]);
        assert!(orders("jsonb_set", 2, &[]).is_empty());
        assert!(orders("jsonb_set", 5, &[]).is_empty());
    }

    #[test]
    fn names_say_where_arguments_go() {
        let order = vec![None, None, None, Some(1), Some(0), None, None];
        let names = [Some("hours"), Some("days")];
        assert_eq!(orders("make_interval", 2, &names), [order]);
    }

    #[test]
    fn a_name_must_be_known_and_given_once() {
        assert!(orders("make_interval", 1, &[Some("hour")]).is_empty());
        assert!(orders("make_interval", 2, &[None, Some("years")]).is_empty());
        assert!(orders("make_interval", 2, &[Some("days"), Some("days")]).is_empty());
    }

    #[test]
    fn the_last_parameter_collects_the_rest() {
        let found = candidates("jsonb_extract_path", 4, &[], false);
        let [candidate] = found.as_slice() else {
            panic!("one function");
        };
        let text = TypeId::TEXT;
        assert_eq!(candidate.takes, [TypeId::JSONB, text, text, text]);
        assert_eq!(candidate.collects_from(), Some(1));
    }

    #[test]
    fn marked_variadic_the_last_argument_is_the_array() {
        let found = candidates("jsonb_extract_path", 2, &[], true);
        let takes: Vec<_> = found.iter().map(|c| c.takes.clone()).collect();
        assert_eq!(takes, [[TypeId::JSONB, TypeId::TEXT_ARRAY]]);
        assert!(candidates("jsonb_extract_path", 3, &[], true).is_empty());
    }
}
