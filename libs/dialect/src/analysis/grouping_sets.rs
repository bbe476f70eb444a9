//! ROLLUP, CUBE, GROUPING SETS and GROUPING: one grouping for each set of keys, put together by UNION ALL. A key that is
//! not in a set is NULL there.

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::select::plain;
use crate::analysis::tree::{
    Body, ColumnRef, Distinct, Expr, ExprKind, Output, Query, Select, Sort, SortBy,
};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, GroupItem, Position, SetOperator};

/// PostgreSQL's limit.
const MOST_SETS: usize = 4096;

/// The keys of one grouping, as they are written.
pub(crate) type Set = Vec<ast::Expr>;

/// Whether more than one set of keys may come of it.
pub(crate) fn has_sets(items: &[GroupItem]) -> bool {
    items
        .iter()
        .any(|item| !matches!(item, GroupItem::Value(_) | GroupItem::Empty))
}

/// A SELECT that is analysed, but for its groups.
pub(crate) struct Grouped {
    pub(crate) select: Select,
    pub(crate) columns: Vec<Output>,
    pub(crate) order_by: Vec<Sort>,
    /// The keys of each grouping.
    pub(crate) sets: Vec<Vec<Expr>>,
}

impl Analyzer<'_> {
    /// GROUPING (…): settled when the keys are known.
    pub(crate) fn grouping(
        &mut self,
        arguments: &[ast::Expr],
        at: Position,
    ) -> Result<Expr, DialectError> {
        if !matches!(
            self.clause,
            Clause::Select | Clause::Having | Clause::OrderBy | Clause::DistinctOn
        ) {
            return Err(self.error(
                at,
                SqlState::GROUPING_ERROR,
                format!(
                    "grouping operations are not allowed in {}",
                    self.clause.name()
                ),
            ));
        }
        if arguments.len() > 31 {
            return Err(self.error(
                at,
                SqlState::TOO_MANY_ARGUMENTS,
                "GROUPING must have fewer than 32 arguments",
            ));
        }
        self.level().aggregates = true;
        let arguments = arguments
            .iter()
            .map(|argument| self.resolved(argument))
            .collect::<Result<_, DialectError>>()?;
        Ok(Expr::new(
            Type::new(TypeId::INT4),
            ExprKind::Grouping(arguments),
            at,
        ))
    }

    /// The sets of keys that GROUP BY asks for.
    pub(crate) fn grouping_sets(items: &[GroupItem]) -> Result<Vec<Set>, DialectError> {
        let mut sets = vec![Set::new()];
        for item in items {
            let own = sets_of(item);
            if sets.len().saturating_mul(own.len()) > MOST_SETS {
                return Err(DialectError::new(
                    SqlState::STATEMENT_TOO_COMPLEX,
                    format!("too many grouping sets present (maximum {MOST_SETS})"),
                ));
            }
            sets = sets
                .iter()
                .flat_map(|set| own.iter().map(|more| [set.as_slice(), more].concat()))
                .collect();
        }
        Ok(sets)
    }

    /// GROUPING where there is one grouping: every argument is a key, which gives 0.
    pub(crate) fn settle_grouping(
        &self,
        value: &mut Expr,
        all: &[Expr],
    ) -> Result<(), DialectError> {
        self.regroup(value, all, all)
    }

    /// The groupings as one query.
    pub(crate) fn union_of_groupings(&mut self, grouped: Grouped) -> Result<Query, DialectError> {
        let Grouped {
            mut select,
            mut columns,
            mut order_by,
            sets,
        } = grouped;
        let shown = columns.clone();
        let window = select.targets.iter().find_map(Expr::find_window);
        if let Some(at) = window {
            return Err(self.unsupported(at, "a window function beside grouping sets"));
        }
        // What the result is sorted by, or distinct on, beside its columns becomes a column first.
        let distinct = std::mem::replace(&mut select.distinct, Distinct::No);
        let mut hide = |value: &Expr| {
            columns.push(Output {
                name: format!("key{}", columns.len()),
                ty: value.ty,
            });
            select.targets.push(value.clone());
            select.targets.len() - 1
        };
        let sorted: Vec<Option<usize>> = order_by
            .iter()
            .map(|sort| match &sort.key {
                SortBy::Value(value) => Some(hide(value)),
                SortBy::Output(_) => None,
            })
            .collect();
        let distinct_on: Vec<usize> = match &distinct {
            Distinct::On(keys) => keys.iter().map(hide).collect(),
            _ => Vec::new(),
        };
        let body = self.all_groupings(&select, &columns, &sets)?;
        let (relation, types) = self.as_relation(body);
        let column = |place: usize| {
            let reference = ColumnRef {
                relation,
                column: place,
            };
            let ty = types.get(place).copied().unwrap_or(Type::new(TypeId::TEXT));
            Expr::new(ty, ExprKind::Column(reference), Position::default())
        };
        for (sort, place) in order_by.iter_mut().zip(sorted) {
            if let Some(place) = place {
                sort.key = SortBy::Value(column(place));
            }
        }
        let outer = Select {
            distinct: match distinct {
                Distinct::On(_) => Distinct::On(distinct_on.into_iter().map(column).collect()),
                other => other,
            },
            rewritten: true,
            ..Select::from_relation(relation, (0..shown.len()).map(column).collect(), None)
        };
        Ok(plain(Body::Select(Box::new(outer)), shown, order_by))
    }

    /// The rows of each grouping, one after the other.
    fn all_groupings(
        &self,
        select: &Select,
        columns: &[Output],
        sets: &[Vec<Expr>],
    ) -> Result<Query, DialectError> {
        let all = sets.concat();
        let mut body: Option<Query> = None;
        for set in sets {
            let branch = self.branch(select, set, &all)?;
            let branch = plain(Body::Select(Box::new(branch)), columns.to_vec(), Vec::new());
            body = Some(match body {
                None => branch,
                Some(before) => {
                    let union = Body::SetOperation {
                        operator: SetOperator::Union,
                        all: true,
                        sides: Box::new([before, branch]),
                    };
                    plain(union, columns.to_vec(), Vec::new())
                }
            });
        }
        body.ok_or_else(|| DialectError::unsupported("no grouping set"))
    }

    /// The SELECT grouped by one set.
    fn branch(&self, select: &Select, set: &[Expr], all: &[Expr]) -> Result<Select, DialectError> {
        let mut branch = select.clone();
        for target in &mut branch.targets {
            self.regroup(target, set, all)?;
            self.check_grouped(target, set)?;
        }
        if let Some(having) = &mut branch.having {
            self.regroup(having, set, all)?;
            self.check_grouped(having, set)?;
        }
        branch.group_by = set.to_vec();
        branch.grouped = true;
        Ok(branch)
    }

    /// Keys that are not in the set become NULL, and GROUPING a number.
    fn regroup(&self, value: &mut Expr, set: &[Expr], all: &[Expr]) -> Result<(), DialectError> {
        if all.contains(value) {
            if !set.contains(value) {
                value.kind = ExprKind::Constant(SqlValue::Null);
            }
            return Ok(());
        }
        match &mut value.kind {
            ExprKind::Aggregate(aggregate) => {
                // What is one value for the whole group is made of keys.
                let direct = aggregate.direct().len();
                for argument in aggregate.call.arguments.iter_mut().take(direct) {
                    self.regroup(argument, set, all)?;
                }
                return Ok(());
            }
            ExprKind::Grouping(arguments) => {
                let mut bits = 0;
                for argument in arguments {
                    if !all.contains(argument) {
                        return Err(self.error(
                            argument.at,
                            SqlState::GROUPING_ERROR,
                            "arguments to GROUPING must be grouping expressions of the associated query level",
                        ));
                    }
                    bits = bits << 1 | i64::from(!set.contains(argument));
                }
                value.kind = ExprKind::Constant(SqlValue::Integer(bits));
                return Ok(());
            }
            _ => {}
        }
        let mut result = Ok(());
        value.each_part_mut(&mut |part| {
            if result.is_ok() {
                result = self.regroup(part, set, all);
            }
        });
        result
    }
}

fn sets_of(item: &GroupItem) -> Vec<Set> {
    match item {
        GroupItem::Value(value) => vec![keys_of(value)],
        GroupItem::Empty => vec![Set::new()],
        GroupItem::Rollup(list) => (0..=list.len())
            .rev()
            .map(|length| list.iter().take(length).flat_map(keys_of).collect())
            .collect(),
        GroupItem::Cube(list) => {
            // Too long a list is refused by the number of its sets.
            let bits = u32::try_from(list.len()).unwrap_or(13).min(13);
            (0..1_usize << bits)
                .rev()
                .map(|chosen| {
                    list.iter()
                        .rev()
                        .enumerate()
                        .filter(|(place, _)| chosen >> place & 1 == 1)
                        .map(|(_, key)| key)
                        .rev()
                        .flat_map(keys_of)
                        .collect()
                })
                .collect()
        }
        GroupItem::Sets(items) => items.iter().flat_map(sets_of).collect(),
    }
}

/// The keys of an item: `(a, b)` is two.
fn keys_of(value: &ast::Expr) -> Set {
    match &value.kind {
        ast::ExprKind::Row {
            fields,
            explicit: false,
        } => fields.clone(),
        _ => vec![value.clone()],
    }
}
