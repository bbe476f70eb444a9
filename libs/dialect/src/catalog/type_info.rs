//! The types of the catalog.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::TypeId;
use super::row::{Row, optional, read};
use super::user_type::user_type;

const DATA: &str = include_str!("data/types.tsv");

/// What sort of type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// Values stand for themselves.
    Base,
    /// Only for the arguments and results of functions.
    Pseudo,
    /// A range of values of another type.
    Range,
    /// A set of ranges.
    Multirange,
    /// A user's, of values that have labels.
    Enum,
    /// A user's, of values of another type.
    Domain,
    /// A user's, of rows.
    Composite,
}

/// What the catalog says about a type.
#[derive(Clone, Debug)]
pub struct TypeInfo {
    /// The number.
    pub id: TypeId,
    /// The name in the catalog, `varchar`.
    pub catalog_name: &'static str,
    /// The name in messages, `character varying`.
    pub name: &'static str,
    /// What sort of type it is.
    pub kind: TypeKind,
    /// The letter of the group in which operators and functions are sought.
    pub category: char,
    /// The type of its category that wins where several would do.
    pub preferred: bool,
    /// For an array the type of its elements.
    pub element: Option<TypeId>,
    /// The type of arrays of it.
    pub array: Option<TypeId>,
    /// Values are compared by a collation.
    pub collatable: bool,
    /// For a range the type of its bounds, for a multirange the range.
    pub spans: Option<TypeId>,
}

struct Types {
    /// In the order of their numbers.
    entries: Vec<TypeInfo>,
    by_name: HashMap<&'static str, TypeId>,
}

fn entry(row: &mut Row) -> Option<TypeInfo> {
    Some(TypeInfo {
        id: row.type_id()?,
        catalog_name: row.text()?,
        name: row.text()?,
        kind: match row.text()? {
            "b" => TypeKind::Base,
            "p" => TypeKind::Pseudo,
            "r" => TypeKind::Range,
            "m" => TypeKind::Multirange,
            _ => return None,
        },
        category: row.letter()?,
        preferred: row.boolean()?,
        element: optional(row.type_id()?),
        array: optional(row.type_id()?),
        collatable: row.boolean()?,
        spans: optional(row.type_id()?),
    })
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| {
        let mut entries = read(DATA, entry);
        entries.sort_unstable_by_key(|entry| entry.id);
        let by_name = entries.iter().map(|e| (e.catalog_name, e.id)).collect();
        Types { entries, by_name }
    })
}

/// All types, in the order of their numbers.
pub fn all() -> &'static [TypeInfo] {
    &types().entries
}

/// The type of a number.
pub(super) fn type_info(id: TypeId) -> Option<&'static TypeInfo> {
    let entries = &types().entries;
    match entries.binary_search_by_key(&id, |entry| entry.id) {
        Ok(at) => entries.get(at),
        Err(_) => user_type(id),
    }
}

/// The multirange of a range.
pub(crate) fn multirange_of(range: TypeId) -> Option<TypeId> {
    let is_set = |entry: &&TypeInfo| entry.kind == TypeKind::Multirange;
    let mut sets = types().entries.iter().filter(is_set);
    sets.find(|entry| entry.spans == Some(range))
        .map(|entry| entry.id)
}

/// The type that the catalog has under this name: `int4`, `varchar`, `_int4`.
pub fn type_by_name(name: &str) -> Option<TypeId> {
    types().by_name.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(types().entries.len(), DATA.lines().count());
        assert_eq!(types().by_name.len(), DATA.lines().count());
    }

    #[test]
    fn types_are_known_by_the_names_of_the_catalog() {
        assert_eq!(type_by_name("int4"), Some(TypeId::INT4));
        assert_eq!(type_by_name("char"), Some(TypeId::CHAR));
        assert_eq!(type_by_name("_varchar"), Some(TypeId::VARCHAR_ARRAY));
        assert_eq!(type_by_name("integer"), None);
    }

    #[test]
    fn element_and_array_refer_to_each_other() {
        for entry in &types().entries {
            if let Some(array) = entry.array {
                assert_eq!(array.element(), Some(entry.id), "{}", entry.name);
            }
        }
    }
}
