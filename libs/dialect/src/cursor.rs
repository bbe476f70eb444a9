//! DECLARE, FETCH and MOVE.

use pgtypes::SqlState;

use crate::analyze::analyze;
use crate::error::DialectError;
use crate::lexer::Kind;
use crate::schema::SchemaView;
use crate::session::{end_at, name};
use crate::source::Source;
use crate::statement::{CommandTag, Statement, StatementKind};

/// Which rows of a cursor are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchCount {
    /// FORWARD n (n rows from here on).
    Forward(u64),
    /// ALL, FORWARD ALL.
    All,
    /// BACKWARD n (n rows before this one, the nearest first).
    Backward(u64),
    /// BACKWARD ALL.
    BackwardAll,
    /// ABSOLUTE n: the row of that number, from the end where it is negative.
    Absolute(i64),
    /// RELATIVE n: the row so many behind this one.
    Relative(i64),
}

/// DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH | WITHOUT HOLD] FOR query
pub(crate) fn declare(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let name = src.name(1).ok_or_else(|| src.syntax(1))?;
    let mut at = 2;
    let mut scroll = None;
    while src.is_any(at, &["BINARY", "INSENSITIVE", "ASENSITIVE", "NO", "SCROLL"]) {
        if src.is(at, "BINARY") {
            return Err(src.unsupported(at, "a binary cursor"));
        }
        if src.is(at, "SCROLL") {
            scroll = Some(!src.is(at - 1, "NO"));
        }
        at += 1;
    }
    if !src.is(at, "CURSOR") {
        return Err(src.syntax(at));
    }
    at += 1;
    let hold = src.are(at, &["WITH", "HOLD"]);
    if hold || src.are(at, &["WITHOUT", "HOLD"]) {
        at += 2;
    }
    if !src.is(at, "FOR") {
        return Err(src.syntax(at));
    }
    let kind = StatementKind::DeclareCursor { name, hold, scroll };
    let query = analyze(src.slice(at + 1, src.len()), schema)?;
    if !query.before.is_empty() {
        let message = "DECLARE CURSOR must not contain data-modifying statements in WITH";
        return Err(DialectError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    if query.kind != StatementKind::Query {
        return Err(src.syntax(at + 1));
    }
    Ok(Statement {
        kind,
        tag: CommandTag::Fixed("DECLARE CURSOR"),
        ..query
    })
}

/// FETCH | MOVE [direction] [FROM | IN] name
pub(crate) fn fetch(src: &Source<'_>, is_move: bool) -> Result<Statement, DialectError> {
    let (count, at) = direction(src, 1)?;
    let at = at + usize::from(src.is_any(at, &["FROM", "IN"]));
    let name = name(src, at)?;
    end_at(src, at + 1)?;
    Ok(if is_move {
        Statement::session(StatementKind::Move { name, count }, "MOVE")
    } else {
        Statement {
            tag: CommandTag::Fetch,
            ..Statement::session(StatementKind::Fetch { name, count }, "")
        }
    })
}

/// Which rows are meant, and the token behind that; the next one where nothing is said.
fn direction(src: &Source<'_>, at: usize) -> Result<(FetchCount, usize), DialectError> {
    let word = src.text(at).to_ascii_lowercase();
    let said = match word.as_str() {
        // A cursor may have the name of a direction.
        _ if at + 1 >= src.len() => return Ok((FetchCount::Forward(1), at)),
        "next" => (FetchCount::Forward(1), at + 1),
        "prior" => (FetchCount::Backward(1), at + 1),
        "first" => (FetchCount::Absolute(1), at + 1),
        "last" => (FetchCount::Absolute(-1), at + 1),
        "absolute" | "relative" => {
            let (number, to) = number(src, at + 1)?.ok_or_else(|| src.syntax(at + 1))?;
            let count = match word.as_str() {
                "absolute" => FetchCount::Absolute(number),
                _ => FetchCount::Relative(number),
            };
            (count, to)
        }
        "forward" | "backward" => {
            let back = word == "backward";
            if src.is(at + 1, "ALL") {
                let all = if back {
                    FetchCount::BackwardAll
                } else {
                    FetchCount::All
                };
                (all, at + 2)
            } else {
                let (number, to) = number(src, at + 1)?.unwrap_or((1, at + 1));
                (forward(if back { -number } else { number }), to)
            }
        }
        "all" => (FetchCount::All, at + 1),
        _ => match number(src, at)? {
            Some((number, to)) => (forward(number), to),
            None => (FetchCount::Forward(1), at),
        },
    };
    Ok(said)
}

/// So many rows forward, or backward where the number is negative.
fn forward(number: i64) -> FetchCount {
    let rows = number.unsigned_abs();
    if number < 0 {
        FetchCount::Backward(rows)
    } else {
        FetchCount::Forward(rows)
    }
}

/// A whole number, perhaps with a sign.
fn number(src: &Source<'_>, at: usize) -> Result<Option<(i64, usize)>, DialectError> {
    let negative = src.sign(at, "-");
    let at = at + usize::from(negative || src.sign(at, "+"));
    if src.kind(at) != Some(Kind::Integer) {
        return if negative {
            Err(src.syntax(at))
        } else {
            Ok(None)
        };
    }
    let number: i64 = src.text(at).parse().map_err(|_| src.syntax(at))?;
    Ok(Some((if negative { -number } else { number }, at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoSchema;

    #[test]
    fn a_direction_says_which_rows_are_meant() {
        for (sql, expected) in [
            ("FETCH c", FetchCount::Forward(1)),
            ("FETCH NEXT FROM c", FetchCount::Forward(1)),
            ("FETCH 5 c", FetchCount::Forward(5)),
            ("FETCH -2 IN c", FetchCount::Backward(2)),
            ("FETCH ALL FROM c", FetchCount::All),
            ("FETCH FORWARD ALL FROM c", FetchCount::All),
            ("FETCH BACKWARD FROM c", FetchCount::Backward(1)),
            ("FETCH BACKWARD ALL IN c", FetchCount::BackwardAll),
            ("FETCH PRIOR FROM c", FetchCount::Backward(1)),
            ("FETCH FIRST FROM c", FetchCount::Absolute(1)),
            ("FETCH LAST FROM c", FetchCount::Absolute(-1)),
            ("FETCH ABSOLUTE -3 FROM c", FetchCount::Absolute(-3)),
            ("FETCH RELATIVE 0 FROM c", FetchCount::Relative(0)),
        ] {
            let kind = analyze(sql, &NoSchema).unwrap().kind;
            let name = "c".to_owned();
            assert_eq!(
                kind,
                StatementKind::Fetch {
                    name,
                    count: expected
                },
                "{sql}"
            );
        }
        assert!(analyze("FETCH ABSOLUTE FROM c", &NoSchema).is_err());
    }
}
