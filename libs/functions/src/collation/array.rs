//! The order of arrays: by their elements, then by their number, then by their dimensions.

use std::cmp::Ordering;

use pgtypes::{Date, Timestamp, single_byte};

use crate::array::Array;
use crate::collation::{Collation, by_inet, by_interval, by_jsonb, by_key, by_timetz};

/// The collations of arrays, by what their elements are.
pub(super) const COLLATIONS: &[Collation] = &[
    Collation {
        name: "pg_array_number",
        compare: |a, b| compare(a, b, crate::numeric::compare),
    },
    Collation {
        name: "pg_array_text",
        compare: |a, b| compare(a, b, str::cmp),
    },
    Collation {
        name: "pg_array_char",
        compare: |a, b| compare(a, b, by_byte),
    },
    Collation {
        name: "pg_array_bpchar",
        compare: |a, b| compare(a, b, by_bpchar),
    },
    Collation {
        name: "pg_array_date",
        compare: |a, b| compare(a, b, by_date),
    },
    Collation {
        name: "pg_array_timestamp",
        compare: |a, b| compare(a, b, by_timestamp),
    },
    Collation {
        name: "pg_array_interval",
        compare: |a, b| compare(a, b, by_interval),
    },
    Collation {
        name: "pg_array_timetz",
        compare: |a, b| compare(a, b, by_timetz),
    },
    Collation {
        name: "pg_array_jsonb",
        compare: |a, b| compare(a, b, by_jsonb),
    },
    Collation {
        name: "pg_array_inet",
        compare: |a, b| compare(a, b, by_inet),
    },
];

pub(super) fn by_byte(a: &str, b: &str) -> Ordering {
    single_byte::byte(a).cmp(&single_byte::byte(b))
}

/// Blanks at the end of a `char(n)` do not count.
pub(crate) fn by_bpchar(a: &str, b: &str) -> Ordering {
    a.trim_end_matches(' ').cmp(b.trim_end_matches(' '))
}

pub(crate) fn by_date(a: &str, b: &str) -> Ordering {
    by_key(a, b, |text| Date::parse(text).ok().map(Date::days))
}

pub(crate) fn by_timestamp(a: &str, b: &str) -> Ordering {
    by_key(a, b, |text| {
        let moment = Timestamp::parse_any(text).ok();
        moment.map(|(moment, _)| moment.micros())
    })
}

/// Compares two arrays whose elements compare so. NULL is behind every value.
fn compare(a: &str, b: &str, elements: impl Fn(&str, &str) -> Ordering) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (left, right) = match (Array::parse(a), Array::parse(b)) {
        (Ok(left), Ok(right)) => (left, right),
        (Ok(_), Err(_)) => return Ordering::Less,
        (Err(_), Ok(_)) => return Ordering::Greater,
        (Err(_), Err(_)) => return a.cmp(b),
    };
    let pairs = left.leaves().zip(right.leaves());
    let first = pairs
        .map(|pair| match pair {
            (Some(a), Some(b)) => elements(a, b),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        })
        .find(|order| order.is_ne());
    first.unwrap_or_else(|| shape(&left).cmp(&shape(&right)))
}

/// Elements in all, dimensions, and the length and the lower bound of each.
fn shape(array: &Array) -> (usize, usize, Vec<usize>, Vec<i64>) {
    let lengths = array.lengths();
    let bounds = (0..lengths.len()).map(|dimension| array.lower_bound(dimension));
    let bounds = bounds.collect();
    (array.leaves().count(), lengths.len(), lengths, bounds)
}

#[cfg(test)]
mod tests {
    use crate::collation::tests::check;

    #[test]
    fn arrays_are_ordered_by_their_elements_first() {
        check(
            "pg_array_number",
            &[
                "{}",
                "{1}",
                "{1.0,2}|{1,2}",
                "{1,2,3}",
                "{1,NULL}",
                "{2}",
                "{10}",
                "{NaN}",
                "{NULL}",
                "no array",
            ],
        );
        check(
            "pg_array_text",
            &["{}", "{\"\"}", "{10}", "{2}", "{a}|{ a }", "{a,b}", "{b}"],
        );
    }

    #[test]
    fn bounds_count_where_elements_are_alike() {
        check(
            "pg_array_number",
            &["[0:1]={1,2}", "{1,2}|[1:2]={1,2}", "{{1,2}}", "{{1},{2}}"],
        );
    }

    #[test]
    fn elements_are_compared_as_values_of_their_type() {
        check("pg_array_bpchar", &["{a}|{\"a  \"}", "{b}"]);
        check("pg_array_char", &["{a}", "{\"\\\\303\"}"]);
        check(
            "pg_array_date",
            &[
                "{-infinity}",
                "{\"0044-03-15 BC\"}",
                "{0001-01-01}",
                "{2024-01-31}",
                "{10000-01-01}",
                "{infinity}",
            ],
        );
        check(
            "pg_array_timestamp",
            &[
                "{\"0044-03-15 10:00:00 BC\"}",
                "{\"2024-01-31 10:00:00+00\"}",
                "{\"10000-01-01 00:00:00\"}",
            ],
        );
        check(
            "pg_array_interval",
            &["{23:00:00}", "{\"1 day\"}|{24:00:00}", "{\"1 mon\"}"],
        );
        check("pg_array_timetz", &["{09:00:00+00}", "{10:00:00+00}"]);
        check("pg_array_jsonb", &["{1}|{1.0}", "{2}", "{\"[1]\"}"]);
        check(
            "pg_array_inet",
            &["{9.9.9.9}", "{10.0.0.0/8}", "{10.0.0.1}"],
        );
    }
}
