//! `to_number`

use pgtypes::numeric::{Limits, within};
use pgtypes::{Decimal, SqlValue, SqlValueRef};

use crate::arguments::{Answer, text, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::template::number_template::{NumberTemplate, Piece, SignPlace};

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_numeric_to_number", 2, read)];

/// Reads the digits, the point and the sign that a template lets a text have.
fn read(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (value, format) = (text(arguments, 0)?, text(arguments, 1)?);
    if format.is_empty() {
        return Ok(SqlValue::Null);
    }
    let template = NumberTemplate::parse(format)?;
    if template.roman || template.scientific {
        let what = if template.roman { "RN" } else { "EEEE" };
        return fail(
            pgtypes::SqlState::FEATURE_NOT_SUPPORTED,
            format!("\"{what}\" not supported for input"),
        );
    }
    let mut reader = Reader::new(value, &template);
    for piece in &template.pieces {
        if reader.rest.is_empty() {
            break;
        }
        reader.take(*piece, template.bare);
    }
    let number = format!("{}{}", reader.sign, reader.digits.trim_end_matches('.'));
    let mut number = Decimal::parse(&number)?;
    let precision = template.before + template.shifted + reader.behind;
    let limits = Limits {
        precision: u16::try_from(precision).unwrap_or(1000),
        scale: i16::try_from(reader.behind).unwrap_or(0),
    };
    number = within(number, limits)?;
    if template.shifted > 0 {
        number = number.times(&Decimal::parse(&format!("1e-{}", template.shifted))?)?;
    }
    written(number)
}

/// What has been read of a text.
struct Reader<'a> {
    template: &'a NumberTemplate,
    rest: &'a str,
    sign: char,
    digits: String,
    before: usize,
    behind: usize,
    point: bool,
}

impl<'a> Reader<'a> {
    fn new(rest: &'a str, template: &'a NumberTemplate) -> Self {
        Self {
            template,
            rest,
            sign: ' ',
            digits: String::new(),
            before: 0,
            behind: 0,
            point: false,
        }
    }

    fn skip(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    /// Steps over so many characters, but over none that may belong to a number.
    fn skip_foreign(&mut self, count: usize) {
        for _ in 0..count {
            if self
                .rest
                .starts_with(|c: char| c.is_ascii_digit() || ".,+-".contains(c))
            {
                break;
            }
            self.skip();
        }
    }

    fn take(&mut self, piece: Piece, bare: bool) {
        match piece {
            Piece::Nine | Piece::Zero => {
                self.digit(true);
                self.skip();
            }
            Piece::Point => {
                self.digit(false);
                self.skip();
            }
            Piece::Comma => {
                if !(bare && self.digits.is_empty()) && self.rest.starts_with(',') {
                    self.skip();
                }
            }
            Piece::Text(_) | Piece::Currency => self.skip_foreign(1),
            Piece::Ordinal { .. } => self.skip_foreign(2),
            Piece::Minus => self.sign_of("-"),
            Piece::Plus => self.sign_of("+"),
            Piece::Sign => self.sign_of("+-"),
            Piece::Roman => {}
        }
    }

    fn sign_of(&mut self, signs: &str) {
        match self.rest.chars().next().filter(|c| signs.contains(*c)) {
            Some(sign) => {
                self.sign = sign;
                self.skip();
            }
            None => self.skip_foreign(1),
        }
    }

    /// A digit or the point, and a sign before the first or behind the last one.
    fn digit(&mut self, sign_may_stand_here: bool) {
        let bytes = |rest: &str| rest.bytes().next();
        if self.rest.starts_with(' ') {
            self.skip();
        }
        if sign_may_stand_here && self.sign == ' ' && self.before + self.behind == 0 {
            self.sign_before();
        }
        let Some(next) = bytes(self.rest) else { return };
        let mut is_read = false;
        if next.is_ascii_digit() {
            if self.point && self.behind == self.template.behind {
                return;
            }
            self.digits.push(char::from(next));
            if self.point {
                self.behind += 1;
            } else {
                self.before += 1;
            }
            is_read = true;
        } else if self.template.decimal && !self.point && next == b'.' {
            self.digits.push('.');
            self.point = true;
            is_read = true;
        }
        if self.sign != ' ' || self.before + self.behind == 0 {
            return;
        }
        let (minus_or_plus, anchored) = (
            self.template.minus || self.template.plus,
            self.template.sign != SignPlace::None,
        );
        if anchored && is_read {
            let second = self.rest.as_bytes().get(1).copied();
            if let Some(sign @ (b'-' | b'+')) = second {
                self.skip();
                self.sign = char::from(sign);
            }
        } else if !is_read && !anchored && minus_or_plus && matches!(next, b'-' | b'+') {
            self.sign = char::from(next);
        }
    }

    fn sign_before(&mut self) {
        let Some(next) = self.rest.bytes().next() else {
            return;
        };
        match next {
            b'-' => self.sign = '-',
            b'<' if self.template.bracket => self.sign = '-',
            b'+' => self.sign = '+',
            _ => return,
        }
        self.skip();
    }
}
