//! A translated statement: what to run, and what the session must know about it.

use crate::explain::Explain;
use pgtypes::PgType;

use crate::access::Access;
pub use crate::analysis::{Origin, OriginTable};
pub use crate::copy_options::{ColumnSet, CopyFormat, CopyHeader, CopyOptions};
pub use crate::cursor::FetchCount;
use crate::ddl::grant::{Grant, Membership, Who};
pub use crate::ddl::owner::Owned;
use crate::ddl::role_options::RoleOptions;
use crate::defaults::{DefaultChange, DefaultRole};
pub use crate::lock::LockMode;
pub use crate::needs::{Check, Needs, Violation};
pub use crate::notice::Notice;
use crate::sequence::Sequences;

/// The result of [`crate::analyze`]: one client statement, ready to be prepared by SQLite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a statement"
)]
pub struct Statement {
    /// What the session does with it.
    pub kind: StatementKind,
    /// SQLite's text: empty for what the session does by itself; usually one. Where there are several, they run in
    /// order as one unit (a savepoint), parameters and results belong to the last.
    pub sqlite: Vec<String>,
    /// One entry per `$n`; `None` where nothing tells the type.
    pub parameters: Vec<Option<PgType>>,
    /// The tag of `CommandComplete`.
    pub tag: CommandTag,
    /// Needs the write permit.
    pub writes: bool,
    /// Inserts given rows, or changes one named by a key: what others commit meanwhile matters only where it is about it.
    pub by_key: bool,
    /// Does nothing but insert rows.
    pub only_inserts: bool,
    /// May give rows other numbers: those by which SQLite tells of changes.
    pub moves_rows: bool,
    /// Tables that it changes or defines, temporary ones too: who has locked one whole is waited for.
    pub tables: Vec<String>,
    /// It makes a table or a view of the session's own.
    pub makes_temporary: bool,
    /// Tables that it empties whole (TRUNCATE): of their rows SQLite tells nothing.
    pub clears: Vec<String>,
    /// FOR UPDATE or FOR SHARE was said: what was read must be the same when the transaction commits.
    pub locks_rows: bool,
    /// Gives rows although it is not a query (RETURNING).
    pub returning: bool,
    /// Either empty (nothing known) or one entry per result column; `None` = SQLite's declared type or the value tells.
    pub columns: Vec<Option<PgType>>,
    /// The names of the result's columns; empty: SQLite's are the names.
    pub names: Vec<String>,
    /// The columns of tables that they are; empty where nothing is known.
    pub origins: Vec<Option<Origin>>,
    /// The changes of its WITH, which run before it in their order: what each returns is a parameter behind the client's.
    pub before: Vec<Before>,
    /// The sequences that it may call: the server has to know them before it runs.
    pub sequences: Sequences,
    /// The result has rows without columns: what SQLite gives as its only column is not shown.
    pub without_columns: bool,
    /// Reads tables of [`crate::catalog`]; they must be there (and current) before the statement is prepared.
    pub catalog: bool,
    /// What must hold around the execution of `sqlite`.
    pub needs: Option<Needs>,
    /// Sent to the client as `NoticeResponse` (severity NOTICE or WARNING) before completion.
    pub notices: Vec<Notice>,
    /// Statements of PostgreSQL's that it consists of: they run in this order, each with the schema that the one before
    /// has left, and `sqlite` is empty.
    pub parts: Vec<String>,
    /// Roles that it names and that must exist.
    pub roles: Vec<Role>,
    /// What its user must be allowed to do.
    pub access: Vec<Access>,
    /// Queries that must give no row before it runs.
    pub first: Vec<Check>,
    /// It may not stand in a transaction block: what the error calls it.
    pub outside_block: Option<&'static str>,
}

impl Statement {
    /// A statement that SQLite does not see.
    pub fn session(kind: StatementKind, tag: &'static str) -> Self {
        Self {
            kind,
            sqlite: Vec::new(),
            parameters: Vec::new(),
            tag: CommandTag::Fixed(tag),
            writes: false,
            by_key: false,
            only_inserts: false,
            moves_rows: false,
            tables: Vec::new(),
            makes_temporary: false,
            clears: Vec::new(),
            locks_rows: false,
            returning: false,
            columns: Vec::new(),
            names: Vec::new(),
            origins: Vec::new(),
            before: Vec::new(),
            sequences: Sequences::None,
            without_columns: false,
            catalog: false,
            needs: None,
            notices: Vec::new(),
            parts: Vec::new(),
            roles: Vec::new(),
            access: Vec::new(),
            first: Vec::new(),
            outside_block: None,
        }
    }

    /// A schema change that consists of these statements of PostgreSQL's.
    pub fn of_parts(tag: &'static str, parts: Vec<String>) -> Self {
        Self {
            parts,
            ..Self::ddl(tag, Vec::new())
        }
    }

    /// A statement that is refused by this name.
    pub fn refused(what: &'static str) -> Self {
        Self::session(StatementKind::Refused { what }, "")
    }

    /// A statement whose effect is there already, with its tag.
    pub fn accepted(tag: &'static str) -> Self {
        Self::session(StatementKind::NoOperation, tag)
    }

    /// Whether it changes definitions of sequences.
    pub fn changes_sequences(&self) -> bool {
        self.writes
            && (self.kind == StatementKind::Ddl || self.sqlite.len() > 1)
            && self
                .sqlite
                .iter()
                .any(|text| text.contains("main.eloqdb_sequence"))
    }

    /// A schema change by these statements.
    pub fn ddl(tag: &'static str, sqlite: Vec<String>) -> Self {
        Self {
            sqlite,
            writes: true,
            ..Self::session(StatementKind::Ddl, tag)
        }
    }
}

/// A role that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What can't be done, as its refusal names it, unless the role is the session's user.
    pub only_own: Option<&'static str>,
}

/// A change in WITH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// SQLite's text.
    pub text: String,
    /// The types of what it returns: a JSON array of objects whose members `c0`, `c1` … are texts of values.
    pub columns: Vec<PgType>,
    /// As [`Statement::tag`].
    pub tag: CommandTag,
    /// As [`Statement::catalog`].
    pub catalog: bool,
    /// As [`Statement::moves_rows`].
    pub moves_rows: bool,
}

/// The tag of `CommandComplete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandTag {
    /// `SELECT n`
    Select,
    /// `INSERT 0 n`
    Insert,
    /// `UPDATE n`
    Update,
    /// `DELETE n`
    Delete,
    /// `COPY n`
    Copy,
    /// `FETCH n`
    Fetch,
    /// A tag without a number.
    Fixed(&'static str),
}

impl CommandTag {
    /// The tag with the number of rows.
    pub fn render(self, rows: u64) -> String {
        match self {
            Self::Select => format!("SELECT {rows}"),
            Self::Insert => format!("INSERT 0 {rows}"),
            Self::Update => format!("UPDATE {rows}"),
            Self::Delete => format!("DELETE {rows}"),
            Self::Copy => format!("COPY {rows}"),
            Self::Fetch => format!("FETCH {rows}"),
            Self::Fixed(tag) => tag.to_owned(),
        }
    }
}

/// Isolation levels. READ UNCOMMITTED is READ COMMITTED, as in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees its own snapshot.
    ReadCommitted,
    /// One snapshot.
    RepeatableRead,
    /// One snapshot, and what was read is compared at COMMIT.
    Serializable,
}

impl Isolation {
    /// As `SHOW transaction_isolation` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}

/// The modes of BEGIN, START TRANSACTION, SET TRANSACTION and SET SESSION CHARACTERISTICS; `None` = not mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionModes {
    /// ISOLATION LEVEL …
    pub isolation: Option<Isolation>,
    /// READ ONLY (true) or READ WRITE (false).
    pub read_only: Option<bool>,
    /// DEFERRABLE; accepted.
    pub deferrable: Option<bool>,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are the clauses of the statements they are named after"
)]
pub enum StatementKind {
    /// Only blanks, comments and semicolons: `EmptyQueryResponse`.
    Empty,
    /// SELECT, VALUES, TABLE, WITH … SELECT: run `sqlite`, send rows.
    Query,
    /// INSERT, UPDATE, DELETE, TRUNCATE (also behind WITH).
    Dml,
    /// Schema changes.
    Ddl,
    /// EXPLAIN: `sqlite` has the statement, and behind it what asks for its plan, which is sent under the name
    /// `QUERY PLAN`.
    Explain(Explain),
    /// What it asks for is so already: CREATE TABLE IF NOT EXISTS of one that is there, GRANT, OWNER TO the user …
    NoOperation,
    /// Refused (0A000) when the roles that it names are known to exist.
    Refused {
        what: &'static str,
    },
    Begin(TransactionModes),
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint {
        name: String,
    },
    Release {
        name: String,
    },
    RollbackTo {
        name: String,
    },
    /// PREPARE TRANSACTION and the like are refused with 0A000; this is SQL's PREPARE name (types) AS statement.
    Prepare {
        name: String,
        types: Vec<PgType>,
        statement: String,
    },
    /// EXECUTE name (literals); the arguments are SQL expressions.
    Execute {
        name: String,
        arguments: Vec<String>,
    },
    /// DEALLOCATE name, or ALL (`None`).
    Deallocate {
        name: Option<String>,
    },
    /// SET [SESSION | LOCAL] name TO value; `None` = DEFAULT. List values are joined by ", ".
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    /// SET TRANSACTION …
    SetTransaction(TransactionModes),
    /// SET SESSION CHARACTERISTICS AS TRANSACTION …
    SetCharacteristics(TransactionModes),
    /// RESET name, or ALL (`None`).
    Reset {
        name: Option<String>,
    },
    /// SHOW name, or ALL (`None`). TRANSACTION ISOLATION LEVEL, TIME ZONE … arrive under their parameter names.
    Show {
        name: Option<String>,
    },
    /// SET CONSTRAINTS ALL (`None`) | names DEFERRED | IMMEDIATE.
    SetConstraints {
        names: Option<Vec<String>>,
        deferred: bool,
    },
    /// SET ROLE and SET SESSION AUTHORIZATION; `None`: back to the session's user.
    SetRole {
        name: Option<String>,
        session: bool,
        local: bool,
    },
    /// PREPARE TRANSACTION: there is none, so the transaction is rolled back.
    PrepareTransaction,
    CreateDatabase {
        name: String,
        if_not_exists: bool,
        /// OWNER
        owner: Option<Who>,
        /// CONNECTION LIMIT
        limit: Option<i64>,
    },
    DropDatabase {
        name: String,
        if_exists: bool,
    },
    AlterDatabaseRename {
        name: String,
        to: String,
    },
    CopyIn {
        table: String,
        columns: Vec<String>,
        options: CopyOptions,
    },
    /// COPY table TO STDOUT or COPY (query) TO STDOUT: `sqlite` holds the query in both cases.
    CopyOut {
        options: CopyOptions,
    },
    /// DBCTL '<command>'
    Dbctl {
        command: String,
    },
    /// DISCARD ALL (`true`) or PLANS, SEQUENCES, TEMP; `sequences`: what currval tells goes, too; `temporary`: the
    /// session's own tables go, too.
    Discard {
        all: bool,
        sequences: bool,
        temporary: bool,
    },
    /// DECLARE name CURSOR FOR query: `sqlite` holds the query.
    DeclareCursor {
        name: String,
        hold: bool,
        /// SCROLL, or NO SCROLL.
        scroll: Option<bool>,
    },
    Fetch {
        name: String,
        count: FetchCount,
    },
    /// MOVE: as FETCH, without rows.
    Move {
        name: String,
        count: FetchCount,
    },
    /// CLOSE name, or ALL (`None`).
    CloseCursor {
        name: Option<String>,
    },
    /// LOCK TABLE.
    LockTable {
        /// The tables, in their order.
        tables: Vec<String>,
        /// How.
        mode: LockMode,
        /// Fails where it would have to wait.
        nowait: bool,
    },
    Listen {
        channel: String,
    },
    Notify {
        channel: String,
        payload: String,
    },
    /// UNLISTEN channel, or * (`None`).
    Unlisten {
        channel: Option<String>,
    },
    /// CHECKPOINT; `sqlite` is empty.
    Checkpoint,
    /// COMMIT PREPARED and ROLLBACK PREPARED of a transaction, of which there are none.
    FinishPrepared {
        id: String,
    },
    /// ANALYZE; `sqlite` is empty.
    Analyze {
        /// The tables that it names: they must exist. Empty: all.
        tables: Vec<String>,
    },
    /// REINDEX; `sqlite` is empty.
    Reindex(Reindex),
    /// VACUUM; `sqlite` is empty.
    Vacuum {
        /// Rebuild the database without its free pages.
        full: bool,
        /// Gather statistics afterwards.
        analyze: bool,
        /// The tables that it names: they must exist. SQLite has one file for all of them.
        tables: Vec<String>,
    },
    /// CREATE USER / ROLE / GROUP name options.
    CreateRole {
        name: String,
        options: Box<RoleOptions>,
    },
    /// ALTER USER / ROLE name options.
    AlterRole {
        role: Who,
        options: Box<RoleOptions>,
    },
    /// GRANT and REVOKE of privileges on objects, ALTER DEFAULT PRIVILEGES.
    Grant(Box<Grant>),
    /// GRANT and REVOKE of roles, ALTER GROUP.
    Membership(Box<Membership>),
    /// ALTER TABLE, VIEW, SEQUENCE … OWNER TO role.
    ChangeOwner {
        of: Owned,
        to: Who,
    },
    AlterDatabaseOwner {
        name: String,
        to: Who,
    },
    /// ALTER DATABASE … CONNECTION LIMIT; -1: none.
    AlterDatabaseLimit {
        name: String,
        limit: i64,
    },
    DropUser {
        name: String,
        if_exists: bool,
    },
    /// ALTER DATABASE, ALTER ROLE … SET, RESET: what sessions begin with.
    AlterDefaults {
        /// Those in this database; `None`: in all.
        database: Option<String>,
        role: DefaultRole,
        change: DefaultChange,
    },
}

/// What REINDEX names; it must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reindex {
    /// Nothing: all indexes.
    All,
    /// REINDEX INDEX name.
    Index(String),
    /// REINDEX TABLE name: the indexes of a table.
    Table(String),
    /// REINDEX SCHEMA name.
    Schema(String),
    /// REINDEX DATABASE name, or SYSTEM: the one that the session is in.
    Database(String),
    /// SQLite's REINDEX name: an index or a table.
    Any(String),
}
