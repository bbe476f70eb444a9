//! FROM, and the names that its relations have in the text.

use crate::analysis::tree::{
    ColumnRef, Expr, ExprKind, FromItem, RelationId, Source, TableFunction,
};
use crate::deparse::Writer;
use crate::pg_catalog::identifier;
use crate::syntax::ast::JoinKind;

impl Writer<'_> {
    /// Gives the relations of an item names that no query around has.
    pub(super) fn name_relations(&mut self, item: &FromItem) {
        match item {
            FromItem::Relation(id) => {
                let alias = self.relations.get(id.0).map_or("", |r| r.alias.as_str());
                let mut name = alias.to_owned();
                let mut number = 1;
                while self.used.iter().any(|(_, used)| *used == name) {
                    name = format!("{alias}_{number}");
                    number += 1;
                }
                self.used.push((*id, name));
            }
            FromItem::Join { sides, .. } => {
                for side in sides.as_ref() {
                    self.name_relations(side);
                }
            }
        }
    }

    /// A column behind its relation's name.
    pub(super) fn column(&mut self, column: ColumnRef) {
        let relation = self.relations.get(column.relation.0);
        let name = relation.and_then(|relation| relation.columns.get(column.column));
        let name = identifier(name.map_or("", |column| column.name.as_str()));
        if self.qualified {
            let own = self
                .used
                .iter()
                .rev()
                .find(|(id, _)| *id == column.relation);
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

    pub(super) fn item_of_from(&mut self, item: &FromItem) {
        match item {
            FromItem::Relation(id) => self.relation(*id),
            FromItem::Join {
                kind,
                sides,
                on,
                using,
                aliased,
            } => {
                if *aliased {
                    self.complete = false;
                    return;
                }
                let [left, right] = sides.as_ref();
                if !self.pretty {
                    self.push("(");
                }
                self.item_of_from(left);
                let words = match kind {
                    JoinKind::Inner if on.is_none() => " CROSS JOIN ",
                    JoinKind::Inner => " JOIN ",
                    JoinKind::Left => " LEFT JOIN ",
                    JoinKind::Right => " RIGHT JOIN ",
                    JoinKind::Full => " FULL JOIN ",
                };
                self.clause(words, 4);
                let wrap = self.pretty && matches!(right, FromItem::Join { .. });
                self.push(if wrap { "(" } else { "" });
                self.item_of_from(right);
                self.push(if wrap { ")" } else { "" });
                self.condition(*kind, on.as_ref(), using);
                if !self.pretty {
                    self.push(")");
                }
            }
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
        let alias = self.used.iter().rev().find(|(own, _)| *own == id);
        let alias = alias.map_or_else(|| relation.alias.clone(), |(_, name)| name.clone());
        let renamed = match &relation.source {
            Source::Table { name, .. } => {
                self.push(&identifier(name));
                if alias != *name {
                    self.push(" ");
                    self.push(&identifier(&alias));
                }
                relation.columns.iter().any(|c| c.name != c.stored_name)
            }
            Source::Query(query) | Source::Lateral(query) => {
                if matches!(relation.source, Source::Lateral(_)) {
                    self.push("LATERAL ");
                }
                self.push("(");
                self.query(query, &query.columns);
                self.push(") ");
                self.push(&identifier(&alias));
                let names = relation.columns.iter().map(|column| &column.name);
                !names.eq(query.columns.iter().map(|column| &column.name))
            }
            Source::Function(function) => {
                self.function(function);
                self.push(" ");
                self.push(&identifier(&alias));
                true
            }
            Source::Catalog { .. } | Source::CommonTable(_) | Source::Excluded => {
                self.complete = false;
                false
            }
        };
        if renamed {
            let names = relation.columns.iter().map(|c| identifier(&c.name));
            let names: Vec<String> = names.collect();
            self.push(&format!("({})", names.join(", ")));
        }
    }

    fn function(&mut self, function: &TableFunction) {
        let ([only], true) = (function.values.as_slice(), function.definitions.is_empty()) else {
            self.complete = false;
            return;
        };
        // What is no call is shown as a cast in PostgreSQL.
        self.complete &= matches!(only.kind, ExprKind::Call(_));
        self.expr(only, false);
        if function.ordinality {
            self.push(" WITH ORDINALITY");
        }
    }

    /// Whether COALESCE stands for a column that FULL JOIN … USING has merged.
    pub(super) fn is_merged(&self, sides: &[Expr]) -> bool {
        let columns: Vec<ColumnRef> = sides
            .iter()
            .filter_map(|side| match &side.without_relabel().kind {
                ExprKind::Column(column) => Some(*column),
                _ => None,
            })
            .collect();
        let [left, right] = columns.as_slice() else {
            return false;
        };
        sides.len() == 2 && self.merged.contains(&[*left, *right])
    }

    /// Notes the columns that joins merge into one that is no column of either side.
    pub(super) fn note_merged(&mut self, item: &FromItem) {
        let FromItem::Join {
            kind,
            sides,
            on,
            using,
            ..
        } = item
        else {
            return;
        };
        for side in sides.as_ref() {
            self.note_merged(side);
        }
        let (JoinKind::Full, false, Some(on)) = (kind, using.is_empty(), on) else {
            return;
        };
        let conditions = match &on.kind {
            ExprKind::And(list) => list.as_slice(),
            _ => std::slice::from_ref(on),
        };
        for condition in conditions {
            if let ExprKind::Call(call) = &condition.kind
                && let [left, right] = call.arguments.as_slice()
                && let ExprKind::Column(left) = left.without_relabel().kind
                && let ExprKind::Column(right) = right.without_relabel().kind
            {
                self.merged.push([left, right]);
            }
        }
    }
}
