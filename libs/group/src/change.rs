//! How the document changes. Each change is of one that was read, and takes effect by compare-and-swap.

use std::fmt;

use fwlog::Generation;

use crate::choose::Choice;
use crate::document::{Degraded, End, Group, Promise, SiteName, State, Tenure};
use crate::rule::Rule;

/// Why a change is none of this document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A person works on the group.
    Paused,
    /// Another generation is there by now, or another state of it.
    Overtaken,
    /// The site is none of the group's, or not one that may do this.
    NotThisSite,
    /// A rule is being changed already.
    RuleIsChanging,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Paused => "the group is paused",
            Self::Overtaken => "the group has gone on",
            Self::NotThisSite => "the site may not do this",
            Self::RuleIsChanging => "the change of a rule is not over",
        })
    }
}

impl std::error::Error for Refused {}

impl Group {
    /// The next generation is open: sites promise. Only who knows that nobody holds the lease may do this.
    pub fn opened(&self) -> Result<Self, Refused> {
        if self.paused {
            return Err(Refused::Paused);
        }
        let mut next = self.clone();
        next.generation = self.generation.next();
        next.state = State::Opening;
        next.promises.clear();
        Ok(next)
    }

    /// A site has promised the present generation, on its disk.
    pub fn promised(
        &self,
        site: &SiteName,
        generation: Generation,
        promise: Promise,
    ) -> Result<Self, Refused> {
        if generation != self.generation || self.state != State::Opening {
            return Err(Refused::Overtaken);
        }
        if !self.site(site).is_some_and(|known| known.has_data) {
            return Err(Refused::NotThisSite);
        }
        let mut next = self.clone();
        next.promises.insert(site.clone(), promise);
        Ok(next)
    }

    /// It has been decided who leads.
    pub fn elected(&self, choice: Choice) -> Result<Self, Refused> {
        if self.state != State::Opening {
            return Err(Refused::Overtaken);
        }
        let mut next = self.clone();
        next.state = State::Elected {
            winner: choice.winner,
            fetch_from: choice.fetch_from,
            end: choice.end,
        };
        Ok(next)
    }

    /// The winner takes over. It writes nothing before this is there.
    pub fn begun(&self, site: &SiteName) -> Result<Self, Refused> {
        let State::Elected { winner, end, .. } = &self.state else {
            return Err(Refused::Overtaken);
        };
        if winner != site {
            return Err(Refused::NotThisSite);
        }
        let tenure = Tenure {
            generation: self.generation,
            master: site.clone(),
            since: *end,
        };
        let mut next = self.clone();
        next.state = State::Steady {
            master: site.clone(),
            since: *end,
        };
        next.promises.clear();
        next.remember(tenure);
        Ok(next)
    }

    /// The master will answer alone; it does so once this is there.
    pub fn alone(&self, site: &SiteName) -> Result<Self, Refused> {
        self.check_led_by(site)?;
        let mut next = self.clone();
        next.degraded = Some(Degraded {
            site: site.clone(),
            generation: self.generation,
        });
        Ok(next)
    }

    /// Commits wait again, and enough sites have all that was answered before.
    pub fn together(&self, site: &SiteName) -> Result<Self, Refused> {
        self.check_led_by(site)?;
        let mut next = self.clone();
        next.degraded = None;
        Ok(next)
    }

    /// Another rule comes; until [`Self::settled`] both are obeyed.
    pub fn with_rule(&self, rule: Rule) -> Result<Self, Refused> {
        if self.rules.len() > 1 {
            return Err(Refused::RuleIsChanging);
        }
        let mut next = self.clone();
        next.rules.push(rule);
        Ok(next)
    }

    /// All that was released before the new rule came is released by it, too: the old one goes.
    pub fn settled(&self, site: &SiteName) -> Result<Self, Refused> {
        self.check_led_by(site)?;
        let mut next = self.clone();
        let old = next.rules.len().saturating_sub(1);
        next.rules.drain(..old);
        Ok(next)
    }

    fn check_led_by(&self, site: &SiteName) -> Result<(), Refused> {
        if self.is_led_by(site) {
            Ok(())
        } else {
            Err(Refused::NotThisSite)
        }
    }
}

/// Whether a site's log is long enough to go on from there.
pub(crate) fn reaches(own: &End, since: &End) -> bool {
    own.rank() >= since.rank()
}
