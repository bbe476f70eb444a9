//! The choice among operators or functions of a name.

use super::TypeId;
use super::coerce::{Context, STRING, can_coerce};

/// What can be chosen: it takes arguments of these types.
pub(super) trait Candidate {
    fn takes(&self) -> &[TypeId];
}

/// What came of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice<T> {
    One(T),
    None,
    Several,
}

/// The candidate that the actual types mean, if none takes just these.
pub(super) fn choose<'a, C: Candidate>(all: &'a [C], actual: &[TypeId]) -> Choice<&'a C> {
    let fits = |candidate: &&C| can_coerce(actual, candidate.takes(), Context::Implicit);
    let fitting: Vec<&C> = all.iter().filter(fits).collect();
    match fitting.as_slice() {
        [] => Choice::None,
        [only] => Choice::One(only),
        _ => best(fitting, actual).map_or(Choice::Several, Choice::One),
    }
}

/// Several would do: the best is the one left over when a rule strikes out all others.
fn best<'a, C: Candidate>(candidates: Vec<&'a C>, actual: &[TypeId]) -> Option<&'a C> {
    let candidates = keep_most(candidates, actual, |actual, takes| actual == takes);
    if let [only] = candidates.as_slice() {
        return Some(only);
    }
    let candidates = keep_most(candidates, actual, |actual, takes| {
        actual == takes || (takes.is_preferred() && takes.category() == actual.category())
    });
    if let [only] = candidates.as_slice() {
        return Some(only);
    }
    if !actual.contains(&TypeId::UNKNOWN) {
        return None;
    }
    let candidates = keep_categories(candidates, actual);
    match candidates.as_slice() {
        [only] => Some(only),
        _ => as_the_known(&candidates, actual),
    }
}

/// Those with the most arguments for which the rule holds.
fn keep_most<'a, C: Candidate>(
    candidates: Vec<&'a C>,
    actual: &[TypeId],
    rule: impl Fn(TypeId, TypeId) -> bool,
) -> Vec<&'a C> {
    let count = |candidate: &&C| {
        let pairs = actual.iter().zip(candidate.takes());
        pairs
            .filter(|(actual, takes)| **actual != TypeId::UNKNOWN && rule(**actual, **takes))
            .count()
    };
    let most = candidates.iter().map(count).max().unwrap_or(0);
    let mut candidates = candidates;
    candidates.retain(|candidate| count(candidate) == most);
    candidates
}

/// What an untyped literal is taken for: a category, and whether only for its preferred type.
type Guess = (char, bool);

/// Those that take, for each untyped literal, the category of which it is most likely; all when there is no such.
fn keep_categories<'a, C: Candidate>(candidates: Vec<&'a C>, actual: &[TypeId]) -> Vec<&'a C> {
    let places = actual.iter().enumerate();
    let unknown = places.filter(|(_, ty)| **ty == TypeId::UNKNOWN);
    let guess = |(place, _)| guess(&candidates, place).map(|guess| (place, guess));
    let Some(guesses) = unknown.map(guess).collect::<Option<Vec<(usize, Guess)>>>() else {
        return candidates;
    };
    let fits = |candidate: &C| {
        guesses.iter().all(|(place, (category, preferred))| {
            candidate.takes().get(*place).is_some_and(|takes| {
                takes.category() == *category && (!preferred || takes.is_preferred())
            })
        })
    };
    let kept: Vec<&C> = candidates.iter().copied().filter(|c| fits(c)).collect();
    if kept.is_empty() { candidates } else { kept }
}

/// A literal looks like text, so that wins. Otherwise all must agree.
fn guess<C: Candidate>(candidates: &[&C], place: usize) -> Option<Guess> {
    let types: Vec<TypeId> = candidates
        .iter()
        .filter_map(|candidate| candidate.takes().get(place).copied())
        .collect();
    let is_text = |ty: &TypeId| ty.category() == STRING;
    let first = types.first()?.category();
    let category = if types.iter().any(is_text) {
        STRING
    } else if types.iter().all(|ty| ty.category() == first) {
        first
    } else {
        return None;
    };
    let preferred = |ty: &TypeId| ty.category() == category && ty.is_preferred();
    Some((category, types.iter().any(preferred)))
}

/// If all arguments with a type are of the same, the untyped are taken for it too.
fn as_the_known<'a, C: Candidate>(candidates: &[&'a C], actual: &[TypeId]) -> Option<&'a C> {
    let mut known = actual.iter().filter(|ty| **ty != TypeId::UNKNOWN);
    let first = known.next()?;
    if known.any(|ty| ty != first) {
        return None;
    }
    let supposed = vec![*first; actual.len()];
    let fits = |candidate: &&&C| can_coerce(&supposed, candidate.takes(), Context::Implicit);
    let mut fitting = candidates.iter().filter(fits);
    let only = fitting.next()?;
    fitting.next().is_none().then_some(*only)
}
