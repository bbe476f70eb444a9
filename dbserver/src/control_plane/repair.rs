//! `database repair` and `database pages`: damaged pages are made again from the log, then from what another server
//! has. dbctl asks that one for its pages and hands them on: no server needs to reach another one, or its password.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fwlog::Clock;
use pagestore::{
    CommitNumber, Fault, Lost, PAGE_SIZE, PageData, PageNumber, PageSource, PageStore, Remade,
    Snapshot, StoreError, VerifyReport,
};
use serde::Serialize;

use crate::control_plane::{Call, Table};
use crate::databases::Database;
use crate::environment::describe_page;
use crate::environment::given_pages::{GivenPages, page_content};
use crate::environment::local::is_local;
use crate::environment::repair::Repairs;
use crate::error::EngineError;

const USAGE: &str = "usage: database repair NAME [--pages SERVER COMMIT PAGE=CONTENT …]";
const PAGES_USAGE: &str = "usage: database pages NAME PAGE …";
/// Pages that are given at once.
const MOST_PAGES: usize = 1024;

/// What a repair has done, and what is left.
#[derive(Debug, Serialize)]
struct RepairStatus {
    database: String,
    file: String,
    /// Pages that were read.
    pages: u64,
    repaired: Vec<FoundPage>,
    damaged: Vec<FoundPage>,
}

/// A page that was, or is, damaged.
#[derive(Debug, Serialize)]
struct FoundPage {
    page: u32,
    offset: u64,
    damage: String,
}

impl FoundPage {
    fn all(pages: &[(PageNumber, Fault)]) -> Vec<Self> {
        let found = |(page, fault): &(PageNumber, Fault)| Self {
            page: page.get(),
            offset: page.offset(),
            damage: fault.to_string(),
        };
        pages.iter().map(found).collect()
    }
}

/// Makes damaged pages of a database again: from the own log, or from pages of another server.
pub(crate) fn repair(call: &Call<'_>) -> Result<Table, EngineError> {
    match call.arguments.as_slice() {
        [name] => {
            let database = call.environment.database(name)?;
            let core = call.environment.home(&database).core();
            let report = database.store().repair(&**core.repair_source(), &|_| ());
            told(name, database.store(), &report)
        }
        [name, "--pages", server, commit, pages @ ..] if !pages.is_empty() => {
            let database = call.environment.database(name)?;
            if is_local(database.id()) {
                return Err(EngineError::state(
                    format!(
                        "database \"{name}\" is of this server alone: no other one has its pages"
                    ),
                    "'dbctl database repair NAME' makes them again from its log, as far as that goes back.",
                ));
            }
            let core = call.environment.core();
            let handed = Handed {
                repairs: core.repairs(),
                clock: &core.host().clock,
                given: GivenPages::new(
                    server,
                    CommitNumber::new(commit.parse().map_err(|_| usage())?),
                    pages
                        .iter()
                        .map(|page| page_of(page))
                        .collect::<Result<_, _>>()?,
                ),
            };
            let report = database.store().repair(&handed, &|_| ());
            told(name, database.store(), &report)
        }
        _ => Err(usage()),
    }
}

fn usage() -> EngineError {
    EngineError::Usage(USAGE.into())
}

/// `17=CONTENT`, the content in base64.
fn page_of(text: &str) -> Result<(PageNumber, Box<PageData>), EngineError> {
    let read = || {
        let (number, content) = text.split_once('=')?;
        let page = number.parse().ok().and_then(PageNumber::new)?;
        Some((page, page_content(content)?))
    };
    read().ok_or_else(usage)
}

fn told(name: &str, store: &PageStore, report: &VerifyReport) -> Result<Table, EngineError> {
    let repaired = RepairStatus {
        database: name.to_owned(),
        file: store.path().display().to_string(),
        pages: report.pages,
        repaired: FoundPage::all(&report.mended),
        damaged: FoundPage::all(&report.damaged),
    };
    let mut table = Table::done(format!(
        "database {name}: {} pages repaired, {} damaged",
        repaired.repaired.len(),
        repaired.damaged.len()
    ));
    table.entry("file", &repaired.file);
    table.entry("pages", repaired.pages);
    for (what, pages) in [("repaired", &report.mended), ("damage", &report.damaged)] {
        for (page, fault) in pages {
            table.entry(what, describe_page(*page, fault));
        }
    }
    table.typed(&repaired)
}

/// Pages of another server, handed on by dbctl.
#[derive(Debug)]
struct Handed<'a> {
    repairs: &'a Repairs,
    clock: &'a Clock,
    given: GivenPages,
}

impl PageSource for Handed<'_> {
    fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
        let pages = lost.pages.iter();
        pages
            .map(|page| self.given.answer(page, lost.commit))
            .collect()
    }

    fn mended(&self, path: &Path, from: &str, pages: &[(PageNumber, Fault)]) {
        self.repairs.note(path, pages, from, self.clock.now());
    }

    fn not_mended(&self, path: &Path, pages: &[(PageNumber, Fault)], why: &str) {
        // Of the others it was not asked.
        let asked = pages.iter().filter(|(page, _)| self.given.has(*page));
        let asked: Vec<_> = asked.cloned().collect();
        if !asked.is_empty() {
            self.repairs.note_failure(path, &asked, why);
        }
    }
}

/// Pages as they are at the newest durable commit: for the repair of another server.
pub(crate) fn pages(call: &Call<'_>) -> Result<Table, EngineError> {
    let usage = || EngineError::Usage(PAGES_USAGE.into());
    match call.arguments.as_slice() {
        ["--of", environment, number, pages @ ..] => {
            let database = replica(call, environment, number)?;
            pages_as_they_are(&database.store().snapshot_durable(), &numbers(pages)?)
        }
        [name, pages @ ..] if !name.starts_with("--") => {
            let database = call.environment.database(name)?;
            sound_pages(&database.store().snapshot_durable(), &numbers(pages)?)
        }
        _ => Err(usage()),
    }
}

fn numbers(words: &[&str]) -> Result<Vec<PageNumber>, EngineError> {
    let pages = words.iter().map(|word| PageNumber::new(word.parse().ok()?));
    let pages = pages.collect::<Option<Vec<_>>>();
    let pages = pages.filter(|pages| (1..=MOST_PAGES).contains(&pages.len()));
    pages.ok_or_else(|| EngineError::Usage(PAGES_USAGE.into()))
}

/// The database of that number, where this server has that environment: so a name that was used again is no mistake.
fn replica(call: &Call<'_>, environment: &str, number: &str) -> Result<Arc<Database>, EngineError> {
    let own = call.environment.id().map(|id| id.to_string());
    if own.as_deref() != Some(environment) {
        let own = own.unwrap_or_else(|| "none yet".into());
        return Err(EngineError::state(
            format!("this server has another environment ({own}) than {environment}"),
            "RepairFrom of that server has to name a server with the same databases.",
        ));
    }
    let mut all = call.environment.databases().into_iter();
    let found = all.find(|database| database.id().get().to_string() == number);
    found.ok_or_else(|| {
        EngineError::state(
            format!("this server has no database with the number {number}"),
            "Was it dropped meanwhile, or is this server behind?",
        )
    })
}

/// A page that is damaged here is made again first.
fn sound_pages(snapshot: &Snapshot, pages: &[PageNumber]) -> Result<Table, EngineError> {
    let mut table = Table::new(&["page", "commit", "content"]);
    for page in pages {
        let mut data: PageData = [0; PAGE_SIZE];
        // A database that is shorter here has nothing to give.
        if page.get() <= snapshot.page_count() {
            snapshot.read(*page, &mut data)?;
            table.row(vec![
                page.to_string(),
                snapshot.commit().to_string(),
                STANDARD.encode(data),
            ]);
        }
    }
    Ok(table)
}

/// A server that repairs itself asks: it hears at once what can't be had, for it may be asked itself by this one.
fn pages_as_they_are(snapshot: &Snapshot, pages: &[PageNumber]) -> Result<Table, EngineError> {
    let mut table = Table::new(&["page", "commit", "content", "problem"]);
    for page in pages {
        let mut data: PageData = [0; PAGE_SIZE];
        let (content, problem) = if page.get() > snapshot.page_count() {
            let count = snapshot.page_count();
            (None, Some(format!("it has {count} pages of that database")))
        } else {
            match snapshot.read_as_is(*page, &mut data) {
                Ok(()) => (Some(STANDARD.encode(data)), None),
                Err(StoreError::Damaged { .. }) => {
                    (None, Some("the page is damaged there, too".into()))
                }
                Err(other) => return Err(other.into()),
            }
        };
        let (page, commit) = (page.to_string(), snapshot.commit().to_string());
        table
            .rows
            .push(vec![Some(page), Some(commit), content, problem]);
    }
    Ok(table)
}
