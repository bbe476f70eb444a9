//! What happens in a history.

use proptest::prelude::*;

use crate::PAGES;

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Grow or shrink to the size and write these pages (those beyond the size must be ignored).
    Publish {
        page_count: u32,
        pages: Vec<u32>,
        scratch: bool,
    },
    Durable {
        back: u64,
    },
    Open {
        latest: bool,
    },
    Clone {
        which: usize,
    },
    Drop {
        which: usize,
    },
    Checkpoint,
    Reopen,
    Prune,
    Rewind {
        back: u64,
    },
    EndBefore {
        which: usize,
    },
    /// A snapshot reads on from this page only.
    GiveBack {
        which: usize,
        below: u32,
    },
    /// `TmpDir` is gone, or there again.
    Scratch {
        works: bool,
    },
    /// Holds the store, while other stores commit so often.
    Hold {
        others: u64,
    },
    Release,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (1..=PAGES, prop::collection::vec(1..=PAGES, 0..6), any::<bool>()).prop_map(
            |(page_count, pages, scratch)| Step::Publish { page_count, pages, scratch }
        ),
        6 => (0..4_u64).prop_map(|back| Step::Durable { back }),
        4 => any::<bool>().prop_map(|latest| Step::Open { latest }),
        1 => any::<usize>().prop_map(|which| Step::Clone { which }),
        3 => any::<usize>().prop_map(|which| Step::Drop { which }),
        3 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
        1 => Just(Step::Prune),
        1 => (0..4_u64).prop_map(|back| Step::Rewind { back }),
        1 => any::<usize>().prop_map(|which| Step::EndBefore { which }),
        4 => (any::<usize>(), 1..=PAGES + 2).prop_map(|(which, below)| Step::GiveBack { which, below }),
        1 => any::<bool>().prop_map(|works| Step::Scratch { works }),
        1 => (0..9_u64).prop_map(|others| Step::Hold { others }),
        2 => Just(Step::Release),
    ];
    prop::collection::vec(step, 1..80)
}
