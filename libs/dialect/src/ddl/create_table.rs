//! CREATE TABLE and CREATE TABLE AS.

use pgtypes::{PgType, SqlState};

use crate::analysis::tree::Output;
use crate::ddl::alter_drop::check_storage;
use crate::ddl::column::{Definition, declared};
use crate::ddl::layout::{self, Piece};
use crate::ddl::place::{Object, quoted};
use crate::ddl::{counting, definition};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{CommandTag, Notice, Statement, StatementKind};
use crate::table_info::{TableInfo, parse_create_table};
use crate::translator::{Column, DefinedTable, Translator};

/// CREATE at 0, its modifiers from `start`, TABLE at `at`.
pub(crate) fn create_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    start: usize,
    at: usize,
) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let mut temporary = (start..at).any(|token| src.is_any(token, &["TEMP", "TEMPORARY"]));
    if let Some(unlogged) = (start..at).find(|token| src.is(*token, "UNLOGGED")) {
        return Err(src.unsupported(unlogged, "an unlogged table"));
    }
    let mut name_at = at + 1;
    let if_not_exists = src.are(name_at, &["IF", "NOT", "EXISTS"]);
    if if_not_exists {
        name_at += 3;
    }
    let object = Object::read(src, schema, name_at)?;
    temporary |= object.schema.as_deref() == Some("pg_temp");
    check_place(&object, temporary)?;
    let (name, to) = (object.name.as_str(), object.to);
    let place = if temporary { "temp" } else { "main" };
    if let Some(other) = schema.table_info(name)
        && other.name != name
        && other.temporary == temporary
    {
        return Err(DialectError::unsupported(format!(
            "a relation \"{name}\" beside one whose name differs in case only"
        )));
    }
    if is_taken(schema, name, temporary) {
        let message = format!("relation \"{name}\" already exists");
        if !if_not_exists {
            return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
        }
        let tag = if src.sign(to, "(") && !is_as(src, src.partner(to) + 1) {
            "CREATE TABLE"
        } else {
            "CREATE TABLE AS"
        };
        let message = format!("{message}, skipping");
        return Ok(Statement {
            notices: vec![Notice::coded(SqlState::DUPLICATE_TABLE, message)],
            ..Statement::accepted(tag)
        });
    }
    if src.is_any(to, &["PARTITION", "OF"]) {
        return Err(src.unsupported(to, "a partitioned or typed table"));
    }
    if src.sign(to, "(") && !is_as(src, src.partner(to) + 1) {
        translator.replace(start, to, format!("TABLE {}", quoted(place, name)));
        translator.table_body(to, name, temporary)?;
        translator.table_tail(src.partner(to) + 1, temporary)?;
        let text = translator.rendered(start, src.len());
        if let Some(info) = parse_create_table(&format!("CREATE {text}")) {
            definition::check(&info, temporary, schema)?;
        }
        let statement = Statement {
            writes: true,
            makes_temporary: temporary,
            ..Statement::session(StatementKind::Ddl, "CREATE TABLE")
        };
        return Ok(translator.finish(statement));
    }
    create_as(translator, (place, name), to)
}

/// Tables are in `public`, the session's own in no other schema.
fn check_place(object: &Object, temporary: bool) -> Result<(), DialectError> {
    if object.is_elsewhere() {
        return Err(object.no_schema());
    }
    match object.schema.as_deref() {
        Some("public") if temporary => Err(DialectError::new(
            SqlState::INVALID_TABLE_DEFINITION,
            "cannot create temporary relation in non-temporary schema",
        )),
        Some(schema @ ("pg_catalog" | "information_schema")) => Err(DialectError::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            format!("permission denied for schema {schema}"),
        )),
        _ => Ok(()),
    }
}

/// Whether the name is that of a relation among those of the database, or of the session's own.
fn is_taken(schema: &dyn SchemaView, name: &str, temporary: bool) -> bool {
    if temporary {
        return schema.is_temporary(name);
    }
    let hidden = || schema.hidden_table(name).is_some();
    let known = schema.columns(name).is_some();
    (known && (!schema.is_temporary(name) || hidden()))
        || schema.index_table(name).is_some()
        || schema.sequence(name).is_some()
}

fn is_as(src: &Source<'_>, at: usize) -> bool {
    src.is(at, "AS")
}

impl Translator<'_> {
    /// The columns and constraints between the parentheses that open at `open`.
    fn table_body(
        &mut self,
        open: usize,
        table: &str,
        temporary: bool,
    ) -> Result<(), DialectError> {
        let close = self.src.partner(open);
        let pieces = layout::pieces(self.src, open, close);
        if pieces.is_empty() {
            return Err(self.src.unsupported(open, "a table without columns"));
        }
        self.table = Some(self.body_scope(&pieces, table)?);
        let key = primary_key(self.src, &pieces);
        let mut taken = Vec::new();
        for piece in &pieces {
            match *piece {
                Piece::Column { at, end } => {
                    let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
                    let alone = key.as_slice() == [name.as_str()];
                    let column = self.column_definition(at, end, alone)?;
                    // SQLite's keys take NULL, unless they are the rowid.
                    let rowid = alone
                        && !column.domain
                        && column.ty.as_ref().is_some_and(PgType::is_integer);
                    let plain = column.counting.is_none() && !column.not_null && !rowid;
                    if plain && key.contains(&name) {
                        let type_end = layout::type_end(self.src, at + 1, end);
                        self.after(type_end, " NOT NULL");
                    }
                    if !temporary {
                        self.count((table, &column), (at, end), &mut taken)?;
                    } else if column.counting.is_some() && !alone {
                        let feature =
                            "a serial column of a temporary table that is not its primary key";
                        return Err(self.src.unsupported(at, feature));
                    }
                }
                Piece::Constraint { at, end } => self.table_constraint(at, end)?,
            }
        }
        self.table = None;
        self.columns_first(&pieces, close);
        Ok(())
    }

    /// SQLite wants constraints behind all columns: those that are not are moved there.
    fn columns_first(&mut self, pieces: &[Piece], close: usize) {
        let is_column = |piece: &Piece| matches!(piece, Piece::Column { .. });
        let Some(last) = pieces.iter().rposition(is_column) else {
            return;
        };
        for piece in pieces.iter().take(last) {
            if let Piece::Constraint { at, end } = *piece {
                let text = self.rendered(at, end);
                // With the comma behind it; from the token before, so that what was put before it goes, too.
                let before = self.src.text(at - 1).to_owned();
                let range = self.src.start(at - 1)..self.src.end_before(end + 1);
                self.edits.replace(range, before);
                self.edits
                    .before(self.src.start(close), format!(", {text}"));
            }
        }
    }

    /// Gives a column that counts its sequence, and its default.
    fn count(
        &mut self,
        (table, column): (&str, &Definition),
        (at, end): (usize, usize),
        taken: &mut Vec<String>,
    ) -> Result<(), DialectError> {
        let (Some(counting), Some(ty)) = (&column.counting, column.ty) else {
            return Ok(());
        };
        let made = counting::make((table, &column.name, ty), counting, self.schema, taken)?;
        self.first.extend(made.first);
        let not_null = if column.not_null { "" } else { " NOT NULL" };
        let type_end = layout::type_end(self.src, at + 1, end);
        self.after(type_end, format!("{not_null} DEFAULT ({})", made.default));
        Ok(())
    }

    /// A table's columns and the one being defined, so that its CHECK and its expression know their types.
    pub(crate) fn push_defined(
        &mut self,
        info: &TableInfo,
        src: &Source<'_>,
        (at, end): (usize, usize),
    ) -> Result<(), DialectError> {
        let ty = self.declared_type(at + 1, layout::type_end(src, at + 1, end))?;
        let defined = Column {
            name: src.name(at).unwrap_or_default(),
            ty,
            not_null: false,
        };
        let known = info.columns.iter().map(|column| Column {
            name: column.name.clone(),
            ty: column.type_name,
            not_null: column.not_null,
        });
        let columns: Vec<Column> = known.chain(std::iter::once(defined)).collect();
        self.table = Some(DefinedTable {
            name: info.name.clone(),
            columns: columns.into(),
        });
        Ok(())
    }

    /// The columns being defined, so that CHECK and generated columns know their types.
    fn body_scope(&self, pieces: &[Piece], table: &str) -> Result<DefinedTable, DialectError> {
        let mut columns = Vec::new();
        for piece in pieces {
            if let Piece::Column { at, end } = *piece {
                let ty = self.declared_type(at + 1, layout::type_end(self.src, at + 1, end))?;
                columns.push(Column {
                    name: self.src.name(at).unwrap_or_default(),
                    ty,
                    not_null: false,
                });
            }
        }
        Ok(DefinedTable {
            name: table.to_owned(),
            columns: columns.into(),
        })
    }

    /// What follows the closing parenthesis.
    fn table_tail(&mut self, at: usize, temporary: bool) -> Result<(), DialectError> {
        let mut at = at;
        while at < self.src.len() {
            let start = at;
            match self.src.text(at).to_ascii_lowercase().as_str() {
                "with" if self.src.sign(at + 1, "(") => {
                    check_storage(self.src, at + 1)?;
                    at = self.src.partner(at + 1) + 1;
                }
                "tablespace" if self.src.is(at + 1, "pg_default") => at += 2,
                "using" if self.src.is(at + 1, "heap") => at += 2,
                "tablespace" => return Err(no_tablespace(self.src, at + 1)),
                "using" => return Err(self.src.unsupported(at + 1, "a table access method")),
                "without" if self.src.is(at + 1, "OIDS") => at += 2,
                "on" if self.src.are(at, &["ON", "COMMIT", "PRESERVE", "ROWS"]) => at += 4,
                "on" if !temporary => {
                    return Err(DialectError::new(
                        SqlState::INVALID_TABLE_DEFINITION,
                        "ON COMMIT can only be used on temporary tables",
                    ));
                }
                "on" => return Err(self.src.unsupported(at, "ON COMMIT DELETE ROWS or DROP")),
                "inherits" => return Err(self.src.unsupported(at, "table inheritance")),
                "partition" => return Err(self.src.unsupported(at, "a partitioned table")),
                _ => return Err(self.src.syntax(at)),
            }
            self.remove(start, at);
        }
        Ok(())
    }
}

/// The one tablespace is everywhere.
fn no_tablespace(src: &Source<'_>, at: usize) -> DialectError {
    let name = src.name(at).unwrap_or_default();
    let message = format!("tablespace \"{name}\" does not exist");
    DialectError::new(SqlState::UNDEFINED_OBJECT, message)
}

/// The columns of the primary key, wherever it is declared.
fn primary_key(src: &Source<'_>, pieces: &[Piece]) -> Vec<String> {
    for piece in pieces {
        match *piece {
            Piece::Constraint { at, end } => {
                let clause = layout::clause(src, at, end);
                if clause.keyword == "primary" {
                    return layout::column_names(src, clause.body);
                }
            }
            Piece::Column { at, end } => {
                if (at + 1..end).any(|token| src.are(token, &["PRIMARY", "KEY"])) {
                    return src.name(at).into_iter().collect();
                }
            }
        }
    }
    Vec::new()
}

/// CREATE TABLE name [(columns)] AS query [WITH [NO] DATA]: a table of the query's types, then its rows.
fn create_as(
    translator: Translator<'_>,
    (place, name): (&str, &str),
    to: usize,
) -> Result<Statement, DialectError> {
    let src = translator.src;
    let mut at = to;
    let mut names = Vec::new();
    if src.sign(at, "(") {
        let close = src.partner(at);
        names = translator.names(at + 1, close)?;
        at = close + 1;
    }
    if !is_as(src, at) {
        if src.is(at, "ON") {
            return Err(src.unsupported(at, "ON COMMIT of a table made of a query"));
        }
        return Err(src.syntax(at));
    }
    if src.is_any(at + 1, &["EXECUTE"]) {
        return Err(src.unsupported(at + 1, "CREATE TABLE … AS EXECUTE"));
    }
    if src.is_any(at + 1, &["INSERT", "UPDATE", "DELETE"]) {
        return Err(src.syntax(at + 1));
    }
    let mut end = src.len();
    let mut data = true;
    if src.are(end.saturating_sub(2), &["WITH", "DATA"]) {
        end -= 2;
    } else if src.are(end.saturating_sub(3), &["WITH", "NO", "DATA"]) {
        end -= 3;
        data = false;
    }
    let query = translator.typed_query(at + 1, end)?;
    if names.len() > query.columns.len() {
        return Err(DialectError::new(
            SqlState::SYNTAX_ERROR,
            "too many column names were specified",
        ));
    }
    let select = query.text;
    let table = quoted(place, name);
    let tag = if data {
        CommandTag::Select
    } else {
        CommandTag::Fixed("CREATE TABLE AS")
    };
    let statement = Statement {
        writes: true,
        makes_temporary: place == "temp",
        tag,
        catalog: query.catalog,
        access: if data { query.access } else { Vec::new() },
        ..Statement::session(StatementKind::Ddl, "")
    };
    let columns: Vec<String> = query
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| declaration(column, names.get(index)))
        .collect();
    let create = format!("CREATE TABLE {table} ({})", columns.join(", "));
    if let Some(info) = parse_create_table(&create) {
        definition::check(&info, place == "temp", translator.schema)?;
    }
    definition::check_types(&query.columns)?;
    let mut sqlite = vec![create];
    if data {
        sqlite.push(format!("INSERT INTO {table} {select}"));
    }
    Ok(translator.finish_with(sqlite, statement))
}

fn declaration(column: &Output, name: Option<&String>) -> String {
    let name = name.unwrap_or(&column.name);
    let ty = column.ty.result_type().map(|ty| declared(&ty));
    format!("{} {}", quote_name(name), ty.unwrap_or_default())
        .trim_end()
        .to_owned()
}
