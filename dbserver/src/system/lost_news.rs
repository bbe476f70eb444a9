//! Lost transactions that instances tell of become known at the root, and so everywhere.

use std::collections::BTreeSet;

use fwlog::{LostForkId, SettledForks};

use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::lost_forks::{LostFork, LostForks};

/// Looks once; to be done each second. A root notes what it does not know; all others tell it on.
///
/// Errors: something can't be read, written or noted. What is not done is done the next time.
pub fn look(environment: &Environment) -> Result<(), EngineError> {
    if environment.is_stopping() {
        return Ok(());
    }
    let core = environment.core();
    let gathered = core.gather_lost_forks()?;
    let forks = LostForks::of(environment);
    let mut known = forks.all()?;
    if !environment.is_read_only() {
        let is_new = |fork: &&fwlog::LostFork| !ids(&known).any(|id| id == fork.id());
        let mut noted = false;
        for fork in gathered.all().iter().filter(is_new) {
            noted |= note(environment, fork)?;
        }
        if noted {
            known = forks.all()?;
        }
    }
    let settled = known.iter().filter(|fork| fork.settled.is_some());
    // Those that were told last are those that somebody asks for.
    let settled = SettledForks::of(settled.rev().filter_map(LostFork::id));
    let known: BTreeSet<LostForkId> = ids(&known).collect();
    core.tell_lost_forks(&gathered, &known, settled)
}

fn ids(forks: &[LostFork]) -> impl Iterator<Item = LostForkId> {
    forks.iter().filter_map(LostFork::id)
}

/// `false`: this log does not have the fork.
fn note(environment: &Environment, fork: &fwlog::LostFork) -> Result<bool, EngineError> {
    let (instance, at) = (&fork.instance, fork.fork.position);
    let forks = LostForks::of(environment);
    if !forks.has(fork.fork)? {
        if environment.core().forks().lost.is_strange(fork.id()) {
            tracing::warn!(
                "{instance} tells of {} lost transactions behind {at}, which the log of this server does not have: they are not noted here",
                fork.transactions
            );
        }
        return Ok(false);
    }
    forks.register(&LostFork::told(fork, environment.core().host().clock.now()))?;
    tracing::warn!(
        "{instance} keeps {} lost transactions behind {at} ('dbctl lost status'): 'dbctl lost apply' does them again here, and 'dbctl lost complete' settles them",
        fork.transactions
    );
    Ok(true)
}
