//! SELECT.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::grouping_sets::{Grouped, has_sets};
use crate::analysis::schema::{RelationKind, place_of};
use crate::analysis::scope::{Clause, Item};
use crate::analysis::tree::{
    Body, Distinct, Expr, Output, Query, RelationId, RowLock, Select, Sort, SortBy, Source,
};
use crate::catalog::TypeId;
use crate::error::DialectError;
use crate::syntax::ast;

impl Analyzer<'_> {
    /// A query at the current level; its columns may be of unknown type still only inside set operations.
    pub(crate) fn query(&mut self, query: &ast::Query) -> Result<Query, DialectError> {
        let mut result = self.open_query(query)?;
        self.settle_query(&mut result)?;
        Ok(result)
    }

    /// A query whose literals are left of unknown type, for a set operation or an INSERT to tell.
    pub(crate) fn open_query(&mut self, query: &ast::Query) -> Result<Query, DialectError> {
        let visible = self.common_tables.len();
        let (with, recursive) = self.with(query.with.as_ref())?;
        let result = self.query_body(query);
        self.common_tables.truncate(visible);
        let mut result = result?;
        result.with = with;
        result.recursive = recursive;
        Ok(result)
    }

    fn query_body(&mut self, query: &ast::Query) -> Result<Query, DialectError> {
        if query.with_ties && !query.locking.is_empty() {
            return Err(self.unsupported(query.at, "FETCH … WITH TIES of rows that are locked"));
        }
        let mut result = match &query.body {
            ast::QueryBody::Select(select) => self.select(select, query)?,
            ast::QueryBody::Values(rows) => self.values_query(rows, query)?,
            ast::QueryBody::SetOperation {
                operator,
                all,
                sides,
                ..
            } => {
                let mut result = self.set_operation(*operator, *all, sides)?;
                result.order_by = self.sort_outputs(&query.order_by, &result.columns)?;
                result
            }
        };
        self.check_windows()?;
        if let Some(limit) = &query.limit {
            result.limit = self.limit(limit, Clause::Limit)?;
        }
        if let Some(offset) = &query.offset {
            result.offset = self.limit(offset, Clause::Offset)?;
        }
        if query.with_ties {
            self.settle_query(&mut result)?;
            return self.with_ties(result);
        }
        result.locks = self.locking(query, &result)?;
        Ok(result)
    }

    /// Unknown columns become text.
    pub(crate) fn settle_query(&mut self, query: &mut Query) -> Result<(), DialectError> {
        let unknown = query
            .columns
            .iter()
            .any(|column| column.ty.id == TypeId::UNKNOWN);
        if !unknown {
            return Ok(());
        }
        let wanted: Vec<_> = query
            .columns
            .iter()
            .map(|column| match column.ty.id {
                TypeId::UNKNOWN => crate::catalog::Type::new(TypeId::TEXT),
                _ => column.ty,
            })
            .collect();
        self.coerce_columns(query, &wanted)
    }

    fn select(&mut self, select: &ast::Select, query: &ast::Query) -> Result<Query, DialectError> {
        if let Some(into) = &select.into {
            let at = into.table.0.first().map_or(select.at, |name| name.at);
            return Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "SELECT ... INTO is not allowed here",
            ));
        }
        let mut from = self.in_clause(Clause::From, |analyzer| analyzer.from(&select.from))?;
        self.windows(&select.windows);
        let (mut targets, mut columns) =
            self.in_clause(Clause::Select, |analyzer| analyzer.targets(&select.targets))?;
        let filter = self.condition_of(Clause::Where, select.filter.as_ref(), "WHERE")?;
        let having = self.condition_of(Clause::Having, select.having.as_ref(), "HAVING")?;
        let order_by = self.sort_select(&query.order_by, &targets, &columns)?;
        let mut sets: Vec<Vec<Expr>> = Vec::new();
        if has_sets(&select.group_by) {
            for set in Self::grouping_sets(&select.group_by)? {
                let items: Vec<_> = set.into_iter().map(ast::GroupItem::Value).collect();
                let keys = self.group_by(&items, &mut targets, &mut columns)?;
                if !(select.group_distinct && sets.iter().any(|other| same_keys(other, &keys))) {
                    sets.push(keys);
                }
            }
        }
        let group_by = match sets.concat() {
            keys if !sets.is_empty() => keys,
            _ => self.group_by(&select.group_by, &mut targets, &mut columns)?,
        };
        let distinct =
            self.select_distinct(&select.distinct, &mut targets, &mut columns, &order_by)?;
        self.check_windows()?;
        let grouped = !select.group_by.is_empty() || having.is_some() || self.level().aggregates;
        let written = from.len();
        self.sets_to_from(&mut targets, grouped, &mut from)?;
        let mut order_by = order_by;
        let rewritten = from.len() > written;
        let mut select = Select {
            distinct,
            targets,
            from,
            filter,
            group_by,
            having,
            windows: self.named_windows(),
            grouped,
            rewritten,
        };
        if grouped {
            self.check_select(&select, &order_by)?;
        }
        if !sets.is_empty() {
            return self.union_of_groupings(Grouped {
                select,
                columns,
                order_by,
                sets,
            });
        }
        if grouped {
            self.settle_groupings(&mut select, &mut order_by)?;
        }
        Ok(plain(Body::Select(Box::new(select)), columns, order_by))
    }

    fn settle_groupings(
        &self,
        select: &mut Select,
        order_by: &mut [Sort],
    ) -> Result<(), DialectError> {
        let keys = std::mem::take(&mut select.group_by);
        for value in select.targets.iter_mut().chain(&mut select.having) {
            self.settle_grouping(value, &keys)?;
        }
        for sort in order_by {
            if let SortBy::Value(value) = &mut sort.key {
                self.settle_grouping(value, &keys)?;
            }
        }
        select.group_by = keys;
        Ok(())
    }

    /// Tells what is wrong with a window of this query.
    fn check_windows(&mut self) -> Result<(), DialectError> {
        self.level().window_fault.take().map_or(Ok(()), Err)
    }

    /// The WINDOW clause: known before the select list, which uses it.
    fn windows(&mut self, windows: &[(ast::Name, ast::WindowSpec)]) {
        for (name, spec) in windows {
            let known = &self.level().windows;
            if known.iter().any(|(other, _)| other.text == name.text) {
                let fault = self.error(
                    spec.at,
                    SqlState::WINDOWING_ERROR,
                    format!("window \"{}\" is already defined", name.text),
                );
                self.level().window_fault.get_or_insert(fault);
            }
            let window = self.window(spec);
            self.level().windows.push((name.clone(), window));
        }
    }

    fn check_select(&self, select: &Select, order_by: &[Sort]) -> Result<(), DialectError> {
        for target in &select.targets {
            self.check_grouped(target, &select.group_by)?;
        }
        if let Some(having) = &select.having {
            self.check_grouped(having, &select.group_by)?;
        }
        for sort in order_by {
            if let SortBy::Value(value) = &sort.key {
                self.check_grouped(value, &select.group_by)?;
            }
        }
        if let Distinct::On(keys) = &select.distinct {
            for key in keys {
                self.check_grouped(key, &select.group_by)?;
            }
        }
        Ok(())
    }

    fn select_distinct(
        &mut self,
        distinct: &ast::Distinct,
        targets: &mut [Expr],
        columns: &mut [Output],
        order_by: &[Sort],
    ) -> Result<Distinct, DialectError> {
        match distinct {
            ast::Distinct::No => Ok(Distinct::No),
            ast::Distinct::Rows => {
                self.settle(targets, columns)?;
                for target in targets.iter() {
                    self.must_equal(target)?;
                }
                if let Some(foreign) = order_by.iter().find_map(|sort| match &sort.key {
                    SortBy::Value(value) => Some(value.start()),
                    SortBy::Output(_) => None,
                }) {
                    return Err(self.error(
                        foreign,
                        SqlState::INVALID_COLUMN_REFERENCE,
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    ));
                }
                Ok(Distinct::Rows)
            }
            ast::Distinct::On(keys) => {
                self.settle(targets, columns)?;
                let mut values = Vec::with_capacity(keys.len());
                for key in keys {
                    let by = self.in_clause(Clause::DistinctOn, |analyzer| {
                        analyzer.sort_target(key, targets, columns, "DISTINCT ON")
                    })?;
                    values.push(match by {
                        SortBy::Value(value) => value,
                        SortBy::Output(index) => match targets.get(index) {
                            Some(target) => Expr {
                                at: key.at,
                                ..target.clone()
                            },
                            None => continue,
                        },
                    });
                }
                self.check_distinct_on(&values, targets, order_by)?;
                Ok(Distinct::On(values))
            }
        }
    }

    /// The leftmost keys of ORDER BY must be those of DISTINCT ON.
    fn check_distinct_on(
        &self,
        keys: &[Expr],
        targets: &[Expr],
        order_by: &[Sort],
    ) -> Result<(), DialectError> {
        let sorted: Vec<&Expr> = order_by
            .iter()
            .filter_map(|sort| match &sort.key {
                SortBy::Value(value) => Some(value),
                SortBy::Output(index) => targets.get(*index),
            })
            .collect();
        let leading = sorted
            .iter()
            .take_while(|value| keys.contains(value))
            .count();
        let matched = keys
            .iter()
            .filter(|key| sorted.iter().take(leading).any(|value| value == key))
            .count();
        if leading < sorted.len() && matched < keys.len() {
            let at = keys
                .iter()
                .find(|key| !sorted.iter().take(leading).any(|value| value == key))
                .map_or_else(Default::default, Expr::start);
            return Err(self.error(
                at,
                SqlState::INVALID_COLUMN_REFERENCE,
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
            ));
        }
        Ok(())
    }

    /// FOR UPDATE and its kin.
    fn locking(
        &mut self,
        query: &ast::Query,
        result: &Query,
    ) -> Result<Vec<RowLock>, DialectError> {
        let Some(locking) = query.locking.first() else {
            return Ok(Vec::new());
        };
        let clause = clause_of(locking.strength);
        let grouped =
            matches!(&query.body, ast::QueryBody::Select(select) if !select.group_by.is_empty());
        let refused = match &result.body {
            _ if grouped => Some("GROUP BY clause"),
            Body::SetOperation { .. } => Some("UNION/INTERSECT/EXCEPT"),
            Body::Values(_) => {
                return Err(DialectError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("{clause} cannot be applied to VALUES"),
                ));
            }
            Body::Select(select) if select.distinct != Distinct::No => Some("DISTINCT clause"),
            Body::Select(select) if select.having.is_some() => Some("HAVING clause"),
            Body::Select(select) if select.grouped => Some("aggregate functions"),
            Body::Select(select)
                if select
                    .targets
                    .iter()
                    .any(|target| target.find_window().is_some()) =>
            {
                Some("window functions")
            }
            Body::Select(_) => None,
        };
        if let Some(what) = refused {
            return Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("{clause} is not allowed with {what}"),
            ));
        }
        for path in query.locking.iter().flat_map(|locking| &locking.of) {
            let Some(name) = path.0.last() else { continue };
            if self.find_item(None, &name.text).is_none() {
                return Err(self.error(
                    name.at,
                    SqlState::UNDEFINED_TABLE,
                    format!(
                        "relation \"{}\" in {clause} clause not found in FROM clause",
                        name.text
                    ),
                ));
            }
        }
        self.locks_rows = true;
        let mut locks: Vec<RowLock> = Vec::new();
        for locking in &query.locking {
            for relation in self.locked_by(locking)? {
                // The strongest of several clauses counts, and the least patient.
                let lock = RowLock {
                    relation,
                    strength: locking.strength,
                    wait: locking.wait,
                };
                match locks.iter_mut().find(|other| other.relation == relation) {
                    Some(other) => {
                        other.strength = other.strength.max(lock.strength);
                        other.wait = other.wait.max(lock.wait);
                    }
                    None => locks.push(lock),
                }
            }
        }
        Ok(locks)
    }

    /// The tables that a clause locks: those it names, or all in FROM.
    fn locked_by(&mut self, locking: &ast::Locking) -> Result<Vec<RelationId>, DialectError> {
        let named = |item: &Item| {
            locking.of.is_empty()
                || locking.of.iter().any(|path| {
                    let name = path.0.last().map(|name| name.text.as_str());
                    item.name.as_deref() == name
                })
        };
        let items = &self.level().items;
        let join = |item: &&Item| item.by_name && item.relation.is_none() && named(item);
        if !locking.of.is_empty() && items.iter().any(|item| join(&item)) {
            let clause = clause_of(locking.strength);
            let message = format!("{clause} cannot be applied to a join");
            return Err(self.error(locking.at, SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let relations: Vec<RelationId> = items
            .iter()
            .filter(|item| named(item))
            .filter_map(|item| item.relation)
            .collect();
        let mut tables = Vec::with_capacity(relations.len());
        for relation in relations {
            match self.relations.get(relation.0).map(|r| &r.source) {
                // A session's own table has nobody else in it.
                Some(Source::Table { schema: "temp", .. }) => {}
                Some(Source::Table { schema, name, .. }) => {
                    let is_view = self
                        .schema
                        .relation(Some(place_of(schema)), name)
                        .is_some_and(|found| found.kind == RelationKind::View);
                    if is_view {
                        return Err(self.unsupported(locking.at, "locking the rows of a view"));
                    }
                    tables.push(relation);
                }
                Some(Source::Query(_)) => {
                    return Err(
                        self.unsupported(locking.at, "locking the rows of a subquery in FROM")
                    );
                }
                _ => {}
            }
        }
        Ok(tables)
    }
}

/// A query without WITH and LIMIT.
pub(crate) fn plain(body: Body, columns: Vec<Output>, order_by: Vec<Sort>) -> Query {
    Query {
        with: Vec::new(),
        recursive: false,
        body,
        order_by,
        limit: None,
        offset: None,
        columns,
        locks: Vec::new(),
    }
}

/// A lock's words.
fn clause_of(strength: ast::LockStrength) -> &'static str {
    match strength {
        ast::LockStrength::Update => "FOR UPDATE",
        ast::LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        ast::LockStrength::Share => "FOR SHARE",
        ast::LockStrength::KeyShare => "FOR KEY SHARE",
    }
}

/// Whether two groupings have the same keys, in whatever order.
fn same_keys(one: &[Expr], other: &[Expr]) -> bool {
    one.len() == other.len() && one.iter().all(|key| other.contains(key))
}
