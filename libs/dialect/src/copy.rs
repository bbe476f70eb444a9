//! COPY: old and new option syntax.

use acl::Privileges;
use pgtypes::{PgType, SqlState};

use crate::access::Access;
use crate::copy_query;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::{ColumnInfo, SchemaView};
use crate::source::Source;
use crate::statement::{
    ColumnSet, CommandTag, CopyFormat, CopyHeader, CopyOptions, Statement, StatementKind,
};
use crate::translator::Translator;
use crate::user_type::shown_place;

/// Options before the defaults of the format are known.
#[derive(Default)]
pub(crate) struct Given {
    format: Option<CopyFormat>,
    delimiter: Option<u8>,
    null: Option<String>,
    header: Option<CopyHeader>,
    quote: Option<u8>,
    escape: Option<u8>,
    force_quote: ColumnSet,
    force_not_null: ColumnSet,
    force_null: ColumnSet,
    freeze: bool,
}

/// COPY table [(columns)] | (query) FROM STDIN | TO STDOUT [[WITH] options]
pub(crate) fn copy(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let start = 1 + usize::from(src.is(1, "BINARY"));
    let mut given = Given::default();
    if start == 2 {
        given.format = Some(CopyFormat::Binary);
    }
    if src.sign(start, "(") {
        return copy_query::of_query(&translator, start, given);
    }
    if let Some(statement) = copy_query::of_catalog(&translator, start, &mut given)? {
        return Ok(statement);
    }
    let (table, mut at) = translator.table_name(start, src.len())?;
    let mut columns = Vec::new();
    if src.sign(at, "(") {
        let close = src.partner(at);
        columns = translator.names(at + 1, close)?;
        at = close + 1;
    }
    let input = src.is(at, "FROM");
    if !input && !src.is(at, "TO") {
        return Err(src.syntax(at));
    }
    standard_stream(src, at + 1, if input { "STDIN" } else { "STDOUT" })?;
    let end = read_options(src, at + 2, &mut given)?;
    if src.is(end, "WHERE") {
        return Err(src.unsupported(end, "COPY FROM … WHERE"));
    }
    crate::session::end_at(src, end)?;
    let known = schema.columns(&table);
    known_columns(src, start, &table, &columns, known.as_deref())?;
    let options = complete(src, given)?;
    if input {
        let tables = vec![table.clone()];
        let access = access(schema, Privileges::INSERT, &table);
        let kind = StatementKind::CopyIn {
            table,
            columns,
            options,
        };
        return Ok(Statement {
            writes: true,
            tables,
            access,
            tag: CommandTag::Copy,
            ..Statement::session(kind, "")
        });
    }
    let types = known.as_ref().map(|known| column_types(known, &columns));
    let labelled = |ty: &Option<PgType>| matches!(ty, Some(PgType::Enum(_)));
    if let Some(known) = known.filter(|_| columns.is_empty())
        && types.iter().flatten().any(labelled)
    {
        columns = known.into_iter().map(|column| column.name).collect();
    }
    let list = listed(&columns, types.as_deref().unwrap_or_default());
    Ok(Statement {
        sqlite: vec![format!("SELECT {list} FROM {}", quote_name(&table))],
        columns: types.unwrap_or_default(),
        access: access(schema, Privileges::SELECT, &table),
        tag: CommandTag::Copy,
        ..Statement::session(StatementKind::CopyOut { options }, "")
    })
}

/// The columns as a client sees them; all where none is named.
fn listed(columns: &[String], types: &[Option<PgType>]) -> String {
    if columns.is_empty() {
        return "*".to_owned();
    }
    let shown = columns.iter().enumerate().map(|(at, column)| {
        let name = quote_name(column);
        match types.get(at).copied().flatten() {
            Some(ty) => shown_place(&ty, &name),
            None => name,
        }
    });
    shown.collect::<Vec<_>>().join(",")
}

/// The session's own tables are nobody else's.
fn access(schema: &dyn SchemaView, privileges: Privileges, table: &str) -> Vec<Access> {
    if schema.is_temporary(table) {
        return Vec::new();
    }
    vec![Access::to(privileges, table)]
}

/// Every named column must be one of the table, if the table is known.
fn known_columns(
    src: &Source<'_>,
    at: usize,
    table: &str,
    columns: &[String],
    known: Option<&[ColumnInfo]>,
) -> Result<(), DialectError> {
    let Some(known) = known else { return Ok(()) };
    for column in columns {
        if !known
            .iter()
            .any(|info| info.name.eq_ignore_ascii_case(column))
        {
            let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
            return Err(src.error(at, SqlState::UNDEFINED_COLUMN, message));
        }
    }
    Ok(())
}

/// The types of the named columns, or of all.
fn column_types(known: &[ColumnInfo], columns: &[String]) -> Vec<Option<PgType>> {
    if columns.is_empty() {
        return known.iter().map(|info| info.type_name).collect();
    }
    let find = |name: &String| {
        let found = known
            .iter()
            .find(|info| info.name.eq_ignore_ascii_case(name));
        found.and_then(|info| info.type_name)
    };
    columns.iter().map(find).collect()
}

/// STDIN and STDOUT are interchangeable, as in PostgreSQL; anything else is a file of the server.
pub(crate) fn standard_stream(
    src: &Source<'_>,
    at: usize,
    stream: &str,
) -> Result<(), DialectError> {
    if src.is_any(at, &["STDIN", "STDOUT"]) {
        return Ok(());
    }
    if src.is(at, "PROGRAM") || src.string(at)?.is_some() {
        let message = "COPY to or from a file or program of the server is not allowed";
        return Err(src
            .error(at, SqlState::INSUFFICIENT_PRIVILEGE, message)
            .hint(format!("COPY … {stream} works for everyone; psql's \\copy reads and writes files of the client.")));
    }
    Err(src.syntax(at))
}

/// Options in either syntax; gives the token after them.
pub(crate) fn read_options(
    src: &Source<'_>,
    at: usize,
    given: &mut Given,
) -> Result<usize, DialectError> {
    let mut at = at + usize::from(src.is(at, "WITH"));
    if src.sign(at, "(") {
        let close = src.partner(at);
        at += 1;
        while at < close {
            at = new_option(src, at, close, given)?;
            if at < close && !src.sign(at, ",") {
                return Err(src.syntax(at));
            }
            at += 1;
        }
        return Ok(close + 1);
    }
    while at < src.len() && !src.is(at, "WHERE") {
        at = old_option(src, at, given)?;
    }
    Ok(at)
}

/// `name value` of the list in parentheses.
fn new_option(
    src: &Source<'_>,
    at: usize,
    close: usize,
    given: &mut Given,
) -> Result<usize, DialectError> {
    let name = src.text(at).to_ascii_lowercase();
    let text = || -> Result<String, DialectError> {
        let value = src.string(at + 1)?;
        value
            .or_else(|| src.name(at + 1))
            .ok_or_else(|| src.syntax(at + 1))
    };
    let bare = at + 1 == close || src.sign(at + 1, ",");
    match name.as_str() {
        "format" => given.format = Some(format_name(src, at + 1, &text()?)?),
        "delimiter" => given.delimiter = Some(one_byte(src, at, "delimiter", &text()?)?),
        "null" => given.null = Some(text()?),
        "quote" => given.quote = Some(one_byte(src, at, "quote", &text()?)?),
        "escape" => given.escape = Some(one_byte(src, at, "escape", &text()?)?),
        "encoding" => encoding(src, at + 1, &text()?)?,
        "header" => {
            let value = if bare {
                "true".to_owned()
            } else {
                text().unwrap_or_else(|_| src.text(at + 1).to_owned())
            };
            given.header = Some(match value.to_ascii_lowercase().as_str() {
                "match" => CopyHeader::Match,
                "false" | "off" | "0" => CopyHeader::No,
                "true" | "on" | "1" => CopyHeader::Yes,
                _ => {
                    return Err(src.error(
                        at + 1,
                        SqlState::INVALID_PARAMETER_VALUE,
                        "header requires a Boolean value or \"match\"",
                    ));
                }
            });
        }
        "freeze" => {
            given.freeze =
                bare || !matches!(text()?.to_ascii_lowercase().as_str(), "false" | "off");
        }
        "force_quote" | "force_not_null" | "force_null" => {
            let (set, to) = column_set(src, at + 1)?;
            match name.as_str() {
                "force_quote" => given.force_quote = set,
                "force_null" => given.force_null = set,
                _ => given.force_not_null = set,
            }
            return Ok(to);
        }
        _ => {
            return Err(src.error(
                at,
                SqlState::SYNTAX_ERROR,
                format!("option \"{name}\" not recognized"),
            ));
        }
    }
    Ok(at
        + if bare && matches!(name.as_str(), "header" | "freeze") {
            1
        } else {
            2
        })
}

/// `*` or `(a, b)`
fn column_set(src: &Source<'_>, at: usize) -> Result<(ColumnSet, usize), DialectError> {
    if src.sign(at, "*") {
        return Ok((ColumnSet::All, at + 1));
    }
    if !src.sign(at, "(") {
        return Err(src.syntax(at));
    }
    let close = src.partner(at);
    let names = (at + 1..close)
        .filter_map(|token| src.name(token))
        .collect();
    Ok((ColumnSet::Some(names), close + 1))
}

/// Options as words: BINARY, CSV, HEADER, DELIMITER [AS] 'x', NULL [AS] 'x', FORCE QUOTE a, b …
fn old_option(src: &Source<'_>, at: usize, given: &mut Given) -> Result<usize, DialectError> {
    let value_at = at + 1 + usize::from(src.is(at + 1, "AS"));
    let text = || -> Result<String, DialectError> {
        src.string(value_at)?.ok_or_else(|| src.syntax(value_at))
    };
    match src.text(at).to_ascii_lowercase().as_str() {
        "csv" => given.format = Some(CopyFormat::Csv),
        "binary" => given.format = Some(CopyFormat::Binary),
        "header" => given.header = Some(CopyHeader::Yes),
        "freeze" => given.freeze = true,
        "oids" => return Err(src.unsupported(at, "OIDS")),
        word @ ("delimiter" | "delimiters" | "null" | "quote" | "escape" | "encoding") => {
            let text = text()?;
            match word {
                "null" => given.null = Some(text),
                "quote" => given.quote = Some(one_byte(src, value_at, word, &text)?),
                "escape" => given.escape = Some(one_byte(src, value_at, word, &text)?),
                "encoding" => encoding(src, value_at, &text)?,
                _ => given.delimiter = Some(one_byte(src, value_at, "delimiter", &text)?),
            }
            return Ok(value_at + 1);
        }
        "force" => return old_force(src, at, given),
        _ => return Err(src.syntax(at)),
    }
    Ok(at + 1)
}

fn old_force(src: &Source<'_>, at: usize, given: &mut Given) -> Result<usize, DialectError> {
    let (words, which) = if src.is(at + 1, "QUOTE") {
        (2, 0)
    } else if src.are(at + 1, &["NOT", "NULL"]) {
        (3, 1)
    } else if src.is(at + 1, "NULL") {
        (2, 2)
    } else {
        return Err(src.syntax(at + 1));
    };
    let mut to = at + words;
    let set = if src.sign(to, "*") {
        to += 1;
        ColumnSet::All
    } else {
        let mut names = vec![src.name(to).ok_or_else(|| src.syntax(to))?];
        to += 1;
        while src.sign(to, ",") {
            names.push(src.name(to + 1).ok_or_else(|| src.syntax(to + 1))?);
            to += 2;
        }
        ColumnSet::Some(names)
    };
    match which {
        0 => given.force_quote = set,
        1 => given.force_not_null = set,
        _ => given.force_null = set,
    }
    Ok(to)
}

fn format_name(src: &Source<'_>, at: usize, text: &str) -> Result<CopyFormat, DialectError> {
    match text.to_ascii_lowercase().as_str() {
        "text" => Ok(CopyFormat::Text),
        "csv" => Ok(CopyFormat::Csv),
        "binary" => Ok(CopyFormat::Binary),
        _ => Err(src.error(
            at,
            SqlState::INVALID_PARAMETER_VALUE,
            format!("COPY format \"{text}\" not recognized"),
        )),
    }
}

fn one_byte(src: &Source<'_>, at: usize, option: &str, text: &str) -> Result<u8, DialectError> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ => Err(src.error(
            at,
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("COPY {option} must be a single one-byte character"),
        )),
    }
}

fn encoding(src: &Source<'_>, at: usize, text: &str) -> Result<(), DialectError> {
    if matches!(
        text.to_ascii_lowercase().as_str(),
        "utf8" | "utf-8" | "unicode" | "sql_ascii"
    ) {
        return Ok(());
    }
    Err(src.unsupported(at, &format!("COPY with encoding \"{text}\"")))
}

/// Defaults of the format, and what contradicts it.
pub(crate) fn complete(src: &Source<'_>, given: Given) -> Result<CopyOptions, DialectError> {
    let format = given.format.unwrap_or(CopyFormat::Text);
    let csv = format == CopyFormat::Csv;
    let refuse = |what: &str| {
        Err(DialectError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("COPY {what} available only in CSV mode"),
        )
        .at(src.sql, 0))
    };
    if !csv && given.quote.is_some() {
        return refuse("quote");
    }
    if !csv && given.escape.is_some() {
        return refuse("escape");
    }
    if !csv && given.force_quote != ColumnSet::None {
        return refuse("force quote");
    }
    let quote = given.quote.unwrap_or(b'"');
    let delimiter = given.delimiter.unwrap_or(if csv { b',' } else { b'\t' });
    if csv && delimiter == quote {
        return Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "COPY delimiter and quote must be different",
        ));
    }
    Ok(CopyOptions {
        format,
        delimiter,
        null: given
            .null
            .unwrap_or_else(|| if csv { String::new() } else { "\\N".to_owned() }),
        header: given.header.unwrap_or(CopyHeader::No),
        quote,
        escape: given.escape.unwrap_or(quote),
        force_quote: given.force_quote,
        force_not_null: given.force_not_null,
        force_null: given.force_null,
        freeze: given.freeze,
    })
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use crate::{ColumnSet, CopyFormat, CopyHeader, NoSchema, StatementKind, analyze};

    fn options(sql: &str) -> crate::CopyOptions {
        match analyze(sql, &NoSchema).unwrap().kind {
            StatementKind::CopyIn { options, .. } | StatementKind::CopyOut { options } => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_option_syntaxes_mean_the_same() {
        let new = options(
            "COPY t FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';', NULL 'x', FORCE_NULL (a, b))",
        );
        let old =
            options("COPY t FROM STDIN WITH CSV HEADER DELIMITER AS ';' NULL 'x' FORCE NULL a, b");
        assert_eq!(new, old);
        assert_eq!(new.format, CopyFormat::Csv);
        assert_eq!(new.header, CopyHeader::Yes);
        assert_eq!(
            new.force_null,
            ColumnSet::Some(vec!["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn text_defaults_are_postgresqls() {
        let options = options("COPY public.t (a,b) FROM stdin");
        assert_eq!((options.delimiter, options.null.as_str()), (b'\t', "\\N"));
    }

    #[test]
    fn a_servers_file_is_out_of_reach() {
        for sql in ["COPY t FROM '/etc/passwd'", "COPY t TO PROGRAM 'sh'"] {
            let error = analyze(sql, &NoSchema).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INSUFFICIENT_PRIVILEGE);
            assert!(error.hint.unwrap().contains("\\copy"));
        }
    }

    #[test]
    fn a_query_can_be_copied_out() {
        let statement = analyze("COPY (SELECT 1::text) TO STDOUT (FORMAT csv)", &NoSchema).unwrap();
        assert_eq!(statement.sqlite, ["SELECT CAST(1 AS TEXT) AS \"text\""]);
    }
}
