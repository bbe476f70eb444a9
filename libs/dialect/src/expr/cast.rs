//! `expr::type`, `CAST(expr AS type)`, `type 'literal'`.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::expr::coerce::json_literal;
use crate::expr::session::{NAME_BY_OID, OID_BY_NAME};
use crate::expr::{Expr, Form, coerce_text, level};
use crate::lexer::Kind;
use crate::literal::quote;
use crate::translator::Translator;
use crate::types::TypeName;

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
                ..Expr::new(at, close + 1).of(Some(TypeName::parse(declared)))
            });
        }
        let ty = self.cast_type(operand.to + 1, close)?;
        self.remove(at, at + 1);
        self.remove(operand.to, close);
        self.cast(&operand, &ty, at, close + 1)
    }

    fn cast_type(&mut self, from: usize, to: usize) -> Result<TypeName, DialectError> {
        if self.src.sign(to, "[") {
            return Err(self
                .src
                .unsupported(from, "an array type")
                .hint("store a JSON array instead"));
        }
        let ty = TypeName::parse(self.src.slice(from, to));
        if ty.oid() == 0
            && ty.renamed().is_none()
            && !matches!(ty.base(), "citext" | "regrole" | "money")
        {
            let message = format!("type \"{}\" does not exist", self.src.slice(from, to));
            return Err(self.src.error(from, SqlState::UNDEFINED_OBJECT, message));
        }
        Ok(ty)
    }

    /// The cast of `operand`; the whole is tokens `from..to`.
    fn cast(
        &mut self,
        operand: &Expr,
        ty: &TypeName,
        from: usize,
        to: usize,
    ) -> Result<Expr, DialectError> {
        let own = self.type_of(operand);
        let expr = Expr::new(from, to).of(Some(ty.clone())).level(level::CAST);
        let expr = match (&operand.name, operand.form) {
            (Some(name), _) => expr.named(name),
            _ => expr.named(ty.base()),
        };
        let expr = Expr {
            not_null: operand.not_null,
            ..expr
        };
        if let Form::Parameter(number) = operand.form {
            self.set_parameter(number, &parameter_type(ty));
        }
        if operand.form == Form::Literal && !ty.base().starts_with("reg") {
            let text = self.src.string(operand.from)?.unwrap_or_default();
            let spelled = coerce_text(&text, ty)
                .map_err(|error| error.at(self.src.sql, self.src.start(operand.from)))?;
            if let Some(spelled) = spelled {
                self.replace(operand.from, operand.from + 1, spelled);
                return Ok(expr);
            }
        }
        if operand.form == Form::Literal && matches!(ty.base(), "json" | "jsonb") {
            let text = self.src.string(operand.from)?.unwrap_or_default();
            self.replace(operand.from, operand.from + 1, json_literal(&text));
            return Ok(expr);
        }
        if operand.form == Form::Literal && ty.base() == "regclass" {
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
        let ty = TypeName::internal("interval");
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
    let number = operand.ty.as_ref().is_some_and(TypeName::is_number);
    let plain = declared.bytes().all(|c| c.is_ascii_alphabetic());
    match declared.to_ascii_lowercase().as_str() {
        "blob" => true,
        "real" => number && plain,
        "integer" | "int" => operand.ty.as_ref().is_some_and(TypeName::is_integer),
        "text" => number && operand.base() != "numeric",
        _ => false,
    }
}

/// What the client binds for `$1::type`: the text of a name for the reg types.
fn parameter_type(ty: &TypeName) -> TypeName {
    if ty.base().starts_with("reg") {
        TypeName::internal("text")
    } else {
        TypeName::internal(ty.base())
    }
}

fn call(function: &str) -> Cast {
    Cast::Call(format!("{function}("), ")".to_owned())
}

fn how(own: Option<&TypeName>, form: Form, ty: &TypeName) -> Cast {
    let own_base = own.map_or("", TypeName::base);
    let parameter = matches!(form, Form::Parameter(_));
    let same = own_base == ty.base() || (parameter && own.is_none());
    match ty.base() {
        "regclass" => regclass(own),
        "regtype" | "regproc" | "regnamespace" | "regrole" => call("eq_to_regtype"),
        "oid" if own_base == "regtype" => call("eq_type_oid"),
        "oid" => Cast::Native("INTEGER"),
        "int2" | "int4" | "int8"
            if same || own_base == "int2" || (own_base == "int4" && ty.base() == "int8") =>
        {
            Cast::Native("INTEGER")
        }
        "int2" | "int4" | "int8" | "bool" | "date" | "time" | "timetz" | "timestamp"
        | "timestamptz" | "uuid" | "interval" | "bytea" => {
            if same {
                Cast::Drop
            } else {
                Cast::Call(format!("eq_to_{}(", ty.base()), ")".to_owned())
            }
        }
        "float4" | "float8" if same || own.is_some_and(TypeName::is_number) => Cast::Native("REAL"),
        "float4" | "float8" => call("eq_to_float8"),
        "numeric" => match ty.scale() {
            Some(_) if ty.precision().is_some() => {
                let (open, close) = crate::expr::fit::limits(ty).unwrap_or_default();
                Cast::Call(open, close)
            }
            Some(scale) => Cast::Call("eq_to_numeric(".to_owned(), format!(",{scale})")),
            None if own.is_some_and(TypeName::is_number) => Cast::Native("NUMERIC"),
            None => call("eq_to_numeric"),
        },
        "varchar" | "bpchar" if ty.modifiers().is_some() => {
            let (open, close) = text_cast(own);
            Cast::Call(
                format!("substr({open}"),
                format!("{close},1,{})", ty.modifiers().unwrap_or("1")),
            )
        }
        "text" | "varchar" | "bpchar" | "name" | "citext" | "char"
            if own.is_some_and(TypeName::is_text) =>
        {
            Cast::Drop
        }
        "text" | "varchar" | "bpchar" | "name" | "citext" | "char" => {
            let (open, close) = text_cast(own);
            Cast::Call(open, close)
        }
        _ => Cast::Native("TEXT"),
    }
}

/// A name gives its oid, an oid its name.
fn regclass(own: Option<&TypeName>) -> Cast {
    if own.is_some_and(|ty| ty.is_integer() || ty.base() == "oid") {
        let open = NAME_BY_OID.to_owned();
        return Cast::Call(open, "))".to_owned());
    }
    if own.is_some_and(|ty| ty.base() == "regclass") {
        return Cast::Drop;
    }
    let open = OID_BY_NAME.to_owned();
    Cast::Call(open, "))".to_owned())
}

/// PostgreSQL's text of a value.
fn text_cast(own: Option<&TypeName>) -> (String, String) {
    let simple = |function: &str| (format!("{function}("), ")".to_owned());
    match own.map(|ty| (ty.base(), ty.scale())) {
        Some(("bool", _)) => simple("eq_bool_text"),
        Some(("bytea", _)) => simple("eq_bytea_text"),
        Some(("float4" | "float8", _)) => simple("eq_float_text"),
        Some(("numeric", Some(scale))) => ("eq_numeric_text(".to_owned(), format!(",{scale})")),
        Some(("numeric", None)) => simple("eq_numeric_text"),
        Some(("regclass", _)) => (NAME_BY_OID.to_owned(), "))".to_owned()),
        _ => ("CAST(".to_owned(), " AS TEXT)".to_owned()),
    }
}
