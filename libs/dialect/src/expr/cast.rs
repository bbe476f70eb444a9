//! `expr::type`, `CAST(expr AS type)`, `type 'literal'`.

use pgtypes::{Opaque, PgType, SqlState};

use crate::error::DialectError;
use crate::expr::coerce::json_literal;
use crate::expr::session::{NAME_BY_OID, OID_BY_NAME};
use crate::expr::{Expr, Form, coerce_text, level};
use crate::functions::convert;
use crate::lexer::Kind;
use crate::literal::quote;
use crate::translator::Translator;

/// Words that may begin a typed literal such as `date '2020-01-01'`.
const LITERAL_TYPES: &[&str] = &[
    "bool",
    "boolean",
    "bytea",
    "date",
    "decimal",
    "double",
    "float",
    "float4",
    "float8",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "bigint",
    "smallint",
    "json",
    "jsonb",
    "numeric",
    "real",
    "regclass",
    "regtype",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "oid",
    "uuid",
    "varchar",
    "name",
    "inet",
];

/// What a cast does to its operand.
enum Cast {
    /// Nothing: the value has that form already.
    Drop,
    /// `CAST(x AS …)`
    Native(&'static str),
    /// A call around the operand: text before and after.
    Call(String, String),
}

impl Translator<'_> {
    /// The token after the type that begins at `at`: words, `(n)`, `with time zone`; not `[]`.
    pub(crate) fn type_end(&self, at: usize) -> usize {
        let src = self.src;
        let mut to = at + 1;
        while src.sign(to, ".") {
            to += 2;
        }
        let first = src.text(to - 1).to_ascii_lowercase();
        let second: &[&str] = match first.as_str() {
            "double" => &["precision"],
            "character" | "char" | "nchar" => &["varying"],
            "national" => &["character", "char"],
            _ => &[],
        };
        if src.is_any(to, second) {
            to += 1;
            if first == "national" && src.is(to, "varying") {
                to += 1;
            }
        }
        if src.sign(to, "(") {
            to = src.partner(to) + 1;
        }
        let zoned = matches!(first.as_str(), "time" | "timestamp");
        if zoned && src.is_any(to, &["with", "without"]) && src.are(to + 1, &["time", "zone"]) {
            to += 3;
        }
        if first == "interval" {
            while src.is_any(
                to,
                &["year", "month", "day", "hour", "minute", "second", "to"],
            ) {
                to += 1;
            }
        }
        to
    }

    /// `left :: type`
    pub(crate) fn cast_suffix(&mut self, left: &Expr, end: usize) -> Result<Expr, DialectError> {
        let at = left.to;
        if at + 1 >= end || !matches!(self.src.kind(at + 1), Some(Kind::Word | Kind::Quoted)) {
            return Err(self.src.syntax(at + 1));
        }
        let to = self.type_end(at + 1);
        let ty = self.cast_type(at + 1, to)?;
        self.remove(at, to);
        self.cast(left, &ty, left.from, to)
    }

    /// `CAST ( expr AS type )` at the word CAST.
    pub(crate) fn cast_call(&mut self, at: usize) -> Result<Expr, DialectError> {
        let close = self.src.partner(at + 1);
        let operand = self.expr(at + 2, close)?;
        if !self.src.is(operand.to, "AS") {
            return Err(self.src.syntax(operand.to));
        }
        let to = self.type_end(operand.to + 1);
        if to != close {
            return Err(self.src.syntax(to));
        }
        let declared = self.src.slice(operand.to + 1, close);
        if is_native(&operand, declared) {
            let name = operand.name.clone();
            return Ok(Expr {
                name,
                ..Expr::new(at, close + 1).of(PgType::parse(declared))
            });
        }
        let ty = self.cast_type(operand.to + 1, close)?;
        self.remove(at, at + 1);
        self.remove(operand.to, close);
        self.cast(&operand, &ty, at, close + 1)
    }

    fn cast_type(&mut self, from: usize, to: usize) -> Result<PgType, DialectError> {
        if self.src.sign(to, "[") {
            return Err(self
                .src
                .unsupported(from, "an array type")
                .hint("store a JSON array instead"));
        }
        let name = self.src.slice(from, to);
        PgType::parse(name).ok_or_else(|| {
            let message = format!("type \"{name}\" does not exist");
            self.src.error(from, SqlState::UNDEFINED_OBJECT, message)
        })
    }

    /// The cast of `operand`; the whole is tokens `from..to`.
    fn cast(
        &mut self,
        operand: &Expr,
        ty: &PgType,
        from: usize,
        to: usize,
    ) -> Result<Expr, DialectError> {
        let own = self.type_of(operand);
        let expr = Expr::new(from, to).of(Some(*ty)).level(level::CAST);
        let expr = match (&operand.name, operand.form) {
            (Some(name), _) => expr.named(name),
            _ => expr.named(ty.typname()),
        };
        let expr = Expr {
            not_null: operand.not_null,
            ..expr
        };
        if let Form::Parameter(number) = operand.form {
            self.set_parameter(number, &parameter_type(ty));
        }
        if operand.form == Form::Literal && !is_reg(ty) {
            let text = self.src.string(operand.from)?.unwrap_or_default();
            let spelled = coerce_text(&text, ty)
                .map_err(|error| error.at(self.src.sql, self.src.start(operand.from)))?;
            if let Some(spelled) = spelled {
                self.replace(operand.from, operand.from + 1, spelled);
                return Ok(expr);
            }
        }
        if operand.form == Form::Literal && matches!(ty, PgType::Json | PgType::Jsonb) {
            let text = self.src.string(operand.from)?.unwrap_or_default();
            self.replace(operand.from, operand.from + 1, json_literal(&text));
            return Ok(expr);
        }
        if operand.form == Form::Literal && *ty == PgType::Opaque(Opaque::Regclass) {
            // psql gives the oid as a text.
            let text = self.src.string(operand.from)?.unwrap_or_default();
            if text.parse::<u32>().is_ok() {
                self.replace(operand.from, operand.from + 1, text);
                return Ok(expr);
            }
        }
        match how(own.as_ref(), operand.form, ty) {
            Cast::Drop => {}
            Cast::Native(name) => self.wrap(operand, "CAST(", &format!(" AS {name})")),
            Cast::Call(open, close) => {
                self.catalog |= open.contains("eq_object");
                self.wrap(operand, &open, &close);
            }
        }
        Ok(expr)
    }

    /// `type 'literal'`, or `None` if the word at `at` is something else.
    pub(crate) fn typed_literal(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<Option<Expr>, DialectError> {
        let word = self.src.text(at).to_ascii_lowercase();
        if !LITERAL_TYPES.contains(&word.as_str()) {
            return Ok(None);
        }
        let to = self.type_end(at);
        if to >= end || self.src.string(to)?.is_none() {
            return Ok(None);
        }
        let ty = self.cast_type(at, to)?;
        self.remove(at, to);
        let operand = self.operand(to, to + 1, level::CAST)?;
        let expr = self.cast(&operand, &ty, at, to + 1)?;
        Ok(Some(Expr {
            not_null: true,
            ..expr
        }))
    }

    /// `INTERVAL '1' DAY`, `INTERVAL '1 day'`.
    pub(crate) fn interval_literal(&mut self, at: usize) -> Result<Option<Expr>, DialectError> {
        let open = if self.src.sign(at + 1, "(") {
            self.src.partner(at + 1) + 1
        } else {
            at + 1
        };
        let Some(mut text) = self.src.string(open)? else {
            return Ok(None);
        };
        let mut to = open + 1;
        let mut unit = None;
        while self.src.is_any(
            to,
            &["year", "month", "day", "hour", "minute", "second", "to"],
        ) {
            unit = Some(self.src.text(to));
            to += 1;
        }
        if let Some(unit) = unit.filter(|_| text.trim().parse::<f64>().is_ok()) {
            text = format!("{} {unit}", text.trim());
        }
        let ty = PgType::Interval;
        let spelled = coerce_text(&text, &ty)
            .map_err(|error| error.at(self.src.sql, self.src.start(open)))?;
        self.replace(at, to, spelled.unwrap_or_else(|| quote(&text)));
        Ok(Some(Expr {
            not_null: true,
            ..Expr::new(at, to).of(Some(ty)).named("interval")
        }))
    }
}

/// A cast that SQLite runs as it is written.
fn is_native(operand: &Expr, declared: &str) -> bool {
    let number = operand.ty.as_ref().is_some_and(PgType::is_number);
    let plain = declared.bytes().all(|c| c.is_ascii_alphabetic());
    match declared.to_ascii_lowercase().as_str() {
        "blob" => true,
        "real" => number && plain,
        "integer" | "int" | "text" => operand.ty.as_ref().is_some_and(PgType::is_integer),
        _ => false,
    }
}

/// What the client binds for `$1::type`: the text of a name for the reg types.
fn parameter_type(ty: &PgType) -> PgType {
    if is_reg(ty) { PgType::Text } else { ty.base() }
}

/// Whether the type gives an object's oid for its name.
const fn is_reg(ty: &PgType) -> bool {
    matches!(
        ty,
        PgType::Opaque(
            Opaque::Regclass
                | Opaque::Regtype
                | Opaque::Regproc
                | Opaque::Regnamespace
                | Opaque::Regrole
        )
    )
}

/// The call that brings a value of any type to the stored form of another: text before and after it.
pub(crate) fn to_form(ty: &PgType) -> (String, String) {
    match ty {
        PgType::Oid
        | PgType::Name
        | PgType::Float4
        | PgType::Numeric { .. }
        | PgType::Time(Some(_))
        | PgType::Timetz(Some(_))
        | PgType::Timestamp(Some(_))
        | PgType::Timestamptz(Some(_)) => {
            ("eq_cast(".to_owned(), format!(",'{}')", ty.declaration()))
        }
        _ => (format!("eq_to_{}(", ty.typname()), ")".to_owned()),
    }
}

fn call(function: &str) -> Cast {
    Cast::Call(format!("{function}("), ")".to_owned())
}

fn how(own: Option<&PgType>, form: Form, ty: &PgType) -> Cast {
    let base = own.map(|own| own.base());
    let parameter = matches!(form, Form::Parameter(_));
    let same = base == Some(ty.base()) || (parameter && own.is_none());
    let number = own.is_some_and(PgType::is_number);
    let (open, close) = match ty {
        PgType::Opaque(Opaque::Regclass) => return regclass(own),
        _ if is_reg(ty) => return call("eq_to_regtype"),
        PgType::Oid if base == Some(PgType::Opaque(Opaque::Regtype)) => return call("eq_type_oid"),
        PgType::Oid if own.is_some_and(PgType::is_text) => to_form(ty),
        PgType::Oid => return Cast::Native("INTEGER"),
        PgType::Int2 | PgType::Int4 | PgType::Int8
            if same
                || base == Some(PgType::Int2)
                || (base == Some(PgType::Int4) && *ty == PgType::Int8) =>
        {
            return Cast::Native("INTEGER");
        }
        PgType::Float4 | PgType::Float8 if same || number => return Cast::Native("REAL"),
        PgType::Numeric { .. } => match crate::expr::fit::limits(ty) {
            Some(limits) => limits,
            None if number => return Cast::Native("NUMERIC"),
            None => return call("eq_to_numeric"),
        },
        PgType::Varchar(Some(_)) | PgType::Bpchar(Some(_)) | PgType::Char => cut(own, ty),
        _ if ty.is_text() && own.is_some_and(PgType::is_text) => return Cast::Drop,
        _ if ty.is_text() => text_cast(own),
        // The digits of a second are another matter.
        _ if same && (own == Some(ty) || *ty == ty.base()) => return Cast::Drop,
        _ if convert::has_canonical_form(ty) => to_form(ty),
        _ => return Cast::Native("TEXT"),
    };
    Cast::Call(open, close)
}

/// The cast to text of at most so many characters.
fn cut(own: Option<&PgType>, ty: &PgType) -> (String, String) {
    let (open, close) = text_cast(own);
    let length = ty.length().unwrap_or(1);
    match ty {
        // The blanks at the end come back on the way out.
        PgType::Bpchar(_) => (
            format!("rtrim(substr({open}"),
            format!("{close},1,{length}))"),
        ),
        _ => (format!("substr({open}"), format!("{close},1,{length})")),
    }
}

/// A name gives its oid, an oid its name.
fn regclass(own: Option<&PgType>) -> Cast {
    if own.is_some_and(|ty| ty.is_integer() || *ty == PgType::Oid) {
        let open = NAME_BY_OID.to_owned();
        return Cast::Call(open, "))".to_owned());
    }
    if own.is_some_and(|ty| *ty == PgType::Opaque(Opaque::Regclass)) {
        return Cast::Drop;
    }
    let open = OID_BY_NAME.to_owned();
    Cast::Call(open, "))".to_owned())
}

/// The call that gives the text which PostgreSQL's cast to text has for a value; that of its output function but for
/// truth, which it spells out, and for blanks that only fill up.
fn text_cast(own: Option<&PgType>) -> (String, String) {
    let (open, close) = match own {
        Some(PgType::Bool) => ("eq_bool_text(", ")"),
        Some(PgType::Opaque(Opaque::Regclass)) => (NAME_BY_OID, "))"),
        Some(ty) if !matches!(ty, PgType::Bpchar(_)) => match shown("eq_text", ty) {
            Some(call) => return call,
            None => ("CAST(", " AS TEXT)"),
        },
        _ => ("CAST(", " AS TEXT)"),
    };
    (open.to_owned(), close.to_owned())
}

/// The call of `eq_text` or `eq_json` for a value of a type; `None` where the value is stored as it is shown.
fn shown(function: &str, ty: &PgType) -> Option<(String, String)> {
    let plain = ty.is_integer()
        || ty.is_text() && !matches!(ty, PgType::Bpchar(Some(_)))
        || matches!(
            ty,
            PgType::Oid
                | PgType::Char
                | PgType::Json
                | PgType::Jsonb
                | PgType::Void
                | PgType::Unknown
                | PgType::Opaque(_)
        );
    (!plain).then(|| (format!("{function}("), format!(",'{}')", ty.declaration())))
}

/// The cast to text of a value of a type that SQLite would make another text of, or none.
pub(crate) fn joined_text(own: &PgType) -> Option<(String, String)> {
    let same = own.is_text() || shown("eq_text", own).is_none();
    (!same).then(|| text_cast(Some(own)))
}

impl Translator<'_> {
    /// An operand of `||`.
    pub(crate) fn join_text(&mut self, operand: &Expr) {
        let call = self.type_of(operand).and_then(|own| joined_text(&own));
        if let Some((open, close)) = call {
            self.wrap(operand, &open, &close);
        }
    }

    /// An argument that a function makes a text of, as the client sees it.
    pub(crate) fn shown_text(&mut self, argument: &Expr) {
        let call = self
            .type_of(argument)
            .and_then(|own| shown("eq_text", &own));
        if let Some((open, close)) = call {
            self.wrap(argument, &open, &close);
        }
    }

    /// An argument that becomes a part of JSON.
    pub(crate) fn shown_json(&mut self, argument: &Expr) {
        match self.type_of(argument) {
            Some(PgType::Json | PgType::Jsonb) => self.wrap(argument, "json(", ")"),
            Some(own) => {
                let call = match own {
                    PgType::Oid => Some(("eq_json(".to_owned(), ",'oid')".to_owned())),
                    _ => shown("eq_json", &own),
                };
                if let Some((open, close)) = call {
                    self.wrap(argument, &format!("json({open}"), &format!("{close})"));
                }
            }
            None => {}
        }
    }
}
