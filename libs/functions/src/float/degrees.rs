//! Angles in degrees. The quotients by computed constants make the results exact where they are
//! simple: the sine of 30 degrees is one half.

use std::f64::consts::PI;

use pgtypes::{SqlValueRef, ValueError};

use crate::arguments::{Answer, double, real};
use crate::float::checked;
use crate::float::functions::input_out_of_range;
use crate::registry::Scalar;

const RADIANS_PER_DEGREE: f64 = PI / 180.0;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_dsind", 1, sine),
    Scalar::pure("pg_dcosd", 1, cosine),
    Scalar::pure("pg_dtand", 1, tangent),
    Scalar::pure("pg_dcotd", 1, cotangent),
    Scalar::pure("pg_dasind", 1, arcsine),
    Scalar::pure("pg_dacosd", 1, arccosine),
    Scalar::pure("pg_datand", 1, arctangent),
    Scalar::pure("pg_datan2d", 2, arctangent_of_quotient),
    Scalar::pure("pg_degrees", 1, degrees),
    Scalar::pure("pg_radians", 1, radians),
];

fn degrees(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    let result = value / RADIANS_PER_DEGREE;
    if result == 0.0 && value != 0.0 {
        return Err(crate::error::underflow());
    }
    double(checked(result, &[value])?)
}

fn radians(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    let result = value * RADIANS_PER_DEGREE;
    if result == 0.0 && value != 0.0 {
        return Err(crate::error::underflow());
    }
    double(result)
}

/// Up to 30 degrees.
fn small_sine(x: f64) -> f64 {
    (x * RADIANS_PER_DEGREE).sin() / (30.0 * RADIANS_PER_DEGREE).sin() / 2.0
}

/// Up to 60 degrees.
fn small_cosine(x: f64) -> f64 {
    let of_60 = 1.0 - (60.0 * RADIANS_PER_DEGREE).cos();
    1.0 - ((1.0 - (x * RADIANS_PER_DEGREE).cos()) / of_60) / 2.0
}

/// Of the first quadrant.
fn sine_there(x: f64) -> f64 {
    if x <= 30.0 {
        small_sine(x)
    } else {
        small_cosine(90.0 - x)
    }
}

/// Of the first quadrant.
fn cosine_there(x: f64) -> f64 {
    if x <= 60.0 {
        small_cosine(x)
    } else {
        small_sine(90.0 - x)
    }
}

/// The angle in the first quadrant, and the signs of sine and cosine.
fn quadrant(degrees: f64) -> Result<(f64, f64, f64), ValueError> {
    if degrees.is_infinite() {
        return Err(input_out_of_range());
    }
    let (mut x, mut sine, mut cosine) = (degrees % 360.0, 1.0, 1.0);
    if x < 0.0 {
        (x, sine) = (-x, -sine);
    }
    if x > 180.0 {
        (x, sine) = (360.0 - x, -sine);
    }
    if x > 90.0 {
        (x, cosine) = (180.0 - x, -cosine);
    }
    Ok((x, sine, cosine))
}

fn sine(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (x, sign, _) = quadrant(real(arguments, 0)?)?;
    double(sign * sine_there(x))
}

fn cosine(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (x, _, sign) = quadrant(real(arguments, 0)?)?;
    double(sign * cosine_there(x))
}

fn tangent(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (x, sine, cosine) = quadrant(real(arguments, 0)?)?;
    let of_45 = sine_there(45.0) / cosine_there(45.0);
    let result = sine * cosine * ((sine_there(x) / cosine_there(x)) / of_45);
    double(if result == 0.0 { 0.0 } else { result })
}

fn cotangent(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (x, sine, cosine) = quadrant(real(arguments, 0)?)?;
    let of_45 = cosine_there(45.0) / sine_there(45.0);
    let result = sine * cosine * ((cosine_there(x) / sine_there(x)) / of_45);
    double(if result == 0.0 { 0.0 } else { result })
}

fn within_one(value: f64) -> Result<f64, ValueError> {
    // NaN has an arc, which is NaN.
    if value.abs() > 1.0 {
        return Err(input_out_of_range());
    }
    Ok(value)
}

/// Of 0 to 1.
fn arcsine_there(x: f64) -> f64 {
    if x <= 0.5 {
        (x.asin() / 0.5_f64.asin()) * 30.0
    } else {
        90.0 - (x.acos() / 0.5_f64.acos()) * 60.0
    }
}

/// Of 0 to 1.
fn arccosine_there(x: f64) -> f64 {
    if x <= 0.5 {
        90.0 - (x.asin() / 0.5_f64.asin()) * 30.0
    } else {
        (x.acos() / 0.5_f64.acos()) * 60.0
    }
}

fn arcsine(arguments: &[SqlValueRef<'_>]) -> Answer {
    let x = within_one(real(arguments, 0)?)?;
    double(if x >= 0.0 {
        arcsine_there(x)
    } else {
        -arcsine_there(-x)
    })
}

fn arccosine(arguments: &[SqlValueRef<'_>]) -> Answer {
    let x = within_one(real(arguments, 0)?)?;
    double(if x >= 0.0 {
        arccosine_there(x)
    } else {
        90.0 + arcsine_there(-x)
    })
}

fn arctangent(arguments: &[SqlValueRef<'_>]) -> Answer {
    double((real(arguments, 0)?.atan() / 1.0_f64.atan()) * 45.0)
}

fn arctangent_of_quotient(arguments: &[SqlValueRef<'_>]) -> Answer {
    let angle = real(arguments, 0)?.atan2(real(arguments, 1)?);
    double((angle / 1.0_f64.atan()) * 45.0)
}
