//! The parser's events as a tree of plain indexes.
//!
//! The parser names nodes and tokens by a kind each; blanks and comments are left out. Building it takes one pass and
//! one allocation, and a node is a copy of an index, which is what makes lowering cheap.

use squawk_parser::{
    EntryPoint, LexedStr, StrStep,
    SyntaxKind::{self, *},
};

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

/// A node that is not finished, with its last child and the one before that.
struct Open {
    index: u32,
    last: u32,
    before: u32,
}

/// A tree under construction.
struct Builder<'a> {
    tree: Tree<'a>,
    /// The nodes that are not finished.
    open: Vec<Open>,
    offset: usize,
}

impl Builder<'_> {
    fn step(&mut self, step: &StrStep<'_>) {
        match step {
            StrStep::Token { kind, text } => {
                let start = self.offset;
                self.offset += text.len();
                if !matches!(kind, WHITESPACE | COMMENT) {
                    self.add(*kind, true, start, self.offset);
                }
            }
            StrStep::Enter { kind } => self.enter(*kind),
            StrStep::Exit => self.exit(),
            StrStep::Error { pos, .. } => self.tree.faults.push(*pos),
        }
    }

    /// Begins a node. The parser leaves out the first operand of BETWEEN after a cast: it stands before the node then,
    /// without anything between, and is put into it here.
    fn enter(&mut self, kind: SyntaxKind) {
        let operand = if is_operation(kind) {
            self.take_operand()
        } else {
            NONE
        };
        let start = match self.tree.entries.get(operand as usize) {
            Some(entry) => entry.start as usize,
            None => self.offset,
        };
        let index = self.add(kind, false, start, start);
        if let Some(entry) = self.tree.entries.get_mut(index as usize) {
            entry.first = operand;
        }
        self.open.push(Open {
            index,
            last: operand,
            before: NONE,
        });
    }

    /// Takes the last child away from the node that is open, if it is an expression.
    fn take_operand(&mut self) -> u32 {
        let Some(open) = self.open.last_mut() else {
            return NONE;
        };
        let entries = &mut self.tree.entries;
        let last = open.last;
        if !entries
            .get(last as usize)
            .is_some_and(|entry| !entry.token && is_expression(entry.kind))
        {
            return NONE;
        }
        if let Some(entry) = entries.get_mut(open.before as usize) {
            entry.next = NONE;
        } else if let Some(entry) = entries.get_mut(open.index as usize) {
            entry.first = NONE;
        }
        open.last = open.before;
        last
    }

    fn exit(&mut self) {
        if let Some(open) = self.open.pop()
            && let Some(end) = self
                .tree
                .entries
                .get(open.last as usize)
                .map(|entry| entry.end)
            && let Some(entry) = self.tree.entries.get_mut(open.index as usize)
        {
            entry.end = end;
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
        if let Some(open) = self.open.last_mut() {
            if let Some(entry) = entries.get_mut(open.last as usize) {
                entry.next = index;
            } else if let Some(entry) = entries.get_mut(open.index as usize) {
                entry.first = index;
            }
            open.before = open.last;
            open.last = index;
        }
        index
    }
}

/// Nodes of an operator that stands after its first operand.
fn is_operation(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        BIN_EXPR | BETWEEN_EXPR | POSTFIX_EXPR | COLLATE | CAST_EXPR
    )
}

/// Nodes that are expressions.
pub(super) fn is_expression(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        CALL_EXPR
            | CAST_EXPR
            | COLLATE
            | ARRAY_EXPR
            | LITERAL
            | NAME_REF
            | BIN_EXPR
            | CASE_EXPR
            | FIELD_EXPR
            | INDEX_EXPR
            | SLICE_EXPR
            | BETWEEN_EXPR
            | PAREN_EXPR
            | TUPLE_EXPR
            | PREFIX_EXPR
            | POSTFIX_EXPR
    )
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
