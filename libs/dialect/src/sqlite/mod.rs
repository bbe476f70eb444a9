//! SQLite's SQL, printed from the tree of an analysed statement.
//!
//! Names are given here: each relation has an alias that no other of the statement has, so that SQLite finds what the
//! analysis found. Values are in their stored forms; a comparison, a sort or a grouping of a type whose stored form is
//! a text with an order of its own names that collation.

mod aggregate;
mod any;
mod call;
mod compare;
mod constant;
mod delete;
mod described;
mod distinct_on;
mod expr;
mod fold;
mod form;
mod from;
pub mod insert;
mod lateral;
mod limit;
pub mod locking;
mod named;
mod names;
mod never;
mod part;
mod quantified;
mod query;
mod recursion;
pub mod session_functions;
mod set_operation;
mod shown;
mod size;
mod sort;
mod table_function;
mod update;
mod width;
mod window;

use std::collections::HashSet;

use crate::analysis::tree::{RelationId, Relations, Statement};
use crate::analysis::{Analyzed, Standalone};
use crate::error::DialectError;
use crate::sqlite::names::Names;
use crate::syntax::ast::Position;

/// PRAGMAs that every client connection needs, in this order.
///
/// `case_sensitive_like`: LIKE tells case apart in PostgreSQL.
pub const REQUIRED_PRAGMAS: &[&str] = &["PRAGMA case_sensitive_like = ON"];

/// A statement's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// What SQLite runs.
    pub text: String,
    /// It calls functions that look objects of the catalog up.
    pub looks_up: bool,
}

/// Prints a statement.
pub fn print(sql: &str, analyzed: &Analyzed) -> Result<Printed, DialectError> {
    let mut printer = Printer {
        sql,
        out: String::with_capacity(sql.len() * 2),
        relations: &analyzed.relations,
        names: Names::new(analyzed),
        nullable: HashSet::new(),
        unqualified: None,
        looks_up: false,
        kept: false,
        definition: false,
        nested: 0,
    };
    match &analyzed.statement {
        Statement::Query(query) => printer.shown(query)?,
        Statement::Insert(insert) => printer.insert(insert)?,
        Statement::Update(update) => printer.update(update)?,
        Statement::Delete(delete) => printer.delete(delete)?,
    }
    Ok(Printed {
        text: printer.out,
        looks_up: printer.looks_up,
    })
}

/// Prints an expression of a table's definition, in which columns stand without a table's name.
pub fn print_expression(sql: &str, standalone: &Standalone) -> Result<String, DialectError> {
    let names = Names::of_relations(&standalone.relations);
    let mut printer = Printer {
        sql,
        out: String::new(),
        relations: &standalone.relations,
        names,
        nullable: HashSet::new(),
        unqualified: standalone.table,
        looks_up: false,
        kept: standalone.kept,
        definition: standalone.lasting,
        nested: 0,
    };
    printer.expr(&standalone.value)?;
    if printer.looks_up {
        let at = standalone.value.at;
        return Err(printer.unsupported(at, "an object of the catalog in a definition"));
    }
    Ok(printer.out)
}

/// The state of one printing.
pub(crate) struct Printer<'a> {
    /// The client's text, for positions.
    sql: &'a str,
    out: String,
    relations: &'a Relations,
    names: Names,
    /// Relations on the side of an outer join that may have no row.
    nullable: HashSet<RelationId>,
    /// A relation whose columns are written without it: the table that RETURNING is about.
    unqualified: Option<RelationId>,
    /// A function was called that looks objects of the catalog up.
    looks_up: bool,
    /// What is printed is of an index or a computed column, for which SQLite's own LIKE, whose behaviour can be set, is not
    /// deterministic.
    kept: bool,
    /// What is printed is of a definition, in which no query may stand.
    definition: bool,
    /// How many queries are around.
    nested: usize,
}

type Result<T = (), E = DialectError> = std::result::Result<T, E>;

impl Printer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A name in quotes.
    fn name(&mut self, name: &str) {
        self.out.push('"');
        for part in name.split('"').enumerate() {
            if part.0 > 0 {
                self.out.push_str("\"\"");
            }
            self.out.push_str(part.1);
        }
        self.out.push('"');
    }

    /// Items with a separator between them.
    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &str,
        mut each: impl FnMut(&mut Self, T) -> Result,
    ) -> Result {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            each(self, item)?;
        }
        Ok(())
    }

    /// 0A000 at a place of the client's text.
    fn unsupported(&self, at: Position, feature: impl std::fmt::Display) -> DialectError {
        DialectError::unsupported(feature).at(self.sql, at.0 as usize)
    }
}
