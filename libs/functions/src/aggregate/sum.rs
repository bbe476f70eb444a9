//! Sums and averages of integers, numerics and intervals.

use pgtypes::{Decimal, Interval, SqlValue, SqlValueRef, ValueError};

use crate::aggregate::exact::{Addend, Total};
use crate::arguments::{interval, written};
use crate::error::out_of_range;
use crate::registry::{Aggregate, AggregateSpec};

const fn spec(name: &'static str, new: fn() -> Box<dyn Aggregate>) -> AggregateSpec {
    AggregateSpec {
        name,
        arguments: 1,
        inverse: true,
        new,
    }
}

pub(super) const AGGREGATES: &[AggregateSpec] = &[
    spec("pg_sum_int2", || Box::new(Sum::to_bigint())),
    spec("pg_sum_int4", || Box::new(Sum::to_bigint())),
    spec("pg_sum_int8", || Box::new(Sum::to_numeric())),
    spec("pg_sum_numeric", || Box::new(Sum::to_numeric())),
    spec("pg_avg_int2", || Box::new(Sum::average())),
    spec("pg_avg_int4", || Box::new(Sum::average())),
    spec("pg_avg_int8", || Box::new(Sum::average())),
    spec("pg_avg_numeric", || Box::new(Sum::average())),
    spec("pg_sum_interval", || Box::new(Spans::default())),
    spec("pg_avg_interval", || {
        Box::new(Spans {
            average: true,
            ..Spans::default()
        })
    }),
];

/// What becomes of the sum.
#[derive(Clone, Copy, Debug)]
enum Form {
    Bigint,
    Numeric,
    Average,
}

#[derive(Debug)]
struct Sum {
    total: Total,
    form: Form,
}

impl Sum {
    fn new(form: Form) -> Self {
        Self {
            total: Total::default(),
            form,
        }
    }

    fn to_bigint() -> Self {
        Self::new(Form::Bigint)
    }

    fn to_numeric() -> Self {
        Self::new(Form::Numeric)
    }

    fn average() -> Self {
        Self::new(Form::Average)
    }

    fn add(&mut self, arguments: &[SqlValueRef<'_>], taken_out: bool) -> Result<(), ValueError> {
        if let Some(addend) = Addend::of(arguments, 0)? {
            self.total.add(&addend, taken_out);
        }
        Ok(())
    }
}

impl Aggregate for Sum {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.add(arguments, false)
    }

    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.add(arguments, true)
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.total.count == 0 {
            return Ok(SqlValue::Null);
        }
        match self.form {
            Form::Bigint => {
                let sum = i64::try_from(self.total.sum.unscaled_at(0));
                sum.map(SqlValue::Integer)
                    .map_err(|_| out_of_range("bigint"))
            }
            Form::Numeric => written(self.total.value()?),
            Form::Average => written(self.total.value()?.over(&Decimal::from(self.total.count))?),
        }
    }
}

/// Intervals, whose parts are added each by itself.
#[derive(Debug, Default)]
struct Spans {
    sum: Interval,
    count: i32,
    average: bool,
}

impl Aggregate for Spans {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if !crate::arguments::value(arguments, 0).is_null() {
            self.sum = self.sum.plus(interval(arguments, 0)?)?;
            self.count += 1;
        }
        Ok(())
    }

    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if !crate::arguments::value(arguments, 0).is_null() {
            self.sum = self.sum.plus(interval(arguments, 0)?.negated()?)?;
            self.count -= 1;
        }
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.count == 0 {
            return Ok(SqlValue::Null);
        }
        if self.average {
            return written(self.sum.over(f64::from(self.count))?);
        }
        written(self.sum)
    }
}
