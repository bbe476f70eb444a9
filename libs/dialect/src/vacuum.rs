//! VACUUM, with its options in words or in parentheses.

use crate::error::DialectError;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// Options that ask for nothing that is not done anyway.
const ACCEPTED: [&str; 11] = [
    "FREEZE",
    "VERBOSE",
    "DISABLE_PAGE_SKIPPING",
    "SKIP_LOCKED",
    "INDEX_CLEANUP",
    "PROCESS_MAIN",
    "PROCESS_TOAST",
    "TRUNCATE",
    "PARALLEL",
    "SKIP_DATABASE_STATS",
    "BUFFER_USAGE_LIMIT",
];

#[derive(Default)]
struct Options {
    full: bool,
    analyze: bool,
}

/// VACUUM.
pub(crate) fn vacuum(src: &Source<'_>) -> Result<Statement, DialectError> {
    let mut options = Options::default();
    let at = if src.sign(1, "(") {
        in_parentheses(src, &mut options)?
    } else {
        in_words(src, &mut options)
    };
    let tables = tables(src, at)?;
    let kind = StatementKind::Vacuum {
        full: options.full,
        analyze: options.analyze,
        tables,
    };
    Ok(Statement::session(kind, "VACUUM"))
}

/// `FULL FREEZE VERBOSE ANALYZE`, in this order; gives the place behind them.
fn in_words(src: &Source<'_>, options: &mut Options) -> usize {
    let mut at = 1;
    if src.is(at, "FULL") {
        options.full = true;
        at += 1;
    }
    at += usize::from(src.is(at, "FREEZE"));
    at += usize::from(src.is(at, "VERBOSE"));
    if src.is_any(at, &["ANALYZE", "ANALYSE"]) {
        options.analyze = true;
        at += 1;
    }
    at
}

/// `(FULL, ANALYZE off, …)`; gives the place behind it.
fn in_parentheses(src: &Source<'_>, options: &mut Options) -> Result<usize, DialectError> {
    let end = src.partner(1);
    let mut at = 2;
    loop {
        let option = at;
        at += 1;
        let value = at;
        while at < end && !src.sign(at, ",") {
            at += 1;
        }
        if option >= end || at > value + 1 {
            return Err(src.syntax(option.max(value.min(end))));
        }
        let on = at == value || !is_off(src, value);
        if src.is(option, "FULL") {
            options.full = on;
        } else if src.is_any(option, &["ANALYZE", "ANALYSE"]) {
            options.analyze = on;
        } else if !src.is_any(option, &ACCEPTED) {
            let message = format!("unrecognized VACUUM option \"{}\"", src.text(option));
            return Err(src.error(option, "42601", message));
        }
        if at >= end {
            return Ok(end + 1);
        }
        at += 1;
    }
}

fn is_off(src: &Source<'_>, at: usize) -> bool {
    src.is_any(at, &["OFF", "FALSE"]) || src.text(at) == "0"
}

/// `table (column, …), …` up to the end.
fn tables(src: &Source<'_>, at: usize) -> Result<Vec<String>, DialectError> {
    let mut tables = Vec::new();
    let mut at = at;
    if at >= src.len() {
        return Ok(tables);
    }
    loop {
        let mut name = src.name(at).ok_or_else(|| src.syntax(at))?;
        at += 1;
        if src.sign(at, ".") {
            name = src.name(at + 1).ok_or_else(|| src.syntax(at + 1))?;
            at += 2;
        }
        tables.push(name);
        if src.sign(at, "(") {
            at = src.partner(at) + 1;
        }
        if !src.sign(at, ",") {
            return end_at(src, at).map(|()| tables);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(sql: &str) -> Result<StatementKind, String> {
        let source = Source::new(sql).unwrap();
        vacuum(&source)
            .map(|statement| statement.kind)
            .map_err(|error| error.sqlstate.to_owned())
    }

    fn is(full: bool, analyze: bool, tables: &[&str]) -> StatementKind {
        StatementKind::Vacuum {
            full,
            analyze,
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
        }
    }

    #[test]
    fn options_stand_in_words_or_in_parentheses() {
        assert_eq!(kind("VACUUM"), Ok(is(false, false, &[])));
        assert_eq!(kind("VACUUM t"), Ok(is(false, false, &["t"])));
        assert_eq!(kind("vacuum full"), Ok(is(true, false, &[])));
        assert_eq!(
            kind("VACUUM FULL FREEZE VERBOSE ANALYZE public.t (a, b), \"U\""),
            Ok(is(true, true, &["t", "U"]))
        );
        assert_eq!(kind("VACUUM (FULL, ANALYZE) t"), Ok(is(true, true, &["t"])));
        assert_eq!(
            kind("VACUUM (FULL false, VERBOSE, PARALLEL 4, ANALYZE on)"),
            Ok(is(false, true, &[]))
        );
    }

    #[test]
    fn what_is_no_option_or_table_is_refused() {
        for sql in [
            "VACUUM INTO 'copy.db'",
            "VACUUM (FULL",
            "VACUUM ()",
            "VACUUM (FULL,)",
            "VACUUM (FULL on off)",
            "VACUUM (SMALL)",
            "VACUUM t,",
            "VACUUM t u",
            "VACUUM (FULL) ANALYZE t",
        ] {
            let refused = Source::new(sql).is_err() || kind(sql) == Err("42601".to_owned());
            assert!(refused, "{sql}");
        }
    }
}
