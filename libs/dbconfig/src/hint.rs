//! The nearest known name to a mistyped one.

/// The candidate that is closest to `name`, if any is close enough to be meant: at most one
/// third of its letters differ (and at least one difference is always allowed).
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.to_lowercase();
    // A long line is no typing mistake, and the distance costs the product of the lengths.
    if name.len() > 64 {
        return None;
    }
    candidates
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Number of letters to insert, remove, replace or swap with their neighbour (optimal string
/// alignment distance).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut other_previous = None;
        for (column, &other) in right.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, column) + usize::from(letter != other))
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            if row > 0 && column > 0 && Some(other) == previous && other_previous == Some(letter) {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
            other_previous = Some(other);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["Role", "RedirectWrite", "FwLog", "FwMaxSize"];

    #[test]
    fn a_mistyped_name_finds_the_one_that_was_meant() {
        for (typed, meant) in [
            ("Rol", "Role"),
            ("fwlgo", "FwLog"),
            ("FwMaxsze", "FwMaxSize"),
            ("RedirctWrit", "RedirectWrite"),
        ] {
            assert_eq!(nearest(typed, NAMES.into_iter()), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_name_like_nothing_known_has_no_hint() {
        assert_eq!(nearest("colour", NAMES.into_iter()), None);
        assert_eq!(nearest(&"x".repeat(100_000), NAMES.into_iter()), None);
    }

    #[test]
    fn swapped_neighbours_count_as_one_mistake() {
        assert_eq!(distance("fwlgo", "fwlog"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
