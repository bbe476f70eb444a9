//! Aggregates of booleans and of the bits of integers.

use pgtypes::{SqlValue, SqlValueRef, ValueError};

use crate::aggregate::replayed::{Replayed, not_here};
use crate::arguments::{integer, value};
use crate::registry::{Aggregate, AggregateSpec};

macro_rules! folds {
    ($($name:literal $window:literal $fold:expr;)*) => {
        &[$(
            AggregateSpec {
                name: $name,
                arguments: 1,
                inverse: false,
                new: || begin($fold),
            },
            AggregateSpec {
                name: $window,
                arguments: 1,
                inverse: true,
                new: || Replayed::boxed(|| begin($fold)),
            },
        )*]
    };
}

pub(super) const AGGREGATES: &[AggregateSpec] = folds! {
    "pg_bool_and" "pg_window_bool_and" |a, b| a & b;
    "pg_every" "pg_window_every" |a, b| a & b;
    "pg_bool_or" "pg_window_bool_or" |a, b| a | b;
    "pg_bit_and_int2" "pg_window_bit_and_int2" |a, b| a & b;
    "pg_bit_and_int4" "pg_window_bit_and_int4" |a, b| a & b;
    "pg_bit_and_int8" "pg_window_bit_and_int8" |a, b| a & b;
    "pg_bit_or_int2" "pg_window_bit_or_int2" |a, b| a | b;
    "pg_bit_or_int4" "pg_window_bit_or_int4" |a, b| a | b;
    "pg_bit_or_int8" "pg_window_bit_or_int8" |a, b| a | b;
    "pg_bit_xor_int2" "pg_window_bit_xor_int2" |a, b| a ^ b;
    "pg_bit_xor_int4" "pg_window_bit_xor_int4" |a, b| a ^ b;
    "pg_bit_xor_int8" "pg_window_bit_xor_int8" |a, b| a ^ b;
};

fn begin(fold: fn(i64, i64) -> i64) -> Box<dyn Aggregate> {
    Box::new(Fold { fold, state: None })
}

#[derive(Debug)]
struct Fold {
    fold: fn(i64, i64) -> i64,
    state: Option<i64>,
}

impl Aggregate for Fold {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() {
            return Ok(());
        }
        let next = integer(arguments, 0)?;
        self.state = Some(self.state.map_or(next, |state| (self.fold)(state, next)));
        Ok(())
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        Err(not_here())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        Ok(self.state.map_or(SqlValue::Null, SqlValue::Integer))
    }
}
