//! Offsets of frames: a number of rows or groups, or in RANGE a distance from the row's own value.
//!
//! SQLite adds distances to what is stored and compares that, which is right for whole numbers and for moments that are
//! counted in microseconds, but not for months, nor for numerics, which are texts.

use pgtypes::{Interval, SqlState, SqlValue, Zone};

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Bound, Expr, ExprKind, SortBy, Window};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, FrameBound, FrameUnit, Position};

const DAY: i64 = 86_400_000_000;

/// Which way a fraction of a day goes where days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Down,
    Up,
}

impl Analyzer<'_> {
    pub(crate) fn frame_start(
        &mut self,
        bound: &FrameBound,
        unit: FrameUnit,
        window: &Window,
    ) -> Result<(Bound, Option<Expr>), DialectError> {
        let (bound, written) = self.bound(bound, unit, window, [Rounding::Down, Rounding::Up])?;
        Ok((self.check_offset(bound, "starting")?, written))
    }

    pub(crate) fn frame_end(
        &mut self,
        bound: &FrameBound,
        unit: FrameUnit,
        window: &Window,
    ) -> Result<(Bound, Option<Expr>), DialectError> {
        let (bound, written) = self.bound(bound, unit, window, [Rounding::Up, Rounding::Down])?;
        Ok((self.check_offset(bound, "ending")?, written))
    }

    /// 22004 for a NULL, which SQLite tells in the same words as a negative number.
    fn check_offset(&self, bound: Bound, end: &str) -> Result<Bound, DialectError> {
        let (Bound::Preceding(value) | Bound::Following(value)) = &bound else {
            return Ok(bound);
        };
        if matches!(
            value.without_relabel().kind,
            ExprKind::Constant(SqlValue::Null)
        ) {
            return Err(self.error(
                Position::default(),
                SqlState::NULL_VALUE_NOT_ALLOWED,
                format!("frame {end} offset must not be null"),
            ));
        }
        Ok(bound)
    }

    /// The bound, and its offset as it was written. `rounding` is that of an offset before the row, and of one behind it.
    fn bound(
        &mut self,
        bound: &FrameBound,
        unit: FrameUnit,
        window: &Window,
        [before, behind]: [Rounding; 2],
    ) -> Result<(Bound, Option<Expr>), DialectError> {
        Ok(match bound {
            FrameBound::UnboundedPreceding => (Bound::UnboundedPreceding, None),
            FrameBound::CurrentRow => (Bound::CurrentRow, None),
            FrameBound::UnboundedFollowing => (Bound::UnboundedFollowing, None),
            FrameBound::Preceding(value) => {
                let (value, written) = self.offset(value, unit, window, before)?;
                (Bound::Preceding(value), Some(written))
            }
            FrameBound::Following(value) => {
                let (value, written) = self.offset(value, unit, window, behind)?;
                (Bound::Following(value), Some(written))
            }
        })
    }

    fn offset(
        &mut self,
        value: &ast::Expr,
        unit: FrameUnit,
        window: &Window,
        rounding: Rounding,
    ) -> Result<(Expr, Expr), DialectError> {
        let value = self.in_clause(Clause::Window, |analyzer| analyzer.expr(value))?;
        if unit != FrameUnit::Range {
            let place = match unit {
                FrameUnit::Groups => "GROUPS",
                _ => "ROWS",
            };
            let value = self.count(value, place)?;
            self.check_no_variables(&value, place)?;
            return Ok((value.clone(), value));
        }
        let key = window.order_by.first().and_then(|sort| match &sort.key {
            SortBy::Value(key) => Some(key.ty.id),
            SortBy::Output(_) => None,
        });
        let key = key.unwrap_or(TypeId::UNKNOWN);
        match key {
            TypeId::INT2 | TypeId::INT4 | TypeId::INT8 => {
                let value = self.count(value, "RANGE")?;
                Ok((value.clone(), value))
            }
            TypeId::FLOAT4 | TypeId::FLOAT8 => {
                let at = value.start();
                let value = self.coerce(value, TypeId::FLOAT8)?;
                // The distance between infinities is none.
                let Some(number) = finite(&value) else {
                    return Err(self.unsupported(at, "RANGE with this offset"));
                };
                if number < 0.0 {
                    return Err(self.negative());
                }
                let kind = ExprKind::Constant(SqlValue::Real(number));
                Ok((Expr::new(Type::new(TypeId::FLOAT8), kind, at), value))
            }
            TypeId::DATE | TypeId::TIMESTAMP | TypeId::TIMESTAMPTZ | TypeId::TIME => {
                let value = self.coerce(value, TypeId::INTERVAL)?;
                Ok((self.span(&value, key, rounding)?, value))
            }
            TypeId::NUMERIC | TypeId::INTERVAL | TypeId::TIMETZ => Err(self.unsupported(
                value.at,
                format!("RANGE with an offset over type {}", key.name()),
            )),
            _ => Err(self.error(
                value.at,
                SqlState::FEATURE_NOT_SUPPORTED,
                format!(
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                    key.name()
                ),
            )),
        }
    }

    /// An interval as a number of what moments of the type are counted in.
    fn span(&self, value: &Expr, key: TypeId, rounding: Rounding) -> Result<Expr, DialectError> {
        let at = value.start();
        let span = match &value.without_relabel().kind {
            ExprKind::Constant(SqlValue::Text(text)) => Interval::parse(text).ok(),
            _ => None,
        };
        let Some(span) = span else {
            return Err(self.unsupported(at, "RANGE with an offset that is no constant"));
        };
        if span.months != 0 {
            return Err(self.unsupported(at, "RANGE with an offset of months"));
        }
        let fixed = matches!(self.context.zone, Zone::Fixed(_)) || is_greenwich(&self.context.zone);
        if key == TypeId::TIMESTAMPTZ && span.days != 0 && !fixed {
            return Err(self.unsupported(at, "RANGE with an offset of days in this time zone"));
        }
        let days = if key == TypeId::TIME { 0 } else { span.days };
        let micros = i64::from(days)
            .saturating_mul(DAY)
            .saturating_add(span.micros);
        if micros < 0 {
            return Err(self.negative());
        }
        let number = match (key, rounding) {
            (TypeId::DATE, Rounding::Down) => micros / DAY,
            (TypeId::DATE, Rounding::Up) => micros / DAY + i64::from(micros % DAY != 0),
            _ => micros,
        };
        Ok(Expr::new(
            Type::new(TypeId::INT8),
            ExprKind::Constant(SqlValue::Integer(number)),
            at,
        ))
    }

    fn negative(&self) -> DialectError {
        self.error(
            Position::default(),
            SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function",
        )
    }

    /// A number of rows: a bigint.
    pub(crate) fn count(&mut self, value: Expr, place: &str) -> Result<Expr, DialectError> {
        use crate::catalog::coerce::Context;
        let (at, source) = (value.start(), value.ty.id);
        self.try_coerce(value, TypeId::INT8, Context::Assignment)?
            .filter(|_| source.category() == 'N' || source == TypeId::UNKNOWN)
            .ok_or_else(|| {
                self.error(
                    at,
                    SqlState::DATATYPE_MISMATCH,
                    format!(
                        "argument of {place} must be type bigint, not type {}",
                        source.name()
                    ),
                )
            })
    }
}

/// Whether every day of the zone has 24 hours, as far as its name tells.
fn is_greenwich(zone: &Zone) -> bool {
    match zone {
        Zone::Named(zone) => matches!(
            zone.iana_name(),
            Some("UTC" | "Etc/UTC" | "GMT" | "Etc/GMT")
        ),
        _ => false,
    }
}

/// A constant that is a finite number.
fn finite(value: &Expr) -> Option<f64> {
    let number = match &value.kind {
        ExprKind::Constant(SqlValue::Integer(number)) => number.to_string().parse().ok()?,
        ExprKind::Constant(SqlValue::Real(number)) => *number,
        ExprKind::Constant(SqlValue::Text(text)) => text.parse().ok()?,
        // A cast.
        ExprKind::Call(call) if call.function.name == "float8" => finite(call.arguments.first()?)?,
        ExprKind::Relabel(inner) | ExprKind::ViaText(inner) => finite(inner)?,
        _ => return None,
    };
    Some(number).filter(|number: &f64| number.is_finite())
}
