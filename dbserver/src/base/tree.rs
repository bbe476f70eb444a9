//! What a giver has found out of the trees of its cut: each group is read for the taker anyway.

use std::collections::BTreeMap;

use dbproto::base::CutOffer;
use pagehash::{GroupNumber, GrowingTree, Root};

/// The trees of a cut, as they become known.
pub(super) struct KnownTrees(BTreeMap<u32, GrowingTree>);

impl KnownTrees {
    /// Nothing is known yet.
    pub(super) fn new(cut: &CutOffer) -> Self {
        let databases = cut.databases.iter();
        let trees = databases.map(|of| (of.number, GrowingTree::new(of.pages)));
        Self(trees.collect())
    }

    /// The tree of a database; `None` where the cut has it not.
    pub(super) fn of(&mut self, database: u32) -> Option<&mut GrowingTree> {
        self.0.get_mut(&database)
    }

    /// Groups whose values are not known.
    pub(super) fn missing(&self) -> impl Iterator<Item = (u32, GroupNumber)> {
        self.0
            .iter()
            .flat_map(|(number, tree)| tree.missing().map(|group| (*number, group)))
    }

    /// The checksums; `None` as long as a group is missing.
    pub(super) fn roots(&self) -> Option<Vec<(u32, Root)>> {
        self.0
            .iter()
            .map(|(number, tree)| Some((*number, tree.root()?)))
            .collect()
    }
}
