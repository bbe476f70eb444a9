//! The schema of a database under test, as translation asks for it.

use std::rc::Rc;

use dialect::{
    ColumnInfo, SchemaView, SequenceInfo, TableColumn, TableInfo, default_sequence,
    parse_create_table, read_view_note,
};
use pgtypes::PgType;
use rusqlite::OptionalExtension;

use crate::session::sequences;
use crate::support::Database;

impl Database {
    /// Texts that a query with one parameter finds.
    fn texts(&self, sql: &str, name: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(sql).unwrap();
        let rows = statement.query_map([name], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Sequences whose column is a text.
    fn sequences_where(&self, column: &str, text: &str) -> Vec<SequenceInfo> {
        let condition = format!("WHERE {column} = '{}'", text.replace('\'', "''"));
        sequences(&self.connection, SequenceInfo::PRESENT, &condition).unwrap()
    }

    /// A view: its columns with the types that are noted in its text.
    fn view(&self, name: &str) -> Option<TableInfo> {
        let sql =
            "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name = ?1 COLLATE NOCASE";
        let (name, text): (String, String) = self
            .connection
            .query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .unwrap()?;
        let note = read_view_note(&text).unwrap();
        let columns = self.texts("SELECT name FROM pragma_table_info(?1)", &name);
        Some(TableInfo {
            name,
            view: Some(note.query),
            reads: note.reads,
            columns: columns
                .into_iter()
                .zip(note.columns)
                .map(|(name, ty)| TableColumn {
                    name,
                    type_name: PgType::parse(&ty),
                    ..TableColumn::default()
                })
                .collect(),
            ..TableInfo::default()
        })
    }
}

impl SchemaView for Database {
    fn columns(&self, table: &str) -> Option<Vec<ColumnInfo>> {
        let columns = self.table_info(table)?.columns.clone();
        Some(
            columns
                .into_iter()
                .map(|column| ColumnInfo {
                    name: column.name,
                    type_name: column.type_name,
                    not_null: column.not_null,
                    default: column.default,
                    identity: column.identity,
                })
                .collect(),
        )
    }

    fn table_info(&self, table: &str) -> Option<Rc<TableInfo>> {
        let info = match self.create_sql(table) {
            Some(sql) => parse_create_table(&sql),
            None => self.view(table),
        };
        info.map(Rc::new)
    }

    fn create_sql(&self, table: &str) -> Option<String> {
        let sql = "SELECT sql FROM temp.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE \
                   UNION ALL SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        self.texts(sql, table).into_iter().next()
    }

    fn dependents(&self, table: &str) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL";
        self.texts(sql, table)
    }

    fn referrers(&self, table: &str) -> Vec<(i64, Rc<TableInfo>)> {
        let sql = "SELECT s.name FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f \
                   WHERE s.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE";
        let names = self.texts(sql, table);
        names
            .iter()
            .filter_map(|name| Some((0, self.table_info(name)?)))
            .collect()
    }

    fn sequence(&self, name: &str) -> Option<SequenceInfo> {
        self.sequences_where("name", name).pop()
    }

    fn sequence_users(&self, name: &str) -> Vec<(String, String)> {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = ?1 ORDER BY name";
        let tables = self.texts(sql, "table");
        let mut users = Vec::new();
        for info in tables.iter().filter_map(|sql| parse_create_table(sql)) {
            for column in info.columns {
                let default = column.default.as_deref();
                if default.and_then(default_sequence).as_deref() == Some(name) {
                    users.push((info.name.clone(), column.name));
                }
            }
        }
        users
    }

    fn owned_sequences(&self, table: &str) -> Vec<(String, String)> {
        self.sequences_where("owner_table", table)
            .into_iter()
            .filter_map(|sequence| Some((sequence.name, sequence.owner?.1)))
            .collect()
    }

    fn index_table(&self, index: &str) -> Option<String> {
        let sql =
            "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = ?1 COLLATE NOCASE";
        self.texts(sql, index).pop()
    }
}
