//! What stands above nodes of one level, by the rules of BLAKE3.

use blake3::hazmat::{ChainingValue, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::value::Root;

/// The root above these nodes, which are all that there are. `None` where there is one or none: of that its value says
/// nothing.
pub(crate) fn root(nodes: &[ChainingValue]) -> Option<Root> {
    let (left, right) = split(nodes)?;
    let (left, right) = (value(left)?, value(right)?);
    Some(Root::new(merge_subtrees_root(&left, &right, Mode::Hash)))
}

/// The chaining value above these nodes; `None` where there are none.
pub(crate) fn value(nodes: &[ChainingValue]) -> Option<ChainingValue> {
    match split(nodes) {
        None => nodes.first().copied(),
        Some((left, right)) => {
            let (left, right) = (value(left)?, value(right)?);
            Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
        }
    }
}

/// A node has as many chunks to its left as a whole tree can have, and at least one to its right. `None`
/// below two nodes.
fn split(nodes: &[ChainingValue]) -> Option<(&[ChainingValue], &[ChainingValue])> {
    let before_last = nodes.len().checked_sub(1)?;
    let left = 1_usize << before_last.checked_ilog2()?;
    nodes.split_at_checked(left)
}
