//! LOCK TABLE.

use crate::error::DialectError;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// The modes of LOCK TABLE, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "PostgreSQL's names")]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

/// The words of each mode.
const MODES: [(&[&str], LockMode); 8] = [
    (&["ACCESS", "SHARE"], LockMode::AccessShare),
    (&["ROW", "SHARE"], LockMode::RowShare),
    (&["ROW", "EXCLUSIVE"], LockMode::RowExclusive),
    (
        &["SHARE", "UPDATE", "EXCLUSIVE"],
        LockMode::ShareUpdateExclusive,
    ),
    (&["SHARE", "ROW", "EXCLUSIVE"], LockMode::ShareRowExclusive),
    (&["SHARE"], LockMode::Share),
    (&["EXCLUSIVE"], LockMode::Exclusive),
    (&["ACCESS", "EXCLUSIVE"], LockMode::AccessExclusive),
];

/// LOCK [TABLE] [ONLY] name [*] [, …] [IN mode MODE] [NOWAIT]
pub(crate) fn lock(src: &Source<'_>) -> Result<Statement, DialectError> {
    let mut at = if src.is(1, "TABLE") { 2 } else { 1 };
    let mut tables = Vec::new();
    loop {
        at += usize::from(src.is(at, "ONLY"));
        while src.sign(at + 1, ".") {
            at += 2;
        }
        tables.push(src.name(at).ok_or_else(|| src.syntax(at))?);
        at += 1;
        at += usize::from(src.sign(at, "*"));
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    let mut mode = LockMode::AccessExclusive;
    if src.is(at, "IN") {
        let found = MODES
            .iter()
            .find(|(words, _)| src.are(at + 1, words) && src.is(at + 1 + words.len(), "MODE"));
        let (words, named) = found.ok_or_else(|| src.syntax(at + 1))?;
        mode = *named;
        at += 2 + words.len();
    }
    let nowait = src.is(at, "NOWAIT");
    at += usize::from(nowait);
    if at < src.len() {
        return Err(src.syntax(at));
    }
    Ok(Statement::session(
        StatementKind::LockTable {
            tables,
            mode,
            nowait,
        },
        "LOCK TABLE",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoSchema;

    #[test]
    fn tables_mode_and_patience_are_read() {
        let kind = |sql| crate::analyze(sql, &NoSchema).unwrap().kind;
        assert_eq!(
            kind("LOCK TABLE a, public.\"B\" IN SHARE ROW EXCLUSIVE MODE NOWAIT"),
            StatementKind::LockTable {
                tables: vec!["a".to_owned(), "B".to_owned()],
                mode: LockMode::ShareRowExclusive,
                nowait: true,
            }
        );
        assert_eq!(
            kind("lock a"),
            StatementKind::LockTable {
                tables: vec!["a".to_owned()],
                mode: LockMode::AccessExclusive,
                nowait: false,
            }
        );
        assert!(crate::analyze("LOCK TABLE a IN NO MODE", &NoSchema).is_err());
    }
}
