//! Numerics of whole numbers: divisors, multiples, factorials, and the parts of a range.

use num_bigint::{BigInt, Sign};
use pgtypes::{Decimal, SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, decimal, integer, whole, written};
use crate::error::{fail, out_of_range};
use crate::registry::Scalar;

/// The largest number whose factorial numeric holds.
const LARGEST_FACTORIAL: i64 = 32_177;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric_gcd", 2, |a| {
        written(common_divisor(&decimal(a, 0)?, &decimal(a, 1)?)?)
    }),
    Scalar::pure("pg_numeric_lcm", 2, |a| {
        written(common_multiple(&decimal(a, 0)?, &decimal(a, 1)?)?)
    }),
    Scalar::pure("pg_numeric_fac", 1, factorial),
    Scalar::pure("pg_width_bucket_numeric", 4, bucket),
];

/// Both numbers in units of the finer one's last place.
fn common(a: &Decimal, b: &Decimal) -> Option<(BigInt, BigInt, u16)> {
    let ((a, a_scale), (b, b_scale)) = (a.unscaled()?, b.unscaled()?);
    let scale = a_scale.max(b_scale);
    let up = |value: &BigInt, from: u16| value * BigInt::from(10).pow(u32::from(scale - from));
    Some((up(a, a_scale), up(b, b_scale), scale))
}

fn divisor(mut a: BigInt, mut b: BigInt) -> BigInt {
    while b.sign() != Sign::NoSign {
        (a, b) = (b.clone(), a % b);
    }
    BigInt::from(a.into_parts().1)
}

fn common_divisor(a: &Decimal, b: &Decimal) -> Result<Decimal, ValueError> {
    let Some((a, b, scale)) = common(a, b) else {
        return Ok(Decimal::NotANumber);
    };
    Decimal::from_unscaled(divisor(a, b), scale.into())
}

fn common_multiple(a: &Decimal, b: &Decimal) -> Result<Decimal, ValueError> {
    let Some((a, b, scale)) = common(a, b) else {
        return Ok(Decimal::NotANumber);
    };
    if a.sign() == Sign::NoSign || b.sign() == Sign::NoSign {
        return Decimal::from_unscaled(BigInt::ZERO, scale.into());
    }
    let multiple = &a / divisor(a.clone(), b.clone()) * b;
    Decimal::from_unscaled(BigInt::from(multiple.into_parts().1), scale.into())
}

fn factorial(arguments: &[SqlValueRef<'_>]) -> Answer {
    let number = integer(arguments, 0)?;
    if number < 0 {
        return fail(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "factorial of a negative number is undefined",
        );
    }
    if number > LARGEST_FACTORIAL {
        return fail(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "value overflows numeric format",
        );
    }
    written(product(1, number))
}

/// The product of the numbers from the first to the last, in halves, so that factors are of one
/// size.
fn product(first: i64, last: i64) -> BigInt {
    if last - first < 8 {
        return (first..=last).fold(BigInt::from(1), |product, number| product * number);
    }
    let middle = i64::midpoint(first, last);
    product(first, middle) * product(middle + 1, last)
}

/// `width_bucket`: in which of so many equal parts of a range an operand lies.
fn bucket(arguments: &[SqlValueRef<'_>]) -> Answer {
    let refused = |message: &str| {
        fail(
            SqlState::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            message,
        )
    };
    let [operand, low, high] = [0, 1, 2].map(|at| decimal(arguments, at));
    let (operand, low, high) = (operand?, low?, high?);
    let count = integer(arguments, 3)?;
    if count <= 0 {
        return refused("count must be greater than zero");
    }
    let is_nan = |number: &Decimal| matches!(number, Decimal::NotANumber);
    if [&operand, &low, &high].into_iter().any(is_nan) {
        return refused("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.unscaled().is_none() || high.unscaled().is_none() {
        return refused("lower and upper bounds must be finite");
    }
    if low == high {
        return refused("lower bound cannot equal upper bound");
    }
    let (before, behind) = if low < high {
        (operand < low, operand >= high)
    } else {
        (operand > low, operand <= high)
    };
    let found = if before {
        Some(0)
    } else if behind {
        count.checked_add(1)
    } else {
        // The quotient is rounded as any other, and can be that of the upper bound by that.
        let part = operand
            .minus(&low)?
            .times(&Decimal::from(count))?
            .over(&high.minus(&low)?)?
            .whole_quotient(&Decimal::from(1))?;
        let part = part.to_string().parse::<i64>().ok();
        part.and_then(|part| part.checked_add(1))
    };
    found
        .filter(|found| i32::try_from(*found).is_ok())
        .map_or_else(|| Err(out_of_range("integer")), whole)
}
