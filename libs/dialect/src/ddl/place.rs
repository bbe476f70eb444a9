//! Where the object of a statement is: in the database, or among the session's own.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;

/// The name of an object in a statement.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// IF EXISTS was said.
    pub(crate) if_exists: bool,
    /// The schema that was said.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    /// SQLite's schema: `main` or `temp`.
    pub(crate) place: &'static str,
    /// The token behind it.
    pub(crate) to: usize,
}

impl Object {
    /// Reads `[IF EXISTS] [schema.]name`.
    pub(crate) fn read(
        src: &Source<'_>,
        schema: &dyn SchemaView,
        at: usize,
    ) -> Result<Self, DialectError> {
        let if_exists = src.are(at, &["IF", "EXISTS"]);
        let mut at = at + if if_exists { 2 } else { 0 };
        let mut said = None;
        while src.sign(at + 1, ".") {
            said = Some(src.name(at).ok_or_else(|| src.syntax(at))?);
            at += 2;
        }
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        let place = match said.as_deref() {
            Some("pg_temp") => "temp",
            None if schema.is_temporary(&name) => "temp",
            _ => "main",
        };
        // A name behind which a schema was found is a stored one.
        let hidden = said.is_none() && place == "main" && schema.search_path().is_empty();
        let hidden = hidden && !name.contains('.');
        if hidden && !src.is_any(1, &["TEMP", "TEMPORARY"]) {
            return Err(DialectError::new(
                SqlState::INVALID_SCHEMA_NAME,
                "no schema has been selected to create in",
            ));
        }
        Ok(Self {
            if_exists,
            schema: said,
            name,
            place,
            to: at + 1,
        })
    }

    /// Whether the schema that was said is none of those that there are.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.schema.as_deref().is_some_and(|schema| {
            !matches!(
                schema,
                "public" | "pg_temp" | "pg_catalog" | "information_schema"
            )
        })
    }

    /// 3F000.
    pub(crate) fn no_schema(&self) -> DialectError {
        let schema = self.schema.as_deref().unwrap_or_default();
        DialectError::new(
            SqlState::INVALID_SCHEMA_NAME,
            format!("schema \"{schema}\" does not exist"),
        )
    }

    /// As messages name what does not exist.
    pub(crate) fn dotted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// As SQLite's statements name it.
    pub(crate) fn quoted(&self) -> String {
        quoted(self.place, &self.name)
    }
}

/// A name in SQLite's schema.
pub(crate) fn quoted(place: &str, name: &str) -> String {
    if place == "temp" {
        format!("temp.{}", quote_name(name))
    } else {
        format!("main.{}", quote_name(name))
    }
}
