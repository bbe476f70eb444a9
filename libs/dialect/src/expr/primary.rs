//! Operands: literals, parameters, names, parentheses, CASE; and the signs before them.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::{Expr, Form, level, number};
use crate::lexer::Kind;
use crate::literal::{quote, quote_name};
use crate::translator::Translator;

/// Keywords that cannot begin an expression.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "collate",
    "cross",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "like",
    "limit",
    "natural",
    "notnull",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "returning",
    "select",
    "similar",
    "then",
    "to",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

impl Translator<'_> {
    /// Signs and NOT, then an operand.
    pub(crate) fn prefix(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        if at >= end {
            return Err(self.src.syntax(at));
        }
        if self.src.is(at, "NOT") {
            let inner = self.operand(at + 1, end, level::NOT - 1)?;
            return Ok(Expr::new(at, inner.to)
                .typed(PgType::Bool)
                .level(level::NOT));
        }
        if self.src.sign(at, "-") || self.src.sign(at, "+") {
            let inner = self.operand(at + 1, end, level::SIGN - 1)?;
            if inner.is(PgType::Interval) && self.src.sign(at, "-") {
                self.replace(at, at + 1, "eq_interval_multiply(");
                self.after(inner.to, ",-1)");
                return Ok(Expr::new(at, inner.to).typed(PgType::Interval));
            }
            let form = if inner.form == Form::Number {
                Form::Number
            } else {
                Form::Other
            };
            return Ok(Expr::new(at, inner.to)
                .of(self.type_of(&inner))
                .form(form)
                .level(level::SIGN));
        }
        if self.src.sign(at, "~") {
            let inner = self.operand(at + 1, end, level::OTHER)?;
            return Ok(Expr::new(at, inner.to)
                .of(self.type_of(&inner))
                .level(level::SIGN));
        }
        self.primary(at, end)
    }

    fn primary(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let Some(kind) = self.src.kind(at) else {
            return Err(self.src.syntax(at));
        };
        match kind {
            Kind::Text | Kind::Escape | Kind::National | Kind::Dollar => self.string_literal(at),
            Kind::Unicode if self.src.text(at).get(2..3) == Some("'") => self.string_literal(at),
            Kind::Bits => Err(self.src.unsupported(at, "a bit string")),
            Kind::Hex => Ok(Expr::new(at, at + 1).typed(PgType::Bytea)),
            Kind::Integer => Ok(self.integer(at)),
            Kind::Decimal => {
                let ty = PgType::numeric(Some(number::scale(self.src.text(at))));
                Ok(Expr::new(at, at + 1).of(Some(ty)).form(Form::Number))
            }
            Kind::Parameter => {
                let number = self.parameter(at)?;
                self.replace(at, at + 1, format!("?{number}"));
                Ok(Expr::new(at, at + 1)
                    .of(self.parameter_type(number))
                    .form(Form::Parameter(number)))
            }
            Kind::Punctuation if self.src.sign(at, "(") => self.parenthesised(at, end),
            Kind::Operator if self.src.sign(at, "*") => Ok(Expr::new(at, at + 1).form(Form::Star)),
            Kind::Operator if self.src.text(at).starts_with('?') => Ok(Expr::new(at, at + 1)),
            Kind::Word => self.word(at, end),
            Kind::Quoted | Kind::Unicode => self.reference(at, end),
            _ => Err(self.src.syntax(at)),
        }
    }

    fn string_literal(&mut self, at: usize) -> Result<Expr, DialectError> {
        let value = self.src.string(at)?.unwrap_or_default();
        if self.src.kind(at) != Some(Kind::Text) {
            self.replace(at, at + 1, quote(&value));
        }
        Ok(Expr::new(at, at + 1).form(Form::Literal))
    }

    fn integer(&mut self, at: usize) -> Expr {
        let digits = self.src.text(at).replace('_', "");
        let ty = match digits.parse::<i64>() {
            Ok(value) if i32::try_from(value).is_ok() => PgType::Int4,
            Ok(_) => PgType::Int8,
            Err(_) if digits.starts_with("0x") || digits.starts_with("0X") => PgType::Int8,
            Err(_) => PgType::NUMERIC,
        };
        Expr::new(at, at + 1).typed(ty).form(Form::Number)
    }

    fn parenthesised(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let close = self.src.partner(at);
        if close >= end {
            return Err(self.src.syntax(end));
        }
        if self.is_query(at + 1) {
            let columns = self.subquery(at + 1, close)?;
            let first = columns.into_iter().next().unwrap_or_default();
            let expr = Expr::new(at, close + 1).of(first.ty);
            return Ok(match first.name {
                Some(name) => expr.named(&name),
                None => expr,
            });
        }
        let items = self.list(at + 1, close)?;
        let mut expr = Expr::new(at, close + 1);
        match items.as_slice() {
            [] => return Err(self.src.syntax(close)),
            [only] => {
                expr.ty = self.type_of(only);
                expr.name.clone_from(&only.name);
                if let Form::Parameter(_) = only.form {
                    expr.form = only.form;
                }
            }
            _ => {}
        }
        if self.src.sign(close + 1, ".") && close + 1 < end {
            return Err(self
                .src
                .unsupported(close + 1, "selecting a field of a composite value"));
        }
        Ok(expr)
    }

    /// A word: keyword forms first, then typed literals, calls and names.
    fn word(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let word = self.src.text(at).to_ascii_lowercase();
        let opens = self.src.sign(at + 1, "(") && at + 1 < end;
        match word.as_str() {
            "null" => return Ok(Expr::new(at, at + 1).form(Form::Null)),
            "true" | "false" => {
                return Ok(Expr {
                    not_null: true,
                    ..Expr::new(at, at + 1).typed(PgType::Bool).named("bool")
                });
            }
            "default" => return Ok(Expr::new(at, at + 1).form(Form::Default)),
            "case" => return self.case(at, end),
            "cast" if opens => return self.cast_call(at),
            "exists" if opens => {
                let close = self.src.partner(at + 1);
                self.subquery(at + 2, close)?;
                return Ok(Expr::new(at, close + 1).typed(PgType::Bool).named("exists"));
            }
            "array" if opens && self.catalog => {
                let close = self.src.partner(at + 1);
                self.replace(at, close + 1, "'{}'");
                return Ok(Expr::new(at, close + 1).typed(PgType::Text).named("array"));
            }
            "array" if opens || self.src.sign(at + 1, "[") => {
                return Err(self
                    .src
                    .unsupported(at, "an array")
                    .hint("store a JSON array instead"));
            }
            "row" if opens => {
                self.remove(at, at + 1);
                let row = self.parenthesised(at + 1, end)?;
                return Ok(Expr { from: at, ..row });
            }
            "interval" => {
                if let Some(expr) = self.interval_literal(at)? {
                    return Ok(expr);
                }
            }
            _ => {}
        }
        if let Some(expr) = self.keyword_value(at, &word) {
            return Ok(expr);
        }
        if let Some(expr) = self.typed_literal(at, end)? {
            return Ok(expr);
        }
        if is_reserved(&word) {
            return Err(self.src.syntax(at));
        }
        self.reference(at, end)
    }

    /// `CURRENT_TIMESTAMP` and its kin, which are written without parentheses.
    fn keyword_value(&mut self, at: usize, word: &str) -> Option<Expr> {
        let (call, ty) = match word {
            "current_timestamp" => ("now()", PgType::Timestamptz(None)),
            "localtimestamp" => ("eq_to_timestamp(now())", PgType::Timestamp(None)),
            "current_date" => ("eq_to_date(now())", PgType::Date),
            "current_time" => ("eq_to_time(now())||'+00'", PgType::Timetz(None)),
            "localtime" => ("eq_to_time(now())", PgType::Time(None)),
            "current_user" | "session_user" | "current_role" | "user" => {
                ("\"current_user\"()", PgType::Name)
            }
            "current_catalog" => ("current_database()", PgType::Name),
            "current_schema" if !self.src.sign(at + 1, "(") => {
                ("\"current_schema\"()", PgType::Name)
            }
            _ => return None,
        };
        let mut to = at + 1;
        if word.contains("time") && self.src.sign(to, "(") {
            to = self.src.partner(to) + 1;
        } else if self.src.sign(to, ".") || self.src.sign(to, "(") && word == "user" {
            return None;
        }
        self.replace(at, to, format!("({call})"));
        let name = if word == "user" { "current_user" } else { word };
        Some(Expr {
            not_null: true,
            ..Expr::new(at, to).typed(ty).named(name)
        })
    }

    /// A column, a qualified column, `t.*`, or a call.
    fn reference(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let mut last = at;
        let mut parts = vec![self.src.name(at).ok_or_else(|| self.src.syntax(at))?];
        while self.src.sign(last + 1, ".") && last + 2 < end {
            if self.src.sign(last + 2, "*") {
                self.unqualify(at, &mut parts);
                return Ok(Expr::new(at, last + 3).form(Form::Star));
            }
            let Some(part) = self.src.name(last + 2) else {
                return Err(self.src.syntax(last + 2));
            };
            parts.push(part);
            last += 2;
        }
        if self.src.sign(last + 1, "(") && last + 1 < end {
            return self.call(at, last, end);
        }
        let subscript = self.src.text(last + 2).parse::<u32>().ok();
        if let Some(number) = subscript.filter(|_| self.catalog && self.src.sign(last + 1, "[")) {
            // A catalog's array is the text {1,2}.
            let close = self.src.partner(last + 1);
            self.before(at, "json_extract(eq_array_json(");
            let path = format!("),'$[{}]')", number.saturating_sub(1));
            self.replace(last + 1, close + 1, path);
            return Ok(Expr::new(at, close + 1));
        }
        if self.src.sign(last + 1, "[") && last + 1 < end {
            return Err(self.src.unsupported(last + 1, "an array subscript"));
        }
        if parts.len() > 2 {
            self.unqualify(at, &mut parts);
        }
        let (table, column) = match parts.as_slice() {
            [column] => (None, column.as_str()),
            [.., table, column] => (Some(table.as_str()), column.as_str()),
            [] => return Err(self.src.syntax(at)),
        };
        let found = self.resolve(table, column);
        if self.src.kind(last) == Some(Kind::Word) && is_sqlite_keyword(column) {
            self.replace(last, last + 1, quote_name(column));
        }
        let expr = Expr::new(at, last + 1).form(Form::Column).named(column);
        Ok(match found {
            Some(column) => Expr {
                not_null: column.not_null,
                ..expr.of(column.ty)
            },
            None => expr,
        })
    }

    /// Drops `schema.` (or `database.schema.`) before `table.column`.
    fn unqualify(&mut self, at: usize, parts: &mut Vec<String>) {
        let surplus = parts.len().saturating_sub(2);
        let schema = parts.first().is_some_and(|schema| is_schema(schema)) && surplus > 0;
        if schema {
            self.remove(at, at + 2 * surplus);
            parts.drain(..surplus);
        }
    }

    fn case(&mut self, at: usize, end: usize) -> Result<Expr, DialectError> {
        let mut next = at + 1;
        let mut subject = None;
        if !self.src.is(next, "WHEN") {
            let expr = self.expr(next, end)?;
            next = expr.to;
            subject = Some(expr);
        }
        let mut results: Vec<Expr> = Vec::new();
        let mut name = "case".to_owned();
        while self.src.is(next, "WHEN") {
            let when = self.expr(next + 1, end)?;
            if let Some(subject) = &subject {
                self.unify(subject, &when)?;
            }
            if !self.src.is(when.to, "THEN") {
                return Err(self.src.syntax(when.to));
            }
            let then = self.expr(when.to + 1, end)?;
            next = then.to;
            results.push(then);
        }
        if self.src.is(next, "ELSE") {
            let other = self.expr(next + 1, end)?;
            next = other.to;
            if let (Form::Column, Some(column)) = (other.form, &other.name) {
                name.clone_from(column);
            }
            results.push(other);
        }
        if !self.src.is(next, "END") || results.is_empty() || next >= end {
            return Err(self.src.syntax(next));
        }
        let ty = self.common_type(&results)?;
        Ok(Expr::new(at, next + 1).of(ty).named(&name))
    }

    /// The type that all share: the first known one, to which open literals and parameters are brought.
    pub(crate) fn common_type(&mut self, items: &[Expr]) -> Result<Option<PgType>, DialectError> {
        let mut common: Option<PgType> = None;
        for item in items {
            let ty = self.type_of(item);
            common = match (common, ty) {
                (None, ty) => ty,
                (Some(a), Some(b)) => Some(wider(&a, &b)),
                (a, None) => a,
            };
        }
        if let Some(common) = &common {
            for item in items {
                self.align(item, common)?;
            }
        } else if items.iter().any(|item| item.form == Form::Literal) {
            common = Some(PgType::Text);
        }
        Ok(common)
    }
}

/// Words that SQLite keeps for itself and PostgreSQL takes as a column's name.
pub(crate) fn is_sqlite_keyword(word: &str) -> bool {
    matches!(
        word,
        "add"
            | "alter"
            | "autoincrement"
            | "commit"
            | "delete"
            | "drop"
            | "escape"
            | "index"
            | "insert"
            | "nothing"
            | "set"
            | "transaction"
            | "update"
            | "indexed"
            | "exists"
    )
}

/// The schema names that qualify nothing here: there is one schema.
pub(crate) fn is_schema(name: &str) -> bool {
    matches!(name, "public" | "pg_catalog" | "main")
}

/// The type of a mixture: the wider number, the longer string.
pub(crate) fn wider(a: &PgType, b: &PgType) -> PgType {
    let rank = |ty: &PgType| match ty {
        PgType::Int2 => 1,
        PgType::Int4 => 2,
        PgType::Int8 => 3,
        PgType::Numeric { .. } => 4,
        PgType::Float4 => 5,
        PgType::Float8 => 6,
        _ => 0,
    };
    if a == b {
        return *a;
    }
    if a.is_number() && b.is_number() {
        let wide = if rank(b) > rank(a) { b } else { a };
        return if matches!(wide, PgType::Numeric { .. }) {
            PgType::numeric(a.scale().zip(b.scale()).map(|(a, b)| a.max(b)))
        } else {
            wide.base()
        };
    }
    if a.is_text() && b.is_text() {
        return PgType::Text;
    }
    *a
}

/// The type of one column in two rows or two members of a compound.
pub(crate) fn merged(a: Option<PgType>, b: Option<PgType>) -> Option<PgType> {
    match (a, b) {
        (Some(a), Some(b)) if a.is_number() && b.is_number() => Some(wider(&a, &b)),
        (Some(ty), _) | (None, Some(ty)) => Some(ty),
        (None, None) => None,
    }
}
