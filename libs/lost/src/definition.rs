//! Objects of a schema as statements of PostgreSQL's SQL: what the log has is SQLite's text, with notes of what the client
//! wrote.

use dialect::catalog::Type;
use dialect::{
    Comment, Constraint, ConstraintKind, Identity, StoredRight, TableColumn, TableInfo,
    parse_create_table, read_view_note,
};
use serde_json::Value as Json;

use crate::sql::{identifier, put, quoted, relation};
use crate::transaction::{DdlLine, RowLine, Transaction};

/// What a view that stands for a sequence has in the place of its query.
const SEQUENCE: &str = "sequence";

/// The table of sequences.
const SEQUENCES: &str = "eloqdb_sequence";

impl Transaction {
    /// What does the same to the schema, in an order in which it can be done.
    ///
    /// Errors: why there are no statements for something of it.
    pub fn definitions(&self) -> Result<Vec<Definition>, String> {
        let mut all = Vec::new();
        for ddl in self.ddl.iter().filter(|ddl| !ddl.is_internal()) {
            if is_sequence(ddl) {
                all.extend(self.sequence(ddl));
                continue;
            }
            for statement in ddl.statements()? {
                all.push(Definition::new(ddl, statement));
            }
        }
        // A table's defaults may count by a sequence, and a view may read any table.
        all.sort_by_key(|it| (it.creates, it.creates && it.kind != SEQUENCE));
        Ok(all)
    }

    /// A sequence that stands alone; that of an identity column comes with its table.
    fn sequence(&self, ddl: &DdlLine) -> Option<Definition> {
        if ddl.after.is_none() {
            let statement = format!("DROP SEQUENCE {}", identifier(&ddl.name));
            return Some(Definition::new(ddl, statement));
        }
        let row = self.sequence_row(&ddl.name)?;
        let (number, text) = (|name| row_number(row, name), |name| row.get(name)?.as_str());
        if row.get("identity") == Some(&Json::Bool(true)) || ddl.before.is_some() {
            return None;
        }
        let mut definition = Definition::new(
            ddl,
            format!(
                "CREATE SEQUENCE {} AS {} INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {}",
                identifier(&ddl.name),
                text("data_type")?,
                number("increment_by")?,
                number("min_value")?,
                number("max_value")?,
                number("start_value")?,
            ),
        );
        SEQUENCE.clone_into(&mut definition.kind);
        Some(definition)
    }

    fn sequence_row(&self, name: &str) -> Option<&RowLine> {
        let rows = self.changes.iter().filter(|it| it.table == SEQUENCES);
        let mut rows = rows.filter_map(|change| change.after.as_ref());
        rows.find(|row| row.get("name").and_then(Json::as_str) == Some(name))
    }

    /// What of it no statement here does: rights and comments, which are rows of the server's own tables.
    pub fn by_hand(&self) -> Option<&'static str> {
        let own = [StoredRight::TABLE, Comment::TABLE];
        let mut changes = self.changes.iter();
        changes.any(|change| own.contains(&change.table.as_str())).then_some(
            "it has changed rights or comments: do the same with GRANT, REVOKE, ALTER … OWNER TO, COMMENT ON",
        )
    }

    /// Whether all of it is by hand.
    pub fn is_by_hand(&self) -> bool {
        let has_own = self.changes.iter().any(|change| !change.is_internal());
        let defines = self.ddl.iter().any(|ddl| !ddl.is_internal());
        self.by_hand().is_some() && !has_own && !defines
    }

    /// Statements that bring sequences to where the transaction has left them, so that none gives a number twice.
    pub fn sequences(&self) -> Vec<String> {
        let rows = self.changes.iter().filter(|it| it.table == SEQUENCES);
        let rows = rows.filter_map(|change| change.after.as_ref());
        let forward = rows.filter_map(|row| {
            let name = row.get("name")?.as_str()?;
            let (last, step) = (row_number(row, "last_value")?, row_number(row, "increment_by")?);
            let is_behind = if step > 0 { "<" } else { ">" };
            Some(format!(
                "SELECT CASE WHEN last_value {is_behind} {last} THEN setval({}, {last}) END FROM {}",
                quoted(&relation(name)),
                relation(name)
            ))
        });
        forward.collect()
    }
}

fn row_number(row: &RowLine, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    let large = || value.get("i")?.as_str()?.parse().ok();
    value.as_i64().or_else(large)
}

/// A statement that does something to the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// `table`, `index`, `view` or `sequence`.
    pub kind: String,
    /// The object.
    pub name: String,
    /// The statement.
    pub statement: String,
    /// Whether the object is there afterwards, and was not before.
    pub creates: bool,
    /// Whether it is gone afterwards.
    pub drops: bool,
}

impl Definition {
    fn new(ddl: &DdlLine, statement: String) -> Self {
        Self {
            kind: ddl.kind.clone(),
            name: ddl.name.clone(),
            statement,
            creates: ddl.before.is_none(),
            drops: ddl.after.is_none(),
        }
    }
}

fn is_sequence(ddl: &DdlLine) -> bool {
    let text = ddl.after.as_ref().or(ddl.before.as_ref());
    let note = text.and_then(|text| read_view_note(text));
    note.is_some_and(|note| note.query == SEQUENCE)
}

impl DdlLine {
    /// Statements that do the same; none for an index that comes with its table.
    ///
    /// Errors: why there are none.
    fn statements(&self) -> Result<Vec<String>, String> {
        let kind = self.kind.to_uppercase();
        let statements = match (&self.before, &self.after) {
            (None, Some(sql)) | (Some(sql), None) if sql.is_empty() => return Ok(Vec::new()),
            (None, Some(sql)) => created(self, sql).map(|statement| vec![statement]),
            (Some(_), None) => Some(vec![format!("DROP {kind} {}", identifier(&self.name))]),
            // An index or a view follows its table.
            (Some(_), Some(_)) if kind != "TABLE" && self.formerly.is_none() => Some(Vec::new()),
            (Some(before), Some(after)) if kind == "TABLE" => altered(self, before, after),
            _ => None,
        };
        statements.ok_or_else(|| {
            format!(
                "{} {} is defined in a way that has no statement here; its text is now: {}",
                self.kind,
                self.name,
                self.after.as_deref().unwrap_or_default()
            )
        })
    }
}

fn created(ddl: &DdlLine, sql: &str) -> Option<String> {
    match ddl.kind.as_str() {
        "table" => table(&parse_create_table(sql)?),
        "view" => {
            let note = read_view_note(sql)?;
            Some(format!(
                "CREATE VIEW {} AS {}",
                identifier(&ddl.name),
                note.query
            ))
        }
        "index" => index(sql),
        _ => None,
    }
}

fn table(info: &TableInfo) -> Option<String> {
    let mut parts = Vec::new();
    for column in &info.columns {
        parts.push(column_text(column)?);
    }
    for constraint in &info.constraints {
        parts.push(constraint_text(constraint)?);
    }
    Some(format!(
        "CREATE TABLE {} ({})",
        identifier(&info.name),
        parts.join(", ")
    ))
}

fn column_text(column: &TableColumn) -> Option<String> {
    let ty = column
        .type_name
        .map_or("text".to_owned(), |ty| Type::from(ty).to_string());
    let mut text = format!("{} {ty}", identifier(&column.name));
    if column.computed {
        let written = column.written.as_ref()?;
        put(
            &mut text,
            format_args!(" GENERATED ALWAYS AS ({}) STORED", written.sql),
        );
    } else if let Some(identity) = column.identity {
        text.push_str(match identity {
            Identity::Always => " GENERATED ALWAYS AS IDENTITY",
            Identity::ByDefault => " GENERATED BY DEFAULT AS IDENTITY",
        });
    } else if let Some(default) = &column.default {
        put(
            &mut text,
            format_args!(" DEFAULT {}", default_text(column, default)?),
        );
    }
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    Some(text)
}

/// What the client wrote, or the sequence of a serial column.
fn default_text(column: &TableColumn, default: &str) -> Option<String> {
    if let Some(written) = &column.written {
        return Some(format!("({})", written.sql));
    }
    let counted = default
        .trim_matches(['(', ')', ' '])
        .strip_prefix("pg_nextval_oid(");
    counted.map(|name| format!("nextval({name})"))
}

fn constraint_text(constraint: &Constraint) -> Option<String> {
    let list = |columns: &[String]| {
        let names: Vec<String> = columns.iter().map(|name| identifier(name)).collect();
        names.join(", ")
    };
    let columns = list(&constraint.columns);
    let what = match &constraint.kind {
        ConstraintKind::PrimaryKey => format!("PRIMARY KEY ({columns})"),
        ConstraintKind::Unique => format!("UNIQUE ({columns})"),
        ConstraintKind::Check { written, .. } => format!("CHECK ({})", written.as_ref()?.sql),
        ConstraintKind::ForeignKey {
            table,
            columns: theirs,
            on_delete,
            on_update,
            deferrable,
            deferred,
        } => {
            let mut text = format!("FOREIGN KEY ({columns}) REFERENCES {}", identifier(table));
            if !theirs.is_empty() {
                put(&mut text, format_args!(" ({})", list(theirs)));
            }
            for (when, action) in [("DELETE", on_delete), ("UPDATE", on_update)] {
                if !action.is_empty() {
                    put(&mut text, format_args!(" ON {when} {action}"));
                }
            }
            if *deferrable {
                text.push_str(" DEFERRABLE");
            }
            if *deferred {
                text.push_str(" INITIALLY DEFERRED");
            }
            text
        }
    };
    Some(format!(
        "CONSTRAINT {} {what}",
        identifier(&constraint.name)
    ))
}

/// An index whose terms are columns.
fn index(sql: &str) -> Option<String> {
    const NOTE: &str = "/*sql ";
    let Some((terms, condition)) = sql.split_once(" WHERE ") else {
        return (!sql.contains("/*")).then(|| sql.to_owned());
    };
    let (written, _) = condition.strip_prefix(NOTE)?.split_once("*/")?;
    (!terms.contains("/*")).then(|| format!("{terms} WHERE {written}"))
}

/// A table that has another name, or columns more or less, or one of another name.
fn altered(ddl: &DdlLine, before: &str, after: &str) -> Option<Vec<String>> {
    let (old, new) = (parse_create_table(before)?, parse_create_table(after)?);
    let mut statements = Vec::new();
    let name = identifier(&ddl.name);
    if let Some(formerly) = &ddl.formerly {
        statements.push(format!(
            "ALTER TABLE {} RENAME TO {name}",
            identifier(formerly)
        ));
    }
    let mut known = old.columns.clone();
    let is_new = |column: &TableColumn| !old.columns.iter().any(|it| it.name == column.name);
    let is_gone = |column: &TableColumn| !new.columns.iter().any(|it| it.name == column.name);
    if old.columns.len() == new.columns.len() {
        for (was, is) in known.iter_mut().zip(&new.columns) {
            if was.name != is.name {
                let (from, to) = (identifier(&was.name), identifier(&is.name));
                statements.push(format!("ALTER TABLE {name} RENAME COLUMN {from} TO {to}"));
                was.name.clone_from(&is.name);
            }
        }
    }
    if new.columns.len() > old.columns.len() {
        for column in new.columns.iter().filter(|column| is_new(column)) {
            let text = column_text(column)?;
            statements.push(format!("ALTER TABLE {name} ADD COLUMN {text}"));
            known.push(column.clone());
        }
    }
    if new.columns.len() < old.columns.len() {
        for column in old.columns.iter().filter(|column| is_gone(column)) {
            let column = identifier(&column.name);
            statements.push(format!("ALTER TABLE {name} DROP COLUMN {column}"));
        }
        known.retain(|column| !is_gone(column));
    }
    let same_rest = known == new.columns && old.constraints.len() == new.constraints.len();
    (same_rest && !statements.is_empty()).then_some(statements)
}
