//! Types that users have made, by their numbers. A number comes from the name, so that it means the same in all databases;
//! what is known of one is kept as long as the process runs.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::TypeId;
use super::type_info::{TypeInfo, TypeKind};
use crate::stored_name;

/// The first number that users' objects have.
const FIRST: u32 = 16_384;

/// More types than this are not kept apart: one more is refused.
const MOST: usize = 100_000;

static KNOWN: LazyLock<RwLock<HashMap<u32, &'static TypeInfo>>> = LazyLock::new(RwLock::default);

/// What is known of a user's type.
pub(super) fn user_type(id: TypeId) -> Option<&'static TypeInfo> {
    if id.get() < FIRST {
        return None;
    }
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.get(&id.get()).copied()
}

/// Makes an enum known; `None` where the number is that of another name.
pub(crate) fn enter_enum(number: u32, name: &str) -> Option<TypeId> {
    enter(number, name, (TypeKind::Enum, 'E'))
}

/// The same of a domain, whose base type is of a category.
pub(crate) fn enter_domain(number: u32, name: &str, category: char) -> Option<TypeId> {
    enter(number, name, (TypeKind::Domain, category))
}

/// The same of a composite type and of the type of its arrays, which has a number of its own.
pub(crate) fn enter_composite((number, array): (u32, u32), name: &str) -> Option<TypeId> {
    let (id, of_arrays) = (TypeId::new(number), TypeId::new(array));
    let (schema, base) = (stored_name::schema(name), stored_name::base(name));
    let array_name = stored_name::join(schema, &format!("_{base}"));
    let shown = format!("{}[]", stored_name::shown(name));
    let entry = Entry {
        kind: (TypeKind::Base, 'A'),
        shown,
        element: Some(id),
        array: None,
    };
    enter_entry(of_arrays, &array_name, entry)?;
    let entry = Entry {
        kind: (TypeKind::Composite, 'C'),
        shown: stored_name::shown(name),
        element: None,
        array: Some(of_arrays),
    };
    enter_entry(id, name, entry)
}

/// What is known of a type beside its number and its name.
struct Entry {
    kind: (TypeKind, char),
    shown: String,
    element: Option<TypeId>,
    array: Option<TypeId>,
}

fn enter(number: u32, name: &str, kind: (TypeKind, char)) -> Option<TypeId> {
    let shown = stored_name::shown(name);
    let entry = Entry {
        kind,
        shown,
        element: None,
        array: None,
    };
    enter_entry(TypeId::new(number), name, entry)
}

fn enter_entry(id: TypeId, name: &str, new: Entry) -> Option<TypeId> {
    let (kind, category) = new.kind;
    if let Some(known) = id.info() {
        return (known.catalog_name == name && known.kind == kind).then_some(id);
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST {
        return None;
    }
    let entry = known.entry(id.get()).or_insert_with(|| {
        Box::leak(Box::new(TypeInfo {
            id,
            catalog_name: Box::leak(name.to_owned().into_boxed_str()),
            name: Box::leak(new.shown.into_boxed_str()),
            kind,
            category,
            preferred: false,
            element: new.element,
            array: new.array,
            collatable: false,
            spans: None,
        }))
    });
    (entry.catalog_name == name && entry.kind == kind).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_name() {
        let id = enter_enum(910_001, "Mood of one").unwrap();
        assert_eq!(id.name(), "\"Mood of one\"");
        assert_eq!(id.category(), 'E');
        assert!(id.is_enum() && id.is_supported());
        assert_eq!(enter_enum(910_001, "Mood of one"), Some(id));
        assert_eq!(enter_enum(910_001, "other"), None);
        assert_eq!(enter_enum(23, "int4x"), None);
    }
}
