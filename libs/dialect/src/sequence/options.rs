//! The options of a sequence as they were written.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::source::Source;

/// Options; `None` where one was not written.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::option_option,
    reason = "whether it was written, and whether as NO or NONE"
)]
pub(crate) struct Options {
    /// AS
    pub(crate) ty: Option<PgType>,
    /// INCREMENT BY
    pub(crate) increment: Option<i64>,
    /// MINVALUE; `Some(None)`: NO MINVALUE
    pub(crate) min: Option<Option<i64>>,
    /// MAXVALUE; `Some(None)`: NO MAXVALUE
    pub(crate) max: Option<Option<i64>>,
    /// START WITH
    pub(crate) start: Option<i64>,
    /// CACHE
    pub(crate) cache: Option<i64>,
    /// CYCLE
    pub(crate) cycle: Option<bool>,
    /// OWNED BY; `Some(None)`: NONE
    pub(crate) owner: Option<Option<(String, String)>>,
    /// RESTART; `Some(None)`: at START
    pub(crate) restart: Option<Option<i64>>,
    /// SEQUENCE NAME, of an identity column
    pub(crate) name: Option<String>,
}

impl Options {
    /// Reads options up to the token `end`.
    pub(crate) fn read(src: &Source<'_>, at: usize, end: usize) -> Result<Self, DialectError> {
        let mut options = Self::default();
        let mut at = at;
        while at < end {
            at = options.read_one(src, at, end)?;
        }
        Ok(options)
    }

    /// Reads one option; gives the token after it.
    pub(crate) fn read_one(
        &mut self,
        src: &Source<'_>,
        at: usize,
        end: usize,
    ) -> Result<usize, DialectError> {
        let word = src.text(at).to_ascii_lowercase();
        let mut next = at + 1;
        let fresh = match word.as_str() {
            "as" => {
                let to = type_end(src, next, end);
                let text = src.slice(next, to);
                let Some(ty) = PgType::parse(text) else {
                    let message = format!("type \"{text}\" does not exist");
                    return Err(src.error(next, SqlState::UNDEFINED_OBJECT, message));
                };
                next = to;
                self.ty.replace(ty).is_none()
            }
            "increment" => {
                next += usize::from(src.is(next, "BY"));
                self.increment.replace(number(src, &mut next)?).is_none()
            }
            "minvalue" => self.min.replace(Some(number(src, &mut next)?)).is_none(),
            "maxvalue" => self.max.replace(Some(number(src, &mut next)?)).is_none(),
            "start" => {
                next += usize::from(src.is(next, "WITH"));
                self.start.replace(number(src, &mut next)?).is_none()
            }
            "cache" => self.cache.replace(number(src, &mut next)?).is_none(),
            "cycle" => self.cycle.replace(true).is_none(),
            "no" => {
                next += 1;
                match src.text(at + 1).to_ascii_lowercase().as_str() {
                    "minvalue" => self.min.replace(None).is_none(),
                    "maxvalue" => self.max.replace(None).is_none(),
                    "cycle" => self.cycle.replace(false).is_none(),
                    _ => return Err(src.syntax(at + 1)),
                }
            }
            "restart" => {
                next += usize::from(src.is(next, "WITH"));
                let given = src.sign(next, "-") || starts_number(src, next);
                let value = if given {
                    Some(number(src, &mut next)?)
                } else {
                    None
                };
                self.restart.replace(value).is_none()
            }
            "owned" if src.is(next, "BY") => {
                let owner = owner(src, next + 1, &mut next)?;
                self.owner.replace(owner).is_none()
            }
            "sequence" if src.is(next, "NAME") => {
                next += 1;
                while src.sign(next + 1, ".") {
                    next += 2;
                }
                let name = src.name(next).ok_or_else(|| src.syntax(next))?;
                next += 1;
                self.name.replace(name).is_none()
            }
            _ => return Err(src.syntax(at)),
        };
        if !fresh {
            let message = "conflicting or redundant options";
            return Err(src.error(at, SqlState::SYNTAX_ERROR, message));
        }
        Ok(next)
    }
}

const WORDS: &[&str] = &[
    "INCREMENT",
    "MINVALUE",
    "MAXVALUE",
    "START",
    "CACHE",
    "CYCLE",
    "NO",
    "RESTART",
    "OWNED",
    "SEQUENCE",
    "AS",
];

fn type_end(src: &Source<'_>, at: usize, end: usize) -> usize {
    let mut at = at;
    while at < end && !src.is_any(at, WORDS) {
        at += 1;
    }
    at.min(end)
}

fn starts_number(src: &Source<'_>, at: usize) -> bool {
    src.text(at)
        .starts_with(|first: char| first.is_ascii_digit())
}

/// A number with its sign, at `next`, which moves behind it.
fn number(src: &Source<'_>, next: &mut usize) -> Result<i64, DialectError> {
    let at = *next;
    let negative = src.sign(at, "-");
    let digits_at = at + usize::from(negative || src.sign(at, "+"));
    if !starts_number(src, digits_at) {
        return Err(src.syntax(digits_at));
    }
    let sign = if negative { "-" } else { "" };
    let text = format!("{sign}{}", src.text(digits_at));
    *next = digits_at + 1;
    text.parse().map_err(|_| {
        let message = format!("value \"{text}\" is out of range for type bigint");
        DialectError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
    })
}

/// `table.column` or NONE, at `at`; `next` is moved behind it.
fn owner(
    src: &Source<'_>,
    at: usize,
    next: &mut usize,
) -> Result<Option<(String, String)>, DialectError> {
    let mut parts = Vec::new();
    let mut at = at;
    loop {
        parts.push(src.name(at).ok_or_else(|| src.syntax(at))?);
        at += 1;
        if !src.sign(at, ".") {
            break;
        }
        at += 1;
    }
    *next = at;
    let column = parts.pop();
    match (parts.pop(), column) {
        (Some(table), Some(column)) => Ok(Some((table, column))),
        (None, Some(word)) if word == "none" => Ok(None),
        _ => Err(
            DialectError::new(SqlState::SYNTAX_ERROR, "invalid OWNED BY option")
                .hint("Specify OWNED BY table.column or OWNED BY NONE."),
        ),
    }
}
