//! Changes that SQLite's ALTER TABLE does not know: an edited CREATE TABLE text, put in place or rebuilt from.

use crate::ddl::definition;
use crate::ddl::layout::{self, Layout, Piece};
use crate::ddl::place::quoted;
use crate::error::DialectError;
use crate::literal::{quote, quote_name};
use crate::schema::SchemaView;
use crate::source::{Edits, Source};
use crate::statement::{Check, Needs, Statement};
use crate::table_info::parse_create_table;

/// What the edits to a table's text ask for.
#[derive(Default)]
pub(crate) struct Change {
    /// Splices of the CREATE TABLE text.
    pub(crate) edits: Edits,
    /// What is stored changes: the table must be made anew.
    pub(crate) rebuild: bool,
    pub(crate) checks: Vec<Check>,
    /// A column has another type.
    pub(crate) retyped: bool,
    /// Statements that run before.
    pub(crate) first: Vec<String>,
    /// Statements that run afterwards, of a rebuild.
    pub(crate) after: Vec<String>,
    /// Columns that go, and with them the indexes over them.
    pub(crate) without: Vec<String>,
    /// Expressions that convert columns: name, SQLite text.
    pub(crate) conversions: Vec<(String, String)>,
}

/// A table's present definition.
pub(crate) struct Present<'a> {
    pub(crate) src: &'a Source<'a>,
    pub(crate) layout: Layout,
}

impl Present<'_> {
    /// The tokens of a column.
    pub(crate) fn column(&self, name: &str) -> Option<(usize, usize)> {
        self.layout.pieces.iter().find_map(|piece| match *piece {
            Piece::Column { at, end }
                if self
                    .src
                    .name(at)
                    .is_some_and(|column| column.eq_ignore_ascii_case(name)) =>
            {
                Some((at, end))
            }
            _ => None,
        })
    }

    /// The token after a column's type.
    pub(crate) fn type_end(&self, (at, end): (usize, usize)) -> usize {
        layout::type_end(self.src, at + 1, end)
    }

    /// The tokens of a column's clause with this keyword.
    pub(crate) fn clause(&self, column: (usize, usize), keyword: &str) -> Option<(usize, usize)> {
        let mut next = self.type_end(column);
        while next < column.1 {
            let clause = layout::clause(self.src, next, column.1);
            let end = clause.end.max(next + 1);
            if clause.keyword == keyword {
                return Some((next, end));
            }
            next = end;
        }
        None
    }

    /// Adds a table constraint at the end of the list.
    pub(crate) fn append(&self, edits: &mut Edits, text: &str) {
        edits.after(
            self.src.end_before(self.layout.close),
            format!(",\n    {text}"),
        );
    }

    /// Replaces the text from token `from` to token `to`, comments between included.
    pub(crate) fn replace(&self, edits: &mut Edits, from: usize, to: usize, text: &str) {
        edits.replace(self.src.start(from)..self.src.end_before(to), text);
    }

    /// Removes an item of the list with one of its commas.
    pub(crate) fn remove_piece(&self, edits: &mut Edits, at: usize, end: usize) {
        if self.src.sign(at - 1, ",") {
            edits.replace(self.src.start(at - 1)..self.src.end_before(end), "");
        } else {
            let to = if self.src.sign(end, ",") {
                end + 1
            } else {
                end
            };
            edits.replace(self.src.start(at)..self.src.end_before(to), "");
        }
    }
}

/// The statement that brings a changed definition into force.
pub(crate) fn apply(
    present: &Present<'_>,
    place: &'static str,
    change: Change,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let sql = present.src.sql;
    let text = change.edits.render(sql, 0..sql.len());
    let table = present.layout.name.clone();
    if let Some(info) = parse_create_table(&text) {
        definition::check(&info, place == "temp", schema)?;
        if change.retyped {
            definition::check_referrers(&info, schema)?;
        }
    }
    if !change.rebuild {
        let needs = Needs::SchemaEdit {
            place,
            table,
            sql: text,
            checks: change.checks,
        };
        return Ok(Statement {
            needs: Some(needs),
            ..Statement::ddl("ALTER TABLE", change.first)
        });
    }
    let again: Vec<String> = schema
        .dependents_in(place, &table)
        .into_iter()
        .filter(|sql| !change.without.iter().any(|column| names(sql, column)))
        .map(|sql| placed(&sql, place))
        .collect();
    let mut sqlite = change.first;
    sqlite.extend(new_table(&text, (place, &table), &change.conversions));
    for dependent in schema.dependents_in(place, &table) {
        sqlite.extend(drop_dependent(&dependent, place));
    }
    let mut after = vec![format!(
        "DROP TABLE {}",
        quoted(place, &format!("{}{table}", Needs::OLD))
    )];
    after.extend(again);
    after.extend(change.after);
    let needs = Needs::SchemaRebuild {
        swap: swap((place, &table), sql, &text),
        after,
        table,
        checks: change.checks,
    };
    Ok(Statement {
        needs: Some(needs),
        ..Statement::ddl("ALTER TABLE", sqlite)
    })
}

/// Whether the text of an index or trigger names a column.
fn names(sql: &str, column: &str) -> bool {
    let Ok(src) = Source::new(sql) else {
        return false;
    };
    let on = (0..src.len()).find(|at| src.is(*at, "ON")).unwrap_or(0);
    src.is_any(1, &["INDEX", "UNIQUE"])
        && (on + 2..src.len()).any(|at| {
            src.name(at)
                .is_some_and(|name| name.eq_ignore_ascii_case(column))
        })
}

/// The place of the name in `CREATE [UNIQUE] INDEX name ON …` and `CREATE TRIGGER name …`.
fn name_at(src: &Source<'_>) -> usize {
    1 + usize::from(src.is(1, "UNIQUE")) + 1
}

/// The text of an index or trigger with its schema.
fn placed(sql: &str, place: &str) -> String {
    if place == "main" {
        return sql.to_owned();
    }
    let Ok(src) = Source::new(sql) else {
        return sql.to_owned();
    };
    let mut edits = Edits::default();
    edits.before(src.start(name_at(&src)), format!("{place}."));
    edits.render(sql, 0..sql.len())
}

fn drop_dependent(sql: &str, place: &str) -> Option<String> {
    let src = Source::new(sql).ok()?;
    let at = name_at(&src);
    let name = src.name(at)?;
    let kind = src.text(at - 1).to_ascii_uppercase();
    Some(format!("DROP {kind} {}", quoted(place, &name)))
}

/// A new table under another name, and the rows.
fn new_table(
    text: &str,
    (place, table): (&str, &str),
    conversions: &[(String, String)],
) -> Vec<String> {
    let name = format!("{}{table}", Needs::NEW);
    let (new, old) = (quoted(place, &name), quoted(place, table));
    let columns = parse_create_table(text)
        .map(|info| info.columns)
        .unwrap_or_default();
    let stored: Vec<_> = columns.iter().filter(|column| !column.computed).collect();
    let names: Vec<String> = stored
        .iter()
        .map(|column| quote_name(&column.name))
        .collect();
    let values: Vec<String> = stored
        .iter()
        .map(|column| {
            let found = conversions
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&column.name));
            found.map_or_else(
                || quote_name(&column.name),
                |(_, conversion)| conversion.clone(),
            )
        })
        .collect();
    vec![
        renamed(text, &new),
        format!(
            "INSERT INTO {new} ({}) SELECT {} FROM {old}",
            names.join(", "),
            values.join(", ")
        ),
    ]
}

/// The changes of `sqlite_schema` that give the new table the old one's name. What refers to the table does so by its
/// name; the indexes of its keys have names that SQLite makes of the table's.
fn swap((place, table): (&str, &str), old_text: &str, text: &str) -> Vec<String> {
    let mut sqlite = Vec::new();
    let (new, old) = (
        format!("{}{table}", Needs::NEW),
        format!("{}{table}", Needs::OLD),
    );
    let moves = [
        (table, old.as_str(), renamed(old_text, &quote_name(&old))),
        (new.as_str(), table, text.to_owned()),
    ];
    for (from, to, sql) in moves {
        let (quoted_from, quoted_to) = (quote(from), quote(to));
        sqlite.push(format!(
            "UPDATE {place}.sqlite_schema SET name = {quoted_to}, tbl_name = {quoted_to}, sql = {} \
             WHERE type = 'table' AND name = {quoted_from} COLLATE NOCASE",
            quote(&sql)
        ));
        sqlite.push(format!(
            "UPDATE {place}.sqlite_schema SET tbl_name = {quoted_to}, \
             name = 'sqlite_autoindex_' || {quoted_to} || substr(name, length('sqlite_autoindex_' || tbl_name) + 1) \
             WHERE type = 'index' AND sql IS NULL AND tbl_name = {quoted_from} COLLATE NOCASE"
        ));
    }
    sqlite
}

/// The CREATE TABLE text under another name.
fn renamed(text: &str, new: &str) -> String {
    let Ok(src) = Source::new(text) else {
        return text.to_owned();
    };
    let Some(layout) = layout::read(&src) else {
        return text.to_owned();
    };
    let mut edits = Edits::default();
    edits.replace(
        src.start(layout.name_at)..src.end_before(layout.name_at + 1),
        new,
    );
    edits.render(text, 0..text.len())
}
