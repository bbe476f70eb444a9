//! Operators between operands.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::expr::{Expr, Form, level};
use crate::lexer::Kind;
use crate::translator::Translator;

/// PostgreSQL's operators that have another spelling in SQLite.
const RESPELLED: &[(&str, &str)] = &[
    ("~~", "LIKE"),
    ("!~~", "NOT LIKE"),
    ("~~*", "MATCH"),
    ("!~~*", "NOT MATCH"),
    ("~", "REGEXP"),
    ("!~", "NOT REGEXP"),
    ("~*", "REGEXP '(?i)' ||"),
    ("!~*", "NOT REGEXP '(?i)' ||"),
];

impl Translator<'_> {
    /// Takes one operator and its right operand, if the next token is one that binds tighter than `floor`.
    pub(crate) fn infix(
        &mut self,
        left: &Expr,
        end: usize,
        floor: u8,
    ) -> Result<Option<Expr>, DialectError> {
        let at = left.to;
        if at >= end {
            return Ok(None);
        }
        match self.src.kind(at) {
            Some(Kind::Operator) => self.symbol(left, at, end, floor),
            Some(Kind::Word) => self.word_operator(left, end, floor),
            Some(Kind::Punctuation) if self.src.sign(at, "[") => {
                Err(self.src.unsupported(at, "an array subscript"))
            }
            _ => Ok(None),
        }
    }

    fn symbol(
        &mut self,
        left: &Expr,
        at: usize,
        end: usize,
        floor: u8,
    ) -> Result<Option<Expr>, DialectError> {
        let text = self.src.text(at);
        if text == "::" {
            return if floor < level::CAST {
                self.cast_suffix(left, end).map(Some)
            } else {
                Ok(None)
            };
        }
        let Some(own) = symbol_level(text) else {
            return Err(self.src.unsupported(at, &format!("the operator {text}")));
        };
        if own <= floor {
            return Ok(None);
        }
        self.binary(left, (text, own), (at, at + 1), end).map(Some)
    }

    /// `left op right`, where the operator is tokens `op.0..op.1`.
    fn binary(
        &mut self,
        left: &Expr,
        (text, own): (&str, u8),
        op: (usize, usize),
        end: usize,
    ) -> Result<Expr, DialectError> {
        if own == level::COMPARE
            && self.src.is_any(op.1, &["ANY", "SOME", "ALL"])
            && self.src.sign(op.1 + 1, "(")
        {
            return self.any_or_all(left, text, op);
        }
        let right = self.operand(op.1, end, own)?;
        if let Some((_, sqlite)) = RESPELLED.iter().find(|(postgres, _)| *postgres == text) {
            self.replace(op.0, op.1, format!(" {sqlite} "));
            self.expect_text(&right);
            self.expect_text(left);
            return Ok(Expr::new(left.from, right.to)
                .typed(PgType::Bool)
                .level(level::RANGE));
        }
        if op.1 - op.0 > 1 {
            self.replace(op.0, op.1, text);
        }
        let expr = Expr::new(left.from, right.to).level(own);
        match own {
            level::COMPARE => {
                self.unify(left, &right)?;
                Ok(expr.typed(PgType::Bool))
            }
            level::SUM | level::PRODUCT | level::POWER => {
                for (open, other) in [(left, &right), (&right, left)] {
                    let whole = self.type_of(other).filter(PgType::is_integer);
                    if let (Form::Literal, Some(ty)) = (open.form, whole) {
                        self.settle_literal(open, &ty)?;
                    }
                }
                Ok(self.arithmetic(left, &right, op.0, own))
            }
            _ => {
                self.parenthesise_sum(left);
                self.parenthesise_sum(&right);
                Ok(match text {
                    "?" => {
                        self.expect_text(&right);
                        self.wrap(left, "(json_type(", "");
                        self.replace(op.0, op.1, ",");
                        self.wrap(&right, "eq_json_key(", ")) IS NOT NULL)");
                        expr.typed(PgType::Bool).level(level::PRIMARY)
                    }
                    "#>>" | "#>" => {
                        self.expect_text(&right);
                        let arrow = if text == "#>" { "->" } else { "->>" };
                        self.replace(op.0, op.1, arrow);
                        self.wrap(&right, "eq_json_path(", ")");
                        expr.typed(if text == "#>" {
                            PgType::Json
                        } else {
                            PgType::Text
                        })
                    }
                    "||" if left.is(PgType::Jsonb) || right.is(PgType::Jsonb) => {
                        return Err(self
                            .src
                            .unsupported(op.0, "|| of jsonb")
                            .hint("json_patch(a, b) merges two objects"));
                    }
                    "||" => self.joined(left, &right, expr)?,
                    "->>" => expr.typed(PgType::Text),
                    "->" => expr.typed(PgType::Json),
                    _ => expr.of(self.type_of(left)),
                })
            }
        }
    }

    /// Texts joined; or blobs, of which SQLite makes a text with the same bytes.
    fn joined(&mut self, left: &Expr, right: &Expr, joined: Expr) -> Result<Expr, DialectError> {
        if !left.is(PgType::Bytea) && !right.is(PgType::Bytea) {
            for operand in [left, right] {
                self.expect_text(operand);
                self.join_text(operand);
            }
            return Ok(joined.typed(PgType::Text));
        }
        self.unify(left, right)?;
        self.wrap(&joined, "CAST(", " AS BLOB)");
        Ok(joined.typed(PgType::Bytea).level(level::PRIMARY))
    }

    /// PostgreSQL's `||` binds looser than `+`, SQLite's tighter.
    fn parenthesise_sum(&mut self, expr: &Expr) {
        if (level::SUM..=level::POWER).contains(&expr.level) {
            self.wrap(expr, "(", ")");
        }
    }

    fn expect_text(&mut self, expr: &Expr) {
        if let Form::Parameter(number) = expr.form {
            self.set_parameter(number, &PgType::Text);
        }
    }

    /// `= ANY (…)` is IN, `<> ALL (…)` is NOT IN.
    fn any_or_all(
        &mut self,
        left: &Expr,
        text: &str,
        op: (usize, usize),
    ) -> Result<Expr, DialectError> {
        let all = self.src.is(op.1, "ALL");
        let operator = match (text, all) {
            ("=", false) => "IN",
            ("<>" | "!=", true) => "NOT IN",
            _ => {
                return Err(self
                    .src
                    .unsupported(op.1, &format!("{text} {}", self.src.text(op.1))));
            }
        };
        let open = op.1 + 1;
        let close = self.src.partner(open);
        self.replace(op.0, open, format!(" {operator} "));
        if self.is_query(open + 1) {
            self.subquery(open + 1, close)?;
        } else if self.src.is(open + 1, "ARRAY") && self.src.sign(open + 2, "[") {
            let inner = self.src.partner(open + 2);
            let items = self.list(open + 3, inner)?;
            for item in &items {
                self.unify(left, item)?;
            }
            self.remove(open + 1, open + 3);
            self.remove(inner, close);
        } else {
            let array = self.array_operand(open + 1, close)?;
            if let (Form::Parameter(number), Some(_)) = (array.form, self.type_of(left)) {
                self.set_parameter(number, &PgType::Text);
            }
            self.wrap(&array, "SELECT value FROM json_each(eq_array_json(", "))");
        }
        Ok(Expr::new(left.from, close + 1)
            .typed(PgType::Bool)
            .level(level::RANGE))
    }

    /// An array as a parameter, a literal or a column, with or without a cast to an array type.
    fn array_operand(&mut self, at: usize, close: usize) -> Result<Expr, DialectError> {
        let operand = self.operand(at, close, level::CAST)?;
        let mut to = operand.to;
        while self.src.sign(to, "::") {
            let next = self.type_end(to + 1);
            let brackets = self.src.sign(next, "[") && self.src.sign(next + 1, "]");
            if let (Form::Parameter(number), true) = (operand.form, brackets) {
                // An array goes as the text of its elements.
                self.set_parameter(number, &PgType::Text);
            }
            let after = next + if brackets { 2 } else { 0 };
            self.remove(to, after);
            to = after;
        }
        if to == close {
            Ok(Expr { to, ..operand })
        } else {
            Err(self.src.syntax(to))
        }
    }

    fn word_operator(
        &mut self,
        left: &Expr,
        end: usize,
        floor: u8,
    ) -> Result<Option<Expr>, DialectError> {
        let at = left.to;
        let negated = usize::from(self.src.is(at, "NOT"));
        let word = self.src.text(at + negated).to_ascii_lowercase();
        let own = match (word.as_str(), negated) {
            ("or", 0) => level::OR,
            ("and", 0) => level::AND,
            ("is" | "isnull" | "notnull", 0) | ("null", 1) => level::IS,
            ("in" | "between" | "like" | "ilike" | "similar" | "glob" | "regexp" | "match", _) => {
                level::RANGE
            }
            ("collate", 0) => level::COLLATE,
            ("at", 0) if self.src.are(at + 1, &["TIME", "ZONE"]) => level::ZONE,
            ("operator", 0) if self.src.sign(at + 1, "(") => {
                return self.named_operator(left, end, floor);
            }
            ("overlaps", 0) => return Err(self.src.unsupported(at, "OVERLAPS")),
            _ => return Ok(None),
        };
        if own <= floor || at + negated >= end {
            return Ok(None);
        }
        let next = at + negated + 1;
        Ok(Some(match word.as_str() {
            "or" | "and" => {
                let right = self.operand(next, end, own)?;
                self.expect_bool(left);
                self.expect_bool(&right);
                Expr::new(left.from, right.to)
                    .typed(PgType::Bool)
                    .level(own)
            }
            "is" => self.is_test(left, next, end)?,
            "isnull" | "notnull" | "null" => {
                Expr::new(left.from, next).typed(PgType::Bool).level(own)
            }
            "in" => self.in_list(left, next, end)?,
            "between" => self.between(left, next, end)?,
            "collate" => self.collate(left, next)?,
            "at" => self.at_time_zone(left, at, end)?,
            "similar" => {
                return Err(self
                    .src
                    .unsupported(at, "SIMILAR TO")
                    .hint("use ~ with a regular expression"));
            }
            _ => self.like(left, at + negated, &word, end)?,
        }))
    }

    fn expect_bool(&mut self, expr: &Expr) {
        if let Form::Parameter(number) = expr.form {
            self.set_parameter(number, &PgType::Bool);
        }
    }

    /// `OPERATOR(pg_catalog.~)`
    fn named_operator(
        &mut self,
        left: &Expr,
        end: usize,
        floor: u8,
    ) -> Result<Option<Expr>, DialectError> {
        let at = left.to;
        let close = self.src.partner(at + 1);
        let text = self.src.text(close.saturating_sub(1));
        let Some(own) = symbol_level(text).filter(|_| close > at + 2) else {
            return Err(self.src.unsupported(at, &format!("the operator {text}")));
        };
        if level::OTHER <= floor {
            return Ok(None);
        }
        self.binary(left, (text, own.max(level::COMPARE)), (at, close + 1), end)
            .map(Some)
    }

    /// Everything behind IS.
    fn is_test(&mut self, left: &Expr, next: usize, end: usize) -> Result<Expr, DialectError> {
        let not = usize::from(self.src.is(next, "NOT"));
        let at = next + not;
        let done = |to| {
            Ok(Expr::new(left.from, to)
                .typed(PgType::Bool)
                .level(level::IS))
        };
        if self.src.are(at, &["DISTINCT", "FROM"]) {
            let right = self.operand(at + 2, end, level::IS)?;
            self.unify(left, &right)?;
            return done(right.to);
        }
        if self.src.is_any(at, &["NULL", "TRUE", "FALSE"]) {
            return done(at + 1);
        }
        if self.src.is(at, "UNKNOWN") {
            self.replace(at, at + 1, "NULL");
            return done(at + 1);
        }
        if self.src.is_any(at, &["DOCUMENT", "NORMALIZED", "JSON"]) {
            return Err(self
                .src
                .unsupported(at, &format!("IS {}", self.src.text(at))));
        }
        let right = self.operand(at, end, level::IS)?;
        done(right.to)
    }

    fn in_list(&mut self, left: &Expr, open: usize, end: usize) -> Result<Expr, DialectError> {
        if !self.src.sign(open, "(") {
            // SQLite's `x IN table`
            let right = self.operand(open, end, level::RANGE)?;
            return Ok(Expr::new(left.from, right.to)
                .typed(PgType::Bool)
                .level(level::RANGE));
        }
        let close = self.src.partner(open);
        if self.is_query(open + 1) {
            let columns = self.subquery(open + 1, close)?;
            if let (Form::Parameter(number), Some(ty)) =
                (left.form, columns.first().and_then(|c| c.ty))
            {
                self.set_parameter(number, &ty);
            }
        } else {
            for item in self.list(open + 1, close)? {
                self.unify(left, &item)?;
            }
        }
        Ok(Expr::new(left.from, close + 1)
            .typed(PgType::Bool)
            .level(level::RANGE))
    }

    fn between(&mut self, left: &Expr, next: usize, end: usize) -> Result<Expr, DialectError> {
        let mut at = next;
        if self.src.is(at, "SYMMETRIC") {
            return Err(self.src.unsupported(at, "BETWEEN SYMMETRIC"));
        }
        if self.src.is(at, "ASYMMETRIC") {
            self.remove(at, at + 1);
            at += 1;
        }
        let low = self.operand(at, end, level::RANGE)?;
        if !self.src.is(low.to, "AND") {
            return Err(self.src.syntax(low.to));
        }
        let high = self.operand(low.to + 1, end, level::RANGE)?;
        self.unify(left, &low)?;
        self.unify(left, &high)?;
        self.unify(&low, &high)?;
        Ok(Expr::new(left.from, high.to)
            .typed(PgType::Bool)
            .level(level::RANGE))
    }

    fn collate(&mut self, left: &Expr, name: usize) -> Result<Expr, DialectError> {
        let mut last = name;
        while self.src.sign(last + 1, ".") {
            last += 2;
        }
        let collation = self.src.name(last).ok_or_else(|| self.src.syntax(last))?;
        match collation.to_ascii_lowercase().as_str() {
            "nocase" | "binary" | "rtrim" => {}
            "default" | "c" | "posix" | "ucs_basic" | "c.utf8" | "c.utf-8" => {
                self.remove(name - 1, last + 1);
            }
            other => {
                let message = format!("collation \"{other}\" for encoding \"UTF8\" does not exist");
                return Err(self.src.error(last, SqlState::UNDEFINED_OBJECT, message));
            }
        }
        Ok(Expr {
            to: last + 1,
            level: level::COLLATE,
            form: Form::Other,
            ..left.clone()
        })
    }

    fn like(
        &mut self,
        left: &Expr,
        at: usize,
        word: &str,
        end: usize,
    ) -> Result<Expr, DialectError> {
        if word == "ilike" {
            self.replace(at, at + 1, "MATCH");
        }
        let right = self.operand(at + 1, end, level::RANGE)?;
        self.expect_text(left);
        self.expect_text(&right);
        let mut to = right.to;
        if self.src.is(to, "ESCAPE") && to < end {
            to = self.operand(to + 1, end, level::RANGE)?.to;
        } else if matches!(word, "like" | "ilike") {
            // PostgreSQL's default; SQLite has none. The call in `like` is made only for a pattern that needs it.
            self.default_escape(&right);
        }
        Ok(Expr::new(left.from, to)
            .typed(PgType::Bool)
            .level(level::RANGE))
    }

    /// Backslash escapes in a pattern unless ESCAPE says otherwise. A literal without one keeps LIKE's use of an index.
    fn default_escape(&mut self, pattern: &Expr) {
        let plain = pattern.form == Form::Literal
            && self
                .src
                .string(pattern.from)
                .ok()
                .flatten()
                .is_some_and(|text| !text.contains('\\'));
        if !plain {
            self.after(pattern.to, " ESCAPE '\\'");
        }
    }

    fn at_time_zone(&mut self, left: &Expr, at: usize, end: usize) -> Result<Expr, DialectError> {
        let zone = self.operand(at + 3, end, level::ZONE)?;
        self.expect_text(&zone);
        let (function, ty) = match left.ty {
            Some(PgType::Timestamptz(_)) => ("eq_zone_local(", PgType::Timestamp(None)),
            _ => ("eq_zone_utc(", PgType::Timestamptz(None)),
        };
        self.before(left.from, function);
        self.replace(at, at + 3, ",");
        self.after(zone.to, ")");
        Ok(Expr::new(left.from, zone.to).typed(ty).named("timezone"))
    }
}

/// The level of an operator that SQLite has, or that is rewritten to one.
fn symbol_level(text: &str) -> Option<u8> {
    Some(match text {
        "=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=" => level::COMPARE,
        "||" | "->" | "->>" | "#>" | "#>>" | "?" | "&" | "|" | "<<" | ">>" => level::OTHER,
        "+" | "-" => level::SUM,
        "*" | "/" | "%" => level::PRODUCT,
        "^" => level::POWER,
        _ if RESPELLED.iter().any(|(postgres, _)| *postgres == text) => level::OTHER,
        _ => return None,
    })
}
