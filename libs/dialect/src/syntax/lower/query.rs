//! Queries: what stands around SELECT, VALUES and the set operations.

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::*;

use super::super::ast::{
    CommonTable, CommonTableBody, Expr, ExprKind, Literal, LockStrength, LockWait, Locking, Name,
    Path, Query, QueryBody, SetOperator, With,
};
use super::chain::query_in;
use super::names::Place;
use super::{Lowering, Result, at, is_query, position, too_deep};
use crate::DialectError;
use crate::syntax::tree::Node;

/// A query takes the stack of so many levels of expressions.
const QUERY_LEVELS: u32 = 3;
/// How many set operations may follow each other, as many as SQLite takes.
const MAX_SIDES: usize = 500;

impl Lowering<'_> {
    /// A query of any form.
    pub(super) fn lower_query(&self, node: Node<'_>) -> Result<Query> {
        self.deeper_by(QUERY_LEVELS, node, || match node.kind() {
            COMPOUND_SELECT => self.compound(node),
            _ => self.simple(node),
        })
    }

    /// A query that is no set operation.
    fn simple(&self, node: Node<'_>) -> Result<Query> {
        let body = match node.kind() {
            PAREN_SELECT => return self.query_in_parentheses(node),
            COMPOUND_SELECT => return self.lower_query(node),
            SELECT | SELECT_INTO => QueryBody::Select(Box::new(self.lower_select(node)?)),
            TABLE => QueryBody::Select(Box::new(self.lower_table(node)?)),
            VALUES => QueryBody::Values(self.values(node)?),
            _ => return Err(self.syntax(node)),
        };
        let mut query = body_query(node, body);
        self.lower_with(node, &mut query)?;
        self.tails(node, &mut query)?;
        Ok(query)
    }

    /// `(query) ORDER BY …`: what stands outside is added to what stands inside.
    fn query_in_parentheses(&self, node: Node<'_>) -> Result<Query> {
        let inner = node
            .nodes()
            .find_map(|child| query_in(child))
            .ok_or_else(|| self.syntax_after(node.child(L_PAREN).unwrap_or(node)))?;
        let mut query = self.lower_query(inner)?;
        self.need(node, R_PAREN)?;
        self.lower_with(node, &mut query)?;
        self.tails(node, &mut query)?;
        query.at = at(node);
        query.to = position(node.end());
        Ok(query)
    }

    /// UNION and its kin, the left sides without recursion: there may be many.
    fn compound(&self, node: Node<'_>) -> Result<Query> {
        let mut operations = Vec::new();
        let mut leftmost = node;
        while leftmost.kind() == COMPOUND_SELECT {
            if operations.len() >= MAX_SIDES {
                return Err(too_deep().at(self.sql, leftmost.start()));
            }
            operations.push(leftmost);
            let left = leftmost.nodes().next().and_then(|side| query_in(side));
            leftmost = left.ok_or_else(|| self.syntax_after(leftmost))?;
        }
        // in parentheses a side keeps its own WITH; one before the parenthesis or a first SELECT is that of the whole
        let outside = leftmost.kind() != PAREN_SELECT || leftmost.has(WITH_CLAUSE);
        let mut query = self.simple(leftmost)?;
        let with = if outside { query.with.take() } else { None };
        for operation in operations.into_iter().rev() {
            query = self.set_operation(operation, query)?;
        }
        query.with = with;
        Ok(query)
    }

    /// A set operation whose left side is lowered.
    fn set_operation(&self, node: Node<'_>, left: Query) -> Result<Query> {
        let mut parts = node.nodes().skip(1);
        let (Some(word), Some(right)) = (parts.next(), parts.next()) else {
            return Err(self.syntax_after(node));
        };
        let operator = match word.kind() {
            UNION => SetOperator::Union,
            INTERSECT => SetOperator::Intersect,
            EXCEPT => SetOperator::Except,
            _ => return Err(self.syntax(word)),
        };
        let right = query_in(right).ok_or_else(|| self.syntax(right))?;
        let body = QueryBody::SetOperation {
            operator,
            all: word.has(ALL),
            sides: Box::new([left, self.lower_query(right)?]),
            at: at(word),
        };
        let mut query = body_query(node, body);
        self.tails(node, &mut query)?;
        Ok(query)
    }

    fn values(&self, node: Node<'_>) -> Result<Vec<Vec<Expr>>> {
        let list = self.need(node, ROW_LIST)?;
        self.check_commas(list)?;
        let mut rows = Vec::new();
        for row in list.nodes() {
            let values = self.lower_list(row)?;
            if values.is_empty() {
                return Err(self.syntax_close(row));
            }
            self.need(row, R_PAREN)?;
            rows.push(values);
        }
        if rows.is_empty() {
            return Err(self.syntax_after(list));
        }
        Ok(rows)
    }

    /// WITH of a query.
    fn lower_with(&self, node: Node<'_>, query: &mut Query) -> Result<()> {
        if let Some(with) = self.with_clause(node)? {
            if query.with.is_some() {
                return Err(self.refuse(node.start(), "multiple WITH clauses not allowed"));
            }
            query.with = Some(with);
        }
        Ok(())
    }

    /// WITH of a statement.
    pub(super) fn with_clause(&self, node: Node<'_>) -> Result<Option<With>> {
        let Some(clause) = node.child(WITH_CLAUSE) else {
            return Ok(None);
        };
        self.check_commas(clause)?;
        let mut tables = Vec::new();
        for table in clause.nodes() {
            tables.push(self.common_table(table)?);
        }
        Ok(Some(With {
            recursive: clause.has(RECURSIVE_KW),
            tables,
        }))
    }

    fn common_table(&self, node: Node<'_>) -> Result<CommonTable> {
        let mut table = CommonTable {
            name: self.column_name(self.need(node, CTE_NAME)?)?,
            columns: Vec::new(),
            materialized: None,
            body: CommonTableBody::Merge,
            search_or_cycle: false,
        };
        let mut body = None;
        for child in node.children() {
            match child.kind() {
                COLUMN_LIST => table.columns = self.name_list(child)?,
                MATERIALIZED => table.materialized = Some(true),
                NOT_MATERIALIZED => table.materialized = Some(false),
                INSERT => body = Some(CommonTableBody::Insert(Box::new(self.lower_insert(child)?))),
                UPDATE => body = Some(CommonTableBody::Update(Box::new(self.lower_update(child)?))),
                DELETE => body = Some(CommonTableBody::Delete(Box::new(self.lower_delete(child)?))),
                MERGE | CTE_NAME | AS_KW => {}
                SEARCH_CLAUSE | CYCLE_CLAUSE => table.search_or_cycle = true,
                kind if is_query(kind) => {
                    body = Some(CommonTableBody::Query(Box::new(self.lower_query(child)?)));
                }
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        if let Some(merge) = node.child(MERGE) {
            return Err(self.syntax(merge));
        }
        let open = self.need(node, L_PAREN)?;
        table.body = body.ok_or_else(|| self.syntax_after(open))?;
        Ok(table)
    }

    /// `(a, b)` of names of columns.
    pub(super) fn name_list(&self, node: Node<'_>) -> Result<Vec<Name>> {
        self.check_commas(node)?;
        node.nodes().map(|name| self.column_name(name)).collect()
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE.
    fn tails(&self, node: Node<'_>, query: &mut Query) -> Result<()> {
        let (mut limited, mut skipped) = (false, false);
        for child in node.children() {
            match child.kind() {
                ORDER_BY_CLAUSE => {
                    let keys = self.lower_order_by(child)?;
                    let first = keys.first();
                    let place = first.map_or(child.start(), |key| key.value.at.0 as usize);
                    if !query.order_by.is_empty() {
                        return Err(self.refuse(place, "multiple ORDER BY clauses not allowed"));
                    }
                    query.order_by = keys;
                }
                LIMIT_CLAUSE | FETCH_CLAUSE => {
                    if std::mem::replace(&mut limited, true) {
                        return Err(self.syntax(child));
                    }
                    self.limit(child, query)?;
                }
                OFFSET_CLAUSE => {
                    if std::mem::replace(&mut skipped, true) {
                        return Err(self.syntax(child));
                    }
                    let value = child.nodes().next();
                    let value = value.ok_or_else(|| self.syntax_after(child))?;
                    let offset = self.lower_expr(value)?;
                    let word = child.child(ROWS_KW).or_else(|| child.child(ROW_KW));
                    if let Some(word) = word.filter(|_| !is_plain(value)) {
                        return Err(self.syntax(word));
                    }
                    if query.offset.is_some() {
                        return Err(
                            self.refuse(value.start(), "multiple OFFSET clauses not allowed")
                        );
                    }
                    query.offset = Some(offset);
                }
                LOCKING_CLAUSE => query.locking.push(self.locking(child)?),
                ERROR => return Err(self.syntax(child)),
                _ => {}
            }
        }
        if query.with_ties && query.order_by.is_empty() {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                "WITH TIES cannot be specified without ORDER BY clause",
            ));
        }
        Ok(())
    }

    fn limit(&self, node: Node<'_>, query: &mut Query) -> Result<()> {
        let value = node
            .nodes()
            .find(|child| !matches!(child.kind(), ALL | FETCH_ONLY | WITH_TIES));
        if query.limit.is_some() {
            return Err(self.refuse(
                value.unwrap_or(node).start(),
                "multiple LIMIT clauses not allowed",
            ));
        }
        let rest = crate::syntax::fault::skip_blanks(self.sql, node.end());
        if node.kind() == LIMIT_CLAUSE
            && value.is_some()
            && self
                .sql
                .get(rest..)
                .is_some_and(|rest| rest.starts_with(','))
        {
            return Err(self
                .refuse(node.start(), "LIMIT #,# syntax is not supported")
                .hint("Use separate LIMIT and OFFSET clauses."));
        }
        query.limit = match value {
            Some(value) => {
                let limit = self.lower_expr(value)?;
                if node.kind() == FETCH_CLAUSE && !is_plain(value) {
                    return Err(crate::syntax::fault::syntax(self.sql, limit.at.0 as usize));
                }
                Some(limit)
            }
            None if node.kind() == FETCH_CLAUSE => Some(Expr {
                kind: ExprKind::Literal(Literal::Integer("1".to_owned())),
                at: at(node),
                from: at(node),
                to: at(node),
            }),
            None if node.has(ALL) => None,
            None => return Err(self.syntax_after(node)),
        };
        query.with_ties |= node.has(WITH_TIES);
        Ok(())
    }

    fn locking(&self, node: Node<'_>) -> Result<Locking> {
        let mut locking = Locking {
            strength: LockStrength::Update,
            of: Vec::new(),
            wait: LockWait::Block,
            at: at(node),
        };
        for child in node.nodes() {
            match child.kind() {
                FOR_UPDATE => {}
                FOR_NO_KEY_UPDATE => locking.strength = LockStrength::NoKeyUpdate,
                FOR_SHARE => locking.strength = LockStrength::Share,
                FOR_KEY_SHARE => locking.strength = LockStrength::KeyShare,
                LOCKING_OF => {
                    self.check_commas(child)?;
                    for name in child.nodes() {
                        locking.of.push(self.locked_table(name)?);
                    }
                }
                SKIP_LOCKED => locking.wait = LockWait::SkipLocked,
                NOWAIT => locking.wait = LockWait::Nowait,
                _ => return Err(self.syntax(child)),
            }
        }
        Ok(locking)
    }

    fn locked_table(&self, node: Node<'_>) -> Result<Path> {
        if node.kind() == NAME_REF {
            return Ok(Path(vec![self.lower_name(node, Place::Column)?]));
        }
        match self.lower_expr(node)?.kind {
            ExprKind::Column(path) => Ok(path),
            _ => Err(self.syntax(node)),
        }
    }
}

fn body_query(node: Node<'_>, body: QueryBody) -> Query {
    Query {
        with: None,
        body,
        order_by: Vec::new(),
        limit: None,
        with_ties: false,
        offset: None,
        locking: Vec::new(),
        at: at(node),
        to: position(node.end()),
    }
}

/// What may stand before ROWS: an operand, or a number with a sign.
fn is_plain(value: Node<'_>) -> bool {
    match value.kind() {
        BIN_EXPR | POSTFIX_EXPR | BETWEEN_EXPR | COLLATE => false,
        CAST_EXPR => !value.has(COLON_COLON),
        PREFIX_EXPR => value.has(LITERAL) && (value.has(PLUS) || value.has(MINUS)),
        _ => true,
    }
}
