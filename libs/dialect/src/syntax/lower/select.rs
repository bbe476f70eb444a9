//! One SELECT: its list, its grouping, its INTO.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{Distinct, Expr, ExprKind, FromItem, GroupItem, Into, Select, Target};
use super::names::Place;
use super::{Lowering, Result, at, expr};
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// SELECT without what surrounds it.
    pub(super) fn lower_select(&self, node: Node<'_>) -> Result<Select> {
        let mut select = empty_select(node);
        let mut seen = false;
        for child in node.children() {
            match child.kind() {
                SELECT_CLAUSE => {
                    seen = true;
                    self.select_clause(child, &mut select)?;
                }
                WITH_CLAUSE => {}
                _ if !seen => return Err(self.syntax(child)),
                INTO_CLAUSE => select.into = Some(self.new_table(child)?),
                FROM_CLAUSE => select.from = self.lower_from(child)?,
                WHERE_CLAUSE => select.filter = Some(self.clause_value(child)?),
                GROUP_BY_CLAUSE => self.group_by(child, &mut select)?,
                HAVING_CLAUSE => select.having = Some(self.clause_value(child)?),
                WINDOW_CLAUSE => select.windows = self.lower_windows(child)?,
                ORDER_BY_CLAUSE | LIMIT_CLAUSE | OFFSET_CLAUSE | FETCH_CLAUSE | LOCKING_CLAUSE
                | SEMICOLON => {}
                _ => return Err(self.syntax(child)),
            }
        }
        if !seen {
            return Err(self.syntax_after(node));
        }
        Ok(select)
    }

    /// `TABLE t`, which is `SELECT * FROM t`.
    pub(super) fn lower_table(&self, node: Node<'_>) -> Result<Select> {
        let mut select = empty_select(node);
        let star = ExprKind::Star(Vec::new());
        select.targets.push(Target {
            value: expr(star, at(node), node.start(), node.start()),
            alias: None,
        });
        let (name, only) = self.relation_name(self.need(node, RELATION_NAME)?)?;
        select.from.push(FromItem::Relation {
            name,
            only,
            alias: None,
            sampled: false,
        });
        Ok(select)
    }

    /// The expression after a clause's keyword.
    pub(super) fn clause_value(&self, node: Node<'_>) -> Result<Expr> {
        let value = node.nodes().next();
        self.lower_expr(value.ok_or_else(|| self.syntax_after(node))?)
    }

    fn select_clause(&self, node: Node<'_>, select: &mut Select) -> Result<()> {
        if let Some(clause) = node.child(DISTINCT_CLAUSE) {
            select.distinct = match clause.child(DISTINCT_ON) {
                Some(on) => {
                    let keys = self.lower_list(on)?;
                    if keys.is_empty() {
                        return Err(self.syntax_close(on));
                    }
                    Distinct::On(keys)
                }
                None => Distinct::Rows,
            };
            if !node.has(TARGET_LIST) {
                return Err(self.syntax_after(node));
            }
        }
        if let Some(list) = node.child(TARGET_LIST) {
            select.targets = self.lower_targets(list)?;
        }
        Ok(())
    }

    /// A select list or that of RETURNING.
    pub(super) fn lower_targets(&self, node: Node<'_>) -> Result<Vec<Target>> {
        let mut targets = Vec::new();
        let mut wanted = true;
        for child in node.children() {
            match child.kind() {
                COMMA if wanted => return Err(self.syntax(child)),
                COMMA => wanted = true,
                TARGET if wanted => {
                    targets.push(self.target(child)?);
                    wanted = false;
                }
                // a comma before the end: the fault is what follows it
                ERROR if child.text().starts_with(',') => return Err(self.syntax_after(child)),
                _ => return Err(self.syntax(child)),
            }
        }
        if wanted {
            return Err(self.syntax_after(node));
        }
        Ok(targets)
    }

    fn target(&self, node: Node<'_>) -> Result<Target> {
        let mut parts = node.children();
        let first = parts.next().ok_or_else(|| self.syntax_after(node))?;
        let value = if first.kind() == STAR {
            let star = ExprKind::Star(Vec::new());
            expr(star, at(first), first.start(), first.end())
        } else {
            self.lower_expr(first)?
        };
        let mut alias = None;
        if let Some(name) = parts.next() {
            if first.kind() == STAR || name.kind() != AS_NAME {
                return Err(self.syntax(name));
            }
            alias = Some(self.lower_name(self.need(name, COLUMN_NAME)?, Place::Label)?);
        }
        if let Some(rest) = parts.next() {
            return Err(self.syntax(rest));
        }
        Ok(Target { value, alias })
    }

    fn new_table(&self, node: Node<'_>) -> Result<Into> {
        Ok(Into {
            table: self.relation_path(self.need(node, TABLE_NAME)?)?,
            temporary: node.has(TEMP),
        })
    }

    fn group_by(&self, node: Node<'_>, select: &mut Select) -> Result<()> {
        select.group_distinct = node.has(DISTINCT);
        let list = self.need(node, GROUP_BY_LIST)?;
        self.check_commas(list)?;
        for item in list.nodes() {
            select.group_by.push(self.group_item(item)?);
        }
        if select.group_by.is_empty() {
            return Err(self.syntax_after(list));
        }
        Ok(())
    }

    fn group_item(&self, node: Node<'_>) -> Result<GroupItem> {
        match node.kind() {
            GROUPING_EXPR => {
                let value = node.nodes().next();
                let value = value.ok_or_else(|| self.syntax_after(node))?;
                let empty = value.kind() == TUPLE_EXPR
                    && !value.has(ROW_KW)
                    && value.nodes().next().is_none()
                    && value.has(R_PAREN);
                if empty {
                    return Ok(GroupItem::Empty);
                }
                Ok(GroupItem::Value(self.lower_expr(value)?))
            }
            GROUPING_ROLLUP => Ok(GroupItem::Rollup(self.group_list(node)?)),
            GROUPING_CUBE => Ok(GroupItem::Cube(self.group_list(node)?)),
            GROUPING_SETS => self.deeper(node, || {
                self.check_commas(node)?;
                let mut sets = Vec::new();
                for item in node.nodes() {
                    sets.push(self.group_item(item)?);
                }
                if sets.is_empty() {
                    return Err(self.syntax_close(node));
                }
                Ok(GroupItem::Sets(sets))
            }),
            _ => Err(self.syntax(node)),
        }
    }

    fn group_list(&self, node: Node<'_>) -> Result<Vec<Expr>> {
        let list = self.lower_list(node)?;
        if list.is_empty() {
            return Err(self.syntax_close(node));
        }
        Ok(list)
    }
}

fn empty_select(node: Node<'_>) -> Select {
    Select {
        distinct: Distinct::No,
        targets: Vec::new(),
        into: None,
        from: Vec::new(),
        filter: None,
        group_by: Vec::new(),
        group_distinct: false,
        having: None,
        windows: Vec::new(),
        at: at(node),
    }
}
