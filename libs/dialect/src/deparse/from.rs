//! FROM, and the names that its relations have in the text.

use crate::analysis::tree::{
    ColumnRef, Expr, ExprKind, FromItem, JoinAlias, RelationId, Source, TableFunction,
};
use crate::deparse::{Writer, looks_like_call};
use crate::pg_catalog::identifier;
use crate::stored_name;
use crate::syntax::ast::JoinKind;

/// The name of a relation without its schema.
fn relation_name<'n>(schema: &str, name: &'n str) -> &'n str {
    if schema == "temp" {
        name
    } else {
        stored_name::base(name)
    }
}

impl Writer<'_> {
    /// Gives the relations of an item names that no query around has.
    pub(super) fn name_relations(&mut self, item: &FromItem) {
        match item {
            FromItem::Relation(id) => {
                let alias = self.relations.get(id.0).map_or("", |r| r.alias.as_str());
                let name = self.unused(alias);
                self.used.push((Some(*id), name));
            }
            FromItem::Join { sides, alias, .. } => {
                for side in sides.as_ref() {
                    self.name_relations(side);
                }
                if let Some(alias) = alias {
                    let name = self.unused(&alias.name);
                    self.used.push((None, name.clone()));
                    self.joins.push(JoinAlias {
                        name,
                        ..alias.clone()
                    });
                }
            }
        }
    }

    /// The name, or the next one that nothing else has.
    fn unused(&self, alias: &str) -> String {
        let mut name = alias.to_owned();
        let mut number = 1;
        while self.used.iter().any(|(_, used)| *used == name) {
            name = format!("{alias}_{number}");
            number += 1;
        }
        name
    }

    /// The join with a name of its own, and its column, that a value is read through.
    pub(super) fn joined_column(&self, value: &Expr) -> Option<(&JoinAlias, &str)> {
        self.joins.iter().rev().find_map(|join| {
            let column = join.columns.iter().find(|(_, own)| own == value)?;
            Some((join, column.0.as_str()))
        })
    }

    /// A column behind its relation's name.
    pub(super) fn column(&mut self, column: ColumnRef) {
        let name = identifier(&self.name_of(column));
        if self.qualified {
            let own = self
                .used
                .iter()
                .rev()
                .find(|(id, _)| *id == Some(column.relation));
            match own.map(|(_, alias)| identifier(alias)) {
                Some(alias) => {
                    self.push(&alias);
                    self.push(".");
                }
                // A relation that the text does not show.
                None => self.complete = false,
            }
        }
        self.push(&name);
    }

    /// The name of the relation whose row this is, and the type of that.
    pub(super) fn whole_row(&self, fields: &[Expr], names: &[String]) -> Option<(String, String)> {
        let ExprKind::Column(first) = fields.first()?.kind else {
            return None;
        };
        let relation = self.relations.get(first.relation.0)?;
        let whole = fields.iter().enumerate().all(|(at, field)| {
            matches!(field.kind, ExprKind::Column(column)
                if column.relation == first.relation && column.column == at)
        });
        if names.is_empty() || !whole || relation.columns.len() != fields.len() {
            return None;
        }
        let mut used = self.used.iter().rev();
        let (_, alias) = used.find(|(id, _)| *id == Some(first.relation))?;
        let ty = match &relation.source {
            Source::Table { schema, name, .. } => self.table_name(schema, name),
            _ => "record".to_owned(),
        };
        Some((identifier(alias), ty))
    }

    /// A table or a view by the name that finds it.
    fn table_name(&self, schema: &str, name: &str) -> String {
        match self.visible {
            Some(visible) => visible.relation(schema == "temp", name),
            None => identifier(relation_name(schema, name)),
        }
    }

    pub(super) fn item_of_from(&mut self, item: &FromItem) {
        match item {
            FromItem::Relation(id) => self.relation(*id),
            FromItem::Join {
                alias: Some(alias), ..
            } => {
                // Inside, the join's own name is not known.
                let place = self
                    .joins
                    .iter()
                    .rposition(|join| join.columns == alias.columns);
                let Some(place) = place else {
                    self.complete = false;
                    return;
                };
                let named = self.joins.remove(place);
                let (columns, renamed) = self.columns_of_join(item, &named);
                self.push("(");
                self.join(item);
                self.push(") ");
                self.joins.insert(place, named.clone());
                self.push(&identifier(&named.name));
                if renamed {
                    self.push(&format!("({})", columns.join(", ")));
                }
            }
            FromItem::Join { .. } => {
                self.push(if self.pretty { "" } else { "(" });
                self.join(item);
                self.push(if self.pretty { "" } else { ")" });
            }
        }
    }

    /// A join without the parentheses around it.
    fn join(&mut self, item: &FromItem) {
        let FromItem::Join {
            kind,
            sides,
            on,
            using,
            using_alias,
            ..
        } = item
        else {
            return;
        };
        let [left, right] = sides.as_ref();
        self.item_of_from(left);
        let words = match kind {
            JoinKind::Inner if on.is_none() => " CROSS JOIN ",
            JoinKind::Inner => " JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
        };
        self.clause(words, 4);
        let wrap = self.pretty && matches!(right, FromItem::Join { alias: None, .. });
        self.push(if wrap { "(" } else { "" });
        self.item_of_from(right);
        self.push(if wrap { ")" } else { "" });
        let using: Vec<String> = using
            .iter()
            .map(|merged| self.name_in_using(merged))
            .collect();
        self.condition(*kind, on.as_ref(), &using);
        if let Some(alias) = using_alias {
            self.push(" AS ");
            self.push(&identifier(alias));
        }
    }

    fn condition(&mut self, kind: JoinKind, on: Option<&Expr>, using: &[String]) {
        match on {
            Some(_) if !using.is_empty() => {
                let names: Vec<String> = using.iter().map(|name| identifier(name)).collect();
                self.push(&format!(" USING ({})", names.join(", ")));
            }
            Some(on) => {
                self.push(" ON ");
                self.push(if self.pretty { "" } else { "(" });
                self.expr(on, false);
                self.push(if self.pretty { "" } else { ")" });
            }
            None if kind != JoinKind::Inner => self.push(" ON TRUE"),
            None => {}
        }
    }

    fn relation(&mut self, id: RelationId) {
        let Some(relation) = self.relations.get(id.0) else {
            self.complete = false;
            return;
        };
        let alias = self.used.iter().rev().find(|(own, _)| *own == Some(id));
        let alias = alias.map_or_else(|| relation.alias.clone(), |(_, name)| name.clone());
        let renamed = match &relation.source {
            Source::Table { schema, name, .. } => {
                let shown = self.table_name(schema, name);
                self.push(&shown);
                let mut columns = relation.columns.iter().enumerate();
                let renamed = columns.any(|(at, column)| {
                    !column.stored_name.is_empty() && self.name_at(id, at) != column.stored_name
                });
                if renamed || alias != relation_name(schema, name) {
                    self.push(" ");
                    self.push(&identifier(&alias));
                }
                renamed
            }
            Source::Query(query) | Source::Lateral(query) => {
                if matches!(relation.source, Source::Lateral(_)) {
                    self.push("LATERAL ");
                }
                self.push("(");
                self.inner_query(query, &query.columns);
                self.push(") ");
                self.push(&identifier(&alias));
                let mut own = query.columns.iter().enumerate();
                own.any(|(at, column)| self.name_at(id, at) != column.name)
            }
            Source::Function(function) => {
                if self.reads_beside(function) {
                    self.push("LATERAL ");
                }
                self.function(function);
                self.push(" ");
                self.push(&identifier(&alias));
                true
            }
            Source::CommonTable(table) => {
                let mut known = self.common_tables.iter().rev();
                let Some(known) = known.find(|known| known.id == *table).cloned() else {
                    self.complete = false;
                    return;
                };
                self.push(&identifier(&known.name));
                let mut own = known.column_names().enumerate();
                let renamed = own.any(|(at, name)| self.name_at(id, at) != name);
                if renamed || alias != known.name {
                    self.push(" ");
                    self.push(&identifier(&alias));
                }
                renamed
            }
            Source::Catalog { .. } | Source::Excluded => {
                self.complete = false;
                false
            }
        };
        if renamed {
            let names = self.names_of(id);
            self.push(&format!("({})", names.join(", ")));
        }
    }

    /// Whether a function takes columns of relations of the same FROM.
    fn reads_beside(&self, function: &TableFunction) -> bool {
        let own = self.used.get(self.level..).unwrap_or_default();
        let mut reads = false;
        for value in &function.values {
            value.visit(&mut |part| {
                if let ExprKind::Column(column) = part.kind {
                    reads |= own.iter().any(|(id, _)| *id == Some(column.relation));
                }
            });
        }
        reads
    }

    fn function(&mut self, function: &TableFunction) {
        let ([only], true) = (function.values.as_slice(), function.definitions.is_empty()) else {
            self.complete = false;
            return;
        };
        if looks_like_call(only) {
            self.expr(only, false);
        } else {
            self.push("CAST(");
            self.expr(only, false);
            self.push(" AS ");
            let shown = self.type_name(only.ty);
            self.push(&shown);
            self.push(")");
        }
        if function.ordinality {
            self.push(" WITH ORDINALITY");
        }
    }
}
