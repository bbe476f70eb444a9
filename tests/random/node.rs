//! A statement as a tree, so that parts of it can be left out.

use dialect::catalog::TypeId;

use crate::values::values_of;

/// What may stand in the place of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Any value of that type.
    Value(TypeId),
    /// Nothing.
    Optional,
    /// Only itself.
    Fixed,
}

/// A part of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    sort: Sort,
    parts: Vec<Part>,
    /// Values that the text has in it, which can't be made smaller.
    hidden: Vec<String>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Node(Node),
}

impl Node {
    /// A node of a text alone.
    pub(crate) fn leaf(sort: Sort, text: impl Into<String>) -> Self {
        Self {
            sort,
            parts: vec![Part::Text(text.into())],
            hidden: Vec::new(),
        }
    }

    /// A text with a node for each `{}` in it.
    pub(crate) fn new(
        sort: Sort,
        template: &str,
        children: impl IntoIterator<Item = Self>,
    ) -> Self {
        let mut children = children.into_iter();
        let mut parts = Vec::new();
        for (index, text) in template.split("{}").enumerate() {
            if index > 0 {
                let child = children.next().expect("a node for each place");
                parts.push(Part::Node(child));
            }
            parts.push(Part::Text(text.to_owned()));
        }
        assert!(children.next().is_none(), "a place for each node");
        Self {
            sort,
            parts,
            hidden: Vec::new(),
        }
    }

    /// The same as one text.
    pub(crate) fn whole(&self, sort: Sort) -> Self {
        Self {
            hidden: self.values(),
            ..Self::leaf(sort, self.text())
        }
    }

    /// A value.
    pub(crate) fn value(
        ty: TypeId,
        template: &str,
        children: impl IntoIterator<Item = Self>,
    ) -> Self {
        Self::new(Sort::Value(ty), template, children)
    }

    /// A clause that may be left out.
    pub(crate) fn clause(template: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Sort::Optional, template, children)
    }

    /// What has to stay.
    pub(crate) fn fixed(template: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Sort::Fixed, template, children)
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self::leaf(Sort::Fixed, "")
    }

    /// Nodes with a text between them. All but the first may be left out.
    pub(crate) fn list(between: &str, nodes: Vec<Self>) -> Self {
        let mut parts = Vec::new();
        for node in nodes {
            parts.push(Part::Node(if parts.is_empty() {
                node
            } else {
                Self::clause(&format!("{between}{{}}"), [node])
            }));
        }
        Self {
            sort: Sort::Fixed,
            parts,
            hidden: Vec::new(),
        }
    }

    /// The statement's text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Node(node) => node.write(out),
            }
        }
    }

    /// The same with one part smaller, for each part and each way to make it so; large parts first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = self.own_smaller();
        for (at, part) in self.parts.iter().enumerate() {
            let Part::Node(node) = part else { continue };
            all.extend(node.smaller().into_iter().map(|smaller| {
                let mut copy = self.clone();
                copy.parts[at] = Part::Node(smaller);
                copy
            }));
        }
        all
    }

    fn own_smaller(&self) -> Vec<Self> {
        match self.sort {
            Sort::Fixed => Vec::new(),
            Sort::Optional if self.parts.is_empty() => Vec::new(),
            Sort::Optional => vec![Self {
                parts: Vec::new(),
                ..self.clone()
            }],
            Sort::Value(ty) => {
                let mut found = Vec::new();
                self.descendants(self.sort, &mut found);
                let name =
                    values_of(ty).map_or_else(|| ty.name(), |(_, name, _)| (*name).to_owned());
                let null = format!("NULL::{name}");
                if !found.is_empty() && self.text() != null {
                    found.push(Self::leaf(Sort::Fixed, null));
                }
                found
            }
        }
    }

    /// The texts of all values in it.
    pub(crate) fn values(&self) -> Vec<String> {
        let mut all = self.hidden.clone();
        if matches!(self.sort, Sort::Value(_)) {
            all.push(self.text());
        }
        for part in &self.parts {
            if let Part::Node(node) = part {
                all.extend(node.values());
            }
        }
        all
    }

    fn descendants(&self, sort: Sort, found: &mut Vec<Self>) {
        for part in &self.parts {
            let Part::Node(node) = part else { continue };
            if node.sort == sort {
                found.push(node.clone());
            }
            node.descendants(sort, found);
        }
    }
}
