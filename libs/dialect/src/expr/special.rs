//! Functions whose arguments are separated by keywords: EXTRACT, SUBSTRING, POSITION, TRIM, OVERLAY.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::{Expr, Form};
use crate::literal::quote;
use crate::translator::Translator;

impl Translator<'_> {
    /// A call with keyword syntax at token `at` (the name, followed by an opening parenthesis); `None` if this one
    /// is written with commas.
    pub(crate) fn special_call(
        &mut self,
        at: usize,
        name: &str,
    ) -> Result<Option<Expr>, DialectError> {
        let close = self.src.partner(at + 1);
        match name {
            "extract" => self.extract(at, close).map(Some),
            "position" => self.position(at, close).map(Some),
            "substring" => self.substring(at, close),
            "trim" => self.trim(at, close).map(Some),
            "overlay" => self.overlay(at, close),
            _ => Ok(None),
        }
    }

    fn extract(&mut self, at: usize, close: usize) -> Result<Expr, DialectError> {
        let field = match self.src.string(at + 2)? {
            Some(field) => field,
            None => self
                .src
                .name(at + 2)
                .ok_or_else(|| self.src.syntax(at + 2))?,
        };
        if !self.src.is(at + 3, "FROM") {
            return Err(self.src.syntax(at + 3));
        }
        let value = self.whole(at + 4, close)?;
        let interval = value.is(PgType::Interval);
        self.default_parameter(&value, PgType::Timestamptz(None));
        self.replace(
            at,
            at + 1,
            if interval {
                "eq_interval_part"
            } else {
                "date_part"
            },
        );
        self.replace(at + 2, at + 4, format!("{},", quote(&field)));
        let ty = PgType::numeric(Some(field_scale(&field, value.base())));
        Ok(Expr::new(at, close + 1).of(Some(ty)).named("extract"))
    }

    fn position(&mut self, at: usize, close: usize) -> Result<Expr, DialectError> {
        let needle = self.operand(at + 2, close, crate::expr::level::RANGE)?;
        if !self.src.is(needle.to, "IN") {
            return Err(self.src.syntax(needle.to));
        }
        let text = self.whole(needle.to + 1, close)?;
        self.default_parameter(&needle, PgType::Text);
        self.default_parameter(&text, PgType::Text);
        self.replace(at, at + 1, "eq_position");
        self.replace(needle.to, needle.to + 1, ",");
        Ok(Expr::new(at, close + 1)
            .typed(PgType::Int4)
            .named("position"))
    }

    fn substring(&mut self, at: usize, close: usize) -> Result<Option<Expr>, DialectError> {
        let text = self.expr(at + 2, close)?;
        self.default_parameter(&text, PgType::Text);
        let bytes = text.is(PgType::Bytea);
        let ty = if bytes { PgType::Bytea } else { PgType::Text };
        let done = Ok(Some(Expr::new(at, close + 1).typed(ty).named("substring")));
        let mut next = text.to;
        if self.src.is(next, "FROM") {
            self.replace(next, next + 1, ",");
            let start = self.expr(next + 1, close)?;
            let pattern =
                start.form == Form::Literal || start.ty.as_ref().is_some_and(PgType::is_text);
            self.default_parameter(&start, PgType::Int4);
            self.replace(
                at,
                at + 1,
                if pattern {
                    "eq_regexp_substring"
                } else {
                    "eq_substring"
                },
            );
            next = start.to;
        } else if self.src.is(next, "FOR") {
            self.replace(at, at + 1, "eq_substring");
            self.before(next, ",1");
        } else {
            let mut rest = Vec::new();
            while self.src.sign(next, ",") {
                let argument = self.expr(next + 1, close)?;
                next = argument.to;
                rest.push(argument);
            }
            let pattern = rest.len() == 1
                && rest.iter().all(|arg| {
                    arg.form == Form::Literal || arg.ty.as_ref().is_some_and(PgType::is_text)
                });
            for argument in &rest {
                self.default_parameter(argument, PgType::Int4);
            }
            self.replace(
                at,
                at + 1,
                if pattern {
                    "eq_regexp_substring"
                } else {
                    "eq_substring"
                },
            );
        }
        if self.src.is(next, "FOR") {
            self.replace(next, next + 1, ",");
            let length = self.expr(next + 1, close)?;
            self.default_parameter(&length, PgType::Int4);
            next = length.to;
        }
        if next == close {
            done
        } else {
            Err(self.src.syntax(next))
        }
    }

    fn trim(&mut self, at: usize, close: usize) -> Result<Expr, DialectError> {
        let mut next = at + 2;
        let function = match self.src.text(next).to_ascii_lowercase().as_str() {
            "leading" => "ltrim",
            "trailing" => "rtrim",
            "both" => "trim",
            _ => "",
        };
        if !function.is_empty() {
            self.remove(next, next + 1);
            next += 1;
        }
        let function = if function.is_empty() {
            "trim"
        } else {
            function
        };
        let named = Expr::new(at, close + 1)
            .typed(PgType::Text)
            .named(if function == "trim" {
                "btrim"
            } else {
                function
            });
        if self.src.is(next, "FROM") {
            self.remove(next, next + 1);
            self.replace(at, at + 1, function);
            self.whole(next + 1, close)?;
            return Ok(named);
        }
        let first = self.expr(next, close)?;
        self.default_parameter(&first, PgType::Text);
        if self.src.is(first.to, "FROM") {
            // The characters come first here and last in the function.
            self.replace(at, at + 1, format!("eq_{function}"));
            self.replace(first.to, first.to + 1, ",");
            let text = self.whole(first.to + 1, close)?;
            self.default_parameter(&text, PgType::Text);
            return Ok(named);
        }
        self.replace(at, at + 1, function);
        if self.src.sign(first.to, ",") {
            self.list(first.to + 1, close)?;
        } else if first.to != close {
            return Err(self.src.syntax(first.to));
        }
        Ok(named)
    }

    fn overlay(&mut self, at: usize, close: usize) -> Result<Option<Expr>, DialectError> {
        let mut next = self.expr(at + 2, close)?.to;
        for keyword in ["PLACING", "FROM", "FOR"] {
            if self.src.is(next, keyword) {
                self.replace(next, next + 1, ",");
                next = self.expr(next + 1, close)?.to;
            }
        }
        if next == close {
            return Ok(Some(
                Expr::new(at, close + 1)
                    .typed(PgType::Text)
                    .named("overlay"),
            ));
        }
        Ok(None)
    }

    pub(crate) fn default_parameter(&mut self, expr: &Expr, ty: PgType) {
        if let Form::Parameter(number) = expr.form {
            self.set_parameter(number, &ty);
        }
    }
}

/// The digits behind the point that PostgreSQL shows for a field.
fn field_scale(field: &str, of: Option<PgType>) -> u32 {
    match field.to_ascii_lowercase().as_str() {
        "epoch" if of == Some(PgType::Date) => 0,
        "epoch" | "second" | "seconds" => 6,
        "milliseconds" => 3,
        _ => 0,
    }
}
