//! `to_char` of numbers.

use num_bigint::Sign;
use pgtypes::{Decimal, SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, decimal, integer, real, text, written};
use crate::error::{fail, out_of_range};
use crate::registry::Scalar;
use crate::template::date_output::ordinal;
use crate::template::number_template::{NumberTemplate, Piece, SignPlace};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric_to_char", 2, |a| shown(a, decimal(a, 0)?)),
    Scalar::pure("pg_int4_to_char", 2, |a| of_integer(a, wrapped_product)),
    Scalar::pure("pg_int8_to_char", 2, |a| of_integer(a, checked_product)),
    Scalar::pure("pg_float8_to_char", 2, |a| of_double(a, 15)),
    Scalar::pure("pg_float4_to_char", 2, |a| of_double(a, 6)),
];

/// A template with V shows the number times a power of ten, which the number's own type has to hold.
fn of_integer(
    arguments: &[SqlValueRef<'_>],
    times: fn(i64, u32) -> Result<i64, ValueError>,
) -> Answer {
    let number = integer(arguments, 0)?;
    let template = NumberTemplate::parse(text(arguments, 1)?)?;
    if template.shifted == 0 || template.scientific || template.roman {
        return shown(arguments, Decimal::from(number));
    }
    let shift = u32::try_from(template.shifted).unwrap_or(u32::MAX);
    let back = Decimal::parse(&format!("1e-{shift}"))?;
    shown(
        arguments,
        Decimal::from(times(number, shift)?).times(&back)?,
    )
}

/// PostgreSQL multiplies an `integer` in 32 bits, and leaves out what they cannot hold.
fn wrapped_product(number: i64, shift: u32) -> Result<i64, ValueError> {
    let factor = 10_i32.checked_pow(shift).unwrap_or(i32::MIN);
    let number = i32::try_from(number).map_err(|_| out_of_range("integer"))?;
    Ok(number.wrapping_mul(factor).into())
}

fn checked_product(number: i64, shift: u32) -> Result<i64, ValueError> {
    let factor = 10_i64.checked_pow(shift);
    let product = factor.and_then(|factor| number.checked_mul(factor));
    product.ok_or_else(|| out_of_range("bigint"))
}

/// No more digits of a double are shown than it has.
fn of_double(arguments: &[SqlValueRef<'_>], digits: usize) -> Answer {
    let value = real(arguments, 0)?;
    let format = text(arguments, 1)?;
    if !value.is_finite() {
        if format.to_ascii_uppercase().contains("RN") {
            return written("#".repeat(15));
        }
        let mut template = NumberTemplate::parse(format)?;
        let name = pgtypes::float::double_text(value);
        if value.is_nan() || format.is_empty() || template.scientific {
            return shown(arguments, Decimal::from_real(value));
        }
        template.before += template.shifted;
        // Its name counts as digits.
        template.behind = template
            .behind
            .min(digits.saturating_sub(name.trim_start_matches('-').len()));
        return Writer::new(template, &name).finish();
    }
    if format.is_empty() {
        return written("");
    }
    let mut template = NumberTemplate::parse(format)?;
    if template.roman {
        let whole = value.round_ties_even();
        // What is no integer is as far from one in Roman letters as any other.
        let number = pgtypes::float::exact_integer(whole)
            .filter(|number| i32::try_from(*number).is_ok())
            .unwrap_or(0);
        return written(roman(Some(number), &template)?);
    }
    if template.scientific {
        let rounded = format!("{value:.*e}", template.behind);
        let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let blank = if mantissa.starts_with('-') { "" } else { " " };
        let sign = if exponent < 0 { '-' } else { '+' };
        return written(format!("{blank}{mantissa}e{sign}{:02}", exponent.abs()));
    }
    let shift = i32::try_from(template.shifted).unwrap_or(i32::MAX);
    let value = value * 10_f64.powi(shift);
    template.before += template.shifted;
    let whole = format!("{:.0}", value.abs()).len();
    template.behind = template.behind.min(digits.saturating_sub(whole));
    let number = format!("{value:.*}", template.behind);
    Writer::new(template, &number).finish()
}

fn shown(arguments: &[SqlValueRef<'_>], value: Decimal) -> Answer {
    let format = text(arguments, 1)?;
    if format.is_empty() {
        return written("");
    }
    let mut template = NumberTemplate::parse(format)?;
    if template.scientific {
        return written(scientific(&value, &template));
    }
    if template.roman {
        let number = SqlValue::Text(value.to_string());
        let number = crate::numeric::to_int4(&[number.as_ref()])?;
        let number = match number {
            SqlValue::Integer(number) => Some(number),
            _ => None,
        };
        return written(roman(number, &template)?);
    }
    let mut value = value;
    if template.shifted > 0 {
        let factor = Decimal::parse(&format!("1e{}", template.shifted))?;
        value = value.times(&factor)?;
        template.before += template.shifted;
    }
    let scale = i16::try_from(template.behind).unwrap_or(i16::MAX);
    let number = value.rounded(scale).to_string();
    Writer::new(template, &number).finish()
}

fn hashes(template: &NumberTemplate) -> String {
    let point = if template.decimal { "." } else { "" };
    format!(
        "{}{point}{}",
        "#".repeat(template.before),
        "#".repeat(template.behind)
    )
}

fn scientific(value: &Decimal, template: &NumberTemplate) -> String {
    let Some((unscaled, scale)) = value.unscaled() else {
        return format!(
            " {}.{}",
            "#".repeat(template.before),
            "#".repeat(template.behind + 4)
        );
    };
    let digits = unscaled.magnitude().to_string();
    let wanted = template.behind + 1;
    let zero = unscaled.sign() == Sign::NoSign;
    let length = i64::try_from(digits.len()).unwrap_or(0);
    let exponent = if zero {
        0
    } else {
        length - 1 - i64::from(scale)
    };
    // Rounded to as many digits as are shown, a 9 may become another digit in front, as in PostgreSQL before 16.
    let shown = rounded(&digits, wanted);
    let (first, rest) = shown.split_at(shown.len() - template.behind.min(shown.len() - 1));
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if unscaled.sign() == Sign::Minus {
        '-'
    } else {
        ' '
    };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}{first}{point}{rest}e{exponent_sign}{:02}",
        exponent.abs()
    )
}

/// The first digits of a number, rounded half up; one more where it carries.
fn rounded(digits: &str, count: usize) -> String {
    if digits.len() <= count {
        return format!("{digits:0<count$}");
    }
    let (head, tail) = digits.split_at(count);
    let up = tail.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    if !up {
        return head.to_owned();
    }
    let mut out: Vec<u8> = head.bytes().collect();
    for digit in out.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return String::from_utf8_lossy(&out).into_owned();
        }
    }
    out.insert(0, b'1');
    String::from_utf8_lossy(&out).into_owned()
}

fn roman(number: Option<i64>, template: &NumberTemplate) -> Result<String, ValueError> {
    const PARTS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let number = number.filter(|number| i32::try_from(*number).is_ok());
    let number = number.ok_or_else(|| out_of_range("integer"))?;
    let text = match Some(number).filter(|number| (1..4000).contains(number)) {
        None => "#".repeat(15),
        Some(mut rest) => {
            let mut text = String::new();
            for (size, letters) in PARTS {
                while rest >= size {
                    text.push_str(letters);
                    rest -= size;
                }
            }
            text
        }
    };
    Ok(if template.bare {
        text
    } else {
        format!("{text:>15}")
    })
}

/// Writes a number piece by piece, as the template has them.
struct Writer {
    template: NumberTemplate,
    negative: bool,
    /// The digits with their point, without a sign.
    number: Vec<u8>,
    /// The next of them.
    at: usize,
    /// Places of the template before the first digit.
    blanks: usize,
    /// The place of the template.
    place: usize,
    places: usize,
    /// Behind it no digit matters.
    last: Option<usize>,
    sign_written: bool,
    in_number: bool,
    out: String,
}

impl Writer {
    /// A number that has been rounded to the digits of the template.
    fn new(template: NumberTemplate, text: &str) -> Self {
        let negative = text.starts_with('-');
        let mut number = text.strip_prefix('-').unwrap_or(text).to_owned();
        let whole = number.find('.').unwrap_or(number.len());
        let blanks = template.before.saturating_sub(whole);
        if whole > template.before {
            number = hashes(&template);
        }
        let mut writer = Self {
            negative,
            number: number.into_bytes(),
            at: 0,
            blanks,
            place: 0,
            places: (template.behind + template.before).saturating_sub(1),
            last: None,
            sign_written: false,
            in_number: false,
            out: String::new(),
            template,
        };
        writer.prepare();
        writer
    }

    fn prepare(&mut self) {
        let template = &mut self.template;
        if template.plus || template.minus {
            self.sign_written = template.minus;
        } else {
            if !self.negative && template.bracket && template.bare {
                template.bracket = false;
            }
            self.sign_written = !self.negative && template.bare && template.sign == SignPlace::None;
        }
        if template.bare && template.decimal {
            self.last = last_digit(&self.number);
            if let Some(last) = self.last
                && template.zero_to > self.blanks
            {
                let zero =
                    (template.zero_to - self.blanks).min(self.number.len().saturating_sub(1));
                self.last = Some(last.max(zero));
            }
        }
        if !self.sign_written && self.blanks == 0 {
            self.places += 1;
        }
    }

    fn run(mut self) -> String {
        for piece in self.template.pieces.clone() {
            match piece {
                Piece::Nine | Piece::Zero | Piece::Point => self.digit(piece),
                Piece::Comma => match (self.in_number, self.template.bare) {
                    (true, _) => self.out.push(','),
                    (false, true) => {}
                    (false, false) => self.out.push(' '),
                },
                Piece::Currency => self.out.push(' '),
                Piece::Roman => {}
                Piece::Ordinal { upper } => self.ordinal(upper),
                Piece::Minus => self.own_sign(self.negative, '-'),
                Piece::Plus => self.own_sign(!self.negative, '+'),
                Piece::Sign => self.out.push(if self.negative { '-' } else { '+' }),
                Piece::Text(c) => self.out.push(c),
            }
        }
        self.out
    }

    fn own_sign(&mut self, written: bool, sign: char) {
        if written {
            self.out.push(sign);
        } else if !self.template.bare {
            self.out.push(' ');
        }
    }

    /// The text, unless it has the ending of an ordinal behind what is no number.
    fn finish(self) -> Answer {
        let pieces = &self.template.pieces;
        let is_ordinal = pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Ordinal { .. }));
        let is_number = self.number.last().is_some_and(u8::is_ascii_digit);
        if is_ordinal && !is_number && !self.hides_ordinal() {
            let name = String::from_utf8_lossy(&self.number);
            return fail(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("\"{name}\" is not a number"),
            );
        }
        written(self.run())
    }

    fn hides_ordinal(&self) -> bool {
        self.number.first() == Some(&b'#') || self.negative || self.template.decimal
    }

    fn ordinal(&mut self, upper: bool) {
        if self.hides_ordinal() {
            return;
        }
        let number = String::from_utf8_lossy(&self.number);
        let text = ordinal(&number);
        let text = if upper {
            text.to_owned()
        } else {
            text.to_lowercase()
        };
        self.out.push_str(&text);
    }

    fn current(&self) -> Option<u8> {
        self.number.get(self.at).copied()
    }

    /// Whether the last digit that matters is the point: none behind it does.
    fn ends_at_point(&self) -> bool {
        self.last.and_then(|last| self.number.get(last)) == Some(&b'.')
    }

    /// The 0 before the point is not shown where no `0` asks for it.
    fn hides_zero(&self) -> bool {
        self.template.zero_from.is_none()
            && self.at == 0
            && self.current() == Some(b'0')
            && self.template.behind != 0
    }

    fn sign(&mut self) {
        let starts = self.place >= self.blanks || self.template.zero_from == Some(self.place);
        if self.sign_written || !starts || (self.hides_zero() && !self.ends_at_point()) {
            return;
        }
        match (self.template.sign, self.template.bracket) {
            (SignPlace::Before, _) => {
                self.out.push(if self.negative { '-' } else { '+' });
                self.sign_written = true;
            }
            (SignPlace::Behind, _) => {}
            (SignPlace::None, true) => {
                self.out.push(if self.negative { '<' } else { ' ' });
                self.sign_written = true;
            }
            (SignPlace::None, false) => {
                if self.negative {
                    self.out.push('-');
                } else if !self.template.bare {
                    self.out.push(' ');
                }
                self.sign_written = true;
            }
        }
    }

    fn digit(&mut self, piece: Piece) {
        self.in_number = false;
        self.sign();
        let zero = self.template.zero_from;
        if self.place < self.blanks {
            if zero.is_some_and(|zero| zero <= self.place) {
                self.out.push('0');
                self.in_number = true;
            } else if !self.template.bare {
                self.out.push(' ');
            }
        } else {
            self.write(piece);
            if self.at < self.number.len() {
                self.at += 1;
            }
        }
        let mut end =
            self.places + usize::from(self.blanks > 0) + usize::from(self.template.decimal);
        if self.last == Some(self.at) {
            end = self.place;
        }
        if self.place + 1 == end {
            if self.sign_written && self.template.bracket {
                self.out.push(if self.negative { '>' } else { ' ' });
            } else if self.template.sign == SignPlace::Behind {
                self.out.push(if self.negative { '-' } else { '+' });
            }
        }
        self.place += 1;
    }

    fn write(&mut self, piece: Piece) {
        let beyond = self.last.is_some_and(|last| self.at > last);
        match self.current() {
            Some(b'.') if self.ends_at_point() && !self.template.bare => {}
            Some(b'.') => self.out.push('.'),
            _ if beyond && piece != Piece::Zero => {}
            _ if self.hides_zero() => {
                if !self.template.bare {
                    self.out.push(' ');
                } else if self.ends_at_point() {
                    self.out.push('0');
                }
            }
            Some(digit) => {
                self.out.push(char::from(digit));
                self.in_number = true;
            }
            None => {}
        }
    }
}

/// The last digit behind the point that is not 0, or the point itself.
fn last_digit(number: &[u8]) -> Option<usize> {
    let point = number.iter().position(|byte| *byte == b'.')?;
    let behind = number.get(point + 1..).unwrap_or_default();
    let last = behind.iter().rposition(|digit| *digit != b'0');
    Some(last.map_or(point, |last| point + 1 + last))
}
