//! ALTER TABLE.

use pgtypes::SqlState;

use crate::ddl::column::Definition;
use crate::ddl::layout::{self, Piece};
use crate::ddl::place::{Object, quoted};
use crate::ddl::rebuild::{self, Change, Present};
use crate::ddl::{alter_rename, counting, owner};
use crate::error::DialectError;
use crate::pg_catalog::find_table;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Check, Notice, Role, Statement, Violation};
use crate::table_info::{TableColumn, TableInfo, parse_create_table};
use crate::translator::Translator;

/// ALTER TABLE with its table and its actions.
pub(crate) struct Alter<'a> {
    pub(crate) src: &'a Source<'a>,
    pub(crate) schema: &'a dyn SchemaView,
    pub(crate) table: String,
    pub(crate) place: &'static str,
    /// The table's present text and what it says.
    pub(crate) present: &'a Present<'a>,
    pub(crate) info: TableInfo,
    pub(crate) change: Change,
    pub(crate) changed: bool,
    /// Statements that SQLite knows.
    pub(crate) sqlite: Vec<String>,
    /// Statements of PostgreSQL's that do it.
    pub(crate) parts: Vec<String>,
    /// Queries that must give no row before.
    pub(crate) first: Vec<Check>,
    pub(crate) roles: Vec<Role>,
    pub(crate) notices: Vec<Notice>,
}

/// ALTER TABLE [IF EXISTS] [ONLY] name action [, …]
pub(crate) fn alter_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let if_exists = src.are(2, &["IF", "EXISTS"]);
    let mut at = if if_exists { 4 } else { 2 };
    at += usize::from(src.is(at, "ONLY"));
    let object = Object::read(src, schema, at)?;
    let at = object.to + usize::from(src.sign(object.to, "*"));
    if matches!(object.schema.as_deref(), None | Some("pg_catalog"))
        && find_table(None, &object.name).is_some()
    {
        let message = format!("permission denied: \"{}\" is a system catalog", object.name);
        return Err(DialectError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
    }
    let create = schema.create_sql_in(object.place, &object.name);
    let Some(create) = create.filter(|_| !object.is_elsewhere()) else {
        return alter_other(src, schema, &object, at, if_exists);
    };
    if src.is(at, "RENAME") && !src.is(at + 1, "CONSTRAINT") {
        return alter_rename::rename(src, schema, &object, (at, "ALTER TABLE"));
    }
    if src.are(at, &["SET", "SCHEMA"]) {
        return alter_rename::set_schema(src, schema, &object, (at, "ALTER TABLE"));
    }
    if src.are(at, &["OWNER", "TO"]) && object.place == "main" && src.len() == at + 3 {
        return owner::change(src, at, &object.name, "ALTER TABLE");
    }
    if let Some(parts) = split(src, at)? {
        return Ok(Statement::of_parts("ALTER TABLE", parts));
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
        table: info.name.clone(),
        place: object.place,
        present: &present,
        info,
        change: Change::default(),
        changed: false,
        sqlite: Vec::new(),
        parts: Vec::new(),
        first: Vec::new(),
        roles: Vec::new(),
        notices: Vec::new(),
    };
    alter.run(at)
}

/// ALTER TABLE of what is no table: `pg_dump` says it for views and sequences, too.
fn alter_other(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    at: usize,
    if_exists: bool,
) -> Result<Statement, DialectError> {
    let name = &object.name;
    if object.is_elsewhere() || schema.columns(name).is_none() {
        if if_exists {
            let message = format!("relation \"{name}\" does not exist, skipping");
            return Ok(Statement {
                notices: vec![Notice::plain(message)],
                ..Statement::accepted("ALTER TABLE")
            });
        }
        if object.is_elsewhere() {
            return Err(object.no_schema());
        }
        let message = format!("relation \"{}\" does not exist", object.dotted());
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    }
    if src.are(at, &["OWNER", "TO"]) {
        return owner::change(src, at, name, "ALTER TABLE");
    }
    if schema.sequence(name).is_some() {
        return Err(src.unsupported(1, "ALTER TABLE of a sequence"));
    }
    if src.are(at, &["SET", "SCHEMA"]) {
        return alter_rename::set_schema(src, schema, object, (at, "ALTER TABLE"));
    }
    if src.is(at, "RENAME") {
        return alter_rename::rename(src, schema, object, (at, "ALTER TABLE"));
    }
    let action = if src.is(at, "ADD") {
        "ADD COLUMN"
    } else {
        src.text(at)
    };
    let message = format!(
        "ALTER action {} cannot be performed on relation \"{name}\"",
        action.to_ascii_uppercase()
    );
    Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message)
        .detail("This operation is not supported for views."))
}

/// One statement for each of several actions, in the order in which PostgreSQL does them: what drops comes before what
/// adds, columns before what uses them.
fn split(src: &Source<'_>, at: usize) -> Result<Option<Vec<String>>, DialectError> {
    let mut actions: Vec<(u8, String)> = Vec::new();
    let mut next = at;
    while next < src.len() {
        let end = layout::item_end(src, next, src.len());
        if src.is(next, "RENAME") && (next > at || end < src.len()) {
            // It stands alone.
            return Err(src.syntax(next.max(at)));
        }
        if src.are(next, &["OWNER", "TO"]) && (next > at || end < src.len()) {
            return Err(src.unsupported(next, "OWNER TO beside other actions"));
        }
        let text = format!("{} {}", src.slice(0, at), src.slice(next, end));
        actions.push((pass(src, next), text));
        next = end + 1;
    }
    if actions.len() < 2 {
        return Ok(None);
    }
    actions.sort_by_key(|(pass, _)| *pass);
    Ok(Some(actions.into_iter().map(|(_, text)| text).collect()))
}

fn pass(src: &Source<'_>, at: usize) -> u8 {
    let constraint = src.is(at, "ADD") && src.is_any(at + 1, CONSTRAINT);
    let column = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
    if src.is(at, "DROP") || (src.is(at, "ALTER") && src.is(column + 1, "DROP")) {
        0
    } else if src.is(at, "ALTER")
        && (src.is(column + 1, "TYPE") || src.are(column + 1, &["SET", "DATA"]))
    {
        1
    } else if src.is(at, "ADD") && !constraint {
        2
    } else if src.is(at, "ALTER") {
        3
    } else if constraint && (at..src.len()).any(|token| src.is_any(token, &["PRIMARY", "UNIQUE"])) {
        4
    } else if constraint {
        5
    } else {
        6
    }
}

/// What a table constraint begins with.
const CONSTRAINT: &[&str] = &[
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "FOREIGN",
    "CHECK",
    "EXCLUDE",
];

pub(crate) fn column_exists(column: &str, table: &str) -> DialectError {
    let message = format!("column \"{column}\" of relation \"{table}\" already exists");
    DialectError::new(SqlState::DUPLICATE_COLUMN, message)
}

/// SQLite compares names of columns without regard to case.
pub(crate) fn case_only(column: &str) -> DialectError {
    DialectError::unsupported(format!(
        "a column \"{column}\" beside one whose name differs in case only"
    ))
}

impl Alter<'_> {
    fn run(mut self, at: usize) -> Result<Statement, DialectError> {
        if at >= self.src.len() {
            return Err(self.src.syntax(at));
        }
        self.action(at, self.src.len())?;
        let statement = if !self.parts.is_empty() {
            Statement::of_parts("ALTER TABLE", self.parts)
        } else if self.changed {
            rebuild::apply(self.present, self.place, self.change, self.schema)?
        } else if self.sqlite.is_empty() {
            Statement::accepted("ALTER TABLE")
        } else {
            Statement::ddl("ALTER TABLE", self.sqlite)
        };
        Ok(Statement {
            notices: self.notices,
            roles: self.roles,
            first: self.first,
            ..statement
        })
    }

    fn action(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        if src.is(at, "ADD") && src.is_any(at + 1, CONSTRAINT) {
            return self.add_constraint(at + 1, end);
        }
        if src.is(at, "ADD") {
            let mut at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            let exists = src.are(at, &["IF", "NOT", "EXISTS"]);
            at += if exists { 3 } else { 0 };
            return self.add_column(at, end, exists);
        }
        if src.are(at, &["DROP", "CONSTRAINT"]) {
            return self.drop_constraint(at + 2, end);
        }
        if src.is(at, "DROP") {
            let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            return self.drop_column(at, end);
        }
        if src.is(at, "ALTER") {
            let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
            return self.alter_column(at, end);
        }
        if src.are(at, &["RENAME", "CONSTRAINT"]) {
            return self.rename_constraint(at + 2, end);
        }
        self.setting(at, end)
    }

    /// ADD COLUMN: SQLite's own where the column has nothing that it refuses, else a rebuild.
    fn add_column(&mut self, at: usize, end: usize, exists: bool) -> Result<(), DialectError> {
        let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
        if self.has_column(&name, exists)? {
            return Ok(());
        }
        let mut translator = Translator::new(self.src, self.schema);
        translator.check_names = self.constraint_names();
        translator.push_defined(&self.info, self.src, (at, end))?;
        let column = translator.column_definition(at, end, false)?;
        let counted = self.count(&mut translator, &column, (at, end))?;
        let text = translator.rendered(at, end);
        let clause = |keyword: &str| (at..end).any(|token| self.src.is(token, keyword));
        let plain = [
            "PRIMARY",
            "UNIQUE",
            "CHECK",
            "REFERENCES",
            "GENERATED",
            "DEFAULT",
        ];
        let native = counted.is_none() && !plain.into_iter().any(clause);
        let valueless = counted.is_none() && !clause("DEFAULT") && !clause("GENERATED");
        if valueless && (column.not_null || clause("PRIMARY")) {
            self.first.push(Check {
                query: format!("SELECT 1 FROM {} LIMIT 1", quoted(self.place, &self.table)),
                violation: self.null_values(&name),
            });
        }
        if native && !column.not_null {
            self.sqlite.push(format!(
                "ALTER TABLE {} ADD COLUMN {text}",
                quoted(self.place, &self.table)
            ));
            return Ok(());
        }
        self.insert_column(&text);
        // The rows get the default: the value that the new column's expression has now.
        let default = (at..end).find(|token| self.src.is(*token, "DEFAULT"));
        let value = match (counted, default) {
            (Some(counted), _) => counted,
            (None, Some(from)) if !self.src.is(from - 1, "SET") && !self.src.is(from - 1, "BY") => {
                let default = layout::clause(self.src, from, end);
                let mut translator = Translator::new(self.src, self.schema);
                translator.default_clause(default.body, default.end, column.ty.as_ref())?;
                translator.rendered(default.body, default.end)
            }
            _ => "NULL".to_owned(),
        };
        self.change.conversions.push((name, value));
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// Whether the table has the column already, which is an error unless IF NOT EXISTS was said.
    fn has_column(&mut self, name: &str, forgiven: bool) -> Result<bool, DialectError> {
        let same = |column: &&TableColumn| column.name.eq_ignore_ascii_case(name);
        let Some(column) = self.info.columns.iter().find(same) else {
            return Ok(false);
        };
        if column.name != name {
            return Err(case_only(name));
        }
        let refused = column_exists(name, &self.table);
        if !forgiven {
            return Err(refused);
        }
        let message = format!("{}, skipping", refused.message);
        self.notices
            .push(Notice::coded(SqlState::DUPLICATE_COLUMN, message));
        Ok(true)
    }

    /// Puts a column behind the others, before the first constraint.
    fn insert_column(&mut self, text: &str) {
        let mut pieces = self.present.layout.pieces.iter();
        let first_constraint = pieces.find_map(|piece| match *piece {
            Piece::Constraint { at, .. } => Some(at),
            Piece::Column { .. } => None,
        });
        match first_constraint {
            Some(at) => self
                .change
                .edits
                .before(self.present.src.start(at), format!("{text},\n    ")),
            None => self.present.append(&mut self.change.edits, text),
        }
    }

    /// What is wrong where a column that may not has NULLs.
    pub(crate) fn null_values(&self, column: &str) -> Violation {
        Violation {
            sqlstate: SqlState::NOT_NULL_VIOLATION,
            message: format!(
                "column \"{column}\" of relation \"{}\" contains null values",
                self.table
            ),
            table: self.table.clone(),
            column: Some(column.to_owned()),
            constraint: None,
        }
    }

    /// The names that constraints of the table have.
    pub(crate) fn constraint_names(&self) -> Vec<String> {
        let names = self.info.constraints.iter();
        names.map(|constraint| constraint.name.clone()).collect()
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
        if self.place == "temp" {
            let feature = "a serial column of a temporary table";
            return Err(self.src.unsupported(at, feature));
        }
        self.change.first.extend(made.first);
        let not_null = if column.not_null { "" } else { " NOT NULL" };
        let type_end = layout::type_end(self.src, at + 1, end);
        translator.after(type_end, format!("{not_null} DEFAULT ({})", made.default));
        Ok(Some(made.default))
    }
}
