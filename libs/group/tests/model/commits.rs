//! What becomes of commits: they go to disks, to other sites, and are released; what must hold of them.

use fwlog::Generation;
use group::{Input, Part, Promise, Register as _, SiteName};

use crate::site::{Entry, common, end_of};
use crate::world::{Event, Message, TOO_LONG, World};

impl World {
    pub(super) fn lead(&mut self, site: usize, generation: Generation, resumed: bool) {
        let writer = *self.writers.entry(generation).or_insert(site);
        assert_eq!(writer, site, "generation {generation} has two writers");
        let priority = self.register.read().expect("it answers").1;
        let known = priority.site(&self.sites[site].name).expect("a site");
        assert!(known.priority > 0 && known.has_data, "{known:?} leads");
        let number = self.numbers;
        let memory = self.sites[site].memory.as_mut().expect("it runs");
        memory.acks.clear();
        memory.waiting.clear();
        if memory
            .log
            .last()
            .is_none_or(|it| it.generation < generation)
        {
            self.numbers += 1;
            memory.log.push(Entry { generation, number });
            let log = memory.log.clone();
            // Who has slept may begin a tenure that is over: it knows nothing of later ones, and answers nothing.
            let earlier = self.released.iter().filter(|(_, by)| **by < generation);
            for (entry, _) in earlier {
                assert!(
                    log.contains(entry),
                    "{entry:?} was released, and {site} leads without"
                );
            }
            self.begun.push((generation, log));
            self.tally.tenures += 1;
        }
        self.tally.resumed += u64::from(resumed);
        self.sync(site);
    }

    /// What is in memory now goes to the disk, in a while.
    pub(super) fn sync(&mut self, site: usize) {
        let length = self.sites[site]
            .memory
            .as_ref()
            .map_or(0, |it| it.log.len());
        let after = self.draw(1, 25);
        self.later(site, after, Event::Synced { length });
    }

    pub(super) fn synced(&mut self, site: usize, length: usize) {
        let it = &mut self.sites[site];
        let Some(memory) = &it.memory else {
            return;
        };
        // It may have been cut meanwhile, and what began later may have ended before.
        let length = length.min(memory.log.len());
        if length > it.disk.log.len() {
            it.disk.log = memory.log[..length].to_vec();
        }
        let leads = it.leads();
        if leads.is_some() {
            self.release(site);
            return;
        }
        let log = it.disk.log.clone();
        if let Some((master, term)) = it.memory.as_ref().and_then(|it| it.link) {
            self.send(site, master, Message::Ack { term, log });
        }
    }

    pub(super) fn frozen(&mut self, site: usize, generation: Generation) {
        let it = &mut self.sites[site];
        let Some(memory) = &it.memory else {
            return;
        };
        if it.disk.promised > generation {
            return;
        }
        it.disk.log.clone_from(&memory.log);
        it.disk.promised = generation;
        let promise = Promise {
            end: end_of(&it.disk.log),
            behind: memory.behind,
            suspended: false,
        };
        self.feed(site, Input::Promised(generation, promise));
    }

    /// What a master's server says of its commits.
    pub(super) fn judge(&mut self, site: usize) {
        let it = &self.sites[site];
        let clock = it.clock(self.now);
        let Some(memory) = &it.memory else {
            return;
        };
        let durable = it.disk.log.len();
        let waits = memory
            .waiting
            .iter()
            .any(|(_, since)| clock.since(*since) > TOO_LONG);
        let is_enough = memory.is_enough(&it.name, durable);
        let several = memory.group().is_some_and(|group| group.rules.len() > 1);
        if is_enough {
            self.feed(site, Input::Enough);
            if several {
                self.feed(site, Input::RulesAreMet);
            }
        } else if waits {
            self.feed(site, Input::TooFew);
        }
        self.release(site);
    }

    pub(super) fn message(&mut self, site: usize, from: usize, message: Message) {
        match message {
            Message::Ship {
                term,
                log,
                released,
            } => self.shipped((site, from), term, &log, released),
            Message::Ack { term, log } => {
                let name = self.sites[from].name.clone();
                let it = &mut self.sites[site];
                let is_own = it.leads() == Some(term);
                if let Some(memory) = it.memory.as_mut().filter(|_| is_own) {
                    // Where the hash is the same, the log is.
                    if common(&memory.log, &log) == log.len() {
                        let ack = memory.acks.entry(name).or_default();
                        *ack = (*ack).max(log.len());
                    }
                    self.release(site);
                }
            }
            Message::Fenced(generation) => self.feed(site, Input::Fenced(generation)),
            Message::Fetch(term) => {
                let it = &self.sites[site];
                let log = it.disk.log.clone();
                if it.disk.promised == term {
                    self.send(site, from, Message::Lent { term, log });
                }
            }
            Message::Lent { term, log } => {
                let it = &mut self.sites[site];
                if let Some(memory) = &mut it.memory
                    && memory.floor == term
                    && it.disk.promised == term
                    && common(&memory.log, &log) == memory.log.len()
                {
                    memory.log.clone_from(&log);
                    it.disk.log.clone_from(&log);
                    self.tally.fetched += 1;
                    self.feed(site, Input::Fetched(term, end_of(&log)));
                }
            }
        }
    }

    /// A master's log has come.
    pub(super) fn shipped(
        &mut self,
        (site, from): (usize, usize),
        term: Generation,
        log: &[Entry],
        released: usize,
    ) {
        let it = &mut self.sites[site];
        let Some(memory) = &mut it.memory else {
            return;
        };
        if term < memory.floor {
            let floor = memory.floor;
            self.send(site, from, Message::Fenced(floor));
            return;
        }
        if matches!(
            memory.member.part(),
            Part::Master(_) | Part::StandingDown(_)
        ) {
            return;
        }
        memory.floor = term;
        memory.link = Some((from, term));
        it.disk.promised = it.disk.promised.max(term);
        let same = common(&memory.log, log);
        if same < memory.log.len() && same < log.len() {
            let gone: Vec<Entry> = memory.log.split_off(same);
            let released = gone.iter().find(|entry| self.released.contains_key(entry));
            assert_eq!(released, None, "{site} cuts what was released");
            it.disk.lost.push(gone);
            it.disk.log.truncate(same);
            self.tally.cuts += 1;
        }
        if memory.log.len() < log.len() {
            memory.log.extend_from_slice(&log[memory.log.len()..]);
        }
        memory.shown = memory.shown.max(released.min(memory.log.len()));
        memory.behind = 0;
        self.feed(site, Input::Heard);
        self.sync(site);
    }

    /// A client commits where it finds a master.
    pub(crate) fn commit(&mut self, site: usize) {
        let it = &mut self.sites[site];
        let clock = it.clock(self.now);
        let (Some(generation), true) = (it.leads(), it.suspended_until <= self.now) else {
            return;
        };
        let memory = it.memory.as_mut().expect("it leads");
        memory.log.push(Entry {
            generation,
            number: self.numbers,
        });
        self.numbers += 1;
        memory.waiting.push((memory.log.len(), clock));
        self.sync(site);
    }

    /// What is released is shown, and answered.
    pub(super) fn release(&mut self, site: usize) {
        let may_answer = self.sites[site].may_answer(self.now);
        let it = &mut self.sites[site];
        let Some(generation) = it.leads() else {
            return;
        };
        let durable = it.disk.log.len();
        let Some(memory) = &mut it.memory else {
            return;
        };
        let is_alone = memory.member.is_alone();
        let waits_for_none = memory
            .group()
            .is_some_and(|group| group.rules.iter().all(|rule| rule.acks == 0));
        if (is_alone || waits_for_none) && !may_answer {
            return;
        }
        let released = memory.released(&it.name, durable);
        if released <= memory.shown {
            return;
        }
        let new = memory.log[memory.shown..released].to_vec();
        memory.shown = released;
        let before = memory.waiting.len();
        memory.waiting.retain(|(at, _)| *at > released);
        let answered = (before - memory.waiting.len()) as u64;
        self.tally.answered += answered;
        self.tally.alone += if is_alone { answered } else { 0 };
        for entry in new {
            if waits_for_none {
                self.answered_locally.insert(entry);
                continue;
            }
            self.released.entry(entry).or_insert(generation);
            // Who was master between the entry and its release, and has released nothing, may not have it.
            for (later, log) in self.begun.iter().filter(|(later, _)| *later > generation) {
                assert!(
                    log.contains(&entry),
                    "{entry:?} is released by {site} in {generation} after generation {later} began without it"
                );
            }
        }
    }

    pub(super) fn check(&self) {
        let holders = self.sites.iter().filter(|it| it.may_answer(self.now));
        let holders: Vec<&SiteName> = holders.map(|it| &it.name).collect();
        assert!(
            holders.len() <= 1 || self.is_wild,
            "{holders:?} answer at once, at {}",
            self.now
        );
    }
}
