//! Which relations are found by their names alone, and how the others are shown: behind their schemas.

use std::collections::HashSet;

use crate::pg_catalog::describe::identifier;
use crate::sequence::SequenceInfo;
use crate::stored_name;
use crate::table_info::TableInfo;

/// The relations of a database, and the search path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Visible {
    path: Vec<String>,
    /// Stored names.
    lasting: HashSet<String>,
    /// Those of the session's own.
    temporary: HashSet<String>,
    /// The stored names of the types that users have made.
    types: HashSet<String>,
}

impl Visible {
    pub(crate) fn of(tables: &[TableInfo], sequences: &[SequenceInfo], path: &[String]) -> Self {
        let names = |temporary: bool| {
            let tables = tables
                .iter()
                .filter(move |table| table.temporary == temporary);
            tables.map(|table| table.name.clone())
        };
        let sequences = sequences.iter().map(|sequence| sequence.name.clone());
        Self {
            path: path.to_vec(),
            lasting: names(false).chain(sequences).collect(),
            temporary: names(true).collect(),
            types: HashSet::new(),
        }
    }

    /// With the types of these stored names.
    pub(crate) fn with_types(self, types: impl Iterator<Item = String>) -> Self {
        Self {
            types: types.collect(),
            ..self
        }
    }

    /// Whether a type that a user has made is found by its name alone.
    pub(crate) fn is_type_visible(&self, stored: &str) -> bool {
        let (schema, name) = stored_name::split(stored);
        let mut path = self.path.iter();
        let found = path.find(|place| self.types.contains(&stored_name::join(place, name)));
        found.is_some_and(|found| found == schema)
    }

    /// A type that a user has made as definitions show it.
    pub(crate) fn type_name(&self, stored: &str) -> String {
        let (schema, name) = stored_name::split(stored);
        if self.is_type_visible(stored) {
            return identifier(name);
        }
        format!("{}.{}", identifier(schema), identifier(name))
    }

    /// A relation of the database as definitions show it.
    pub(crate) fn lasting(&self, stored: &str) -> String {
        let (schema, name) = stored_name::split(stored);
        let mut path = self.path.iter();
        let found = path.find(|place| self.lasting.contains(&stored_name::join(place, name)));
        let hidden = self.temporary.contains(name);
        if !hidden && found.is_some_and(|found| found == schema) {
            return identifier(name);
        }
        format!("{}.{}", identifier(schema), identifier(name))
    }

    /// A relation of the database, or of the session's own.
    pub(crate) fn relation(&self, temporary: bool, name: &str) -> String {
        if temporary {
            return identifier(name);
        }
        self.lasting(name)
    }
}
