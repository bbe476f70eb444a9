//! The order of arrays: by their elements, and only then by their bounds.

use std::cmp::Ordering;

use pgtypes::{Date, SqlValueRef, Timestamp};

use crate::arguments::{Answer, integer, text, whole};
use crate::array::Array;
use crate::collation::collations;
use crate::io::oid;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_array_cmp", 3, compared)];

/// `pg_array_cmp(a, b, type of the elements)`: -1, 0 or 1.
fn compared(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = (
        Array::parse(text(arguments, 0)?)?,
        Array::parse(text(arguments, 1)?)?,
    );
    let ty = integer(arguments, 2)?;
    whole(match order(&a, &b, ty) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

fn order(a: &Array, b: &Array, ty: i64) -> Ordering {
    let elements = a.leaves().zip(b.leaves()).map(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => elements_order(a, b, ty),
        // NULL comes behind every value.
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    let bounds = |array: &Array| -> Vec<i64> {
        let dimensions = array.lengths().len();
        (0..dimensions).map(|at| array.lower_bound(at)).collect()
    };
    elements
        .fold(Ordering::Equal, Ordering::then)
        .then_with(|| a.leaves().count().cmp(&b.leaves().count()))
        .then_with(|| a.lengths().len().cmp(&b.lengths().len()))
        .then_with(|| a.lengths().cmp(&b.lengths()))
        .then_with(|| bounds(a).cmp(&bounds(b)))
}

/// Two elements by the order of their type, which for most is that of their texts.
pub(super) fn elements_order(a: &str, b: &str, ty: i64) -> Ordering {
    let collation = match ty {
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => {
            "pg_numeric"
        }
        oid::INTERVAL => "pg_interval",
        oid::TIMETZ => "pg_timetz",
        oid::JSONB => "pg_jsonb",
        oid::INET | oid::CIDR => "pg_inet",
        oid::DATE => return by(a, b, |text| Date::parse(text).ok().map(Date::days)),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            return by(a, b, |text| {
                let moment = Timestamp::parse_any(text).ok();
                moment.map(|(moment, _)| moment.micros())
            });
        }
        _ => return a.cmp(b),
    };
    let found = collations().iter().find(|known| known.name == collation);
    found.map_or_else(|| a.cmp(b), |known| (known.compare)(a, b))
}

fn by<K: Ord>(a: &str, b: &str, key: impl Fn(&str) -> Option<K>) -> Ordering {
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(a: &str, b: &str, ty: i64) -> Ordering {
        order(&Array::parse(a).unwrap(), &Array::parse(b).unwrap(), ty)
    }

    #[test]
    fn arrays_are_ordered_by_their_elements_first() {
        assert_eq!(is("{2}", "{10}", oid::INT4), Ordering::Less);
        assert_eq!(is("{2}", "{10}", 25), Ordering::Greater);
        assert_eq!(is("{1.0}", "{1.00}", oid::NUMERIC), Ordering::Equal);
        assert_eq!(is("{1,2}", "{1,2,3}", oid::INT4), Ordering::Less);
        assert_eq!(is("{1,NULL}", "{1,3}", oid::INT4), Ordering::Greater);
        assert_eq!(is("{}", "{1}", oid::INT4), Ordering::Less);
    }

    #[test]
    fn bounds_count_where_elements_are_alike() {
        assert_eq!(is("{1,2}", "[0:1]={1,2}", oid::INT4), Ordering::Greater);
        assert_eq!(is("{{1},{2}}", "{{1,2}}", oid::INT4), Ordering::Greater);
    }
}
