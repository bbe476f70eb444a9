//! The schema of a session's database, as translation and description ask for it.

use std::rc::Rc;

use dialect::{
    ColumnInfo, Comment, ConstraintKind, Domain, Reader, SchemaView, SequenceInfo, StoredSchema,
    TableColumn, TableInfo, UserType,
};
use pgtypes::PgType;
use rusqlite::{Connection, OptionalExtension};

use crate::failure::Failure;
use crate::session::authorizer::Read;
use crate::session::relations;
use crate::session::schema_cache::{Schemas, ViewReads};
use crate::session::sequences;
use crate::session::sqlite::Sqlite;
use crate::session::user_types::{all_domains, all_types};

/// The schema at one moment.
pub struct View<'a> {
    sqlite: &'a Sqlite,
}

impl<'a> View<'a> {
    /// The schema of that connection as the dialect sees it.
    pub fn new(sqlite: &'a Sqlite) -> Self {
        Self { sqlite }
    }

    /// A table or view; `None` when there is none of that name.
    pub fn table(&self, name: &str) -> Option<Rc<TableInfo>> {
        self.sqlite.schema().table(name, || {
            self.sqlite
                .trusted(|connection| read_table(connection, name))
        })
    }

    fn noted<T>(&self, read: Result<T, Failure>) -> Option<T> {
        self.sqlite.schema().noted(read)
    }

    fn sequences(&self, condition: &str, name: &str) -> Vec<SequenceInfo> {
        let read = self.sqlite.trusted(|connection| {
            if !sequences::has_sequences(connection)? {
                return Ok(Vec::new());
            }
            sequences::read(connection, SequenceInfo::PRESENT, condition, [name])
        });
        self.noted(read).unwrap_or_default()
    }

    /// A table or view of the database, also where one of the session's own hides it.
    pub fn stored(&self, name: &str) -> Option<Rc<TableInfo>> {
        match self.table(name) {
            Some(own) if own.temporary => self.hidden_table(name),
            found => found,
        }
    }

    /// What each view reads, with the time at which it was made.
    fn view_reads(&self) -> Rc<[ViewReads]> {
        self.sqlite.schema().view_reads(|| {
            let views = self.sqlite.trusted(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT name, rowid, 'main' FROM main.sqlite_schema WHERE type = 'view'
                     UNION ALL SELECT name, rowid + 1000000000, 'temp' FROM temp.sqlite_schema WHERE type = 'view'",
                )?;
                let rows = statement.query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                rows.collect::<rusqlite::Result<Vec<(String, i64, String)>>>()
            });
            let views = views?;
            let names: Vec<String> = views.iter().map(|(name, ..)| name.clone()).collect();
            let read = views
                .into_iter()
                .map(|(view, made, place)| {
                    let quoted = view.replace('"', "\"\"");
                    let sql = format!("SELECT * FROM {place}.\"{quoted}\"");
                    let reads = match self.sqlite.reads_of(&sql) {
                        // What a view reads may be gone.
                        Err(broken) if broken.sqlstate().class() == "42" => Vec::new(),
                        reads => reads?,
                    };
                    // What stands in the text of a view that this one reads is that one's.
                    let own = |read: &Read| {
                        read.relation != view
                            && read
                                .view
                                .as_ref()
                                .is_none_or(|by| *by == view || !names.contains(by))
                    };
                    let reads = reads.into_iter().filter(own);
                    Ok(ViewReads {
                        reads: reads.map(|read| (read.relation, read.column)).collect(),
                        view,
                        made,
                    })
                });
            read.collect()
        })
    }

    /// Tables and columns that are such.
    fn columns_such(&self, such: &dyn Fn(&TableColumn) -> bool) -> Vec<(String, String)> {
        let tables = self.noted(relations::all(self.sqlite)).unwrap_or_default();
        let columns = tables.into_iter().flat_map(|table| {
            let name = table.name;
            let columns = table.columns.into_iter().filter(such);
            columns
                .map(move |column| (name.clone(), column.name))
                .collect::<Vec<_>>()
        });
        columns.collect()
    }

    fn known_schemas(&self) -> Schemas {
        self.sqlite.schema().schemas(|| {
            let made = self.sqlite.trusted(all_schemas)?;
            self.sqlite.show_schemas(&made);
            Ok(Schemas {
                path: self.sqlite.search_path(&made).into(),
                made: made.into(),
            })
        })
    }

    fn texts(&self, sql: &str, name: &str) -> Vec<String> {
        let read = self.sqlite.trusted(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([name], |row| row.get(0))?;
            rows.collect()
        });
        self.noted(read).unwrap_or_default()
    }
}

impl SchemaView for View<'_> {
    fn schemas(&self) -> Rc<[String]> {
        self.known_schemas().made
    }

    fn search_path(&self) -> Rc<[String]> {
        self.known_schemas().path
    }

    fn relations(&self) -> Vec<String> {
        self.noted(self.sqlite.trusted(relations::names))
            .unwrap_or_default()
    }

    fn context(&self) -> pgtypes::Context {
        (*self.sqlite.context()).clone()
    }

    fn table_info(&self, table: &str) -> Option<Rc<TableInfo>> {
        self.table(table)
    }

    fn hidden_table(&self, table: &str) -> Option<Rc<TableInfo>> {
        let found = self
            .sqlite
            .trusted(|connection| read_table_from(connection, table, false));
        self.noted(found).flatten().map(Rc::new)
    }

    fn columns(&self, table: &str) -> Option<Vec<ColumnInfo>> {
        let info = self.table(table)?;
        Some(info.columns.iter().map(column_info).collect())
    }

    fn create_sql(&self, table: &str) -> Option<String> {
        self.texts(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            table,
        )
        .pop()
    }

    fn dependents(&self, table: &str) -> Vec<String> {
        self.texts(
            "SELECT sql FROM main.sqlite_schema WHERE type IN ('index', 'trigger')
             AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL ORDER BY rowid",
            table,
        )
    }

    fn create_sql_in(&self, place: &str, table: &str) -> Option<String> {
        if place == "main" {
            return self.create_sql(table);
        }
        self.texts(
            "SELECT sql FROM temp.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            table,
        )
        .pop()
    }

    fn dependents_in(&self, place: &str, table: &str) -> Vec<String> {
        if place == "main" {
            return self.dependents(table);
        }
        self.texts(
            "SELECT sql FROM temp.sqlite_schema WHERE type IN ('index', 'trigger')
             AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL ORDER BY rowid",
            table,
        )
    }

    fn readers(&self, relation: &str) -> Vec<Reader> {
        let views = self.view_reads();
        let readers = views.iter().filter_map(|view| {
            let columns: Vec<String> = view
                .reads
                .iter()
                .filter(|(read, _)| read.eq_ignore_ascii_case(relation))
                .map(|(_, column)| column.clone())
                .collect();
            (!columns.is_empty()).then(|| Reader {
                view: view.view.clone(),
                columns,
                made: view.made,
            })
        });
        readers.collect()
    }

    fn referrers(&self, table: &str) -> Vec<(i64, Rc<TableInfo>)> {
        let found = self.sqlite.trusted(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT s.rowid, s.name FROM main.sqlite_schema s, pragma_foreign_key_list(s.name) f
                 WHERE s.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE ORDER BY s.rowid",
            )?;
            let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()
        });
        let found = self.noted(found).unwrap_or_default().into_iter();
        found
            .filter_map(|(made, name)| Some((made, self.stored(&name)?)))
            .collect()
    }

    fn database(&self) -> String {
        self.sqlite.databases().0
    }

    fn databases(&self) -> Vec<String> {
        self.sqlite.databases().1
    }

    fn trigger_table(&self, trigger: &str) -> Option<String> {
        self.texts(
            "SELECT tbl_name FROM main.sqlite_schema WHERE type = 'trigger' AND name = ?1 COLLATE NOCASE",
            trigger,
        )
        .pop()
    }

    fn sequence(&self, name: &str) -> Option<SequenceInfo> {
        self.sequences("WHERE name = ?1", name).pop()
    }

    fn sequence_users(&self, name: &str) -> Vec<(String, String)> {
        let texts = self.texts(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND instr(sql, ?1) ORDER BY name",
            "pg_nextval_oid(",
        );
        let mut users = Vec::new();
        for info in texts
            .iter()
            .filter_map(|sql| dialect::parse_create_table(sql))
        {
            for column in info.columns {
                let default = column.default.as_deref();
                if default.and_then(dialect::default_sequence).as_deref() == Some(name) {
                    users.push((info.name.clone(), column.name));
                }
            }
        }
        users
    }

    fn owned_sequences(&self, table: &str) -> Vec<(String, String)> {
        self.sequences("WHERE owner_table = ?1", table)
            .into_iter()
            .filter_map(|sequence| Some((sequence.name, sequence.owner?.1)))
            .collect()
    }

    fn user_types(&self) -> Vec<UserType> {
        self.noted(all_types(self.sqlite)).unwrap_or_default()
    }

    fn domains(&self) -> Vec<Domain> {
        self.noted(all_domains(self.sqlite)).unwrap_or_default()
    }

    fn columns_of_domain(&self, domain: &str) -> Vec<(String, String)> {
        self.columns_such(&|column| column.domain.as_deref() == Some(domain))
    }

    fn columns_of_type(&self, such: &dyn Fn(&PgType) -> bool) -> Vec<(String, String)> {
        self.columns_such(&|column| column.type_name.as_ref().is_some_and(such))
    }

    fn is_key(&self, name: &str) -> bool {
        let tables = self.noted(relations::all(self.sqlite)).unwrap_or_default();
        let mut constraints = tables.iter().flat_map(|table| &table.constraints);
        constraints.any(|constraint| {
            constraint.name == name
                && matches!(
                    constraint.kind,
                    ConstraintKind::PrimaryKey | ConstraintKind::Unique
                )
        })
    }

    fn index_table(&self, index: &str) -> Option<String> {
        self.texts(
            "SELECT tbl_name FROM main.sqlite_schema WHERE type = 'index' AND name = ?1 COLLATE NOCASE
             UNION ALL SELECT tbl_name FROM temp.sqlite_schema WHERE type = 'index' AND name = ?1 COLLATE NOCASE",
            index,
        )
        .pop()
    }
}

fn column_info(column: &TableColumn) -> ColumnInfo {
    ColumnInfo {
        name: column.name.clone(),
        type_name: column.type_name,
        not_null: column.not_null,
        default: column.default.clone(),
        identity: column.identity,
    }
}

/// Temp tables hide those of the database, as in SQLite.
pub(super) fn read_table(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<TableInfo>> {
    read_table_from(connection, name, true)
}

/// A table of the database, or of the session if it may have one of that name.
pub(super) fn read_table_from(
    connection: &Connection,
    name: &str,
    temporary: bool,
) -> rusqlite::Result<Option<TableInfo>> {
    let least = if temporary { 1 } else { 2 };
    let found: Option<(String, String, Option<String>, bool)> = connection
        .prepare_cached(
            "SELECT type, name, sql, place = 1 FROM (
                SELECT 1 AS place, type, name, sql FROM temp.sqlite_schema
                UNION ALL SELECT 2, type, name, sql FROM main.sqlite_schema)
             WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE AND place >= ?2
             ORDER BY place LIMIT 1",
        )?
        .query_row((name, least), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((kind, name, sql, temporary)) = found else {
        return Ok(None);
    };
    if kind == "table"
        && let Some(info) = sql.as_deref().and_then(dialect::parse_create_table)
    {
        return Ok(Some(TableInfo { temporary, ..info }));
    }
    let text = sql.unwrap_or_default();
    let mut columns = columns_by_pragma(connection, &name)?;
    let mut reads = Vec::new();
    let view = (kind == "view").then(|| match dialect::read_view_note(&text) {
        Some(note) => {
            for (column, ty) in columns.iter_mut().zip(note.columns) {
                column.type_name = PgType::parse(&ty);
            }
            reads = note.reads;
            note.query
        }
        None => view_text(&text),
    });
    Ok(Some(TableInfo {
        name,
        view,
        reads,
        columns,
        temporary,
        ..TableInfo::default()
    }))
}

/// All sequences of the database, at the numbers where they are now.
pub fn all_sequences(sqlite: &Sqlite) -> Result<Vec<SequenceInfo>, Failure> {
    sqlite.trusted(|connection| {
        if !sequences::has_sequences(connection)? {
            return Ok(Vec::new());
        }
        sequences::read(connection, SequenceInfo::PRESENT, "", [])
    })
}

/// The schemas that users have made.
fn all_schemas(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let known = connection
        .prepare_cached("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")?
        .exists([StoredSchema::TABLE])?;
    if !known {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(StoredSchema::READ)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// All comments of the database.
pub fn all_comments(sqlite: &Sqlite) -> Result<Vec<Comment>, Failure> {
    sqlite.trusted(|connection| {
        let known = connection
            .prepare_cached("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")?
            .exists([Comment::TABLE])?;
        if !known {
            return Ok(Vec::new());
        }
        let mut statement = connection.prepare_cached(Comment::READ)?;
        let rows = statement.query_map([], |row| {
            Ok(Comment {
                kind: row.get(0)?,
                object: row.get(1)?,
                part: row.get(2)?,
                text: row.get(3)?,
            })
        })?;
        rows.collect()
    })
}

/// The query of a `CREATE VIEW` text.
fn view_text(sql: &str) -> String {
    let lower = sql.to_ascii_lowercase();
    let at = lower
        .find(" as ")
        .or_else(|| lower.find(" as\n"))
        .map_or(0, |at| at + 4);
    sql.get(at..).unwrap_or(sql).trim().to_owned()
}

/// Views, virtual tables, and what the parser of table texts does not know.
fn columns_by_pragma(connection: &Connection, table: &str) -> rusqlite::Result<Vec<TableColumn>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1",
    )?;
    let rows = statement.query_map([table], |row| {
        let declared: String = row.get(1)?;
        Ok(TableColumn {
            name: row.get(0)?,
            type_name: PgType::from_declared(&declared),
            not_null: row.get::<_, bool>(2)? || row.get::<_, i64>(4)? > 0,
            default: row.get(3)?,
            identity: None,
            rowid_alias: false,
            computed: false,
            domain: None,
            written: None,
        })
    })?;
    rows.collect()
}
