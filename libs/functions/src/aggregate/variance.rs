//! Variance and standard deviation of integers and numerics, exact up to the last division.

use num_bigint::{BigInt, Sign};
use pgtypes::{Decimal, SqlValue, SqlValueRef, ValueError};

use crate::aggregate::exact::{Addend, Exact, Total};
use crate::arguments::written;
use crate::registry::{Aggregate, AggregateSpec};

const fn spec(name: &'static str, new: fn() -> Box<dyn Aggregate>) -> AggregateSpec {
    AggregateSpec {
        name,
        arguments: 1,
        inverse: true,
        new,
    }
}

fn begin(sample: bool, root: bool) -> Box<dyn Aggregate> {
    Box::new(Spread {
        total: Total::default(),
        squares: Exact::default(),
        sample,
        root,
    })
}

pub(super) const AGGREGATES: &[AggregateSpec] = &[
    spec("pg_stddev_int2", || begin(true, true)),
    spec("pg_stddev_int4", || begin(true, true)),
    spec("pg_stddev_int8", || begin(true, true)),
    spec("pg_stddev_numeric", || begin(true, true)),
    spec("pg_stddev_samp_int2", || begin(true, true)),
    spec("pg_stddev_samp_int4", || begin(true, true)),
    spec("pg_stddev_samp_int8", || begin(true, true)),
    spec("pg_stddev_samp_numeric", || begin(true, true)),
    spec("pg_stddev_pop_int2", || begin(false, true)),
    spec("pg_stddev_pop_int4", || begin(false, true)),
    spec("pg_stddev_pop_int8", || begin(false, true)),
    spec("pg_stddev_pop_numeric", || begin(false, true)),
    spec("pg_variance_int2", || begin(true, false)),
    spec("pg_variance_int4", || begin(true, false)),
    spec("pg_variance_int8", || begin(true, false)),
    spec("pg_variance_numeric", || begin(true, false)),
    spec("pg_var_samp_int2", || begin(true, false)),
    spec("pg_var_samp_int4", || begin(true, false)),
    spec("pg_var_samp_int8", || begin(true, false)),
    spec("pg_var_samp_numeric", || begin(true, false)),
    spec("pg_var_pop_int2", || begin(false, false)),
    spec("pg_var_pop_int4", || begin(false, false)),
    spec("pg_var_pop_int8", || begin(false, false)),
    spec("pg_var_pop_numeric", || begin(false, false)),
];

#[derive(Debug)]
struct Spread {
    total: Total,
    squares: Exact,
    /// The rows are a sample: divided by their number less one.
    sample: bool,
    /// The standard deviation.
    root: bool,
}

impl Spread {
    fn add(&mut self, arguments: &[SqlValueRef<'_>], taken_out: bool) -> Result<(), ValueError> {
        let Some(addend) = Addend::of(arguments, 0)? else {
            return Ok(());
        };
        self.total.add(&addend, taken_out);
        let large = match addend {
            Addend::Small(small) => {
                if let Some(square) = small.times(small) {
                    self.squares
                        .add(if taken_out { square.negated() } else { square });
                    return Ok(());
                }
                (BigInt::from(small.unscaled), small.scale)
            }
            Addend::Large(number) => match number.unscaled() {
                Some((unscaled, scale)) => (unscaled.clone(), scale),
                None => return Ok(()),
            },
        };
        let (unscaled, scale) = large;
        let square = &unscaled * &unscaled;
        let square = if taken_out { -square } else { square };
        self.squares.add_large(&square, scale.saturating_mul(2));
        Ok(())
    }
}

impl Aggregate for Spread {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.add(arguments, false)
    }

    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.add(arguments, true)
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        let count = self.total.count;
        if count == 0 || (self.sample && count <= 1) {
            return Ok(SqlValue::Null);
        }
        if self.total.not_finite().is_some() {
            return written(Decimal::NotANumber);
        }
        let scale = self.total.scale();
        let sum = self.total.sum.unscaled_at(scale);
        let twice = scale.saturating_mul(2);
        let spread = self.squares.unscaled_at(twice) * count - &sum * &sum;
        if spread.sign() != Sign::Plus {
            return written(0);
        }
        let spread = Decimal::from_unscaled(spread, twice.into())?;
        let divisor = BigInt::from(count) * if self.sample { count - 1 } else { count };
        let variance = spread.over(&Decimal::from_unscaled(divisor, 0)?)?;
        if self.root {
            return written(root(&variance)?);
        }
        written(variance)
    }
}

/// The square root with as many digits behind the point as the number has.
fn root(number: &Decimal) -> Result<Decimal, ValueError> {
    let Some((unscaled, scale)) = number.unscaled() else {
        return Ok(number.clone());
    };
    // One digit more than is shown decides how the last one is rounded.
    let finer = (unscaled * BigInt::from(10).pow(u32::from(scale) + 2)).sqrt();
    Decimal::from_unscaled((finer + 5) / 10, scale.into())
}
