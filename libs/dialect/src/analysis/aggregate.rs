//! Aggregates: where they may stand, and their clauses.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::{Clause, Level};
use crate::analysis::tree::{Aggregate, Call, ColumnRef, Expr, ExprKind, RelationId, Sort, SortBy};
use crate::catalog::{FunctionKind, Type};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position};

impl Analyzer<'_> {
    /// A call whose name is an aggregate's.
    pub(crate) fn aggregate(
        &mut self,
        name: &str,
        call: &ast::Call,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let (takes, clause) = (self.clause.takes_aggregates(), self.clause);
        let inside = if takes { Clause::Select } else { clause };
        let seen = std::mem::replace(&mut self.level().aggregates, false);
        let arguments = self.in_clause(inside, |analyzer| {
            let mut arguments = analyzer.arguments(call)?;
            // The sorted values of WITHIN GROUP are the last arguments.
            for key in call.order_by.iter().filter(|_| call.within_group) {
                arguments.values.push(analyzer.expr(&key.value)?);
                arguments.names.push(None);
            }
            Ok(arguments)
        })?;
        let mut resolved = self.resolve_function(name, &arguments, call, at)?;
        self.check_aggregate(call, &resolved, at)?;
        let order_by = self.in_clause(inside, |analyzer| {
            if !call.within_group {
                return analyzer.sort_values(&call.order_by);
            }
            let keys = arguments
                .values
                .iter()
                .rev()
                .zip(call.order_by.iter().rev());
            for (value, key) in keys.rev() {
                analyzer.must_sort_within(value, key)?;
            }
            Ok(Vec::new())
        })?;
        let nested = self.level().aggregates;
        self.level().aggregates = seen;
        self.check_nesting(&arguments.values, &order_by, nested.then_some(at))?;
        let values = self.spread(call, &mut resolved, arguments.values, at)?;
        let filter = self.condition_of(Clause::Filter, call.filter.as_ref(), "FILTER")?;
        let direct = match resolved.function.kind {
            FunctionKind::Aggregate { direct, .. } if call.within_group => usize::from(direct),
            _ => 0,
        };
        self.check_level(&values, direct, at)?;
        self.level().aggregates = true;
        let (result, function) = (resolved.result, resolved.function);
        let (arguments, variadic) = self.in_order(&resolved, values, at)?;
        if !takes {
            return Err(self.misplaced(at));
        }
        let aggregate = Aggregate {
            call: Call {
                function,
                arguments,
                variadic,
            },
            distinct: call.distinct,
            order_by,
            filter,
            within_group: call.within_group,
        };
        self.check_distinct(&aggregate)?;
        Ok(Expr::new(
            Type::new(result),
            ExprKind::Aggregate(Box::new(aggregate)),
            at,
        ))
    }

    /// What WITHIN GROUP sorts by.
    fn must_sort_within(&mut self, value: &Expr, key: &ast::SortKey) -> Result<(), DialectError> {
        if !value.is_unknown() {
            self.must_sort(value)?;
        }
        let sort = self.sort_by(SortBy::Value(value.clone()), key)?;
        if sort.descending {
            return Err(self.unsupported(key.value.at, "WITHIN GROUP (ORDER BY … DESC)"));
        }
        Ok(())
    }

    /// Neither aggregates nor window functions may stand inside; `nested` is the place of an aggregate around another.
    fn check_nesting(
        &self,
        arguments: &[Expr],
        order_by: &[Sort],
        nested: Option<Position>,
    ) -> Result<(), DialectError> {
        let sorted = order_by.iter().filter_map(|sort| match &sort.key {
            SortBy::Value(value) => Some(value),
            SortBy::Output(_) => None,
        });
        let parts: Vec<&Expr> = arguments.iter().chain(sorted).collect();
        if let Some(at) = nested {
            let inner = parts.iter().find_map(|part| part.find_aggregate());
            return Err(self.error(
                inner.unwrap_or(at),
                SqlState::GROUPING_ERROR,
                "aggregate function calls cannot be nested",
            ));
        }
        if let Some(inner) = parts.iter().find_map(|part| part.find_window()) {
            return Err(self.error(
                inner,
                SqlState::GROUPING_ERROR,
                "aggregate function calls cannot contain window function calls",
            ));
        }
        Ok(())
    }

    fn misplaced(&self, at: Position) -> DialectError {
        self.error(
            at,
            SqlState::GROUPING_ERROR,
            format!(
                "aggregate functions are not allowed in {}",
                self.clause.name()
            ),
        )
    }

    fn check_aggregate(
        &self,
        call: &ast::Call,
        resolved: &crate::catalog::resolve::Resolved,
        at: Position,
    ) -> Result<(), DialectError> {
        let name = resolved.function.name;
        let FunctionKind::Aggregate { ordered_set, .. } = resolved.function.kind else {
            self.check_plain(call, resolved, at)?;
            return Err(self.unsupported(at, format!("function {name} here")));
        };
        let message = match (ordered_set, call.within_group) {
            (true, false) => format!("WITHIN GROUP is required for ordered-set aggregate {name}"),
            (false, true) => {
                format!("{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP")
            }
            _ if call.arguments.is_empty() && !call.star && !call.within_group => {
                format!("{name}(*) must be used to call a parameterless aggregate function")
            }
            _ => return Ok(()),
        };
        Err(self.error(at, SqlState::WRONG_OBJECT_TYPE, message))
    }

    /// An aggregate over columns of an outer query only belongs to that query, which SQLite has no form for. The first
    /// arguments are `direct` ones, which do not tell whose it is.
    fn check_level(
        &self,
        arguments: &[Expr],
        direct: usize,
        at: Position,
    ) -> Result<(), DialectError> {
        let Some((level, around)) = self.levels.split_last() else {
            return Ok(());
        };
        let has = |level: &Level, id: RelationId| {
            level.items.iter().any(|item| item.relation == Some(id))
        };
        let own = |id: RelationId| has(level, id);
        let (mut inner, mut outer) = (None, None);
        for argument in arguments.iter().skip(direct) {
            argument.visit(&mut |expr| {
                if let ExprKind::Column(ColumnRef { relation, .. }) = expr.kind {
                    if own(relation) {
                        inner.get_or_insert(expr.at);
                    } else if around.iter().any(|level| has(level, relation)) {
                        outer.get_or_insert(expr.at);
                    }
                }
            });
        }
        if outer.is_none() || inner.is_some() {
            return Ok(());
        }
        for argument in arguments.iter().take(direct) {
            argument.visit(&mut |expr| {
                if let ExprKind::Column(ColumnRef { relation, .. }) = expr.kind
                    && own(relation)
                {
                    inner.get_or_insert(expr.at);
                }
            });
        }
        Err(match inner {
            Some(lower) => self.error(
                lower,
                SqlState::GROUPING_ERROR,
                "outer-level aggregate cannot contain a lower-level variable in its direct arguments",
            ),
            None => self.unsupported(at, "an aggregate of an outer query"),
        })
    }

    /// With DISTINCT, what is sorted by must be among the arguments.
    fn check_distinct(&self, aggregate: &Aggregate) -> Result<(), DialectError> {
        if !aggregate.distinct {
            return Ok(());
        }
        let arguments = &aggregate.call.arguments;
        for argument in arguments {
            self.must_equal(argument)?;
        }
        let foreign = aggregate.order_by.iter().find_map(|sort| match &sort.key {
            SortBy::Value(value) => (!arguments
                .iter()
                .any(|argument| argument.as_written() == value.as_written()))
            .then(|| value.start()),
            SortBy::Output(_) => None,
        });
        if let Some(at) = foreign {
            return Err(self.error(
                at,
                SqlState::INVALID_COLUMN_REFERENCE,
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
            ));
        }
        Ok(())
    }
}
