//! Words that SQLite reserves and PostgreSQL does not: where they stand as names they are quoted.
//!
//! Which of the two such a word is, only its neighbours tell: `UPDATE set SET set = 1`. What is not surely a name
//! stays as it is.

use crate::error::DialectError;
use crate::lexer::Kind;
use crate::literal::quote_name;
use crate::source::Source;

/// Reserved in SQLite, allowed as names of tables and columns in PostgreSQL.
const WORDS: &[&str] = &[
    "add",
    "alter",
    "autoincrement",
    "commit",
    "delete",
    "drop",
    "escape",
    "index",
    "insert",
    "nothing",
    "set",
    "transaction",
    "update",
];
/// Behind these only a name or an expression can follow, in whatever statement.
const BEFORE_A_NAME: &[&str] = &[
    "SELECT",
    "DISTINCT",
    "ALL",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "BY",
    "HAVING",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "AS",
    "FROM",
    "JOIN",
    "INTO",
    "TABLE",
    "VIEW",
    "ONLY",
    "COLUMN",
    "CONSTRAINT",
    "REFERENCES",
    "RETURNING",
    "COPY",
    "TRUNCATE",
];
/// Statements that begin with these hold names of tables and columns.
const STATEMENTS: &[&str] = &[
    "SELECT", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "COPY",
    "DECLARE", "CREATE", "ALTER", "DROP",
];

/// A statement whose names are quoted, and where.
#[derive(Default)]
pub(crate) struct Quoted {
    pub(crate) sql: String,
    /// Where each quoted name begins, in characters of `sql` from 1, and how many characters longer it is than it was.
    places: Vec<(usize, isize)>,
    /// The characters of `sql`.
    characters: usize,
}

impl Quoted {
    /// An error with its position in the statement as the client sent it.
    pub(crate) fn undo(&self, error: DialectError) -> DialectError {
        let moved = |position: usize| {
            let before = self.places.iter().filter(|(place, _)| *place < position);
            let longer: isize = before.map(|(_, longer)| longer).sum();
            position.saturating_add_signed(-longer)
        };
        DialectError {
            position: error.position.map(moved),
            ..error
        }
    }

    /// What is copied of the statement up to `start`, and the name that stands in the place of its bytes `start..end`.
    pub(crate) fn put(
        &mut self,
        sql: &str,
        (copied, start, end): (usize, usize, usize),
        name: &str,
    ) {
        let before = sql.get(copied..start).unwrap_or("");
        let instead = sql.get(start..end).unwrap_or("").chars().count();
        let length = name.chars().count();
        self.characters += before.chars().count();
        let place = self.characters + 1;
        self.places
            .push((place, length.cast_signed() - instead.cast_signed()));
        self.characters += length;
        self.sql.extend([before, name]);
    }

    /// With the rest of the statement; `None` where no name was put.
    pub(crate) fn finished(mut self, sql: &str, copied: usize) -> Option<Self> {
        self.sql.push_str(sql.get(copied..).unwrap_or(""));
        (!self.places.is_empty()).then_some(self)
    }
}

/// Quotes the names among the words; `None` when there is nothing to quote.
pub(crate) fn quote(src: &Source<'_>) -> Option<Quoted> {
    if !(src.is_any(0, STATEMENTS) || src.sign(0, "(")) || !holds_names(src) {
        return None;
    }
    let mut quoted = Quoted::default();
    let (mut copied, mut last) = (0, 0);
    for at in 1..src.len() {
        let after_name = last == at - 1 && last > 0;
        if !src.is_any(at, WORDS) || !is_name(src, at, after_name) {
            continue;
        }
        last = at;
        let (start, end) = (src.start(at), src.start(at) + src.text(at).len());
        let name = quote_name(&src.text(at).to_ascii_lowercase());
        quoted.put(src.sql, (copied, start, end), &name);
        copied = end;
    }
    quoted.finished(src.sql, copied)
}

/// CREATE, ALTER and DROP of other things than tables, indexes and views have grammars of their own.
fn holds_names(src: &Source<'_>) -> bool {
    if !src.is_any(0, &["CREATE", "ALTER", "DROP"]) {
        return true;
    }
    (1..src.len().min(5)).any(|at| src.is_any(at, &["TABLE", "INDEX", "VIEW"]))
        && !(1..4).any(|at| {
            src.is_any(
                at,
                &[
                    "TRIGGER",
                    "FUNCTION",
                    "PROCEDURE",
                    "RULE",
                    "EVENT",
                    "VIRTUAL",
                ],
            )
        })
}

/// Whether the word at `at` is a name; `after_name` when the token before it is a quoted one.
fn is_name(src: &Source<'_>, at: usize, after_name: bool) -> bool {
    let before = at - 1;
    if src.sign(before, ".") || src.sign(at + 1, ".") {
        return true;
    }
    if after_name {
        return false;
    }
    match src.kind(before) {
        Some(Kind::Operator) => !src.sign(before, "::") && !calls(src, at),
        Some(Kind::Punctuation) => in_list(src, at) && !calls(src, at),
        Some(Kind::Word) => after_keyword(src, at),
        _ => false,
    }
}

/// Behind `(`, `[` and `,`, except where a statement, a clause or an option begins there.
fn in_list(src: &Source<'_>, at: usize) -> bool {
    let before = at - 1;
    if src.sign(before, ",") {
        let clause = src.is(0, "ALTER") && src.is_any(at, &["ADD", "ALTER", "DROP", "SET"]);
        return !clause && !is_option(src, at);
    }
    if src.sign(before, "(") {
        let statement = src.is_any(at, &["INSERT", "UPDATE", "DELETE"])
            && src.is_any(before.wrapping_sub(1), &["AS", "MATERIALIZED", "COPY"]);
        return !statement && !is_option(src, at);
    }
    src.sign(before, "[")
}

/// `ESCAPE '"'` of COPY.
fn is_option(src: &Source<'_>, at: usize) -> bool {
    src.is(at, "ESCAPE") && src.kind(at + 1).is_some_and(is_text)
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Escape | Kind::National)
}

/// A function's name is none of a column.
fn calls(src: &Source<'_>, at: usize) -> bool {
    src.sign(at + 1, "(")
}

fn after_keyword(src: &Source<'_>, at: usize) -> bool {
    let before = at - 1;
    if src.is_any(before, BEFORE_A_NAME) {
        return true;
    }
    let changes_table = src.are(0, &["ALTER", "TABLE"]);
    match src.text(before).to_ascii_lowercase().as_str() {
        "exists" => src.is_any(before.wrapping_sub(1), &["IF", "NOT"]),
        "update" => before == 0 || (src.is(0, "WITH") && src.sign(before - 1, ")")),
        "index" => before <= 2 && src.is_any(0, &["CREATE", "DROP", "ALTER"]),
        "set" => src.sign(at + 1, "="),
        "on" => (src.is(0, "CREATE") && calls(src, at)) || src.kind(at + 1) == Some(Kind::Operator),
        "with" | "recursive" => src.is(at + 1, "AS"),
        "add" | "alter" | "drop" | "rename" | "to" => changes_table,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(sql: &str) -> Option<String> {
        quote(&Source::new(sql).unwrap()).map(|quoted| quoted.sql)
    }

    #[test]
    fn names_are_quoted() {
        for (sql, expected) in [
            (
                "UPDATE set SET set = set.set + 1, Index = 2 WHERE delete",
                "UPDATE \"set\" SET \"set\" = \"set\".\"set\" + 1, \"index\" = 2 WHERE \"delete\"",
            ),
            (
                "CREATE TABLE IF NOT EXISTS index (id INT, update INT REFERENCES drop ON DELETE SET NULL)",
                "CREATE TABLE IF NOT EXISTS \"index\" (id INT, \"update\" INT REFERENCES \"drop\" ON DELETE SET NULL)",
            ),
            (
                "INSERT INTO t (add) VALUES (1) ON CONFLICT (add) DO UPDATE SET add = excluded.add",
                "INSERT INTO t (\"add\") VALUES (1) ON CONFLICT (\"add\") DO UPDATE SET \"add\" = excluded.\"add\"",
            ),
            (
                "SELECT max(w.set) AS set, commit FROM transaction w ORDER BY set FOR UPDATE",
                "SELECT max(w.\"set\") AS \"set\", \"commit\" FROM \"transaction\" w ORDER BY \"set\" FOR UPDATE",
            ),
            (
                "CREATE UNIQUE INDEX index ON index (index)",
                "CREATE UNIQUE INDEX \"index\" ON \"index\" (\"index\")",
            ),
            (
                "ALTER TABLE add ADD add INT, ADD COLUMN drop INT",
                "ALTER TABLE \"add\" ADD \"add\" INT, ADD COLUMN \"drop\" INT",
            ),
            (
                "COPY index (a, set) FROM STDIN (FORMAT csv, ESCAPE '\"')",
                "COPY \"index\" (a, \"set\") FROM STDIN (FORMAT csv, ESCAPE '\"')",
            ),
        ] {
            assert_eq!(quoted(sql).as_deref(), Some(expected), "{sql}");
        }
    }

    #[test]
    fn keywords_stay() {
        for sql in [
            "UPDATE t AS a SET b = 1",
            "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2",
            "WITH x AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM x",
            "WITH x AS (SELECT 1) UPDATE t SET a = 1",
            "SELECT a FROM t WHERE a LIKE 'x' ESCAPE '!' FOR UPDATE",
            "CREATE TEMP TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT) ON COMMIT DELETE ROWS",
            "CREATE TEMP TABLE t (id INTEGER) ON COMMIT DROP",
            "CREATE TABLE t (a INT REFERENCES u ON UPDATE SET NULL ON DELETE SET DEFAULT)",
            "ALTER TABLE t ADD a INT, DROP b, ALTER c SET NOT NULL, ALTER COLUMN c DROP DEFAULT",
            "DROP INDEX IF EXISTS i",
            "CREATE TRIGGER i AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "BEGIN TRANSACTION",
            "PREPARE p AS INSERT INTO t VALUES ($1)",
            "SET TRANSACTION READ ONLY",
            "SELECT 'set', \"set\" /* set */",
            "GRANT SELECT, INSERT, UPDATE ON t TO u",
        ] {
            assert_eq!(quoted(sql), None, "{sql}");
        }
    }

    #[test]
    fn an_error_keeps_its_place_in_the_statement() {
        let sql = "SELECT 'é', set, index FRMO x";
        let quoted = quote(&Source::new(sql).unwrap()).unwrap();
        let at = |sql: &str| DialectError::syntax("x").at(sql, sql.find("FRMO").unwrap());
        assert_eq!(quoted.undo(at(&quoted.sql)), at(sql));
        let first =
            |sql: &str, word: &str| DialectError::syntax("x").at(sql, sql.find(word).unwrap());
        assert_eq!(
            quoted.undo(first(&quoted.sql, "\"index")),
            first(sql, "index")
        );
    }
}
