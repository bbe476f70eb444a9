//! Expressions and queries inside definitions: analysed with types, and printed in their place.

use pgtypes::SqlState;

use crate::access::Access;
use crate::analysis::schema::{Column, Generated, Relation, RelationKind};
use crate::analysis::tree::Output;
use crate::analysis::{self, Purpose};
use crate::catalog::{Type, TypeId};
use crate::ddl::view_note::ViewRead;
use crate::ddl::{source_note, view_query};
use crate::error::DialectError;
use crate::known_schema::KnownSchema;
use crate::sqlite;
use crate::syntax::{self, ast};
use crate::translator::Translator;

/// What makes a statement of an expression.
const BEFORE: &str = "SELECT ";

/// A query of a definition, ready for SQLite.
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) columns: Vec<Output>,
    pub(crate) parameters: usize,
    /// It reads the catalog.
    pub(crate) catalog: bool,
    /// The tables and views that it reads.
    pub(crate) reads: Vec<ViewRead>,
    /// What its user must be allowed to do.
    pub(crate) access: Vec<Access>,
}

impl Translator<'_> {
    /// Analyses the expression in tokens `from..to`, which may name the columns of the table in scope, and puts what
    /// SQLite is to read in its place.
    pub(crate) fn typed(
        &mut self,
        from: usize,
        to: usize,
        purpose: Purpose<'_>,
    ) -> Result<(), DialectError> {
        let text = format!("{BEFORE}{}", self.src.slice(from, to));
        let printed = self
            .typed_text(&text, purpose)
            .map_err(|error| self.moved(error, from, BEFORE.len()))?;
        // What converts the rows once is kept nowhere.
        let note = match purpose {
            Purpose::Using(..) => String::new(),
            _ => source_note::write(self.src.slice(from, to)),
        };
        self.replace(from, to, format!("{note}{printed}"));
        Ok(())
    }

    pub(crate) fn typed_text(
        &self,
        text: &str,
        purpose: Purpose<'_>,
    ) -> Result<String, DialectError> {
        let Some(expr) = syntax::only_expression(text)? else {
            return Err(DialectError::syntax(""));
        };
        let schema = KnownSchema(self.schema);
        let table = self.table_in_scope();
        let standalone = analysis::expression(text, &expr, &schema, &table, purpose)?;
        sqlite::print_expression(text, &standalone)
    }

    /// The query in tokens `from..to`.
    pub(crate) fn typed_query(&self, from: usize, to: usize) -> Result<Printed, DialectError> {
        let text = self.src.slice(from, to);
        self.printed_query(text)
            .map_err(|error| self.moved(error, from, 0))
    }

    fn printed_query(&self, text: &str) -> Result<Printed, DialectError> {
        let tree = syntax::parse(text)?;
        let Some(tree @ ast::Statement::Query(_)) = tree else {
            return Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "what is not a query is not supported here",
            ));
        };
        let analyzed = analysis::analyze(text, &tree, &KnownSchema(self.schema), &[])?;
        let Some(analyzed) = analyzed else {
            return Err(DialectError::syntax(""));
        };
        let printed = sqlite::print(text, &analyzed)?;
        Ok(Printed {
            text: printed.text,
            columns: analyzed.columns().to_vec(),
            parameters: analyzed.parameters.len(),
            catalog: analyzed.catalog || printed.looks_up,
            reads: view_query::reads_of(&analyzed.relations),
            access: analyzed.access(),
        })
    }

    /// An error with its position in the whole statement.
    pub(crate) fn moved(&self, error: DialectError, from: usize, before: usize) -> DialectError {
        let start = self.src.start(from);
        let ahead = self
            .src
            .sql
            .get(..start)
            .map_or(0, |text| text.chars().count());
        DialectError {
            position: error
                .position
                .map(|position| (position + ahead).saturating_sub(before)),
            ..error
        }
    }

    fn table_in_scope(&self) -> Relation {
        let columns = self.table.iter().flat_map(|table| table.columns.iter());
        Relation {
            schema: "main",
            name: self.table_name_in_scope().to_owned(),
            kind: RelationKind::Table,
            columns: columns
                .map(|column| Column {
                    name: column.name.clone(),
                    ty: column.ty.map_or(Type::new(TypeId::TEXT), Type::from),
                    not_null: column.not_null,
                    default: None,
                    rowid: false,
                    generated: Generated::No,
                })
                .collect(),
            keys: Vec::new(),
            without_rowid: false,
        }
    }

    /// The name of the table that is being defined.
    pub(crate) fn table_name_in_scope(&self) -> &str {
        self.table.as_ref().map_or("", |table| table.name.as_str())
    }
}
