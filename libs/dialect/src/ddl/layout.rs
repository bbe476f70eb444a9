//! The layout of a CREATE TABLE text: columns, constraints, and the clauses within them, by token positions.

use crate::error::DialectError;
use crate::lexer::Kind;
use crate::source::Source;

/// A table definition.
pub(crate) struct Layout {
    pub(crate) name: String,
    /// The token of the name (the last part).
    pub(crate) name_at: usize,
    pub(crate) close: usize,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) without_rowid: bool,
}

/// One item of the list in parentheses: tokens `at..end`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    Column { at: usize, end: usize },
    Constraint { at: usize, end: usize },
}

/// One clause of a column or a table constraint: `[CONSTRAINT name] KEYWORD body`.
pub(crate) struct Clause {
    pub(crate) name: Option<String>,
    /// In lower case.
    pub(crate) keyword: String,
    /// The first token behind the keyword (behind NOT NULL, PRIMARY KEY, FOREIGN KEY).
    pub(crate) body: usize,
    pub(crate) end: usize,
}

const CONSTRAINTS: &[&str] = &[
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "FOREIGN",
    "CHECK",
    "EXCLUDE",
    "LIKE",
];
const CLAUSES: &[&str] = &[
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "NOT",
    "NULL",
    "DEFAULT",
    "GENERATED",
    "COLLATE",
    "AS",
    "DEFERRABLE",
    "INITIALLY",
];

/// Reads `CREATE [TEMP] TABLE [IF NOT EXISTS] name ( … )`; `None` if the text is something else.
pub(crate) fn read(src: &Source<'_>) -> Option<Layout> {
    if !src.is(0, "CREATE") {
        return None;
    }
    let mut at = 1;
    while src.is_any(at, &["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"]) {
        at += 1;
    }
    if !src.is(at, "TABLE") {
        return None;
    }
    at += 1;
    if src.are(at, &["IF", "NOT", "EXISTS"]) {
        at += 3;
    }
    while src.sign(at + 1, ".") {
        at += 2;
    }
    let name = src.name(at)?;
    let open = at + 1;
    if !src.sign(open, "(") {
        return None;
    }
    let close = src.partner(open);
    let without_rowid = (close..src.len()).any(|token| src.are(token, &["WITHOUT", "ROWID"]));
    Some(Layout {
        name,
        name_at: at,
        close,
        pieces: pieces(src, open, close),
        without_rowid,
    })
}

/// The items between two parentheses.
pub(crate) fn pieces(src: &Source<'_>, open: usize, close: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = open + 1;
    while at < close {
        let end = item_end(src, at, close);
        if end > at {
            let table_level = src.is_any(at, CONSTRAINTS) && src.kind(at) == Some(Kind::Word);
            pieces.push(if table_level {
                Piece::Constraint { at, end }
            } else {
                Piece::Column { at, end }
            });
        }
        at = end + 1;
    }
    pieces
}

/// The comma (or the end) after the item at `at`.
pub(crate) fn item_end(src: &Source<'_>, at: usize, close: usize) -> usize {
    let mut at = at;
    while at < close && !src.sign(at, ",") {
        at = if src.sign(at, "(") || src.sign(at, "[") {
            src.partner(at) + 1
        } else {
            at + 1
        };
    }
    at.min(close)
}

/// The token after a column's type, which begins at `at`: up to the first clause.
pub(crate) fn type_end(src: &Source<'_>, at: usize, end: usize) -> usize {
    let mut at = at;
    while at < end && !src.is_any(at, CLAUSES) {
        at = if src.sign(at, "(") || src.sign(at, "[") {
            src.partner(at) + 1
        } else {
            at + 1
        };
    }
    at.min(end)
}

/// Where the type of the elements ends that is followed by `[]`, `[3][]`, `ARRAY` or `ARRAY[3]`; `None` for no array.
pub(crate) fn element_end(
    src: &Source<'_>,
    from: usize,
    to: usize,
) -> Result<Option<usize>, DialectError> {
    let is_array = |at: &usize| src.sign(*at, "[") || *at > from && src.is(*at, "ARRAY");
    let Some(end) = (from..to).find(is_array) else {
        return Ok(None);
    };
    let word = src.is(end, "ARRAY");
    let mut at = if word { end + 1 } else { end };
    let mut brackets = 0;
    while at < to && src.sign(at, "[") && !(word && brackets > 0) {
        let close = src.partner(at);
        let bound = src.slice(at + 1, close);
        if close >= to || !bound.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(src.syntax(at + 1));
        }
        brackets += 1;
        at = close + 1;
    }
    if at < to {
        return Err(src.syntax(at));
    }
    Ok(Some(end))
}

/// The clause that begins at `at` and ends before `end`.
pub(crate) fn clause(src: &Source<'_>, at: usize, end: usize) -> Clause {
    let mut name = None;
    let mut at = at;
    if src.is(at, "CONSTRAINT") {
        name = src.name(at + 1);
        at += 2;
    }
    let keyword = src.text(at).to_ascii_lowercase();
    let body = match keyword.as_str() {
        "not" | "primary" | "foreign" => at + 2,
        _ => at + 1,
    };
    let mut to = body;
    let table_level = matches!(keyword.as_str(), "foreign" | "exclude");
    if keyword == "default" && to < end {
        // A default is one operand: the first token may be a word that looks like a clause (NULL).
        to = if src.sign(to, "(") {
            src.partner(to) + 1
        } else {
            to + 1
        };
    }
    while to < end && (table_level || !starts_clause(src, to, &keyword)) {
        to = if src.sign(to, "(") || src.sign(to, "[") {
            src.partner(to) + 1
        } else {
            to + 1
        };
    }
    Clause {
        name,
        keyword,
        body,
        end: to.min(end),
    }
}

/// Whether a token ends the clause before it. Within REFERENCES and UNIQUE, NOT DEFERRABLE, SET NULL, SET DEFAULT belong to it.
fn starts_clause(src: &Source<'_>, at: usize, keyword: &str) -> bool {
    if !src.is_any(at, CLAUSES) {
        return false;
    }
    let deferral =
        src.is_any(at, &["DEFERRABLE", "INITIALLY"]) || src.are(at, &["NOT", "DEFERRABLE"]);
    let action = src.is_any(at, &["NULL", "DEFAULT"]) && at > 0 && src.is(at - 1, "SET");
    if deferral || action {
        return !matches!(keyword, "references" | "primary" | "unique" | "check");
    }
    let generated = keyword == "generated" && (src.is(at, "AS") || src.is(at, "DEFAULT"));
    !(generated
        || (keyword == "unique" && src.is_any(at, &["NOT", "NULL"]) && src.is(at + 1, "DISTINCT")))
}

/// The names in the parentheses that open at `at`: `(a, "b" DESC)`.
pub(crate) fn column_names(src: &Source<'_>, at: usize) -> Vec<String> {
    if !src.sign(at, "(") {
        return Vec::new();
    }
    let close = src.partner(at);
    let first = |token: &usize| src.sign(*token - 1, "(") || src.sign(*token - 1, ",");
    (at + 1..close)
        .filter(first)
        .filter_map(|token| src.name(token))
        .collect()
}
