//! From the tree of a statement to one whose names are resolved and whose types are known, by PostgreSQL's rules.
//!
//! ```text
//! statement ─ select, set_operation, values, insert, update, delete
//!    ├ from, join, with, table_function      what is in scope: scope
//!    ├ target, group, sort, window           the clauses
//!    └ expr ─ operator, call, cast, subquery, compare
//!         └ coerce, constant, type_name      types, by the catalog's rules
//! ```

mod access;
mod aggregate;
mod assigned;
mod call;
mod cast;
mod coerce;
mod compare;
mod composite;
mod conflict;
pub(crate) mod constant;
mod delete;
mod domain;
mod expr;
mod field;
mod frame_offset;
mod from;
mod group;
mod grouping_sets;
mod implied;
mod insert;
mod insert_part;
mod join;
mod one_row;
mod operator;
mod origin;
mod parameter;
mod populate;
mod quantified;
mod reads;
mod required;
mod returning;
pub mod schema;
mod scope;
mod select;
mod sequence;
mod set_operation;
mod set_target;
mod sort;
mod standalone;
mod statement;
mod subquery;
mod subscript;
mod table_function;
mod target;
#[cfg(test)]
mod tests;
mod ties;
pub mod tree;
mod type_name;
mod update;
mod values;
mod walk;
mod walk_mut;
mod window;
mod with;

use std::collections::HashMap;

use pgtypes::SqlState;

use crate::analysis::schema::Schema;
use crate::analysis::scope::{Clause, Level};
use crate::analysis::tree::{CommonTableId, Relation, RelationId, Relations};
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast::Position;

pub use crate::analysis::origin::{Origin, OriginTable};
pub(crate) use crate::analysis::parameter::all_told;
pub(crate) use crate::analysis::reads::Reads;
pub(crate) use crate::analysis::standalone::type_of_name;
pub use crate::analysis::standalone::{Purpose, Standalone, expression};
pub(crate) use crate::analysis::statement::analyze_part;
pub use crate::analysis::statement::{Analyzed, analyze};
pub(crate) use crate::analysis::target::column_name;

/// Queries and expressions may nest this deep: a little more than SQLite takes.
const MAX_DEPTH: usize = 1_200;

/// A step of a recursion that takes more stack where the thread's own is used up.
pub(crate) fn deeper<T>(work: impl FnOnce() -> T) -> T {
    const LEFT: usize = 256 * 1024;
    const MORE: usize = 2 * 1024 * 1024;
    stacker::maybe_grow(LEFT, MORE, work)
}

/// The state of one analysis.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a statement"
)]
pub(crate) struct Analyzer<'a> {
    sql: &'a str,
    schema: &'a dyn Schema,
    context: pgtypes::Context,
    relations: Relations,
    levels: Vec<Level>,
    clause: Clause,
    common_tables: Vec<with::Visible>,
    next_common_table: usize,
    /// The fields of columns that are rows, by the common table expression and the column's place.
    row_columns: HashMap<(CommonTableId, usize), Vec<(Type, String)>>,
    parameters: parameter::Parameters,
    /// A catalog table is read.
    catalog: bool,
    /// A function was called that gives another answer each time.
    volatile: bool,
    locks_rows: bool,
    /// Rows may get other numbers.
    moves_rows: bool,
    depth: usize,
}

impl<'a> Analyzer<'a> {
    fn new(sql: &'a str, schema: &'a dyn Schema, parameters: &[Option<Type>]) -> Self {
        Self {
            sql,
            schema,
            context: schema.context(),
            relations: Vec::new(),
            levels: Vec::new(),
            clause: Clause::Select,
            common_tables: Vec::new(),
            next_common_table: 0,
            row_columns: HashMap::new(),
            parameters: parameter::Parameters::new(parameters),
            catalog: false,
            volatile: false,
            locks_rows: false,
            moves_rows: false,
            depth: 0,
        }
    }

    /// An error at a place of the statement.
    fn error(&self, at: Position, sqlstate: SqlState, message: impl Into<String>) -> DialectError {
        let error = DialectError::new(sqlstate, message);
        // No expression stands at the beginning: what the analysis adds has no place.
        if at == Position::default() {
            return error;
        }
        error.at(self.sql, at.0 as usize)
    }

    /// 0A000 at a place of the statement.
    fn unsupported(&self, at: Position, feature: impl std::fmt::Display) -> DialectError {
        DialectError::unsupported(feature).at(self.sql, at.0 as usize)
    }

    fn add_relation(&mut self, relation: Relation) -> RelationId {
        self.relations.push(relation);
        RelationId(self.relations.len() - 1)
    }

    /// Does something one level of nesting deeper.
    fn nested<T>(
        &mut self,
        at: Position,
        work: impl FnOnce(&mut Self) -> Result<T, DialectError>,
    ) -> Result<T, DialectError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(
                at,
                SqlState::STATEMENT_TOO_COMPLEX,
                "statement is nested too deeply",
            ));
        }
        let result = deeper(|| work(self));
        self.depth -= 1;
        result
    }

    /// Does something in another clause.
    fn in_clause<T>(
        &mut self,
        clause: Clause,
        work: impl FnOnce(&mut Self) -> Result<T, DialectError>,
    ) -> Result<T, DialectError> {
        let before = std::mem::replace(&mut self.clause, clause);
        let result = work(self);
        self.clause = before;
        result
    }
}
