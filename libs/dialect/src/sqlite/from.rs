//! FROM.

use crate::analysis::tree::{FromItem, Relation, RelationId, Source};
use crate::pg_catalog;
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

    /// A comma binds less than JOIN in PostgreSQL and the same in SQLite: joins behind something are put in parentheses,
    /// unless they mean the same without. SQLite makes a query of what is in parentheses, which it can't read again where
    /// columns get other names: a view with them would keep every table of its database from that.
    fn items(&mut self, items: &[FromItem], mut behind: bool) -> Result {
        self.list(items, ", ", |printer, item| {
            let wrap = std::mem::replace(&mut behind, true)
                && matches!(item, FromItem::Join { .. })
                && !is_chain(item);
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

    /// Whether something in it may read what stands before it, which it would not find inside parentheses.
    fn has_lateral(&self, item: &FromItem) -> bool {
        match item {
            FromItem::Relation(id) => self.is_called_for_each_row(*id),
            FromItem::Join { sides, .. } => sides.iter().any(|side| self.has_lateral(side)),
        }
    }

    fn item_of_from(&mut self, item: &FromItem) -> Result {
        let (kind, sides, on) = match item {
            FromItem::Relation(id) => return self.relation(*id),
            FromItem::Join {
                kind, sides, on, ..
            } => (kind, sides, on),
        };
        let [left, right] = sides.as_ref();
        let turned = matches!(
            (left, right),
            (FromItem::Relation(_), FromItem::Join { .. })
        ) && !self.has_lateral(item);
        // A relation is joined to joins, so that those need no parentheses.
        let (left, right, kind) = match kind {
            JoinKind::Left if turned => (right, left, JoinKind::Right),
            JoinKind::Right if turned => (right, left, JoinKind::Left),
            JoinKind::Inner | JoinKind::Full if turned => (right, left, *kind),
            kind => (left, right, *kind),
        };
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
            Source::Catalog { stored, .. } => self.catalog_table(relation, *stored)?,
            Source::Query(query) => {
                self.push("(");
                self.query(query, false)?;
                self.push(")");
            }
            Source::Lateral(query) => self.lateral(query)?,
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

    /// A catalog table: one of the session's, the rows of a function, or a query without rows.
    fn catalog_table(&mut self, relation: &Relation, stored: Option<&str>) -> Result {
        if let Some(name) = stored {
            if pg_catalog::is_computed(name) {
                // Once for the statement, however often a join comes by.
                self.push("(WITH computed AS MATERIALIZED (SELECT ");
                for (place, column) in relation.columns.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    self.push(&format!("{comma}value ->> {place} AS "));
                    self.name(&column.stored_name);
                }
                let rows = pg_catalog::COMPUTED_ROWS;
                self.push(&format!(
                    " FROM json_each({rows}('{name}'))) SELECT * FROM computed)"
                ));
                return Ok(());
            }
            self.push("temp.");
            self.name(name);
            return Ok(());
        }
        self.push("(SELECT ");
        self.list(&relation.columns, ", ", |printer, column| {
            printer.push("NULL AS ");
            printer.name(&column.stored_name);
            Ok(())
        })?;
        self.push(" WHERE 0)");
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

/// Whether it is joins one after the other, of which no row of the left side goes lost: such ones mean the same with
/// more on their left.
fn is_chain(item: &FromItem) -> bool {
    match item {
        FromItem::Relation(_) => true,
        FromItem::Join { kind, sides, .. } => {
            matches!(kind, JoinKind::Inner | JoinKind::Left) && is_chain(&sides[0])
        }
    }
}
