//! What is to go wrong.

use std::io;
use std::path::PathBuf;

use super::random::Random;
use super::state::normal;
use super::{Kind, Operation};

/// Lets operations fail. Of a call that fails any part may have been done.
///
/// ```
/// # use disk::testing::{Fault, Kind};
/// // The third sync of a file below /log.
/// Fault::after(2).of(&[Kind::Sync]).under("/log");
/// // From the tenth operation on, everything.
/// Fault::after(9).and_all_later();
/// // One write in a hundred.
/// Fault::one_in(100).of(&[Kind::Write]);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    when: When,
    lasting: bool,
    kinds: Option<Vec<Kind>>,
    under: Option<PathBuf>,
    effect: Effect,
}

#[derive(Clone, Copy, Debug)]
enum When {
    After(u64),
    OneIn(u64),
    Past,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Error(io::ErrorKind),
    PowerOff,
}

impl Fault {
    /// Lets so many operations pass, of those that it is restricted to, and the one behind them fail.
    pub fn after(operations: u64) -> Self {
        Self::new(When::After(operations), false)
    }

    /// Lets each operation fail with this chance.
    pub fn one_in(operations: u64) -> Self {
        Self::new(When::OneIn(operations), true)
    }

    fn new(when: When, lasting: bool) -> Self {
        Self {
            when,
            lasting,
            kinds: None,
            under: None,
            effect: Effect::Error(io::ErrorKind::Other),
        }
    }

    /// Only operations of these kinds.
    #[must_use]
    pub fn of(mut self, kinds: &[Kind]) -> Self {
        self.kinds = Some(kinds.to_vec());
        self
    }

    /// Only operations in this directory, or below it, or on this file.
    #[must_use]
    pub fn under(mut self, directory: impl Into<PathBuf>) -> Self {
        self.under = Some(normal(&directory.into()));
        self
    }

    /// With this error; [`io::ErrorKind::Other`] where nothing is said.
    #[must_use]
    pub fn with(mut self, error: io::ErrorKind) -> Self {
        self.effect = Effect::Error(error);
        self
    }

    /// The machine loses its power in the middle of the operation.
    #[must_use]
    pub fn power_off(mut self) -> Self {
        self.effect = Effect::PowerOff;
        self
    }

    /// Once it has struck, all later operations fail too.
    #[must_use]
    pub fn and_all_later(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// Whether this operation fails by it.
    fn strikes(&mut self, operation: &Operation, random: &mut Random) -> bool {
        let kinds = self.kinds.as_ref();
        let concerned = kinds.is_none_or(|kinds| kinds.contains(&operation.kind))
            && (self.under.as_ref()).is_none_or(|directory| operation.is_under(directory));
        if !concerned {
            return false;
        }
        match &mut self.when {
            When::After(0) => {
                if !self.lasting {
                    self.when = When::Past;
                }
                true
            }
            When::After(left) => {
                *left -= 1;
                false
            }
            When::OneIn(chances) => random.below((*chances).max(1)) == 0,
            When::Past => false,
        }
    }
}

/// All faults that are set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    faults: Vec<Fault>,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Every fault sees every operation; the first that strikes says how.
    pub(crate) fn effect(&mut self, operation: &Operation, random: &mut Random) -> Option<Effect> {
        let mut effect = None;
        for fault in &mut self.faults {
            if fault.strikes(operation, random) {
                effect = effect.or(Some(fault.effect));
            }
        }
        self.faults
            .retain(|fault| !matches!(fault.when, When::Past));
        effect
    }
}
