//! Values on their way into a column: what PostgreSQL's assignment casts round, cut and refuse.
//!
//! A value that is written out is judged here, a parameter when it arrives; only an expression that may leave the
//! limits of the column's type pays for a call.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::cast::{joined_text, to_form};
use crate::expr::{Expr, Form, level, number};
use crate::functions::fit;
use crate::literal::quote;
use crate::translator::Translator;

impl Translator<'_> {
    /// A value stored into a column of type `ty`.
    pub(crate) fn assign(&mut self, value: &Expr, ty: &PgType) -> Result<(), DialectError> {
        match value.form {
            Form::Parameter(number) => {
                self.set_parameter(number, ty);
                Ok(())
            }
            Form::Null | Form::Default => Ok(()),
            Form::Literal => self.assign_literal(value, ty),
            Form::Number => self.assign_number(value, ty),
            _ => self.assign_expression(value, ty),
        }
    }

    /// A string literal for a type that has limits is cut or refused at once.
    fn assign_literal(&mut self, value: &Expr, ty: &PgType) -> Result<(), DialectError> {
        let text = self.src.string(value.from)?.unwrap_or_default();
        let at = |error: DialectError| error.at(self.src.sql, self.src.start(value.from));
        if ty.length().is_some() {
            let kept = fit::characters(&text, ty).map_err(at)?;
            if kept.len() < text.len() {
                let kept = quote(kept);
                self.replace(value.from, value.from + 1, kept);
            }
            return Ok(());
        }
        self.settle_literal(value, ty)
    }

    fn assign_number(&mut self, value: &Expr, ty: &PgType) -> Result<(), DialectError> {
        let text = self.src.slice(value.from, value.to);
        let judged = if ty.is_integer() || matches!(ty, PgType::Numeric { .. }) {
            number::fits(text, ty)
        } else {
            Some(true)
        };
        match judged {
            Some(false) => {
                Err(number::out_of_range(ty).at(self.src.sql, self.src.start(value.from)))
            }
            Some(true) if ty.length().is_none() => Ok(()),
            _ => {
                if let Some((open, close)) = limits(ty) {
                    self.wrap(value, &open, &close);
                }
                Ok(())
            }
        }
    }

    fn assign_expression(&mut self, value: &Expr, ty: &PgType) -> Result<(), DialectError> {
        let own = self.type_of(value);
        self.align(value, ty)?;
        if needs_limits(value, own.as_ref(), ty)
            && let Some((open, close)) = limits(ty)
        {
            self.wrap(value, &open, &close);
        }
        Ok(())
    }
}

/// What is done to column `name` of a query whose rows go into a column of type `ty`; `None`: nothing.
pub(crate) fn stored(name: &str, own: Option<&PgType>, ty: &PgType) -> Option<String> {
    let own = own?;
    let canonical = crate::functions::convert::has_canonical_form(ty);
    let converted = if own.is_text() && canonical {
        let (open, close) = to_form(ty);
        Some(format!("{open}{name}{close}"))
    } else {
        conversion(own, ty).map(|(open, close)| format!("{open}{name}{close}"))
    };
    let value = Expr::new(0, 0);
    let limited = (own != ty && needs_limits(&value, Some(own), ty))
        .then(|| limits(ty))
        .flatten();
    match (converted, limited) {
        (converted, Some((open, close))) => {
            let inner = converted.as_deref().unwrap_or(name);
            Some(format!("{open}{inner}{close}"))
        }
        (converted, None) => converted,
    }
}

/// The call that brings a value of type `own` to the stored form of `ty`, where the forms differ: text before and
/// after it.
pub(crate) fn conversion(own: &PgType, ty: &PgType) -> Option<(String, String)> {
    let differs = own.base() != ty.base();
    let fraction = matches!(
        own,
        PgType::Numeric { .. } | PgType::Float4 | PgType::Float8
    );
    if differs
        && (ty.is_date_or_timestamp() && own.is_date_or_timestamp() || ty.is_integer() && fraction)
    {
        Some((format!("eq_to_{}(", ty.typname()), ")".to_owned()))
    } else if ty.is_text() {
        joined_text(own)
    } else {
        None
    }
}

/// Whether an expression may give what a column of type `ty` has no room for.
fn needs_limits(value: &Expr, own: Option<&PgType>, ty: &PgType) -> bool {
    let Some(own) = own else {
        // A sequence's next value and the like; a bigint takes all that SQLite calls an integer.
        return *ty != PgType::Int8;
    };
    if ty.is_integer() {
        let computed = (level::SUM..=level::POWER).contains(&value.level);
        // Other types were wrapped when they were aligned.
        return own.is_integer() && (computed || width(own) > width(ty));
    }
    if matches!(ty, PgType::Numeric { .. }) && own.is_number() {
        let room = |ty: &PgType| Some(ty.precision()?.saturating_sub(ty.scale()?));
        let same = own.scale() <= ty.scale() && room(own).is_some() && room(own) <= room(ty);
        return !same;
    }
    match (own.length(), ty.length()) {
        (Some(own_length), Some(length)) => own_length > length || own.base() != ty.base(),
        _ => own != ty,
    }
}

fn width(ty: &PgType) -> u8 {
    match ty {
        PgType::Int2 => 2,
        PgType::Int4 => 4,
        _ => 8,
    }
}

/// The call that holds a value within a type's limits: text before and after it.
pub(crate) fn limits(ty: &PgType) -> Option<(String, String)> {
    match ty {
        PgType::Int2 | PgType::Int4 | PgType::Int8 => {
            Some((format!("eq_to_{}(", ty.typname()), ")".to_owned()))
        }
        PgType::Numeric {
            precision: Some(precision),
            scale,
        } => Some((
            "eq_fit_numeric(".to_owned(),
            format!(",{precision},{})", scale.unwrap_or(0)),
        )),
        PgType::Time(Some(_))
        | PgType::Timetz(Some(_))
        | PgType::Timestamp(Some(_))
        | PgType::Timestamptz(Some(_)) => Some(to_form(ty)),
        PgType::Varchar(_) | PgType::Bpchar(_) => {
            let length = ty.length()?;
            Some((format!("eq_fit_{}(", ty.typname()), format!(",{length})")))
        }
        _ => None,
    }
}
