//! Names of types with their modifiers.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::dotted;
use crate::catalog::{Type, TypeId, type_by_name};
use crate::error::DialectError;
use crate::syntax::ast::{self, ExprKind, IntervalFields, Literal, TypeName};

/// What a typmod of a length is larger by than the length.
const HEADER: i64 = 4;
const MAX_LENGTH: i64 = 10_485_760;
const MAX_PRECISION: i64 = 1000;
/// An interval that keeps all its fields.
const FULL_RANGE: i32 = 0x7fff;
/// An interval that keeps all digits of a second.
const FULL_PRECISION: i32 = 0xffff;

impl Analyzer<'_> {
    /// The type that a name stands for.
    pub(crate) fn named_type(&mut self, name: &TypeName) -> Result<Type, DialectError> {
        let id = match name.name.0.as_slice() {
            [one] => type_by_name(&one.text),
            [schema, one] if schema.text == "pg_catalog" => type_by_name(&one.text),
            _ => None,
        };
        let user = |schema: Option<&str>, name: &str| {
            let stored = self.schema.user_type(schema, name)?;
            let mut types = self.schema.user_types().into_iter();
            types
                .find(|known| known.name == stored)
                .map(|known| known.id())
        };
        let id = id.or_else(|| match name.name.0.as_slice() {
            [one] => user(None, &one.text),
            [schema, one] => user(Some(&schema.text), &one.text),
            _ => None,
        });
        let Some(id) = id else {
            let table = name.name.0.as_slice();
            let of_table = match table {
                [one] => self.relation_in(None, &one.text).is_some(),
                [schema, one] => self.relation_in(Some(&schema.text), &one.text).is_some(),
                _ => false,
            };
            if self.domain_named(name).is_some() {
                return Err(self.unsupported(name.at, "an array of a domain, or a domain here"));
            }
            if of_table {
                return Err(self.unsupported(name.at, "the row type of a table"));
            }
            return Err(self.error(
                name.at,
                SqlState::UNDEFINED_OBJECT,
                format!("type \"{}\" does not exist", dotted(&name.name)),
            ));
        };
        if name.set_of {
            return Err(self.unsupported(name.at, "SETOF"));
        }
        let typmod = self.modifier(id, name)?;
        if name.dimensions == 0 {
            return Ok(Type { id, typmod });
        }
        match id.array() {
            Some(id) => Ok(Type { id, typmod }),
            None => Err(self.error(
                name.at,
                SqlState::UNDEFINED_OBJECT,
                format!("type \"{}[]\" does not exist", dotted(&name.name)),
            )),
        }
    }

    fn modifier(&mut self, id: TypeId, name: &TypeName) -> Result<i32, DialectError> {
        if id == TypeId::INTERVAL && (name.interval.is_some() || !name.modifiers.is_empty()) {
            return self.interval_modifier(name);
        }
        if name.modifiers.is_empty() {
            return Ok(-1);
        }
        let values = name
            .modifiers
            .iter()
            .map(|modifier| self.whole(modifier))
            .collect::<Result<Vec<i64>, DialectError>>()?;
        match (id, values.as_slice()) {
            (TypeId::NUMERIC, [precision]) => self.numeric_modifier(*precision, 0, name),
            (TypeId::NUMERIC, [precision, scale]) => {
                self.numeric_modifier(*precision, *scale, name)
            }
            (TypeId::NUMERIC, _) => {
                Err(self.invalid_modifier(name, "invalid NUMERIC type modifier"))
            }
            (TypeId::VARCHAR | TypeId::BPCHAR, [length]) => self.length(id, *length, name),
            (TypeId::BIT | TypeId::VARBIT, [length]) => Ok(small(*length)),
            (
                TypeId::TIME | TypeId::TIMETZ | TypeId::TIMESTAMP | TypeId::TIMESTAMPTZ,
                [precision],
            ) => self.seconds(id, *precision, name),
            (
                TypeId::VARCHAR
                | TypeId::BPCHAR
                | TypeId::TIME
                | TypeId::TIMETZ
                | TypeId::TIMESTAMP
                | TypeId::TIMESTAMPTZ,
                _,
            ) => Err(self.invalid_modifier(name, "invalid type modifier")),
            _ => Err(self.error(
                name.at,
                SqlState::SYNTAX_ERROR,
                format!(
                    "type modifier is not allowed for type \"{}\"",
                    dotted(&name.name)
                ),
            )),
        }
    }

    fn invalid_modifier(&self, name: &TypeName, message: impl Into<String>) -> DialectError {
        self.error(name.at, SqlState::INVALID_PARAMETER_VALUE, message)
    }

    /// A modifier is a whole number, perhaps with a sign.
    fn whole(&self, modifier: &ast::Expr) -> Result<i64, DialectError> {
        let (sign, literal) = match &modifier.kind {
            ExprKind::Prefix { operator, operand } if operator.sign == "-" => (-1, &operand.kind),
            kind => (1, kind),
        };
        match literal {
            ExprKind::Literal(Literal::Integer(digits)) => Ok(digits
                .parse::<i64>()
                .map_or(i64::from(i32::MAX), |value| sign * value)),
            _ => Err(self.error(
                modifier.at,
                SqlState::SYNTAX_ERROR,
                "type modifiers must be simple constants or identifiers",
            )),
        }
    }

    fn numeric_modifier(
        &self,
        precision: i64,
        scale: i64,
        name: &TypeName,
    ) -> Result<i32, DialectError> {
        if !(1..=MAX_PRECISION).contains(&precision) {
            return Err(self.invalid_modifier(
                name,
                format!("NUMERIC precision {precision} must be between 1 and {MAX_PRECISION}"),
            ));
        }
        if !(-MAX_PRECISION..=MAX_PRECISION).contains(&scale) {
            return Err(self.invalid_modifier(
                name,
                format!("NUMERIC scale {scale} must be between -1000 and 1000"),
            ));
        }
        // The scale has eleven bits, of which one is its sign.
        Ok(small((precision << 16 | (scale & 0x7ff)) + HEADER))
    }

    fn length(&self, id: TypeId, length: i64, name: &TypeName) -> Result<i32, DialectError> {
        let word = if id == TypeId::VARCHAR {
            "varchar"
        } else {
            "char"
        };
        if length < 1 {
            let message = format!("length for type {word} must be at least 1");
            return Err(self.invalid_modifier(name, message));
        }
        if length > MAX_LENGTH {
            let message = format!("length for type {word} cannot exceed {MAX_LENGTH}");
            return Err(self.invalid_modifier(name, message));
        }
        Ok(small(length + HEADER))
    }

    fn seconds(&self, id: TypeId, precision: i64, name: &TypeName) -> Result<i32, DialectError> {
        if precision < 0 {
            let zone = matches!(id, TypeId::TIMETZ | TypeId::TIMESTAMPTZ);
            let word = if matches!(id, TypeId::TIME | TypeId::TIMETZ) {
                "TIME"
            } else {
                "TIMESTAMP"
            };
            let message = format!(
                "{word}({precision}){} precision must not be negative",
                if zone { " WITH TIME ZONE" } else { "" }
            );
            return Err(self.invalid_modifier(name, message));
        }
        Ok(small(precision.min(6)))
    }

    fn interval_modifier(&mut self, name: &TypeName) -> Result<i32, DialectError> {
        let range = name.interval.map_or(FULL_RANGE, range);
        let precision = match name.modifiers.as_slice() {
            [] => FULL_PRECISION,
            [one] => small(self.whole(one)?.clamp(0, 6)),
            _ => return Err(self.invalid_modifier(name, "invalid INTERVAL type modifier")),
        };
        Ok(range << 16 | precision)
    }
}

fn small(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// The bits of an interval's fields in its typmod.
fn range(fields: IntervalFields) -> i32 {
    const MONTH: i32 = 1 << 1;
    const YEAR: i32 = 1 << 2;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    use IntervalFields as F;
    match fields {
        F::Year => YEAR,
        F::Month => MONTH,
        F::Day => DAY,
        F::Hour => HOUR,
        F::Minute => MINUTE,
        F::Second => SECOND,
        F::YearToMonth => YEAR | MONTH,
        F::DayToHour => DAY | HOUR,
        F::DayToMinute => DAY | HOUR | MINUTE,
        F::DayToSecond => DAY | HOUR | MINUTE | SECOND,
        F::HourToMinute => HOUR | MINUTE,
        F::HourToSecond => HOUR | MINUTE | SECOND,
        F::MinuteToSecond => MINUTE | SECOND,
    }
}
