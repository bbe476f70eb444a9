//! What a statement reads, as its text names it.

use std::collections::HashSet;

use crate::analysis::deeper;
use crate::analysis::statement::Analyzed;
use crate::analysis::tree::{
    Assignment, Body, CommonTable, CommonTableId, Expr, FromItem, Insert, Query, RelationId,
    Returning, Source, Statement,
};
use crate::analysis::walk::each_sort;

impl Analyzed {
    /// The tables and views that it reads: what it changes is among them only where it looks at what is there already.
    pub(crate) fn reads(&self) -> Reads {
        let mut reader = Reader {
            analyzed: self,
            found: Reads::default(),
            named: HashSet::new(),
        };
        match &self.statement {
            Statement::Query(query) => reader.query(query),
            Statement::Insert(insert) => reader.insert(insert),
            Statement::Update(update) => {
                reader.relation(update.table);
                update.from.iter().for_each(|item| reader.item(item));
                reader.assignments(&update.assignments);
                update.filter.iter().for_each(|filter| reader.expr(filter));
                reader.returning(&update.returning);
                reader.common_tables(&update.with);
            }
            Statement::Delete(delete) => {
                reader.relation(delete.table);
                delete.using.iter().for_each(|item| reader.item(item));
                delete.filter.iter().for_each(|filter| reader.expr(filter));
                reader.returning(&delete.returning);
                reader.common_tables(&delete.with);
            }
        }
        reader.found
    }

    /// The table whose rows it changes.
    pub(crate) fn changed_table(&self) -> Option<&str> {
        let table = match &self.statement {
            Statement::Query(_) => return None,
            Statement::Insert(insert) => insert.table,
            Statement::Update(update) => update.table,
            Statement::Delete(delete) => delete.table,
        };
        match &self.relations.get(table.0)?.source {
            Source::Table { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// What a statement reads.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// Tables and views.
    pub(crate) tables: HashSet<String>,
    /// Common table expressions that give other rows each time.
    pub(crate) volatile: HashSet<String>,
}

struct Reader<'a> {
    analyzed: &'a Analyzed,
    found: Reads,
    /// The common table expressions that were named.
    named: HashSet<CommonTableId>,
}

impl Reader<'_> {
    fn insert(&mut self, insert: &Insert) {
        if let Some(conflict) = &insert.on_conflict {
            self.relation(insert.table);
            if let Some(update) = &conflict.update {
                self.assignments(&update.assignments);
                update.filter.iter().for_each(|filter| self.expr(filter));
            }
        }
        insert.source.iter().for_each(|source| self.query(source));
        self.returning(&insert.returning);
        self.common_tables(&insert.with);
    }

    fn query(&mut self, query: &Query) {
        match &query.body {
            Body::Select(select) => {
                select.from.iter().for_each(|item| self.item(item));
                select.visit_top(&mut |expr| self.expr(expr));
            }
            Body::Values(rows) => rows.iter().flatten().for_each(|value| self.expr(value)),
            Body::SetOperation { sides, .. } => {
                deeper(|| sides.iter().for_each(|side| self.query(side)));
            }
        }
        each_sort(&query.order_by, &mut |expr| self.expr(expr));
        let limits = [&query.limit, &query.offset].into_iter().flatten();
        limits.for_each(|limit| self.expr(limit));
        self.common_tables(&query.with);
    }

    /// Those of them that were named, also by one another.
    fn common_tables(&mut self, tables: &[CommonTable]) {
        let mut left: Vec<&CommonTable> = tables.iter().collect();
        while let Some(at) = left.iter().position(|table| self.named.contains(&table.id)) {
            let table = left.remove(at);
            if table.materialized == Some(true) && table.said.is_none() {
                self.found.volatile.insert(table.name.clone());
            }
            self.query(&table.query);
        }
    }

    fn item(&mut self, item: &FromItem) {
        match item {
            FromItem::Relation(id) => self.relation(*id),
            FromItem::Join { sides, .. } => {
                deeper(|| sides.iter().for_each(|side| self.item(side)));
            }
        }
    }

    fn relation(&mut self, id: RelationId) {
        let analyzed = self.analyzed;
        let Some(relation) = analyzed.relations.get(id.0) else {
            return;
        };
        match &relation.source {
            Source::Table { name, .. } => drop(self.found.tables.insert(name.clone())),
            Source::Query(query) | Source::Lateral(query) => deeper(|| self.query(query)),
            Source::CommonTable(id) => drop(self.named.insert(*id)),
            Source::Function(function) => {
                function.values.iter().for_each(|value| self.expr(value));
            }
            Source::Catalog { .. } | Source::Excluded => {}
        }
    }

    fn assignments(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            match assignment {
                Assignment::One(_, value) => self.expr(value),
                Assignment::Several { query, .. } => self.query(query),
            }
        }
    }

    fn returning(&mut self, returning: &Returning) {
        returning.values.iter().for_each(|value| self.expr(value));
    }

    fn expr(&mut self, expr: &Expr) {
        deeper(|| {
            expr.each_part(&mut |part| self.expr(part));
            expr.each_query(&mut |query| self.query(query));
        });
    }
}
