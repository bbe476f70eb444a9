//! `cut …`: what dbctl reads of two servers to compare them (`replication verify`).
//!
//! ```text
//!  slave:  cut open ─▶ commit S        groups, hashes, pages ─┐ dbctl compares, and hands on what differs
//!  master: cut open ─▶ commit C ≥ S    groups, hashes         │
//!                                      forward ◀──────────────┘ log between S and C on top of the slave's pages
//! ```
//! Neither waits for the other. A page that differs must become the master's by what the log has between the two: that
//! is all that the slave gets until it is at C. One that is the same has nothing to become; where the log changes it in between, the slave's applier
//! proves each step by the checksum in the record.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fwlog::{CommitNumber, DatabaseId, Position};
use pagehash::{GroupHasher, GroupNumber, PageIndex, page_hash};
use pagestore::{PAGE_SIZE, PageData, PageNumber};
use serde::Serialize;

use crate::apply::remake::Page;
use crate::control_plane::{Call, Table};
use crate::databases::tree::GroupBuffer;
use crate::environment::cut::{CutDatabase, CutError, CutId, CutUse};
use crate::environment::status::Shown;
use crate::error::EngineError;

const USAGE: &str = "usage: cut open | groups ID DATABASE FIRST COUNT | hashes ID DATABASE GROUP | pages ID DATABASE PAGE … | forward ID DATABASE COMMIT REDO PAGES PAGE=CONTENT … | root ID DATABASE | close ID";

/// What was opened.
#[derive(Serialize)]
struct Opened {
    id: u64,
    instance: String,
    environment: Shown<fwlog::EnvironmentId>,
    commit: u64,
    redo: Shown<Position>,
    databases: Vec<OpenedDatabase>,
    /// Numbers of the databases that the server leaves out (`Apply`, `ApplyNot`).
    left_out: Vec<u32>,
}

#[derive(Serialize)]
struct OpenedDatabase {
    number: u32,
    name: String,
    pages: u32,
}

/// A slave does it by itself. For a slave that is named it takes dbctl, which asks both servers.
pub(crate) fn verify(call: &Call<'_>) -> Result<Table, EngineError> {
    let core = call.environment.core();
    let knows_master = core.config().replication.verify_at.is_some();
    if call.arguments.is_empty() && call.environment.slave().is_some() && knows_master {
        core.proof().ask();
        return Ok(Table::done(
            "the comparison with the master begins; 'replication status' tells what comes of it",
        ));
    }
    Err(EngineError::Usage(
        "'replication verify SLAVE' is done by dbctl, which asks both servers; without SLAVE it is given to a slave with VerifyAt, which does it by itself".into(),
    ))
}

/// One step of a comparison.
pub(crate) fn cut(call: &Call<'_>) -> Result<Table, EngineError> {
    match call.arguments.as_slice() {
        ["open"] => open(call),
        ["close", id] => {
            call.environment.core().cuts().close(cut_id(id)?);
            Ok(Table::done("the cut is closed"))
        }
        ["groups", id, database, first, count] => groups(
            &Of::find(call, id, database)?,
            number(first)?,
            number(count)?,
        ),
        ["hashes", id, database, group] => hashes(&Of::find(call, id, database)?, number(group)?),
        ["pages", id, database, numbers @ ..] => pages(&Of::find(call, id, database)?, numbers),
        ["root", id, database] => {
            let of = Of::find(call, id, database)?;
            let mut table = Table::list();
            table.entry("checksum", of.cut.tree(of.id()).map_err(refused)?.root);
            Ok(table)
        }
        [
            "forward",
            id,
            database,
            commit,
            redo,
            page_count,
            pages @ ..,
        ] => {
            let of = Of::find(call, id, database)?;
            let behind = Behind {
                commit: CommitNumber::new(commit.parse().map_err(|_| usage())?),
                redo: redo.parse().map_err(|_| usage())?,
                page_count: number(page_count)?,
            };
            forward(call, &of, &behind, pages)
        }
        _ => Err(usage()),
    }
}

fn usage() -> EngineError {
    EngineError::Usage(USAGE.into())
}

fn number(text: &str) -> Result<u32, EngineError> {
    text.parse().map_err(|_| usage())
}

fn cut_id(text: &str) -> Result<CutId, EngineError> {
    text.parse().map(CutId::new).map_err(|_| usage())
}

fn refused(error: CutError) -> EngineError {
    match error {
        CutError::Page(error) => error.into(),
        other => EngineError::state(other.to_string(), "Try again."),
    }
}

/// A database of an open cut.
struct Of {
    cut: CutUse,
    database: CutDatabase,
}

impl Of {
    fn find(call: &Call<'_>, id: &str, database: &str) -> Result<Self, EngineError> {
        let cut = call.environment.core().cuts().attach(cut_id(id)?);
        let cut = cut.ok_or_else(|| {
            EngineError::state(
                format!("there is no cut {id} any more"),
                "Open another one.",
            )
        })?;
        let found = cut.cut().database(DatabaseId::new(number(database)?));
        let database = found.cloned().ok_or_else(usage)?;
        Ok(Self { cut, database })
    }

    fn id(&self) -> DatabaseId {
        self.database.entry.id
    }

    fn page_count(&self) -> u32 {
        self.database.pages.unwrap_or(0)
    }

    fn page(&self, page: PageNumber) -> Result<PageData, EngineError> {
        let mut data: PageData = [0; PAGE_SIZE];
        let read = self.cut.read(self.id(), page, &mut data);
        read.map(|()| data).map_err(refused)
    }
}

fn open(call: &Call<'_>) -> Result<Table, EngineError> {
    let core = call.environment.core();
    let used = call
        .environment
        .open_cut(&format!("dbctl of {}", call.user))?;
    let of = used.cut();
    let left_out = core.databases().left_out();
    let databases = of.databases.iter().filter_map(|database| {
        Some(OpenedDatabase {
            number: database.entry.id.get(),
            name: database.entry.name.clone(),
            pages: database.pages?,
        })
    });
    let opened = Opened {
        id: of.id.get(),
        instance: core.config().server.instance.clone(),
        environment: Shown(of.environment),
        commit: of.at.commit.get(),
        redo: Shown(of.redo.point.position),
        databases: databases.collect(),
        left_out: left_out.iter().map(|entry| entry.id.get()).collect(),
    };
    let mut table = Table::list();
    table.entry("cut", opened.id);
    table.entry("commit", opened.commit);
    table.typed(&opened)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

fn groups(of: &Of, first: u32, count: u32) -> Result<Table, EngineError> {
    let mut table = Table::new(&["group", "value"]);
    let mut buffer = GroupBuffer::default();
    let wanted = first..first.saturating_add(count);
    let all = GroupNumber::all(of.page_count()).filter(|group| wanted.contains(&group.get()));
    for group in all {
        let content = of.cut.read_group(of.id(), group, &mut buffer);
        let mut hasher = GroupHasher::new(group);
        hasher.update(content.map_err(refused)?);
        table.row(vec![
            group.get().to_string(),
            hex(hasher.finish().as_bytes()),
        ]);
    }
    Ok(table)
}

fn hashes(of: &Of, group: u32) -> Result<Table, EngineError> {
    let mut table = Table::new(&["page", "hash"]);
    let mut buffer = GroupBuffer::default();
    let group = GroupNumber::new(group).ok_or_else(usage)?;
    let content = of.cut.read_group(of.id(), group, &mut buffer);
    let (pages, _rest) = content.map_err(refused)?.as_chunks::<PAGE_SIZE>();
    for (page, data) in (group.first().page()..).zip(pages) {
        if let Some(index) = PageIndex::of_page(page) {
            table.row(vec![
                page.to_string(),
                hex(page_hash(index, data).as_bytes()),
            ]);
        }
    }
    Ok(table)
}

fn pages(of: &Of, numbers: &[&str]) -> Result<Table, EngineError> {
    let mut table = Table::new(&["page", "content"]);
    for text in numbers {
        let page = PageNumber::new(number(text)?).ok_or_else(usage)?;
        // Of a page that is not there is nothing to give.
        if page.get() <= of.page_count() {
            table.row(vec![page.to_string(), STANDARD.encode(of.page(page)?)]);
        }
    }
    Ok(table)
}

/// How far a replica is.
struct Behind {
    commit: CommitNumber,
    redo: Position,
    page_count: u32,
}

/// Those of the replica's pages that do not become what this cut has.
fn forward(
    call: &Call<'_>,
    of: &Of,
    behind: &Behind,
    texts: &[&str],
) -> Result<Table, EngineError> {
    let commit = of.cut.cut().at.commit;
    if behind.commit > commit {
        return Err(EngineError::state(
            format!(
                "the other server is at commit {}, ahead of this cut, which is at commit {}",
                behind.commit.get(),
                commit.get()
            ),
            "The cut of the slave comes first, then that of its master.",
        ));
    }
    let pages: BTreeMap<_, _> = texts
        .iter()
        .map(|text| page_of(text))
        .collect::<Result<_, _>>()?;
    let numbers: Vec<PageNumber> = pages.keys().copied().collect();
    let own_log = call.environment.core().own_log();
    let span = (behind.redo, behind.commit, commit);
    let remake = own_log.forward(of.id(), span, behind.page_count, pages)?;
    let mut table = Table::new(&["page"]);
    for page in numbers {
        let is_there = page.get() <= of.page_count();
        let equal = match remake.page(page) {
            Page::Known(data) | Page::Doubtful(data) => is_there && **data == of.page(page)?,
            Page::Absent => !is_there,
            Page::Unknown => false,
        };
        if !equal {
            table.row(vec![page.to_string()]);
        }
    }
    Ok(table)
}

/// `17=CONTENT`, the content in base64; without content it is not there.
fn page_of(text: &str) -> Result<(PageNumber, Page), EngineError> {
    let read = || {
        let (number, content) = text.split_once('=')?;
        let page = number.parse().ok().and_then(PageNumber::new)?;
        if content.is_empty() {
            return Some((page, Page::Absent));
        }
        let content = STANDARD.decode(content).ok()?;
        Some((
            page,
            Page::Known(content.into_boxed_slice().try_into().ok()?),
        ))
    };
    read().ok_or_else(usage)
}
