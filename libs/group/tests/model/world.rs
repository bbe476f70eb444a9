//! Sites, lines, disks, clocks and a register, driven by one seed; each step is checked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use disk::testing::Random;
use fwlog::Generation;
use group::{
    BootTime, Group, Input, Output, Register as _, Rule, Site as Known, SiteName, Terms, Version,
};

use crate::register::Model;
use crate::site::{Clock, Entry, Site, end_of};

pub(crate) const TERMS: Terms = Terms {
    lease: Duration::from_secs(1),
    cold_start: Duration::from_secs(2),
    max_lost_bytes: 1000,
};
/// Milliseconds between the ticks of a site.
const TICK: u64 = 50;
/// After so many a commit has waited too long.
pub(super) const TOO_LONG: Duration = Duration::from_millis(600);

/// What is under way.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Tick,
    Synced {
        length: usize,
    },
    Frozen(Generation),
    StoodDown,
    Message {
        from: usize,
        message: Message,
    },
    /// A question that has reached the register.
    Asked(Question),
    Answered(Input),
    Boot,
}

#[derive(Debug, Clone)]
pub(super) enum Message {
    Ship {
        term: Generation,
        log: Vec<Entry>,
        released: usize,
    },
    Ack {
        term: Generation,
        log: Vec<Entry>,
    },
    Fenced(Generation),
    Fetch(Generation),
    Lent {
        term: Generation,
        log: Vec<Entry>,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Question {
    Read,
    Swap(Version, Box<Group>),
    Renew(Generation, BootTime),
    MayOpen(Version),
}

/// What a seed has met.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) answered: u64,
    pub(crate) tenures: u64,
    pub(crate) resumed: u64,
    pub(crate) cuts: u64,
    pub(crate) alone: u64,
    pub(crate) fetched: u64,
}

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) now: u64,
    pub(crate) sites: Vec<Site>,
    pub(crate) register: Model,
    clock: Clock,
    /// Clocks are no better than chance: a lease means nothing.
    pub(super) is_wild: bool,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, (usize, u64, Event)>,
    next: u64,
    /// Pairs of sites, and sites and the register (`sites.len()`), that do not hear one another.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// Each answer may be lost.
    pub(crate) is_lossy: bool,
    pub(super) numbers: u64,
    /// Who has written in each generation.
    pub(super) writers: BTreeMap<Generation, usize>,
    /// The logs with which generations were begun.
    pub(super) begun: Vec<(Generation, Vec<Entry>)>,
    /// In which generation what was released first.
    pub(crate) released: BTreeMap<Entry, Generation>,
    /// Answered with nobody else's word, where no rule wants one.
    pub(crate) answered_locally: BTreeSet<Entry>,
    pub(crate) tally: Tally,
    /// All that happens is printed.
    is_told: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (known, rule) = drawn(&mut random);
        let first = Entry {
            generation: Generation::FIRST,
            number: 0,
        };
        // What was released never hangs on a clock: in some stories they go wild.
        let is_wild = random.below(3) == 0;
        let mut rate = || {
            if is_wild {
                300 + random.below(2_700)
            } else {
                910 + random.below(180)
            }
        };
        let group = Group::new(known.clone(), Some(rule), &known[0].name, end_of(&[first]));
        let sites = known.iter().map(|site| {
            let log = if site.has_data {
                vec![first]
            } else {
                Vec::new()
            };
            Site::new(site, log, rate())
        });
        let sites: Vec<Site> = sites.collect();
        let mut world = Self {
            clock: Clock::new(rate()),
            is_wild,
            random,
            now: 0,
            register: Model::new(group, TERMS),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next: 0,
            cut: BTreeSet::new(),
            is_lossy: false,
            numbers: 1,
            writers: BTreeMap::from([(Generation::FIRST, 0)]),
            begun: vec![(Generation::FIRST, vec![first])],
            released: BTreeMap::new(),
            answered_locally: BTreeSet::new(),
            tally: Tally::default(),
            is_told: std::env::var_os("GROUP_TRACE").is_some(),
            sites,
        };
        for site in 0..world.sites.len() {
            world.boot(site);
        }
        world
    }

    pub(super) fn later(&mut self, site: usize, after: u64, event: Event) {
        let start = self.sites[site].start;
        self.events.insert(self.next, (site, start, event));
        self.queue.push(Reverse((self.now + after, self.next)));
        self.next += 1;
    }

    pub(super) fn draw(&mut self, least: u64, most: u64) -> u64 {
        least + self.random.below(most - least + 1)
    }

    pub(crate) fn boot(&mut self, site: usize) {
        let now = self.now;
        self.sites[site].boot(now, TERMS);
        let after = self.draw(0, TICK);
        self.later(site, after, Event::Tick);
    }

    /// All that was wrong with lines, clocks and machines is over; whoever was in trouble starts anew.
    pub(crate) fn mend(&mut self) {
        self.cut.clear();
        self.is_lossy = false;
        self.clock.mend(self.now);
        for site in 0..self.sites.len() {
            self.sites[site].suspended_until = 0;
            self.sites[site].clock.mend(self.now);
            self.kill(site);
        }
    }

    pub(crate) fn suspend(&mut self, site: usize) {
        let time = self.random.below(5_000);
        let it = &mut self.sites[site];
        if it.suspended_until <= self.now {
            it.suspended_until = self.now + time;
            it.slept += time;
        }
    }

    pub(crate) fn kill(&mut self, site: usize) {
        self.sites[site].memory = None;
        self.sites[site].start += 1;
        let after = self.draw(10, 6_000);
        self.later(site, after, Event::Boot);
    }

    /// Goes on until that time.
    pub(crate) fn run_until(&mut self, end: u64) {
        while let Some(Reverse((time, _))) = self.queue.peek()
            && *time <= end
        {
            let Some(Reverse((time, number))) = self.queue.pop() else {
                break;
            };
            let (site, start, event) = self.events.remove(&number).expect("an event");
            self.now = self.now.max(time);
            self.register.set_time(self.register_clock());
            // A site that sleeps does all of it when it wakes up.
            let asleep = self.sites[site].suspended_until;
            if asleep > self.now && !matches!(event, Event::Asked(_)) {
                self.events.insert(number, (site, start, event));
                self.queue.push(Reverse((asleep, number)));
                continue;
            }
            if start == self.sites[site].start || matches!(event, Event::Asked(_)) {
                self.happen(site, start, event);
                self.check();
            }
        }
        self.now = self.now.max(end);
    }

    fn register_clock(&self) -> BootTime {
        self.clock.at(self.now)
    }

    fn is_cut(&self, one: usize, other: usize) -> bool {
        self.cut.contains(&(one.min(other), one.max(other)))
    }

    pub(super) fn send(&mut self, from: usize, to: usize, message: Message) {
        let is_lost = self.is_lossy && self.random.below(8) == 0;
        if !self.is_cut(from, to) && !is_lost && self.sites[to].memory.is_some() {
            let after = self.draw(1, 30);
            self.later(to, after, Event::Message { from, message });
        }
    }

    fn ask(&mut self, site: usize, question: Question) {
        let is_lost = self.is_lossy && self.random.below(8) == 0;
        if !self.is_cut(site, self.sites.len()) && !is_lost {
            let most = if self.is_lossy { 900 } else { 20 };
            let after = self.draw(1, most);
            self.later(site, after, Event::Asked(question));
        }
    }

    fn happen(&mut self, site: usize, start: u64, event: Event) {
        if !matches!(
            event,
            Event::Tick | Event::Asked(Question::Read) | Event::Answered(Input::Seen(..))
        ) {
            self.tell(site, &event);
        }
        match event {
            Event::Boot => self.boot(site),
            Event::Tick => self.tick(site),
            Event::Synced { length } => self.synced(site, length),
            Event::Frozen(generation) => self.frozen(site, generation),
            Event::StoodDown => self.feed(site, Input::StoodDown),
            Event::Message { from, message } => self.message(site, from, message),
            Event::Asked(question) => self.answer(site, start, question),
            Event::Answered(input) => {
                let is_read = matches!(input, Input::Seen(..));
                self.feed(site, input);
                if !is_read {
                    self.ask(site, Question::Read);
                }
            }
        }
    }

    /// The register has got a question; its answer may be lost.
    fn answer(&mut self, site: usize, start: u64, question: Question) {
        let name = self.sites[site].name.clone();
        let input = match question {
            Question::Read => {
                let (version, group) = self.register.read().expect("it answers");
                Input::Seen(version, Box::new(group))
            }
            Question::Swap(seen, next) => {
                let _refused = self.register.swap(seen, &next);
                Input::Swapped
            }
            Question::Renew(generation, sent) => {
                let granted = Some(self.register.renew(&name, generation).is_ok());
                Input::Renewed { sent, granted }
            }
            Question::MayOpen(seen) => {
                Input::MayOpen(seen, self.register.may_open(seen) == Ok(true))
            }
        };
        let is_lost = self.is_lossy && self.random.below(8) == 0;
        let most = if self.is_lossy { 900 } else { 20 };
        if start == self.sites[site].start && !is_lost && !self.is_cut(site, self.sites.len()) {
            let after = self.draw(1, most);
            self.later(site, after, Event::Answered(input));
        }
    }

    pub(crate) fn feed(&mut self, site: usize, input: Input) {
        let clock = self.sites[site].clock(self.now);
        let Some(memory) = &mut self.sites[site].memory else {
            return;
        };
        for output in memory.member.step(clock, input) {
            self.act(site, output);
        }
    }

    fn tell(&self, site: usize, what: &dyn std::fmt::Debug) {
        if self.is_told {
            eprintln!("{:6} {site} {what:?}", self.now);
        }
    }

    fn act(&mut self, site: usize, output: Output) {
        self.tell(site, &output);
        match output {
            Output::Swap(seen, next) => self.ask(site, Question::Swap(seen, next)),
            Output::Renew(generation) => {
                let sent = self.sites[site].clock(self.now);
                self.ask(site, Question::Renew(generation, sent));
            }
            Output::AskToOpen(seen) => self.ask(site, Question::MayOpen(seen)),
            Output::Freeze(generation) => {
                // From here on nothing older comes in; then the mirror is synced and the promise written.
                if let Some(memory) = &mut self.sites[site].memory {
                    memory.floor = memory.floor.max(generation);
                    memory.link = None;
                    memory.waiting.clear();
                }
                let after = self.draw(1, 40);
                self.later(site, after, Event::Frozen(generation));
            }
            Output::Fetch(generation, from) => {
                let from = self.sites.iter().position(|it| it.name == from);
                self.send(site, from.expect("a site"), Message::Fetch(generation));
            }
            Output::Lead {
                generation,
                resumed,
                ..
            } => self.lead(site, generation, resumed),
            Output::Follow(..) => {}
            Output::StandDown(_) => {
                if let Some(memory) = &mut self.sites[site].memory {
                    memory.waiting.clear();
                }
                let after = self.draw(1, 40);
                self.later(site, after, Event::StoodDown);
            }
        }
    }

    fn tick(&mut self, site: usize) {
        self.later(site, TICK, Event::Tick);
        self.feed(site, Input::Tick);
        self.ask(site, Question::Read);
        let Some(term) = self.sites[site].leads() else {
            return;
        };
        self.judge(site);
        let it = &self.sites[site];
        let released = it.memory.as_ref().map_or(0, |memory| memory.shown);
        let log = it.disk.log.clone();
        for to in 0..self.sites.len() {
            if to != site && self.sites[to].has_data {
                let log = log.clone();
                self.send(
                    site,
                    to,
                    Message::Ship {
                        term,
                        log,
                        released,
                    },
                );
            }
        }
    }
}

/// The sites of a seed, the first of them the master, and its rule.
fn drawn(random: &mut Random) -> (Vec<Known>, Rule) {
    let data = if random.below(3) == 0 { 2 } else { 3 };
    let has_witness = data == 2 || random.below(4) == 0;
    let mut known: Vec<Known> = Vec::new();
    for name in ["north", "south", "east"].into_iter().take(data) {
        let is_reserve = random.below(6) == 0 && known.len() == 2;
        known.push(Known {
            name: SiteName::new(name),
            priority: if is_reserve { 0 } else { 100 },
            has_data: true,
        });
    }
    let among: Vec<SiteName> = known.iter().map(|site| site.name.clone()).collect();
    let acks = match random.below(8) {
        0 => 0,
        1 if data == 3 => 2,
        _ => 1,
    };
    if has_witness {
        known.push(Known {
            name: SiteName::new("west"),
            priority: 0,
            has_data: false,
        });
    }
    (known, Rule { acks, among })
}
