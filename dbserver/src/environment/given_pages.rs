//! Pages that another server has given, as of a commit there, and what they prove.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagestore::{CommitNumber, LostPage, Origin, PageData, PageNumber, Remade, sum_of};

/// Pages of another server.
#[derive(Debug)]
pub(crate) struct GivenPages {
    server: Origin,
    commit: CommitNumber,
    pages: BTreeMap<PageNumber, Box<PageData>>,
}

impl GivenPages {
    /// What that server has at that commit.
    pub(crate) fn new(
        server: &str,
        commit: CommitNumber,
        pages: BTreeMap<PageNumber, Box<PageData>>,
    ) -> Self {
        Self {
            server: server.into(),
            commit,
            pages,
        }
    }

    /// Whether it has given the page.
    pub(crate) fn has(&self, page: PageNumber) -> bool {
        self.pages.contains_key(&page)
    }

    /// The sum proves a page whatever the other server is. That a page is right and its sum is not, only a server proves
    /// that has what the file has: nothing newer is known of the page here, so it is there what it was.
    pub(crate) fn answer(&self, lost: &LostPage, file: CommitNumber) -> Remade {
        let Some(data) = self.pages.get(&lost.page) else {
            return Remade::Later(format!("{} has not given it", self.server));
        };
        let sum = sum_of(data.as_slice());
        if sum == lost.sum {
            Remade::Page(data.clone(), Arc::clone(&self.server))
        } else if lost.found == Some(sum) && self.commit >= file {
            Remade::Sum(Arc::clone(&self.server))
        } else if self.commit < file {
            Remade::Later(format!(
                "{} is at commit {}, and the data file at commit {file}",
                self.server, self.commit
            ))
        } else {
            Remade::Later(format!(
                "{} has another page at commit {}: it was changed since, or is damaged there",
                self.server, self.commit
            ))
        }
    }
}

/// The content of a page in base64.
pub(crate) fn page_content(text: &str) -> Option<Box<PageData>> {
    let content = STANDARD.decode(text).ok()?;
    content.into_boxed_slice().try_into().ok()
}
