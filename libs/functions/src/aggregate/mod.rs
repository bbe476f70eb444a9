//! Aggregates: one for each type of argument, as PostgreSQL has them.
//!
//! The least and the greatest value need none: SQLite's own `min` and `max` order by the collation
//! of their argument.

mod array;
mod bits;
mod double;
mod exact;
mod join;
mod one_row;
mod ordered;
mod regression;
mod replayed;
mod sum;
mod variance;

pub(crate) use crate::aggregate::ordered::fraction;
use crate::registry::AggregateSpec;

/// Every list of aggregates.
pub(crate) const AGGREGATES: &[&[AggregateSpec]] = &[
    array::AGGREGATES,
    bits::AGGREGATES,
    double::AGGREGATES,
    join::AGGREGATES,
    one_row::AGGREGATES,
    ordered::AGGREGATES,
    regression::AGGREGATES,
    sum::AGGREGATES,
    variance::AGGREGATES,
];
