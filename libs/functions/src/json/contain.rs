//! Containment and existence: `@>`, `<@`, `?`, `?|`, `?&`, and comparisons of jsonb.

use pgtypes::json::Json;
use pgtypes::{SqlValueRef, ValueError};

use crate::arguments::{boolean, text, whole};
use crate::array::Array;
use crate::collation::compare_documents;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_jsonb_contains", 2, |a| {
        let (outer, inner) = both(a)?;
        boolean(contains_document(&outer, &inner))
    }),
    Scalar::pure("pg_jsonb_contained", 2, |a| {
        let (inner, outer) = both(a)?;
        boolean(contains_document(&outer, &inner))
    }),
    Scalar::pure("pg_jsonb_exists", 2, |a| {
        boolean(exists(&Json::parse(text(a, 0)?)?, text(a, 1)?))
    }),
    Scalar::pure("pg_jsonb_exists_any", 2, |a| {
        let (document, keys) = (
            Json::parse(text(a, 0)?)?,
            Array::parse(text(a, 1)?)?.texts(),
        );
        boolean(keys.iter().any(|key| exists(&document, key)))
    }),
    Scalar::pure("pg_jsonb_exists_all", 2, |a| {
        let (document, keys) = (
            Json::parse(text(a, 0)?)?,
            Array::parse(text(a, 1)?)?.texts(),
        );
        boolean(keys.iter().all(|key| exists(&document, key)))
    }),
    Scalar::pure("pg_jsonb_cmp", 2, |a| {
        let (a, b) = both(a)?;
        whole(compare_documents(&a, &b) as i64)
    }),
];

fn both(arguments: &[SqlValueRef<'_>]) -> Result<(Json, Json), ValueError> {
    Ok((
        Json::parse(text(arguments, 0)?)?,
        Json::parse(text(arguments, 1)?)?,
    ))
}

/// A string is a key of an object, an element of an array, or the document itself.
fn exists(document: &Json, key: &str) -> bool {
    match document {
        Json::Object(_) => document.member(key).is_some(),
        Json::Array(elements) => elements
            .iter()
            .any(|element| matches!(element, Json::String(text) if text == key)),
        Json::String(text) => text == key,
        _ => false,
    }
}

/// A scalar by itself counts as an array of it: an array of scalars contains one of them.
fn contains_document(outer: &Json, inner: &Json) -> bool {
    match (outer, inner) {
        (Json::Array(elements), scalar) if scalar.is_scalar() => {
            elements.iter().any(|element| same(element, scalar))
        }
        _ => contains(outer, inner),
    }
}

fn contains(outer: &Json, inner: &Json) -> bool {
    match (outer, inner) {
        (Json::Object(_), Json::Object(members)) => members.iter().all(|(key, value)| {
            outer
                .member(key)
                .is_some_and(|found| contains(found, value))
        }),
        (Json::Array(outer), Json::Array(inner)) => inner
            .iter()
            .all(|value| outer.iter().any(|found| contains(found, value))),
        (outer, inner) => same(outer, inner),
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => crate::numeric::compare(a, b).is_eq(),
        (a, b) => a.is_scalar() && a == b,
    }
}
