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
///
/// A page that has not changed, and stands below nothing but such pages, is *trusted*: it is in both trees with all that
/// is below it. Of its children only the busy ones are looked at.
pub(crate) struct Plan {
    before: Side,
    after: Side,
    trusted: FxHashSet<u32>,
}

/// Which pages of a database a commit concerns.
pub(crate) struct Concerned {
    /// Pages that it has written.
    pub(crate) changed: FxHashSet<u32>,
    /// Those, and all that lead to them.
    pub(crate) busy: FxHashSet<u32>,
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
        concerned: &Concerned,
    ) -> Result<Self, Error> {
        let busy = &concerned.busy;
        let mut plan = Self {
            before: Side::default(),
            after: Side::default(),
            trusted: FxHashSet::default(),
        };
        let (mut found, mut also) = (vec![before.number], vec![after.number]);
        if before.number == after.number && !concerned.changed.contains(&before.number) {
            found = plan.open_trusted(before, concerned)?;
            also.clone_from(&found);
        }
        plan.before.open_busy(before, busy, found)?;
        plan.after.open_busy(after, busy, also)?;
        loop {
            let opened = plan.before.open_unshared(before, busy, &plan.after.seen)?;
            if !plan.after.open_unshared(after, busy, &plan.before.seen)? && !opened {
                return Ok(plan);
            }
        }
    }

    /// Goes down from a root that both sides have, as long as pages have not changed; gives the changed ones below.
    fn open_trusted(&mut self, root: Root<'_>, concerned: &Concerned) -> Result<Vec<u32>, Error> {
        let mut changed = Vec::new();
        let mut left = vec![root.number];
        while let Some(number) = left.pop() {
            if number == 0 || !concerned.busy.contains(&number) {
                continue;
            }
            if concerned.changed.contains(&number) {
                changed.push(number);
                continue;
            }
            if !self.trusted.insert(number) {
                return Err(twice(number));
            }
            let node = Node::read(root.pages, root.usable, root.tree, number)?;
            for child in node.children() {
                let child = child?;
                if concerned.busy.contains(&child) {
                    left.push(child);
                }
            }
        }
        Ok(changed)
    }

    /// Whether what is below a page is the same on both sides but for its busy children.
    pub(crate) fn trusts(&self, page: u32) -> bool {
        self.trusted.contains(&page)
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
        let pages = self.after.seen.iter().chain(&self.trusted).copied();
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
                return Err(twice(number));
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

fn twice(page: u32) -> Error {
    Error::Damaged {
        page,
        what: "a tree has it twice",
    }
}
