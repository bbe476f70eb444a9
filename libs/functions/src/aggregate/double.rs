//! Sums, averages, variance and standard deviation of doubles and singles.

use pgtypes::{SqlValue, SqlValueRef, ValueError};

use crate::aggregate::replayed::Replayed;
use crate::arguments::{double, real, value};
use crate::error::overflow;
use crate::float::nearest_single;
use crate::registry::{Aggregate, AggregateSpec};

macro_rules! measures {
    ($($name:literal $window:literal $measure:expr;)*) => {
        &[$(
            AggregateSpec {
                name: $name,
                arguments: 1,
                inverse: false,
                new: || begin($measure),
            },
            AggregateSpec {
                name: $window,
                arguments: 1,
                inverse: true,
                new: || Replayed::boxed(|| begin($measure)),
            },
        )*]
    };
}

pub(super) const AGGREGATES: &[AggregateSpec] = measures! {
    "pg_sum_float4" "pg_window_sum_float4" Measure::SumOfSingles;
    "pg_sum_float8" "pg_window_sum_float8" Measure::Sum;
    "pg_avg_float4" "pg_window_avg_float4" Measure::Average;
    "pg_avg_float8" "pg_window_avg_float8" Measure::Average;
    "pg_stddev_float4" "pg_window_stddev_float4" Measure::Spread { sample: true, root: true };
    "pg_stddev_float8" "pg_window_stddev_float8" Measure::Spread { sample: true, root: true };
    "pg_stddev_samp_float4" "pg_window_stddev_samp_float4" Measure::Spread { sample: true, root: true };
    "pg_stddev_samp_float8" "pg_window_stddev_samp_float8" Measure::Spread { sample: true, root: true };
    "pg_stddev_pop_float4" "pg_window_stddev_pop_float4" Measure::Spread { sample: false, root: true };
    "pg_stddev_pop_float8" "pg_window_stddev_pop_float8" Measure::Spread { sample: false, root: true };
    "pg_variance_float4" "pg_window_variance_float4" Measure::Spread { sample: true, root: false };
    "pg_variance_float8" "pg_window_variance_float8" Measure::Spread { sample: true, root: false };
    "pg_var_samp_float4" "pg_window_var_samp_float4" Measure::Spread { sample: true, root: false };
    "pg_var_samp_float8" "pg_window_var_samp_float8" Measure::Spread { sample: true, root: false };
    "pg_var_pop_float4" "pg_window_var_pop_float4" Measure::Spread { sample: false, root: false };
    "pg_var_pop_float8" "pg_window_var_pop_float8" Measure::Spread { sample: false, root: false };
};

#[derive(Clone, Copy, Debug)]
enum Measure {
    SumOfSingles,
    Sum,
    Average,
    Spread { sample: bool, root: bool },
}

fn begin(measure: Measure) -> Box<dyn Aggregate> {
    Box::new(Doubles {
        measure,
        count: 0.0,
        sum: 0.0,
        spread: 0.0,
    })
}

/// Count, sum, and sum of the squared distances from the mean, by the method of Youngs and Cramer.
#[derive(Debug)]
struct Doubles {
    measure: Measure,
    count: f64,
    sum: f64,
    spread: f64,
}

impl Doubles {
    /// A sum has the sign of its zeros; an average begins with a zero of its own.
    fn add(&mut self, number: f64) -> Result<(), ValueError> {
        let first = self.count == 0.0;
        let before = self.sum;
        self.count += 1.0;
        let plain = matches!(self.measure, Measure::Sum | Measure::SumOfSingles);
        let sum = if first && plain {
            number
        } else {
            before + number
        };
        self.sum = match self.measure {
            Measure::SumOfSingles => {
                let sum = nearest_single(sum);
                f64::from(sum)
            }
            _ => sum,
        };
        if self.sum.is_infinite() && !before.is_infinite() && !number.is_infinite() {
            return Err(overflow());
        }
        if plain {
            return Ok(());
        }
        if first {
            if !number.is_finite() {
                self.spread = f64::NAN;
            }
            return Ok(());
        }
        let distance = number * self.count - self.sum;
        self.spread += distance * distance / (self.count * (self.count - 1.0));
        if self.sum.is_infinite() || self.spread.is_infinite() {
            if !before.is_infinite() && !number.is_infinite() {
                return Err(overflow());
            }
            self.spread = f64::NAN;
        }
        Ok(())
    }
}

impl Aggregate for Doubles {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() {
            return Ok(());
        }
        self.add(real(arguments, 0)?)
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        Err(super::replayed::not_here())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.count == 0.0 {
            return Ok(SqlValue::Null);
        }
        match self.measure {
            Measure::Sum | Measure::SumOfSingles => double(self.sum),
            Measure::Average => double(self.sum / self.count),
            Measure::Spread { sample, root } => {
                let divisor = if sample { self.count - 1.0 } else { self.count };
                if divisor < 1.0 {
                    return Ok(SqlValue::Null);
                }
                let variance = self.spread / divisor;
                double(if root { variance.sqrt() } else { variance })
            }
        }
    }
}
