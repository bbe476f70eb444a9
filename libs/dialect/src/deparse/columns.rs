//! What columns are called in the text of a query: names that USING merges are the same on both sides, and where a merged
//! column is no column of either side, nothing else has its name.

use std::collections::HashMap;

use crate::analysis::tree::{
    ColumnRef, Expr, ExprKind, FromItem, JoinAlias, MergedColumn, RelationId,
};
use crate::deparse::Writer;
use crate::pg_catalog::identifier;

/// The names of the columns of relations in scope.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    known: HashMap<ColumnRef, String>,
    /// Names of merged columns that nothing else may have.
    reserved: Vec<String>,
}

impl Writer<'_> {
    /// Names the columns of all relations of FROM.
    pub(super) fn name_columns(&mut self, from: &[FromItem]) {
        let reserve = from.iter().any(merges_values);
        for item in from {
            self.name_merged(item, reserve);
        }
        for item in from {
            self.name_others(item, &[]);
        }
    }

    /// The columns of joins with USING, from the outermost one.
    fn name_merged(&mut self, item: &FromItem, reserve: bool) {
        let FromItem::Join {
            sides,
            using,
            alias,
            ..
        } = item
        else {
            return;
        };
        for merged in using {
            // Where the join as a whole has a name, its columns may have names of their own.
            let given = alias.iter().flat_map(|alias| &alias.columns);
            let given = given.clone().find(|(_, value)| *value == merged.value);
            let own = given.map_or(&merged.name, |(name, _)| name);
            let columns = columns_in(&merged.sides);
            let mut known = columns.iter().filter_map(|c| self.columns.known.get(c));
            let name = match known.next() {
                Some(name) => name.clone(),
                None if reserve => {
                    let reserved = &self.columns.reserved;
                    let name = distinct(own, |name| reserved.iter().any(|r| r == name));
                    self.columns.reserved.push(name.clone());
                    name
                }
                None => own.clone(),
            };
            for column in columns {
                self.columns.known.insert(column, name.clone());
            }
            if !matches!(merged.value.kind, ExprKind::Column(_)) {
                self.merged.push((merged.value.clone(), name));
            }
        }
        for side in sides.as_ref() {
            self.name_merged(side, reserve);
        }
    }

    /// The columns that no join merges; `above` are the names that joins around merge.
    fn name_others(&mut self, item: &FromItem, above: &[String]) {
        match item {
            FromItem::Relation(id) => self.name_of_relation(*id, above),
            FromItem::Join { sides, using, .. } => {
                let own = using.iter().map(|merged| self.name_in_using(merged));
                let names: Vec<String> = above.iter().cloned().chain(own).collect();
                for side in sides.as_ref() {
                    self.name_others(side, &names);
                }
            }
        }
    }

    fn name_of_relation(&mut self, id: RelationId, above: &[String]) {
        let Some(relation) = self.relations.get(id.0) else {
            return;
        };
        let reference = |column| ColumnRef {
            relation: id,
            column,
        };
        let merged = (0..relation.columns.len())
            .filter_map(|at| self.columns.known.get(&reference(at)).cloned());
        let mut taken: Vec<String> = merged.collect();
        for (at, column) in relation.columns.iter().enumerate() {
            if self.columns.known.contains_key(&reference(at)) {
                continue;
            }
            let used = [&taken, above, &self.columns.reserved];
            let name = distinct(&column.name, |name| {
                used.iter()
                    .any(|names| names.iter().any(|used| used == name))
            });
            taken.push(name.clone());
            self.columns.known.insert(reference(at), name);
        }
    }

    /// The name of a column.
    pub(super) fn name_of(&self, column: ColumnRef) -> String {
        if let Some(name) = self.columns.known.get(&column) {
            return name.clone();
        }
        let relation = self.relations.get(column.relation.0);
        let column = relation.and_then(|relation| relation.columns.get(column.column));
        column.map_or_else(String::new, |column| column.name.clone())
    }

    pub(super) fn name_at(&self, relation: RelationId, column: usize) -> String {
        self.name_of(ColumnRef { relation, column })
    }

    /// The names of a relation's columns, without those that are dropped.
    pub(super) fn names_of(&self, id: RelationId) -> Vec<String> {
        let columns = self.relations.get(id.0).map(|relation| &relation.columns);
        let columns = columns.into_iter().flatten().enumerate();
        columns
            .filter(|(_, column)| !column.name.is_empty())
            .map(|(at, _)| identifier(&self.name_at(id, at)))
            .collect()
    }

    /// The name of a merged column.
    pub(super) fn name_in_using(&self, merged: &MergedColumn) -> String {
        let mut columns = columns_in(&merged.sides).into_iter();
        let known = columns.find_map(|column| self.columns.known.get(&column).cloned());
        known.unwrap_or_else(|| merged.name.clone())
    }

    /// The name of a merged column that is no column of either side.
    pub(super) fn merged_column(&self, value: &Expr) -> Option<&str> {
        let mut merged = self.merged.iter().rev();
        let (_, name) = merged.find(|(known, _)| known == value)?;
        Some(name)
    }

    /// The columns that a join with a name of its own has now, and whether it gives names to them.
    pub(super) fn columns_of_join(&self, item: &FromItem, join: &JoinAlias) -> (Vec<String>, bool) {
        let mut names: Vec<String> = Vec::new();
        let mut renamed = false;
        for (inside, value) in self.columns_of(item, false) {
            let given = join.columns.iter().find(|(_, known)| *known == value);
            let name = given.map_or(inside.as_str(), |(name, _)| name.as_str());
            let name = distinct(name, |name| {
                let later = join.columns.iter().any(|(known, _)| known == name);
                names.iter().any(|known| known == name) || (given.is_none() && later)
            });
            renamed |= name != inside;
            names.push(name);
        }
        (names.iter().map(|name| identifier(name)).collect(), renamed)
    }

    /// The columns behind an item of FROM.
    fn columns_of(&self, item: &FromItem, by_alias: bool) -> Vec<(String, Expr)> {
        match item {
            FromItem::Relation(id) => {
                let columns = self.relations.get(id.0).map(|relation| &relation.columns);
                let columns = columns.into_iter().flatten().enumerate();
                columns
                    .filter(|(_, column)| !column.name.is_empty())
                    .map(|(at, column)| {
                        let reference = ColumnRef {
                            relation: *id,
                            column: at,
                        };
                        let value = ExprKind::Column(reference);
                        let at = crate::syntax::ast::Position::default();
                        (self.name_of(reference), Expr::new(column.ty, value, at))
                    })
                    .collect()
            }
            FromItem::Join {
                alias: Some(alias), ..
            } if by_alias => alias.columns.clone(),
            FromItem::Join { sides, using, .. } => {
                let merged = using.iter();
                let mut all: Vec<(String, Expr)> = merged
                    .map(|merged| (self.name_in_using(merged), merged.value.clone()))
                    .collect();
                for (at, side) in sides.iter().enumerate() {
                    let side_of = |merged: &MergedColumn| merged.sides.get(at).cloned();
                    let gone: Vec<Expr> = using.iter().filter_map(side_of).collect();
                    let columns = self.columns_of(side, true).into_iter();
                    all.extend(columns.filter(|(_, value)| !gone.contains(value)));
                }
                all
            }
        }
    }
}

/// Whether a join merges two columns into what is neither.
fn merges_values(item: &FromItem) -> bool {
    match item {
        FromItem::Relation(_) => false,
        FromItem::Join { sides, using, .. } => {
            let value = |merged: &MergedColumn| !matches!(merged.value.kind, ExprKind::Column(_));
            using.iter().any(value) || sides.iter().any(merges_values)
        }
    }
}

/// The columns of relations that a merged column comes from.
fn columns_in(sides: &[Expr]) -> Vec<ColumnRef> {
    let mut columns = Vec::new();
    for side in sides {
        side.visit(&mut |expr| {
            if let ExprKind::Column(column) = expr.kind {
                columns.push(column);
            }
        });
    }
    columns
}

/// The name, or the next one that is not taken.
fn distinct(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 0;
    let mut text = name.to_owned();
    while !name.is_empty() && taken(&text) {
        number += 1;
        text = format!("{name}_{number}");
    }
    text
}
