//! Joins: what USING and NATURAL merge, and what stays visible.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::coerce::common_of;
use crate::analysis::scope::{Clause, Item, ItemColumn};
use crate::analysis::tree::{Expr, ExprKind, FromItem, JoinAlias, MergedColumn};
use crate::error::DialectError;
use crate::syntax::ast::{self, JoinCondition, JoinKind, Name, Position};

/// One side of a join: its items' places in the level, and the columns that it shows.
struct Side {
    from: usize,
    to: usize,
    columns: Vec<ItemColumn>,
}

/// What USING makes of two sides.
struct Merged {
    on: Option<Expr>,
    columns: Vec<ItemColumn>,
    using: Vec<MergedColumn>,
}

impl Analyzer<'_> {
    pub(crate) fn join(&mut self, join: &ast::Join) -> Result<FromItem, DialectError> {
        let [left, right] = &join.sides;
        let level = self.level();
        let outside = level.beside;
        if join.alias.is_some() {
            level.beside = level.items.len();
        }
        let (left, left_side) = self.side_of(left)?;
        let first = self.relations.len();
        let (right, right_side) = self.side_of(right)?;
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            self.check_independent(&left_side, first)?;
        }
        let mut range = left_side.from..right_side.to;
        let (mut using, mut using_alias) = (Vec::new(), None);
        let (on, columns) = match &join.on {
            JoinCondition::None => (None, joined(left_side.columns, right_side.columns)),
            JoinCondition::On(condition) => {
                let on = self.on(condition, range.clone())?;
                (Some(on), joined(left_side.columns, right_side.columns))
            }
            JoinCondition::Using(names, alias) => {
                let sides = [&left_side, &right_side];
                let merged = self.merge(names, sides, join.kind, join.at)?;
                using = merged.using;
                let columns = merged.columns;
                if let Some(alias) = alias {
                    // Only the merged columns can be reached by the name, which hides no other.
                    let merged = columns.iter().take(names.len()).cloned().collect();
                    let mut item = named_item(&alias.text, merged);
                    item.by_column = false;
                    self.enter_item(item)?;
                    range.end += 1;
                    using_alias = Some(alias.text.clone());
                }
                (merged.on, columns)
            }
            JoinCondition::Natural => {
                let names = common_names(&left_side, &right_side, join.at);
                if names.is_empty() {
                    (None, joined(left_side.columns, right_side.columns))
                } else {
                    let sides = [&left_side, &right_side];
                    let merged = self.merge(&names, sides, join.kind, join.at)?;
                    using = merged.using;
                    (merged.on, merged.columns)
                }
            }
        };
        let item = self.cover(join, range, columns)?;
        let alias = join_alias(&item);
        self.level().beside = outside;
        self.enter_item(item)?;
        Ok(FromItem::Join {
            kind: join.kind,
            sides: Box::new([left, right]),
            on,
            using,
            using_alias,
            alias,
        })
    }

    /// The right side of a join that keeps all its rows does not read the left one.
    fn check_independent(&mut self, left: &Side, first: usize) -> Result<(), DialectError> {
        let items = self.level().items.get(left.from..left.to);
        let known: Vec<_> = items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((item.relation?, item.name.clone().unwrap_or_default())))
            .collect();
        let mut read = None;
        self.visit_sources(first, &mut |expr| {
            if let ExprKind::Column(column) = expr.kind
                && let Some((_, name)) = known.iter().find(|(id, _)| *id == column.relation)
            {
                read.get_or_insert((name.clone(), expr.at));
            }
        });
        match read {
            None => Ok(()),
            Some((name, at)) => Err(self
                .error(
                    at,
                    SqlState::INVALID_COLUMN_REFERENCE,
                    format!("invalid reference to FROM-clause entry for table \"{name}\""),
                )
                .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")),
        }
    }

    fn side_of(&mut self, item: &ast::FromItem) -> Result<(FromItem, Side), DialectError> {
        let from = self.level().items.len();
        let item = self.item_of_from(item)?;
        let items = &self.level().items;
        let to = items.len();
        let columns = items
            .get(from..)
            .unwrap_or_default()
            .iter()
            .filter(|item| item.by_column)
            .flat_map(|item| item.columns.iter().cloned())
            .collect();
        Ok((item, Side { from, to, columns }))
    }

    /// ON sees the two sides only, not what stands before the join.
    fn on(
        &mut self,
        condition: &ast::Expr,
        range: std::ops::Range<usize>,
    ) -> Result<Expr, DialectError> {
        let items = std::mem::take(&mut self.level().items);
        let (mut seen, mut rest) = (Vec::new(), Vec::new());
        for (index, item) in items.into_iter().enumerate() {
            if range.contains(&index) {
                seen.push(item);
            } else {
                rest.push(item);
            }
        }
        self.level().items = seen;
        let unseen = std::mem::replace(&mut self.level().unseen, rest);
        let on = self.in_clause(Clause::JoinOn, |analyzer| {
            analyzer.condition(condition, "JOIN/ON")
        });
        let mut rest = std::mem::replace(&mut self.level().unseen, unseen);
        rest.append(&mut self.level().items);
        self.level().items = rest;
        on
    }

    /// The join's own item covers those of its sides.
    fn cover(
        &mut self,
        join: &ast::Join,
        range: std::ops::Range<usize>,
        mut columns: Vec<ItemColumn>,
    ) -> Result<Item, DialectError> {
        let alias = join.alias.as_ref();
        for item in self.level().items.get_mut(range).unwrap_or_default() {
            item.by_column = false;
            // An alias of the join hides the names inside it.
            item.by_name &= alias.is_none();
        }
        let name = alias.and_then(|alias| alias.name.as_ref());
        if let Some(alias) = alias {
            if alias.columns.len() > columns.len() {
                return Err(DialectError::new(
                    SqlState::INVALID_COLUMN_REFERENCE,
                    format!(
                        "join expression \"{}\" has {} columns available but {} columns specified",
                        name.map_or("", |name| name.text.as_str()),
                        columns.len(),
                        alias.columns.len()
                    ),
                ));
            }
            for (column, name) in columns.iter_mut().zip(&alias.columns) {
                column.name.clone_from(&name.text);
            }
        }
        let mut item = named_item("", columns);
        item.name = name.map(|name| name.text.clone());
        item.by_name = name.is_some();
        Ok(item)
    }

    /// USING: equal columns are shown once, before the others.
    fn merge(
        &mut self,
        names: &[Name],
        [left, right]: [&Side; 2],
        kind: JoinKind,
        at: Position,
    ) -> Result<Merged, DialectError> {
        let mut conditions = Vec::with_capacity(names.len());
        let mut using = Vec::with_capacity(names.len());
        let mut columns = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            if names
                .iter()
                .take(index)
                .any(|other| other.text == name.text)
            {
                return Err(DialectError::new(
                    SqlState::DUPLICATE_COLUMN,
                    format!(
                        "column name \"{}\" appears more than once in USING clause",
                        name.text
                    ),
                ));
            }
            let ours = Self::side_column(left, name, "left")?;
            let theirs = Self::side_column(right, name, "right")?;
            conditions.push(self.compare("=", ours.clone(), theirs.clone(), at)?);
            let both = self.unify(vec![ours.clone(), theirs.clone()], "JOIN/USING")?;
            let value = merged_value(both, kind, at);
            using.push(MergedColumn {
                name: name.text.clone(),
                sides: [ours, theirs],
                value: value.clone(),
            });
            columns.push(ItemColumn {
                name: name.text.clone(),
                value,
            });
        }
        let merged = |column: &&ItemColumn| !names.iter().any(|name| name.text == column.name);
        columns.extend(left.columns.iter().filter(merged).cloned());
        columns.extend(right.columns.iter().filter(merged).cloned());
        let on = match conditions.len() {
            1 => conditions.pop(),
            _ => Some(Expr::boolean(ExprKind::And(conditions), at)),
        };
        Ok(Merged { on, columns, using })
    }

    fn side_column(side: &Side, name: &Name, which: &str) -> Result<Expr, DialectError> {
        let mut found = side
            .columns
            .iter()
            .filter(|column| column.name == name.text);
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column.value.clone()),
            (Some(_), Some(_)) => Err(DialectError::new(
                SqlState::AMBIGUOUS_COLUMN,
                format!(
                    "common column name \"{}\" appears more than once in {which} table",
                    name.text
                ),
            )),
            (None, _) => Err(DialectError::new(
                SqlState::UNDEFINED_COLUMN,
                format!(
                    "column \"{}\" specified in USING clause does not exist in {which} table",
                    name.text
                ),
            )),
        }
    }
}

/// What is remembered of a join's item that has a name.
fn join_alias(item: &Item) -> Option<JoinAlias> {
    let columns = item.columns.iter();
    Some(JoinAlias {
        name: item.name.clone()?,
        columns: columns
            .map(|column| (column.name.clone(), column.value.clone()))
            .collect(),
    })
}

/// What a name stands for that is no relation.
fn named_item(name: &str, columns: Vec<ItemColumn>) -> Item {
    Item {
        name: Some(name.to_owned()),
        schema: None,
        by_name: true,
        by_column: true,
        columns,
        relation: None,
    }
}

/// The value of a merged column: of the side that always has a row.
fn merged_value(mut both: Vec<Expr>, kind: JoinKind, at: Position) -> Expr {
    let ty = common_of(&both);
    let value = match (kind, both.len()) {
        (JoinKind::Full, _) => return Expr::new(ty, ExprKind::Coalesce(both), at),
        (JoinKind::Right, 2) => both.swap_remove(1),
        // Either would do: the one that needs no conversion.
        (JoinKind::Inner, 2) if both.first().is_some_and(|left| !is_column(left)) => {
            let right = both.last().is_some_and(is_column);
            both.swap_remove(usize::from(right))
        }
        _ => both.swap_remove(0),
    };
    if value.ty == ty {
        return value;
    }
    Expr::new(ty, ExprKind::Relabel(Box::new(value)), at)
}

fn is_column(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Column(_))
}

fn joined(mut left: Vec<ItemColumn>, right: Vec<ItemColumn>) -> Vec<ItemColumn> {
    left.extend(right);
    left
}

/// The names that both sides have, in the order of the left one.
fn common_names(left: &Side, right: &Side, at: Position) -> Vec<Name> {
    left.columns
        .iter()
        .filter(|column| right.columns.iter().any(|other| other.name == column.name))
        .map(|column| Name {
            text: column.name.clone(),
            at,
        })
        .collect()
}
