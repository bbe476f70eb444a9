//! FETCH FIRST … WITH TIES, which SQLite does not have: the rows are numbered and ranked in a query around them.
//!
//! ```sql
//! SELECT columns FROM (SELECT *, row_number() OVER w, rank() OVER w FROM (query, with what it is sorted by) WINDOW w …)
//! WHERE count > 0 AND rank - offset <= count ORDER BY row_number OFFSET offset
//! ```

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::select::plain;
use crate::analysis::tree::{
    Body, Call, ColumnRef, Expr, ExprKind, Output, Query, RelationId, Select, Sort, SortBy, Window,
    WindowCall,
};
use crate::catalog::resolve::{self, FunctionMatch};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::Position;

impl Analyzer<'_> {
    /// The query with the rows that are equal to its last one in what it is sorted by.
    pub(crate) fn with_ties(&mut self, mut query: Query) -> Result<Query, DialectError> {
        let Some(count) = query.limit.take() else {
            return Ok(query);
        };
        if matches!(count.kind, ExprKind::Constant(SqlValue::Null)) {
            return Err(DialectError::new(
                SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
                "row count cannot be null in FETCH FIRST ... WITH TIES clause",
            ));
        }
        let offset = query.offset.take();
        let shown = query.columns.clone();
        let order_by = sorted_by_columns(&mut query);
        let (ranked, [number, rank]) = self.ranked(query, &order_by)?;
        let filter = self.among_the_first(count.clone(), offset.clone(), rank)?;
        let targets = (0..shown.len())
            .map(|place| column(ranked, place, shown.get(place).map(|shown| shown.ty)))
            .collect();
        let outer = select(targets, ranked, Some(filter));
        let by_number = Sort {
            key: SortBy::Value(number),
            descending: false,
            nulls_first: false,
        };
        let mut outer = plain(Body::Select(Box::new(outer)), shown, vec![by_number]);
        outer.offset = offset;
        outer.limit = Some(self.if_negative(count)?);
        Ok(outer)
    }

    /// The rows with their numbers and ranks, and the columns of these.
    fn ranked(
        &mut self,
        query: Query,
        order_by: &[(usize, Sort)],
    ) -> Result<(RelationId, [Expr; 2]), DialectError> {
        let mut columns = query.columns.clone();
        let (relation, types) = self.as_relation(query);
        let at = |place: usize| column(relation, place, types.get(place).copied());
        let window = Window {
            order_by: order_by
                .iter()
                .map(|(place, sort)| Sort {
                    key: SortBy::Value(at(*place)),
                    ..sort.clone()
                })
                .collect(),
            ..Window::default()
        };
        let mut targets: Vec<Expr> = (0..types.len()).map(at).collect();
        for name in ["row_number", "rank"] {
            targets.push(window_function(name, window.clone())?);
            columns.push(Output {
                name: name.to_owned(),
                ty: Type::new(TypeId::INT8),
            });
        }
        let inner = select(targets, relation, None);
        let inner = plain(Body::Select(Box::new(inner)), columns, Vec::new());
        let (ranked, all) = self.as_relation(inner);
        let own = |back: usize| {
            let place = all.len().saturating_sub(back);
            column(ranked, place, all.get(place).copied())
        };
        Ok((ranked, [own(2), own(1)]))
    }

    /// `count > 0 AND rank - offset <= count`; without a count all rows are among the first.
    fn among_the_first(
        &mut self,
        count: Expr,
        offset: Option<Expr>,
        rank: Expr,
    ) -> Result<Expr, DialectError> {
        let at = Position::default();
        let rank = match offset {
            Some(offset) => {
                let offset = coalesce(offset, integer(0));
                self.compare("-", rank, offset, at)?
            }
            None => rank,
        };
        let some = self.compare(">", count.clone(), integer(0), at)?;
        let first = self.compare("<=", rank, count, at)?;
        let both = Expr::new(
            Type::new(TypeId::BOOL),
            ExprKind::And(vec![some, first]),
            at,
        );
        let all = ExprKind::Constant(SqlValue::Integer(1));
        Ok(coalesce(both, Expr::new(Type::new(TypeId::BOOL), all, at)))
    }

    /// The count where it is negative, for LIMIT to refuse it; else no limit.
    fn if_negative(&mut self, count: Expr) -> Result<Expr, DialectError> {
        let at = Position::default();
        let negative = self.compare("<", count.clone(), integer(0), at)?;
        let kind = ExprKind::Case {
            arms: vec![(negative, count)],
            otherwise: None,
        };
        Ok(Expr::new(Type::new(TypeId::INT8), kind, at))
    }
}

/// Makes what the query is sorted by columns of it, and gives their places; the query is sorted no more.
fn sorted_by_columns(query: &mut Query) -> Vec<(usize, Sort)> {
    let mut sorted = Vec::new();
    for sort in std::mem::take(&mut query.order_by) {
        let place = match (&sort.key, &mut query.body) {
            (SortBy::Output(place), _) => *place,
            (SortBy::Value(value), Body::Select(select)) => {
                let same = select.targets.iter().position(|target| target == value);
                same.unwrap_or_else(|| {
                    query.columns.push(Output {
                        name: format!("key{}", query.columns.len()),
                        ty: value.ty,
                    });
                    select.targets.push(value.clone());
                    select.targets.len() - 1
                })
            }
            _ => continue,
        };
        sorted.push((place, sort));
    }
    sorted
}

fn column(relation: RelationId, place: usize, ty: Option<Type>) -> Expr {
    let reference = ColumnRef {
        relation,
        column: place,
    };
    let ty = ty.unwrap_or(Type::new(TypeId::TEXT));
    Expr::new(ty, ExprKind::Column(reference), Position::default())
}

fn integer(number: i64) -> Expr {
    let kind = ExprKind::Constant(SqlValue::Integer(number));
    Expr::new(Type::new(TypeId::INT8), kind, Position::default())
}

fn coalesce(value: Expr, other: Expr) -> Expr {
    let ty = value.ty;
    Expr::new(
        ty,
        ExprKind::Coalesce(vec![value, other]),
        Position::default(),
    )
}

fn select(targets: Vec<Expr>, relation: RelationId, filter: Option<Expr>) -> Select {
    Select {
        rewritten: true,
        ..Select::from_relation(relation, targets, filter)
    }
}

fn window_function(name: &str, window: Window) -> Result<Expr, DialectError> {
    let FunctionMatch::Found(found) = resolve::function(name, &[], &[], false) else {
        return Err(DialectError::unsupported("FETCH … WITH TIES"));
    };
    let call = Call {
        function: found.function,
        arguments: Vec::new(),
        variadic: None,
    };
    let call = WindowCall {
        call,
        filter: None,
        window,
    };
    let kind = ExprKind::Window(Box::new(call));
    Ok(Expr::new(
        Type::new(found.result),
        kind,
        Position::default(),
    ))
}
