//! Collations: how SQLite compares the stored text of types whose order is not that of bytes.

mod array;
mod jsonb;

pub(crate) use crate::collation::array::{by_bpchar, by_date, by_timestamp};
pub(crate) use crate::collation::jsonb::{compare as by_jsonb, compare_documents};

use std::cmp::Ordering;

use pgtypes::calendar::DAY;
use pgtypes::{Interval, Timetz};

use pgtypes::Inet;

/// A collation to register.
#[derive(Clone, Copy, Debug)]
pub struct Collation {
    /// The name in SQL.
    pub name: &'static str,
    /// Compares two stored values. Text that is no value of the type comes behind all that is, so
    /// that every index has one order.
    pub compare: fn(&str, &str) -> Ordering,
}

/// The collations of values that are no arrays.
const OF_VALUES: &[Collation] = &[
    Collation {
        name: "pg_numeric",
        compare: crate::numeric::compare,
    },
    Collation {
        name: "pg_interval",
        compare: by_interval,
    },
    Collation {
        name: "pg_timetz",
        compare: by_timetz,
    },
    Collation {
        name: "pg_jsonb",
        compare: by_jsonb,
    },
    Collation {
        name: "pg_inet",
        compare: by_inet,
    },
    Collation {
        name: "pg_char",
        compare: array::by_byte,
    },
];

/// Every collation.
pub fn collations() -> impl Iterator<Item = &'static Collation> {
    OF_VALUES.iter().chain(array::COLLATIONS)
}

pub(crate) fn by_interval(a: &str, b: &str) -> Ordering {
    by_key(a, b, interval_key)
}

pub(crate) fn by_timetz(a: &str, b: &str) -> Ordering {
    by_key(a, b, timetz_key)
}

pub(crate) fn by_inet(a: &str, b: &str) -> Ordering {
    by_key(a, b, |text| Inet::parse(text).ok())
}

fn by_key<K: Ord>(a: &str, b: &str, key: impl Fn(&str) -> Option<K>) -> Ordering {
    match (key(a), key(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The length of an interval in microseconds, a month being 30 days and a day 24 hours.
pub(crate) fn interval_length(span: Interval) -> i128 {
    let days = i128::from(span.months) * 30 + i128::from(span.days);
    days * i128::from(DAY) + i128::from(span.micros)
}

fn interval_key(text: &str) -> Option<i128> {
    Interval::parse(text).ok().map(interval_length)
}

/// The moment in UTC, and where two are the same, the zones from east to west.
pub(crate) fn timetz_order(value: Timetz) -> (i64, i64) {
    let east = i64::from(value.offset_seconds);
    (value.time.micros() - east * 1_000_000, -east)
}

fn timetz_key(text: &str) -> Option<(i64, i64)> {
    Timetz::parse(text, None).ok().map(timetz_order)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::collations;

    /// Each text is less than the next; those in one string, split at bars, are equal.
    pub(super) fn check(name: &str, ascending: &[&str]) {
        let found = collations().find(|collation| collation.name == name);
        let compare = found.unwrap().compare;
        for (at, group) in ascending.iter().enumerate() {
            for (other_at, other_group) in ascending.iter().enumerate() {
                for a in group.split('|') {
                    for b in other_group.split('|') {
                        let order: Ordering = at.cmp(&other_at);
                        assert_eq!(compare(a, b), order, "{name}: {a} and {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn numerics_are_ordered_by_value() {
        check(
            "pg_numeric",
            &[
                "-Infinity",
                "-100000000000000000000000000000000000000000",
                "-2.50|-2.5",
                "-1",
                "0|0.00",
                "0.00000000000000000000000000000000000000000000001",
                "1.0|1",
                "9.99",
                "10",
                "123456789012345678901234567890.1",
                "Infinity",
                "NaN",
                "no number",
            ],
        );
    }

    #[test]
    fn intervals_are_ordered_by_length() {
        check(
            "pg_interval",
            &[
                "-1 days",
                "00:00:00",
                "23:59:59.999999",
                "1 day|24:00:00",
                "29 days",
                "1 mon|30 days|29 days 24:00:00",
                "1 year|360 days",
            ],
        );
    }

    #[test]
    fn times_with_zone_are_ordered_by_moment_and_then_from_east_to_west() {
        check(
            "pg_timetz",
            &["10:00:00+01", "09:00:00+00", "10:00:00+00", "10:00:00-08"],
        );
    }

    #[test]
    fn single_bytes_are_ordered_by_their_numbers() {
        check("pg_char", &["", "A", "Z", "\\", "a", "\\303", "\\377"]);
    }

    #[test]
    fn networks_are_ordered_by_family_network_and_address() {
        check(
            "pg_inet",
            &[
                "9.9.9.9",
                "10.0.0.0/8",
                "10.0.0.1/8",
                "10.0.0.0/16",
                "10.0.0.0|10.0.0.0/32",
                "10.0.0.1",
                "192.168.1.5",
                "::1",
                "2001:db8::/32",
            ],
        );
    }

    #[test]
    fn documents_have_the_order_of_jsonb() {
        check(
            "pg_jsonb",
            &[
                "[]",
                "null",
                "\"A\"",
                "\"a\"",
                "\"ab\"",
                "1|1.0",
                "2",
                "10",
                "false",
                "true",
                "[1]",
                "[2]",
                "[{}]",
                "[1, 2]",
                "{}",
                "{\"a\": 1}",
                "{\"a\": 2}",
                "{\"aa\": 1}",
                "{\"b\": 1}",
                "{\"a\": 1, \"b\": 2}",
            ],
        );
    }
}
