//! What an index's text says, and how `pg_get_indexdef` shows it.

use pgtypes::PgType;

use crate::analysis::Purpose;
use crate::catalog::{Type, TypeId};
use crate::literal::quote_name;
use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::written::{Definitions, Shown};
use crate::source::Source;
use crate::stored_name;
use crate::table_info::{TableInfo, Written};

/// An index.
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) terms: Vec<Term>,
    pub(crate) predicate: Option<Shown>,
}

/// A term of an index.
pub(crate) struct Term {
    /// The column, if it is one.
    pub(crate) column: Option<String>,
    /// The column's name or the expression.
    pub(crate) shown: Shown,
    /// DESC.
    pub(crate) descending: bool,
    /// SQLite's text, without the order.
    pub(crate) stored: String,
}

/// A term of an index, for those who tell of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexTerm {
    /// As PostgreSQL shows it.
    pub shown: String,
    /// SQLite's text.
    pub stored: String,
    /// The type of its values.
    pub ty: PgType,
}

/// The terms of an index, by SQLite's text of it.
pub fn index_terms(sql: &str, table: &TableInfo) -> Option<Vec<IndexTerm>> {
    let index = read(sql, &Definitions::of(table, &[], &[]))?;
    let terms = index.terms.iter().map(|term| IndexTerm {
        shown: term.text(true),
        stored: term.stored.clone(),
        ty: term
            .attribute(table)
            .1
            .result_type()
            .unwrap_or(PgType::Text),
    });
    Some(terms.collect())
}

impl Term {
    /// A column in ascending order.
    pub(crate) fn column(name: &str) -> Self {
        Self {
            column: Some(name.to_owned()),
            shown: Shown::plain(identifier(name)),
            descending: false,
            stored: quote_name(name),
        }
    }

    fn read(src: &Source<'_>, from: usize, to: usize, definitions: &Definitions<'_>) -> Self {
        let descending = src.is(to - 1, "DESC");
        let to = to - usize::from(src.is_any(to - 1, &["ASC", "DESC"]));
        if let Some(name) = src.name(from).filter(|_| to == from + 1) {
            return Self {
                descending,
                ..Self::column(&name)
            };
        }
        let written = Written::read(src, from, to);
        let shown = written.and_then(|written| definitions.shown(&written, Purpose::IndexTerm));
        Self {
            column: None,
            shown: shown.unwrap_or_else(|| Shown::plain(src.slice(from, to))),
            descending,
            stored: src.slice(from, to).to_owned(),
        }
    }

    /// The term without its order.
    pub(crate) fn text(&self, pretty: bool) -> String {
        let text = if pretty {
            &self.shown.pretty
        } else {
            &self.shown.full
        };
        let collation = if self.shown.collated {
            " COLLATE \"C\""
        } else {
            ""
        };
        if self.column.is_some() || self.shown.call {
            format!("{text}{collation}")
        } else {
            format!("({text}){collation}")
        }
    }

    /// The name and the type of the index's column.
    pub(crate) fn attribute(&self, table: &TableInfo) -> (String, Type) {
        if let Some(name) = &self.column {
            let column = table.columns.iter().find(|column| column.name == *name);
            let ty = column.and_then(|column| column.type_name);
            return (name.clone(), ty.map_or(Type::new(TypeId::TEXT), Type::from));
        }
        match &self.shown.column {
            Some((ty, name)) if name != "?column?" => (name.clone(), *ty),
            Some((ty, _)) => ("expr".to_owned(), *ty),
            None => ("expr".to_owned(), Type::new(TypeId::TEXT)),
        }
    }
}

/// Reads `CREATE [UNIQUE] INDEX name ON t (…) [WHERE …]`.
pub(crate) fn read(sql: &str, definitions: &Definitions<'_>) -> Option<Index> {
    let src = Source::new(sql).ok()?;
    let unique = src.is(1, "UNIQUE");
    let mut at = 2 + usize::from(unique);
    if src.are(at, &["IF", "NOT", "EXISTS"]) {
        at += 3;
    }
    let name = stored_name::base(&src.name(at)?).to_owned();
    let open = (at..src.len()).find(|token| src.sign(*token, "("))?;
    let close = src.partner(open);
    let mut terms = Vec::new();
    let mut start = open + 1;
    while start < close {
        let end = crate::ddl::layout::item_end(&src, start, close);
        terms.push(Term::read(&src, start, end, definitions));
        start = end + 1;
    }
    let predicate = src.is(close + 1, "WHERE").then(|| {
        let written = Written::read(&src, close + 2, src.len());
        let shown =
            written.and_then(|written| definitions.shown(&written, Purpose::IndexCondition));
        shown.unwrap_or_else(|| Shown::plain(src.slice(close + 2, src.len())))
    });
    Some(Index {
        name,
        unique,
        terms,
        predicate,
    })
}

/// The condition of an index as the client wrote it, by SQLite's text of the index.
pub(crate) fn condition(sql: &str) -> Option<String> {
    let src = Source::new(sql).ok()?;
    if !src.is(1, "UNIQUE") {
        return None;
    }
    let open = (0..src.len()).find(|token| src.sign(*token, "("))?;
    let close = src.partner(open);
    src.is(close + 1, "WHERE")
        .then(|| Written::read(&src, close + 2, src.len()))?
        .map(|written| written.sql)
}

/// `CREATE UNIQUE INDEX name ON public.t USING btree (a, b)`
pub(crate) fn definition(table: &str, index: &Index, pretty: bool) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let name = identifier(&index.name);
    let terms: Vec<String> = index
        .terms
        .iter()
        .map(|term| {
            let order = if term.descending { " DESC" } else { "" };
            format!("{}{order}", term.text(pretty))
        })
        .collect();
    let predicate = index.predicate.as_ref().map(|shown| {
        if pretty {
            format!(" WHERE {}", shown.pretty)
        } else {
            format!(" WHERE {}", shown.full)
        }
    });
    format!(
        "CREATE {unique}INDEX {name} ON {table} USING btree ({}){}",
        terms.join(", "),
        predicate.unwrap_or_default()
    )
}
