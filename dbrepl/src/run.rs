//! The whole run: one connection after the other, until the goal is reached or a person is needed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::{Awaited, Failure, Outlook};
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Ending, blocking, ship};
use crate::source;
use crate::stop::Stop;

/// First and longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often to look whether what is missing from the log is there again, and how often to ask the
/// slave in between: it may need something else by then.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 60;

/// Runs until the goal is reached, the operator stops it, or a failure needs a person.
pub async fn run(options: &Options, mut reporter: Reporter, mut stop: Stop) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut outage: Option<Failure> = None;
    loop {
        let mut shipping: Option<Instant> = None;
        let after_outage = outage.is_some();
        let mut connected = |reporter: &Reporter| {
            shipping = Some(Instant::now());
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
        // What fails at once each time is one state, not many changes of it.
        if shipping.is_some_and(|since| since.elapsed() >= LONGEST_PAUSE) {
            pause = FIRST_PAUSE;
            outage = None;
        }
        let outlook = failure.outlook;
        if is_news(outage.as_ref(), &failure) {
            tell(&reporter, &failure);
            outage = Some(failure);
        }
        tokio::select! {
            () = wait(options, outlook, pause) => {}
            () = stop.requested() => return stopped(options.goal, outage),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn tell(reporter: &Reporter, failure: &Failure) {
    if let Outlook::Awaits(_) = failure.outlook {
        reporter.warning(&format!("{}; waiting for it to come back", failure.message));
        reporter.warning(&format!("hint: {}", failure.hint));
    } else {
        reporter.warning(&format!("{}; trying again", failure.message));
    }
}

/// Until the next attempt is worth it.
async fn wait(options: &Options, outlook: Outlook, pause: Duration) {
    let Outlook::Awaits(awaited) = outlook else {
        return sleep(pause).await;
    };
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        if is_there(options, awaited).await {
            return;
        }
    }
}

async fn is_there(options: &Options, awaited: Awaited) -> bool {
    let location = options.source.location.clone();
    let looked = blocking(move || source::is_there(&location, awaited)).await;
    looked.unwrap_or_default()
}

fn worth_another_try(goal: Goal, failure: &Failure, elapsed: Duration) -> bool {
    match failure.outlook {
        Outlook::Final => false,
        Outlook::Retry | Outlook::Awaits(_) => goal == Goal::Follow,
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
