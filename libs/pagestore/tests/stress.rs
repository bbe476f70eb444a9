//! Readers, a writer and checkpoints at the same time: no reader ever sees a mixture of commits.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use disk::Disk;
use pagestore::{
    CommitNumber, Horizon, PAGE_SIZE, PageData, PageImage, PageNumber, PageStore, StoreOptions,
};

const PAGES: u32 = 300;
const COMMITS: u64 = 1500;

/// Each commit writes its number into page 1 and into `PAGES / 10` others that follow from it, and
/// changes the size. What a page holds at a commit can be computed.
fn written_by(commit: u64) -> impl Iterator<Item = u32> {
    let others = (0..PAGES / 10).map(move |i| {
        let mixed = (commit * 31 + u64::from(i)) * 7919 % u64::from(PAGES - 1);
        u32::try_from(mixed).unwrap() + 2
    });
    std::iter::once(1).chain(others)
}

fn page_count(commit: u64) -> u32 {
    PAGES - u32::try_from(commit % 7).unwrap() * 20
}

fn content(page: u32, commit: u64) -> PageData {
    let mut data = [0; PAGE_SIZE];
    for (index, chunk) in data.chunks_exact_mut(16).enumerate() {
        chunk[..8].copy_from_slice(&commit.to_le_bytes());
        chunk[8..].copy_from_slice(&(u64::from(page) * 1000 + index as u64).to_le_bytes());
    }
    data
}

/// The content of every page at every commit, as the commit that wrote it (0 = zeros).
fn history() -> Vec<Vec<u64>> {
    let mut now: Vec<u64> = Vec::new();
    let mut all = vec![now.clone()];
    for commit in 1..=COMMITS {
        now.resize(page_count(commit) as usize, 0);
        for page in written_by(commit) {
            if let Some(entry) = now.get_mut(page as usize - 1) {
                *entry = commit;
            }
        }
        all.push(now.clone());
    }
    all
}

fn pages_of(commit: u64) -> Vec<(PageNumber, PageImage)> {
    let mut pages: Vec<u32> = written_by(commit).collect();
    pages.sort_unstable();
    pages.dedup();
    let image = |page| PageImage::copy_of(&content(page, commit));
    pages
        .into_iter()
        .map(|page| (PageNumber::new(page).unwrap(), image(page)))
        .collect()
}

fn read_all(store: &Arc<PageStore>, history: &[Vec<u64>], latest: bool) {
    let snapshot = if latest {
        store.snapshot_latest()
    } else {
        store.snapshot_durable()
    };
    let commit = snapshot.commit().get();
    let expected = &history[usize::try_from(commit).unwrap()];
    assert_eq!(snapshot.page_count() as usize, expected.len());
    let mut data = [0; PAGE_SIZE];
    let mut run = vec![
        0;
        if latest {
            0
        } else {
            expected.len() * PAGE_SIZE
        }
    ];
    if !run.is_empty() {
        snapshot
            .read_run(PageNumber::new(1).unwrap(), &mut run)
            .unwrap();
    }
    for (page, by) in (1..).zip(expected) {
        match run.as_chunks().0.get(page as usize - 1) {
            Some(read) => data = *read,
            None => snapshot
                .read(PageNumber::new(page).unwrap(), &mut data)
                .unwrap(),
        }
        let wanted = if *by == 0 {
            [0; PAGE_SIZE]
        } else {
            content(page, *by)
        };
        assert!(
            data == wanted,
            "page {page} at commit {commit}: not as written by {by}"
        );
    }
}

#[test]
fn readers_see_whole_commits_while_checkpoints_run() {
    let directory = tempfile::tempdir().unwrap();
    let horizon = Horizon::new(CommitNumber::ZERO);
    let options = StoreOptions {
        disk: Disk::real(),
        scratch_dir: directory.path().to_owned(),
        database: 1,
        pinned_limit: 50 * PAGE_SIZE as u64,
    };
    let path = directory.path().join("stress.db");
    let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
    let history = history();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..3 {
            let (store, history, done) = (&store, &history, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    read_all(store, history, reader == 0);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.checkpoint(&|_| ()).unwrap();
            }
        });
        let writer = scope.spawn(|| {
            for commit in 1..=COMMITS {
                let number = CommitNumber::new(commit);
                store.publish(number, page_count(commit), pages_of(commit));
                // The log lags behind, and makes several commits durable at once.
                if commit % 3 == 0 {
                    horizon.advance(CommitNumber::new(commit - 2));
                }
            }
        });
        let outcome = writer.join();
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    horizon.advance(CommitNumber::new(COMMITS));
    store.close().unwrap();
    assert_eq!(store.memory().versions, 0);
    read_all(&store, &history, false);
}

#[test]
fn a_rewind_and_its_successor_never_mix() {
    let directory = tempfile::tempdir().unwrap();
    let horizon = Horizon::new(CommitNumber::ZERO);
    let options = StoreOptions {
        disk: Disk::real(),
        scratch_dir: directory.path().to_owned(),
        database: 1,
        pinned_limit: 0,
    };
    let path = directory.path().join("rewind.db");
    let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
    let done = AtomicBool::new(false);
    let publish = |commit: u64, by: u64| {
        let pages = (1..=20).map(|p| {
            (
                PageNumber::new(p).unwrap(),
                PageImage::copy_of(&content(p, by)),
            )
        });
        store.publish(CommitNumber::new(commit), 20, pages.collect());
    };
    publish(1, 1);
    horizon.advance(CommitNumber::new(1));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut data = [0; PAGE_SIZE];
                while !done.load(Ordering::Relaxed) {
                    let snapshot = store.snapshot_latest();
                    let mut seen = Vec::new();
                    for page in 1..=20 {
                        // A rewound snapshot may say so at any page, but never mixes.
                        if snapshot
                            .read(PageNumber::new(page).unwrap(), &mut data)
                            .is_err()
                        {
                            break;
                        }
                        seen.push(u64::from_le_bytes(data[..8].try_into().unwrap()));
                    }
                    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
                }
            });
        }
        let writer = scope.spawn(|| {
            for by in 2..3000 {
                publish(2, by);
                store.rewind(CommitNumber::new(1));
            }
        });
        let outcome = writer.join();
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    assert_eq!(store.epoch(), 2998);
}
