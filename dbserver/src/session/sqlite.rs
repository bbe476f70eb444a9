//! A session's connection to SQLite: opened, limited, guarded, and opened again when its cache can
//! no longer be believed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pagestore::{CommitNumber, PageStore, Snapshot};
use pgtypes::{SqlState, SqlValue};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{CachedStatement, Connection, InterruptHandle};
use sqlitevfs::{FileHandle, Offer, WriteMode, WriteSet};

use crate::databases::database::Database;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::authorizer::{self, Denied, Read, Reads};
use crate::session::bounds::Bounds;
use crate::session::changes::{ChangedRows, Plan, RowPlans, TableName};
use crate::session::functions::{self, facts::Facts};
use crate::session::lost_work::LostWork;
use crate::session::mapping;
use crate::session::schema_cache::SchemaCache;
use crate::session::search_path;
use crate::session::sequences::{self, SessionSequences};

/// Prepared statements that stay in SQLite's hands.
const CACHED_STATEMENTS: usize = 256;
/// Longest string, blob or row.
const MAX_VALUE_BYTES: i32 = 512 * 1024 * 1024;
/// Longest SQL text.
const MAX_SQL_BYTES: i32 = 64 * 1024 * 1024;
/// Deepest expression; below what a session's stack holds.
const MAX_EXPRESSION_DEPTH: i32 = 1000;
/// Depth of triggers that fire triggers.
const MAX_TRIGGER_DEPTH: i32 = 100;

/// A connection and its handle on the database's pages.
pub struct Sqlite {
    connection: Connection,
    /// Snapshots, permission to write, the write set.
    handle: FileHandle,
    store: Arc<PageStore>,
    epoch: u64,
    /// The page store's epoch at the first write: SQLite's cache may have pages of commits that were
    /// not durable then.
    wrote_in: Cell<Option<u64>>,
    schema: SchemaCache,
    trusted: Arc<AtomicBool>,
    reads: Arc<Reads>,
    denied: Arc<Denied>,
    /// The session has, or had, tables of its own.
    temporary: Arc<AtomicBool>,
    changed_rows: ChangedRows,
    /// How the rows of tables are read and written, for one version of the schema.
    row_plans: RefCell<RowPlans>,
    sequences: Arc<SessionSequences>,
    facts: Arc<Facts>,
    bounds: Cell<Bounds>,
}

impl Sqlite {
    /// Opens a connection for a session.
    pub fn open(database: &Database, epoch: u64, facts: &Arc<Facts>) -> Result<Rc<Self>, Failure> {
        let (mut connection, handle) = database.open_connection()?;
        let trusted = Arc::new(AtomicBool::new(true));
        let reads = Arc::<Reads>::default();
        let denied = Arc::<Denied>::default();
        let temporary = Arc::<AtomicBool>::default();
        prepare(
            &mut connection,
            (&trusted, &reads, &denied, &temporary),
            facts,
        )
        .map_err(|error| mapping::sqlite(&error))?;
        let changed_rows = ChangedRows::of(&mut connection)?;
        trusted.store(false, Ordering::Relaxed);
        Ok(Rc::new(Self {
            connection,
            handle,
            store: Arc::clone(database.store()),
            epoch,
            wrote_in: Cell::new(None),
            schema: SchemaCache::default(),
            trusted,
            reads,
            denied,
            temporary,
            changed_rows,
            row_plans: RefCell::default(),
            sequences: Arc::clone(facts.sequences()),
            facts: Arc::clone(facts),
            bounds: Cell::default(),
        }))
    }

    /// Takes no more of the machine than this from now on.
    pub fn keep_to(&self, bounds: Bounds) -> Result<(), Failure> {
        let before = self.bounds.get();
        if before == bounds {
            return Ok(());
        }
        self.handle.limit_temporary_files(bounds.temporary_bytes);
        if before.work_mem_kib != bounds.work_mem_kib {
            // A sort takes as much memory as the cache may have. It is set when the statement is prepared: none is kept.
            let sql = format!("PRAGMA cache_size = -{}", bounds.work_mem_kib);
            self.trusted(|connection| connection.execute_batch(&sql))?;
        }
        self.bounds.set(bounds);
        Ok(())
    }

    /// The session's settings that values are read and written by.
    pub fn context(&self) -> Arc<pgtypes::Context> {
        self.facts.context()
    }

    /// The environment's epoch when it was opened: pages cached before a later one may be of commits
    /// that were taken back.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// It reads what it has committed itself, also before others see it.
    pub fn see_own(&self, commit: CommitNumber) {
        self.handle.see_own(commit);
        self.facts.set_own_commit(commit.get());
    }

    /// The newest commit of those.
    pub fn own_commit(&self) -> u64 {
        self.handle.own().get()
    }

    /// What a reader sees who comes now, and what it has committed itself.
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot_with(self.handle.own())
    }

    /// Whether it has written on a state that nobody writes on any more: it reads nothing from now on.
    pub fn is_void(&self) -> bool {
        let epoch = self.wrote_in.get();
        epoch.is_some_and(|epoch| epoch != self.store.epoch())
    }

    /// The tables that the session's role has no right on.
    pub(super) fn denied(&self) -> &Denied {
        &self.denied
    }

    /// What was read of the schema.
    pub fn schema(&self) -> &SchemaCache {
        &self.schema
    }

    /// The lost transaction that the session's one does again.
    pub(crate) fn lost(&self) -> &LostWork {
        self.facts.lost()
    }

    /// The sequences of the database, as the session sees them.
    pub fn sequences(&self) -> &SessionSequences {
        &self.sequences
    }

    /// What ends a running statement from another thread.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Rows that the newest completed change has changed.
    pub fn changes(&self) -> u64 {
        self.connection.changes()
    }

    /// Rows that all changes of this connection have changed, whether the update hook was told of them or not.
    pub fn total_changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// What the page store said where SQLite only knows of a failed read or write.
    pub fn take_error(&self) -> Option<sqlitevfs::Error> {
        self.handle.take_error()
    }

    /// Whether a transaction of SQLite's is open.
    pub fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// With a snapshot, every statement from the next one on reads exactly this one.
    pub fn pin_snapshot(&self, snapshot: Option<Snapshot>) {
        self.handle.pin_snapshot(snapshot);
    }

    /// Begins SQLite's transaction: with the write permit, or for itself only.
    pub fn begin(&self, mode: WriteMode) -> Result<(), Failure> {
        self.set_write_mode(mode);
        self.run("BEGIN IMMEDIATE")
            .inspect_err(|_| self.handle.allow_write(false))
    }

    /// The private transaction, which is on the newest commit, becomes the one that will be committed.
    pub fn promote(&self) {
        self.set_write_mode(WriteMode::Permit);
    }

    /// SQLite commits the private transaction, and the pages are kept: they go to the log when they are brought onto the
    /// newest commit, or the connection forgets them.
    ///
    /// Errors: SQLite's; the transaction is to be rolled back.
    pub fn offer(&self) -> Result<(), Failure> {
        self.set_write_mode(WriteMode::Offer);
        self.run("COMMIT")
    }

    /// The pages that were offered; `None` when nothing changed, or when the state that they were made on was lost.
    pub fn offered(&self) -> Option<Offer> {
        self.handle.offer()
    }

    /// What was offered goes to the log.
    pub fn settle(&self) {
        self.handle.settle();
        self.handle.allow_write(false);
    }

    /// What was offered is thrown away.
    pub fn withdraw(&self) {
        self.handle.withdraw();
        self.handle.allow_write(false);
    }

    /// The commit that SQLite's transaction reads.
    pub fn snapshot_commit(&self) -> Option<CommitNumber> {
        self.handle.snapshot_commit()
    }

    /// The rows that were changed on the connection.
    pub fn changed_rows(&self) -> &ChangedRows {
        &self.changed_rows
    }

    /// Whether a table is the session's own, where nobody else is.
    ///
    /// Errors: 42P01.
    pub fn is_own_table(&self, table: &str) -> Result<bool, Failure> {
        let there = |schema: &str| {
            let sql = format!(
                "SELECT 1 FROM {schema}.sqlite_schema WHERE name = ?1 AND type IN ('table', 'view')"
            );
            self.trusted(|connection| connection.prepare_cached(&sql)?.exists([table]))
        };
        if there("temp")? {
            return Ok(true);
        }
        if there("main")? {
            return Ok(false);
        }
        Err(Failure::new(
            SqlState::UNDEFINED_TABLE,
            format!("relation \"{table}\" does not exist"),
        ))
    }

    /// Has SQLite check foreign keys at COMMIT, or as they were declared; the latter forgets what it has counted.
    pub fn defer_foreign_keys(&self, deferred: bool) -> Result<(), Failure> {
        self.run(if deferred {
            "PRAGMA defer_foreign_keys = ON"
        } else {
            "PRAGMA defer_foreign_keys = OFF"
        })
    }

    /// Whether SQLite was told to check foreign keys at COMMIT.
    pub fn defers_foreign_keys(&self) -> Result<bool, Failure> {
        self.trusted(|connection| {
            connection
                .prepare_cached("PRAGMA defer_foreign_keys")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Whether an index of the database has only some rows of its table.
    pub fn has_partial_indexes(&self) -> Result<bool, Failure> {
        // LIKE is PostgreSQL's here, and tells small letters from capitals.
        let sql =
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'index' AND instr(lower(sql), 'where')";
        self.trusted(|connection| connection.prepare_cached(sql)?.exists([]))
    }

    /// Looks whether the schema is still the one that was read.
    pub fn refresh_schema(&self) -> Result<(), Failure> {
        self.schema.refresh(self.schema_version()?);
        Ok(())
    }

    /// How the rows of a table are read and written, by the schema as it was looked at last; `None` where they have no number.
    pub(super) fn row_plan(&self, table: &TableName) -> Result<Option<Rc<Plan>>, Failure> {
        let mut plans = self.row_plans.borrow_mut();
        plans.of_generation(self.schema.generation());
        if let Some(plan) = plans.get(table) {
            return Ok(plan);
        }
        let plan = self
            .trusted(|connection| Plan::of(connection, table))?
            .map(Rc::new);
        plans.insert(table.clone(), plan.clone());
        Ok(plan)
    }

    /// Ends SQLite's transaction, if one is open, and throws away what it has written.
    pub fn rollback(&self) -> Result<(), Failure> {
        let ended = if self.in_transaction() {
            self.run("ROLLBACK")
        } else {
            Ok(())
        };
        self.handle.discard_write_set();
        self.handle.allow_write(false);
        ended
    }

    /// The pages of what SQLite has committed; `None` when nothing changed. It may write no more.
    pub fn take_write_set(&self) -> Option<WriteSet> {
        let write_set = self.handle.take_write_set();
        self.handle.allow_write(false);
        write_set
    }

    /// Rebuilds the database, with the write permit; COMMIT is SQLite's own.
    pub fn vacuum(&self) -> Result<(), Failure> {
        self.set_write_mode(WriteMode::Permit);
        let rebuilt = self.trusted(|connection| {
            // The new database is one that SQLite attaches, under a name that nobody knows.
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
            let result = connection.execute_batch("VACUUM");
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
            result
        });
        rebuilt.inspect_err(|_| self.handle.allow_write(false))
    }

    /// Runs a statement of the server's own that gives no rows; it stays prepared.
    pub fn run(&self, sql: &str) -> Result<(), Failure> {
        self.trusted(|connection| connection.prepare_cached(sql)?.raw_execute().map(drop))
    }

    /// Calls `work` with the authorizer off.
    pub fn trusted<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let before = self.trusted.swap(true, Ordering::Relaxed);
        let result = work(&self.connection);
        self.trusted.store(before, Ordering::Relaxed);
        result.map_err(|error| mapping::sqlite(&error))
    }

    /// The tables, views and columns that a query reads.
    pub(crate) fn reads_of(&self, sql: &str) -> Result<Vec<Read>, Failure> {
        let mut prepared = Ok(());
        let reads = self.reads.during(|| {
            prepared = self.trusted(|connection| connection.prepare(sql).map(drop));
        });
        prepared.map(|()| reads)
    }

    /// The schemas in which a name of a user's is looked up; `made`: all that users have made.
    pub(crate) fn search_path(&self, made: &[String]) -> Vec<String> {
        search_path::of_users(&self.facts.search_path(), &self.facts.role(), made)
    }

    /// Functions know the schemas that users have made.
    pub(crate) fn show_schemas(&self, made: &[String]) {
        self.facts.set_schemas(made);
    }

    /// The values of the row that a trigger of [`super::noted_row`] has told of.
    pub(crate) fn take_noted_row(&self) -> Vec<SqlValue> {
        self.facts.take_noted_row()
    }

    /// The session's database and all others.
    pub(crate) fn databases(&self) -> (String, Vec<String>) {
        self.facts.databases()
    }

    /// Prepares a client's statement, or takes it from the cache.
    pub fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Failure> {
        self.changed_rows.prepare_for(sql);
        self.connection
            .prepare_cached(sql)
            .map_err(|error| mapping::sqlite(&error))
    }

    /// Runs one of several texts that make a statement.
    pub fn run_part(&self, text: &str) -> Result<(), Failure> {
        sequences::make_ready(self, &dialect::sequences_of(text))?;
        Ok(self.prepare(text)?.raw_execute().map(drop)?)
    }

    /// Runs a client's change; gives the number of changed rows.
    pub fn change(&self, text: &str, values: &[SqlValue]) -> Result<u64, Failure> {
        let mut statement = self.prepare(text)?;
        mapping::bind(&mut statement, values)?;
        if statement.column_count() > 0 {
            // Some PRAGMA or SELECT in the place of a change: its rows are nobody's.
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            return Ok(0);
        }
        let changed = statement.raw_execute()?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// The number that moves with each change of the schema.
    pub fn schema_version(&self) -> Result<i64, Failure> {
        let version = |text| {
            self.trusted(|connection| -> rusqlite::Result<i64> {
                let mut statement = connection.prepare_cached(text)?;
                statement.query_row([], |row| row.get(0))
            })
        };
        // The session's own tables hide those of the database.
        let own = if self.temporary.load(Ordering::Relaxed) {
            version("PRAGMA temp.schema_version")?
        } else {
            0
        };
        let cookie = self.handle.schema_cookie();
        let of_database = match cookie.map_err(|error| EngineError::from(&error))? {
            Some(cookie) => i64::from(cookie),
            None => version("PRAGMA main.schema_version")?,
        };
        Ok((own << 32) | of_database)
    }

    fn set_write_mode(&self, mode: WriteMode) {
        if mode != WriteMode::Refused && self.wrote_in.get().is_none() {
            self.wrote_in.set(Some(self.store.epoch()));
        }
        self.handle.set_write_mode(mode);
    }

    /// Lets the server's own statements of `work` write `sqlite_schema`.
    pub fn with_writable_schema<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.trusted(|connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
            let result = connection
                .execute_batch("PRAGMA writable_schema = ON")
                .and_then(|()| work(connection));
            // Both are undone whatever came of the work.
            let reset = connection.execute_batch("PRAGMA writable_schema = RESET");
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            reset.and(result)
        })
    }
}

fn prepare(
    connection: &mut Connection,
    (trusted, reads, denied, temporary): (
        &Arc<AtomicBool>,
        &Arc<Reads>,
        &Arc<Denied>,
        &Arc<AtomicBool>,
    ),
    facts: &Arc<Facts>,
) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, MAX_EXPRESSION_DEPTH),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, MAX_TRIGGER_DEPTH),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    // "text" is a name and never a string, in what clients send; a schema that was made elsewhere
    // may rely on the older reading.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    functions::register(connection, facts)?;
    connection.authorizer(Some(authorizer::authorizer(
        Arc::clone(trusted),
        facts.is_closed(),
        (Arc::clone(reads), Arc::clone(denied)),
        Arc::clone(temporary),
    )))
}
