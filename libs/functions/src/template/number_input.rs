//! `to_number`

use pgtypes::numeric::{Limits, within};
use pgtypes::{Decimal, SqlValue, SqlValueRef};

use crate::arguments::{Answer, text, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::template::number_template::{NumberTemplate, Piece};

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
    let negative = value.contains('-') || (template.bracket && value.contains('<'));
    let mut digits = String::new();
    let mut chars = value
        .chars()
        .filter(|c| !matches!(c, '-' | '+' | '<' | '>' | ' '))
        .peekable();
    let mut behind_point = false;
    for piece in &template.pieces {
        match piece {
            Piece::Nine | Piece::Zero => {
                if chars.peek() == Some(&'.') && !behind_point && template.decimal {
                    continue;
                }
                if let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
            }
            Piece::Point => {
                while chars.next_if(|c| *c != '.').is_some() {}
                if chars.next_if_eq(&'.').is_some() {
                    digits.push('.');
                    behind_point = true;
                }
            }
            Piece::Comma => {
                chars.next_if_eq(&',');
            }
            Piece::Text(_) | Piece::Currency => {
                chars.next_if(|c| !c.is_ascii_digit() && *c != '.' && *c != ',');
            }
            Piece::Ordinal { .. } => {
                chars.next();
                chars.next();
            }
            Piece::Roman | Piece::Minus | Piece::Plus | Piece::Sign => {}
        }
    }
    let sign = if negative { "-" } else { " " };
    let mut number = Decimal::parse(&format!("{sign}{digits}"))?;
    if template.shifted > 0 {
        number = number.over(&Decimal::parse(&format!("1e{}", template.shifted))?)?;
    }
    // The scale is that of the digits that were there.
    let behind = digits.split_once('.').map_or(0, |(_, behind)| behind.len());
    let precision = template.before + behind + template.shifted;
    let limits = Limits {
        precision: u16::try_from(precision.max(1)).unwrap_or(1000),
        scale: i16::try_from(behind).unwrap_or(0),
    };
    written(within(number, limits)?)
}
