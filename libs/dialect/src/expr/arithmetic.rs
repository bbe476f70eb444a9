//! `+ - * / % ^` with the meaning that the operands' types give them.

use crate::expr::{Expr, Form, level};
use crate::translator::Translator;
use crate::types::TypeName;

impl Translator<'_> {
    /// The operator at token `at` between two operands of level `own`.
    pub(crate) fn arithmetic(&mut self, left: &Expr, right: &Expr, at: usize, own: u8) -> Expr {
        let text = self.src.text(at);
        let expr = Expr::new(left.from, right.to).level(own);
        self.infer_operands(left, right, text);
        let (l, r) = (self.type_of(left), self.type_of(right));
        let base =
            |ty: &Option<TypeName>| ty.as_ref().map_or(String::new(), |ty| ty.base().to_owned());
        let (lb, rb) = (base(&l), base(&r));
        if text == "-" && lb == "jsonb" && matches!(rb.as_str(), "" | "text" | "varchar") {
            self.wrap(right, "eq_json_key(", ")");
            self.as_call(left, right, at, "json_remove");
            return Expr::new(left.from, right.to).typed("jsonb");
        }
        if let Some((function, ty)) = time_operator(text, &lb, &rb) {
            self.as_call(left, right, at, function);
            return Expr::new(left.from, right.to).typed(ty);
        }
        if text == "^" {
            self.as_call(left, right, at, "power");
            return Expr::new(left.from, right.to).typed("float8");
        }
        let ty = number_type(&lb, &rb);
        let fractional = ty.is_some_and(|ty| matches!(ty, "numeric" | "float4" | "float8"));
        if own == level::PRODUCT {
            self.number_literal(left);
            self.number_literal(right);
        }
        if text == "%" && fractional {
            // SQLite's % takes whole numbers only.
            self.as_call(left, right, at, "eq_mod");
            let scale = l
                .as_ref()
                .zip(r.as_ref())
                .and_then(|(l, r)| result_scale("%", l, r));
            return Expr::new(left.from, right.to).of(result_type(ty, scale));
        }
        if text == "/" && fractional {
            // A numeric column may hold an integer, and SQLite would divide two of them without a fraction.
            self.wrap(left, "CAST(", " AS REAL)");
        }
        if matches!(text, "/" | "%") && !self.is_never_zero(right) {
            self.wrap(right, "eq_divisor(", ")");
        }
        let scale = l
            .as_ref()
            .zip(r.as_ref())
            .and_then(|(l, r)| result_scale(text, l, r));
        expr.of(result_type(ty, scale))
    }

    /// A divisor that needs no check: a number that is written out, or `nullif(x, 0)`.
    fn is_never_zero(&self, divisor: &Expr) -> bool {
        match divisor.form {
            Form::Number => self
                .src
                .text(divisor.to - 1)
                .bytes()
                .any(|digit| (b'1'..=b'9').contains(&digit)),
            Form::Other => {
                self.src.is(divisor.from, "nullif")
                    && self.src.sign(divisor.from + 1, "(")
                    && self.src.partner(divisor.from + 1) + 1 == divisor.to
                    && self.src.text(divisor.to - 2) == "0"
            }
            _ => false,
        }
    }

    /// An operand whose type is open takes that of the other, or the one that goes with it.
    fn infer_operands(&mut self, left: &Expr, right: &Expr, text: &str) {
        for (open, other) in [(left, right), (right, left)] {
            let Form::Parameter(number) = open.form else {
                continue;
            };
            let Some(ty) = self.type_of(other) else {
                continue;
            };
            let ty = match (ty.base(), text) {
                ("date", "+" | "-") => {
                    TypeName::internal(if text == "+" { "int4" } else { "date" })
                }
                ("timestamp" | "timestamptz", "+") => TypeName::internal("interval"),
                ("interval", "*" | "/") => TypeName::internal("float8"),
                _ if other.form == Form::Number && ty.base() == "int4" => {
                    TypeName::internal("int8")
                }
                _ => TypeName::internal(ty.base()),
            };
            self.set_parameter(number, &ty);
        }
    }

    fn number_literal(&mut self, expr: &Expr) {
        if expr.form == Form::Literal {
            self.wrap(expr, "CAST(", " AS NUMERIC)");
        }
    }

    fn as_call(&mut self, left: &Expr, right: &Expr, at: usize, function: &str) {
        self.before(left.from, format!("{function}("));
        self.replace(at, at + 1, ",");
        self.after(right.to, ")");
    }
}

/// The function and the result of an operator between dates, times and intervals. An open literal beside a timestamp
/// is an interval for `+`, and a timestamp for `-`.
fn time_operator(text: &str, left: &str, right: &str) -> Option<(&'static str, &'static str)> {
    let stamp = |ty: &str| match ty {
        "timestamp" | "date" => Some("timestamp"),
        "timestamptz" => Some("timestamptz"),
        _ => None,
    };
    let integer = |ty: &str| matches!(ty, "int2" | "int4" | "int8");
    let number = |ty: &str| integer(ty) || matches!(ty, "numeric" | "float4" | "float8");
    Some(match (text, left, right) {
        ("+", "date", right) if integer(right) => ("eq_date_add", "date"),
        ("+", left, "date") if integer(left) => ("eq_date_add", "date"),
        ("-", "date", right) if integer(right) => ("eq_date_subtract", "date"),
        ("-", "date", "date" | "") => ("eq_date_difference", "int4"),
        ("-", left, right)
            if stamp(left).is_some() && (stamp(right).is_some() || right.is_empty()) =>
        {
            ("eq_timestamp_difference", "interval")
        }
        ("+", "time", "interval") => ("eq_time_add", "time"),
        ("-", "time", "interval") => ("eq_time_subtract", "time"),
        ("+", left, "interval" | "") if stamp(left).is_some() => ("eq_timestamp_add", stamp(left)?),
        ("-", left, "interval") if stamp(left).is_some() => ("eq_timestamp_subtract", stamp(left)?),
        ("+", "interval", right) if stamp(right).is_some() => ("eq_timestamp_add", stamp(right)?),
        ("+", "interval", "interval" | "") | ("+", "", "interval") => {
            ("eq_interval_add", "interval")
        }
        ("-", "interval", "interval" | "") => ("eq_interval_subtract", "interval"),
        ("*", "interval", right) if number(right) => ("eq_interval_multiply", "interval"),
        ("*", left, "interval") if number(left) => ("eq_interval_multiply", "interval"),
        ("/", "interval", right) if number(right) => ("eq_interval_divide", "interval"),
        _ => return None,
    })
}

/// The digits behind the point of a result; a quotient's depend on the values.
fn result_scale(text: &str, left: &TypeName, right: &TypeName) -> Option<u32> {
    let (left, right) = (left.scale()?, right.scale()?);
    match text {
        "+" | "-" | "%" => Some(left.max(right)),
        "*" => Some(left + right),
        _ => None,
    }
}

fn result_type(ty: Option<&str>, scale: Option<u32>) -> Option<TypeName> {
    match ty? {
        "numeric" => Some(TypeName::numeric(scale)),
        other => Some(TypeName::internal(other)),
    }
}

/// The type of an operation on two numbers; `None` if either is unknown.
pub(crate) fn number_type(left: &str, right: &str) -> Option<&'static str> {
    const RANKS: &[&str] = &["int2", "int4", "int8", "numeric", "float4", "float8"];
    let rank = |ty: &str| RANKS.iter().position(|name| *name == ty);
    let (left, right) = (rank(left)?, rank(right)?);
    let wide = left.max(right);
    let name = RANKS.get(wide)?;
    Some(if *name == "float4" && left != right {
        "float8"
    } else {
        name
    })
}
