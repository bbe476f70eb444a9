//! Pages as they were at a point of the own log.

use fwlog::CommitNumber;
use pagestore::{LOCK_PAGE, PAGE_SIZE, PageData, PageNumber};

use super::tail::Written;
use crate::apply::remake::Page;
use crate::databases::Database;
use crate::environment::core::Core;
use crate::error::EngineError;

/// Pages that are looked for at a time, because all are in memory: 64 MiB.
const AT_ONCE: usize = 16 << 10;

/// Why there are no pages.
pub(super) enum NotGiven {
    /// The log does not have them.
    NotInLog(String),
    /// Something has failed.
    Failed(EngineError),
}

impl<E: Into<EngineError>> From<E> for NotGiven {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes a page.
pub(super) type Give<'a> = &'a mut dyn FnMut(PageNumber, &PageData) -> Result<(), EngineError>;

/// How many pages a database had at a commit, behind which these were written. `None`: the log does not go back far enough to
/// tell.
fn told_count(
    core: &Core,
    database: &Database,
    (commit, written): (CommitNumber, &Written),
) -> Result<Option<u32>, EngineError> {
    let some = numbers(written.pages.iter().copied().take(1));
    let remade = core.own_log().as_of(database.id(), commit, &some)?;
    Ok(remade.and_then(|remade| remade.page_count()))
}

/// The same; it is exact only where the log tells.
pub(super) fn count_pages(
    core: &Core,
    database: &Database,
    behind: (CommitNumber, &Written),
) -> Result<u32, NotGiven> {
    let told = told_count(core, database, behind)?;
    told.ok_or_else(|| not_told(database, behind.0, None))
}

/// The same where no data file has a later commit: what the log does not tell is what they have.
pub(super) fn count_pages_of_files(
    core: &Core,
    database: &Database,
    behind: (CommitNumber, &Written),
) -> Result<u32, NotGiven> {
    let in_file = || u32::try_from(database.store().base_sums().len()).unwrap_or(u32::MAX);
    Ok(told_count(core, database, behind)?.unwrap_or_else(in_file))
}

/// Gives the pages of a database that were written behind a commit, as they were there, when it had `count`.
/// `files_are_older`: no data file has a later commit, so what the log does not tell is what they have.
///
/// Errors: the log does not go back far enough, or can't be read.
pub(super) fn give_pages(
    core: &Core,
    database: &Database,
    (commit, written): (CommitNumber, &Written),
    (count, files_are_older): (u32, bool),
    give: Give<'_>,
) -> Result<(), NotGiven> {
    let pages = numbers(written.of(count));
    for pages in pages.chunks(AT_ONCE) {
        let remade = core.own_log().as_of(database.id(), commit, pages)?;
        for page in pages {
            let told = remade.as_ref().map(|remade| remade.page(*page));
            match told.unwrap_or(&Page::Unknown) {
                Page::Known(content) => give(*page, content)?,
                Page::Unknown | Page::Doubtful(_) if files_are_older => {
                    give(*page, &*of_file(database, *page)?)?;
                }
                Page::Unknown | Page::Doubtful(_) | Page::Absent => {
                    return Err(not_told(database, commit, Some(*page)));
                }
            }
        }
    }
    Ok(())
}

/// A page as the data file has it. What is behind its end was added since, without content.
fn of_file(database: &Database, page: PageNumber) -> Result<Box<PageData>, EngineError> {
    let mut content = Box::new([0; PAGE_SIZE]);
    if page.get() as usize <= database.store().base_sums().len() {
        database.store().read_base(page, &mut content)?;
    }
    Ok(content)
}

fn numbers(pages: impl IntoIterator<Item = u32>) -> Vec<PageNumber> {
    let numbers = pages.into_iter().filter_map(PageNumber::new);
    numbers.filter(|page| *page != LOCK_PAGE).collect()
}

fn not_told(database: &Database, commit: CommitNumber, page: Option<PageNumber>) -> NotGiven {
    let what = page.map_or_else(
        || "how many pages".to_owned(),
        |page| format!("what page {page} of"),
    );
    NotGiven::NotInLog(format!(
        "the log does not go back far enough to tell {what} \"{}\" had at commit {commit}",
        database.name()
    ))
}
