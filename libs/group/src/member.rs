//! The part that one site plays: a state machine without I/O and without a clock.
//!
//! ```text
//!                 ┌───────────── a newer generation is open ──────────────┐
//!                 ▼                                                       │
//!  Starting ─▶ Following ─opened─▶ Freezing ─▶ Frozen ─another leads─▶ Following
//!     │                                          │ elected                ▲
//!     │                            [Fetching] ◀──┤                        │
//!     │                                 └──▶ TakingOver ─▶ Master ─▶ StandingDown ─▶ Waiting
//!     └─ still its own tenure ─▶ Resuming ───────────────────▲
//! ```

use fwlog::Generation;

use crate::change::reaches;
use crate::document::{End, Group, Promise, SiteName, State};
use crate::exchange::{Input, Output, Start};
use crate::part::Part;
use crate::register::Version;
use crate::terms::{BootTime, Terms};

/// What a master's commits hear of the other sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Unknown,
    /// They have waited too long: the master wants to go on alone.
    TooFew,
    /// The others have caught up.
    Enough,
}

/// See the module's page.
#[derive(Debug)]
pub struct Member {
    me: SiteName,
    terms: Terms,
    log: Option<End>,
    promised: Generation,
    part: Part,
    known: Option<(Version, Group)>,
    /// When it began to be quiet.
    heard: BootTime,
    /// A question to the register is under way since then.
    asked: Option<BootTime>,
    /// When the last renewal was sent.
    renewed: Option<BootTime>,
    /// Until when it may answer as master, by a renewal that was granted.
    until: Option<BootTime>,
    /// When it ends to be master, unless a renewal is granted before.
    gives_up: BootTime,
    company: Company,
    /// The mark behind that document may be taken away at any moment.
    clearing: Option<Version>,
    rules_are_met: bool,
    in_trouble: bool,
}

impl Member {
    /// A site that starts.
    pub fn new(start: Start, terms: Terms) -> Self {
        Self {
            me: start.me,
            terms,
            log: start.log,
            promised: start.promised,
            part: Part::Starting,
            known: None,
            // All may start at once after a power cut: the last master is waited for.
            heard: start.now + terms.cold_start,
            asked: None,
            renewed: None,
            until: None,
            gives_up: start.now,
            company: Company::Unknown,
            clearing: None,
            rules_are_met: false,
            in_trouble: false,
        }
    }

    /// What it is.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// The generation that it leads in.
    pub fn leads(&self) -> Option<Generation> {
        match self.part {
            Part::Master(generation) => Some(generation),
            _ => None,
        }
    }

    /// Whether it may answer what no other site has acknowledged, and serve reads as the master that it is.
    pub fn may_answer(&self, now: BootTime) -> bool {
        self.leads().is_some() && self.until.is_some_and(|until| now < until)
    }

    /// Whether its commits wait for nobody: it has noted that before.
    pub fn is_alone(&self) -> bool {
        self.leads().is_some() && self.company == Company::TooFew && self.is_marked()
    }

    /// Whether the document says, and goes on to say, that nobody else may become master.
    fn is_marked(&self) -> bool {
        let Some((version, group)) = &self.known else {
            return false;
        };
        let is_cleared = self.clearing.is_some_and(|seen| *version <= seen);
        let mark = group.degraded.as_ref();
        mark.is_some_and(|mark| mark.site == self.me) && !is_cleared
    }

    /// The newest document that it has seen.
    pub fn group(&self) -> Option<&Group> {
        self.known.as_ref().map(|(_, group)| group)
    }

    /// Something happens; gives what is to be done.
    pub fn step(&mut self, now: BootTime, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.take(now, input, &mut out);
        self.decide(now, &mut out);
        out
    }

    fn take(&mut self, now: BootTime, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Tick => {}
            Input::Seen(version, group) => {
                if self
                    .known
                    .as_ref()
                    .is_none_or(|(known, _)| *known < version)
                {
                    self.heard = self.heard.max(now);
                    self.known = Some((version, *group));
                    self.rules_are_met = false;
                }
            }
            Input::Swapped => {
                self.asked = None;
                if let Part::TakingOver(generation, promise, _) = &self.part
                    && !self.is_begun()
                {
                    self.part = Part::Frozen(*generation, promise.clone());
                }
            }
            Input::Renewed { sent, granted } => self.renewal(sent, granted, out),
            Input::MayOpen(seen, may) => {
                self.asked = None;
                if may {
                    self.open(now, seen, out);
                }
            }
            Input::Heard => self.heard = self.heard.max(now),
            Input::Promised(generation, promise) => {
                if self.part == Part::Freezing(generation) {
                    self.promised = self.promised.max(generation);
                    self.log = Some(promise.end);
                    self.part = Part::Frozen(generation, promise);
                }
            }
            Input::Fetched(generation, end) => {
                if let Part::Fetching(own, promise) = &self.part
                    && *own == generation
                {
                    let promise = Promise {
                        end,
                        ..promise.clone()
                    };
                    self.log = Some(end);
                    self.part = Part::Frozen(generation, promise);
                }
            }
            Input::StoodDown => {
                if matches!(self.part, Part::StandingDown(_)) {
                    self.part = Part::Waiting;
                }
            }
            Input::Fenced(generation) => {
                if self.leads().is_some_and(|own| own < generation) {
                    self.stand_down(out);
                }
            }
            Input::InTrouble => {
                self.in_trouble = true;
                if self.leads().is_some() {
                    self.stand_down(out);
                }
            }
            Input::TooFew => self.company = Company::TooFew,
            Input::Enough => self.company = Company::Enough,
            Input::RulesAreMet => self.rules_are_met = true,
        }
    }

    fn renewal(&mut self, sent: BootTime, granted: Option<bool>, out: &mut Vec<Output>) {
        match (granted, &self.part) {
            (Some(true), Part::Master(_)) => {
                // From the sending on: the register may have had it at once.
                let until = sent + self.terms.held();
                self.until = self.until.max(Some(until));
                self.gives_up = self.gives_up.max(until);
            }
            (Some(true), Part::Resuming(generation)) => {
                let generation = *generation;
                if let Some(since) = self.since(generation) {
                    self.lead((generation, since), sent, true, out);
                    self.until = Some(sent + self.terms.held());
                }
            }
            (Some(false), Part::Resuming(_)) => self.part = Part::Waiting,
            (Some(false), Part::Master(_)) => self.stand_down(out),
            _ => {}
        }
    }

    /// What a generation that this site leads by the document goes on from.
    fn since(&self, generation: Generation) -> Option<End> {
        let group = self.group().filter(|it| it.generation == generation)?;
        match &group.state {
            State::Steady { master, since } if *master == self.me => Some(*since),
            _ => None,
        }
    }

    fn is_begun(&self) -> bool {
        match self.part {
            Part::TakingOver(generation, ..) => self.since(generation).is_some(),
            _ => false,
        }
    }

    fn lead(
        &mut self,
        (generation, since): (Generation, End),
        sent: BootTime,
        resumed: bool,
        out: &mut Vec<Output>,
    ) {
        self.part = Part::Master(generation);
        // That it has begun gives no right to answer: nobody knows which of its tries it was.
        self.until = None;
        self.gives_up = sent + self.terms.held();
        self.renewed = None;
        self.company = Company::Unknown;
        out.push(Output::Lead {
            generation,
            since,
            resumed,
        });
    }

    fn stand_down(&mut self, out: &mut Vec<Output>) {
        if let Part::Master(generation) = self.part {
            self.part = Part::StandingDown(generation);
            self.until = None;
            out.push(Output::StandDown(generation));
        }
    }

    fn open(&mut self, now: BootTime, seen: Version, out: &mut Vec<Output>) {
        let next = match &self.known {
            Some((version, group)) if *version == seen => group.opened(),
            _ => return,
        };
        if let Ok(next) = next {
            self.swap(now, next, out);
        }
    }

    /// Asks the register for one thing at a time.
    fn swap(&mut self, now: BootTime, next: Group, out: &mut Vec<Output>) {
        let Some((version, _)) = &self.known else {
            return;
        };
        if self.may_ask(now) {
            self.asked = Some(now);
            out.push(Output::Swap(*version, Box::new(next)));
        }
    }

    fn may_ask(&self, now: BootTime) -> bool {
        self.asked
            .is_none_or(|since| now.since(since) >= self.terms.lease)
    }

    fn decide(&mut self, now: BootTime, out: &mut Vec<Output>) {
        if self.leads().is_some() {
            self.go_on_leading(now, out);
            return;
        }
        let Some((_, group)) = self.known.clone() else {
            return;
        };
        if group.generation < self.promised {
            self.part = Part::Stranded;
            return;
        }
        // These wait for what was asked of their server.
        match &self.part {
            Part::StandingDown(_) | Part::Stranded => return,
            Part::Freezing(own) if *own == group.generation => return,
            _ => {}
        }
        match &group.state {
            State::Steady { master, since } if *master == self.me => {
                self.go_on_with_tenure(now, group.generation, *since, out);
            }
            State::Steady { master, .. } => self.follow(group.generation, master, out),
            State::Opening | State::Elected { .. } => self.vote(now, &group, out),
        }
        if group.state != State::Opening {
            self.suspect(now, out);
        }
    }

    fn go_on_leading(&mut self, now: BootTime, out: &mut Vec<Output>) {
        let Some((_, group)) = self.known.clone() else {
            return;
        };
        let overtaken = self.leads().is_some_and(|own| own < group.generation);
        if overtaken || now >= self.gives_up {
            self.stand_down(out);
            return;
        }
        if self
            .renewed
            .is_none_or(|sent| now.since(sent) >= self.terms.step())
        {
            self.renewed = Some(now);
            out.push(Output::Renew(group.generation));
        }
        let next = if self.company == Company::TooFew && !self.is_marked() {
            group.alone(&self.me)
        } else if self.company == Company::Enough && group.degraded.is_some() {
            if self.may_ask(now) {
                self.clearing = self.known.as_ref().map(|(version, _)| *version);
            }
            group.together(&self.me)
        } else if self.rules_are_met && group.rules.len() > 1 {
            group.settled(&self.me)
        } else {
            return;
        };
        if let Ok(next) = next {
            self.swap(now, next, out);
        }
    }

    /// The document says that this site is the master.
    fn go_on_with_tenure(
        &mut self,
        now: BootTime,
        generation: Generation,
        since: End,
        out: &mut Vec<Output>,
    ) {
        match &self.part {
            Part::TakingOver(own, _, sent) if *own == generation => {
                let sent = *sent;
                if now < sent + self.terms.held() {
                    self.lead((generation, since), sent, false, out);
                    self.go_on_leading(now, out);
                } else {
                    self.part = Part::Waiting;
                }
            }
            Part::Starting if !self.in_trouble => {
                // A log that is shorter was brought back from somewhere: what it led with is gone.
                let has_all = self.log.as_ref().is_some_and(|log| reaches(log, &since));
                if has_all {
                    self.part = Part::Resuming(generation);
                    out.push(Output::Renew(generation));
                } else {
                    self.part = Part::Waiting;
                }
            }
            Part::Resuming(_) | Part::Waiting => {}
            _ => self.part = Part::Waiting,
        }
    }

    fn follow(&mut self, generation: Generation, master: &SiteName, out: &mut Vec<Output>) {
        if self.log.is_none() {
            self.part = Part::Waiting;
            return;
        }
        let part = Part::Following {
            master: master.clone(),
            generation,
        };
        if self.part != part {
            self.part = part;
            out.push(Output::Follow(generation, master.clone()));
        }
    }

    /// A generation is open, or somebody is elected for it.
    fn vote(&mut self, now: BootTime, group: &Group, out: &mut Vec<Output>) {
        if self.log.is_none() {
            self.part = Part::Waiting;
            return;
        }
        let generation = group.generation;
        let (Part::Frozen(own, promise)
        | Part::Fetching(own, promise)
        | Part::TakingOver(own, promise, _)) = self.part.clone()
        else {
            self.freeze(generation, out);
            return;
        };
        if own != generation {
            self.freeze(generation, out);
            return;
        }
        match &group.state {
            State::Opening if !group.promises.contains_key(&self.me) => {
                if let Ok(next) = group.promised(&self.me, generation, promise) {
                    self.swap(now, next, out);
                }
            }
            State::Opening => {
                let hurry = now.since(self.heard) >= self.terms.lease;
                let chosen = group.choice(&self.terms, hurry);
                if let Some(next) = chosen.ok().and_then(|choice| group.elected(choice).ok()) {
                    self.swap(now, next, out);
                }
            }
            State::Elected { winner, .. } if *winner == self.me => {
                self.take_over(now, group, promise, out);
            }
            State::Elected { .. } | State::Steady { .. } => {}
        }
    }

    fn freeze(&mut self, generation: Generation, out: &mut Vec<Output>) {
        self.part = Part::Freezing(generation);
        self.asked = None;
        out.push(Output::Freeze(generation));
    }

    fn take_over(&mut self, now: BootTime, group: &Group, promise: Promise, out: &mut Vec<Output>) {
        let State::Elected {
            fetch_from, end, ..
        } = &group.state
        else {
            return;
        };
        if !matches!(self.part, Part::Frozen(..)) || self.in_trouble {
            return;
        }
        if !reaches(&promise.end, end) {
            if let Some(from) = fetch_from {
                out.push(Output::Fetch(group.generation, from.clone()));
                self.part = Part::Fetching(group.generation, promise);
            }
            return;
        }
        if let Ok(next) = group.begun(&self.me)
            && self.may_ask(now)
        {
            self.swap(now, next, out);
            self.part = Part::TakingOver(group.generation, promise, now);
        }
    }

    /// Nobody was heard for a while.
    fn suspect(&mut self, now: BootTime, out: &mut Vec<Output>) {
        let Some((version, group)) = &self.known else {
            return;
        };
        let is_quiet = now.since(self.heard) >= self.terms.lease;
        let busy = matches!(
            self.part,
            Part::Resuming(_) | Part::TakingOver(..) | Part::Freezing(_)
        );
        let again = self
            .asked
            .is_none_or(|since| now.since(since) >= self.terms.step());
        if is_quiet && !busy && again && !group.paused {
            self.asked = Some(now);
            out.push(Output::AskToOpen(*version));
        }
    }
}
