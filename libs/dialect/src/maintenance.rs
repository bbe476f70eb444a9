//! VACUUM, ANALYZE, REINDEX: options in words or in parentheses, and what they name.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Reindex, Statement, StatementKind};

/// Options that ask for nothing that is not done anyway.
const ACCEPTED: [&str; 13] = [
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
    "CONCURRENTLY",
    "TABLESPACE",
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
        in_parentheses(src, "VACUUM", &mut options)?
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

/// ANALYZE.
pub(crate) fn analyze(src: &Source<'_>) -> Result<Statement, DialectError> {
    let at = if src.sign(1, "(") {
        in_parentheses(src, "ANALYZE", &mut Options::default())?
    } else {
        1 + usize::from(src.is(1, "VERBOSE"))
    };
    let tables = tables(src, at)?;
    Ok(Statement::session(
        StatementKind::Analyze { tables },
        "ANALYZE",
    ))
}

/// REINDEX, also SQLite's own, which does not say what is named.
pub(crate) fn reindex(src: &Source<'_>) -> Result<Statement, DialectError> {
    let kind = if src.sign(1, "(") {
        in_parentheses(src, "REINDEX", &mut Options::default())?
    } else {
        1
    };
    let said = src.is_any(kind, &["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]);
    let concurrently = said && src.is(kind + 1, "CONCURRENTLY");
    let at = kind + usize::from(said) + usize::from(concurrently);
    let whole = !said || src.is_any(kind, &["DATABASE", "SYSTEM"]);
    let statement = |what| Statement {
        outside_block: concurrently.then_some("REINDEX CONCURRENTLY"),
        ..Statement::session(StatementKind::Reindex(what), "REINDEX")
    };
    if whole && at >= src.len() {
        return Ok(statement(Reindex::All));
    }
    let (name, behind) = qualified(src, at)?;
    end_at(src, behind)?;
    let what = if !said {
        Reindex::Any(name)
    } else if src.is(kind, "INDEX") {
        Reindex::Index(name)
    } else if src.is(kind, "TABLE") {
        Reindex::Table(name)
    } else if src.is(kind, "SCHEMA") {
        Reindex::Schema(name)
    } else {
        Reindex::Database(name)
    };
    Ok(statement(what))
}

/// CLUSTER [VERBOSE] [table [USING index]], CLUSTER index ON table: rows are in the order of their keys, in no other.
pub(crate) fn cluster(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let at = if src.sign(1, "(") {
        in_parentheses(src, "CLUSTER", &mut Options::default())?
    } else {
        1 + usize::from(src.is(1, "VERBOSE"))
    };
    if at >= src.len() {
        // All tables that were clustered before: none was.
        return Ok(Statement::accepted("CLUSTER"));
    }
    let (mut table, mut to) = qualified(src, at)?;
    let mut index = None;
    if src.is(to, "USING") {
        index = Some(src.name(to + 1).ok_or_else(|| src.syntax(to + 1))?);
        to += 2;
    } else if src.is(to, "ON") {
        let (named, behind) = qualified(src, to + 1)?;
        index = Some(std::mem::replace(&mut table, named));
        to = behind;
    }
    end_at(src, to)?;
    if schema.columns(&table).is_none() {
        let message = format!("relation \"{table}\" does not exist");
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    }
    let Some(index) = index else {
        let message = format!("there is no previously clustered index for table \"{table}\"");
        return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
    };
    let of_table = schema.index_table(&index).as_deref() == Some(table.as_str());
    let of_key = schema.table_info(&table).is_some_and(|info| {
        info.constraints
            .iter()
            .any(|constraint| constraint.name == index)
    });
    if !of_table && !of_key {
        let message = format!("index \"{index}\" for table \"{table}\" does not exist");
        return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    Err(src.unsupported(0, "CLUSTER"))
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
fn in_parentheses(
    src: &Source<'_>,
    command: &str,
    options: &mut Options,
) -> Result<usize, DialectError> {
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
            let message = format!("unrecognized {command} option \"{}\"", src.text(option));
            return Err(src.error(option, SqlState::SYNTAX_ERROR, message));
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
        let (name, behind) = qualified(src, at)?;
        at = behind;
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

/// A name, perhaps behind its schema's; gives the place behind it.
fn qualified(src: &Source<'_>, at: usize) -> Result<(String, usize), DialectError> {
    let first = src.name(at).ok_or_else(|| src.syntax(at))?;
    if !src.sign(at + 1, ".") {
        return Ok((first, at + 1));
    }
    let name = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
    Ok((name, at + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(sql: &str) -> Result<StatementKind, SqlState> {
        let source = Source::new(sql).unwrap();
        crate::session::session(
            &source,
            &crate::schema::NoSchema,
            &source.text(0).to_ascii_lowercase(),
        )
        .map(|statement| statement.kind)
        .map_err(|error| error.sqlstate)
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
            let refused = Source::new(sql).is_err() || kind(sql) == Err(SqlState::SYNTAX_ERROR);
            assert!(refused, "{sql}");
        }
    }

    #[test]
    fn analyze_names_tables() {
        let is = |tables: &[&str]| {
            let tables = tables.iter().map(|&table| table.to_owned()).collect();
            Ok(StatementKind::Analyze { tables })
        };
        assert_eq!(kind("ANALYZE"), is(&[]));
        assert_eq!(kind("analyze verbose public.t (a), u"), is(&["t", "u"]));
        assert_eq!(kind("ANALYZE (VERBOSE, SKIP_LOCKED) t"), is(&["t"]));
        for sql in ["ANALYZE t u", "ANALYZE (QUICKLY)", "ANALYZE FULL t"] {
            assert_eq!(kind(sql), Err(SqlState::SYNTAX_ERROR), "{sql}");
        }
    }

    #[test]
    fn reindex_says_what_it_names() {
        let is = |what| Ok(StatementKind::Reindex(what));
        let t = || "t".to_owned();
        assert_eq!(kind("REINDEX"), is(Reindex::All));
        assert_eq!(kind("REINDEX t"), is(Reindex::Any(t())));
        assert_eq!(kind("REINDEX INDEX public.t"), is(Reindex::Index(t())));
        assert_eq!(kind("REINDEX (VERBOSE) TABLE t"), is(Reindex::Table(t())));
        let concurrently = "REINDEX TABLE CONCURRENTLY t";
        assert_eq!(kind(concurrently), is(Reindex::Table(t())));
        assert_eq!(kind("REINDEX SCHEMA t"), is(Reindex::Schema(t())));
        assert_eq!(kind("REINDEX DATABASE t"), is(Reindex::Database(t())));
        assert_eq!(kind("REINDEX SYSTEM"), is(Reindex::All));
        for sql in ["REINDEX TABLE", "REINDEX t u", "REINDEX (t", "REINDEX 1"] {
            let refused = Source::new(sql).is_err() || kind(sql) == Err(SqlState::SYNTAX_ERROR);
            assert!(refused, "{sql}");
        }
    }
}
