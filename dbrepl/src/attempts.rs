//! One slave: one connection after the other, until the goal is reached or a person is needed.

use std::time::Duration;

use dbconfig::ConnectParams;
use dbproto::Standing;
use dbproto::managed::TaskState;
use tokio::time::{Instant, sleep};

use crate::base::copy;
use crate::error::{ExitCode, LEAVING, MissingLog, Retry, ShipError, is_in_use, waits_for_place};
use crate::managed::Teller;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Attempt, Destination, blocking, ship};
use crate::shutdown::ShutdownRequest;
use crate::source;

/// A slave that was fed for so long was reached: the next failure is the first one of another trouble.
const WELL: Duration = Duration::from_secs(5);

/// The longest where the slave can't go on by its own account: with longer ones its master would think that it
/// does not answer.
const SUSPENDED_PAUSE: Duration = Duration::from_secs(2);

/// The longest where the server is the root, or has no place in the tree: once that is over it waits for its log.
const PLACE_PAUSE: Duration = Duration::from_millis(500);

/// How often to look whether what is missing from the log is there again, and how often to ask the
/// slave in between: it may need something else by then.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 60;

/// Runs until the goal is reached, the operator stops it, or a failure needs a person.
pub async fn attempts(to: &mut Destination, stop: &mut ShutdownRequest) -> Result<(), ShipError> {
    let directory = &to.log.location().directory;
    let mut note = SlaveNote::new(directory, &to.slave.to_string(), to.reporter.clone());
    let result = one_after_another(to, stop, &mut note).await;
    // However it has ended: nobody is to take the slave for one that is fed still.
    let why = result.as_ref().err().map(ShipError::in_full);
    note.end(why.as_deref().unwrap_or("its dbrepl was stopped"));
    result
}

async fn one_after_another(
    to: &mut Destination,
    stop: &mut ShutdownRequest,
    note: &mut SlaveNote,
) -> Result<(), ShipError> {
    let mut begun = Instant::now();
    let goal = to.options.goal;
    let mut tries = 0;
    let mut alert = Alert::default();
    let mut outage: Option<ShipError> = None;
    let mut failed = 0;
    let mut occupied = Occupied::default();
    loop {
        let mut attempt = Attempt::after(outage.as_ref(), failed);
        let trouble = outage.as_ref().map(ShipError::in_full);
        to.teller.state(TaskState::Connecting, trouble.as_deref());
        let result = ship(to, stop, note, &mut attempt).await;
        let failure = match result {
            Ok(ending) => {
                let managed = to.teller.why_stopped();
                let reason = managed.as_deref().unwrap_or_else(|| ending.reason());
                note.write(Standing::NotConnected, Some(reason));
                return Ok(());
            }
            Err(failure) if to.teller.is_managed() => failure.for_server(),
            Err(failure) => failure,
        };
        let failure = match another_password(to, failure) {
            Ok(()) => continue,
            Err(failure) => failure,
        };
        note.fail(&failure);
        let Some(failure) = mend(to, stop, note, failure).await else {
            (tries, outage, failed, begun) = (0, None, 0, Instant::now());
            continue;
        };
        if !worth_another_try(goal, &failure, begun.elapsed()) {
            return Err(failure);
        }
        // What fails at once each time is one state, not many changes of it.
        let is_news = attempt.is_news(&failure);
        if attempt.told_again {
            failed = 0;
        }
        let was_reached = attempt.shipping.is_some();
        if was_well(&attempt, &failure) {
            (tries, outage) = (0, None);
        }
        alert.look(&to.connect, was_reached, &failure, &to.reporter);
        (failed, tries) = (failed + 1, tries + 1);
        let retry = failure.retry;
        let longest = longest_pause(&failure);
        let pause = to.connect.pause(tries);
        let pause = longest.map_or(pause, |longest| pause.min(longest));
        tell_server(&to.teller, &failure);
        if occupied.is_worth_telling(&failure) && (is_news || outage.is_none()) {
            tell(&to.reporter, &failure);
            (outage, failed) = (Some(failure), 0);
        }
        tokio::select! {
            () = wait(&to.options, retry, pause) => {}
            () = stop.requested() => {
                return stopped(goal, outage);
            }
        }
    }
}

/// A slave that has taken log and says itself that it leaves was well, however short that was: one that changes its role is
/// back in a moment.
fn was_well(attempt: &Attempt<'_>, failure: &ShipError) -> bool {
    attempt.has_shipped_for(WELL) || attempt.shipping.is_some() && failure.is_farewell()
}

fn longest_pause(failure: &ShipError) -> Option<Duration> {
    match failure.standing {
        Some(Standing::Suspended) => Some(SUSPENDED_PAUSE),
        _ if waits_for_place(failure) => Some(place_pause()),
        _ => None,
    }
}

/// Two that have cut the two halves of one circle must not come again at one moment.
fn place_pause() -> Duration {
    PLACE_PAUSE + Duration::from_millis(40) * (std::process::id() % 16)
}

/// A slave that is not reached for long is told of again and again, where somebody wants that.
#[derive(Default)]
struct Alert {
    since: Option<Instant>,
    told: u32,
}

impl Alert {
    fn look(
        &mut self,
        connect: &ConnectParams,
        was_reached: bool,
        failure: &ShipError,
        reporter: &Reporter,
    ) {
        if was_reached {
            *self = Self::default();
        }
        let unreached = self.since.get_or_insert_with(Instant::now).elapsed();
        if connect.is_alert_due(unreached, self.told) {
            self.told += 1;
            reporter.warning(&format!(
                "alert: the slave has not been reached for {} s: {}",
                unreached.as_secs(),
                failure.in_full()
            ));
        }
    }
}

/// Where a copy helps, one is made. None: it is complete.
async fn mend(
    to: &mut Destination,
    stop: &mut ShutdownRequest,
    note: &mut SlaveNote,
    failure: ShipError,
) -> Option<ShipError> {
    if !to.options.gate.is_off() || !to.options.copies.mends(&failure, to.options.goal) {
        return Some(failure);
    }
    let why = format!("{}: a copy is made", failure.message);
    to.reporter.progress(&why);
    to.teller.state(TaskState::Meeting, Some(&why));
    let none = copy(to, stop, note).await.err()?;
    let failure = none.failure(failure);
    note.fail(&failure);
    Some(failure)
}

/// Where access was refused and the password file has another password than the one that was tried, that is tried
/// before anybody gives up.
fn another_password(to: &mut Destination, failure: ShipError) -> Result<(), ShipError> {
    if failure.code != ExitCode::Access {
        return Err(failure);
    }
    match to.credentials.read_again() {
        Ok(true) => {
            to.reporter.state(
                "access refused; the password file has another password by now: trying that",
            );
            Ok(())
        }
        Ok(false) => Err(failure),
        Err(unreadable) => {
            let hint = format!("{}; {}", failure.hint, unreadable.in_full());
            Err(failure.hint(hint))
        }
    }
}

/// Where the slave is the root nothing is wrong: each of a pair has a source for the other one.
fn tell_server(teller: &Teller, failure: &ShipError) {
    match teller.expected().filter(|_| failure.is_to_root()) {
        Some(slave) => {
            let why = format!("{slave} is the root; it is fed once it is a slave");
            teller.state(TaskState::Standby, Some(&why));
        }
        None => teller.state(TaskState::Waiting, Some(&failure.in_full())),
    }
}

pub(crate) fn tell(reporter: &Reporter, failure: &ShipError) {
    if let Retry::OnceBack(_) = failure.retry {
        reporter.warning(&format!("{}; waiting for it to come back", failure.message));
        reporter.warning(&format!("hint: {}", failure.hint));
    } else {
        reporter.warning(&format!("{}; trying again", failure.in_full()));
    }
}

/// Until the next attempt is worth it.
pub(crate) async fn wait(options: &Options, retry: Retry, pause: Duration) {
    let Retry::OnceBack(missing) = retry else {
        return sleep(pause).await;
    };
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        if is_there(options, missing).await {
            return;
        }
    }
}

async fn is_there(options: &Options, missing: MissingLog) -> bool {
    let location = options.source.location.clone();
    let looked = blocking(move || source::is_there(&location, missing)).await;
    looked.unwrap_or_default()
}

pub(crate) fn worth_another_try(goal: Goal, failure: &ShipError, elapsed: Duration) -> bool {
    match failure.retry {
        Retry::Never => false,
        Retry::WhenFollowing | Retry::OnceBack(_) => goal == Goal::Follow,
        Retry::For(limit) => goal == Goal::Follow || elapsed < limit,
    }
}

/// Since when another dbrepl has the slave.
#[derive(Default)]
struct Occupied(Option<Instant>);

impl Occupied {
    /// The connection of one that has just ended may still be open at the slave: that is over in a moment.
    fn is_worth_telling(&mut self, failure: &ShipError) -> bool {
        if !is_in_use(failure) {
            self.0 = None;
            return true;
        }
        self.0.get_or_insert_with(Instant::now).elapsed() >= LEAVING
    }
}

fn stopped(goal: Goal, outage: Option<ShipError>) -> Result<(), ShipError> {
    match (goal, outage) {
        (Goal::Follow, _) | (_, None) => Ok(()),
        (_, Some(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use dbproto::{Refuse, state};

    use super::*;
    use crate::error::ExitCode;

    #[test]
    fn with_a_goal_only_a_starting_slave_is_waited_for() {
        let lost = ShipError::unreachable("x");
        let limit = Duration::from_secs(5);
        let starting = ShipError::unreachable("x").retry(Retry::For(limit));
        let refused = ShipError::new(ExitCode::Access, "x");
        let now = Duration::ZERO;
        assert!(worth_another_try(Goal::Follow, &lost, limit));
        assert!(worth_another_try(Goal::Follow, &starting, limit));
        assert!(!worth_another_try(Goal::Follow, &refused, now));
        assert!(!worth_another_try(Goal::Synchronize, &lost, now));
        assert!(worth_another_try(Goal::Synchronize, &starting, now));
        assert!(!worth_another_try(Goal::Synchronize, &starting, limit));
    }

    #[test]
    fn the_same_trouble_is_told_once() {
        let lost = ShipError::unreachable("refused");
        let after = |known| Attempt::after(known, 0);
        assert!(after(None).is_news(&lost));
        assert!(!after(Some(&lost)).is_news(&ShipError::unreachable("no route")));
        assert!(after(Some(&lost)).is_news(&ShipError::passing("no log")));
    }

    #[test]
    fn a_slave_that_leaves_with_a_word_was_well_once_it_has_taken_log() {
        let farewell = Refuse::new(state::ADMIN_SHUTDOWN, "the slave was stopped");
        let farewell = ShipError::from_refuse(&farewell);
        let mut attempt = Attempt::after(None, 7);
        assert!(!was_well(&attempt, &farewell), "it was not reached");
        attempt.shipping = Some(Instant::now());
        assert!(was_well(&attempt, &farewell));
        assert!(!was_well(
            &attempt,
            &ShipError::unreachable("gone without a word")
        ));
    }

    #[test]
    fn another_dbrepl_is_told_of_only_once_it_stays() {
        let in_use = ShipError::new(ExitCode::Error, "x").retry(Retry::For(LEAVING));
        let mut occupied = Occupied::default();
        assert!(!occupied.is_worth_telling(&in_use));
        occupied.0 = occupied.0.and_then(|since| since.checked_sub(LEAVING));
        assert!(occupied.is_worth_telling(&in_use));
        assert!(occupied.is_worth_telling(&ShipError::unreachable("x")));
        assert!(!occupied.is_worth_telling(&in_use), "it begins anew");
    }
}
