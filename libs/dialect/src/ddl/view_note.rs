//! What SQLite's text of a view can't say: the types of its columns, and its query as the client wrote it. Both are
//! lines of a comment before the query that SQLite runs.

use crate::analysis::tree::Output;

const BEGIN: &str = "/*eloqdb view";
const END: &str = "*/";

/// The comment.
pub(crate) fn write(columns: &[Output], query: &str) -> String {
    let mut note = String::from(BEGIN);
    for column in columns {
        note.push_str("\ncolumn ");
        note.push_str(&column.ty.to_string());
    }
    note.push_str("\nquery ");
    // A comment of the client's own must not end this one.
    note.push_str(&query.replace("*/", "*\\/"));
    note.push_str(END);
    note
}

/// The types of the columns, and the query, of a view's text; `None` if it has no such comment.
pub fn read(sql: &str) -> Option<(Vec<String>, String)> {
    let note = sql.get(sql.find(BEGIN)? + BEGIN.len()..)?;
    let note = note.get(..note.find(END)?)?;
    let (columns, query) = note.split_once("\nquery ")?;
    let columns = columns
        .lines()
        .filter_map(|line| line.strip_prefix("column "))
        .map(str::to_owned)
        .collect();
    Some((columns, query.replace("*\\/", "*/")))
}
