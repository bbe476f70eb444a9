//! Where a transaction of a slave's session runs: here, or on the master (`ForwardWrites`).
//!
//! ```text
//!               a read                        a statement that needs the master
//!  Here ◀───────────────────── Undecided ─────────────────────────────────────▶ There
//!   │ needs the master: 25006      │ BEGIN, SAVEPOINT, SET …: remembered, said      │ every statement
//!   ▼                              ▼ to the master when it is There                 ▼
//!  end of the transaction ──▶ Undecided ◀──────────────── end of the transaction, on both
//! ```
//!
//! This is the one place where that is decided; nothing here does I/O. `pg/forward` does what it says.

use dialect::Statement;
use pgtypes::SqlState;

use crate::environment::Seen;
use crate::failure::Failure;
use crate::session::need::{Need, defines, need};

/// Where the running transaction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Undecided,
    Here,
    There,
}

/// What becomes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// This server runs it.
    Here,
    /// The master runs it.
    There,
    /// The master runs it, and then this server, too.
    Both,
    /// It ends a transaction that the master runs.
    End {
        /// Whether it asks for a commit.
        commit: bool,
    },
}

/// What the route of a statement depends on beside the statement.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// The session may have its transactions run on the master.
    pub may_forward: bool,
    /// The transaction said READ ONLY.
    pub read_only: bool,
    /// The cursor that the statement names is one of this server's.
    pub has_cursor: bool,
}

/// A session's transaction, and what it has written through the master so far.
#[derive(Debug, Default)]
pub struct Forwarding {
    place: Place,
    /// What was said before the place was decided, for the master.
    remembered: Vec<String>,
    /// The transaction has changed definitions: only the master knows what names mean in it.
    defines: bool,
    /// What reads have to see from now on.
    written: Option<Seen>,
    /// What has to be there before a statement can be translated.
    defined: Option<Seen>,
}

impl Forwarding {
    /// Where this statement runs; from then on the place of the transaction is settled, if it asks for that.
    ///
    /// Errors: 25006 for a statement that needs the master in a transaction that has begun here.
    pub fn route(
        &mut self,
        statement: &Statement,
        command: &str,
        situation: Situation,
    ) -> Result<Route, Failure> {
        let need = need(statement);
        match (self.place, need) {
            (Place::There, Need::Cursor) if situation.has_cursor => Ok(Route::Here),
            (Place::There, Need::Master | Need::Nothing | Need::Read | Need::Cursor) => {
                self.defines |= defines(&statement.kind);
                Ok(Route::There)
            }
            (Place::There, Need::Mark | Need::Setting | Need::Begin) => Ok(Route::Both),
            (Place::There, Need::End { commit }) => Ok(Route::End { commit }),
            (_, Need::Master) if !situation.may_forward => {
                // Nothing of it is to be remembered any more.
                self.place = Place::Here;
                Ok(Route::Here)
            }
            (_, Need::Master) if situation.read_only => Err(read_only(command)),
            (Place::Here, Need::Master) => Err(has_read(command)),
            (Place::Undecided, Need::Nothing) if !situation.may_forward || situation.read_only => {
                Ok(Route::Here)
            }
            (Place::Undecided, Need::Master | Need::Nothing) => {
                self.place = Place::There;
                self.defines = defines(&statement.kind);
                Ok(Route::There)
            }
            (Place::Undecided, Need::Read | Need::Cursor) => {
                self.place = Place::Here;
                Ok(Route::Here)
            }
            (Place::There, Need::Own)
            | (Place::Here, Need::Nothing)
            | (
                Place::Undecided | Place::Here,
                Need::Read
                | Need::Mark
                | Need::Setting
                | Need::Begin
                | Need::End { .. }
                | Need::Cursor
                | Need::Own,
            ) => Ok(Route::Here),
        }
    }

    /// A statement of this text has run here. Where the master is to run it first, should the transaction go
    /// there, it is remembered.
    pub fn has_run_here(&mut self, statement: &Statement, text: &str) {
        if self.place == Place::Undecided && need(statement) == Need::Mark {
            self.remembered.push(text.to_owned());
        }
    }

    /// What was remembered, for the transaction that begins on the master.
    pub fn take_remembered(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remembered)
    }

    /// Whether the transaction runs on the master.
    pub fn is_there(&self) -> bool {
        self.place == Place::There
    }

    /// Whether the master has to be asked what a statement of this transaction means.
    pub fn is_defined_there(&self) -> bool {
        self.is_there() && self.defines
    }

    /// The master knows a name that this server does not: it was made in this transaction.
    pub fn note_definition(&mut self) {
        self.defines = true;
    }

    /// The transaction is over.
    pub fn end(&mut self) {
        self.place = Place::Undecided;
        self.remembered.clear();
        self.defines = false;
    }

    /// The master has told at a commit how far a reader there sees. Asked before [`Forwarding::end`].
    pub fn has_seen(&mut self, seen: Seen) {
        self.written = Some(seen);
        if self.defines {
            self.defined = Some(seen);
        }
    }

    /// What a read has to see.
    pub fn written(&self) -> Option<Seen> {
        self.written
    }

    /// What a translation has to know.
    pub fn defined(&self) -> Option<Seen> {
        self.defined
    }

    /// This server shows that, or never will.
    pub fn settle(&mut self, seen: Seen) {
        for waited in [&mut self.written, &mut self.defined] {
            if *waited == Some(seen) {
                *waited = None;
            }
        }
    }
}

fn read_only(command: &str) -> Failure {
    Failure::new(
        SqlState::READ_ONLY_SQL_TRANSACTION,
        format!("cannot execute {command} in a read-only transaction"),
    )
}

fn has_read(command: &str) -> Failure {
    Failure::new(
        SqlState::READ_ONLY_SQL_TRANSACTION,
        format!("cannot execute {command} in a transaction that has read on this slave"),
    )
    .hint("A transaction runs where its first statement does: begin it with the write, or with SELECT … FOR UPDATE, and the master runs all of it (ForwardWrites).")
}

#[cfg(test)]
mod tests {
    use dialect::{NoSchema, analyze};

    use super::*;

    const FORWARDS: Situation = Situation {
        may_forward: true,
        read_only: false,
        has_cursor: false,
    };

    fn statement(sql: &str) -> Statement {
        analyze(sql, &NoSchema).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    fn route(forwarding: &mut Forwarding, sql: &str) -> Result<Route, Failure> {
        let statement = statement(sql);
        let route = forwarding.route(&statement, "X", FORWARDS)?;
        if route == Route::Here {
            forwarding.has_run_here(&statement, sql);
        }
        Ok(route)
    }

    fn routes(texts: &[&str]) -> Vec<Result<Route, String>> {
        let mut forwarding = Forwarding::default();
        let routes = texts.iter().map(|sql| route(&mut forwarding, sql));
        routes
            .map(|route| route.map_err(|failure| failure.sqlstate().to_string()))
            .collect()
    }

    #[test]
    fn the_first_statement_that_reads_or_writes_decides() {
        use Route::{Both, Here, There};
        let end = Ok(Route::End { commit: true });
        let refused = Err("25006".to_owned());
        assert_eq!(
            routes(&[
                "BEGIN",
                "CREATE TABLE t (a int)",
                "SELECT 1",
                "SAVEPOINT s",
                "SHOW TimeZone",
                "SET work_mem = '1MB'",
                "COMMIT"
            ]),
            [
                Ok(Here),
                Ok(There),
                Ok(There),
                Ok(Both),
                Ok(Here),
                Ok(Both),
                end
            ]
        );
        assert_eq!(
            routes(&["BEGIN", "SELECT 1", "CREATE TABLE t (a int)"]),
            [Ok(Here), Ok(Here), refused]
        );
        // What decides nothing.
        assert_eq!(
            routes(&[
                "BEGIN",
                "SET LOCAL work_mem = '1MB'",
                "SAVEPOINT s",
                "SHOW work_mem",
                "CREATE TABLE t (a int)"
            ]),
            [Ok(Here), Ok(Here), Ok(Here), Ok(Here), Ok(There)]
        );
    }

    #[test]
    fn what_this_server_has_nothing_to_do_for_the_master_may_have() {
        let drop = "DROP TABLE IF EXISTS made";
        assert_eq!(
            routes(&["BEGIN", drop, "SELECT 1"]),
            [Ok(Route::Here), Ok(Route::There), Ok(Route::There)]
        );
        assert_eq!(
            routes(&["BEGIN", "SELECT 1", drop]),
            [Ok(Route::Here), Ok(Route::Here), Ok(Route::Here)]
        );
    }

    #[test]
    fn what_is_said_before_the_place_is_decided_is_remembered_for_the_master() {
        let mut forwarding = Forwarding::default();
        for sql in [
            "BEGIN",
            "SAVEPOINT a",
            "RELEASE a",
            "SET LOCAL work_mem = '1MB'",
            "SAVEPOINT b",
        ] {
            assert_eq!(route(&mut forwarding, sql).unwrap(), Route::Here);
        }
        assert_eq!(
            route(&mut forwarding, "CREATE TABLE t (a int)").unwrap(),
            Route::There
        );
        assert_eq!(
            forwarding.take_remembered(),
            ["SAVEPOINT a", "RELEASE a", "SAVEPOINT b"]
        );
        // The master hears what comes now at once.
        route(&mut forwarding, "SAVEPOINT c").unwrap();
        assert!(forwarding.take_remembered().is_empty());
        // Those of a transaction that has ended here are of no interest.
        forwarding.end();
        route(&mut forwarding, "SAVEPOINT d").unwrap();
        forwarding.end();
        assert!(forwarding.take_remembered().is_empty());
    }

    #[test]
    fn without_forwarding_everything_runs_here_and_a_read_only_transaction_is_never_sent() {
        let mut forwarding = Forwarding::default();
        let write = statement("CREATE TABLE t (a int)");
        let off = Situation {
            may_forward: false,
            ..FORWARDS
        };
        assert_eq!(forwarding.route(&write, "X", off).unwrap(), Route::Here);
        forwarding.has_run_here(&statement("SAVEPOINT s"), "SAVEPOINT s");
        assert!(
            forwarding.take_remembered().is_empty(),
            "a master's block may have thousands"
        );
        forwarding.end();
        let reads = Situation {
            read_only: true,
            ..FORWARDS
        };
        let refused = forwarding.route(&write, "CREATE TABLE", reads).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "cannot execute CREATE TABLE in a read-only transaction (25006)"
        );
        assert_eq!(
            forwarding.route(&write, "X", FORWARDS).unwrap(),
            Route::There
        );
    }

    #[test]
    fn a_cursor_is_read_where_it_is() {
        let mut forwarding = Forwarding::default();
        let (write, fetch) = (statement("CREATE TABLE t (a int)"), statement("FETCH c"));
        forwarding.route(&write, "X", FORWARDS).unwrap();
        assert_eq!(
            forwarding.route(&fetch, "X", FORWARDS).unwrap(),
            Route::There
        );
        let held = Situation {
            has_cursor: true,
            ..FORWARDS
        };
        assert_eq!(forwarding.route(&fetch, "X", held).unwrap(), Route::Here);
    }

    #[test]
    fn reads_wait_for_what_was_written_and_translations_for_what_was_defined() {
        let mut forwarding = Forwarding::default();
        let first: Seen = "1-0-7".parse().unwrap();
        route(&mut forwarding, "SELECT lastval()").unwrap();
        forwarding.has_seen(first);
        forwarding.end();
        assert_eq!(
            (forwarding.written(), forwarding.defined()),
            (Some(first), None)
        );
        let second: Seen = "1-0-8".parse().unwrap();
        route(&mut forwarding, "CREATE TABLE t (a int)").unwrap();
        assert!(forwarding.is_defined_there());
        forwarding.has_seen(second);
        forwarding.end();
        assert_eq!(
            (forwarding.written(), forwarding.defined()),
            (Some(second), Some(second))
        );
        forwarding.settle(first);
        assert_eq!(forwarding.written(), Some(second));
        forwarding.settle(second);
        assert_eq!((forwarding.written(), forwarding.defined()), (None, None));
    }
}
