//! Bringing open literals and parameters to the type that their surroundings ask for.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::fit::conversion;
use crate::expr::{Expr, Form};
use crate::functions::{Value, convert};
use crate::literal::quote;
use crate::translator::Translator;

impl Translator<'_> {
    /// Two operands of one comparison: the typed one decides for the open one.
    pub(crate) fn unify(&mut self, left: &Expr, right: &Expr) -> Result<(), DialectError> {
        let (l, r) = (self.type_of(left), self.type_of(right));
        match (l, r) {
            (Some(ty), None) => self.settle(right, &ty),
            (None, Some(ty)) => self.settle(left, &ty),
            (Some(l), Some(r)) if l.base() != r.base() => {
                self.align_times(left, &l, right, &r);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Gives an open operand its type. The modifiers of a column say nothing about what it is compared with.
    fn settle(&mut self, open: &Expr, ty: &PgType) -> Result<(), DialectError> {
        match open.form {
            Form::Parameter(number) => {
                let ty = match ty.base() {
                    PgType::Bpchar(_) => PgType::Text,
                    other => other,
                };
                self.set_parameter(number, &ty);
                Ok(())
            }
            Form::Literal => self.settle_literal(open, &ty.base()),
            _ => Ok(()),
        }
    }

    pub(crate) fn settle_literal(&mut self, open: &Expr, ty: &PgType) -> Result<(), DialectError> {
        let text = self.src.string(open.from)?.unwrap_or_default();
        if matches!(ty, PgType::Json | PgType::Jsonb) {
            let checked = json_literal(&text);
            self.replace(open.from, open.from + 1, checked);
            return Ok(());
        }
        let spelled = coerce_text(&text, ty)
            .map_err(|error| error.at(self.src.sql, self.src.start(open.from)))?;
        if let Some(spelled) = spelled {
            self.replace(open.from, open.from + 1, spelled);
        }
        Ok(())
    }

    /// A date against a timestamp, a timestamp against one with time zone: the forms as text differ.
    fn align_times(&mut self, left: &Expr, l: &PgType, right: &Expr, r: &PgType) {
        let rank = |ty: &PgType| match ty {
            PgType::Date => 1,
            PgType::Timestamp(_) => 2,
            PgType::Timestamptz(_) => 3,
            _ => 0,
        };
        let (low, high) = (rank(l).min(rank(r)), rank(l).max(rank(r)));
        if low == 0 {
            return;
        }
        let (lower, higher) = if rank(l) < rank(r) {
            (left, right)
        } else {
            (right, left)
        };
        if low == 2 && lower.form == Form::Column {
            // The session's zone is UTC: the column stays bare, so that an index on it can serve.
            self.wrap(higher, "eq_to_timestamp(", ")");
        } else {
            let function = if high == 2 {
                "eq_to_timestamp("
            } else {
                "eq_to_timestamptz("
            };
            self.wrap(lower, function, ")");
        }
    }

    /// A value joined with others of type `ty`.
    pub(crate) fn align(&mut self, value: &Expr, ty: &PgType) -> Result<(), DialectError> {
        if matches!(value.form, Form::Parameter(_) | Form::Literal) {
            return self.settle(value, ty);
        }
        let Some(own) = self.type_of(value) else {
            return Ok(());
        };
        if let Some((open, close)) = conversion(&own, ty) {
            self.wrap(value, &open, &close);
        }
        Ok(())
    }
}

/// A literal that is meant as JSON, checked when the statement runs.
pub(crate) fn json_literal(text: &str) -> String {
    let literal = quote(text);
    format!("iif(json_valid({literal}),{literal},eq_bad_json({literal}))")
}

/// SQLite's spelling of a string literal that is meant as a value of `ty`; `None` if the text stays as it is.
pub(crate) fn coerce_text(text: &str, ty: &PgType) -> Result<Option<String>, DialectError> {
    let relative = matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "now" | "today" | "tomorrow" | "yesterday"
    );
    if relative && ty.is_date_or_timestamp() {
        let days = match text.trim().to_ascii_lowercase().as_str() {
            "tomorrow" => ",'1 day'",
            "yesterday" => ",'-1 day'",
            _ => "",
        };
        let day = |inner: &str| {
            if text.trim().eq_ignore_ascii_case("now") {
                inner.to_owned()
            } else {
                format!("eq_to_date({inner})")
            }
        };
        let base = if days.is_empty() {
            day("now()")
        } else {
            format!("eq_timestamp_add({}{days})", day("now()"))
        };
        return Ok(Some(format!("eq_to_{}({base})", ty.typname())));
    }
    if !convert::has_canonical_form(ty) {
        return Ok(None);
    }
    let value = convert::to_type(&Value::Text(text.to_owned()), ty)?;
    Ok(Some(spell(&value)))
}

/// A value as a literal.
pub(crate) fn spell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => spell_real(*value),
        Value::Text(text) => quote(text),
        Value::Blob(bytes) => format!("X'{}'", hex::encode(bytes)),
    }
}

/// A double as a literal. SQLite reads few digits and small exponents exactly; all else is read by a function.
fn spell_real(value: f64) -> String {
    const EXACT_DIGITS: usize = 15;
    let text = format!("{value:?}");
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text
        .bytes()
        .all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-'));
    if plain && digits <= EXACT_DIGITS && value != 0.0 {
        text
    } else if value == 0.0 && value.is_sign_positive() {
        "0.0".to_owned()
    } else {
        format!("eq_to_float8('{text}')")
    }
}
