//! What a giver has found out of the trees of its cut: each group is read for the taker anyway.

use std::collections::BTreeMap;

use pagehash::{GroupHasher, GroupNumber, GroupValue, Root, TreeHasher, root_of};

/// Values of groups, as they become known, by database.
#[derive(Default)]
pub(super) struct KnownTrees(BTreeMap<u32, KnownTree>);

#[derive(Default)]
struct KnownTree {
    groups: BTreeMap<GroupNumber, GroupValue>,
    /// Of a database of one group: its value says nothing of the root.
    alone: Option<Root>,
}

impl KnownTrees {
    /// The value of a group with this content; `groups` is how many its database has.
    pub(super) fn value(
        &mut self,
        database: u32,
        group: GroupNumber,
        groups: u32,
        content: &[u8],
    ) -> GroupValue {
        let tree = self.0.entry(database).or_default();
        if let Some(known) = tree.groups.get(&group) {
            return *known;
        }
        if groups == 1 {
            let mut hasher = TreeHasher::new();
            hasher.update(content);
            tree.alone = Some(hasher.finish().root);
        }
        let mut hasher = GroupHasher::new(group);
        hasher.update(content);
        let value = hasher.finish();
        tree.groups.insert(group, value);
        value
    }

    /// Groups of a database whose values are not known.
    pub(super) fn missing(&self, database: u32, groups: u32) -> Vec<GroupNumber> {
        let known = self.0.get(&database);
        let all = (0..groups).filter_map(GroupNumber::new);
        all.filter(|group| known.is_none_or(|tree| !tree.groups.contains_key(group)))
            .collect()
    }

    /// The root of a database of which no group is missing.
    pub(super) fn root(&self, database: u32) -> Root {
        let empty = || TreeHasher::new().finish().root;
        let Some(tree) = self.0.get(&database) else {
            return empty();
        };
        let values: Vec<_> = tree.groups.values().copied().collect();
        root_of(&values).or(tree.alone).unwrap_or_else(empty)
    }
}
