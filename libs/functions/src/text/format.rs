//! `format`: takes the texts of its arguments.

use pgtypes::array::Array;
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, value, written};
use crate::error::{fail, invalid};
use crate::registry::Scalar;
use crate::text::{bounded, identifier, literal};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_text_format", -1, formatted).loose(),
    Scalar::pure("pg_text_format_nv", 1, formatted).loose(),
    Scalar::pure("pg_format_array", 2, formatted_array).loose(),
];

/// What stands between `%` and the letter.
#[derive(Debug, Default)]
struct Specifier {
    /// The number of the argument; the next one where it is not said.
    position: Option<usize>,
    /// To the left within the width.
    left: bool,
    width: Width,
}

#[derive(Debug, Default)]
enum Width {
    #[default]
    None,
    Number(i64),
    Argument(Option<usize>),
}

/// The same with an array of the values; a NULL array has none.
fn formatted_array(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut spread = vec![value(arguments, 0)];
    let array = match value(arguments, 1) {
        SqlValueRef::Null => Array::new(Vec::new()),
        _ => Array::parse(text(arguments, 1)?)?,
    };
    spread.extend(
        array
            .leaves()
            .map(|leaf| leaf.map_or(SqlValueRef::Null, SqlValueRef::Text)),
    );
    formatted(&spread)
}

fn formatted(arguments: &[SqlValueRef<'_>]) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let mut rest = text(arguments, 0)?;
    let mut out = String::new();
    let mut next = 1;
    while let Some(at) = rest.find('%') {
        let (plain, behind) = rest.split_at(at);
        out.push_str(plain);
        rest = behind.get(1..).unwrap_or_default();
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let (specifier, behind) = specifier(rest)?;
        let Some(letter) = behind.chars().next() else {
            return unterminated();
        };
        if !matches!(letter, 's' | 'I' | 'L') {
            return Err(unrecognized(letter));
        }
        rest = behind.get(letter.len_utf8()..).unwrap_or_default();
        let (width, left) = width(arguments, &specifier, &mut next)?;
        let number = match specifier.position {
            Some(number) => number,
            None => next,
        };
        next = number + 1;
        put(
            &converted(arguments, number, letter)?,
            width,
            left,
            &mut out,
        )?;
    }
    out.push_str(rest);
    written(out)
}

fn unterminated<T>() -> Result<T, ValueError> {
    Err(ValueError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        "unterminated format() type specifier",
    )
    .with_detail("For a single \"%\" use \"%%\"."))
}

fn unrecognized(letter: char) -> ValueError {
    ValueError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!("unrecognized format() type specifier \"{letter}\""),
    )
    .with_detail("For a single \"%\" use \"%%\".")
}

/// A number at the start, and what is behind it.
fn number(text: &str) -> Result<(Option<i64>, &str), ValueError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, behind) = text.split_at(end);
    if digits.is_empty() {
        return Ok((None, text));
    }
    match digits.parse::<i32>() {
        Ok(number) => Ok((Some(number.into()), behind)),
        Err(_) => fail(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "number is out of range",
        ),
    }
}

fn position(number: i64) -> Result<usize, ValueError> {
    match usize::try_from(number) {
        Ok(0) | Err(_) => invalid("format specifies argument 0, but arguments are numbered from 1"),
        Ok(number) => Ok(number),
    }
}

fn specifier(text: &str) -> Result<(Specifier, &str), ValueError> {
    let mut found = Specifier::default();
    let (first, behind) = number(text)?;
    let mut rest = text;
    if let Some(first) = first {
        match behind.strip_prefix('$') {
            Some(behind) => {
                found.position = Some(position(first)?);
                rest = behind;
            }
            None => {
                // It was a width.
                found.width = Width::Number(first);
                return Ok((found, behind));
            }
        }
    }
    while let Some(behind) = rest.strip_prefix('-') {
        found.left = true;
        rest = behind;
    }
    if let Some(behind) = rest.strip_prefix('*') {
        let (number, behind) = number(behind)?;
        rest = behind;
        found.width = Width::Argument(match number {
            None => None,
            Some(number) => match rest.strip_prefix('$') {
                Some(behind) => {
                    rest = behind;
                    Some(position(number)?)
                }
                None => return invalid("width argument position must be ended by \"$\""),
            },
        });
        return Ok((found, rest));
    }
    let (number, behind) = number(rest)?;
    if let Some(number) = number {
        found.width = Width::Number(number);
    }
    Ok((found, behind))
}

/// The width, and whether the text goes to the left; a negative width of an argument says so, too.
fn width(
    arguments: &[SqlValueRef<'_>],
    specifier: &Specifier,
    next: &mut usize,
) -> Result<(usize, bool), ValueError> {
    let width = match specifier.width {
        Width::None => 0,
        Width::Number(number) => number,
        Width::Argument(at) => {
            let at = at.unwrap_or(*next);
            *next = at + 1;
            if at >= arguments.len() {
                return invalid("too few arguments for format()");
            }
            match value(arguments, at) {
                SqlValueRef::Null => 0,
                SqlValueRef::Integer(number) => number,
                _ => pgtypes::integer::parse(
                    text(arguments, at)?,
                    "integer",
                    i32::MIN.into(),
                    i32::MAX.into(),
                )?,
            }
        }
    };
    let left = specifier.left || width < 0;
    let width = usize::try_from(width.unsigned_abs()).ok();
    Ok((bounded(width)?, left))
}

fn converted(
    arguments: &[SqlValueRef<'_>],
    number: usize,
    letter: char,
) -> Result<String, ValueError> {
    if number >= arguments.len() {
        return invalid("too few arguments for format()");
    }
    let is_null = value(arguments, number).is_null();
    Ok(match letter {
        's' if is_null => String::new(),
        'L' if is_null => "NULL".to_owned(),
        _ if is_null => {
            return fail(
                SqlState::NULL_VALUE_NOT_ALLOWED,
                "null values cannot be formatted as an SQL identifier",
            );
        }
        's' => text(arguments, number)?.to_owned(),
        'L' => literal(text(arguments, number)?),
        _ => identifier(text(arguments, number)?),
    })
}

fn put(text: &str, width: usize, left: bool, out: &mut String) -> Result<(), ValueError> {
    let missing = width.saturating_sub(text.chars().count());
    bounded(out.len().checked_add(text.len() + missing))?;
    let blanks = std::iter::repeat_n(' ', missing);
    if left {
        out.push_str(text);
        out.extend(blanks);
    } else {
        out.extend(blanks);
        out.push_str(text);
    }
    Ok(())
}
