//! Regression: aggregates of pairs, the dependent number first.

use pgtypes::{SqlValue, SqlValueRef, ValueError};

use crate::aggregate::replayed::{Replayed, not_here};
use crate::arguments::{double, real, value};
use crate::error::overflow;
use crate::registry::{Aggregate, AggregateSpec};

macro_rules! measures {
    ($($name:literal $window:literal $measure:ident;)*) => {
        &[$(
            AggregateSpec {
                name: $name,
                arguments: 2,
                inverse: false,
                new: || begin(Measure::$measure),
            },
            AggregateSpec {
                name: $window,
                arguments: 2,
                inverse: true,
                new: || Replayed::boxed(|| begin(Measure::$measure)),
            },
        )*]
    };
}

pub(super) const AGGREGATES: &[AggregateSpec] = measures! {
    "pg_regr_count" "pg_window_regr_count" Count;
    "pg_regr_sxx" "pg_window_regr_sxx" SpreadX;
    "pg_regr_syy" "pg_window_regr_syy" SpreadY;
    "pg_regr_sxy" "pg_window_regr_sxy" SpreadXy;
    "pg_regr_avgx" "pg_window_regr_avgx" AverageX;
    "pg_regr_avgy" "pg_window_regr_avgy" AverageY;
    "pg_regr_r2" "pg_window_regr_r2" Determination;
    "pg_regr_slope" "pg_window_regr_slope" Slope;
    "pg_regr_intercept" "pg_window_regr_intercept" Intercept;
    "pg_corr" "pg_window_corr" Correlation;
    "pg_covar_pop" "pg_window_covar_pop" CovarianceOfAll;
    "pg_covar_samp" "pg_window_covar_samp" CovarianceOfSample;
};

#[derive(Clone, Copy, Debug)]
enum Measure {
    Count,
    SpreadX,
    SpreadY,
    SpreadXy,
    AverageX,
    AverageY,
    Determination,
    Slope,
    Intercept,
    Correlation,
    CovarianceOfAll,
    CovarianceOfSample,
}

fn begin(measure: Measure) -> Box<dyn Aggregate> {
    Box::new(Pairs {
        measure,
        count: 0.0,
        x: Sums::default(),
        y: Sums::default(),
        xy: 0.0,
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sum: f64,
    spread: f64,
}

#[derive(Debug)]
struct Pairs {
    measure: Measure,
    count: f64,
    x: Sums,
    y: Sums,
    xy: f64,
}

impl Pairs {
    fn add(&mut self, x: f64, y: f64) -> Result<(), ValueError> {
        let first = self.count == 0.0;
        let (before_x, before_y) = (self.x.sum, self.y.sum);
        self.count += 1.0;
        self.x.sum += x;
        self.y.sum += y;
        if first {
            if !x.is_finite() {
                (self.x.spread, self.xy) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (self.y.spread, self.xy) = (f64::NAN, f64::NAN);
            }
            return Ok(());
        }
        let distance_x = x * self.count - self.x.sum;
        let distance_y = y * self.count - self.y.sum;
        let scale = 1.0 / (self.count * (self.count - 1.0));
        self.x.spread += distance_x * distance_x * scale;
        self.y.spread += distance_y * distance_y * scale;
        self.xy += distance_x * distance_y * scale;
        let finite_x = !before_x.is_infinite() && !x.is_infinite();
        let finite_y = !before_y.is_infinite() && !y.is_infinite();
        let beyond = |sums: Sums| sums.sum.is_infinite() || sums.spread.is_infinite();
        if (beyond(self.x) && finite_x)
            || (beyond(self.y) && finite_y)
            || (self.xy.is_infinite() && finite_x && finite_y)
        {
            return Err(overflow());
        }
        for spread in [&mut self.x.spread, &mut self.y.spread, &mut self.xy] {
            if spread.is_infinite() {
                *spread = f64::NAN;
            }
        }
        Ok(())
    }

    /// `None` stands for NULL.
    fn result(&self) -> Option<f64> {
        let (count, x, y, xy) = (self.count, self.x, self.y, self.xy);
        let least = match self.measure {
            Measure::CovarianceOfSample => 2.0,
            _ => 1.0,
        };
        if count < least {
            return None;
        }
        Some(match self.measure {
            Measure::Count => count,
            Measure::SpreadX => x.spread,
            Measure::SpreadY => y.spread,
            Measure::SpreadXy => xy,
            Measure::AverageX => x.sum / count,
            Measure::AverageY => y.sum / count,
            Measure::CovarianceOfAll => xy / count,
            Measure::CovarianceOfSample => xy / (count - 1.0),
            // Neither a vertical nor a horizontal line has a correlation.
            Measure::Correlation if x.spread == 0.0 || y.spread == 0.0 => return None,
            Measure::Correlation => xy / (x.spread * y.spread).sqrt(),
            _ if x.spread == 0.0 => return None,
            Measure::Determination if y.spread == 0.0 => 1.0,
            Measure::Determination => (xy * xy) / (x.spread * y.spread),
            Measure::Slope => xy / x.spread,
            Measure::Intercept => (y.sum - x.sum * xy / x.spread) / count,
        })
    }
}

impl Aggregate for Pairs {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() || value(arguments, 1).is_null() {
            return Ok(());
        }
        if matches!(self.measure, Measure::Count) {
            self.count += 1.0;
            return Ok(());
        }
        let (y, x) = (real(arguments, 0)?, real(arguments, 1)?);
        self.add(x, y)
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        Err(not_here())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if matches!(self.measure, Measure::Count) {
            let count = pgtypes::float::exact_integer(self.count).unwrap_or(0);
            return Ok(SqlValue::Integer(count));
        }
        self.result().map_or(Ok(SqlValue::Null), double)
    }
}
