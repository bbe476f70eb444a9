//! Identifiers and the names that are made of them.

use squawk_parser::{
    SyntaxKind::{self, *},
    is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword,
};

use super::super::ast::{Name, Path};
use super::{Lowering, Result, at};
use crate::syntax::tree::Node;

/// The longest name in bytes.
const MAX_NAME: usize = 63;

/// Where a name stands decides which keywords it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A table's, a column's: no reserved word, none that names functions or types only.
    Column,
    /// A function's or a type's without a schema.
    Function,
    /// After a dot or AS: any word.
    Label,
}

impl Lowering<'_> {
    /// The name that a node holds.
    pub(super) fn lower_name(&self, node: Node<'_>, place: Place) -> Result<Name> {
        let Some(token) = first_token(node) else {
            return Err(self.syntax_after(node));
        };
        let kind = token.kind();
        let allowed = match place {
            Place::Label => true,
            _ if is_later_keyword(kind) => true,
            Place::Column => !is_reserved_keyword(kind) && !is_type_func_name_keyword(kind),
            Place::Function => !is_reserved_keyword(kind) && !is_col_name_keyword(kind),
        };
        if !allowed {
            return Err(self.syntax(token));
        }
        let text = match token.text().as_bytes() {
            [b'u' | b'U', b'&', b'"', ..] => self.unicode_text(token, node)?,
            [b'"', ..] => unquote(token.text(), '"'),
            [first, ..] if first.is_ascii_alphabetic() || *first == b'_' || !first.is_ascii() => {
                token.text().to_ascii_lowercase()
            }
            _ => return Err(self.syntax(token)),
        };
        if text.is_empty() {
            return Err(crate::syntax::fault::near(
                self.sql,
                token.start(),
                token.end(),
                "zero-length delimited identifier",
            ));
        }
        Ok(Name {
            text: truncate(text),
            at: at(token),
        })
    }

    /// A name that may be a column's.
    pub(super) fn column_name(&self, node: Node<'_>) -> Result<Name> {
        self.lower_name(node, Place::Column)
    }

    /// `a.b.c` from a path's node.
    pub(super) fn lower_path(&self, node: Node<'_>, first: Place) -> Result<Path> {
        let mut segments = Vec::with_capacity(2);
        let mut rest = Some(node);
        while let Some(path) = rest {
            rest = None;
            let mut segment = None;
            for child in path.children() {
                match child.kind() {
                    PATH_REF | PATH => rest = Some(child),
                    PATH_SEGMENT | PATH_SEGMENT_REF => segment = Some(child),
                    DOT => {}
                    _ => return Err(self.syntax(child)),
                }
            }
            let segment = segment.ok_or_else(|| self.syntax_after(path))?;
            segments.push(segment);
        }
        let mut names = Vec::with_capacity(segments.len());
        let qualified = segments.len() > 1;
        for (index, segment) in segments.iter().rev().enumerate() {
            let place = match (index, first) {
                (0, Place::Function) if qualified => Place::Column,
                (0, first) => first,
                _ => Place::Label,
            };
            names.push(self.lower_name(*segment, place)?);
        }
        Ok(Path(names))
    }

    /// The path below a node such as a table's name.
    pub(super) fn relation_path(&self, node: Node<'_>) -> Result<Path> {
        let inner = node
            .child(PATH_REF)
            .or_else(|| node.child(PATH))
            .ok_or_else(|| self.syntax_after(node))?;
        let path = self.lower_path(inner, Place::Column)?;
        if path.0.len() > 3 {
            let names: Vec<&str> = path.0.iter().map(|name| name.text.as_str()).collect();
            return Err(self.refuse(
                inner.start(),
                format!(
                    "improper qualified name (too many dotted names): {}",
                    names.join(".")
                ),
            ));
        }
        Ok(path)
    }
}

/// Words that mean something in later versions only, and name anything before.
fn is_later_keyword(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SYSTEM_USER_KW
            | JSON_KW
            | JSON_ARRAY_KW
            | JSON_ARRAYAGG_KW
            | JSON_EXISTS_KW
            | JSON_OBJECT_KW
            | JSON_OBJECTAGG_KW
            | JSON_QUERY_KW
            | JSON_SCALAR_KW
            | JSON_SERIALIZE_KW
            | JSON_TABLE_KW
            | JSON_VALUE_KW
            | MERGE_ACTION_KW
            | GRAPH_TABLE_KW
    )
}

/// The first token of a node, or the node itself if it is one.
pub(super) fn first_token(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    while !node.is_token() {
        node = node.children().next()?;
    }
    Some(node)
}

/// What stands between the quotes, doubled ones undone.
pub(super) fn unquote(text: &str, quote: char) -> String {
    let inner = text
        .strip_prefix(quote)
        .and_then(|rest| rest.strip_suffix(quote))
        .unwrap_or(text);
    if inner.contains(quote) {
        let mut twice = String::new();
        twice.push(quote);
        twice.push(quote);
        inner.replace(&twice, quote.encode_utf8(&mut [0; 4]))
    } else {
        inner.to_owned()
    }
}

/// Cuts a name as PostgreSQL does, between characters.
fn truncate(mut text: String) -> String {
    if text.len() > MAX_NAME {
        let end = (0..=MAX_NAME)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}
