//! Queries: what `pg_get_viewdef` shows. Clauses stand on lines of their own, indented by how deep the query is.

use crate::analysis::tree::{Body, Distinct, Expr, ExprKind, Output, Query, Select, Sort, SortBy};
use crate::deparse::Writer;
use crate::deparse::coercion::Coercion;
use crate::deparse::constant::constant_of;
use crate::deparse::parentheses::operator_of;
use crate::pg_catalog::identifier;
use crate::syntax::ast::SetOperator;

/// How much deeper the clauses of a query stand than the query.
pub(super) const STEP: usize = 8;

impl Writer<'_> {
    /// A query inside another one.
    pub(super) fn inner_query(&mut self, query: &Query, outputs: &[Output]) {
        let outermost = std::mem::replace(&mut self.outermost, false);
        self.query(query, outputs);
        self.outermost = outermost;
    }

    /// A query whose columns have these names.
    pub(super) fn query(&mut self, query: &Query, outputs: &[Output]) {
        if !query.locks.is_empty() {
            self.complete = false;
            return;
        }
        let (indent, used, merged) = (self.indent, self.used.len(), self.merged.len());
        let level = std::mem::replace(&mut self.level, used);
        let (joins, columns) = (self.joins.len(), self.columns.clone());
        let common_tables = self.common_tables.len();
        if let Body::Select(select) = &query.body {
            for item in &select.from {
                self.name_relations(item);
            }
            self.name_columns(&select.from);
        }
        self.with(query);
        match &query.body {
            Body::Select(select) => {
                self.indent += STEP;
                self.push(" ");
                self.select(select, outputs);
            }
            Body::Values(rows) => {
                self.indent += STEP;
                self.push(" ");
                self.named_values(rows, outputs);
            }
            Body::SetOperation { .. } => self.set_operation(query, outputs),
        }
        self.order_by(query);
        if let Some(offset) = &query.offset {
            self.clause(" OFFSET ", 0);
            self.expr(offset, false);
        }
        if let Some(limit) = &query.limit {
            self.clause(" LIMIT ", 0);
            match constant_of(limit) {
                Some(value) if value.is_null() => self.push("ALL"),
                _ => self.expr(limit, false),
            }
        }
        self.indent = indent;
        self.used.truncate(used);
        self.level = level;
        self.merged.truncate(merged);
        self.joins.truncate(joins);
        self.columns = columns;
        self.common_tables.truncate(common_tables);
    }

    /// A clause on a line of its own, so many blanks behind the beginning of the query.
    pub(super) fn clause(&mut self, words: &str, blanks: usize) {
        self.break_line(self.indent.saturating_sub(STEP) + blanks);
        self.push(words);
    }

    pub(super) fn break_line(&mut self, blanks: usize) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.push("\n");
        self.push(&" ".repeat(blanks));
    }

    fn select(&mut self, select: &Select, columns: &[Output]) {
        self.complete &= !select.rewritten;
        self.push("SELECT");
        match &select.distinct {
            Distinct::No => {}
            Distinct::Rows => self.push(" DISTINCT"),
            Distinct::On(keys) => {
                self.push(" DISTINCT ON (");
                self.keys(keys);
                self.push(")");
            }
        }
        for (index, target) in select.targets.iter().enumerate() {
            self.push(if index == 0 { " " } else { "," });
            if index > 0 {
                self.break_line(self.indent.saturating_sub(STEP) + 4);
            }
            self.expr(target, false);
            if let ExprKind::Row { fields, names } = &target.kind
                && let Some((_, ty)) = self.whole_row(fields, names)
            {
                self.push(&format!("::{ty}"));
            }
            let name = columns.get(index).map_or("", |column| column.name.as_str());
            if !name.is_empty() && self.own_name(target).as_deref() != Some(name) {
                self.push(" AS ");
                self.push(&identifier(name));
            }
        }
        for (index, item) in select.from.iter().enumerate() {
            if index == 0 {
                self.clause(" FROM ", 2);
            } else {
                self.push(",");
                self.break_line(self.indent.saturating_sub(STEP) + 4);
            }
            self.item_of_from(item);
        }
        if let Some(filter) = &select.filter {
            self.clause(" WHERE ", 1);
            self.expr(filter, false);
        }
        if !select.group_by.is_empty() {
            self.clause(" GROUP BY ", 1);
            self.keys(&select.group_by);
        }
        if let Some(having) = &select.having {
            self.clause(" HAVING ", 0);
            self.expr(having, false);
        }
        self.windows(&select.windows);
    }

    /// The name that a value has without AS: that of a column.
    fn own_name(&self, target: &Expr) -> Option<String> {
        if let Some((_, column)) = self.joined_column(target) {
            return Some(column.to_owned());
        }
        if let Some(name) = self.merged_column(target) {
            return Some(name.to_owned());
        }
        // A conversion that is not shown changes no name.
        if let Some(coercion) = Coercion::of(target).filter(|coercion| coercion.implicit) {
            return self.own_name(coercion.operand);
        }
        match &target.kind {
            ExprKind::Column(column) => Some(self.name_of(*column)),
            _ => None,
        }
    }

    /// VALUES; as a relation where its columns have names of their own.
    fn named_values(&mut self, rows: &[Vec<Expr>], columns: &[Output]) {
        let own = |index: usize| format!("column{}", index + 1);
        let mut names = columns.iter().enumerate();
        if names.all(|(index, column)| column.name.is_empty() || column.name == own(index)) {
            self.values(rows);
            return;
        }
        self.push("SELECT");
        for (index, column) in columns.iter().enumerate() {
            self.push(if index == 0 { " " } else { "," });
            if index > 0 {
                self.break_line(self.indent.saturating_sub(STEP) + 4);
            }
            self.push(&format!("\"*VALUES*\".{}", own(index)));
            if column.name != own(index) {
                self.push(" AS ");
                self.push(&identifier(&column.name));
            }
        }
        self.clause(" FROM (", 2);
        self.values(rows);
        self.push(") \"*VALUES*\"");
    }

    fn values(&mut self, rows: &[Vec<Expr>]) {
        self.push("VALUES ");
        for (index, row) in rows.iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", (" });
            for (index, value) in row.iter().enumerate() {
                if index > 0 {
                    self.push(",");
                }
                self.expr(value, false);
            }
            self.push(")");
        }
    }

    fn set_operation(&mut self, query: &Query, columns: &[Output]) {
        let Body::SetOperation {
            operator,
            all,
            sides,
        } = &query.body
        else {
            return;
        };
        let [left, right] = sides.as_ref();
        // A chain of one operation needs no parentheses.
        let other = match &left.body {
            Body::SetOperation {
                operator: inner,
                all: inner_all,
                ..
            } => is_bare(left) && (inner, inner_all) != (operator, all),
            _ => false,
        };
        if other {
            self.push("(");
            self.indent += STEP;
            self.break_line(self.indent);
            self.arm(left, columns);
            self.indent -= STEP;
            self.break_line(self.indent);
            self.push(") ");
        } else {
            self.arm(left, columns);
            self.break_line(self.indent);
        }
        self.push(match operator {
            SetOperator::Union => "UNION ",
            SetOperator::Intersect => "INTERSECT ",
            SetOperator::Except => "EXCEPT ",
        });
        if *all {
            self.push("ALL ");
        }
        let nested = matches!(right.body, Body::SetOperation { .. }) && is_bare(right);
        if nested {
            self.push("(");
            self.indent += STEP;
        }
        self.break_line(self.indent);
        // Names are those of the first side, or of the view's columns.
        let names = if self.outermost {
            let mut names = columns.to_vec();
            clear_fallbacks(&mut names, right);
            names
        } else {
            without_fallbacks(right)
        };
        self.arm(right, &names);
        if nested {
            self.indent -= STEP;
            self.push(")");
        }
    }

    /// One side of a set operation: in parentheses where it has clauses behind it.
    fn arm(&mut self, side: &Query, columns: &[Output]) {
        if is_bare(side) {
            self.query(side, columns);
        } else {
            self.push("(");
            self.query(side, columns);
            self.push(")");
        }
    }

    fn order_by(&mut self, query: &Query) {
        if query.order_by.is_empty() {
            return;
        }
        self.clause(" ORDER BY ", 1);
        for (index, sort) in query.order_by.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            match (&sort.key, &query.body) {
                (SortBy::Output(at), Body::Select(select)) => match select.targets.get(*at) {
                    // What a set operation makes of its arms' columns is not shown.
                    Some(target) => match Coercion::of(target) {
                        Some(coercion) if coercion.implicit => self.key(coercion.operand),
                        _ => self.key(target),
                    },
                    None => self.complete = false,
                },
                (SortBy::Output(at), Body::Values(_)) => {
                    self.push(&format!("\"*VALUES*\".column{}", at + 1));
                }
                (SortBy::Output(at), _) => self.push(&(at + 1).to_string()),
                (SortBy::Value(value), _) => self.key(value),
            }
            self.direction(sort);
        }
    }

    pub(super) fn direction(&mut self, sort: &Sort) {
        match (sort.descending, sort.nulls_first) {
            (false, true) => self.push(" NULLS FIRST"),
            (false, false) => {}
            (true, true) => self.push(" DESC"),
            (true, false) => self.push(" DESC NULLS LAST"),
        }
    }

    pub(super) fn keys(&mut self, keys: &[Expr]) {
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.key(key);
        }
    }

    /// What is sorted or grouped by: in parentheses where it could be taken for something else.
    pub(super) fn key(&mut self, key: &Expr) {
        let plain = match &key.kind {
            ExprKind::Column(_) => true,
            _ if self.joined_column(key).is_some() || self.merged_column(key).is_some() => true,
            // An operator has its own parentheses.
            ExprKind::Call(call) if operator_of(call).is_some() => !self.pretty,
            ExprKind::Call(_) | ExprKind::Aggregate(_) | ExprKind::Window(_) => false,
            _ => !self.pretty,
        };
        if !plain {
            self.push("(");
        }
        self.expr(key, false);
        if !plain {
            self.push(")");
        }
    }
}

/// Whether nothing stands behind a query's rows.
fn is_bare(query: &Query) -> bool {
    query.with.is_empty()
        && query.order_by.is_empty()
        && query.limit.is_none()
        && query.offset.is_none()
}

/// The columns of a query without the names of those that have none of their own.
pub(super) fn without_fallbacks(query: &Query) -> Vec<Output> {
    let mut columns = query.columns.clone();
    clear_fallbacks(&mut columns, query);
    columns
}

fn clear_fallbacks(columns: &mut [Output], query: &Query) {
    if let Body::Select(select) = &query.body {
        for (column, target) in columns.iter_mut().zip(&select.targets) {
            if column.name == "?column?" && !matches!(target.kind, ExprKind::Column(_)) {
                column.name.clear();
            }
        }
    }
}
