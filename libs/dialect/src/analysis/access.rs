//! Which privileges a statement needs, as PostgreSQL's rules for its clauses say.

use std::collections::BTreeMap;

use acl::Privileges;

use crate::access::Access;
use crate::analysis::deeper;
use crate::analysis::statement::Analyzed;
use crate::analysis::tree::{
    Assignment, Body, CommonTable, Expr, ExprKind, FromItem, Query, Relation, RelationId,
    Returning, Source, Statement,
};
use crate::analysis::walk::each_sort;

impl Analyzed {
    /// What it does with tables and views of the database. What it changes is read only where the statement names a
    /// column of it.
    pub(crate) fn access(&self) -> Vec<Access> {
        let target = self.target();
        let mut collector = Collector {
            analyzed: self,
            target: target.map(|(relation, _)| relation),
            found: BTreeMap::new(),
        };
        for (number, relation) in self.relations.iter().enumerate() {
            let id = RelationId(number);
            if collector.target != Some(id) {
                collector.add(id, Privileges::SELECT);
            }
            match &relation.source {
                Source::Query(query) | Source::Lateral(query) => collector.query(query),
                Source::Function(function) => {
                    function
                        .values
                        .iter()
                        .for_each(|value| collector.expr(value));
                }
                _ => {}
            }
        }
        if let Some((id, privileges)) = target {
            collector.add(id, privileges);
        }
        collector.statement(&self.statement);
        let own = self.relations.iter().filter_map(own_relation);
        let found = collector.found.into_iter();
        let found = found.map(|(relation, privileges)| Access::Use {
            relation,
            privileges,
        });
        found.chain(own).collect()
    }

    /// The table that it changes, and how.
    fn target(&self) -> Option<(RelationId, Privileges)> {
        match &self.statement {
            Statement::Query(_) => None,
            Statement::Insert(insert) => {
                let mut privileges = Privileges::INSERT;
                if let Some(conflict) = &insert.on_conflict {
                    if conflict.target.is_some() {
                        privileges = privileges.and(Privileges::SELECT);
                    }
                    if conflict.update.is_some() {
                        privileges = privileges.and(Privileges::UPDATE);
                    }
                }
                Some((insert.table, privileges))
            }
            Statement::Update(update) => Some((update.table, Privileges::UPDATE)),
            Statement::Delete(delete) => Some((delete.table, Privileges::DELETE)),
        }
    }
}

/// A relation of the session's own.
fn own_relation(relation: &Relation) -> Option<Access> {
    match &relation.source {
        Source::Table {
            schema: "temp",
            name,
            ..
        } => Some(Access::ReadTemporary {
            relation: name.clone(),
        }),
        _ => None,
    }
}

struct Collector<'a> {
    analyzed: &'a Analyzed,
    target: Option<RelationId>,
    found: BTreeMap<String, Privileges>,
}

impl Collector<'_> {
    /// Nothing for the session's own tables, and for the catalog.
    fn add(&mut self, id: RelationId, privileges: Privileges) {
        let relation = self.analyzed.relations.get(id.0);
        if let Some(Source::Table {
            schema: "main",
            name,
            ..
        }) = relation.map(|relation| &relation.source)
        {
            let known = self.found.entry(name.clone()).or_default();
            *known = known.and(privileges);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => {
                if let Some(update) = insert
                    .on_conflict
                    .as_ref()
                    .and_then(|conflict| conflict.update.as_ref())
                {
                    self.assignments(&update.assignments);
                    update.filter.iter().for_each(|filter| self.expr(filter));
                }
                insert.source.iter().for_each(|source| self.query(source));
                self.returning(&insert.returning);
                self.common_tables(&insert.with);
            }
            Statement::Update(update) => {
                update.from.iter().for_each(|item| self.item(item));
                self.assignments(&update.assignments);
                update.filter.iter().for_each(|filter| self.expr(filter));
                self.returning(&update.returning);
                self.common_tables(&update.with);
            }
            Statement::Delete(delete) => {
                delete.using.iter().for_each(|item| self.item(item));
                delete.filter.iter().for_each(|filter| self.expr(filter));
                self.returning(&delete.returning);
                self.common_tables(&delete.with);
            }
        }
    }

    /// Queries in FROM are looked at with their relations.
    fn query(&mut self, query: &Query) {
        for lock in &query.locks {
            self.add(lock.relation, Privileges::SELECT.and(Privileges::UPDATE));
        }
        if let Body::SetOperation { sides, .. } = &query.body {
            deeper(|| sides.iter().for_each(|side| self.query(side)));
            each_sort(&query.order_by, &mut |expr| self.expr(expr));
        } else {
            query.visit_top(&mut |expr| self.expr(expr));
        }
        self.common_tables(&query.with);
    }

    fn common_tables(&mut self, tables: &[CommonTable]) {
        for table in tables {
            self.query(&table.query);
        }
    }

    fn item(&mut self, item: &FromItem) {
        if let FromItem::Join { sides, on, .. } = item {
            deeper(|| sides.iter().for_each(|side| self.item(side)));
            if let Some(on) = on {
                self.expr(on);
            }
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
        if let ExprKind::Column(column) = &expr.kind
            && self.target == Some(column.relation)
        {
            self.add(column.relation, Privileges::SELECT);
        }
        deeper(|| {
            expr.each_part(&mut |part| self.expr(part));
            expr.each_query(&mut |query| self.query(query));
        });
    }
}
