//! What FROM's items are called, and their columns.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{Alias, ColumnDefinition};
use super::{Lowering, Result};
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// AS name (columns); definitions of columns stand behind functions only.
    pub(super) fn alias(&self, node: Node<'_>, function: bool) -> Result<Option<Alias>> {
        let Some(alias) = node.child(FROM_ALIAS) else {
            return Ok(None);
        };
        let mut found = Alias {
            name: None,
            columns: Vec::new(),
            definitions: Vec::new(),
        };
        for child in alias.nodes() {
            match child.kind() {
                TABLE_ALIAS => found.name = Some(self.column_name(child)?),
                COLUMN_LIST => {
                    if found.name.is_none() {
                        return Err(self.syntax_after(child.nodes().next().unwrap_or(child)));
                    }
                    found.columns = self.name_list(child)?;
                }
                COLUMN_DEF_LIST if function => found.definitions = self.definitions(child)?,
                COLUMN_DEF_LIST if found.name.is_none() => return Err(self.syntax(child)),
                _ => {
                    let name = child
                        .nodes()
                        .next()
                        .and_then(|definition| definition.nodes().next());
                    return Err(self.syntax_after(name.unwrap_or(child)));
                }
            }
        }
        if found.name.is_none() && found.definitions.is_empty() {
            return Err(self.syntax_after(alias));
        }
        Ok(Some(found))
    }

    /// Names and types of columns.
    pub(super) fn definitions(&self, node: Node<'_>) -> Result<Vec<ColumnDefinition>> {
        self.check_commas(node)?;
        let mut definitions = Vec::new();
        for definition in node.nodes() {
            let mut parts = definition.nodes();
            let (Some(name), Some(ty)) = (parts.next(), parts.next()) else {
                return Err(self.syntax_after(definition));
            };
            definitions.push(ColumnDefinition {
                name: self.column_name(name)?,
                ty: self.lower_type(ty)?,
            });
        }
        Ok(definitions)
    }
}
