//! The order of jsonb: by kind, then by the number of elements, then by the elements.

use std::cmp::Ordering;

use pgtypes::json::Json;

/// Compares two documents.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (Json::parse(a), Json::parse(b)) {
        (Ok(a), Ok(b)) => compare_documents(&a, &b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// A scalar by itself counts as an array of one element, which is less than another such array:
/// only the empty array comes before it.
pub(crate) fn compare_documents(a: &Json, b: &Json) -> Ordering {
    match (a, b) {
        (Json::Array(elements), scalar) if scalar.is_scalar() => against_scalar(elements),
        (scalar, Json::Array(elements)) if scalar.is_scalar() => against_scalar(elements).reverse(),
        _ => compare_values(a, b),
    }
}

fn against_scalar(elements: &[Json]) -> Ordering {
    if elements.is_empty() {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn rank(value: &Json) -> u8 {
    match value {
        Json::Null => 0,
        Json::String(_) => 1,
        Json::Number(_) => 2,
        Json::Bool(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}

fn compare_values(a: &Json, b: &Json) -> Ordering {
    match (a, b) {
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (Json::Number(a), Json::Number(b)) => crate::numeric::compare(a, b),
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::Array(a), Json::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
            let mut orders = a.iter().zip(b).map(|(a, b)| compare_values(a, b));
            orders
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        }),
        (Json::Object(a), Json::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
            let mut orders = a.iter().zip(b).map(|((a_key, a), (b_key, b))| {
                a_key.cmp(b_key).then_with(|| compare_values(a, b))
            });
            orders
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        }),
        _ => rank(a).cmp(&rank(b)),
    }
}
