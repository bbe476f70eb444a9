//! The map page number → chain, in shards with a lock each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::chain::Chain;

/// Neighbouring pages lie in different shards, so that a scan and a writer seldom meet.
const SHARDS: usize = 64;

/// Page numbers are not chosen by an attacker to collide: mixing is enough.
#[derive(Debug, Default)]
pub(crate) struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The low bits choose the bucket; within a shard those of the product would all be equal.
        self.0 = mixed ^ (mixed >> 32);
    }
}

pub(crate) type Chains = HashMap<u32, Chain, BuildHasherDefault<PageHasher>>;

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

    /// Adds up a number of each chain. Locks one shard at a time.
    pub(crate) fn sum(&self, of: impl Fn(&Chain) -> u64) -> u64 {
        let sum = |shard: &RwLock<Chains>| -> u64 {
            let chains = shard.read().unwrap_or_else(PoisonError::into_inner);
            chains.values().map(&of).sum()
        };
        self.0.iter().map(sum).sum()
    }
}
