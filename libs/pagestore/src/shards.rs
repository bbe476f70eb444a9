//! The map page number → chain, in shards with a lock each.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustc_hash::FxHashMap;

use crate::chain::Chain;

/// Neighbouring pages lie in different shards, so that a scan and a writer seldom meet.
const SHARDS: usize = 64;

/// Page numbers are not chosen by an attacker to collide: a fast hash is enough.
pub(crate) type Chains = FxHashMap<u32, Chain>;

#[derive(Debug)]
pub(crate) struct Shards(Vec<RwLock<Chains>>);

impl Shards {
    pub(crate) fn new() -> Self {
        Self((0..SHARDS).map(|_| RwLock::default()).collect())
    }

    /// The shard of a page.
    pub(crate) fn index(page: u32) -> usize {
        page as usize % SHARDS
    }

    fn of(&self, page: u32) -> &RwLock<Chains> {
        &self.0[Self::index(page)]
    }

    pub(crate) fn read(&self, page: u32) -> RwLockReadGuard<'_, Chains> {
        self.of(page).read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self, page: u32) -> RwLockWriteGuard<'_, Chains> {
        self.of(page)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows every chain. Locks one shard at a time.
    pub(crate) fn look(&self, mut at: impl FnMut(u32, &Chain)) {
        for shard in &self.0 {
            let chains = shard.read().unwrap_or_else(PoisonError::into_inner);
            for (page, chain) in chains.iter() {
                at(*page, chain);
            }
        }
    }

    /// Pages whose chain satisfies `wanted`, ascending. Locks one shard at a time.
    pub(crate) fn pages(&self, wanted: impl Fn(u32, &Chain) -> bool) -> Vec<u32> {
        let mut pages = Vec::new();
        for shard in &self.0 {
            let chains = shard.read().unwrap_or_else(PoisonError::into_inner);
            pages.extend(
                chains
                    .iter()
                    .filter(|(page, chain)| wanted(**page, chain))
                    .map(|e| *e.0),
            );
        }
        pages.sort_unstable();
        pages
    }
}
