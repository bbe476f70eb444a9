//! What a `CREATE TABLE` says about the rows (<https://www.sqlite.org/lang_createtable.html>).

use crate::affinity::Affinity;
use crate::error::Error;
use crate::literal;
use crate::table::{Column, Table};
use crate::tokens::{Token, tokens};
use crate::value::Value;

/// What ends the type of a column.
const CLAUSES: [&str; 11] = [
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
];
const TABLE_CLAUSES: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/// A column, and what else its definition says.
struct Defined {
    column: Column,
    /// `PRIMARY KEY` stands at the column itself; then whether `DESC` behind it.
    key: Option<bool>,
    is_virtual: bool,
}

pub(crate) fn parse(name: &str, sql: &str) -> Result<Table, Error> {
    read(name, sql).ok_or_else(|| Error::Definition {
        table: name.to_owned(),
        what: format!("its definition can't be understood: {sql}"),
    })
}

fn read(name: &str, sql: &str) -> Option<Table> {
    let words = tokens(sql)?;
    let open = words.iter().position(|token| token.is_sign("("))?;
    let close = open + group_length(words.get(open..)?)? - 1;
    let options = words.get(close + 1..)?;
    let without_rowid = options
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.is("WITHOUT") && b.is("ROWID")));
    let strict = options.iter().any(|token| token.is("STRICT"));
    let mut columns: Vec<Defined> = Vec::new();
    let mut table_key = None;
    for item in items(words.get(open + 1..close)?) {
        let first = item.first()?;
        if TABLE_CLAUSES.iter().any(|word| first.is(word)) {
            table_key = primary_key(item).or(table_key);
        } else {
            columns.push(column(sql, item, strict)?);
        }
    }
    table(name, without_rowid, columns, table_key.as_deref())
}

/// How many words a group in parentheses has that begins here, both included.
fn group_length(words: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, word) in words.iter().enumerate() {
        if word.is_sign("(") {
            depth += 1;
        } else if word.is_sign(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index + 1);
            }
        }
    }
    None
}

/// What commas outside of parentheses divide.
fn items(words: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_i64;
    let divides = |word: &Token| {
        depth += i64::from(word.is_sign("(")) - i64::from(word.is_sign(")"));
        depth == 0 && word.is_sign(",")
    };
    words.split(divides).collect()
}

/// The names in `PRIMARY KEY (…)` of a table.
fn primary_key(item: &[Token]) -> Option<Vec<String>> {
    let at = item.iter().position(|word| word.is("PRIMARY"))?;
    let group = item.get(at + 2..)?;
    let length = group_length(group)?;
    let inner = group.get(1..length - 1)?;
    let names = items(inner).into_iter();
    names
        .map(|words| words.first().map(|word| word.text.clone()))
        .collect()
}

fn column(sql: &str, item: &[Token], strict: bool) -> Option<Defined> {
    let (name, rest) = item.split_first()?;
    if !name.is_name() {
        return None;
    }
    let is_clause = |word: &Token| CLAUSES.iter().any(|clause| word.is(clause));
    let type_length = rest.iter().position(is_clause).unwrap_or(rest.len());
    let (type_words, clauses) = rest.split_at_checked(type_length)?;
    let declared_type = match (type_words.first(), type_words.last()) {
        (Some(first), Some(last)) => sql.get(first.at.start..last.at.end)?,
        _ => "",
    };
    let affinity = Affinity::of(declared_type, strict);
    let mut defined = Defined {
        column: Column {
            name: name.text.clone(),
            declared_type: declared_type.to_owned(),
            in_key: false,
            generated: false,
            affinity,
            default: Some(Value::Null),
        },
        key: None,
        is_virtual: false,
    };
    read_clauses(&mut defined, clauses)?;
    Some(defined)
}

fn read_clauses(defined: &mut Defined, clauses: &[Token]) -> Option<()> {
    let mut at = 0;
    while let Some(word) = clauses.get(at) {
        let next = clauses.get(at + 1);
        if word.is("PRIMARY") {
            let descending = clauses.get(at + 2).is_some_and(|word| word.is("DESC"));
            defined.key = Some(descending);
        } else if word.is("SET") {
            // ON DELETE SET DEFAULT is no default.
            at += 1;
        } else if word.is("DEFAULT") {
            let length = default_length(clauses.get(at + 1..)?)?;
            let value = literal::value(clauses.get(at + 1..=at + length)?);
            let affinity = defined.column.affinity;
            defined.column.default = value.map(|value| affinity.apply(value));
            at += length;
        } else if word.is("AS") && next.is_some_and(|word| word.is_sign("(")) {
            let length = group_length(clauses.get(at + 1..)?)?;
            let behind = clauses.get(at + 1 + length);
            defined.column.generated = true;
            defined.is_virtual = !behind.is_some_and(|word| word.is("STORED"));
            at += length;
        } else if word.is_sign("(") {
            at += group_length(clauses.get(at..)?)? - 1;
        }
        at += 1;
    }
    Some(())
}

/// How many words a default has: a group, or a word with signs before it.
fn default_length(words: &[Token]) -> Option<usize> {
    let is_sign = |word: &&Token| word.is_sign("+") || word.is_sign("-");
    let signs = words.iter().take_while(is_sign).count();
    let rest = words.get(signs..)?;
    let first = rest.first()?;
    let length = if first.is_sign("(") {
        group_length(rest)?
    } else {
        1
    };
    Some(signs + length)
}

fn table(
    name: &str,
    without_rowid: bool,
    defined: Vec<Defined>,
    table_key: Option<&[String]>,
) -> Option<Table> {
    let position = |name: &String| {
        let named = |column: &Defined| column.column.name.eq_ignore_ascii_case(name);
        defined.iter().position(named)
    };
    let own_key = defined.iter().position(|column| column.key.is_some());
    let mut key: Vec<usize> = Vec::new();
    match (table_key, own_key) {
        (Some(names), _) => {
            for name in names {
                let index = position(name)?;
                // SQLite leaves out a column that comes again.
                if !key.contains(&index) {
                    key.push(index);
                }
            }
        }
        (None, Some(index)) => key.push(index),
        (None, None) => {}
    }
    let rowid_column = match key.as_slice() {
        [one] if !without_rowid => defined.get(*one).and_then(|column| {
            let integer = column.column.declared_type.eq_ignore_ascii_case("INTEGER");
            // INTEGER PRIMARY KEY DESC at the column is no rowid (section "ROWIDs and the INTEGER PRIMARY KEY").
            let descending = table_key.is_none() && column.key == Some(true);
            (integer && !descending).then_some(*one)
        }),
        _ => None,
    };
    let key_length = if without_rowid { key.len() } else { 0 };
    if without_rowid && key.is_empty() {
        return None;
    }
    // A record has no virtual columns; those of a table WITHOUT ROWID begin with the key.
    let is_stored = |index: &usize| defined.get(*index).is_some_and(|c| !c.is_virtual);
    let mut stored: Vec<usize> = (0..defined.len()).filter(is_stored).collect();
    if without_rowid {
        stored.retain(|index| !key.contains(index));
        stored.splice(0..0, key.iter().copied());
    }
    let layout = Layout {
        key,
        stored,
        key_length,
        rowid_column,
        without_rowid,
    };
    Some(shown(name, defined, &layout))
}

/// Indexes of all columns, virtual ones among them.
struct Layout {
    key: Vec<usize>,
    stored: Vec<usize>,
    key_length: usize,
    rowid_column: Option<usize>,
    without_rowid: bool,
}

/// The table without its virtual columns.
fn shown(name: &str, defined: Vec<Defined>, layout: &Layout) -> Table {
    let mut places = Vec::with_capacity(defined.len());
    let mut columns = Vec::with_capacity(defined.len());
    for (index, defined) in defined.into_iter().enumerate() {
        places.push(columns.len());
        if !defined.is_virtual {
            columns.push(Column {
                in_key: layout.key.contains(&index),
                ..defined.column
            });
        }
    }
    let place = |index: &usize| places.get(*index).copied().unwrap_or_default();
    Table {
        name: name.to_owned(),
        columns,
        without_rowid: layout.without_rowid,
        rowid_column: layout.rowid_column.as_ref().map(place),
        stored: layout.stored.iter().map(place).collect(),
        key_length: layout.key_length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(table: &Table, indexes: &[usize]) -> Vec<String> {
        let name = |index: &usize| table.columns[*index].name.clone();
        indexes.iter().map(name).collect()
    }

    #[test]
    fn the_rowid_has_a_column_by_sqlites_rules() {
        let cases = [
            ("id INTEGER PRIMARY KEY, b", true),
            ("id integer primary key autoincrement", true),
            ("id INTEGER CONSTRAINT k PRIMARY KEY ASC NOT NULL", true),
            ("id INTEGER PRIMARY KEY DESC", false),
            ("id INTEGER, b, PRIMARY KEY (id DESC)", true),
            ("id INTEGER, b, CONSTRAINT k PRIMARY KEY (\"ID\")", true),
            ("id INT PRIMARY KEY", false),
            ("id INTEGER, b, PRIMARY KEY (id, b)", false),
            ("id INTEGER", false),
        ];
        for (columns, expected) in cases {
            let table = parse("t", &format!("CREATE TABLE t ({columns})")).unwrap();
            assert_eq!(table.rowid_column.is_some(), expected, "{columns}");
        }
        let without = parse("t", "CREATE TABLE t (id INTEGER PRIMARY KEY) WITHOUT ROWID").unwrap();
        assert_eq!(without.rowid_column, None);
    }

    #[test]
    fn records_begin_with_the_key_and_have_no_virtual_columns() {
        let sql =
            "CREATE TABLE \"t t\" (a TEXT, v INT GENERATED ALWAYS AS (length(a)), b, c DEFAULT (1),
            s AS (c + 1) STORED, PRIMARY KEY (c, b COLLATE NOCASE DESC, c)) STRICT, WITHOUT ROWID";
        let table = parse("t t", sql).unwrap();
        let all: Vec<usize> = (0..table.columns.len()).collect();
        assert_eq!(names(&table, &all), ["a", "b", "c", "s"]);
        assert_eq!(names(&table, &table.stored), ["c", "b", "a", "s"]);
        assert_eq!(table.key_length, 2);
        assert!(table.columns[3].generated);
    }

    #[test]
    fn a_default_is_found_among_other_clauses() {
        let sql = "CREATE TABLE t (a NUMERIC(10, 2) NOT NULL DEFAULT '1.50' CHECK (a > 0),
            b REFERENCES u (x) ON DELETE SET DEFAULT ON UPDATE SET NULL, c TEXT DEFAULT -5, d REAL DEFAULT +1,
            e DEFAULT (random()))";
        let table = parse("t", sql).unwrap();
        assert_eq!(table.columns[0].declared_type, "NUMERIC(10, 2)");
        let defaults: Vec<_> = table.columns.iter().map(|c| c.default.clone()).collect();
        let expected = [
            Some(Value::Real(1.5)),
            Some(Value::Null),
            Some(Value::Text(b"-5".to_vec())),
            Some(Value::Real(1.0)),
            None,
        ];
        assert_eq!(defaults, expected);
    }

    #[test]
    fn what_is_no_definition_is_an_error() {
        for sql in [
            "",
            "CREATE TABLE t",
            "CREATE TABLE t (a",
            "CREATE TABLE t (a) WITHOUT ROWID",
        ] {
            assert!(parse("t", sql).is_err(), "{sql}");
        }
    }
}
