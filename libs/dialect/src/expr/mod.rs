//! Expressions: one pass that finds operands, types and names, and splices what SQLite spells otherwise.

mod arithmetic;
mod call;
mod call_types;
pub(crate) mod cast;
pub(crate) mod coerce;
pub(crate) mod fit;
pub(crate) mod number;
mod operator;
pub(crate) mod primary;
mod series;
pub(crate) mod session;
mod special;

use pgtypes::PgType;

use crate::error::DialectError;
use crate::translator::Translator;

pub(crate) use coerce::coerce_text;

/// PostgreSQL's levels of precedence.
pub(crate) mod level {
    pub(crate) const LOWEST: u8 = 0;
    pub(crate) const OR: u8 = 1;
    pub(crate) const AND: u8 = 2;
    pub(crate) const NOT: u8 = 3;
    pub(crate) const IS: u8 = 4;
    pub(crate) const COMPARE: u8 = 5;
    pub(crate) const RANGE: u8 = 6;
    pub(crate) const OTHER: u8 = 7;
    pub(crate) const SUM: u8 = 8;
    pub(crate) const PRODUCT: u8 = 9;
    pub(crate) const POWER: u8 = 10;
    pub(crate) const ZONE: u8 = 11;
    pub(crate) const COLLATE: u8 = 12;
    pub(crate) const SIGN: u8 = 13;
    pub(crate) const CAST: u8 = 14;
    pub(crate) const PRIMARY: u8 = 15;
}

/// What an expression is, where that matters to what surrounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `$n`
    Parameter(usize),
    /// A string literal whose type is open.
    Literal,
    /// A number.
    Number,
    Null,
    /// A bare column reference: SQLite names the result as PostgreSQL does.
    Column,
    /// `*` or `t.*`
    Star,
    /// `DEFAULT`
    Default,
    Other,
}

/// A translated expression: tokens `from..to`.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) ty: Option<PgType>,
    pub(crate) form: Form,
    /// Precedence of the outermost operator.
    pub(crate) level: u8,
    pub(crate) not_null: bool,
    /// The name PostgreSQL gives to a result column; `None` = `?column?`.
    pub(crate) name: Option<String>,
}

impl Expr {
    pub(crate) fn new(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            ty: None,
            form: Form::Other,
            level: level::PRIMARY,
            not_null: false,
            name: None,
        }
    }

    pub(crate) fn typed(mut self, ty: PgType) -> Self {
        self.ty = Some(ty);
        self
    }

    pub(crate) fn of(mut self, ty: Option<PgType>) -> Self {
        self.ty = ty;
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    pub(crate) fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    pub(crate) fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// The type without its modifiers.
    pub(crate) fn base(&self) -> Option<PgType> {
        self.ty.map(PgType::base)
    }

    /// Whether it is of this type, whatever its modifiers.
    pub(crate) fn is(&self, ty: PgType) -> bool {
        self.base() == Some(ty)
    }
}

impl Translator<'_> {
    /// Reads an expression that begins at token `at` and ends before `end`.
    pub(crate) fn expr(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        self.operand(at, end, level::LOWEST)
    }

    /// An expression of operators that bind tighter than `floor`.
    pub(crate) fn operand(
        &mut self,
        at: usize,
        end: usize,
        floor: u8,
    ) -> Result<Expr, DialectError> {
        self.enter(at)?;
        let mut left = self.prefix(at, end)?;
        while let Some(next) = self.infix(&left, end, floor)? {
            left = next;
        }
        self.leave();
        Ok(left)
    }

    /// Expressions separated by commas that fill `at..end` exactly.
    pub(crate) fn list(&mut self, at: usize, end: usize) -> Result<Vec<Expr>, DialectError> {
        let mut items = Vec::new();
        let mut at = at;
        while at < end {
            let item = self.expr(at, end)?;
            at = item.to;
            items.push(item);
            if at < end {
                if !self.src.sign(at, ",") || at + 1 == end {
                    return Err(self.src.syntax(at));
                }
                at += 1;
            }
        }
        Ok(items)
    }

    /// An expression that fills `at..end` exactly.
    pub(crate) fn whole(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let expr = self.expr(at, end)?;
        if expr.to == end {
            Ok(expr)
        } else {
            Err(self.src.syntax(expr.to))
        }
    }

    /// Puts an expression into a call: `open` before it, `close` after it.
    pub(crate) fn wrap(&mut self, expr: &Expr, open: &str, close: &str) {
        self.before(expr.from, open);
        self.after(expr.to, close);
    }

    /// The expression's type, or that of the parameter that it is.
    pub(crate) fn type_of(&self, expr: &Expr) -> Option<PgType> {
        match expr.form {
            Form::Parameter(number) => self.parameter_type(number),
            _ => expr.ty,
        }
    }
}
