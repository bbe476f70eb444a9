//! Queries and aggregates inside expressions.

use crate::analysis::tree::{Aggregate, QuantifiedQuery, Query, SortBy};
use crate::deparse::Writer;
use crate::deparse::query::without_fallbacks;
use crate::pg_catalog::identifier;

impl Writer<'_> {
    /// A query whose columns need no names.
    pub(super) fn subquery(&mut self, query: &Query) {
        self.inner_query(query, &without_fallbacks(query));
    }

    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) {
        let call = &aggregate.call;
        self.push(&identifier(call.function.name));
        self.push("(");
        if aggregate.distinct {
            self.push("DISTINCT ");
        }
        if aggregate.within_group {
            self.list(aggregate.direct(), true);
            self.push(") WITHIN GROUP (ORDER BY ");
            let sorted = call.arguments.get(aggregate.direct().len()..);
            self.keys(sorted.unwrap_or_default());
        } else if call.arguments.is_empty() {
            self.push("*");
        } else {
            self.list(&call.arguments, true);
        }
        if !aggregate.order_by.is_empty() {
            self.push(" ORDER BY ");
            for (index, sort) in aggregate.order_by.iter().enumerate() {
                if index > 0 {
                    self.push(", ");
                }
                match &sort.key {
                    SortBy::Value(value) => self.key(value),
                    SortBy::Output(at) => match call.arguments.get(*at) {
                        Some(value) => self.key(value),
                        None => self.complete = false,
                    },
                }
                self.direction(sort);
            }
        }
        self.push(")");
        if let Some(filter) = &aggregate.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter, false);
            self.push(")");
        }
    }

    /// `x IN (query)`, `x op ANY (query)`, `x op ALL (query)`
    pub(super) fn quantified_query(&mut self, test: &QuantifiedQuery) {
        let sign = test.operators.first().map_or("=", |operator| operator.sign);
        // NOT IN is the opposite of IN.
        if test.negated {
            self.push(if self.pretty { "NOT " } else { "(NOT " });
        }
        self.push("(");
        match test.left.as_slice() {
            [only] => self.expr(only, true),
            several => {
                self.push("(");
                self.list(several, true);
                self.push(")");
            }
        }
        match (test.all && !test.negated, sign) {
            (true, _) => self.push(&format!(" {sign} ALL (")),
            (false, "=") => self.push(" IN ("),
            (false, "<>") if test.negated => self.push(" IN ("),
            (false, _) => self.push(&format!(" {sign} ANY (")),
        }
        self.subquery(&test.query);
        self.push("))");
        if test.negated && !self.pretty {
            self.push(")");
        }
    }
}
