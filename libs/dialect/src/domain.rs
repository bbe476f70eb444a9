//! Domains: types that users make of others, with conditions. A column of one is a column of the base type whose checks
//! carry the domain's name.

use pgtypes::PgType;
use pgtypes::array::{Array, Element};

use crate::catalog::{TypeId, enter_domain};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Its number in `pg_type`.
    pub oid: u32,
    /// What its values are.
    pub base: PgType,
    /// NOT NULL.
    pub not_null: bool,
    /// What a column without a default of its own gets, as the client wrote it.
    pub default: Option<String>,
    /// The name and the condition of each CHECK, as the client wrote it.
    pub checks: Vec<(String, String)>,
}

/// What stands before the name of a domain behind a column's type.
const MARKER: &str = "domain ";
/// The check that stands for NOT NULL.
const NOT_NULL: &str = "not null";

impl Domain {
    /// The table.
    pub const TABLE: &'static str = "eloqdb_domain";
    /// What reads it: name, number and definition.
    pub const READ: &'static str =
        "SELECT name, oid, definition FROM main.eloqdb_domain ORDER BY name";
    /// What makes it.
    pub(crate) const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS main.eloqdb_domain (name TEXT NOT NULL PRIMARY KEY, \
        oid INTEGER NOT NULL UNIQUE, definition TEXT NOT NULL) WITHOUT ROWID";

    /// A domain as its row says; `None` where the definition is none, or its number is that of another name.
    pub fn read(name: &str, oid: u32, definition: &str) -> Option<Self> {
        let array = Array::parse(definition).ok()?;
        let mut parts = array.leaves();
        let base = PgType::parse(parts.next()??)?;
        let not_null = parts.next()?? == "t";
        let default = parts.next()?.map(str::to_owned);
        let mut checks = Vec::new();
        while let Some(Some(check)) = parts.next() {
            checks.push((check.to_owned(), parts.next()??.to_owned()));
        }
        enter_domain(oid, name, TypeId::new(base.oid().get()).category())?;
        Some(Self {
            name: name.to_owned(),
            oid,
            base,
            not_null,
            default,
            checks,
        })
    }

    /// How its row says what it is.
    pub(crate) fn definition(&self) -> String {
        let text = |text: &str| Element::Value(text.to_owned());
        let not_null = if self.not_null { "t" } else { "f" };
        let mut parts = vec![text(&self.base.declaration()), text(not_null)];
        parts.push(self.default.as_deref().map_or(Element::Null, text));
        for (name, check) in &self.checks {
            parts.extend([text(name), text(check)]);
        }
        Array::new(parts).to_string()
    }

    /// What stands behind the type of a column.
    pub(crate) fn marker(&self) -> String {
        format!("{MARKER}{}", self.name)
    }

    /// The name of a check in a table's text.
    pub(crate) fn check_name(&self, check: &str) -> String {
        format!("{MARKER}{}: {check}", self.name)
    }

    /// The name of the check that stands for NOT NULL there.
    pub(crate) fn not_null_name(&self) -> String {
        self.check_name(NOT_NULL)
    }
}

/// The domain that the comment behind a column's type names.
pub(crate) fn of_marker(marker: &str) -> Option<&str> {
    marker.strip_prefix(MARKER)
}

/// Whether a check of this name is that of a domain.
pub(crate) fn is_check(name: &str) -> bool {
    name.starts_with(MARKER) && name.contains(": ")
}

/// A condition over VALUE as one over a column.
pub(crate) fn over_column(condition: &str, column: &str) -> Result<String, DialectError> {
    let src = Source::new(condition)?;
    let mut out = String::new();
    let mut end = 0;
    for at in 0..src.len() {
        if !src.is(at, "VALUE") || (at > 0 && src.sign(at - 1, ".")) {
            continue;
        }
        out.push_str(condition.get(end..src.start(at)).unwrap_or_default());
        out.push_str(&quote_name(column));
        end = src.end_before(at + 1);
    }
    out.push_str(condition.get(end..).unwrap_or_default());
    Ok(out)
}

/// The domain of that name.
pub(crate) fn find(schema: &dyn SchemaView, name: &str) -> Option<Domain> {
    let mut domains = schema.domains().into_iter();
    domains.find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_read_back() {
        let domain = Domain {
            name: "posint_read_back".to_owned(),
            oid: 920_001,
            base: PgType::Int4,
            not_null: true,
            default: None,
            checks: vec![(
                "posint_check".to_owned(),
                "VALUE > 0 AND \"x\" <> '{'".to_owned(),
            )],
        };
        let read = Domain::read(&domain.name, domain.oid, &domain.definition());
        assert_eq!(read.as_ref(), Some(&domain));
        assert_eq!(
            Domain::read("other", domain.oid, &domain.definition()),
            None
        );
    }

    #[test]
    fn a_condition_is_brought_over_a_column() {
        let over = over_column("value > 0 OR 'value' = x.value", "a b").unwrap();
        assert_eq!(over, "\"a b\" > 0 OR 'value' = x.value");
        assert!(is_check("domain posint: posint_check") && !is_check("domain x"));
    }
}
