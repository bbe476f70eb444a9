//! Elements of arrays in the order of their type.

use std::cmp::Ordering;

use crate::collation;
use crate::io::oid;

/// Two elements by the order of their type, which for most is that of their texts.
pub(super) fn elements_order(a: &str, b: &str, ty: i64) -> Ordering {
    match ty {
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => {
            crate::numeric::compare(a, b)
        }
        oid::INTERVAL => collation::by_interval(a, b),
        oid::TIMETZ => collation::by_timetz(a, b),
        oid::JSONB => collation::by_jsonb(a, b),
        oid::INET | oid::CIDR => collation::by_inet(a, b),
        oid::DATE => collation::by_date(a, b),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => collation::by_timestamp(a, b),
        oid::BPCHAR => collation::by_bpchar(a, b),
        _ => a.cmp(b),
    }
}
