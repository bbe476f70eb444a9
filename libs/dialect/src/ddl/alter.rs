//! ALTER TABLE.

use pgtypes::SqlState;

use crate::ddl::column::Definition;
use crate::ddl::counting;
use crate::ddl::layout::{self, Piece};
use crate::ddl::object_name;
use crate::ddl::rebuild::{self, Change, Present};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::sequence::{NEXTVAL, stored};
use crate::source::Source;
use crate::statement::{Notice, Statement, StatementKind};
use crate::table_info::{TableInfo, parse_create_table};
use crate::translator::Translator;

/// ALTER TABLE with its table and its actions.
pub(crate) struct Alter<'a> {
    pub(crate) src: &'a Source<'a>,
    pub(crate) schema: &'a dyn SchemaView,
    pub(crate) table: String,
    /// The table's present text and what it says; `None` for a table without one.
    pub(crate) present: &'a Present<'a>,
    pub(crate) info: TableInfo,
    pub(crate) change: Change,
    pub(crate) changed: bool,
    /// Statements that SQLite knows.
    pub(crate) sqlite: Vec<String>,
    pub(crate) notices: Vec<Notice>,
}

/// Words of actions that are accepted and change nothing.
const WITHOUT_EFFECT: &[&str] = &[
    "OWNER", "CLUSTER", "REPLICA", "VALIDATE", "ENABLE", "DISABLE",
];

/// ALTER TABLE [IF EXISTS] [ONLY] name action [, …]
pub(crate) fn alter_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let exists = src.are(2, &["IF", "EXISTS"]);
    let mut at = if exists { 4 } else { 2 };
    at += usize::from(src.is(at, "ONLY"));
    let (_, table, mut at) = object_name(src, at)?;
    at += usize::from(src.sign(at, "*"));
    let create = schema.create_sql(&table);
    let Some(create) = create else {
        if exists {
            let message = format!("relation \"{table}\" does not exist, skipping");
            let notice = Notice {
                severity: "NOTICE",
                sqlstate: SqlState::SUCCESSFUL_COMPLETION,
                message,
            };
            return Ok(Statement {
                notices: vec![notice],
                ..Statement::accepted("ALTER TABLE")
            });
        }
        if src.is(at, "OWNER") {
            // pg_dump says ALTER TABLE for views and sequences too.
            return Ok(Statement::accepted("ALTER TABLE"));
        }
        let message = format!("relation \"{table}\" does not exist");
        return Err(src.error(2, SqlState::UNDEFINED_TABLE, message));
    };
    if src.is(at, "RENAME") && !src.is(at + 1, "CONSTRAINT") {
        return rename(src, schema, &table, at);
    }
    let present_src = Source::new(&create)?;
    let layout = layout::read(&present_src)
        .ok_or_else(|| src.unsupported(2, "ALTER TABLE of this table"))?;
    let present = Present {
        src: &present_src,
        layout,
    };
    let info = parse_create_table(&create).unwrap_or_default();
    let alter = Alter {
        src,
        schema,
        table,
        present: &present,
        info,
        change: Change::default(),
        changed: false,
        sqlite: Vec::new(),
        notices: Vec::new(),
    };
    alter.run(at)
}

/// RENAME TO new | RENAME [COLUMN] a TO b
fn rename(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    name: &str,
    at: usize,
) -> Result<Statement, DialectError> {
    let table = quote_name(name);
    let owns = !schema.owned_sequences(name).is_empty();
    if src.is(at + 1, "TO") {
        let new = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
        crate::session::end_at(src, at + 3)?;
        let mut sqlite = vec![format!(
            "ALTER TABLE {table} RENAME TO {}",
            quote_name(&new)
        )];
        if owns {
            sqlite.push(stored::rename_table(name, &new));
        }
        return Ok(Statement::ddl("ALTER TABLE", sqlite));
    }
    let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
    let (old, new) = (
        src.name(at).ok_or_else(|| src.syntax(at))?,
        src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?,
    );
    if !src.is(at + 1, "TO") {
        return Err(src.syntax(at + 1));
    }
    crate::session::end_at(src, at + 3)?;
    let text = format!(
        "ALTER TABLE {table} RENAME COLUMN {} TO {}",
        quote_name(&old),
        quote_name(&new)
    );
    let mut sqlite = vec![text];
    if owns {
        sqlite.push(stored::rename_column(name, &old, &new));
    }
    Ok(Statement::ddl("ALTER TABLE", sqlite))
}

impl Alter<'_> {
    fn run(mut self, at: usize) -> Result<Statement, DialectError> {
        let mut at = at;
        let mut actions = 0;
        while at < self.src.len() {
            let end = layout::item_end(self.src, at, self.src.len());
            self.action(at, end)?;
            actions += 1;
            at = end + 1;
        }
        if actions == 0 {
            return Err(self.src.syntax(at));
        }
        if self.changed && !self.sqlite.is_empty() {
            let feature = "this combination of actions in one ALTER TABLE";
            return Err(self
                .src
                .unsupported(0, feature)
                .hint("give each action in a statement of its own"));
        }
        if self.changed {
            let Self {
                present,
                change,
                schema,
                notices,
                ..
            } = self;
            return Ok(Statement {
                notices,
                ..rebuild::apply(present, change, schema)
            });
        }
        if self.sqlite.is_empty() {
            return Ok(Statement {
                notices: self.notices,
                ..Statement::accepted("ALTER TABLE")
            });
        }
        Ok(Statement {
            writes: true,
            notices: self.notices,
            sqlite: self.sqlite,
            ..Statement::session(StatementKind::Ddl, "ALTER TABLE")
        })
    }

    fn action(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let constraint = [
            "CONSTRAINT",
            "PRIMARY",
            "UNIQUE",
            "FOREIGN",
            "CHECK",
            "EXCLUDE",
        ];
        if src.is(at, "ADD") && src.is_any(at + 1, &constraint) {
            return self.add_constraint(at + 1, end);
        }
        if src.is(at, "ADD") {
            let mut at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            let exists = src.are(at, &["IF", "NOT", "EXISTS"]);
            at += if exists { 3 } else { 0 };
            return self.add_column(at, end, exists);
        }
        if src.are(at, &["DROP", "CONSTRAINT"]) {
            return self.drop_constraint(at + 2);
        }
        if src.is(at, "DROP") {
            let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            let (exists, name, _) = object_name(src, at)?;
            if !exists || self.present.column(&name).is_some() {
                let text = format!(
                    "ALTER TABLE {} DROP COLUMN {}",
                    quote_name(&self.table),
                    quote_name(&name)
                );
                self.sqlite.push(text);
                for (sequence, column) in self.schema.owned_sequences(&self.table) {
                    if column == name {
                        self.sqlite.extend(stored::drop(&sequence));
                    }
                }
            }
            return Ok(());
        }
        if src.is(at, "ALTER") {
            let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            return self.alter_column(at, end);
        }
        let settings = src.is_any(at, &["SET", "RESET"]) && src.sign(at + 1, "(");
        let storage =
            src.is(at, "SET") && src.is_any(at + 1, &["LOGGED", "WITHOUT", "TABLESPACE", "ACCESS"]);
        let public = src.are(at, &["SET", "SCHEMA"]) && src.is(at + 2, "public");
        if src.is_any(at, WITHOUT_EFFECT) && !src.are(at + 1, &["ROW", "LEVEL"])
            || settings
            || storage
            || public
        {
            return Ok(());
        }
        if src.name(at).is_none() {
            return Err(src.syntax(at));
        }
        Err(src.unsupported(
            at,
            &format!("ALTER TABLE … {}", src.text(at).to_ascii_uppercase()),
        ))
    }

    /// ADD COLUMN: SQLite's own where the column has nothing that it refuses, else a rebuild.
    fn add_column(&mut self, at: usize, end: usize, exists: bool) -> Result<(), DialectError> {
        let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
        if exists && self.present.column(&name).is_some() {
            return Ok(());
        }
        let mut translator = Translator::new(self.src, self.schema);
        let column = translator.column_definition(at, end, false)?;
        let counted = self.count(&mut translator, &column, (at, end))?;
        let text = translator.rendered(at, end);
        let clause = |keyword: &str| (at..end).any(|token| self.src.is(token, keyword));
        let default_call = text.to_ascii_lowercase().contains("default (") && text.contains("()");
        let native =
            !clause("PRIMARY") && !clause("UNIQUE") && !default_call && !text.contains(NEXTVAL);
        if native {
            self.sqlite.push(format!(
                "ALTER TABLE {} ADD COLUMN {text}",
                quote_name(&self.table)
            ));
            return Ok(());
        }
        let first_constraint = self
            .present
            .layout
            .pieces
            .iter()
            .find_map(|piece| match *piece {
                Piece::Constraint { at, .. } => Some(at),
                Piece::Column { .. } => None,
            });
        match first_constraint {
            Some(at) => self
                .change
                .edits
                .before(self.present.src.start(at), format!("{text},\n    ")),
            None => self.present.append(&mut self.change.edits, &text),
        }
        // The rows get the default: the value that the new column's expression has now.
        let default = layout::clause(self.src, layout::type_end(self.src, at + 1, end), end);
        let value = if let Some(counted) = counted {
            counted
        } else if default.keyword == "default" {
            let mut translator = Translator::new(self.src, self.schema);
            translator.default_clause(default.body, default.end, None)?;
            translator.rendered(default.body, default.end)
        } else {
            "NULL".to_owned()
        };
        self.change.conversions.push((name, value));
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// Gives a new column that counts its sequence; gives what counts for the rows that there are.
    fn count(
        &mut self,
        translator: &mut Translator<'_>,
        column: &Definition,
        (at, end): (usize, usize),
    ) -> Result<Option<String>, DialectError> {
        let (Some(counting), Some(ty)) = (&column.counting, column.ty) else {
            return Ok(None);
        };
        let made = counting::make(
            (&self.table, &column.name, ty),
            counting,
            self.schema,
            &mut Vec::new(),
        )?;
        self.change.first.extend(made.first);
        let not_null = if column.not_null { "" } else { " NOT NULL" };
        let type_end = layout::type_end(self.src, at + 1, end);
        translator.after(type_end, format!("{not_null} DEFAULT ({})", made.default));
        Ok(Some(made.default))
    }
}
