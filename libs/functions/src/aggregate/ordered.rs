//! Aggregates of ordered sets: percentiles and the most frequent value. The fraction comes first,
//! the value behind it.

use std::cmp::Ordering;

use pgtypes::{Interval, SqlState, SqlValue, SqlValueRef, ValueError};

use crate::aggregate::replayed::{Replayed, not_here};
use crate::arguments::{double, real, value, written};
use crate::collation::interval_length;
use crate::registry::{Aggregate, AggregateSpec};

macro_rules! sets {
    ($($name:literal $window:literal $arguments:literal $measure:ident $order:expr;)*) => {
        &[$(
            AggregateSpec {
                name: $name,
                arguments: $arguments,
                inverse: false,
                new: || begin(Measure::$measure, $order),
            },
            AggregateSpec {
                name: $window,
                arguments: $arguments,
                inverse: true,
                new: || Replayed::boxed(|| begin(Measure::$measure, $order)),
            },
        )*]
    };
}

pub(super) const AGGREGATES: &[AggregateSpec] = sets! {
    "pg_percentile_cont_float8" "pg_window_percentile_cont_float8" 2 Continuous plain;
    "pg_percentile_cont_interval" "pg_window_percentile_cont_interval" 2 ContinuousSpan by_interval;
    "pg_percentile_disc" "pg_window_percentile_disc" 2 Discrete plain;
    "pg_percentile_disc_numeric" "pg_window_percentile_disc_numeric" 2 Discrete by_numeric;
    "pg_percentile_disc_interval" "pg_window_percentile_disc_interval" 2 Discrete by_interval;
    "pg_percentile_disc_jsonb" "pg_window_percentile_disc_jsonb" 2 Discrete by_jsonb;
    "pg_percentile_disc_timetz" "pg_window_percentile_disc_timetz" 2 Discrete by_timetz;
    "pg_percentile_disc_inet" "pg_window_percentile_disc_inet" 2 Discrete by_inet;
    "pg_mode_jsonb" "pg_window_mode_jsonb" 1 Mode by_jsonb;
    "pg_mode_timetz" "pg_window_mode_timetz" 1 Mode by_timetz;
    "pg_mode_inet" "pg_window_mode_inet" 1 Mode by_inet;
    "pg_mode" "pg_window_mode" 1 Mode plain;
    "pg_mode_numeric" "pg_window_mode_numeric" 1 Mode by_numeric;
    "pg_mode_interval" "pg_window_mode_interval" 1 Mode by_interval;
};

/// How two stored values compare.
type Order = fn(&SqlValue, &SqlValue) -> Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Continuous,
    ContinuousSpan,
    Discrete,
    Mode,
}

fn begin(measure: Measure, order: Order) -> Box<dyn Aggregate> {
    Box::new(Set {
        measure,
        order,
        fraction: None,
        values: Vec::new(),
    })
}

/// As SQLite orders them: numbers, text, blobs; NaN is text.
fn plain(a: &SqlValue, b: &SqlValue) -> Ordering {
    let rank = |value: &SqlValue| match value {
        SqlValue::Null => 0,
        SqlValue::Integer(_) | SqlValue::Real(_) => 1,
        SqlValue::Text(_) => 2,
        SqlValue::Blob(_) => 3,
    };
    match (a, b) {
        (SqlValue::Integer(a), SqlValue::Integer(b)) => a.cmp(b),
        (SqlValue::Real(a), SqlValue::Real(b)) => crate::float::compare(*a, *b),
        (SqlValue::Text(a), SqlValue::Text(b)) => a.cmp(b),
        (SqlValue::Blob(a), SqlValue::Blob(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// Stored texts under a type's collation.
fn by_collation(
    a: &SqlValue,
    b: &SqlValue,
    compare: impl FnOnce(&str, &str) -> Ordering,
) -> Ordering {
    match (a, b) {
        (SqlValue::Text(a), SqlValue::Text(b)) => compare(a, b),
        (a, b) => plain(a, b),
    }
}

fn by_jsonb(a: &SqlValue, b: &SqlValue) -> Ordering {
    by_collation(a, b, crate::collation::by_jsonb)
}

fn by_timetz(a: &SqlValue, b: &SqlValue) -> Ordering {
    by_collation(a, b, crate::collation::by_timetz)
}

fn by_inet(a: &SqlValue, b: &SqlValue) -> Ordering {
    by_collation(a, b, crate::collation::by_inet)
}

fn by_numeric(a: &SqlValue, b: &SqlValue) -> Ordering {
    match (a, b) {
        (SqlValue::Text(a), SqlValue::Text(b)) => crate::numeric::compare(a, b),
        (a, b) => plain(a, b),
    }
}

fn by_interval(a: &SqlValue, b: &SqlValue) -> Ordering {
    let length = |value: &SqlValue| match value {
        SqlValue::Text(text) => Interval::parse(text).ok().map(interval_length),
        _ => None,
    };
    length(a).cmp(&length(b))
}

struct Set {
    measure: Measure,
    order: Order,
    fraction: Option<f64>,
    values: Vec<SqlValue>,
}

impl Set {
    fn sorted(&self) -> Vec<&SqlValue> {
        let mut sorted: Vec<&SqlValue> = self.values.iter().collect();
        sorted.sort_by(|a, b| (self.order)(a, b));
        sorted
    }

    /// The value that occurs most often, of several the first.
    fn mode(&self) -> SqlValue {
        let sorted = self.sorted();
        let runs = sorted.chunk_by(|a, b| (self.order)(a, b).is_eq());
        let longest = runs.fold(None, |best: Option<&[&SqlValue]>, run| match best {
            Some(best) if best.len() >= run.len() => Some(best),
            _ => Some(run),
        });
        let first = longest.and_then(|run| run.first());
        first.map_or(SqlValue::Null, |value| (*value).clone())
    }

    fn discrete(&self, fraction: f64) -> SqlValue {
        let sorted = self.sorted();
        let position = (fraction * count(sorted.len())).ceil().max(1.0) - 1.0;
        let value = index(position).and_then(|at| sorted.get(at));
        value.map_or(SqlValue::Null, |value| (*value).clone())
    }

    fn continuous(&self, fraction: f64) -> Result<SqlValue, ValueError> {
        let sorted = self.sorted();
        let position = fraction * (count(sorted.len()) - 1.0);
        let (low, high) = (index(position.floor()), index(position.ceil()));
        let at = |at: Option<usize>| {
            let value = at.and_then(|at| sorted.get(at));
            value.map_or(SqlValue::Null, |value| (*value).clone())
        };
        let pair = [at(low), at(high)];
        let pair = [pair[0].as_ref(), pair[1].as_ref()];
        let part = position - position.floor();
        if self.measure == Measure::ContinuousSpan {
            let span = |at| crate::arguments::interval(&pair, at);
            let (low, high) = (span(0)?, span(1)?);
            if part == 0.0 {
                return written(low);
            }
            let between = high.plus(low.negated()?)?.times(part)?;
            return written(between.plus(low)?);
        }
        let (low, high) = (real(&pair, 0)?, real(&pair, 1)?);
        double(if part == 0.0 {
            low
        } else {
            low + part * (high - low)
        })
    }
}

/// The first argument, a part of all rows.
pub(crate) fn fraction(arguments: &[SqlValueRef<'_>]) -> Result<f64, ValueError> {
    let fraction = real(arguments, 0)?;
    if (0.0..=1.0).contains(&fraction) {
        return Ok(fraction);
    }
    Err(ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        format!(
            "percentile value {} is not between 0 and 1",
            crate::timestamp::casts::short(fraction)
        ),
    ))
}

fn count(length: usize) -> f64 {
    pgtypes::float::double_of_integer(i64::try_from(length).unwrap_or(i64::MAX))
}

fn index(position: f64) -> Option<usize> {
    let whole = pgtypes::float::exact_integer(position)?;
    usize::try_from(whole).ok()
}

impl Aggregate for Set {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        let at = usize::from(self.measure != Measure::Mode);
        if at == 1 && !value(arguments, 0).is_null() {
            self.fraction = Some(fraction(arguments)?);
        }
        if !value(arguments, at).is_null() {
            self.values.push(value(arguments, at).to_owned());
        }
        Ok(())
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        Err(not_here())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.values.is_empty() {
            return Ok(SqlValue::Null);
        }
        match (self.measure, self.fraction) {
            (Measure::Mode, _) => Ok(self.mode()),
            (_, None) => Ok(SqlValue::Null),
            (Measure::Discrete, Some(fraction)) => Ok(self.discrete(fraction)),
            (_, Some(fraction)) => self.continuous(fraction),
        }
    }
}
