//! One site: its disk, what it has in memory, and what its server would do for its member.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fwlog::{ChainHash, CommitNumber, Generation, Position};
use group::{BootTime, End, Group, Member, SiteName, Start, Terms};

/// A machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// What it showed, in microseconds, at a time in milliseconds.
    showed: u64,
    at: u64,
    /// How fast it runs, in thousandths.
    rate: u64,
}

impl Clock {
    pub(crate) fn new(rate: u64) -> Self {
        // Clocks of two machines say nothing of one another.
        Self {
            showed: rate * 77,
            at: 0,
            rate,
        }
    }

    pub(crate) fn at(&self, now: u64) -> BootTime {
        let micros = self.showed + (now - self.at) * self.rate;
        BootTime::new(Duration::from_micros(micros))
    }

    /// From now on it runs as it should.
    pub(crate) fn mend(&mut self, now: u64) {
        self.showed += (now - self.at) * self.rate;
        self.at = now;
        self.rate = 1000;
    }
}

/// One entry of a log: the record that begins a generation, or a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) generation: Generation,
    pub(crate) number: u64,
}

/// What outlives a power cut.
#[derive(Debug, Default, Clone)]
pub(crate) struct Disk {
    pub(crate) log: Vec<Entry>,
    pub(crate) promised: Generation,
    /// What was cut off, once for each time.
    pub(crate) lost: Vec<Vec<Entry>>,
}

/// What a running server has.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) member: Member,
    /// Its log, with what is not on the disk yet.
    pub(crate) log: Vec<Entry>,
    /// It takes nothing below this.
    pub(crate) floor: Generation,
    /// Whose log it takes, and in which generation's name.
    pub(crate) link: Option<(usize, Generation)>,
    /// So much its readers have seen.
    pub(crate) shown: usize,
    /// How far each site has this log, since it leads.
    pub(crate) acks: BTreeMap<SiteName, usize>,
    /// Commits that are not answered: where, and since when.
    pub(crate) waiting: Vec<(usize, BootTime)>,
    /// How much more its master had.
    pub(crate) behind: u64,
}

/// A site.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: SiteName,
    pub(crate) has_data: bool,
    pub(crate) disk: Disk,
    pub(crate) memory: Option<Memory>,
    /// Counts its starts: what was under way for an earlier one is gone.
    pub(crate) start: u64,
    pub(crate) suspended_until: u64,
    /// For how long it has slept; its clock went on.
    pub(crate) slept: u64,
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) fn new(known: &group::Site, log: Vec<Entry>, rate: u64) -> Self {
        Self {
            name: known.name.clone(),
            has_data: known.has_data,
            disk: Disk {
                log,
                promised: Generation::FIRST,
                lost: Vec::new(),
            },
            memory: None,
            start: 0,
            suspended_until: 0,
            slept: 0,
            clock: Clock::new(rate),
        }
    }

    /// What its clock says; `now` in milliseconds.
    pub(crate) fn clock(&self, now: u64) -> BootTime {
        self.clock.at(now)
    }

    pub(crate) fn boot(&mut self, now: u64, terms: Terms) {
        self.start += 1;
        let start = Start {
            me: self.name.clone(),
            log: self.has_data.then(|| end_of(&self.disk.log)),
            promised: self.disk.promised,
            now: self.clock(now),
        };
        self.memory = Some(Memory {
            member: Member::new(start, terms),
            log: self.disk.log.clone(),
            floor: self.disk.promised,
            link: None,
            // After a start its readers may see all that it has.
            shown: 0,
            acks: BTreeMap::new(),
            waiting: Vec::new(),
            behind: 0,
        });
    }

    pub(crate) fn leads(&self) -> Option<Generation> {
        self.memory.as_ref()?.member.leads()
    }

    pub(crate) fn may_answer(&self, now: u64) -> bool {
        let memory = self.memory.as_ref();
        now >= self.suspended_until
            && memory.is_some_and(|memory| memory.member.may_answer(self.clock(now)))
    }
}

impl Memory {
    pub(crate) fn group(&self) -> Option<&Group> {
        self.member.group()
    }

    /// How far its own log is released, with so much of it on the disk.
    pub(crate) fn released(&self, me: &SiteName, durable: usize) -> usize {
        let (Some(group), Some(generation)) = (self.group(), self.member.leads()) else {
            return 0;
        };
        if self.member.is_alone() {
            return durable;
        }
        let begun = self.begun(generation);
        let mut least = durable;
        for rule in group.rules.iter().filter(|rule| rule.acks > 0) {
            let far = |bound: usize| {
                rule.is_met(me, |site| {
                    self.acks.get(site).is_some_and(|ack| *ack >= bound)
                })
            };
            // Who has nothing of this generation has acknowledged nothing.
            let ends: BTreeSet<usize> = self.acks.values().copied().collect();
            let best = ends.into_iter().rev().find(|end| far(*end));
            least = least.min(best.filter(|end| *end > begun).unwrap_or(0));
        }
        least
    }

    /// Where the generation begins in the log.
    pub(crate) fn begun(&self, generation: Generation) -> usize {
        let found = self.log.iter().position(|it| it.generation == generation);
        found.unwrap_or(self.log.len())
    }

    /// Whether all that is on the disk is released by each of the rules.
    pub(crate) fn is_enough(&self, me: &SiteName, durable: usize) -> bool {
        self.group().is_some_and(|group| {
            group.rules.iter().all(|rule| {
                rule.is_met(me, |site| {
                    self.acks.get(site).is_some_and(|ack| *ack >= durable)
                })
            })
        })
    }
}

/// The end of a log, with a hash over all of it.
pub(crate) fn end_of(log: &[Entry]) -> End {
    let mut hash = [0_u8; 32];
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for entry in log {
        for part in [u64::from(entry.generation.get()), entry.number] {
            sum = (sum ^ part).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash[..8].copy_from_slice(&sum.to_le_bytes());
    End {
        generation: log.last().map_or(Generation::FIRST, |it| it.generation),
        bytes: log.len() as u64,
        position: Position::ORIGIN,
        hash: ChainHash::from_bytes(hash),
        commit: CommitNumber::new(log.len() as u64),
    }
}

/// How much of two logs is the same.
pub(crate) fn common(one: &[Entry], other: &[Entry]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}
