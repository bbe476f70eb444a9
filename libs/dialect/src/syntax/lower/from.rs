//! FROM: tables, queries, functions, and joins by PostgreSQL's rules.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{ExprKind, FromItem, Join, JoinCondition, JoinKind, Path};
use super::names::first_token;
use super::operand::value_function;
use super::{Lowering, Result, at, expr};
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// One step of a row of joins.
#[derive(Clone, Copy)]
enum Step<'t> {
    Item(Node<'t>),
    Join(Node<'t>),
    Condition(Node<'t>),
}

/// A row of joins in its order, and how much of it is read.
struct Row<'t> {
    steps: Vec<Step<'t>>,
    next: usize,
    end: usize,
}

impl<'t> Row<'t> {
    fn of(node: Node<'t>) -> Self {
        let mut steps = Vec::with_capacity(4);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match node.kind() {
                JOIN_EXPR => {
                    let parts: Vec<Node<'t>> = node.nodes().collect();
                    open.extend(parts.into_iter().rev());
                }
                JOIN => {
                    steps.push(Step::Join(node));
                    let parts: Vec<Node<'t>> = node
                        .nodes()
                        .filter(|part| {
                            !matches!(
                                part.kind(),
                                JOIN_INNER | JOIN_LEFT | JOIN_RIGHT | JOIN_FULL | JOIN_CROSS
                            )
                        })
                        .collect();
                    open.extend(parts.into_iter().rev());
                }
                ON_CLAUSE | JOIN_USING_CLAUSE => steps.push(Step::Condition(node)),
                _ => steps.push(Step::Item(node)),
            }
        }
        Self {
            steps,
            next: 0,
            end: node.start(),
        }
    }

    fn peek(&self) -> Option<Step<'t>> {
        self.steps.get(self.next).copied()
    }

    fn take(&mut self) {
        if let Some(Step::Item(node) | Step::Condition(node)) = self.peek() {
            self.end = node.end();
        }
        self.next += 1;
    }
}

impl Lowering<'_> {
    /// The items of FROM or USING.
    pub(super) fn lower_from(&self, node: Node<'_>) -> Result<Vec<FromItem>> {
        self.check_commas(node)?;
        let mut items = Vec::new();
        for item in node.nodes() {
            items.push(self.item(item)?);
        }
        if items.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(items)
    }

    fn item(&self, node: Node<'_>) -> Result<FromItem> {
        self.deeper(node, || {
            if node.kind() != JOIN_EXPR {
                return self.primary(node);
            }
            let mut row = Row::of(node);
            let mut left = self.joined(&mut row)?;
            let mut joins = 0_u32;
            while let Some(Step::Join(word)) = row.peek() {
                joins += 1;
                if joins > super::MAX_DEPTH {
                    return Err(super::too_deep().at(self.sql, word.start()));
                }
                left = self.join(left, &mut row)?;
            }
            match row.peek() {
                Some(Step::Condition(node) | Step::Item(node) | Step::Join(node)) => {
                    Err(self.syntax(node))
                }
                None => Ok(left),
            }
        })
    }

    fn joined(&self, row: &mut Row<'_>) -> Result<FromItem> {
        let Some(Step::Item(node)) = row.peek() else {
            return Err(fault::syntax(self.sql, row.end));
        };
        row.take();
        self.primary(node)
    }

    /// A join whose left side is read: without a condition of its own it ends at the next item, else what follows is
    /// part of its right side until the condition comes.
    fn join(&self, left: FromItem, row: &mut Row<'_>) -> Result<FromItem> {
        let Some(Step::Join(node)) = row.peek() else {
            return Err(fault::syntax(self.sql, row.end));
        };
        row.take();
        self.deeper(node, || {
            let natural = node.has(NATURAL_KW);
            let word = node
                .nodes()
                .find_map(|part| part.child(JOIN_KW))
                .ok_or_else(|| self.syntax_after(node))?;
            row.end = word.end();
            let kind = if node.has(JOIN_LEFT) {
                JoinKind::Left
            } else if node.has(JOIN_RIGHT) {
                JoinKind::Right
            } else if node.has(JOIN_FULL) {
                JoinKind::Full
            } else {
                JoinKind::Inner
            };
            let cross = node.child(JOIN_CROSS);
            if let Some(cross) = cross.filter(|_| natural) {
                return Err(self.syntax(cross));
            }
            let mut right = self.joined(row)?;
            let on = if natural {
                JoinCondition::Natural
            } else if cross.is_some() {
                JoinCondition::None
            } else {
                while let Some(Step::Join(_)) = row.peek() {
                    right = self.join(right, row)?;
                }
                let Some(Step::Condition(condition)) = row.peek() else {
                    return Err(fault::syntax(self.sql, row.end));
                };
                row.take();
                self.join_condition(condition)?
            };
            Ok(FromItem::Join(Box::new(Join {
                kind,
                sides: [left, right],
                on,
                alias: None,
                at: at(word),
            })))
        })
    }

    fn join_condition(&self, node: Node<'_>) -> Result<JoinCondition> {
        if node.kind() == ON_CLAUSE {
            return Ok(JoinCondition::On(self.clause_value(node)?));
        }
        let columns = self.name_list(self.need(node, COLUMN_REF_LIST)?)?;
        let alias = match node.child(REQUIRED_AS_ALIAS) {
            Some(alias) => Some(self.column_name(self.need(alias, TABLE_ALIAS)?)?),
            None => None,
        };
        Ok(JoinCondition::Using(columns, alias))
    }

    /// An item that is no join.
    fn primary(&self, node: Node<'_>) -> Result<FromItem> {
        match node.kind() {
            RELATION_FROM_ITEM => self.relation(node),
            FUNCTION_FROM_ITEM | EXPR_FROM_ITEM => self.function(node),
            ROWS_FROM_ITEM => self.rows_from(node),
            PAREN_FROM_ITEM => self.in_parentheses(node),
            JOIN_EXPR => self.item(node),
            XML_TABLE_FROM_ITEM => Ok(FromItem::Unsupported("XMLTABLE", at(node))),
            JSON_TABLE_FROM_ITEM | GRAPH_TABLE_FROM_ITEM => Err(node
                .nodes()
                .next()
                .and_then(first_token)
                .map_or_else(|| self.syntax(node), |word| self.syntax_after(word))),
            _ => Err(self.syntax(node)),
        }
    }

    fn relation(&self, node: Node<'_>) -> Result<FromItem> {
        if let Some(lateral) = node.child(LATERAL_KW) {
            let name = node.nodes().next();
            return Err(name.map_or_else(
                || self.syntax_after(lateral),
                |name| self.syntax_after(name),
            ));
        }
        let name = self.need(node, RELATION_NAME_REF)?;
        let word = first_token(name).ok_or_else(|| self.syntax_after(node))?;
        let alias = self.alias(node, false)?;
        if let Some(function) = value_function(word).filter(|_| word.end() == name.end()) {
            let kind = ExprKind::ValueFunction {
                function,
                precision: None,
            };
            return Ok(FromItem::Function {
                calls: vec![(expr(kind, at(word), word.start(), word.end()), Vec::new())],
                rows_from: false,
                ordinality: false,
                lateral: false,
                alias,
                at: at(node),
            });
        }
        if let Some(star) = node.child(STAR).filter(|_| node.has(ONLY_KW)) {
            return Err(self.syntax(star));
        }
        Ok(FromItem::Relation {
            name: self.relation_path(name)?,
            only: node.has(ONLY_KW),
            alias,
            sampled: node.has(TABLESAMPLE_CLAUSE),
        })
    }

    /// A table that is changed, or that of TABLE: `[ONLY] t [*]`.
    pub(super) fn relation_name(&self, node: Node<'_>) -> Result<(Path, bool)> {
        let name = self.need(node, RELATION_NAME_REF)?;
        Ok((self.relation_path(name)?, node.has(ONLY_KW)))
    }

    fn function(&self, node: Node<'_>) -> Result<FromItem> {
        if let Some(only) = node.child(ONLY_KW) {
            let name = node.nodes().next().and_then(|call| call.nodes().next());
            return Err(self.syntax_after(name.unwrap_or(only)));
        }
        let call = node
            .nodes()
            .next()
            .filter(|call| matches!(call.kind(), CALL_EXPR | CAST_EXPR))
            .ok_or_else(|| self.syntax_after(node))?;
        if call.kind() == CALL_EXPR {
            if let Some(word) = first_token(call).filter(|word| word.kind() == GROUPING_KW) {
                return Err(self.syntax_after(word));
            }
            self.no_clauses(call)?;
        } else if !call.has(CAST_KW) && !call.has(TREAT_KW) {
            return Err(self.syntax(call));
        }
        Ok(FromItem::Function {
            calls: vec![(self.lower_expr(call)?, Vec::new())],
            rows_from: false,
            ordinality: node.has(WITH_ORDINALITY),
            lateral: node.has(LATERAL_KW),
            alias: self.alias(node, true)?,
            at: at(node),
        })
    }

    fn rows_from(&self, node: Node<'_>) -> Result<FromItem> {
        let mut calls = Vec::new();
        for argument in node.nodes().filter(|part| part.kind() == ROWS_FROM_ARG) {
            let call = self.need(argument, CALL_EXPR)?;
            self.no_clauses(call)?;
            let definitions = match argument.child(COLUMN_DEF_LIST) {
                Some(list) => self.definitions(list)?,
                None => Vec::new(),
            };
            calls.push((self.lower_expr(call)?, definitions));
        }
        if calls.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(FromItem::Function {
            calls,
            rows_from: true,
            ordinality: node.has(WITH_ORDINALITY),
            lateral: node.has(LATERAL_KW),
            alias: self.alias(node, true)?,
            at: at(node),
        })
    }

    /// A query or a join in parentheses.
    fn in_parentheses(&self, node: Node<'_>) -> Result<FromItem> {
        let only = node.has(ONLY_KW);
        if let Some(select) = node.child(PAREN_SELECT) {
            if only {
                return Err(self.syntax_after(self.need(select, L_PAREN)?));
            }
            let query = Box::new(self.lower_query(select)?);
            let alias = self.alias(node, false)?;
            if alias.is_none() {
                let values = matches!(query.body, super::super::ast::QueryBody::Values(_));
                let what = if values { "VALUES" } else { "subquery" };
                let example = if values { "VALUES" } else { "SELECT" };
                return Err(self
                    .refuse(select.start(), format!("{what} in FROM must have an alias"))
                    .hint(format!("For example, FROM ({example} ...) [AS] foo.")));
            }
            return Ok(FromItem::Query {
                query,
                lateral: node.has(LATERAL_KW),
                alias,
            });
        }
        let parentheses = self.need(node, PAREN_EXPR)?;
        let inner = parentheses
            .nodes()
            .next()
            .ok_or_else(|| self.syntax_after(parentheses))?;
        let close = self.syntax_close(parentheses);
        if only {
            let name = inner
                .child(RELATION_NAME_REF)
                .filter(|name| name.start() == inner.start() && name.end() == inner.end());
            return Ok(FromItem::Relation {
                name: self.relation_path(name.ok_or(close)?)?,
                only: true,
                alias: self.alias(node, false)?,
                sampled: node.has(TABLESAMPLE_CLAUSE),
            });
        }
        let lateral = node.child(LATERAL_KW);
        let mut item = self.item(inner)?;
        self.need(parentheses, R_PAREN)?;
        let FromItem::Join(join) = &mut item else {
            return Err(close);
        };
        if lateral.is_some() || inner.kind() != JOIN_EXPR && join.alias.is_some() {
            return Err(close);
        }
        let alias = self.alias(node, false)?;
        if alias.is_some() {
            join.alias = alias;
        }
        Ok(item)
    }
}
