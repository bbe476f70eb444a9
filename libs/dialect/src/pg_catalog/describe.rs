//! Definitions as `pg_get_constraintdef` and `pg_get_indexdef` print them.

use pgtypes::PgType;

pub use functions::identifier;

use crate::literal::quote;
use crate::sequence::default_literal;
use crate::source::Source;
use crate::table_info::{Constraint, ConstraintKind};

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| identifier(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A default as PostgreSQL would print it, from SQLite's text: what translation put in is taken out again.
pub(crate) fn default(text: &str, _ty: &PgType) -> String {
    if let Some(name) = default_literal(text) {
        return format!("nextval({}::regclass)", quote(&name));
    }
    text.to_owned()
}

/// `PRIMARY KEY (id)`, `FOREIGN KEY (a) REFERENCES t(id) ON DELETE CASCADE`, …
pub(crate) fn constraint(constraint: &Constraint, referenced: &[String]) -> String {
    match &constraint.kind {
        ConstraintKind::PrimaryKey => format!("PRIMARY KEY ({})", list(&constraint.columns)),
        ConstraintKind::Unique => format!("UNIQUE ({})", list(&constraint.columns)),
        ConstraintKind::Check { expression } => format!("CHECK ({expression})"),
        ConstraintKind::ForeignKey {
            table,
            columns,
            on_delete,
            on_update,
            deferrable,
            deferred,
        } => {
            let columns = if columns.is_empty() {
                referenced
            } else {
                columns
            };
            let mut text = format!(
                "FOREIGN KEY ({}) REFERENCES {}({})",
                list(&constraint.columns),
                identifier(table),
                list(columns)
            );
            for (event, action) in [("UPDATE", on_update), ("DELETE", on_delete)] {
                if action != "NO ACTION" {
                    text.extend([" ON ", event, " ", action]);
                }
            }
            if *deferrable {
                text.push_str(" DEFERRABLE");
            }
            if *deferred {
                text.push_str(" INITIALLY DEFERRED");
            }
            text
        }
    }
}

/// A term of an index.
pub(crate) struct Term {
    /// The column, if it is one.
    pub(crate) column: Option<String>,
    /// The expression as it is written, if it is none.
    pub(crate) expression: String,
    /// DESC.
    pub(crate) descending: bool,
}

impl Term {
    /// A column in ascending order.
    pub(crate) fn column(name: &str) -> Self {
        Self {
            column: Some(name.to_owned()),
            expression: String::new(),
            descending: false,
        }
    }

    fn read(src: &Source<'_>, from: usize, to: usize) -> Self {
        let descending = src.is(to - 1, "DESC");
        let to = to - usize::from(src.is_any(to - 1, &["ASC", "DESC"]));
        let column = src.name(from).filter(|_| to == from + 1);
        Self {
            column,
            expression: src.slice(from, to).to_owned(),
            descending,
        }
    }

    /// As `pg_get_indexdef` shows it.
    pub(crate) fn shown(&self) -> String {
        let text = match &self.column {
            Some(name) => identifier(name),
            None => self.expression.clone(),
        };
        let order = if self.descending { " DESC" } else { "" };
        format!("{text}{order}")
    }
}

/// What an index's text says.
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) terms: Vec<Term>,
    pub(crate) predicate: Option<String>,
}

/// Reads `CREATE [UNIQUE] INDEX name ON t (…) [WHERE …]`.
pub(crate) fn index(sql: &str) -> Option<Index> {
    let src = Source::new(sql).ok()?;
    let unique = src.is(1, "UNIQUE");
    let mut at = 2 + usize::from(unique);
    if src.are(at, &["IF", "NOT", "EXISTS"]) {
        at += 3;
    }
    let name = src.name(at)?;
    let open = (at..src.len()).find(|token| src.sign(*token, "("))?;
    let close = src.partner(open);
    let mut terms = Vec::new();
    let mut start = open + 1;
    while start < close {
        let end = crate::ddl::layout::item_end(&src, start, close);
        terms.push(Term::read(&src, start, end));
        start = end + 1;
    }
    let predicate = src
        .is(close + 1, "WHERE")
        .then(|| src.slice(close + 2, src.len()).to_owned());
    Some(Index {
        name,
        unique,
        terms,
        predicate,
    })
}

/// `CREATE UNIQUE INDEX name ON public.t USING btree (a, b)`
pub(crate) fn index_definition(table: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (name, table) = (identifier(&index.name), identifier(table));
    let predicate = index
        .predicate
        .as_ref()
        .map(|text| format!(" WHERE {text}"))
        .unwrap_or_default();
    format!(
        "CREATE {unique}INDEX {name} ON public.{table} USING btree ({}){predicate}",
        index_terms(index).join(", ")
    )
}

/// The terms of an index as they are shown.
pub(crate) fn index_terms(index: &Index) -> Vec<String> {
    index.terms.iter().map(Term::shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_counts_is_shown_by_its_sequence() {
        assert_eq!(default("5", &PgType::Int4), "5");
    }
}
