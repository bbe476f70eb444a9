//! FROM.

use crate::analysis::tree::{FromItem, RelationId, Source};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::JoinKind;

impl Printer<'_> {
    /// The items of FROM.
    pub(crate) fn from(&mut self, items: &[FromItem]) -> Result {
        self.items(items, false)
    }

    /// The items of FROM or USING, with the table that is changed before them.
    pub(crate) fn items_beside_table(&mut self, items: &[FromItem]) -> Result {
        self.items(items, true)
    }

    /// A comma binds less than JOIN in PostgreSQL and the same in SQLite: joins behind something are put in parentheses.
    /// What SQLite calls a cross join would not be reordered.
    fn items(&mut self, items: &[FromItem], mut behind: bool) -> Result {
        self.list(items, ", ", |printer, item| {
            let wrap =
                std::mem::replace(&mut behind, true) && matches!(item, FromItem::Join { .. });
            if wrap {
                printer.push("(");
            }
            printer.item_of_from(item)?;
            if wrap {
                printer.push(")");
            }
            Ok(())
        })
    }

    fn item_of_from(&mut self, item: &FromItem) -> Result {
        let (kind, sides, on) = match item {
            FromItem::Relation(id) => return self.relation(*id),
            FromItem::Join { kind, sides, on } => (kind, sides, on),
        };
        let [left, right] = sides.as_ref();
        self.item_of_from(left)?;
        self.push(match kind {
            JoinKind::Inner => " JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
        });
        let wrap = matches!(right, FromItem::Join { .. });
        if wrap {
            self.push("(");
        }
        self.item_of_from(right)?;
        if wrap {
            self.push(")");
        }
        if let Some(on) = on {
            self.push(" ON ");
            self.expr(on)?;
        }
        Ok(())
    }

    /// A relation under its alias.
    pub(crate) fn relation(&mut self, id: RelationId) -> Result {
        let Some(relation) = self.relations.get(id.0) else {
            return Ok(());
        };
        match &relation.source {
            Source::Table { schema, name, .. } => {
                self.push(schema);
                self.push(".");
                self.name(name);
            }
            Source::Query(query) => {
                self.push("(");
                self.query(query, false)?;
                self.push(")");
            }
            Source::CommonTable(table) => {
                let name = self.names.common_table(*table).0.to_owned();
                self.name(&name);
            }
            Source::Function(function) => self.table_function(function)?,
            Source::Excluded => return Ok(()),
        }
        self.push(" AS ");
        let alias = self.names.alias(id).to_owned();
        self.name(&alias);
        Ok(())
    }

    /// Notes which relations may have no row for a row of the result.
    pub(crate) fn find_nullable(&mut self, items: &[FromItem]) {
        for item in items {
            self.nullable_in(item, false);
        }
    }

    fn nullable_in(&mut self, item: &FromItem, outer: bool) {
        match item {
            FromItem::Relation(id) => {
                if outer {
                    self.nullable.insert(*id);
                }
            }
            FromItem::Join { kind, sides, .. } => {
                let [left, right] = sides.as_ref();
                self.nullable_in(
                    left,
                    outer || matches!(kind, JoinKind::Right | JoinKind::Full),
                );
                self.nullable_in(
                    right,
                    outer || matches!(kind, JoinKind::Left | JoinKind::Full),
                );
            }
        }
    }
}
