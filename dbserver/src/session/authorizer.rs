//! What SQL of a client may do to its SQLite connection: the list of what is allowed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// PRAGMAs that look and change nothing, also with an argument.
const READING_PRAGMAS: [&str; 14] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// PRAGMAs that are read without an argument and would change something with one.
const BARE_PRAGMAS: [&str; 9] = [
    "application_id",
    "data_version",
    "encoding",
    "foreign_keys",
    "freelist_count",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];

/// Functions that reach outside the database.
const DENIED_FUNCTIONS: [&str; 4] = ["load_extension", "fts3_tokenizer", "edit", "sqlite_dbpage"];

/// The check that SQLite calls while it prepares a statement. While `trusted` is set the statements
/// are the server's own.
/// What views read is noted in `reads` while somebody asks for it.
/// Tables in `denied` are not for the session's role; what it may do with others is decided before SQLite sees the
/// statement.
/// With `closed` the tables of the database are not for this user. `temporary` is set with the first object of the
/// session's own schema.
pub(crate) fn authorizer(
    trusted: Arc<AtomicBool>,
    closed: bool,
    (reads, denied): (Arc<Reads>, Arc<Denied>),
    temporary: Arc<AtomicBool>,
) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static {
    move |context: AuthContext<'_>| {
        reads.note(&context);
        if makes_temporary(&context.action) {
            temporary.store(true, Ordering::Relaxed);
        }
        let hidden = closed
            && context.database_name == Some("main")
            && matches!(context.action, AuthAction::Read { .. });
        let hidden = hidden || denied.has(&context);
        if trusted.load(Ordering::Relaxed) || (!hidden && allowed(&context.action)) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

/// A column that a statement reads; no column where it only reads rows of the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Read {
    /// The table or view.
    pub(crate) relation: String,
    /// The column.
    pub(crate) column: String,
    /// The view in whose text it stands.
    pub(crate) view: Option<String>,
}

/// What the statements being prepared read, while somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<Option<Vec<Read>>>);

impl Reads {
    fn note(&self, context: &AuthContext<'_>) {
        let AuthAction::Read {
            table_name,
            column_name,
        } = context.action
        else {
            return;
        };
        if let Some(reads) = &mut *self.lock() {
            reads.push(Read {
                relation: table_name.to_owned(),
                column: column_name.to_owned(),
                view: context.accessor.map(str::to_owned),
            });
        }
    }

    /// What is read while `work` runs.
    pub(crate) fn during(&self, work: impl FnOnce()) -> Vec<Read> {
        *self.lock() = Some(Vec::new());
        work();
        self.lock().take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Read>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tables of the database, in lower case, that a session's role has no right on.
#[derive(Debug, Default)]
pub(crate) struct Denied {
    any: AtomicBool,
    paused: AtomicBool,
    tables: Mutex<Vec<String>>,
}

impl Denied {
    /// These from now on.
    pub(crate) fn set(&self, mut tables: Vec<String>) {
        tables.sort();
        self.any.store(!tables.is_empty(), Ordering::Relaxed);
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = tables;
    }

    /// None of them is denied, or they are again.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Whether an action is about one of them. What views and triggers do is not asked: they have rights of their own.
    fn has(&self, context: &AuthContext<'_>) -> bool {
        if !self.any.load(Ordering::Relaxed)
            || self.paused.load(Ordering::Relaxed)
            // A count of rows names no database where the statement names none.
            || !matches!(context.database_name, None | Some("main"))
            || context.accessor.is_some()
        {
            return false;
        }
        let table = match context.action {
            AuthAction::Read { table_name, .. }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name } => table_name.to_ascii_lowercase(),
            _ => return false,
        };
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.binary_search(&table).is_ok()
    }
}

fn makes_temporary(action: &AuthAction<'_>) -> bool {
    matches!(
        action,
        AuthAction::CreateTempIndex { .. }
            | AuthAction::CreateTempTable { .. }
            | AuthAction::CreateTempTrigger { .. }
            | AuthAction::CreateTempView { .. }
    )
}

fn allowed(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Unknown { .. } => false,
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => pragma(pragma_name, *pragma_value),
        AuthAction::Function { function_name } => !DENIED_FUNCTIONS
            .iter()
            .any(|denied| denied.eq_ignore_ascii_case(function_name)),
        AuthAction::CreateVtable { module_name, .. } => {
            // A table-valued view of raw pages, of the schema's memory and the like: not for clients.
            ["fts5", "rtree"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(module_name))
        }
        _ => true,
    }
}

fn pragma(name: &str, value: Option<&str>) -> bool {
    let listed = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    listed(&READING_PRAGMAS) || (value.is_none() && listed(&BARE_PRAGMAS))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn client(closed: bool) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .authorizer(Some(authorizer(
                Arc::new(AtomicBool::new(false)),
                closed,
                (Arc::default(), Arc::default()),
                Arc::default(),
            )))
            .unwrap();
        connection
    }

    #[test]
    fn ordinary_statements_pass() {
        let client = client(false);
        client
            .execute_batch(
                "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t(b);
                 INSERT INTO t(b) VALUES('x'); UPDATE t SET b = upper(b); ALTER TABLE t ADD COLUMN c;
                 CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END; DROP TABLE t;",
            )
            .unwrap();
    }

    #[test]
    fn what_reaches_outside_or_below_the_database_is_refused() {
        let client = client(false);
        for sql in [
            "ATTACH 'x.db' AS x",
            "DETACH main",
            "PRAGMA journal_mode = WAL",
            "PRAGMA writable_schema = ON",
            "PRAGMA synchronous",
            "PRAGMA user_version = 3",
            "PRAGMA page_size = 512",
            "BEGIN",
            "SAVEPOINT s",
            "SELECT load_extension('x')",
        ] {
            assert!(client.prepare(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn reading_pragmas_pass() {
        let client = client(false);
        for sql in [
            "PRAGMA table_info(t)",
            "PRAGMA user_version",
            "PRAGMA quick_check",
        ] {
            assert!(client.prepare(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn a_denied_table_is_out_of_reach_but_through_a_view() {
        let mut client = Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE T(a); CREATE TABLE u(a); CREATE VIEW v AS SELECT a FROM T";
        client.execute_batch(sql).unwrap();
        let denied = Arc::<Denied>::default();
        let (trusted, other) = (Arc::default(), (Arc::default(), Arc::clone(&denied)));
        client
            .authorizer(Some(authorizer(trusted, false, other, Arc::default())))
            .unwrap();
        denied.set(vec!["t".to_owned()]);
        for sql in [
            "SELECT a FROM t",
            "SELECT count(*) FROM t",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "INSERT INTO u SELECT a FROM t",
        ] {
            assert!(client.prepare(sql).is_err(), "{sql}");
        }
        assert!(client.prepare("SELECT a FROM v").is_ok());
        assert!(client.prepare("DELETE FROM u").is_ok());
        denied.set(Vec::new());
        assert!(client.prepare("SELECT a FROM t").is_ok());
    }

    #[test]
    fn a_closed_database_answers_what_needs_no_table() {
        let mut client = client(true);
        assert!(client.prepare("SELECT 1").is_ok());
        client
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
            .unwrap();
        client.execute_batch("CREATE TABLE users(a)").unwrap();
        let guard = authorizer(
            Arc::new(AtomicBool::new(false)),
            true,
            (Arc::default(), Arc::default()),
            Arc::default(),
        );
        client.authorizer(Some(guard)).unwrap();
        assert!(client.prepare("SELECT a FROM users").is_err());
    }
}
