//! Who becomes master: a function of the document alone, so that it does not matter who decides.

use std::cmp::Reverse;
use std::fmt;

use crate::document::{End, Group, Promise, Site, SiteName};
use crate::terms::Terms;

/// Who becomes master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Who.
    pub winner: SiteName,
    /// Who has a longer log, and can't lead: the winner gets it first.
    pub fetch_from: Option<SiteName>,
    /// What the winner begins from.
    pub end: End,
}

/// Why nobody becomes master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A person works on the group.
    Paused,
    /// Too few sites have promised to know what was released.
    Promises {
        /// How many of those that count have.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// This one has answered alone, and what it has answered is known to nobody else.
    Alone(SiteName),
    /// Others may still promise, and have more.
    Patience,
    /// So many bytes would be lost, more than may be without a person.
    Loss(u64),
    /// No site that has promised may lead.
    Nobody,
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => out.write_str("the group is paused"),
            Self::Promises { have, need } => {
                write!(out, "{have} of {need} sites have promised that have to")
            }
            Self::Alone(site) => write!(
                out,
                "{site} has answered alone: what it has committed is on no other site"
            ),
            Self::Patience => out.write_str("other sites are waited for"),
            Self::Loss(bytes) => {
                write!(out, "{bytes} bytes of log would be lost, more than may be")
            }
            Self::Nobody => out.write_str("no site that has promised may lead"),
        }
    }
}

impl Group {
    /// Who leads the generation that is open, by what has been promised. `hurry`: nobody more is waited for.
    pub fn choice(&self, terms: &Terms, hurry: bool) -> Result<Choice, Missing> {
        if self.paused {
            return Err(Missing::Paused);
        }
        self.check_promises(hurry)?;
        let may_lead = |site: &Site, promise: &Promise| {
            site.priority > 0
                && !promise.suspended
                && self
                    .degraded
                    .as_ref()
                    .is_none_or(|alone| alone.site == site.name)
        };
        let promised = self
            .promises
            .iter()
            .filter_map(|(name, promise)| Some((self.site(name)?, promise)));
        let best = promised
            .clone()
            .max_by_key(|(site, promise)| {
                let order = (site.priority, Reverse(&site.name));
                (promise.end.rank(), may_lead(site, promise), order)
            })
            .ok_or(Missing::Nobody)?;
        let leader = promised
            .filter(|(site, promise)| may_lead(site, promise))
            .max_by_key(|(site, promise)| {
                let order = (site.priority, Reverse(&site.name));
                (promise.end.rank(), order)
            })
            .ok_or(Missing::Nobody)?;
        self.check_loss(terms, &best.1.end)?;
        let is_behind = leader.1.end.rank() < best.1.end.rank();
        Ok(Choice {
            winner: leader.0.name.clone(),
            fetch_from: is_behind.then(|| best.0.name.clone()),
            end: best.1.end,
        })
    }

    fn is_synchronous(&self) -> bool {
        self.rules.iter().any(|rule| rule.acks > 0)
    }

    fn check_promises(&self, hurry: bool) -> Result<(), Missing> {
        let has = |name: &SiteName| self.promises.contains_key(name);
        if let Some(alone) = self.degraded.as_ref().filter(|alone| !has(&alone.site)) {
            return Err(Missing::Alone(alone.site.clone()));
        }
        if let Some(master) = self.last_master() {
            for rule in self.rules.iter().filter(|rule| rule.acks > 0) {
                // Who was alone has all that was answered.
                let (have, need) = (rule.promised(master, has), rule.needed(master));
                if have < need && self.degraded.is_none() {
                    return Err(Missing::Promises { have, need });
                }
            }
        }
        let all = |site: &Site| {
            !site.has_data || has(&site.name) || Some(&site.name) == self.last_master()
        };
        if !self.is_synchronous() && !hurry && !self.sites.iter().all(all) {
            return Err(Missing::Patience);
        }
        Ok(())
    }

    /// What an asynchronous group would lose, as far as anybody knows.
    fn check_loss(&self, terms: &Terms, best: &End) -> Result<(), Missing> {
        if self.is_synchronous() {
            return Ok(());
        }
        let known = self.promises.values();
        let known = known.map(|promise| promise.end.bytes.saturating_add(promise.behind));
        let lost = known.max().unwrap_or(0).saturating_sub(best.bytes);
        if lost > terms.max_lost_bytes {
            return Err(Missing::Loss(lost));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fwlog::{ChainHash, CommitNumber, Generation, Position};

    use super::*;
    use crate::document::{Degraded, State};
    use crate::rule::Rule;

    const TERMS: Terms = Terms {
        lease: Duration::from_secs(2),
        cold_start: Duration::ZERO,
        max_lost_bytes: 100,
    };

    fn end(generation: u32, bytes: u64) -> End {
        End {
            generation: Generation::new(generation),
            bytes,
            position: Position::ORIGIN,
            hash: ChainHash::ZERO,
            commit: CommitNumber::new(bytes),
        }
    }

    /// Sites a, b, c with these priorities, led by a; then the next generation is open.
    fn opened(acks: usize, priorities: [u32; 3]) -> Group {
        let names = ["a", "b", "c"].map(SiteName::new);
        let sites = names.iter().zip(priorities).map(|(name, priority)| Site {
            name: name.clone(),
            priority,
            has_data: true,
        });
        let rule = Rule {
            acks,
            among: names.to_vec(),
        };
        let sites = sites.collect();
        let mut group = Group::new(sites, Some(rule), &names[0], end(1, 0));
        group.generation = Generation::new(2);
        group.state = State::Opening;
        group
    }

    fn promise(group: &mut Group, name: &str, end: End) {
        let promise = Promise {
            end,
            behind: 0,
            suspended: false,
        };
        group.promises.insert(SiteName::new(name), promise);
    }

    fn winner(group: &Group) -> Result<(String, Option<String>), Missing> {
        let choice = group.choice(&TERMS, false)?;
        let from = choice.fetch_from.map(|from| from.to_string());
        Ok((choice.winner.to_string(), from))
    }

    #[test]
    fn the_longest_log_of_enough_sites_leads() {
        let mut group = opened(1, [100; 3]);
        let few = |have| Err(Missing::Promises { have, need: 2 });
        assert_eq!(winner(&group), few(0));
        promise(&mut group, "b", end(1, 50));
        assert_eq!(winner(&group), few(1));
        promise(&mut group, "c", end(1, 70));
        assert_eq!(winner(&group), Ok(("c".into(), None)));
        // Who wrote later is ahead of who wrote more.
        promise(&mut group, "b", end(2, 10));
        assert_eq!(winner(&group), Ok(("b".into(), None)));
    }

    #[test]
    fn who_may_not_lead_lends_its_log() {
        let mut group = opened(1, [100, 0, 100]);
        promise(&mut group, "b", end(1, 70));
        promise(&mut group, "c", end(1, 50));
        assert_eq!(winner(&group), Ok(("c".into(), Some("b".into()))));
        promise(&mut group, "c", end(1, 70));
        assert_eq!(winner(&group), Ok(("c".into(), None)), "it has as much");
        let c = group.promises.get_mut(&SiteName::new("c")).unwrap();
        c.suspended = true;
        assert_eq!(winner(&group), Err(Missing::Nobody));
    }

    #[test]
    fn priorities_decide_between_equals_alone() {
        let mut group = opened(1, [100, 100, 200]);
        promise(&mut group, "b", end(1, 70));
        promise(&mut group, "c", end(1, 70));
        assert_eq!(winner(&group), Ok(("c".into(), None)));
        promise(&mut group, "b", end(1, 71));
        assert_eq!(winner(&group), Ok(("b".into(), None)));
    }

    #[test]
    fn who_has_answered_alone_is_waited_for() {
        let mut group = opened(1, [100; 3]);
        group.degraded = Some(Degraded {
            site: SiteName::new("a"),
            generation: Generation::FIRST,
        });
        promise(&mut group, "b", end(1, 70));
        promise(&mut group, "c", end(1, 70));
        assert_eq!(winner(&group), Err(Missing::Alone(SiteName::new("a"))));
        promise(&mut group, "a", end(1, 90));
        assert_eq!(winner(&group), Ok(("a".into(), None)));
    }

    #[test]
    fn without_a_rule_all_others_are_waited_for_and_a_great_loss_is_a_persons() {
        let mut group = opened(0, [100; 3]);
        promise(&mut group, "b", end(1, 50));
        assert_eq!(winner(&group), Err(Missing::Patience));
        assert_eq!(group.choice(&TERMS, true).unwrap().winner.as_str(), "b");
        promise(&mut group, "c", end(1, 40));
        assert_eq!(winner(&group), Ok(("b".into(), None)));
        let c = group.promises.get_mut(&SiteName::new("c")).unwrap();
        c.behind = 111;
        assert_eq!(winner(&group), Err(Missing::Loss(101)));
    }

    #[test]
    fn two_rules_are_both_obeyed() {
        let mut group = opened(2, [100; 3]);
        group.rules.push(Rule {
            acks: 1,
            among: ["a", "b", "c"].map(SiteName::new).to_vec(),
        });
        promise(&mut group, "b", end(1, 50));
        let few = Err(Missing::Promises { have: 1, need: 2 });
        assert_eq!(winner(&group), few, "one is enough for the first alone");
        group.paused = true;
        assert_eq!(winner(&group), Err(Missing::Paused));
    }
}
