//! What is renamed keeps the views that read it: they are made anew, with the new name in SQLite's text and in their
//! notes, since SQLite's own way does not know every text that it runs.

use crate::analysis;
use crate::analysis::tree::Output;
use crate::ddl::place::quoted;
use crate::ddl::view_note::{self, ViewRead};
use crate::ddl::view_query::{AsWritten, name_as_now};
use crate::error::DialectError;
use crate::known_schema::KnownSchema;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::sqlite;
use crate::syntax;
use crate::table_info::TableInfo;

/// A relation, or a column of it, gets another name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rename<'a> {
    /// It is the session's own.
    pub(crate) temporary: bool,
    /// The relation before.
    pub(crate) relation: &'a str,
    /// The column before; none: the relation itself.
    pub(crate) column: Option<&'a str>,
    /// The new name.
    pub(crate) to: &'a str,
}

impl Rename<'_> {
    /// What a view reads, afterwards.
    fn applied(&self, reads: &[ViewRead]) -> Vec<ViewRead> {
        let mut reads = reads.to_vec();
        for read in &mut reads {
            if read.name != self.relation || read.temporary != self.temporary {
                continue;
            }
            match self.column {
                None => self.to.clone_into(&mut read.name),
                Some(column) => {
                    for [_, now] in &mut read.columns {
                        if now == column {
                            self.to.clone_into(now);
                        }
                    }
                }
            }
        }
        reads
    }
}

/// Statements to run before and after a rename.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) before: Vec<String>,
    pub(crate) after: Vec<String>,
}

/// The views that read what is renamed, and those that read these: SQLite refuses to rename anything while a view reads
/// what is not there.
pub(crate) fn around(schema: &dyn SchemaView, rename: &Rename<'_>) -> Result<Around, DialectError> {
    let mut around = Around::default();
    let mut found: Vec<String> = vec![rename.relation.to_owned()];
    let mut next = 0;
    while let Some(relation) = found.get(next).cloned() {
        for reader in schema.readers(&relation) {
            if found.contains(&reader.view) {
                continue;
            }
            let Some(info) = schema.table_info(&reader.view) else {
                continue;
            };
            let place = place_of(&info);
            if info.reads.is_empty() {
                // An older server made it: SQLite renames what it reads.
                return Ok(Around::default());
            }
            let text = written_anew(schema, &info, &info, &rename.applied(&info.reads))?;
            around.before.push(dropped(place, &reader.view));
            around.after.push(text);
            found.push(reader.view);
        }
        next += 1;
    }
    Ok(around)
}

/// The same where a view is renamed, or one of its columns.
pub(crate) fn around_view(
    schema: &dyn SchemaView,
    view: &TableInfo,
    rename: &Rename<'_>,
) -> Result<Option<Around>, DialectError> {
    if view.reads.is_empty() {
        return Ok(None);
    }
    let mut renamed = view.clone();
    match rename.column {
        None => rename.to.clone_into(&mut renamed.name),
        Some(from) => {
            for column in &mut renamed.columns {
                if column.name == from {
                    rename.to.clone_into(&mut column.name);
                }
            }
        }
    }
    let mut around = around(schema, rename)?;
    around.before.push(dropped(place_of(view), &view.name));
    around
        .after
        .insert(0, written_anew(schema, view, &renamed, &view.reads)?);
    Ok(Some(around))
}

fn place_of(view: &TableInfo) -> &'static str {
    if view.temporary { "temp" } else { "main" }
}

fn dropped(place: &str, view: &str) -> String {
    format!("DROP VIEW {}", quoted(place, view))
}

/// The statement that makes a view with these columns.
pub(crate) fn statement(
    (place, name): (&str, &str),
    columns: &[Output],
    note: &str,
    query: &str,
) -> String {
    let list: Vec<String> = columns
        .iter()
        .map(|column| quote_name(&column.name))
        .collect();
    format!(
        "CREATE VIEW {} ({}) AS {note} {query}",
        quoted(place, name),
        list.join(", ")
    )
}

/// A view as it is from now on, with what it reads by the names that this then has.
fn written_anew(
    schema: &dyn SchemaView,
    present: &TableInfo,
    renamed: &TableInfo,
    reads: &[ViewRead],
) -> Result<String, DialectError> {
    let refused = || {
        let feature = format!("a new name for what view \"{}\" reads", present.name);
        DialectError::unsupported(feature)
    };
    let written = present.view.as_deref().ok_or_else(refused)?;
    let tree = syntax::parse(written)?.ok_or_else(refused)?;
    let known = KnownSchema(schema);
    let as_written = AsWritten {
        schema: &known,
        reads: &present.reads,
    };
    let analyzed = analysis::analyze(written, &tree, &as_written, &[])?;
    let mut analyzed = analyzed.ok_or_else(refused)?;
    if analyzed.columns().len() != renamed.columns.len() {
        return Err(refused());
    }
    name_as_now(&mut analyzed.relations, reads);
    let query = sqlite::print(written, &analyzed)?.text;
    let columns: Vec<Output> = renamed.columns.iter().map(Output::from).collect();
    let note = view_note::write(&columns, reads, written);
    let place = place_of(renamed);
    Ok(statement((place, &renamed.name), &columns, &note, &query))
}
