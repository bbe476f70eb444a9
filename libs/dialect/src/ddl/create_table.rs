//! CREATE TABLE and CREATE TABLE AS.

use pgtypes::SqlState;

use crate::analysis::tree::Output;
use crate::ddl::column::{Definition, declared};
use crate::ddl::counting;
use crate::ddl::layout::{self, Piece};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{CommandTag, Notice, Statement, StatementKind};
use crate::translator::{Column, DefinedTable, Translator};

/// CREATE at 0, its modifiers from `start`, TABLE at `at`.
pub(crate) fn create_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    start: usize,
    at: usize,
) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let temporary = (start..at).any(|token| src.is_any(token, &["TEMP", "TEMPORARY"]));
    translator.replace(start, at, if temporary { "TEMP" } else { "" });
    if start == at {
        translator.edits = crate::source::Edits::default();
    }
    let mut name_at = at + 1;
    let if_not_exists = src.are(name_at, &["IF", "NOT", "EXISTS"]);
    if if_not_exists {
        name_at += 3;
    }
    let (name, to) = translator.table_name(name_at, src.len())?;
    if if_not_exists && schema.columns(&name).is_some() {
        translator.notices.push(Notice {
            severity: "NOTICE",
            sqlstate: SqlState::DUPLICATE_TABLE,
            message: format!("relation \"{name}\" already exists, skipping"),
        });
    }
    if src.is_any(to, &["PARTITION", "OF"]) {
        return Err(src.unsupported(to, "a partitioned or typed table"));
    }
    if src.sign(to, "(") && !is_as(src, src.partner(to) + 1) {
        // A temporary table may hide another of its name.
        let exists = !temporary && translator.schema.columns(&name).is_some();
        translator.table_body(to, &name, temporary)?;
        if exists {
            // Nothing is made.
            translator.first.clear();
        }
        translator.table_tail(src.partner(to) + 1)?;
        let statement = Statement {
            writes: true,
            ..Statement::session(StatementKind::Ddl, "CREATE TABLE")
        };
        return Ok(translator.finish(statement));
    }
    create_as(translator, &name, name_at, to, if_not_exists)
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
        Ok(())
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
    fn table_tail(&mut self, at: usize) -> Result<(), DialectError> {
        let mut at = at;
        while at < self.src.len() {
            let start = at;
            match self.src.text(at).to_ascii_lowercase().as_str() {
                "with" if self.src.sign(at + 1, "(") => at = self.src.partner(at + 1) + 1,
                "tablespace" | "using" => at += 2,
                "without" if self.src.is(at + 1, "OIDS") => at += 2,
                "on" if self.src.are(at, &["ON", "COMMIT", "PRESERVE", "ROWS"]) => at += 4,
                "on" => return Err(self.src.unsupported(at, "ON COMMIT DELETE ROWS or DROP")),
                "inherits" => return Err(self.src.unsupported(at, "table inheritance")),
                "partition" => return Err(self.src.unsupported(at, "a partitioned table")),
                "without" if self.src.is(at + 1, "ROWID") => {
                    at += 2;
                    continue;
                }
                "strict" | "," => {
                    at += 1;
                    continue;
                }
                _ => return Err(self.src.syntax(at)),
            }
            self.remove(start, at);
        }
        Ok(())
    }
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
    name: &str,
    name_at: usize,
    to: usize,
    if_not_exists: bool,
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
        return Err(src.syntax(at));
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
    let select = query.text;
    let create = translator.rendered(0, name_at);
    let table = quote_name(name);
    let tag = if data {
        CommandTag::Select
    } else {
        CommandTag::Fixed("CREATE TABLE AS")
    };
    let statement = Statement {
        writes: true,
        tag,
        catalog: query.catalog,
        ..Statement::session(StatementKind::Ddl, "")
    };
    if if_not_exists && translator.schema.columns(name).is_some() {
        return Ok(translator.finish_with(vec![format!("{create} {table} AS {select}")], statement));
    }
    let columns: Vec<String> = query
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| declaration(column, names.get(index)))
        .collect();
    let mut sqlite = vec![format!("{create} {table} ({})", columns.join(", "))];
    if data {
        sqlite.push(format!("INSERT INTO {table} {select}"));
    }
    Ok(translator.finish_with(sqlite, statement))
}

fn declaration(column: &Output, name: Option<&String>) -> String {
    let name = name.unwrap_or(&column.name);
    let ty = column.ty.pg_type().map(|ty| declared(&ty));
    format!("{} {}", quote_name(name), ty.unwrap_or_default())
        .trim_end()
        .to_owned()
}
