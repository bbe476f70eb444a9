//! What a session knows of sequences: the definitions that its statements need, what its transaction has changed, and
//! the numbers it was given.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acl::{Authority, Kind, Privileges};
use dialect::{SequenceInfo, Sequences as Wanted};
use pagestore::PageStore;
use pgtypes::SqlState;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::databases::Database;
use crate::databases::sequences::{Counters, Definitions, Sequences, border, next};
use crate::failure::Failure;
use crate::session::sqlite::Sqlite;

/// An error of a function.
pub type Refused = (SqlState, String);

/// The sequences as one session sees them.
pub struct SessionSequences {
    shared: Arc<Sequences>,
    store: Arc<PageStore>,
    state: Mutex<State>,
}

/// The definitions that were read, and the schema that said so.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    definitions: Definitions,
    generation: u64,
}

#[derive(Default)]
struct State {
    /// Rows, by name.
    rows: HashMap<String, SequenceInfo>,
    /// What `rows` are true for.
    known: Option<Known>,
    /// The transaction has changed definitions.
    changed: bool,
    /// Sequences that count by a definition of this transaction.
    own: HashMap<i64, SequenceInfo>,
    /// Sequences that the transaction has taken numbers from, or set.
    touched: BTreeSet<i64>,
    /// The last number from each sequence.
    given: HashMap<i64, i64>,
    /// The sequence of the last nextval.
    last: Option<i64>,
    /// The first numbers that the running change was given, in their order.
    recent: Vec<i64>,
    /// How many of them were given again to a change that is made once more.
    again: Option<usize>,
    /// Behind the numbers that it got come any.
    beyond: bool,
    /// Who asks, where that is judged.
    judge: Option<Judge>,
}

/// Who may do what in the database, and the role that asks.
type Judge = (Arc<Authority>, String);

/// How many numbers of a change are kept.
const RECENT: usize = 1000;

impl State {
    fn row(&self, name: &str) -> Result<SequenceInfo, Refused> {
        let known = self.rows.get(&dialect::bare_name(name));
        known.cloned().ok_or_else(|| {
            let message = format!("relation \"{name}\" does not exist");
            (SqlState::UNDEFINED_TABLE, message)
        })
    }

    /// Refuses a role that has none of these privileges on a sequence. What an identity column does is not asked.
    fn check(&self, row: &SequenceInfo, wanted: Privileges) -> Result<(), Refused> {
        let Some((authority, role)) = self.judge.as_ref().filter(|_| !row.identity) else {
            return Ok(());
        };
        let held = authority.held(role, Kind::Sequence, &row.name);
        if held.has_some(wanted) {
            return Ok(());
        }
        let message = format!("permission denied for sequence {}", row.name);
        Err((SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    /// The sequence as it counts for this transaction.
    fn counter<'a>(
        &'a mut self,
        shared: &'a mut Counters,
        row: &SequenceInfo,
    ) -> &'a mut SequenceInfo {
        let (id, generation) = (row.id, row.generation);
        let own = self.changed && shared.of(id, generation).is_none();
        if !own {
            return shared.committed(row);
        }
        let counter = self.own.entry(id).or_insert_with(|| row.clone());
        if counter.generation != generation {
            counter.clone_from(row);
        }
        counter
    }
}

impl SessionSequences {
    /// The sequences of a database, for a new session.
    pub fn new(database: &Database) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(database.sequences()),
            store: Arc::clone(database.store()),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, Counters> {
        self.shared.counters(self.store.epoch())
    }

    /// From now on this role asks; `None`: it may do everything.
    pub(super) fn judge(&self, judge: Option<Judge>) {
        self.state().judge = judge;
    }

    /// nextval
    pub fn next(&self, name: &str) -> Result<i64, Refused> {
        let mut state = self.state();
        if let Some(at) = state.again {
            state.again = Some(at + 1);
            let any = state.beyond && state.recent.len() < RECENT;
            let any = any.then(|| i64::try_from(at).unwrap_or(0));
            return state.recent.get(at).copied().or(any).ok_or_else(|| {
                let message = "a change can't be made once more".to_owned();
                (SqlState::FEATURE_NOT_SUPPORTED, message)
            });
        }
        let row = state.row(name)?;
        state.check(&row, Privileges::USAGE.and(Privileges::UPDATE))?;
        let mut shared = self.shared();
        let number = next(state.counter(&mut shared, &row)).map_err(|end| {
            let message = format!(
                "nextval: reached {} value of sequence \"{}\" ({})",
                end.side, row.name, end.bound
            );
            (SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED, message)
        })?;
        drop(shared);
        state.touched.insert(row.id);
        state.given.insert(row.id, number);
        state.last = Some(row.id);
        if state.recent.len() < RECENT {
            state.recent.push(number);
        }
        Ok(number)
    }

    /// setval
    pub fn set(&self, name: &str, value: i64, called: bool) -> Result<i64, Refused> {
        let mut state = self.state();
        if state.again.is_some() {
            return Ok(value);
        }
        let row = state.row(name)?;
        state.check(&row, Privileges::UPDATE)?;
        let mut shared = self.shared();
        let counter = state.counter(&mut shared, &row);
        if !(counter.min..=counter.max).contains(&value) {
            let message = format!(
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                counter.name, counter.min, counter.max
            );
            return Err((SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        (counter.last_value, counter.is_called) = (value, called);
        state.touched.insert(row.id);
        if called {
            state.given.insert(row.id, value);
        }
        Ok(value)
    }

    /// The last change is made once more, to be taken back, and gets the same numbers; or that is over.
    pub(super) fn repeat(&self, again: bool) {
        self.state().again = again.then_some(0);
    }

    /// While a change is made once more: it asks for the numbers of rows that it did not come to, which may be any.
    pub(super) fn go_beyond(&self, beyond: bool) {
        self.state().beyond = beyond;
    }

    /// currval
    pub fn current(&self, name: &str) -> Result<i64, Refused> {
        let state = self.state();
        let row = state.row(name)?;
        state.check(&row, Privileges::USAGE.and(Privileges::SELECT))?;
        state.given.get(&row.id).copied().ok_or_else(|| {
            let message = format!(
                "currval of sequence \"{}\" is not yet defined in this session",
                row.name
            );
            (SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }

    /// lastval
    pub fn last(&self) -> Result<i64, Refused> {
        let state = self.state();
        let there = |id: &i64| state.rows.values().any(|row| row.id == *id);
        let last = state.last.filter(there);
        let number = last.and_then(|id| state.given.get(&id).copied());
        number.ok_or_else(|| {
            let message = "lastval is not yet defined in this session".to_owned();
            (SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }

    /// Whether there is a sequence of that stored name.
    pub fn has(&self, stored: &str) -> bool {
        self.state().rows.contains_key(stored)
    }

    /// The sequence that a column owns.
    pub fn owned(&self, table: &str, column: &str) -> Option<String> {
        let state = self.state();
        let owned = |row: &&SequenceInfo| {
            let owner = row.owner.as_ref();
            owner.is_some_and(|(of, own)| of == table && own == column)
        };
        state
            .rows
            .values()
            .filter(owned)
            .map(|row| row.name.clone())
            .min()
    }

    /// Where a sequence is; `None`: where its row says.
    pub fn present(&self, id: i64, generation: i64) -> Option<(i64, bool)> {
        let state = self.state();
        let own = state.own.get(&id);
        if let Some(own) = own.filter(|own| own.generation == generation) {
            return Some((own.last_value, own.is_called));
        }
        let mut shared = self.shared();
        let known = shared.of(id, generation)?;
        Some((known.last_value, known.is_called))
    }

    /// A number for a new definition.
    pub fn stamp(&self) -> i64 {
        self.shared().stamp()
    }

    /// The transaction changes definitions.
    pub fn mark_changed(&self) {
        self.state().changed = true;
    }

    /// Forgets what currval and lastval would tell.
    pub fn forget(&self) {
        let mut state = self.state();
        state.given.clear();
        state.last = None;
    }

    /// The transaction is over: its definitions are everybody's, or gone.
    pub fn end(&self, committed: bool) {
        let mut state = self.state();
        state.touched.clear();
        let own = std::mem::take(&mut state.own);
        let changed = std::mem::take(&mut state.changed);
        if changed {
            state.known = None;
        }
        if !committed || !changed {
            return;
        }
        let mut shared = self.shared();
        shared.note_changed();
        for sequence in own.values() {
            shared.committed(sequence);
        }
    }
}

/// Makes the sequences known that a change calls, on a server that writes: there all definitions are changed by
/// sessions, who tell of it.
pub fn make_ready_to_change(sqlite: &Sqlite, wanted: &Wanted) -> Result<(), Failure> {
    let sequences = sqlite.sequences();
    let Wanted::Named(names) = wanted else {
        if *wanted != Wanted::None {
            sequences.state().recent.clear();
        }
        return make_ready(sqlite, wanted);
    };
    let known = {
        let mut state = sequences.state();
        state.recent.clear();
        let known = Known {
            definitions: sequences.shared().definitions(),
            generation: sqlite.schema().generation(),
        };
        if state.changed {
            None
        } else if state.known == Some(known) {
            if names.iter().all(|name| state.rows.contains_key(name)) {
                return Ok(());
            }
            Some(known)
        } else {
            state.rows.clear();
            Some(known)
        }
    };
    let durable = sequences.store.horizon().durable();
    make_ready(sqlite, wanted)?;
    // What was read of an older state says nothing of the next transaction.
    sequences.state().known = known.filter(|_| sqlite.snapshot_commit() >= Some(durable));
    Ok(())
}

const BY_NAME: &str = "WHERE name = ?1";

/// Makes the sequences known that a statement calls.
pub fn make_ready(sqlite: &Sqlite, wanted: &Wanted) -> Result<(), Failure> {
    if *wanted == Wanted::None {
        return Ok(());
    }
    let rows = sqlite.trusted(|connection| {
        if !has_sequences(connection)? {
            return Ok(Vec::new());
        }
        match wanted {
            Wanted::None => Ok(Vec::new()),
            Wanted::Any => read(connection, SequenceInfo::COLUMNS, "", []),
            Wanted::Named(names) => {
                let mut rows = Vec::with_capacity(names.len());
                for name in names {
                    rows.extend(read(connection, SequenceInfo::COLUMNS, BY_NAME, [name])?);
                }
                Ok(rows)
            }
        }
    })?;
    let sequences = sqlite.sequences();
    let mut state = sequences.state();
    state.known = None;
    match wanted {
        Wanted::Named(names) => names.iter().for_each(|name| drop(state.rows.remove(name))),
        _ => state.rows.clear(),
    }
    let mut shared = sequences.shared();
    for row in rows {
        shared.seen(&row);
        state.rows.insert(row.name.clone(), row);
    }
    Ok(())
}

/// Whether the transaction has to write borders before COMMIT.
pub fn have_moved(sqlite: &Sqlite) -> bool {
    !sqlite.sequences().state().touched.is_empty()
}

/// The sequences that the transaction has used beyond the border that is known to be on disk.
fn beyond_border(sequences: &SessionSequences) -> Vec<SequenceInfo> {
    let state = sequences.state();
    let shared = sequences.shared();
    let used = state.touched.iter().filter_map(|id| {
        let sequence = state.own.get(id).or_else(|| shared.any(*id))?;
        let there = shared.border(*id, sequence.generation);
        let is_beyond = there.is_none_or(|there| border(sequence, there).is_some());
        is_beyond.then(|| sequence.clone())
    });
    used.collect()
}

/// Whether a border has to be written with the transaction.
pub fn must_write_borders(sqlite: &Sqlite) -> bool {
    have_moved(sqlite) && !beyond_border(sqlite.sequences()).is_empty()
}

/// Before COMMIT: the border of each sequence that the transaction has used is on disk with it.
pub fn write_borders(sqlite: &Sqlite) -> Result<(), Failure> {
    let sequences = sqlite.sequences();
    for sequence in beyond_border(sequences) {
        sqlite.trusted(|connection| {
            let there: Option<(i64, bool)> = connection
                .prepare_cached(
                    "SELECT last_value, is_called FROM main.eloqdb_sequence WHERE id = ?1 AND generation = ?2",
                )?
                .query_row([sequence.id, sequence.generation], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some(there) = there else {
                return Ok(());
            };
            let Some((last, called)) = border(&sequence, there) else {
                sequences
                    .shared()
                    .keep_border(sequence.id, sequence.generation, there);
                return Ok(());
            };
            sequences.shared().forget_border(sequence.id);
            connection
                .prepare_cached(
                    "UPDATE main.eloqdb_sequence SET last_value = ?2, is_called = ?3 WHERE id = ?1",
                )?
                .execute((sequence.id, last, called))
                .map(drop)
        })?;
    }
    Ok(())
}

/// Whether the database has the table of sequences.
pub fn has_sequences(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM main.sqlite_schema WHERE name = 'eloqdb_sequence' AND type = 'table'",
        )?
        .exists([])
}

/// The sequences that a condition tells.
pub fn read(
    connection: &Connection,
    columns: &str,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<SequenceInfo>> {
    let sql = format!("SELECT {columns} FROM main.eloqdb_sequence {condition} ORDER BY name");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(parameters, sequence)?.collect()
}

fn sequence(row: &Row<'_>) -> rusqlite::Result<SequenceInfo> {
    let table: Option<String> = row.get(10)?;
    let column: Option<String> = row.get(11)?;
    Ok(SequenceInfo {
        id: row.get(0)?,
        generation: row.get(1)?,
        name: row.get(2)?,
        data_type: row.get(3)?,
        start: row.get(4)?,
        increment: row.get(5)?,
        min: row.get(6)?,
        max: row.get(7)?,
        cycle: row.get(8)?,
        cache: row.get(9)?,
        owner: table.zip(column),
        identity: row.get(12)?,
        last_value: row.get(13)?,
        is_called: row.get(14)?,
    })
}
