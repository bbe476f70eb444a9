//! Queries by jsonpath: `jsonb_path_query` and its kin, `@?` and `@@`.
//!
//! A library reads and follows the path. It computes with doubles, so numbers that these do not hold, and arithmetic, are
//! refused.

use pgtypes::json::{Json, quoted};
use pgtypes::{Decimal, SqlState, SqlValue, SqlValueRef, ValueError};
use serde_json::Number;
use sql_json_path::json::{ArrayRef, Json as Owned, JsonRef, ObjectRef};
use sql_json_path::{EvalError, JsonPath};

use crate::arguments::{Answer, boolean, integer, text, written};
use crate::error::fail;
use crate::registry::Scalar;

use literals::Literals;

mod literals;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_jsonpath", 1, |a| written(path_text(text(a, 0)?)?)),
    Scalar::pure("pg_jsonb_path_exists", 4, |a| exists(a, false)),
    Scalar::pure("pg_jsonb_path_exists_opr", 2, |a| exists(a, true)),
    Scalar::pure("pg_jsonb_path_match", 4, |a| matches(a, false)),
    Scalar::pure("pg_jsonb_path_match_opr", 2, |a| matches(a, true)),
    Scalar::pure("pg_set_jsonb_path_query", 4, |a| {
        let found = found(a, false)?.unwrap_or_default();
        let found: Vec<String> = found.iter().map(|one| quoted(&one.to_string())).collect();
        written(format!("[{}]", found.join(",")))
    }),
    Scalar::pure("pg_jsonb_path_query_array", 4, |a| {
        written(Json::Array(found(a, false)?.unwrap_or_default()))
    }),
    Scalar::pure("pg_jsonb_path_query_first", 4, |a| {
        let first = found(a, false)?.and_then(|found| found.into_iter().next());
        first.map_or(Ok(SqlValue::Null), written)
    }),
];

/// The text of a path as PostgreSQL prints it.
///
/// Errors: 42601, and 0A000 for what is not followed here.
pub fn path_text(text: &str) -> Result<String, ValueError> {
    let (_, printed) = parsed(text)?;
    Ok(printed)
}

/// A path, and how it is printed.
fn parsed(text: &str) -> Result<(JsonPath, String), ValueError> {
    if text.trim().is_empty() {
        let message = format!("invalid input syntax for type jsonpath: \"{text}\"");
        return fail(SqlState::INVALID_TEXT_REPRESENTATION, message);
    }
    check_size(text)?;
    let literals = Literals::of(&plain_variables(text))?;
    let path = read(&literals.readable)?;
    let marked = read(&literals.marked)?.to_string();
    check(&marked)?;
    Ok((path, literals.unmarked(&marked)))
}

fn read(path: &str) -> Result<JsonPath, ValueError> {
    JsonPath::new(path).map_err(|_| {
        let message = "syntax error at end of jsonpath input".to_owned();
        ValueError::new(SqlState::SYNTAX_ERROR, message)
    })
}

/// The library reads parentheses by trying again, twice as long with each more, and calls itself for each sign.
const MAX_PARENTHESES: usize = 8;
const MAX_SIGNS: usize = 200;

/// Refuses what the library would take too long for, or too much stack.
fn check_size(path: &str) -> Result<(), ValueError> {
    let (mut depth, mut deepest, mut signs) = (0_usize, 0, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in path.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => {
                depth += 1;
                signs += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'!' | b'-' | b'+' | b'&' | b'|' => signs += 1,
            _ => {}
        }
    }
    if deepest <= MAX_PARENTHESES && signs <= MAX_SIGNS {
        return Ok(());
    }
    let message = "the jsonpath is too complex";
    Err(
        ValueError::new(SqlState::STATEMENT_TOO_COMPLEX, message.to_owned()).with_detail(format!(
            "Parentheses nest up to {MAX_PARENTHESES} deep, and there are up to {MAX_SIGNS} signs."
        )),
    )
}

/// The library prints `$"name"`, as PostgreSQL does, and reads `$name` alone.
fn plain_variables(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        if !quoted && let Some((name, behind)) = variable(rest) {
            out.push('$');
            out.push_str(name);
            rest = behind;
            continue;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if quoted && c == '\\' {
            let next = rest.chars().next();
            out.extend(next);
            rest = rest
                .get(next.map_or(0, char::len_utf8)..)
                .unwrap_or_default();
        }
        quoted ^= c == '"';
    }
    out
}

/// The name of a variable in quotes that needs none, and what stands behind it.
fn variable(path: &str) -> Option<(&str, &str)> {
    let (name, behind) = path.strip_prefix("$\"")?.split_once('"')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = name.chars().next().filter(char::is_ascii_alphabetic);
    (first.is_some() && name.chars().all(plain)).then_some((name, behind))
}

/// The methods of PostgreSQL 15.
const METHODS: [&str; 9] = [
    "abs",
    "ceiling",
    "datetime",
    "double",
    "floor",
    "keyvalue",
    "size",
    "type",
    "like_regex",
];

/// Refuses what the library knows and PostgreSQL 15 does not, and what it computes otherwise. The path has no escapes.
fn check(path: &str) -> Result<(), ValueError> {
    let bytes = path.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += 1;
                }
            }
            b'+' | b'/' | b'%' => return Err(arithmetic()),
            b'-' if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                return Err(arithmetic());
            }
            b'*' if bytes.get(at.wrapping_sub(1)) == Some(&b' ') => return Err(arithmetic()),
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) => {
                let rest = path.get(at + 1..).unwrap_or_default();
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                let method = rest.get(..end).unwrap_or_default();
                if !METHODS.contains(&method) {
                    let message = format!("syntax error at or near \"{method}\" of jsonpath input");
                    return fail(SqlState::SYNTAX_ERROR, message);
                }
                at += end;
            }
            b'0'..=b'9' => {
                let rest = path.get(at..).unwrap_or_default();
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                    .unwrap_or(rest.len());
                number_of(rest.get(..end).unwrap_or_default())?;
                at += end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

fn arithmetic() -> ValueError {
    let message = "arithmetic in a jsonpath is not supported";
    ValueError::new(SqlState::FEATURE_NOT_SUPPORTED, message.to_owned())
}

/// Digits that a double always keeps.
const MAX_DIGITS: usize = 15;

/// A number as the library has it, where that is the same number.
fn number_of(text: &str) -> Result<Number, ValueError> {
    let inexact = || {
        let message = format!("the number {text} in or under a jsonpath is not supported");
        ValueError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
            .with_detail("Paths compare numbers of up to 15 digits.")
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if let (Ok(whole), true) = (text.parse::<i64>(), digits <= MAX_DIGITS) {
        return Ok(Number::from(whole));
    }
    let double: f64 = text.parse().map_err(|_| inexact())?;
    let number = Number::from_f64(double).ok_or_else(inexact)?;
    let same = Decimal::parse(&pgtypes::float::double_text(double))? == Decimal::parse(text)?;
    if same && digits <= MAX_DIGITS {
        Ok(number)
    } else {
        Err(inexact())
    }
}

/// Whether the library has each number of a document as it is.
fn check_numbers(document: &Json) -> Result<(), ValueError> {
    match document {
        Json::Number(text) => number_of(text).map(drop),
        Json::Array(elements) => elements.iter().try_for_each(check_numbers),
        Json::Object(members) => members
            .iter()
            .try_for_each(|(_, value)| check_numbers(value)),
        Json::Null | Json::Bool(_) | Json::String(_) => Ok(()),
    }
}

/// What a path finds; `None` where an error is to be silent.
fn found(arguments: &[SqlValueRef<'_>], silent: bool) -> Result<Option<Vec<Json>>, ValueError> {
    let document = Document(Json::parse(text(arguments, 0)?)?);
    check_numbers(&document.0)?;
    let (path, _) = parsed(text(arguments, 1)?)?;
    let (vars, silent) = if arguments.len() > 2 {
        (
            Json::parse(text(arguments, 2)?)?,
            integer(arguments, 3)? != 0,
        )
    } else {
        (Json::Object(Vec::new()), silent)
    };
    check_numbers(&vars)?;
    let vars = Document(vars);
    match path.query_with_vars(Part(&document.0), Part(&vars.0)) {
        Ok(found) => {
            let found = found.into_iter().map(|one| one.into_owned().0);
            Ok(Some(found.collect()))
        }
        Err(error) if silent && error.can_silent() && error != EvalError::VarsNotObject => Ok(None),
        Err(error) => Err(refusal(&error)),
    }
}

fn exists(arguments: &[SqlValueRef<'_>], silent: bool) -> Answer {
    match found(arguments, silent)? {
        Some(found) => boolean(!found.is_empty()),
        None => Ok(SqlValue::Null),
    }
}

fn matches(arguments: &[SqlValueRef<'_>], silent: bool) -> Answer {
    let silent = silent || (arguments.len() > 3 && integer(arguments, 3)? != 0);
    match found(arguments, silent)?.as_deref() {
        Some([Json::Bool(value)]) => boolean(*value),
        Some([Json::Null]) | None => Ok(SqlValue::Null),
        Some(_) if silent => Ok(SqlValue::Null),
        Some(_) => Err(refusal(&EvalError::ExpectSingleBoolean)),
    }
}

fn refusal(error: &EvalError) -> ValueError {
    use EvalError as E;
    let state = match error {
        E::NoKey(_) | E::MemberAccess | E::WildcardMemberAccess => {
            SqlState::SQL_JSON_MEMBER_NOT_FOUND
        }
        E::ArrayAccess | E::WildcardArrayAccess | E::SizeNotArray => {
            SqlState::SQL_JSON_ARRAY_NOT_FOUND
        }
        E::KeyValueNotObject => SqlState::SQL_JSON_OBJECT_NOT_FOUND,
        E::ArrayIndexOutOfBounds | E::ArrayIndexOutOfRange | E::ArrayIndexNotNumeric => {
            SqlState::INVALID_SQL_JSON_SUBSCRIPT
        }
        E::NoVariable(_) => SqlState::UNDEFINED_OBJECT,
        E::VarsNotObject => SqlState::INVALID_PARAMETER_VALUE,
        E::UnaryOperandNotNumeric(_) => SqlState::SQL_JSON_NUMBER_NOT_FOUND,
        E::LeftOperandNotNumeric(_) | E::RightOperandNotNumeric(_) | E::ExpectSingleBoolean => {
            SqlState::SINGLETON_SQL_JSON_ITEM_REQUIRED
        }
        E::DivisionByZero => SqlState::DIVISION_BY_ZERO,
        E::MethodNotNumeric(_)
        | E::DoubleTypeError
        | E::NumericConversionType(_)
        | E::InvalidConversion(..)
        | E::NonFiniteNumber(_) => SqlState::NON_NUMERIC_SQL_JSON_ITEM,
        E::DateTimeTimezoneRequired(..) => SqlState::FEATURE_NOT_SUPPORTED,
        _ => SqlState::INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
    };
    let refused = ValueError::new(state, error.to_string());
    if matches!(error, E::VarsNotObject) {
        let detail = "Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.";
        return refused.with_detail(detail);
    }
    refused
}

/// A document of the library's.
#[derive(Clone, Debug)]
struct Document(Json);

/// A part of a document.
#[derive(Clone, Copy, Debug)]
struct Part<'a>(&'a Json);

#[derive(Clone, Copy)]
struct Elements<'a>(&'a [Json]);

#[derive(Clone, Copy)]
struct Members<'a>(&'a [(String, Json)]);

impl Owned for Document {
    type Borrowed<'a> = Part<'a>;

    fn as_ref(&self) -> Part<'_> {
        Part(&self.0)
    }

    fn null() -> Self {
        Self(Json::Null)
    }

    fn bool(b: bool) -> Self {
        Self(Json::Bool(b))
    }

    fn from_u64(v: u64) -> Self {
        Self(Json::Number(v.to_string()))
    }

    fn from_i64(v: i64) -> Self {
        Self(Json::Number(v.to_string()))
    }

    fn from_f64(v: f64) -> Self {
        let text = pgtypes::float::double_text(v);
        Self(Json::number(&text).unwrap_or(Json::Null))
    }

    fn from_number(n: Number) -> Self {
        match n.as_i64() {
            Some(whole) => Self::from_i64(whole),
            None => n.as_f64().map_or_else(Self::null, Self::from_f64),
        }
    }

    fn from_string(s: &str) -> Self {
        Self(Json::String(s.to_owned()))
    }

    fn object<'a, I: IntoIterator<Item = (&'a str, Self)>>(members: I) -> Self {
        let members = members
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.0));
        Self(Json::object(members.collect()))
    }

    fn borrow<'b, 'a: 'b>(part: Part<'a>) -> Part<'b> {
        part
    }
}

impl<'a> JsonRef<'a> for Part<'a> {
    type Owned = Document;
    type Array = Elements<'a>;
    type Object = Members<'a>;

    fn to_owned(self) -> Document {
        Document(self.0.clone())
    }

    fn null() -> Self {
        Self(&Json::Null)
    }

    fn as_bool(self) -> Option<bool> {
        match self.0 {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn as_number(self) -> Option<Number> {
        match self.0 {
            // All of them were looked at.
            Json::Number(text) => number_of(text).ok(),
            _ => None,
        }
    }

    fn as_str(self) -> Option<&'a str> {
        match self.0 {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    fn as_array(self) -> Option<Elements<'a>> {
        match self.0 {
            Json::Array(elements) => Some(Elements(elements)),
            _ => None,
        }
    }

    fn as_object(self) -> Option<Members<'a>> {
        match self.0 {
            Json::Object(members) => Some(Members(members)),
            _ => None,
        }
    }

    fn is_null(self) -> bool {
        matches!(self.0, Json::Null)
    }
}

impl<'a> ArrayRef<'a> for Elements<'a> {
    type JsonRef = Part<'a>;

    fn len(self) -> usize {
        self.0.len()
    }

    fn get(self, index: usize) -> Option<Part<'a>> {
        self.0.get(index).map(Part)
    }

    fn list(self) -> Vec<Part<'a>> {
        self.0.iter().map(Part).collect()
    }
}

impl<'a> ObjectRef<'a> for Members<'a> {
    type JsonRef = Part<'a>;

    fn len(self) -> usize {
        self.0.len()
    }

    fn get(self, key: &str) -> Option<Part<'a>> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| Part(value))
    }

    fn list(self) -> Vec<(&'a str, Part<'a>)> {
        let members = self.0.iter();
        members
            .map(|(key, value)| (key.as_str(), Part(value)))
            .collect()
    }

    fn list_value(self) -> Vec<Part<'a>> {
        self.0.iter().map(|(_, value)| Part(value)).collect()
    }
}

#[cfg(test)]
mod tests;
