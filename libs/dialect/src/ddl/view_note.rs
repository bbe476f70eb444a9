//! What SQLite's text of a view can't say: the types of its columns, what it reads, and its query as the client wrote
//! it. They are lines of a comment before the query that SQLite runs.

use crate::analysis::tree::Output;
use crate::catalog::{Type, TypeId};
use crate::table_info::TableColumn;

const BEGIN: &str = "/*eloqdb view";
const END: &str = "*/";

/// The comment of a view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewNote {
    /// The types of its columns.
    pub columns: Vec<String>,
    /// What its query reads; nothing where an older server made the view.
    pub reads: Vec<ViewRead>,
    /// As the client wrote it.
    pub query: String,
}

/// A relation that the query of a view reads: its names when the query was written, and its names now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRead {
    /// It is the session's own.
    pub temporary: bool,
    /// As the query calls it.
    pub written: String,
    /// As it is called now.
    pub name: String,
    /// All columns that it had: as they were called, and as they are called now.
    pub columns: Vec<[String; 2]>,
}

impl From<&TableColumn> for Output {
    fn from(column: &TableColumn) -> Self {
        Self {
            name: column.name.clone(),
            ty: column.type_name.map_or(Type::new(TypeId::TEXT), Type::from),
        }
    }
}

/// The comment.
pub(crate) fn write(columns: &[Output], reads: &[ViewRead], query: &str) -> String {
    let mut note = String::from(BEGIN);
    for column in columns {
        note.push_str("\ncolumn ");
        // The name of a user's type says nothing without its database.
        let own = column.ty.pg_type().filter(|_| column.ty.id.is_enum());
        note.push_str(&own.map_or_else(|| column.ty.to_string(), |ty| ty.declaration()));
    }
    for read in reads {
        note.push_str(if read.temporary {
            "\nreads temp"
        } else {
            "\nreads main"
        });
        let names = [&read.written, &read.name].into_iter();
        for name in names.chain(read.columns.iter().flatten()) {
            note.push(' ');
            note.push_str(&word(name));
        }
    }
    note.push_str("\nquery ");
    // A comment of the client's own must not end this one.
    note.push_str(&query.replace("*/", "*\\/"));
    note.push_str(END);
    note
}

/// What the comment in a view's text says; `None` if it has no such comment.
pub fn read(sql: &str) -> Option<ViewNote> {
    let note = sql.get(sql.find(BEGIN)? + BEGIN.len()..)?;
    let note = note.get(..note.find(END)?)?;
    let (lines, query) = note.split_once("\nquery ")?;
    let columns = lines
        .lines()
        .filter_map(|line| line.strip_prefix("column "))
        .map(str::to_owned)
        .collect();
    let reads = lines
        .lines()
        .filter_map(|line| line.strip_prefix("reads "))
        .filter_map(read_of)
        .collect();
    Some(ViewNote {
        columns,
        reads,
        query: query.replace("*\\/", "*/"),
    })
}

fn read_of(line: &str) -> Option<ViewRead> {
    let mut words = line.split(' ');
    let temporary = words.next()? == "temp";
    let mut names = words.map(name);
    let (written, current) = (names.next()??, names.next()??);
    let mut columns = Vec::new();
    while let Some(column) = names.next() {
        columns.push([column?, names.next()??]);
    }
    Some(ViewRead {
        temporary,
        written,
        name: current,
        columns,
    })
}

/// A name as one word, of letters that end no comment.
fn word(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            word.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15];
            let digits = digits.map(|digit| char::from_digit(digit.into(), 16));
            word.push('%');
            word.extend(digits.into_iter().flatten());
        }
    }
    word
}

fn name(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_view_reads_comes_back_whatever_its_names_are() {
        let reads = [ViewRead {
            temporary: true,
            written: "a b*/%\n\"".to_owned(),
            name: "ü".to_owned(),
            columns: vec![["x".to_owned(), "y z".to_owned()]],
        }];
        let text = write(&[], &reads, "select 1 /* c */");
        let note = read(&format!("CREATE VIEW v AS {text} SELECT 1")).unwrap();
        assert_eq!(note.reads, reads);
        assert_eq!(note.query, "select 1 /* c */");
    }

    #[test]
    fn a_view_of_an_older_server_tells_no_relations() {
        let note =
            read("CREATE VIEW v AS /*eloqdb view\ncolumn integer\nquery select 1*/ SELECT 1");
        let note = note.unwrap();
        assert_eq!(note.columns, ["integer"]);
        assert!(note.reads.is_empty());
    }
}
