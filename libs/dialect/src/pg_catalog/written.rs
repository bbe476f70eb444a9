//! Expressions of definitions as PostgreSQL shows them, from what the client wrote.

use std::rc::Rc;

use pgtypes::SqlValue;

use crate::analysis::schema::{Relation, Schema};
use crate::analysis::tree::{Expr, ExprKind};
use crate::analysis::{self, Purpose};
use crate::catalog::Type;

use crate::deparse;
use crate::known_schema::stored;
use crate::pg_catalog::visible::Visible;
use crate::sequence::SequenceInfo;
use crate::sqlite;
use crate::stored_name::{self, PUBLIC};
use crate::syntax::only_expression;
use crate::table_info::{TableInfo, Written};
use crate::user_type::UserType;

/// An expression in both ways of showing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// With all parentheses.
    pub(crate) full: String,
    /// With those that it needs.
    pub(crate) pretty: String,
    /// Its type, and what a column of it would be called.
    pub(crate) column: Option<(Type, String)>,
    /// The numbers of the table's columns that it names.
    pub(crate) columns: Vec<usize>,
    /// It looks like a call.
    pub(crate) call: bool,
    /// It is NULL.
    pub(crate) null: bool,
    /// A term of an index that says COLLATE, which is not in the texts.
    pub(crate) collated: bool,
}

impl Shown {
    /// A text that is the same both ways.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            pretty: text.clone(),
            full: text,
            column: None,
            columns: Vec::new(),
            call: false,
            null: false,
            collated: false,
        }
    }
}

/// What an expression of a table's definition may name.
pub(crate) struct Definitions<'a> {
    table: Option<Relation>,
    sequences: &'a [SequenceInfo],
    types: &'a [UserType],
    visible: Option<&'a Visible>,
}

impl<'a> Definitions<'a> {
    /// Types are shown by the names that find them.
    pub(crate) fn seen_by(self, visible: &'a Visible) -> Self {
        Self {
            visible: Some(visible),
            ..self
        }
    }

    pub(crate) fn of(
        table: &TableInfo,
        sequences: &'a [SequenceInfo],
        types: &'a [UserType],
    ) -> Self {
        Self {
            table: stored(table, &table.name),
            sequences,
            types,
            visible: None,
        }
    }

    /// The expression; `None` where SQLite's text is no longer made of what the client wrote, as after a column was
    /// given another name.
    pub(crate) fn shown(&self, written: &Written, purpose: Purpose<'_>) -> Option<Shown> {
        self.read(&written.sql, Some(&written.sqlite), purpose)
    }

    /// The condition of a domain, as the client wrote it.
    pub(crate) fn of_domain(&self, sql: &str) -> Option<Shown> {
        self.read(sql, None, Purpose::Check)
    }

    /// `wanted`: what SQLite must get of it.
    fn read(&self, sql: &str, wanted: Option<&str>, purpose: Purpose<'_>) -> Option<Shown> {
        let table = self.table.as_ref()?;
        let sql = format!("SELECT {sql}");
        let tree = only_expression(&sql).ok()??;
        let mut standalone = analysis::expression(&sql, &tree, self, table, purpose).ok()?;
        if let Some(wanted) = wanted {
            let printed = sqlite::print_expression(&sql, &standalone).ok()?;
            if printed != wanted {
                return None;
            }
        }
        let collated = match (purpose, &mut standalone.value.kind) {
            (Purpose::IndexTerm, ExprKind::Collate { operand, .. }) => {
                standalone.value = (**operand).clone();
                true
            }
            _ => false,
        };
        Some(Shown {
            full: deparse::expression(&standalone, (false, self.visible)),
            pretty: deparse::expression(&standalone, (true, self.visible)),
            column: Some((standalone.value.ty, analysis::column_name(&tree))),
            columns: columns_in(&standalone.value),
            call: deparse::looks_like_call(&standalone.value)
                || (collated && matches!(standalone.value.kind, ExprKind::Column(_))),
            null: matches!(
                standalone.value.without_relabel().kind,
                ExprKind::Constant(SqlValue::Null)
            ),
            collated,
        })
    }
}

/// The numbers of the columns in an expression, in the order in which they stand there.
fn columns_in(value: &Expr) -> Vec<usize> {
    let mut columns = Vec::new();
    value.visit(&mut |part| {
        if let ExprKind::Column(reference) = part.kind
            && !columns.contains(&(reference.column + 1))
        {
            columns.push(reference.column + 1);
        }
    });
    columns
}

impl Schema for Definitions<'_> {
    fn user_types(&self) -> Vec<UserType> {
        self.types.to_vec()
    }

    fn relation(&self, _: Option<&str>, _: &str) -> Option<Rc<Relation>> {
        None
    }

    fn sequence(&self, schema: Option<&str>, name: &str) -> Option<String> {
        sequence_in(self.sequences, schema, name)
    }

    fn user_type(&self, schema: Option<&str>, name: &str) -> Option<String> {
        type_in(self.types, schema, name)
    }
}

/// The stored name of a sequence that an expression names; what has no schema was found on the search path of who wrote
/// it, which is not known any more.
pub(crate) fn sequence_in(
    sequences: &[SequenceInfo],
    schema: Option<&str>,
    name: &str,
) -> Option<String> {
    named_in(
        sequences.iter().map(|sequence| sequence.name.as_str()),
        schema,
        name,
    )
}

/// The same of a type of a user's.
pub(crate) fn type_in(types: &[UserType], schema: Option<&str>, name: &str) -> Option<String> {
    named_in(types.iter().map(|ty| ty.name.as_str()), schema, name)
}

fn named_in<'n>(
    mut names: impl Iterator<Item = &'n str> + Clone,
    schema: Option<&str>,
    name: &str,
) -> Option<String> {
    let wanted = stored_name::join(schema.unwrap_or(PUBLIC), name);
    let exact = names.clone().find(|known| *known == wanted);
    let found =
        exact.or_else(|| names.find(|known| schema.is_none() && stored_name::base(known) == name));
    found.map(str::to_owned)
}
