//! CREATE TABLE … (LIKE other [INCLUDING | EXCLUDING what …]): the columns of the other table as if they were written.

use acl::Privileges;
use pgtypes::SqlState;

use crate::access::Access;
use crate::catalog::Type;
use crate::ddl::comment;
use crate::ddl::index::copy_of;
use crate::ddl::layout::{self, Piece};
use crate::ddl::place::Object;
use crate::error::DialectError;
use crate::literal::{quote, quote_name};
use crate::schema::SchemaView;
use crate::sequence::default_name;
use crate::source::Source;
use crate::stored_name::{qualified, shown};
use crate::table_info::{ConstraintKind, Identity, TableColumn, TableInfo};

/// The statement with columns in the place of LIKE, and what comes behind it.
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// Statements of SQLite's: indexes and comments.
    pub(crate) after: Vec<String>,
    pub(crate) access: Vec<Access>,
}

/// What is copied beside names, types and NOT NULL.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options that are independent of each other"
)]
struct Including {
    comments: bool,
    constraints: bool,
    defaults: bool,
    generated: bool,
    identity: bool,
    indexes: bool,
}

impl Including {
    /// `INCLUDING | EXCLUDING what` from `at` on, up to `end`.
    fn read(src: &Source<'_>, at: usize, end: usize) -> Result<Self, DialectError> {
        let mut found = Self::default();
        let mut at = at;
        while at < end {
            let on = src.is(at, "INCLUDING");
            if !on && !src.is(at, "EXCLUDING") {
                return Err(src.syntax(at));
            }
            match src.text(at + 1).to_ascii_lowercase().as_str() {
                "all" => {
                    found = Self {
                        comments: on,
                        constraints: on,
                        defaults: on,
                        generated: on,
                        identity: on,
                        indexes: on,
                    }
                }
                "comments" => found.comments = on,
                "constraints" => found.constraints = on,
                "defaults" => found.defaults = on,
                "generated" => found.generated = on,
                "identity" => found.identity = on,
                "indexes" => found.indexes = on,
                // There is nothing of it to be copied.
                "compression" | "statistics" | "storage" => {}
                _ => return Err(src.syntax(at + 1)),
            }
            at += 2;
        }
        Ok(found)
    }
}

/// CREATE TABLE with the word TABLE at `at`; `None` where it says no LIKE.
pub(crate) fn expanded(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Option<Expanded>, DialectError> {
    let name = at
        + if src.are(at + 1, &["IF", "NOT", "EXISTS"]) {
            4
        } else {
            1
        };
    let Ok(table) = Object::read(src, schema, name) else {
        return Ok(None);
    };
    let open = table.to;
    if !src.sign(open, "(") {
        return Ok(None);
    }
    let close = src.partner(open);
    let pieces = layout::pieces(src, open, close);
    let says = |piece: &Piece| matches!(piece, Piece::Constraint { at, .. } if src.is(*at, "LIKE"));
    if !pieces.iter().any(says) {
        return Ok(None);
    }
    let temporary = (0..at).any(|token| src.is_any(token, &["TEMP", "TEMPORARY"]))
        || table.schema.as_deref() == Some("pg_temp");
    let mut made = Made {
        schema,
        target: (if temporary { "temp" } else { "main" }, table.name),
        columns: Vec::new(),
        constraints: Vec::new(),
        after: Vec::new(),
        access: Vec::new(),
    };
    for piece in &pieces {
        match *piece {
            Piece::Constraint { at, end } if src.is(at, "LIKE") => made.like(src, at, end)?,
            Piece::Constraint { at, end } => made.constraints.push(src.slice(at, end).to_owned()),
            Piece::Column { at, end } => made.columns.push(src.slice(at, end).to_owned()),
        }
    }
    made.columns.append(&mut made.constraints);
    Ok(Some(Expanded {
        text: format!(
            "{} ({}) {}",
            src.slice(0, open),
            made.columns.join(", "),
            src.slice(close + 1, src.len())
        ),
        after: made.after,
        access: made.access,
    }))
}

/// The pieces of the new definition.
struct Made<'a> {
    schema: &'a dyn SchemaView,
    /// SQLite's schema and the name of the new table.
    target: (&'static str, String),
    columns: Vec<String>,
    constraints: Vec<String>,
    after: Vec<String>,
    access: Vec<Access>,
}

impl Made<'_> {
    fn like(&mut self, src: &Source<'_>, at: usize, end: usize) -> Result<(), DialectError> {
        let object = Object::read(src, self.schema, at + 1)?;
        let including = Including::read(src, object.to, end)?;
        let found = match self.schema.table_info(&object.name) {
            Some(info) if object.place == "main" && info.temporary => {
                self.schema.hidden_table(&object.name)
            }
            found => found,
        };
        let Some(info) = found.filter(|_| !object.is_elsewhere()) else {
            let message = format!("relation \"{}\" does not exist", object.dotted());
            return Err(src.error(at + 1, SqlState::UNDEFINED_TABLE, message));
        };
        if self.schema.sequence(&info.name).is_some() {
            let message = format!(
                "relation \"{}\" is invalid in LIKE clause",
                info.shown_name()
            );
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message)
                .detail("This operation is not supported for sequences."));
        }
        if object.place == "main" {
            self.access.push(Access::to(Privileges::SELECT, &info.name));
        }
        for column in &info.columns {
            self.columns.push(column_text(column, including));
        }
        self.keys_and_checks(&info, including);
        if including.indexes {
            for sql in self.schema.dependents_in(object.place, &info.name) {
                let taken = |name: &str| {
                    self.schema.index_table(name).is_some() || self.schema.columns(name).is_some()
                };
                let (place, table) = (self.target.0, self.target.1.as_str());
                if let Some(copy) = copy_of(&sql, (place, table), &taken)? {
                    self.after.push(copy);
                }
            }
        }
        if including.comments && object.place == "main" && self.target.0 == "main" {
            let copy = comment::copy_of_columns(self.schema, &info.name, &self.target.1);
            self.after.extend(copy);
        }
        Ok(())
    }

    fn keys_and_checks(&mut self, info: &TableInfo, including: Including) {
        for constraint in &info.constraints {
            let list = || {
                let names = constraint.columns.iter().map(|name| quote_name(name));
                names.collect::<Vec<_>>().join(", ")
            };
            let text = match &constraint.kind {
                ConstraintKind::PrimaryKey if including.indexes => {
                    format!("PRIMARY KEY ({})", list())
                }
                ConstraintKind::Unique if including.indexes => format!("UNIQUE ({})", list()),
                ConstraintKind::Check {
                    expression,
                    written,
                } if including.constraints => {
                    let condition = written.as_ref().map_or(expression, |written| &written.sql);
                    format!(
                        "CONSTRAINT {} CHECK ({condition})",
                        quote_name(&constraint.name)
                    )
                }
                _ => continue,
            };
            self.constraints.push(text);
        }
    }
}

/// A column as a client would write it.
fn column_text(column: &TableColumn, including: Including) -> String {
    let ty = match (&column.domain, column.type_name) {
        (Some(domain), _) => qualified(domain),
        (None, Some(ty)) => match Type::from(ty) {
            ty if ty.id.is_enum() => qualified(&ty.id.name()),
            ty => ty.to_string(),
        },
        (None, None) => "text".to_owned(),
    };
    let mut text = format!("{} {ty}", quote_name(&column.name));
    if column.computed {
        if let Some(written) = column.written.as_ref().filter(|_| including.generated) {
            text.extend([" GENERATED ALWAYS AS (", &written.sql, ") STORED"]);
        }
    } else if let Some(identity) = column.identity {
        if including.identity {
            text.push_str(match identity {
                Identity::Always => " GENERATED ALWAYS AS IDENTITY",
                Identity::ByDefault => " GENERATED BY DEFAULT AS IDENTITY",
            });
        }
    } else if including.defaults
        && let Some(default) = &column.default
    {
        let counted = default_name(default);
        let counted = counted.map(|name| format!("nextval({})", quote(&shown(&name))));
        let written = column.written.as_ref().map(|written| written.sql.clone());
        if let Some(default) = counted.or(written) {
            text.extend([" DEFAULT (", &default, ")"]);
        }
    }
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    text
}
