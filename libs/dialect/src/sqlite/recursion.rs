//! Recursive queries as SQLite takes them: each recursive term is one SELECT that reads the table once, right in its FROM,
//! and the terms stand behind all others.

use pgtypes::SqlState;

use crate::analysis::tree::{
    Body, CommonTable, CommonTableId, Distinct, Expr, ExprKind, FromItem, Query, RelationId,
    Relations, Select, Source,
};
use crate::error::DialectError;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::{JoinKind, SetOperator};

/// A recursive query that was changed, with the common table expressions that were inside it.
pub(crate) struct Recursion {
    pub(crate) before: Vec<CommonTable>,
    pub(crate) query: Query,
}

impl Printer<'_> {
    /// The query of a common table expression for SQLite; `None`: it is right as it is.
    pub(crate) fn recursion(&self, table: &CommonTable) -> Result<Option<Recursion>> {
        let Body::SetOperation {
            operator: SetOperator::Union,
            all,
            sides,
        } = &table.query.body
        else {
            return Ok(None);
        };
        let [base, step] = sides.as_ref();
        let mut terms = Terms {
            relations: self.relations,
            table: table.id,
            all: *all,
            before: Vec::new(),
            once: vec![base.clone()],
            recursive: Vec::new(),
        };
        match terms.count(&[], step) {
            0 => return Ok(None),
            1 => {}
            _ => return Err(twice(table)),
        }
        if terms.direct(step).is_some() {
            return Ok(None);
        }
        terms.add(step.clone(), &[])?;
        let (before, query) = (std::mem::take(&mut terms.before), terms.query(&table.query));
        Ok(Some(Recursion { before, query }))
    }
}

/// The terms of a recursive query.
struct Terms<'a> {
    relations: &'a Relations,
    table: CommonTableId,
    /// UNION ALL.
    all: bool,
    /// Common table expressions of the terms that do not read the table.
    before: Vec<CommonTable>,
    /// Those that do not read it either.
    once: Vec<Query>,
    recursive: Vec<Query>,
}

fn refused() -> DialectError {
    DialectError::unsupported(
        "a recursive query that reads itself in a subquery, in an expression, or more than once",
    )
}

fn twice(table: &CommonTable) -> DialectError {
    DialectError::new(
        SqlState::INVALID_RECURSION,
        format!(
            "recursive reference to query \"{}\" must not appear more than once",
            table.name
        ),
    )
}

impl Terms<'_> {
    /// Takes a term apart. `inside`: common table expressions around it that read the table.
    fn add(&mut self, mut term: Query, inside: &[CommonTable]) -> Result {
        let mut inside = inside.to_vec();
        self.take_with(&mut term, &mut inside);
        if !self.mentions(&inside, &term) {
            if self.all {
                // It would give its rows again in each round.
                return Err(refused());
            }
            self.once.push(term);
            return Ok(());
        }
        let cut = !term.order_by.is_empty() || term.limit.is_some() || term.offset.is_some();
        if cut {
            return Err(refused());
        }
        match term.body {
            Body::SetOperation {
                operator: SetOperator::Union,
                all,
                sides,
            } if all || !self.all => {
                let sides = *sides;
                sides
                    .into_iter()
                    .try_for_each(|side| self.add(side, &inside))
            }
            Body::Select(_) => {
                while let Some((relation, query)) = self.read_inside(&term, &inside) {
                    self.pull_up(&mut term, relation, query, &mut inside)?;
                }
                if self.direct(&term) != Some(1) {
                    return Err(refused());
                }
                self.recursive.push(term);
                Ok(())
            }
            _ => Err(refused()),
        }
    }

    /// Takes a query's common table expressions out of it: those that read the table are put into the query.
    fn take_with(&mut self, query: &mut Query, inside: &mut Vec<CommonTable>) {
        for table in std::mem::take(&mut query.with) {
            if self.mentions(inside, &table.query) {
                inside.push(table);
            } else {
                self.before.push(table);
            }
        }
    }

    /// What the terms are together.
    fn query(self, whole: &Query) -> Query {
        let mut terms = self.once.into_iter().chain(self.recursive);
        let Some(first) = terms.next() else {
            return whole.clone();
        };
        terms.fold(first, |before, term| Query {
            body: Body::SetOperation {
                operator: SetOperator::Union,
                all: self.all,
                sides: Box::new([before, term]),
            },
            columns: whole.columns.clone(),
            with: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            ..whole.clone()
        })
    }

    /// How often one SELECT reads the table, if it does so in its FROM alone.
    fn direct(&self, term: &Query) -> Option<usize> {
        let Body::Select(select) = &term.body else {
            return None;
        };
        let in_from = |item: &FromItem| self.count_direct(item);
        let direct: usize = select.from.iter().map(in_from).sum();
        let alone = direct > 0 && term.with.is_empty() && direct == self.count(&[], term);
        alone.then_some(direct)
    }

    fn count_direct(&self, item: &FromItem) -> usize {
        match item {
            FromItem::Relation(id) => usize::from(matches!(
                self.source(*id),
                Some(Source::CommonTable(table)) if *table == self.table
            )),
            FromItem::Join { sides, .. } => sides.iter().map(|side| self.count_direct(side)).sum(),
        }
    }

    fn source(&self, id: RelationId) -> Option<&Source> {
        self.relations.get(id.0).map(|relation| &relation.source)
    }

    fn mentions(&self, inside: &[CommonTable], query: &Query) -> bool {
        self.count(inside, query) > 0
    }

    /// How often a query reads the table, or one of those that read it.
    fn count(&self, inside: &[CommonTable], query: &Query) -> usize {
        let tables = query.with.iter().map(|table| &table.query);
        let in_with: usize = tables.map(|query| self.count(inside, query)).sum();
        let in_body = match &query.body {
            Body::Select(select) => {
                let from = select.from.iter();
                let mut count = from.map(|item| self.count_in(inside, item)).sum();
                select.visit_top(&mut |expr| count += self.count_in_expr(inside, expr));
                count
            }
            Body::SetOperation { sides, .. } => {
                let sides = sides.iter();
                sides.map(|side| self.count(inside, side)).sum()
            }
            Body::Values(_) => 0,
        };
        in_with + in_body
    }

    fn count_in(&self, inside: &[CommonTable], item: &FromItem) -> usize {
        let id = match item {
            FromItem::Relation(id) => *id,
            FromItem::Join { sides, .. } => {
                let sides = sides.iter();
                return sides.map(|side| self.count_in(inside, side)).sum();
            }
        };
        match self.source(id) {
            Some(Source::CommonTable(table)) => {
                usize::from(*table == self.table || inside.iter().any(|other| other.id == *table))
            }
            Some(Source::Query(query) | Source::Lateral(query)) => self.count(inside, query),
            _ => 0,
        }
    }

    fn count_in_expr(&self, inside: &[CommonTable], expr: &Expr) -> usize {
        let mut count = 0;
        expr.each_part(&mut |part| count += self.count_in_expr(inside, part));
        expr.each_query(&mut |query| count += self.count(inside, query));
        count
    }

    /// A relation in FROM that is a query which reads the table.
    fn read_inside(&self, term: &Query, inside: &[CommonTable]) -> Option<(RelationId, Query)> {
        let Body::Select(select) = &term.body else {
            return None;
        };
        let mut relations = Vec::new();
        for item in &select.from {
            always_there(item, &mut relations);
        }
        relations.into_iter().find_map(|id| match self.source(id)? {
            Source::CommonTable(table) => {
                let mut inside = inside.iter();
                let found = inside.find(|other| other.id == *table)?;
                Some((id, found.query.clone()))
            }
            Source::Query(query) if self.mentions(inside, query) => Some((id, (**query).clone())),
            _ => None,
        })
    }

    /// Puts what a query in FROM reads in its place.
    fn pull_up(
        &mut self,
        term: &mut Query,
        relation: RelationId,
        mut query: Query,
        inside: &mut Vec<CommonTable>,
    ) -> Result {
        self.take_with(&mut query, inside);
        if self.is_read_beside(term, relation) {
            return Err(refused());
        }
        let Some(inner) = plain(query) else {
            return Err(refused());
        };
        let targets = inner.targets;
        term.each_mut(&mut |expr| replace(expr, relation, &targets));
        let Body::Select(select) = &mut term.body else {
            return Err(refused());
        };
        let mut from = inner.from.into_iter();
        let Some(first) = from.next() else {
            return Err(refused());
        };
        let item = from.fold(first, |left, right| FromItem::Join {
            kind: JoinKind::Inner,
            sides: Box::new([left, right]),
            on: None,
            using: Vec::new(),
            using_alias: None,
            alias: None,
        });
        for part in &mut select.from {
            put(part, relation, &item);
        }
        if let Some(filter) = inner.filter {
            let at = filter.at;
            let filters = select.filter.take().into_iter().chain([filter]);
            select.filter = Some(Expr::boolean(ExprKind::And(filters.collect()), at));
        }
        Ok(())
    }

    /// Whether something in FROM reads a relation's columns.
    fn is_read_beside(&self, term: &Query, relation: RelationId) -> bool {
        let mut found = false;
        let mut visit = |expr: &Expr| {
            found |= matches!(expr.kind, ExprKind::Column(column) if column.relation == relation);
        };
        let mut beside = Vec::new();
        if let Body::Select(select) = &term.body {
            select
                .from
                .iter()
                .for_each(|item| all_of(item, &mut beside));
        }
        for id in beside {
            match self.source(id) {
                Some(Source::Query(query) | Source::Lateral(query)) => query.visit(&mut visit),
                Some(Source::Function(function)) => {
                    let values = function.values.iter();
                    values.for_each(|value| value.visit(&mut visit));
                }
                _ => {}
            }
        }
        found
    }
}

/// The relations of FROM that have a row for each row of the result.
fn always_there(item: &FromItem, found: &mut Vec<RelationId>) {
    match item {
        FromItem::Relation(id) => found.push(*id),
        FromItem::Join { kind, sides, .. } => {
            let [left, right] = sides.as_ref();
            if matches!(kind, JoinKind::Inner | JoinKind::Left) {
                always_there(left, found);
            }
            if matches!(kind, JoinKind::Inner | JoinKind::Right) {
                always_there(right, found);
            }
        }
    }
}

/// All relations of FROM.
fn all_of(item: &FromItem, found: &mut Vec<RelationId>) {
    match item {
        FromItem::Relation(id) => found.push(*id),
        FromItem::Join { sides, .. } => sides.iter().for_each(|side| all_of(side, found)),
    }
}

/// A query that is a SELECT which gives a row for each that it reads.
fn plain(query: Query) -> Option<Select> {
    let cut = !query.order_by.is_empty() || query.limit.is_some() || query.offset.is_some();
    let Body::Select(select) = query.body else {
        return None;
    };
    let computed = |target: &Expr| target.find_aggregate().or(target.find_window()).is_some();
    let as_read = !cut
        && query.locks.is_empty()
        && select.distinct == Distinct::No
        && !select.grouped
        && select.windows.is_empty()
        && !select.targets.iter().any(computed);
    as_read.then_some(*select)
}

/// Puts values in the place of a relation's columns.
fn replace(expr: &mut Expr, relation: RelationId, values: &[Expr]) {
    if let ExprKind::Column(column) = expr.kind
        && column.relation == relation
    {
        if let Some(value) = values.get(column.column) {
            *expr = value.clone();
        }
        return;
    }
    expr.each_part_mut(&mut |part| replace(part, relation, values));
}

/// Puts something else in the place of a relation.
fn put(item: &mut FromItem, relation: RelationId, other: &FromItem) {
    match item {
        FromItem::Relation(id) if *id == relation => *item = other.clone(),
        FromItem::Relation(_) => {}
        FromItem::Join { sides, .. } => {
            sides.iter_mut().for_each(|side| put(side, relation, other));
        }
    }
}
