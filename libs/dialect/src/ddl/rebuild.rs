//! Changes that SQLite's ALTER TABLE does not know: an edited CREATE TABLE text, put in place or rebuilt from.

use pgtypes::SqlState;

use crate::ddl::layout::{self, Layout, Piece};
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::{Edits, Source};
use crate::statement::{Needs, Statement};
use crate::table_info::parse_create_table;

/// What the edits to a table's text ask for.
#[derive(Default)]
pub(crate) struct Change {
    /// Splices of the CREATE TABLE text.
    pub(crate) edits: Edits,
    /// What is stored changes: the table must be made anew.
    pub(crate) rebuild: bool,
    pub(crate) checks: Vec<String>,
    pub(crate) violation: Option<(SqlState, String)>,
    /// Statements that run before.
    pub(crate) first: Vec<String>,
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
pub(crate) fn apply(present: &Present<'_>, change: Change, schema: &dyn SchemaView) -> Statement {
    let sql = present.src.sql;
    let text = change.edits.render(sql, 0..sql.len());
    let table = present.layout.name.clone();
    let violation = change.violation.clone().unwrap_or((
        SqlState::CHECK_VIOLATION,
        "a row violates the new constraint".to_owned(),
    ));
    let checks = change.checks;
    if !change.rebuild {
        let needs = Needs::SchemaEdit {
            table,
            sql: text,
            checks,
            violation,
        };
        return Statement {
            needs: Some(needs),
            ..Statement::ddl("ALTER TABLE", change.first)
        };
    }
    let mut sqlite = change.first;
    sqlite.extend(statements(&text, &table, &change.conversions, schema));
    let needs = Needs::SchemaRebuild {
        foreign_keys_off: schema.is_referenced(&table),
        table,
        checks,
        violation,
    };
    Statement {
        needs: Some(needs),
        ..Statement::ddl("ALTER TABLE", sqlite)
    }
}

/// The steps of a rebuild: a new table under another name, the rows, the old one away, the new one in its place, indexes
/// and triggers again.
fn statements(
    text: &str,
    table: &str,
    conversions: &[(String, String)],
    schema: &dyn SchemaView,
) -> Vec<String> {
    let new = quote_name(&format!("eloqdb_rebuild_{table}"));
    let old = quote_name(table);
    let create = renamed(text, &new);
    let columns = parse_create_table(text)
        .map(|info| info.columns)
        .unwrap_or_default();
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_name(&column.name))
        .collect();
    let values: Vec<String> = columns
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
    let mut sqlite = vec![
        create,
        format!(
            "INSERT INTO {new} ({}) SELECT {} FROM {old}",
            names.join(", "),
            values.join(", ")
        ),
        format!("DROP TABLE {old}"),
        format!("ALTER TABLE {new} RENAME TO {old}"),
    ];
    sqlite.extend(schema.dependents(table));
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
