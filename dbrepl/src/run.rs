//! The whole run: one connection after the other, until the goal is reached or a person is needed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::{Failure, Outlook};
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Ending, ship};
use crate::stop::Stop;

/// First and longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs until the goal is reached, the operator stops it, or a failure needs a person.
pub async fn run(options: &Options, mut reporter: Reporter, mut stop: Stop) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut outage: Option<Failure> = None;
    loop {
        let mut shipping = false;
        let after_outage = outage.is_some();
        let mut connected = |reporter: &Reporter| {
            shipping = true;
            if after_outage {
                reporter.state("connected to slave server again");
            }
        };
        let result = ship(options, &mut reporter, &mut stop, &mut connected).await;
        let failure = match result {
            Ok(Ending::Reached | Ending::Stopped) => return Ok(()),
            Err(failure) => failure,
        };
        if !worth_another_try(options.goal, &failure, begun.elapsed()) {
            return Err(failure);
        }
        if shipping {
            pause = FIRST_PAUSE;
            outage = None;
        }
        if is_news(outage.as_ref(), &failure) {
            reporter.state(&format!("{}; trying again", failure.message));
            outage = Some(failure);
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.requested() => return stopped(options.goal, outage),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn worth_another_try(goal: Goal, failure: &Failure, elapsed: Duration) -> bool {
    match failure.outlook {
        Outlook::Final => false,
        Outlook::Retry => goal == Goal::Follow,
        Outlook::Soon(patience) => goal == Goal::Follow || elapsed < patience,
    }
}

/// One line for each change of state, none for each try.
fn is_news(outage: Option<&Failure>, failure: &Failure) -> bool {
    outage.is_none_or(|known| known.code != failure.code || known.outlook != failure.outlook)
}

fn stopped(goal: Goal, outage: Option<Failure>) -> Result<(), Failure> {
    match (goal, outage) {
        (Goal::Follow, _) | (_, None) => Ok(()),
        (_, Some(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ExitCode;

    #[test]
    fn with_a_goal_only_a_starting_slave_is_waited_for() {
        let lost = Failure::unreachable("x");
        let patience = Duration::from_secs(5);
        let starting = Failure::unreachable("x").outlook(Outlook::Soon(patience));
        let refused = Failure::new(ExitCode::Access, "x");
        let now = Duration::ZERO;
        assert!(worth_another_try(Goal::Follow, &lost, patience));
        assert!(worth_another_try(Goal::Follow, &starting, patience));
        assert!(!worth_another_try(Goal::Follow, &refused, now));
        assert!(!worth_another_try(Goal::Synchronize, &lost, now));
        assert!(worth_another_try(Goal::Synchronize, &starting, now));
        assert!(!worth_another_try(Goal::Synchronize, &starting, patience));
    }

    #[test]
    fn the_same_trouble_is_told_once() {
        let lost = Failure::unreachable("refused");
        assert!(is_news(None, &lost));
        assert!(!is_news(Some(&lost), &Failure::unreachable("no route")));
        assert!(is_news(Some(&lost), &Failure::passing("no log")));
    }
}
