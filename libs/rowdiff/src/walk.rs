//! The records of a tree, in its order.

use rustc_hash::FxHashSet;

use crate::cell::Cell;
use crate::error::Error;
use crate::node::Node;
use crate::plan::{Plan, Root};

/// SQLite itself goes no deeper (`BTCURSOR_MAX_DEPTH`).
const MAX_DEPTH: usize = 20;

/// Walks through a tree from left to right, past the pages that the plan skips.
pub(crate) struct Walk<'a> {
    root: Root<'a>,
    skipping: Option<(&'a Plan, &'a FxHashSet<u32>)>,
    path: Vec<Place>,
    /// A tree has no more pages than the database: one that has goes round in a circle.
    left: u32,
}

/// How far a page has been read.
struct Place {
    node: Node,
    next: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Child(usize),
    Cell(usize),
}

impl<'a> Walk<'a> {
    /// The part of a tree that a plan has to be looked at.
    pub(crate) fn new(
        root: Root<'a>,
        plan: &'a Plan,
        busy: &'a FxHashSet<u32>,
    ) -> Result<Self, Error> {
        Self::begin(root, Some((plan, busy)))
    }

    /// All of a tree.
    pub(crate) fn whole(root: Root<'a>) -> Result<Self, Error> {
        Self::begin(root, None)
    }

    fn begin(
        root: Root<'a>,
        skipping: Option<(&'a Plan, &'a FxHashSet<u32>)>,
    ) -> Result<Self, Error> {
        let mut walk = Self {
            root,
            skipping,
            path: Vec::new(),
            left: root.pages.count(),
        };
        if root.number != 0 {
            walk.enter(root.number)?;
        }
        Ok(walk)
    }

    fn enter(&mut self, number: u32) -> Result<(), Error> {
        let skips = |(plan, busy): (&Plan, &FxHashSet<u32>)| plan.skips(number, busy);
        if self.skipping.is_some_and(skips) {
            return Ok(());
        }
        let damaged = |what| Error::Damaged { page: number, what };
        if self.path.len() >= MAX_DEPTH {
            return Err(damaged("it is deeper in its tree than trees are"));
        }
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| damaged("a tree has it twice"))?;
        let Root {
            pages,
            usable,
            tree,
            ..
        } = self.root;
        let node = Node::read(pages, usable, tree, number)?;
        let next = if node.is_leaf {
            Step::Cell(0)
        } else {
            Step::Child(0)
        };
        self.path.push(Place { node, next });
        Ok(())
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> Result<Option<Cell>, Error> {
        loop {
            let Some(place) = self.path.last_mut() else {
                return Ok(None);
            };
            match place.next {
                Step::Child(index) => {
                    place.next = Step::Cell(index);
                    let child = place.node.child(index)?;
                    let parent = place.node.number;
                    let quiet = |(plan, busy): (&Plan, &FxHashSet<u32>)| {
                        plan.trusts(parent) && !busy.contains(&child)
                    };
                    if !self.skipping.is_some_and(quiet) {
                        self.enter(child)?;
                    }
                }
                Step::Cell(index) if index >= place.node.count => {
                    self.path.pop();
                }
                Step::Cell(index) => {
                    place.next = if place.node.is_leaf {
                        Step::Cell(index + 1)
                    } else {
                        Step::Child(index + 1)
                    };
                    if place.node.has_records() {
                        return place.node.cell(index).map(Some);
                    }
                }
            }
        }
    }
}
