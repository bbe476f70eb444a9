//! Which page points to which.

use rustc_hash::FxHashSet;

use crate::error::Error;
use crate::node::Node;
use crate::pages::Pages;
use crate::payload::Chain;
use crate::plan::Root;

/// For each page of a table the page above it in its tree, or before it in an overflow chain.
///
/// A page that has left its tree keeps its entry until it is used again: a wrong entry costs the look at
/// a page, a missing one would hide a change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parents {
    of: Vec<u32>,
}

impl Parents {
    pub(crate) fn of(&self, page: u32) -> u32 {
        self.of.get(page as usize).copied().unwrap_or_default()
    }

    fn set(&mut self, page: u32, parent: u32) {
        let index = page as usize;
        if index >= self.of.len() {
            self.of.resize(index + 1, 0);
        }
        if let Some(entry) = self.of.get_mut(index) {
            *entry = parent;
        }
    }

    /// These pages, and all that lead to them.
    pub(crate) fn busy(&self, changed: &[u32]) -> FxHashSet<u32> {
        let mut busy = FxHashSet::default();
        for page in changed {
            let mut page = *page;
            while page != 0 && busy.insert(page) {
                page = self.of(page);
            }
        }
        busy
    }

    /// Notes what a page of a tree points to. Chains are followed as far as something can be new.
    pub(crate) fn note(
        &mut self,
        node: &Node,
        pages: &dyn Pages,
        busy: &FxHashSet<u32>,
    ) -> Result<(), Error> {
        for child in node.children() {
            let child = child?;
            if child <= pages.count() {
                self.set(child, node.number);
            }
        }
        if !node.has_records() {
            return Ok(());
        }
        for index in 0..node.count {
            let cell = node.cell(index)?;
            if cell.overflow == 0 {
                continue;
            }
            let mut chain = Chain::of(&cell, pages)?;
            let mut before = node.number;
            while chain.peek() != 0
                && (busy.contains(&chain.peek()) || self.of(chain.peek()) != before)
            {
                let Some(link) = chain.next()? else { break };
                self.set(link.number, before);
                before = link.number;
            }
        }
        Ok(())
    }

    /// Notes all of a tree.
    pub(crate) fn note_tree(&mut self, root: Root<'_>) -> Result<(), Error> {
        let nothing = FxHashSet::default();
        let mut left = vec![root.number];
        // A tree has no more pages than the database: one that has goes round in a circle.
        let mut budget = u64::from(root.pages.count());
        while let Some(number) = left.pop() {
            budget = budget.checked_sub(1).ok_or(Error::Damaged {
                page: number,
                what: "a tree has it twice",
            })?;
            let node = Node::read(root.pages, root.usable, root.tree, number)?;
            self.note(&node, root.pages, &nothing)?;
            for child in node.children() {
                left.push(child?);
            }
        }
        Ok(())
    }
}
