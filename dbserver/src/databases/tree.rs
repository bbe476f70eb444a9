//! The hash tree of a database's pages: made when it is asked for, from a snapshot
//! (`docs/decisions/0017-the-cut-where-it-differs.md` says why it is not kept up).

use pagehash::{GROUP_PAGES, GroupNumber, Tree, TreeHasher};
use pagestore::{PAGE_SIZE, PageNumber, Snapshot, StoreError};

/// A group of pages as it was read, and used again for the next one.
#[derive(Debug, Default)]
pub struct GroupBuffer(Vec<u8>);

impl GroupBuffer {
    /// Reads the pages of a group, as they follow one another; none where the database ends before it.
    pub fn read(&mut self, snapshot: &Snapshot, group: GroupNumber) -> Result<&[u8], StoreError> {
        let pages = group.pages(snapshot.page_count());
        self.0.resize(GROUP_PAGES as usize * PAGE_SIZE, 0);
        let count = pages.clone().count();
        let bytes = self.0.get_mut(..count * PAGE_SIZE).unwrap_or_default();
        if let Some(first) = PageNumber::new(*pages.start()).filter(|_| count > 0) {
            snapshot.read_run(first, bytes)?;
        }
        Ok(bytes)
    }
}

/// The tree of all pages that the snapshot shows. Its root is what `dbctl database checksum` prints.
pub fn of(snapshot: &Snapshot) -> Result<Tree, StoreError> {
    let mut buffer = GroupBuffer::default();
    let mut hasher = TreeHasher::new();
    for group in GroupNumber::all(snapshot.page_count()) {
        hasher.update(buffer.read(snapshot, group)?);
    }
    Ok(hasher.finish())
}
