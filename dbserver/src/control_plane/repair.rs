//! `database repair` and `database pages`: damaged pages are made again from the log, then from what another server
//! has. dbctl asks that one for its pages and hands them on: no server needs to reach another one, or its password.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fwlog::Clock;
use pagestore::{
    CommitNumber, Fault, Lost, LostPage, PAGE_SIZE, PageData, PageNumber, PageSource, PageStore,
    Remade, VerifyReport, sum_of,
};
use serde::Serialize;

use crate::control_plane::{Call, Table};
use crate::environment::describe_page;
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
    let core = call.environment.core();
    match call.arguments.as_slice() {
        [name] => {
            let database = call.environment.database(name)?;
            let report = database.store().repair(&**core.own_log(), &|_| ());
            told(name, database.store(), &report)
        }
        [name, "--pages", server, commit, pages @ ..] if !pages.is_empty() => {
            let database = call.environment.database(name)?;
            let handed = Handed {
                repairs: core.repairs(),
                clock: &core.host().clock,
                server,
                commit: CommitNumber::new(commit.parse().map_err(|_| usage())?),
                pages: pages
                    .iter()
                    .map(|page| page_of(page))
                    .collect::<Result<_, _>>()?,
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
        let content = STANDARD.decode(content).ok()?;
        let page = number.parse().ok().and_then(PageNumber::new)?;
        Some((page, content.into_boxed_slice().try_into().ok()?))
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

/// Pages of another server, as of a commit there.
#[derive(Debug)]
struct Handed<'a> {
    repairs: &'a Repairs,
    clock: &'a Clock,
    server: &'a str,
    commit: CommitNumber,
    pages: BTreeMap<PageNumber, Box<PageData>>,
}

impl Handed<'_> {
    /// The sum proves a page whatever the other server is. That a page is right and its sum is not, only a server proves
    /// that has what the file has: nothing newer is known of the page here, so it is there what it was.
    fn answer(&self, lost: &LostPage, file: CommitNumber) -> Remade {
        let Some(data) = self.pages.get(&lost.page) else {
            return Remade::No(format!("{} has not given it", self.server));
        };
        let sum = sum_of(data.as_slice());
        if sum == lost.sum {
            Remade::Page(data.clone())
        } else if lost.found == Some(sum) && self.commit >= file {
            Remade::Sum
        } else if self.commit < file {
            Remade::No(format!(
                "{} is at commit {}, and the data file at commit {file}",
                self.server, self.commit
            ))
        } else {
            Remade::No(format!(
                "{} has another page at commit {}: it was changed since, or is damaged there",
                self.server, self.commit
            ))
        }
    }
}

impl PageSource for Handed<'_> {
    fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
        let pages = lost.pages.iter();
        pages.map(|page| self.answer(page, lost.commit)).collect()
    }

    fn mended(&self, path: &Path, pages: &[(PageNumber, Fault)]) {
        let now = self.clock.now();
        self.repairs.note(path, pages, self.server, now);
    }

    fn not_mended(&self, path: &Path, pages: &[(PageNumber, Fault)], why: &str) {
        // Of the others it was not asked.
        let asked = pages
            .iter()
            .filter(|(page, _)| self.pages.contains_key(page));
        let asked: Vec<_> = asked.cloned().collect();
        if !asked.is_empty() {
            self.repairs.note_failure(path, &asked, self.server, why);
        }
    }
}

/// Pages as they are at the newest durable commit: for the repair of another server.
pub(crate) fn pages(call: &Call<'_>) -> Result<Table, EngineError> {
    let usage = || EngineError::Usage(PAGES_USAGE.into());
    let [name, numbers @ ..] = call.arguments.as_slice() else {
        return Err(usage());
    };
    if numbers.is_empty() || numbers.len() > MOST_PAGES {
        return Err(usage());
    }
    let snapshot = call.environment.database(name)?.store().snapshot_durable();
    let mut table = Table::new(&["page", "commit", "content"]);
    for number in numbers {
        let page = number.parse().ok().and_then(PageNumber::new);
        let page = page.ok_or_else(usage)?;
        let mut data: PageData = [0; PAGE_SIZE];
        // A database that is shorter here has nothing to give.
        if page.get() <= snapshot.page_count() {
            snapshot.read(page, &mut data)?;
            table.row(vec![
                page.to_string(),
                snapshot.commit().to_string(),
                STANDARD.encode(data),
            ]);
        }
    }
    Ok(table)
}
