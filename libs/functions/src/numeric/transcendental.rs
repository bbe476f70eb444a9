//! Logarithm and exponential with any number of digits, in binary fixed-point numbers.

use num_bigint::{BigInt, Sign};

/// More bits than the result needs, for what each step rounds away.
const GUARD_BITS: u64 = 96;
/// By how many bits an exponent is made smaller before its series is summed up.
const HALVINGS: u64 = 24;

/// Bits in which so many decimal digits fit.
pub(crate) fn bits_of_digits(digits: i64) -> u64 {
    // 10/3 is more than the logarithm of 10 to base 2.
    u64::try_from(digits.max(0)).unwrap_or(0) * 10 / 3 + GUARD_BITS
}

pub(crate) fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// `value * 2^bits`, for any sign of `bits`.
pub(crate) fn shifted(value: &BigInt, bits: i64) -> BigInt {
    let count = bits.unsigned_abs();
    if bits >= 0 {
        value << count
    } else {
        value >> count
    }
}

/// The area tangent of `numerator / denominator`, which is small.
fn atanh(numerator: &BigInt, denominator: &BigInt, bits: u64) -> BigInt {
    let y = (numerator << bits) / denominator;
    let square = (&y * &y) >> bits;
    let (mut sum, mut power, mut odd) = (y.clone(), y, 1_u32);
    loop {
        power = (&power * &square) >> bits;
        odd += 2;
        let term = &power / odd;
        if term.sign() == Sign::NoSign || power.sign() == Sign::NoSign {
            return sum;
        }
        // A negative number that is shifted never becomes 0.
        if power.magnitude().bits() <= 1 {
            return sum;
        }
        sum += term;
    }
}

fn ln_of_two(bits: u64) -> BigInt {
    atanh(&BigInt::from(1), &BigInt::from(3), bits) * 2
}

/// The natural logarithm of `unscaled / 10^scale`, a positive number, times `2^bits`.
pub(crate) fn ln(unscaled: &BigInt, scale: u32, bits: u64) -> BigInt {
    let one = power_of_ten(scale);
    let size = |number: &BigInt| i64::try_from(number.bits()).unwrap_or(i64::MAX);
    let mut twos = size(unscaled) - size(&one);
    // Now number / one / 2^twos is between 1/2 and 2; from 2/3 on to 4/3 it is to be.
    let scaled = |twos: i64| {
        if twos >= 0 {
            (unscaled.clone(), &one << twos.unsigned_abs())
        } else {
            (unscaled << twos.unsigned_abs(), one.clone())
        }
    };
    let (mut number, mut unit) = scaled(twos);
    if &number * 3 > &unit * 4 {
        twos += 1;
        (number, unit) = scaled(twos);
    } else if &number * 3 < &unit * 2 {
        twos -= 1;
        (number, unit) = scaled(twos);
    }
    let of_rest = atanh(&(&number - &unit), &(&number + &unit), bits) * 2;
    ln_of_two(bits) * twos + of_rest
}

/// The exponential of `exponent / 2^bits`, as a number times `2^bits` and a power of two.
pub(crate) fn exp(exponent: &BigInt, bits: u64) -> (BigInt, i64) {
    let finer = bits + HALVINGS;
    let two = ln_of_two(bits);
    let twos = exponent / &two;
    let twos_64 = i64::try_from(&twos).unwrap_or(0);
    let rest = exponent - &two * &twos;
    // At `finer` bits, the rest itself is that of its 2^HALVINGS-th part at `bits`.
    let mut term = BigInt::from(1) << finer;
    let mut sum = term.clone();
    let mut count = 0_u32;
    loop {
        count += 1;
        term = ((&term * &rest) >> finer) / count;
        if term.magnitude().bits() <= 1 {
            break;
        }
        sum += &term;
    }
    for _ in 0..HALVINGS {
        sum = (&sum * &sum) >> finer;
    }
    (sum >> HALVINGS, twos_64)
}

/// `value / 2^bits` as a whole number of units of `10^-scale`, rounded half away from zero.
pub(crate) fn to_decimal(value: &BigInt, bits: i64, scale: u32) -> BigInt {
    let negative = value.sign() == Sign::Minus;
    let magnitude = BigInt::from(value.magnitude().clone()) * power_of_ten(scale);
    let twice = shifted(&magnitude, 1 - bits);
    let rounded: BigInt = (twice + 1) >> 1;
    if negative { -rounded } else { rounded }
}
