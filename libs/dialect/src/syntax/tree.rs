//! The parser's events as a tree of plain indexes.
//!
//! The parser names nodes and tokens by a kind each; blanks and comments are left out. Building it takes one pass and
//! one allocation, and a node is a copy of an index, which is what makes lowering cheap.

use squawk_parser::{EntryPoint, LexedStr, StrStep, SyntaxKind};

/// What [`Node`] looks up.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: SyntaxKind,
    token: bool,
    start: u32,
    end: u32,
    first: u32,
    next: u32,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// The tree of a text.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    text: &'a str,
    entries: Vec<Entry>,
    /// Byte offsets at which the parser found a fault, in its order; each is the end of the token before the fault.
    pub(super) faults: Vec<usize>,
}

impl<'a> Tree<'a> {
    /// Parses a text.
    pub(super) fn parse(text: &'a str) -> Self {
        let lexed = LexedStr::new(text);
        let output = EntryPoint::SourceFile.parse(&lexed.to_input());
        let mut builder = Builder {
            tree: Tree {
                text,
                entries: Vec::with_capacity(text.len() / 2 + 16),
                faults: Vec::new(),
            },
            open: Vec::with_capacity(32),
            offset: 0,
        };
        lexed.intersperse_trivia(&output, &mut |step| builder.step(&step));
        builder.tree
    }

    /// The root.
    pub(super) fn root(&self) -> Option<Node<'_>> {
        self.node(0)
    }

    fn node(&self, index: u32) -> Option<Node<'_>> {
        let entry = self.entries.get(index as usize)?;
        Some(Node { tree: self, entry })
    }
}

/// A tree under construction.
struct Builder<'a> {
    tree: Tree<'a>,
    /// The nodes that are not finished: each with its last child.
    open: Vec<(u32, u32)>,
    offset: usize,
}

impl Builder<'_> {
    fn step(&mut self, step: &StrStep<'_>) {
        match step {
            StrStep::Token { kind, text } => {
                let start = self.offset;
                self.offset += text.len();
                if !matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT) {
                    self.add(*kind, true, start, self.offset);
                }
            }
            StrStep::Enter { kind } => {
                let index = self.add(*kind, false, self.offset, self.offset);
                self.open.push((index, NONE));
            }
            StrStep::Exit => {
                if let Some((index, last)) = self.open.pop()
                    && let Some(end) = self.tree.entries.get(last as usize).map(|entry| entry.end)
                    && let Some(entry) = self.tree.entries.get_mut(index as usize)
                {
                    entry.end = end;
                }
            }
            StrStep::Error { pos, .. } => self.tree.faults.push(*pos),
        }
    }

    fn add(&mut self, kind: SyntaxKind, token: bool, start: usize, end: usize) -> u32 {
        let entries = &mut self.tree.entries;
        let index = u32::try_from(entries.len()).unwrap_or(NONE);
        entries.push(Entry {
            kind,
            token,
            start: u32::try_from(start).unwrap_or(NONE),
            end: u32::try_from(end).unwrap_or(NONE),
            first: NONE,
            next: NONE,
        });
        if let Some((parent, last)) = self.open.last_mut() {
            if *last == NONE {
                if let Some(entry) = entries.get_mut(*parent as usize) {
                    entry.first = index;
                }
            } else if let Some(entry) = entries.get_mut(*last as usize) {
                entry.next = index;
            }
            *last = index;
        }
        index
    }
}

/// A node or a token of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'t> {
    tree: &'t Tree<'t>,
    entry: &'t Entry,
}

impl<'t> Node<'t> {
    /// What it is.
    pub(super) fn kind(self) -> SyntaxKind {
        self.entry.kind
    }

    /// A token, not a node.
    pub(super) fn is_token(self) -> bool {
        self.entry.token
    }

    /// Its first byte.
    pub(super) fn start(self) -> usize {
        self.entry.start as usize
    }

    /// The byte after its last.
    pub(super) fn end(self) -> usize {
        self.entry.end as usize
    }

    /// Its text.
    pub(super) fn text(self) -> &'t str {
        self.tree
            .text
            .get(self.start()..self.end())
            .unwrap_or_default()
    }

    /// Nodes and tokens directly below.
    pub(super) fn children(self) -> Children<'t> {
        Children {
            tree: self.tree,
            next: self.entry.first,
        }
    }

    /// The first node or token of a kind directly below.
    pub(super) fn child(self, kind: SyntaxKind) -> Option<Self> {
        self.children().find(|child| child.kind() == kind)
    }

    /// Whether a node or token of a kind is directly below.
    pub(super) fn has(self, kind: SyntaxKind) -> bool {
        self.child(kind).is_some()
    }

    /// The nodes directly below, no tokens.
    pub(super) fn nodes(self) -> impl Iterator<Item = Self> {
        self.children().filter(|child| !child.is_token())
    }
}

/// The nodes and tokens below a node.
#[derive(Debug, Clone)]
pub(super) struct Children<'t> {
    tree: &'t Tree<'t>,
    next: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        let node = self.tree.node(self.next)?;
        self.next = node.entry.next;
        Some(node)
    }
}
