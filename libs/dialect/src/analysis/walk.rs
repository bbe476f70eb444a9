//! Visiting the parts of an expression.

use crate::analysis::deeper;
use crate::analysis::tree::{
    Aggregate, Body, Bound, Distinct, Expr, ExprKind, FromItem, Query, RelationId, Select, Sort,
    SortBy, Window,
};
use crate::catalog::TypeId;
use crate::syntax::ast::Position;

impl Expr {
    /// Calls `visit` for the expression and each part of it, also inside queries.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        visit(self);
        deeper(|| {
            self.each_part(&mut |part| part.visit(visit));
            self.each_query(&mut |query| query.visit(visit));
        });
    }

    /// The place of a window function in it, outside of queries.
    pub(crate) fn find_window(&self) -> Option<Position> {
        self.find(&|expr| matches!(expr.kind, ExprKind::Window(_)))
    }

    /// The place of an aggregate in it, outside of queries.
    pub(crate) fn find_aggregate(&self) -> Option<Position> {
        self.find(&|expr| matches!(expr.kind, ExprKind::Aggregate(_)))
    }

    /// The place of the first part that is wanted, outside of queries.
    pub(crate) fn find(&self, wanted: &dyn Fn(&Expr) -> bool) -> Option<Position> {
        if wanted(self) {
            return Some(self.at);
        }
        let mut found = None;
        deeper(|| self.each_part(&mut |part| found = found.or_else(|| part.find(wanted))));
        found
    }

    /// Where its text begins: an operator's with its left operand.
    pub(crate) fn start(&self) -> Position {
        let mut start = self.at;
        let inside = matches!(
            self.kind,
            ExprKind::Call(_)
                | ExprKind::Relabel(_)
                | ExprKind::ViaText(_)
                | ExprKind::And(_)
                | ExprKind::Or(_)
                | ExprKind::Not(_)
                | ExprKind::IsNull { .. }
                | ExprKind::IsTruth { .. }
                | ExprKind::Distinct { .. }
                | ExprKind::NullIf(_)
                | ExprKind::InList(_)
                | ExprKind::QuantifiedArray(_)
                | ExprKind::QuantifiedQuery(_)
                | ExprKind::CompareRows { .. }
                | ExprKind::Collate { .. }
        );
        if inside {
            deeper(|| {
                self.each_part(&mut |part| {
                    let part = part.start();
                    // What the analysis adds has no place.
                    if part != Position::default() && part < start {
                        start = part;
                    }
                });
            });
        }
        start
    }

    /// The value under conversions that change nothing.
    pub(crate) fn without_relabel(&self) -> &Expr {
        match &self.kind {
            ExprKind::Relabel(inner) if !shows_otherwise(inner.ty.id, self.ty.id) => {
                inner.without_relabel()
            }
            _ => self,
        }
    }

    /// The value without what was added to give it the wanted type; what was written has a place of its own.
    pub(crate) fn as_written(&self) -> &Expr {
        match &self.kind {
            ExprKind::Relabel(inner) if inner.at == self.at => inner.as_written(),
            _ => self,
        }
    }

    /// Calls `each` for the parts of the expression that are not inside a query.
    pub(crate) fn each_part(&self, each: &mut dyn FnMut(&Expr)) {
        match &self.kind {
            ExprKind::Constant(_)
            | ExprKind::Label { .. }
            | ExprKind::Unknown(_)
            | ExprKind::Parameter(_)
            | ExprKind::Column(_)
            | ExprKind::ValueFunction { .. }
            | ExprKind::ColumnDefault(_)
            | ExprKind::Exists(_)
            | ExprKind::Subquery { .. }
            | ExprKind::ArrayQuery(_) => {}
            ExprKind::Call(call) | ExprKind::NullIf(call) => call.arguments.iter().for_each(each),
            ExprKind::Distinct { equality, .. } => equality.arguments.iter().for_each(each),
            ExprKind::Relabel(one) | ExprKind::ViaText(one) | ExprKind::Not(one) => each(one),
            ExprKind::IsNull { operand, .. }
            | ExprKind::IsTruth { operand, .. }
            | ExprKind::NotNull { operand, .. }
            | ExprKind::Collate { operand, .. } => each(operand),
            ExprKind::And(list)
            | ExprKind::Or(list)
            | ExprKind::Coalesce(list)
            | ExprKind::Array(list)
            | ExprKind::Row { fields: list, .. }
            | ExprKind::Grouping(list)
            | ExprKind::Extreme { operands: list, .. } => list.iter().for_each(each),
            ExprKind::Case { arms, otherwise } => arms
                .iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.as_deref())
                .for_each(each),
            ExprKind::InList(test) => {
                each(&test.operand);
                test.list.iter().for_each(each);
            }
            ExprKind::QuantifiedArray(test) => {
                each(&test.operand);
                each(&test.array);
            }
            ExprKind::Field { .. }
            | ExprKind::Element { .. }
            | ExprKind::Limited { .. }
            | ExprKind::Slice { .. }
            | ExprKind::WithElements { .. }
            | ExprKind::WithMember { .. } => self.each_of_composed(each),
            ExprKind::QuantifiedQuery(test) => test.left.iter().for_each(each),
            ExprKind::CompareRows { fields, .. } => fields
                .iter()
                .flat_map(|call| &call.arguments)
                .for_each(each),
            ExprKind::Aggregate(aggregate) => each_of_aggregate(aggregate, each),
            ExprKind::Window(call) => {
                call.call.arguments.iter().for_each(&mut *each);
                call.filter.iter().for_each(&mut *each);
                each_of_window(&call.window, each);
            }
        }
    }

    /// The parts of what is or makes a part of a row, an array or a document.
    fn each_of_composed(&self, each: &mut dyn FnMut(&Expr)) {
        match &self.kind {
            ExprKind::Field { record, .. } => each(record),
            ExprKind::Element { array, indexes } => {
                each(array);
                indexes.iter().for_each(each);
            }
            ExprKind::Limited { array, .. } => each(array),
            ExprKind::Slice { array, bounds } => {
                each(array);
                let bounds = bounds.iter().flat_map(|(low, high)| low.iter().chain(high));
                bounds.for_each(each);
            }
            ExprKind::WithElements {
                array,
                value,
                bounds,
                ..
            } => {
                each(array);
                each(value);
                let bounds = bounds.iter().flat_map(|(low, high)| low.iter().chain(high));
                bounds.for_each(each);
            }
            ExprKind::WithMember {
                document,
                value,
                steps,
                ..
            } => {
                each(document);
                each(value);
                steps.iter().for_each(each);
            }
            _ => {}
        }
    }

    /// Calls `each` for the queries right in it.
    pub(crate) fn each_query(&self, each: &mut dyn FnMut(&Query)) {
        match &self.kind {
            ExprKind::Exists(query)
            | ExprKind::Subquery { query, .. }
            | ExprKind::ArrayQuery(query) => each(query),
            ExprKind::QuantifiedQuery(test) => each(&test.query),
            _ => {}
        }
    }
}

fn each_of_aggregate(aggregate: &Aggregate, each: &mut dyn FnMut(&Expr)) {
    aggregate.call.arguments.iter().for_each(&mut *each);
    each_sort(&aggregate.order_by, each);
    aggregate.filter.iter().for_each(each);
}

fn each_of_window(window: &Window, each: &mut dyn FnMut(&Expr)) {
    window.partition_by.iter().for_each(&mut *each);
    each_sort(&window.order_by, each);
    if let Some(frame) = &window.frame {
        for bound in [&frame.start, &frame.end] {
            if let Bound::Preceding(value) | Bound::Following(value) = bound {
                each(value);
            }
        }
    }
}

pub(crate) fn each_sort(sorts: &[Sort], each: &mut dyn FnMut(&Expr)) {
    for sort in sorts {
        if let SortBy::Value(value) = &sort.key {
            each(value);
        }
    }
}

impl Query {
    /// Where errors about a column point at; nowhere for a column that was not written.
    pub(crate) fn column_at(&self, index: usize) -> Position {
        match &self.body {
            Body::Select(select) => select.targets.get(index).map(Expr::start),
            Body::Values(_) => None,
            Body::SetOperation { sides, .. } => Some(sides[0].column_at(index)),
        }
        .unwrap_or_default()
    }

    /// Calls `visit` for the expressions of the query, not for their parts.
    pub(crate) fn visit_top(&self, visit: &mut dyn FnMut(&Expr)) {
        for table in &self.with {
            table.query.visit_top(visit);
        }
        match &self.body {
            Body::Select(select) => select.visit_top(visit),
            Body::Values(rows) => rows.iter().flatten().for_each(&mut *visit),
            Body::SetOperation { sides, .. } => sides.iter().for_each(|side| side.visit_top(visit)),
        }
        each_sort(&self.order_by, visit);
        self.limit.iter().for_each(&mut *visit);
        self.offset.iter().for_each(visit);
    }

    /// Calls `visit` for every expression of the query and each of their parts; relations of FROM are visited by their
    /// owner.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        self.visit_top(&mut |expr| expr.visit(visit));
    }
}

impl Select {
    /// Calls `visit` for its expressions, not for their parts.
    pub(crate) fn visit_top(&self, visit: &mut dyn FnMut(&Expr)) {
        if let Distinct::On(keys) = &self.distinct {
            keys.iter().for_each(&mut *visit);
        }
        self.targets.iter().for_each(&mut *visit);
        self.from.iter().for_each(|item| item.visit_top(visit));
        self.filter.iter().for_each(&mut *visit);
        self.group_by.iter().for_each(&mut *visit);
        self.having.iter().for_each(&mut *visit);
        for (_, window) in &self.windows {
            each_of_window(window, visit);
        }
    }
}

impl FromItem {
    /// Whether a relation is one of the item's.
    pub(crate) fn has(&self, relation: RelationId) -> bool {
        match self {
            Self::Relation(own) => *own == relation,
            Self::Join { sides, .. } => sides.iter().any(|side| side.has(relation)),
        }
    }

    fn visit_top(&self, visit: &mut dyn FnMut(&Expr)) {
        if let Self::Join { sides, on, .. } = self {
            sides.iter().for_each(|side| side.visit_top(visit));
            on.iter().for_each(visit);
        }
    }
}

/// Whether a value is stored otherwise under its other type, though PostgreSQL's bytes stay: a number with
/// or without a sign, a network of one host with or without its width.
fn shows_otherwise(from: TypeId, to: TypeId) -> bool {
    matches!(
        (from, to),
        (TypeId::INT4, TypeId::OID) | (TypeId::OID, TypeId::INT4) | (TypeId::CIDR, TypeId::INET)
    )
}
