//! Definitions as `pg_get_constraintdef` and `pg_get_indexdef` print them.

use pgtypes::PgType;

use crate::expr::coerce::json_literal;
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

/// A name, quoted where PostgreSQL would quote it.
pub fn identifier(name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .bytes()
            .enumerate()
            .all(|(at, c)| c.is_ascii_lowercase() || c == b'_' || (at > 0 && c.is_ascii_digit()));
    if plain {
        name.to_owned()
    } else {
        crate::literal::quote_name(name)
    }
}

/// A default as PostgreSQL would print it, from SQLite's text: what translation put in is taken out again.
pub(crate) fn default(text: &str, ty: &PgType) -> String {
    if let Some(name) = default_literal(text) {
        return format!("nextval({}::regclass)", quote(&name));
    }
    let literal = text
        .strip_prefix("CAST(")
        .and_then(|rest| rest.strip_suffix(" AS TEXT)"))
        .filter(|literal| literal.starts_with('\'') && literal.ends_with('\''));
    let checked = || {
        let length = text.len().checked_sub(json_literal("").len() - 6)? / 3;
        let literal = text.get("iif(json_valid(".len()..)?.get(..length)?;
        let value = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        (json_literal(&value.replace("''", "'")) == text).then_some(literal)
    };
    if let Some(literal) = literal.or_else(checked) {
        return format!("{literal}::{}", ty.name());
    }
    match text {
        "(eq_to_date(now()))" | "eq_to_date(now())" => "CURRENT_DATE".to_owned(),
        "(eq_to_timestamp(now()))" => "LOCALTIMESTAMP".to_owned(),
        "(now())" => "now()".to_owned(),
        other => other.to_owned(),
    }
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

/// What an index's text says.
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    /// Terms as they are written; a plain column by its name.
    pub(crate) terms: Vec<String>,
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
        let single = end == start + 1;
        let name = src.name(start).filter(|_| single);
        terms.push(name.unwrap_or_else(|| src.slice(start, end).to_owned()));
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
        index.terms.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_shown_without_what_translation_added() {
        let json = PgType::Jsonb;
        assert_eq!(default("CAST('{}' AS TEXT)", &json), "'{}'::jsonb");
        assert_eq!(
            default("(eq_to_date(now()))", &PgType::Date),
            "CURRENT_DATE"
        );
        assert_eq!(default(&json_literal("{}"), &json), "'{}'::jsonb");
        assert_eq!(default(&json_literal("it's"), &json), "'it''s'::jsonb");
        assert_eq!(default("5", &PgType::Int4), "5");
    }
}
