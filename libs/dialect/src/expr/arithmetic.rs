//! `+ - * / % ^` with the meaning that the operands' types give them.

use pgtypes::PgType;

use crate::expr::{Expr, Form, level};
use crate::translator::Translator;

impl Translator<'_> {
    /// The operator at token `at` between two operands of level `own`.
    pub(crate) fn arithmetic(&mut self, left: &Expr, right: &Expr, at: usize, own: u8) -> Expr {
        let text = self.src.text(at);
        let expr = Expr::new(left.from, right.to).level(own);
        self.infer_operands(left, right, text);
        let (l, r) = (self.type_of(left), self.type_of(right));
        let key = matches!(r, None | Some(PgType::Text | PgType::Varchar(_)));
        if text == "-" && l == Some(PgType::Jsonb) && key {
            self.wrap(right, "eq_json_key(", ")");
            self.as_call(left, right, at, "json_remove");
            return Expr::new(left.from, right.to).typed(PgType::Jsonb);
        }
        if let Some((function, ty)) = time_operator(text, l, r) {
            self.as_call(left, right, at, function);
            return Expr::new(left.from, right.to).typed(ty);
        }
        if text == "^" {
            self.as_call(left, right, at, "power");
            return Expr::new(left.from, right.to).typed(PgType::Float8);
        }
        let ty = number_type(l, r);
        let fractional = ty.is_some_and(|ty| !ty.is_integer());
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
                (PgType::Date, "+") => PgType::Int4,
                (PgType::Timestamp(_) | PgType::Timestamptz(_), "+") => PgType::Interval,
                (PgType::Interval, "*" | "/") => PgType::Float8,
                (PgType::Int4, _) if other.form == Form::Number => PgType::Int8,
                (ty, _) => ty,
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
fn time_operator(
    text: &str,
    left: Option<PgType>,
    right: Option<PgType>,
) -> Option<(&'static str, PgType)> {
    use PgType::{Date, Interval, Time};

    let stamp = |ty: Option<PgType>| match ty {
        Some(PgType::Timestamp(_) | Date) => Some(PgType::Timestamp(None)),
        Some(PgType::Timestamptz(_)) => Some(PgType::Timestamptz(None)),
        _ => None,
    };
    let integer = |ty: Option<PgType>| ty.is_some_and(|ty| ty.is_integer());
    let number = |ty: Option<PgType>| ty.is_some_and(|ty| ty.is_number());
    Some(match (text, left, right) {
        ("+", Some(Date), right) if integer(right) => ("eq_date_add", Date),
        ("+", left, Some(Date)) if integer(left) => ("eq_date_add", Date),
        ("-", Some(Date), right) if integer(right) => ("eq_date_subtract", Date),
        ("-", Some(Date), Some(Date) | None) => ("eq_date_difference", PgType::Int4),
        ("-", left, right)
            if stamp(left).is_some() && (stamp(right).is_some() || right.is_none()) =>
        {
            ("eq_timestamp_difference", Interval)
        }
        ("+", Some(Time(_)), Some(Interval)) => ("eq_time_add", Time(None)),
        ("-", Some(Time(_)), Some(Interval)) => ("eq_time_subtract", Time(None)),
        ("+", left, Some(Interval) | None) if stamp(left).is_some() => {
            ("eq_timestamp_add", stamp(left)?)
        }
        ("-", left, Some(Interval)) if stamp(left).is_some() => {
            ("eq_timestamp_subtract", stamp(left)?)
        }
        ("+", Some(Interval), right) if stamp(right).is_some() => {
            ("eq_timestamp_add", stamp(right)?)
        }
        ("+", Some(Interval), Some(Interval) | None) | ("+", None, Some(Interval)) => {
            ("eq_interval_add", Interval)
        }
        ("-", Some(Interval), Some(Interval) | None) => ("eq_interval_subtract", Interval),
        ("*", Some(Interval), right) if number(right) => ("eq_interval_multiply", Interval),
        ("*", left, Some(Interval)) if number(left) => ("eq_interval_multiply", Interval),
        ("/", Some(Interval), right) if number(right) => ("eq_interval_divide", Interval),
        _ => return None,
    })
}

/// The digits behind the point of a result; a quotient's depend on the values.
fn result_scale(text: &str, left: &PgType, right: &PgType) -> Option<u32> {
    let (left, right) = (left.scale()?, right.scale()?);
    match text {
        "+" | "-" | "%" => Some(left.max(right)),
        "*" => Some(left + right),
        _ => None,
    }
}

fn result_type(ty: Option<PgType>, scale: Option<u32>) -> Option<PgType> {
    match ty? {
        PgType::Numeric { .. } => Some(PgType::numeric(scale)),
        other => Some(other),
    }
}

/// The type of an operation on two numbers; `None` if either is unknown.
pub(crate) fn number_type(left: Option<PgType>, right: Option<PgType>) -> Option<PgType> {
    const RANKS: &[PgType] = &[
        PgType::Int2,
        PgType::Int4,
        PgType::Int8,
        PgType::NUMERIC,
        PgType::Float4,
        PgType::Float8,
    ];
    let rank = |ty: Option<PgType>| {
        RANKS
            .iter()
            .position(|known| Some(*known) == ty.map(PgType::base))
    };
    let (left, right) = (rank(left)?, rank(right)?);
    let wide = *RANKS.get(left.max(right))?;
    Some(if wide == PgType::Float4 && left != right {
        PgType::Float8
    } else {
        wide
    })
}
