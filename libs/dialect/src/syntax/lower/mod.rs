//! From the parser's tree to our own.
//!
//! The parser is lenient and its precedences are its own: what PostgreSQL's grammar refuses is refused here, and chains
//! of operators and of joins are put together again by PostgreSQL's rules.

mod alias;
mod call;
mod chain;
mod dml;
mod escapes;
mod form;
mod from;
mod literal;
mod names;
mod operand;
mod operator;
mod predicate;
mod query;
mod select;
mod types;
mod window;

use std::cell::Cell;

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::{self, *};

use super::ast::{Expr, ExprKind, Other, Position, Statement};
use super::fault;
use super::tree::{Node, is_expression};
use crate::DialectError;

type Result<T> = std::result::Result<T, DialectError>;

/// How deep a statement may nest; each level costs some kilobytes of stack here and in what follows.
const MAX_DEPTH: u32 = 200;

/// What lowering needs beside the tree.
pub(super) struct Lowering<'s> {
    sql: &'s str,
    depth: Cell<u32>,
}

impl<'s> Lowering<'s> {
    /// For a statement's text.
    pub(super) fn new(sql: &'s str) -> Self {
        Self {
            sql,
            depth: Cell::new(0),
        }
    }

    /// A statement.
    pub(super) fn lower_statement(&self, node: Node<'_>) -> Result<Statement> {
        Ok(match node.kind() {
            SELECT | SELECT_INTO | COMPOUND_SELECT | PAREN_SELECT | TABLE | VALUES => {
                Statement::Query(Box::new(self.lower_query(node)?))
            }
            INSERT => Statement::Insert(Box::new(self.lower_insert(node)?)),
            UPDATE => Statement::Update(Box::new(self.lower_update(node)?)),
            DELETE => Statement::Delete(Box::new(self.lower_delete(node)?)),
            ERROR => return Err(self.syntax(node)),
            kind => Statement::Other(Other {
                name: statement_name(kind),
            }),
        })
    }

    /// Runs one level deeper.
    fn deeper<T>(&self, at: Node<'_>, lower: impl FnOnce() -> Result<T>) -> Result<T> {
        self.deeper_by(1, at, lower)
    }

    /// Runs deeper by what takes the stack of so many levels of expressions.
    fn deeper_by<T>(
        &self,
        levels: u32,
        at: Node<'_>,
        lower: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let depth = self.depth.get();
        if depth + levels > MAX_DEPTH {
            return Err(too_deep().at(self.sql, at.start()));
        }
        self.depth.set(depth + levels);
        let result = lower();
        self.depth.set(depth);
        result
    }

    /// A syntax error at a node's first token.
    fn syntax(&self, node: Node<'_>) -> DialectError {
        fault::syntax(self.sql, node.start())
    }

    /// A syntax error at the token after a node.
    fn syntax_after(&self, node: Node<'_>) -> DialectError {
        fault::syntax(self.sql, node.end())
    }

    /// A syntax error at the parenthesis or bracket that ends a list too early.
    fn syntax_close(&self, node: Node<'_>) -> DialectError {
        match node
            .children()
            .find(|child| matches!(child.kind(), R_PAREN | R_BRACK))
        {
            Some(close) => self.syntax(close),
            None => self.syntax_after(node),
        }
    }

    /// 42601 in other words.
    fn refuse(&self, at: usize, message: impl Into<String>) -> DialectError {
        DialectError::new(SqlState::SYNTAX_ERROR, message).at(self.sql, at)
    }

    /// The child of a kind, without which the text ended too early.
    fn need<'t>(&self, node: Node<'t>, kind: SyntaxKind) -> Result<Node<'t>> {
        node.child(kind).ok_or_else(|| self.syntax_after(node))
    }

    /// Refuses a list in which items and commas do not alternate.
    fn check_commas(&self, node: Node<'_>) -> Result<()> {
        let mut item_next = true;
        let mut after_comma = false;
        for child in node.children() {
            match child.kind() {
                L_PAREN | L_BRACK => item_next = true,
                R_PAREN | R_BRACK if item_next && after_comma => return Err(self.syntax(child)),
                R_PAREN | R_BRACK => {}
                COMMA if item_next => return Err(self.syntax(child)),
                COMMA => {
                    item_next = true;
                    after_comma = true;
                }
                ERROR if child.text().starts_with(',') => return Err(self.syntax_after(child)),
                ERROR => return Err(self.syntax(child)),
                _ if !item_next && !child.is_token() => return Err(self.syntax(child)),
                _ if !child.is_token() => item_next = false,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The refusal of what nests too deeply.
pub(super) fn too_deep() -> DialectError {
    DialectError::new(
        SqlState::STATEMENT_TOO_COMPLEX,
        "stack depth limit exceeded",
    )
}

/// Where a node begins.
fn at(node: Node<'_>) -> Position {
    position(node.start())
}

/// A byte offset as a position.
fn position(offset: usize) -> Position {
    Position(u32::try_from(offset).unwrap_or(u32::MAX))
}

/// An expression of a node of the bytes from `from` to `to`.
fn expr(kind: ExprKind, at: Position, from: usize, to: usize) -> Expr {
    Expr {
        kind,
        at,
        from: position(from),
        to: position(to),
    }
}

/// What kinds of nodes are queries.
fn is_query(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SELECT | SELECT_INTO | COMPOUND_SELECT | PAREN_SELECT | TABLE | VALUES
    )
}

/// A statement's kind in the grammar's words.
fn statement_name(kind: SyntaxKind) -> String {
    format!("{kind:?}").replace('_', " ")
}
