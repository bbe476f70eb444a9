//! Changing the parts of an expression in place.

use crate::analysis::deeper;
use crate::analysis::tree::{
    Aggregate, Body, Bound, Distinct, Expr, ExprKind, FromItem, Query, Select, Sort, SortBy, Window,
};

/// What is done to a part.
type Each<'a> = &'a mut dyn FnMut(&mut Expr);

impl Expr {
    /// Calls `each` for the parts of the expression, and for the expressions of queries right in it.
    pub(crate) fn each_part_mut(&mut self, each: Each<'_>) {
        deeper(|| match &mut self.kind {
            ExprKind::Constant(_)
            | ExprKind::Unknown(_)
            | ExprKind::Parameter(_)
            | ExprKind::Column(_)
            | ExprKind::ValueFunction { .. }
            | ExprKind::ColumnDefault(_) => {}
            ExprKind::Exists(query)
            | ExprKind::Subquery { query, .. }
            | ExprKind::ArrayQuery(query) => query.each_mut(each),
            ExprKind::Call(call) | ExprKind::NullIf(call) => {
                call.arguments.iter_mut().for_each(each);
            }
            ExprKind::Distinct { equality, .. } => equality.arguments.iter_mut().for_each(each),
            ExprKind::Relabel(one) | ExprKind::ViaText(one) | ExprKind::Not(one) => each(one),
            ExprKind::IsNull { operand, .. }
            | ExprKind::IsTruth { operand, .. }
            | ExprKind::Collate { operand, .. } => each(operand),
            ExprKind::And(list)
            | ExprKind::Or(list)
            | ExprKind::Coalesce(list)
            | ExprKind::Array(list)
            | ExprKind::Row { fields: list, .. }
            | ExprKind::Grouping(list)
            | ExprKind::Extreme { operands: list, .. } => list.iter_mut().for_each(each),
            ExprKind::Case { arms, otherwise } => {
                for (condition, result) in arms {
                    each(condition);
                    each(result);
                }
                if let Some(otherwise) = otherwise {
                    each(otherwise);
                }
            }
            kind => each_of_tests(kind, each),
        });
    }
}

fn each_of_tests(kind: &mut ExprKind, each: Each<'_>) {
    match kind {
        ExprKind::InList(test) => {
            each(&mut test.operand);
            test.list.iter_mut().for_each(each);
        }
        ExprKind::QuantifiedArray(test) => {
            each(&mut test.operand);
            each(&mut test.array);
        }
        ExprKind::Element { array, indexes } => {
            each(array);
            indexes.iter_mut().for_each(each);
        }
        ExprKind::Limited { array, .. } => each(array),
        ExprKind::Slice { array, bounds } => {
            each(array);
            let bounds = bounds
                .iter_mut()
                .flat_map(|(low, high)| low.iter_mut().chain(high));
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
            let bounds = bounds
                .iter_mut()
                .flat_map(|(low, high)| low.iter_mut().chain(high));
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
            steps.iter_mut().for_each(each);
        }
        ExprKind::QuantifiedQuery(test) => {
            test.left.iter_mut().for_each(&mut *each);
            test.query.each_mut(each);
        }
        ExprKind::CompareRows { fields, .. } => {
            for call in fields {
                call.arguments.iter_mut().for_each(&mut *each);
            }
        }
        ExprKind::Aggregate(aggregate) => each_of_aggregate(aggregate, each),
        ExprKind::Window(call) => {
            call.call.arguments.iter_mut().for_each(&mut *each);
            call.filter.iter_mut().for_each(&mut *each);
            each_of_window(&mut call.window, each);
        }
        _ => {}
    }
}

fn each_of_aggregate(aggregate: &mut Aggregate, each: Each<'_>) {
    aggregate.call.arguments.iter_mut().for_each(&mut *each);
    each_sort(&mut aggregate.order_by, each);
    aggregate.filter.iter_mut().for_each(each);
}

fn each_of_window(window: &mut Window, each: Each<'_>) {
    window.partition_by.iter_mut().for_each(&mut *each);
    each_sort(&mut window.order_by, each);
    if let Some(frame) = &mut window.frame {
        for bound in [&mut frame.start, &mut frame.end] {
            if let Bound::Preceding(value) | Bound::Following(value) = bound {
                each(value);
            }
        }
    }
}

fn each_sort(sorts: &mut [Sort], each: Each<'_>) {
    for sort in sorts {
        if let SortBy::Value(value) = &mut sort.key {
            each(value);
        }
    }
}

impl Query {
    /// Calls `each` for the expressions of the query, not for their parts.
    pub(crate) fn each_mut(&mut self, each: Each<'_>) {
        for table in &mut self.with {
            table.query.each_mut(each);
        }
        match &mut self.body {
            Body::Select(select) => select.each_mut(each),
            Body::Values(rows) => rows.iter_mut().flatten().for_each(&mut *each),
            Body::SetOperation { sides, .. } => {
                sides.iter_mut().for_each(|side| side.each_mut(each));
            }
        }
        each_sort(&mut self.order_by, each);
        self.limit.iter_mut().for_each(&mut *each);
        self.offset.iter_mut().for_each(each);
    }
}

impl Select {
    fn each_mut(&mut self, each: Each<'_>) {
        if let Distinct::On(keys) = &mut self.distinct {
            keys.iter_mut().for_each(&mut *each);
        }
        self.targets.iter_mut().for_each(&mut *each);
        self.from.iter_mut().for_each(|item| item.each_mut(each));
        self.filter.iter_mut().for_each(&mut *each);
        self.group_by.iter_mut().for_each(&mut *each);
        self.having.iter_mut().for_each(&mut *each);
        for (_, window) in &mut self.windows {
            each_of_window(window, each);
        }
    }
}

impl FromItem {
    fn each_mut(&mut self, each: Each<'_>) {
        if let Self::Join { sides, on, .. } = self {
            sides.iter_mut().for_each(|side| side.each_mut(each));
            on.iter_mut().for_each(each);
        }
    }
}
