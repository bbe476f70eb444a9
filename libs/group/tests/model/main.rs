//! Groups of sites under everything that befalls them: each seed is one story.
//!
//! `GROUP_SEEDS=100000 GROUP_FROM=1 cargo test --release -p group --test model` runs others.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test of small numbers, and a panic is how it fails"
)]

mod commits;
mod register;
mod site;
mod world;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use group::Rule;
use group::{Register as _, State};

use crate::world::{Tally, World};

/// Those that have failed once.
const KNOWN: &[u64] = &[];

/// How long the faults go on, in milliseconds.
const STORY: u64 = 30_000;
/// How long a group may take to be well again.
const HEALS: u64 = 30_000;

fn play(seed: u64) -> Tally {
    let mut world = World::new(seed);
    while world.now < STORY {
        let next = world.now + 20 + world.random.below(200);
        world.run_until(next);
        let site = world.random.below(world.sites.len() as u64) as usize;
        match world.random.below(40) {
            0 => world.kill(site),
            1 => world.suspend(site),
            2..=4 => {
                let other = world.random.below(world.sites.len() as u64 + 1) as usize;
                world.cut.insert((site.min(other), site.max(other)));
            }
            5 | 6 => world.cut.clear(),
            7 => world.is_lossy = !world.is_lossy,
            8 => world.feed(site, group::Input::InTrouble),
            9 => change_rule(&mut world),
            // Who leads does not hear the register any more, and all others do.
            10 | 11 => {
                let register = world.sites.len();
                let leads = world.sites.iter().position(|site| site.leads().is_some());
                world.cut.clear();
                world.cut.extend(leads.map(|site| (site, register)));
            }
            _ => world.commit(site),
        }
    }
    world.mend();
    let end = world.now + HEALS;
    while world.now < end {
        world.run_until(world.now + 500);
        for site in 0..world.sites.len() {
            world.commit(site);
        }
    }
    world.run_until(end + 2_000);
    check_end(&world);
    world.tally
}

/// An operator gives another rule.
fn change_rule(world: &mut World) {
    let (version, group) = world.register.read().expect("it answers");
    let among = group.sites.iter().filter(|site| site.has_data);
    let among: Vec<_> = among.map(|site| site.name.clone()).collect();
    let acks = 1 + world.random.below(among.len() as u64 - 1) as usize;
    if let Ok(next) = group.with_rule(Rule { acks, among })
        && group.rules.iter().all(|rule| rule.acks > 0)
    {
        let _version = world.register.swap(version, &next);
    }
}

fn check_end(world: &World) {
    let (_, group) = world.register.read().expect("it answers");
    let masters: Vec<usize> = (0..world.sites.len())
        .filter(|site| world.sites[*site].may_answer(world.now))
        .collect();
    let [master] = masters.as_slice() else {
        panic!("{masters:?} lead in the end: {group:?}");
    };
    assert!(matches!(group.state, State::Steady { .. }));
    let log = &world.sites[*master].disk.log;
    for entry in world.released.keys() {
        assert!(log.contains(entry), "{entry:?} was released and is lost");
    }
    let kept = |entry| {
        let lost = world.sites.iter().flat_map(|site| &site.disk.lost);
        lost.flatten().any(|lost| lost == entry)
    };
    for entry in &world.answered_locally {
        assert!(log.contains(entry) || kept(entry), "{entry:?} is nowhere");
    }
    for site in world.sites.iter().filter(|site| site.has_data) {
        let end = site.disk.log.len();
        assert_eq!(site.disk.log, log[..end.min(log.len())], "{}", site.name);
        assert!(
            end + 30 > log.len(),
            "{} is at {end} of {}",
            site.name,
            log.len()
        );
    }
    assert!(world.tally.answered > 0, "nothing was answered");
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn whatever_happens_nothing_released_is_lost_and_no_two_lead() {
    let (from, seeds) = (number("GROUP_FROM", 1), number("GROUP_SEEDS", 300));
    let mut failed = Vec::new();
    let mut all = Tally::default();
    for seed in KNOWN.iter().copied().chain(from..from + seeds) {
        match catch_unwind(AssertUnwindSafe(|| play(seed))) {
            Ok(tally) => {
                all.answered += tally.answered;
                all.tenures += tally.tenures;
                all.resumed += tally.resumed;
                all.cuts += tally.cuts;
                all.alone += tally.alone;
                all.fetched += tally.fetched;
            }
            Err(_) => failed.push(seed),
        }
    }
    println!("{seeds} seeds from {from}: {all:?}");
    assert!(failed.is_empty(), "{} seeds fail: {failed:?}", failed.len());
    // What never happened was not tried.
    assert!(all.tenures > seeds && all.cuts > 0 && all.alone > 0 && all.resumed > 0);
}
