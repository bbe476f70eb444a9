//! Which pages of a tree have to be looked at.

use rustc_hash::FxHashSet;

use crate::error::Error;
use crate::node::{Node, Tree};
use crate::pages::Pages;

/// A tree at one commit.
#[derive(Clone, Copy)]
pub(crate) struct Root<'a> {
    pub(crate) pages: &'a dyn Pages,
    pub(crate) usable: usize,
    pub(crate) tree: Tree,
    /// Its first page; 0 where there is no tree.
    pub(crate) number: u32,
}

/// The pages of a tree before and after a commit that can have different rows.
///
/// A quiet page that was found on both sides is skipped on both: what is below it is the same. A page above
/// the leaves that was found on one side only is opened, and what is below it is looked for on the other side: a tree
/// that loses a level keeps the pages below.
pub(crate) struct Plan {
    before: Side,
    after: Side,
}

#[derive(Default)]
struct Side {
    seen: FxHashSet<u32>,
    /// Quiet pages that were not opened.
    closed: Vec<u32>,
}

impl Plan {
    pub(crate) fn new(
        before: Root<'_>,
        after: Root<'_>,
        busy: &FxHashSet<u32>,
    ) -> Result<Self, Error> {
        let mut plan = Self {
            before: Side::default(),
            after: Side::default(),
        };
        plan.before.open_busy(before, busy, vec![before.number])?;
        plan.after.open_busy(after, busy, vec![after.number])?;
        loop {
            let opened = plan.before.open_unshared(before, busy, &plan.after.seen)?;
            if !plan.after.open_unshared(after, busy, &plan.before.seen)? && !opened {
                return Ok(plan);
            }
        }
    }

    /// Whether a page has the same rows below it before and after.
    pub(crate) fn skips(&self, page: u32, busy: &FxHashSet<u32>) -> bool {
        self.before.seen.contains(&page) && self.after.seen.contains(&page) && !busy.contains(&page)
    }

    /// The pages of the tree after the commit that are not skipped.
    pub(crate) fn visited_after<'a>(
        &'a self,
        busy: &'a FxHashSet<u32>,
    ) -> impl Iterator<Item = u32> + 'a {
        let pages = self.after.seen.iter().copied();
        pages.filter(|page| !self.skips(*page, busy))
    }
}

impl Side {
    /// Opens busy pages, and remembers the quiet ones below them.
    fn open_busy(
        &mut self,
        root: Root<'_>,
        busy: &FxHashSet<u32>,
        mut found: Vec<u32>,
    ) -> Result<(), Error> {
        while let Some(number) = found.pop() {
            if number == 0 {
                continue;
            }
            if !self.seen.insert(number) {
                return Err(Error::Damaged {
                    page: number,
                    what: "a tree has it twice",
                });
            }
            if !busy.contains(&number) {
                self.closed.push(number);
                continue;
            }
            let node = Node::read(root.pages, root.usable, root.tree, number)?;
            for child in node.children() {
                found.push(child?);
            }
        }
        Ok(())
    }

    /// Opens the quiet pages that the other side has not; says whether there was one.
    fn open_unshared(
        &mut self,
        root: Root<'_>,
        busy: &FxHashSet<u32>,
        other: &FxHashSet<u32>,
    ) -> Result<bool, Error> {
        let all = std::mem::take(&mut self.closed);
        let (shared, unshared): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|page| other.contains(page));
        self.closed = shared;
        let opened = !unshared.is_empty();
        for number in unshared {
            let node = Node::read(root.pages, root.usable, root.tree, number)?;
            let children = node.children().collect::<Result<Vec<_>, _>>()?;
            self.open_busy(root, busy, children)?;
        }
        Ok(opened)
    }
}
