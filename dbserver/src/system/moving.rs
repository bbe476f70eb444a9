//! A database goes from the replicated log to the local one, or back: `database set NAME replication on | off`.
//!
//! ```text
//!  off:  note ─▶ local copy, complete ─▶ dropped in the replicated log ─▶ no note
//!                                        └ from here on it is local
//!  on:   note ─▶ made in the replicated log, complete ─▶ note: done ─▶ local one dropped ─▶ no note
//!                                                        └ from here on it is replicated
//! ```
//! The note is a row of the local `system.db`. Nobody has either of the two open meanwhile, so that nothing is written in the
//! one that is to go. A start finds the note before anybody is let in, and does away with the one that is void.

use std::sync::Arc;

use fwlog::{DatabaseId, Timestamp};
use pagestore::{PAGE_SIZE, PageData, PageImage, PageNumber, ScratchFile, Snapshot};
use rusqlite::{Connection, OptionalExtension, params};
use sqlitevfs::WriteSet;

use crate::databases::Database;
use crate::databases::list::{SYSTEM_DATABASE, SYSTEM_NAME};
use crate::databases::open_mode::OpenMode;
use crate::databases::openings::{Conflict, Leave, Opened, Opening};
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::environment::local::is_local;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::system::authority;
use crate::system::local;
use crate::system::ownership::{self, Ownership};
use crate::system::statement::{internal, read, write, write_before};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS moves (
    local      INTEGER NOT NULL PRIMARY KEY,
    replicated INTEGER NOT NULL,
    state      TEXT NOT NULL
)";

/// What a note says of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The local one is being made: it counts once the replicated one is dropped.
    Off,
    /// The replicated one is being made: it does not count yet.
    On,
    /// The replicated one is complete: the local one is void.
    Done,
}

impl State {
    const WORDS: [(Self, &'static str); 3] =
        [(Self::Off, "off"), (Self::On, "on"), (Self::Done, "done")];

    fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Done => "done",
        }
    }
}

/// A move that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Note {
    local: DatabaseId,
    replicated: DatabaseId,
    state: State,
}

/// Has the database replicated from now on, or not any more.
///
/// Errors: somebody has it open; the server is no root; the name is taken on the other side.
pub fn set(
    environment: &Arc<Environment>,
    name: &str,
    replicated: bool,
    user: &str,
) -> Result<(), EngineError> {
    environment.master("database set")?;
    let database = environment.database(name)?;
    if database.id() == SYSTEM_DATABASE {
        return Err(EngineError::Denied(format!(
            "database \"{name}\" belongs to the server"
        )));
    }
    if is_local(database.id()) != replicated {
        let word = if replicated { "on" } else { "off" };
        return Err(EngineError::state(
            format!("replication of database \"{name}\" is {word} already"),
            "'dbctl database list' shows it for each.",
        ));
    }
    let local = local::make(environment)?;
    let alone = open_alone(&database, name, user)?;
    let moved = if replicated {
        move_on(environment, local, &database)
    } else {
        move_off(environment, local, &database)
    };
    drop(alone);
    // Also after an error: what is void goes at once, not at the next start.
    let settled = settle(environment);
    moved.and(settled)
}

/// Does away with what a move that was broken off has left. Nobody may have any database open yet, or only others.
pub(super) fn settle(environment: &Arc<Environment>) -> Result<(), EngineError> {
    let Some(local) = environment.local() else {
        return Ok(());
    };
    for note in notes(local)? {
        let replicated = environment.core().databases().by_id(note.replicated);
        let void = match note.state {
            State::Off => replicated.is_some().then_some(note.local),
            State::On => replicated.is_some().then_some(note.replicated),
            State::Done => Some(note.local),
        };
        match void {
            Some(id) if is_local(id) => drop_from(local, id)?,
            // Whoever became the root has it in his log; here nobody can drop it, and nobody needs it.
            Some(id) if environment.is_read_only() => {
                tracing::warn!(
                    number = id.get(),
                    "a database that was to be replicated stays in the log without a use: drop it on the root"
                );
            }
            Some(id) => drop_from(environment, id)?,
            None => {}
        }
        forget(local, note.local)?;
    }
    Ok(())
}

fn drop_from(environment: &Environment, id: DatabaseId) -> Result<(), EngineError> {
    let Some(database) = environment.core().databases().by_id(id) else {
        return Ok(());
    };
    let name = database.name();
    environment.master("database set")?.drop_database(&name)?;
    tracing::info!(
        database = name,
        number = id.get(),
        "of a database that moves, the one that is void is dropped"
    );
    Ok(())
}

fn move_off(
    environment: &Arc<Environment>,
    local: &Arc<Environment>,
    database: &Arc<Database>,
) -> Result<(), EngineError> {
    let name = database.name();
    if local.core().databases().has_name(&name) {
        return Err(EngineError::DatabaseExists(format!("{name}@local")));
    }
    let permit = database.acquire_permit(&Interrupt::for_this_thread(), None)?;
    let note = Note {
        local: local.core().databases().next_id(),
        replicated: database.id(),
        state: State::Off,
    };
    keep(local, note)?;
    let owner = owner_of(environment, database)?;
    let copy = make(local, &name, (note.local, &owner))?;
    let alone = open_alone(&copy, &name, "this server")?;
    fill(local, &copy, &database.store().snapshot_durable())?;
    drop(permit);
    environment.master("database set")?.drop_database(&name)?;
    drop(alone);
    Ok(())
}

fn move_on(
    environment: &Arc<Environment>,
    local: &Arc<Environment>,
    database: &Arc<Database>,
) -> Result<(), EngineError> {
    let name = database.name();
    if environment.core().databases().has_name(&name) {
        return Err(EngineError::DatabaseExists(name));
    }
    let permit = database.acquire_permit(&Interrupt::for_this_thread(), None)?;
    let note = Note {
        local: database.id(),
        replicated: environment.core().databases().next_id(),
        state: State::On,
    };
    keep(local, note)?;
    let owner = owner_of(environment, database)?;
    let copy = make(environment, &name, (note.replicated, &owner))?;
    let alone = open_alone(&copy, &name, "this server")?;
    fill(environment, &copy, &database.store().snapshot_durable())?;
    keep(
        local,
        Note {
            state: State::Done,
            ..note
        },
    )?;
    drop(permit);
    local.master("database set")?.drop_database(&name)?;
    drop(alone);
    Ok(())
}

/// A new database with this number, by which it is noted, and this owner.
fn make(
    environment: &Environment,
    name: &str,
    (id, owner): (DatabaseId, &Ownership),
) -> Result<Arc<Database>, EngineError> {
    let system = environment.core().database(SYSTEM_NAME)?;
    write_before(
        environment,
        &system,
        |connection| {
            // Whoever makes a database waits for the same permit.
            if environment.core().databases().next_id() != id {
                return Err(EngineError::state(
                    "another database was made at the same moment",
                    "Give the command again.",
                ));
            }
            ownership::store(connection, id, owner)
        },
        || environment.master("database set")?.create_database(name),
    )?;
    environment.core().database(name)
}

/// All pages of the snapshot, as one transaction.
fn fill(
    environment: &Environment,
    database: &Arc<Database>,
    from: &Snapshot,
) -> Result<(), EngineError> {
    let directory = &environment.config().replication.tmp_dir;
    let failed = |what, error: &std::io::Error| EngineError::file(what, directory, error);
    let scratch = ScratchFile::create(environment.core().layout().disk(), directory)
        .map_err(|error| failed("make a scratch file in", &error))?;
    let mut pages = Vec::new();
    let mut page: PageData = [0; PAGE_SIZE];
    for number in (1..=from.page_count()).filter_map(PageNumber::new) {
        from.read(number, &mut page)?;
        let image = scratch.store(&page);
        let image = image.map_err(|error| failed("write a scratch file in", &error))?;
        pages.push((number, PageImage::Scratch(image)));
    }
    if pages.is_empty() {
        return Ok(());
    }
    let permit = database.acquire_permit(&Interrupt::for_this_thread(), None)?;
    let write_set = WriteSet {
        page_count: from.page_count(),
        pages,
        base: database.store().latest().0,
    };
    let queued = environment.commit(database, &permit, write_set)?;
    drop(permit);
    environment.wait_durable(&queued)
}

/// Nobody is thrown out of a database for a move.
struct Mover;

impl Leave for Mover {
    fn leave(&self, _last_word: Failure) {}
}

/// Opens a database for this server alone: nobody else has it open as long as that lives.
///
/// Errors: somebody has it open.
pub(crate) fn open_alone(
    database: &Arc<Database>,
    name: &str,
    user: &str,
) -> Result<Opened, EngineError> {
    let opening = Opening {
        session: 0,
        user: user.to_owned(),
        address: std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into(),
        since: Timestamp::now(),
        mode: OpenMode::WriteAlone,
        handle: Arc::new(Mover),
    };
    database.openings().open(opening).map_err(|conflict| {
        let why = match conflict {
            Conflict::Session(other) => other.to_string(),
            Conflict::Replication(used) => used.to_string(),
        };
        EngineError::state(
            format!("database \"{name}\" is in use: {why}"),
            "This is done while nobody has it open: end these sessions, then give the command again.",
        )
    })
}

fn owner_of(environment: &Environment, database: &Database) -> Result<Ownership, EngineError> {
    let (known, _) = authority::known(environment)?;
    Ok(known.ownership(database.id()))
}

fn keep(local: &Environment, note: Note) -> Result<(), EngineError> {
    let system = local.core().database(SYSTEM_NAME)?;
    write(local, &system, |connection| {
        connection.execute_batch(SCHEMA).map_err(internal)?;
        let row = params![note.local.get(), note.replicated.get(), note.state.word()];
        connection
            .execute("INSERT OR REPLACE INTO moves VALUES (?1, ?2, ?3)", row)
            .map(drop)
            .map_err(internal)
    })
}

fn forget(local: &Environment, id: DatabaseId) -> Result<(), EngineError> {
    let system = local.core().database(SYSTEM_NAME)?;
    write(local, &system, |connection| {
        connection
            .execute("DELETE FROM moves WHERE local = ?1", [id.get()])
            .map(drop)
            .map_err(internal)
    })
}

fn notes(local: &Environment) -> Result<Vec<Note>, EngineError> {
    let system = local.core().database(SYSTEM_NAME)?;
    let rows = read(&system, rows)?;
    let notes = rows.into_iter().map(|(local, replicated, word)| {
        let state = State::WORDS.into_iter().find(|(_, known)| *known == word);
        let state = state.ok_or_else(|| {
            EngineError::Corrupt(format!("a move of database {local} is \"{word}\""))
        })?;
        Ok(Note {
            local: DatabaseId::new(local),
            replicated: DatabaseId::new(replicated),
            state: state.0,
        })
    });
    notes.collect()
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<(u32, u32, String)>> {
    let there = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = 'moves'",
            [],
            |_| Ok(()),
        )
        .optional()?;
    if there.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT local, replicated, state FROM moves")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests;
