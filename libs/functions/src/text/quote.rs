//! Names and texts as they stand in SQL.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, text, value, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_quote_ident", 1, |a| written(identifier(text(a, 0)?))),
    Scalar::pure("pg_quote_literal", 1, |a| written(literal(text(a, 0)?))),
    Scalar::pure("pg_quote_nullable", 1, nullable).loose(),
];

/// Words that are not names without quotes everywhere.
const KEYWORDS: &str = "\
all analyse analyze and any array as asc asymmetric authorization between bigint binary \
bit boolean both case cast char character check coalesce collate collation column \
concurrently constraint create cross current_catalog current_date current_role \
current_schema current_time current_timestamp current_user dec decimal default \
deferrable desc distinct do else end except exists extract false fetch float for \
foreign freeze from full grant greatest group grouping having ilike in initially inner \
inout int integer intersect interval into is isnull join lateral leading least left \
like limit localtime localtimestamp national natural nchar none normalize not notnull \
null nullif numeric offset on only or order out outer overlaps overlay placing position \
precision primary real references returning right row select session_user setof similar \
smallint some substring symmetric table tablesample then time timestamp to trailing \
treat trim true union unique user using values varchar variadic verbose when where \
window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces \
xmlparse xmlpi xmlroot xmlserialize xmltable";

/// A name, in quotes where it needs them.
pub fn identifier(name: &str) -> String {
    let plain = name
        .bytes()
        .enumerate()
        .all(|(at, c)| c.is_ascii_lowercase() || c == b'_' || (at > 0 && c.is_ascii_digit()));
    if plain && !name.is_empty() && !KEYWORDS.split(' ').any(|word| word == name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in quotes; with backslashes in it, as an escape string.
pub(crate) fn literal(text: &str) -> String {
    let prefix = if text.contains('\\') { "E" } else { "" };
    let body = text.replace('\\', "\\\\").replace('\'', "''");
    format!("{prefix}'{body}'")
}

fn nullable(arguments: &[SqlValueRef<'_>]) -> Answer {
    if value(arguments, 0).is_null() {
        return written("NULL");
    }
    written(literal(text(arguments, 0)?))
}
