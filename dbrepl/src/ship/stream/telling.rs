//! What is told of the source and of the slave while the log is on its way: signs of life, the tree, notes.

use dbproto::{BRAKE, Brake, HISTORY, PROMPT, Progress, Reached, Shipper, SourceState, Standing};
use fwlog::{Durable, Timestamp};

use super::LogStream;
use crate::connection::{Connection, Outgoing};
use crate::error::{ExitCode, ShipError};
use crate::options::Goal;
use crate::ship::handshake::told;
use crate::source::{self, Sign};

impl LogStream<'_> {
    /// Tells the slave where its source is in the tree, when that has changed.
    pub(super) async fn tell_above(&mut self, connection: &Connection) -> Result<(), ShipError> {
        let Ok(permit) = connection.out.try_reserve() else {
            return Ok(());
        };
        // A source whose log has just begun may not have said who it is when this began.
        let is_new = connection.can(HISTORY) && !self.shipper.has_name();
        if is_new && self.options.goal == Goal::Follow && source::has_name(&self.options.source) {
            return Err(
                ShipError::passing("the source's server says by now which instance it is")
                    .hint("dbrepl connects anew, and tells the slave"),
            );
        }
        let Some(above) = source::above(&self.options.source) else {
            return Ok(());
        };
        match self.shipper.tell_above(above) {
            Ok(news) => {
                if let Some(message) = news {
                    permit.send(Outgoing::message(&message, false));
                }
                Ok(())
            }
            Err(refusal) => {
                drop(permit);
                told(connection, Err(refusal)).await.map(drop)
            }
        }
    }

    /// Has the next sign of life sent at once.
    pub(super) fn say_news(&mut self) {
        self.beat.has_news();
        self.tick.reset_immediately();
    }

    /// Whether there is nothing more to send, and the slave has it on its disk and applied.
    pub(super) fn slave_has_all(&self) -> bool {
        let (_, seen) = self.log.look_at_master();
        let is_end = |end: Durable| {
            seen.is_none_or(|seen| (seen.point, seen.sealed) == (end.point, end.sealed))
        };
        self.pending.is_none()
            && self.at_end.is_some_and(is_end)
            && self.shipper.reached() != Reached::No
    }

    /// How the source is, before this leaves it.
    pub(super) async fn say_last(&mut self, connection: &Connection) -> Result<(), ShipError> {
        let message = Shipper::keep_alive(self.source_state(), false);
        self.stats.sent(&message, 0);
        self.tell_backlog();
        connection.send(&message).await
    }

    /// Tells the server that runs this dbrepl how far the slave is.
    pub(in crate::ship) fn tell_backlog(&self) {
        if self.teller.is_managed() {
            let up_to_date = self.lag.caught_up;
            self.teller
                .backlog(self.sent.backlog(&self.shipper, up_to_date));
        }
    }

    /// Each second: a sign of life, unless the socket is busy anyway; and the bar moves.
    pub(super) fn beat(&mut self, connection: &Connection) {
        self.watch_lag();
        self.watch_slave();
        self.write_note();
        self.tell_backlog();
        self.stats.look();
        let mut source = self.source_state();
        if connection.can(BRAKE) {
            source.brake = self.brake();
        }
        source.prompt = connection.can(PROMPT) && self.teller.is_prompt();
        let (before, end) = self.bytes;
        let done = self.shipper.sent() - self.shipper.outstanding();
        self.reporter
            .show_catch_up(done, end.saturating_sub(before).max(done));
        if self.beat.is_due()
            && let Ok(permit) = connection.out.try_reserve()
        {
            // While waiting for the goal, the answer decides.
            let message = Shipper::keep_alive(source, self.tailer.is_none());
            let outgoing = Outgoing::message(&message, false);
            self.stats.sent(&message, outgoing.bytes());
            permit.send(outgoing);
            self.beat.is_given();
        }
    }

    /// For the master's operator.
    pub(super) fn write_note(&mut self) {
        let brake = self.brake();
        let standing = match &self.suspended {
            Some(_) => Standing::Suspended,
            None if brake.held.is_some() => Standing::Held,
            None if self.lag.caught_up => Standing::Following,
            None => Standing::CatchingUp,
        };
        let reason = self.suspended.clone().or_else(|| brake.in_words());
        self.note.delay(brake.delay);
        self.note.write(standing, reason.as_deref());
    }

    /// For the slave's operator.
    pub(super) fn source_state(&mut self) -> SourceState {
        let (sign, seen) = self.log.look_at_master();
        let durable = seen.as_ref().map_or(self.durable, Progress::from);
        let now = Timestamp::now();
        SourceState {
            durable,
            log_bytes: seen.as_ref().map_or(0, |seen: &Durable| seen.log_bytes),
            now,
            oldest_outstanding: self.oldest_outstanding(&durable),
            caught_up: self.lag.caught_up,
            silent_since: match sign {
                Sign::Lives => None,
                Sign::Silent(since) | Sign::Stopped(since) => Some(since),
            },
            stopped: matches!(sign, Sign::Stopped(_)),
            brake: Brake::default(),
            prompt: false,
        }
    }

    /// What is held back on purpose.
    pub(super) fn brake(&self) -> Brake {
        Brake {
            delay: self.gate.delay(),
            held: self.gate.held(),
        }
    }

    /// Tells once that the filter has stopped the log. Who has a goal can't reach it.
    pub(super) fn tell_held(&mut self) -> Result<(), ShipError> {
        let held = self.gate.held();
        if held == self.told_held {
            return Ok(());
        }
        self.told_held = held;
        let Some(words) = self.brake().in_words().filter(|_| held.is_some()) else {
            return Ok(());
        };
        if self.options.goal == Goal::Follow {
            self.reporter.warning(&words);
            self.tick.reset_immediately();
            return Ok(());
        }
        Err(ShipError::new(ExitCode::Error, words).standing(Standing::Held))
    }

    /// What is not shipped yet was committed after what the slave has.
    pub(super) fn oldest_outstanding(&self, durable: &Progress) -> Option<Timestamp> {
        let unshipped = || {
            let applied = self.shipper.status()?.applied;
            (applied.commit < durable.commit).then_some(applied.time)
        };
        let waiting = || self.gate.oldest();
        self.outstanding
            .oldest()
            .or_else(waiting)
            .or_else(unshipped)
    }
}
