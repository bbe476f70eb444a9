//! How replication stands: one shape on a master, which knows its slaves by the notes that dbrepl keeps
//! beside the log, and on a slave, which knows itself.

use std::time::Duration;

use dbconfig::ARCHIVE_NAMES;
use dbproto::state::KEEP_THE_SLAVE;
use dbproto::{Progress, SILENT, SlaveReport, SourceState, Standing};
use fwlog::{LogDirectory, LogLocation, Position, Timestamp};
use serde::Serialize;

use crate::databases::control::LogPlace;
use crate::databases::slots::Slot;
use crate::environment::core::Core;
use crate::environment::log;
use crate::environment::proof::ProofStatus;
use crate::environment::receiving::shut_in_words;
use crate::environment::report_standing::{Look, apart};
use crate::environment::retention::lost_text;
use crate::environment::slave_notes::reports;
use crate::environment::state::Environment;
use crate::environment::status::{Micros, PointStatus, Shown, Time};
use crate::environment::suspended_by::SuspendedBy;
use crate::error::EngineError;
use crate::slave::SlaveProgress;

/// Replication from one server to another.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicationStatus {
    /// Instance of the slave.
    pub slave: String,
    /// Instance of the source.
    pub source: Option<String>,
    /// Where the other side is: on a master the slave, on a slave its dbrepl.
    pub address: Option<String>,
    /// How it stands.
    pub state: Shown<Standing>,
    /// Since when.
    pub since: Time,
    /// Why.
    pub reason: Option<String>,
    /// The session that suspends applying, if it is one; only the slave knows.
    pub suspended_by: Option<SuspendedBy>,
    /// When the other side was last heard of.
    pub last_heard_of: Option<Time>,
    /// The source's durable end.
    pub source_durable: Option<PointStatus>,
    /// Taken from the connection; only the slave knows.
    pub received: Option<PointStatus>,
    /// On the slave's disk.
    pub durable: Option<PointStatus>,
    /// Visible to the slave's readers.
    pub applied: Option<PointStatus>,
    /// Bytes of log that are not on the slave's disk.
    pub lag_in_bytes: Option<u64>,
    /// Commits that the slave's readers do not see.
    pub lag_in_commits: Option<u64>,
    /// How old the oldest of them is now.
    pub lag_in_seconds: Option<Micros>,
    /// So long after its commit a transaction is sent on purpose; the lag has it.
    pub delay_in_seconds: Option<Micros>,
    /// It leaves databases out, so it can't be the root.
    pub partial: bool,
    /// It is no slave, but a repository that the log is archived in.
    pub archive: bool,
    /// What the last comparison of all pages with the source has found; only the slave knows.
    pub verified: Option<ProofStatus>,
    /// A role has just changed: what is said of before is no failure yet.
    #[serde(skip)]
    pub is_fresh: bool,
}

impl ReplicationStatus {
    /// On a slave its own; else that of each slave, sorted by instance.
    pub fn all(environment: &Environment) -> Result<Vec<Self>, EngineError> {
        if let Some(slave) = environment.slave() {
            let silence = slave.log().hearing().silence();
            let now = environment.core().host().clock.now();
            let progress = slave.progress();
            let mut own = Self::of_slave(&progress, silence > SILENT, now);
            own.slave.clone_from(&environment.config().server.instance);
            if let Some(state) = own.source_log_bytes(&progress) {
                own.lag_in_bytes = behind(environment, state, own.durable.as_ref());
            }
            own.forget_lag();
            if own.last_heard_of.is_some() {
                let heard = now.micros().saturating_sub(micros(silence));
                own.last_heard_of = Some(Time(Timestamp::from_micros(heard)));
            }
            if own.state.0 == Standing::NotConnected {
                let receiver = environment.core().sources().receiver();
                own.reason = shut_in_words(&receiver).or(own.reason);
            }
            own.verified = environment.core().proof().status();
            own.partial = environment.core().partial().is_some();
            return Ok(vec![own]);
        }
        let Some(location) = forward_log(environment)? else {
            return Ok(Vec::new());
        };
        let reports = reports(&location)?;
        // That they can't be read, the log has said, and `slot list` does; that the log is gone, others tell.
        let slots = environment.core().slots().list().unwrap_or_default();
        let is_there = location.directory.exists();
        let slots = if is_there { slots } else { Vec::new() };
        if reports.is_empty() && slots.is_empty() {
            // Nor need the log be there to be looked at.
            return Ok(Vec::new());
        }
        let source = Source::of(environment, &location)?;
        let mut reports: Vec<_> = reports.into_iter().map(|(_, report)| report).collect();
        forget_renamed(&mut reports);
        let alone = slots
            .iter()
            .filter(|slot| !reports.iter().any(|report| report.instance == slot.name));
        let alone: Vec<_> = alone.map(report_of).collect();
        let known = reports.into_iter().chain(alone);
        let mut all: Vec<_> = known
            .map(|report| {
                let slot = slots.iter().find(|slot| slot.name == report.instance);
                source.status(report, slot)
            })
            .collect();
        all.sort_by(|a, b| a.slave.cmp(&b.slave));
        all.iter_mut().for_each(Self::forget_lag);
        Ok(all)
    }

    /// The slaves that live on the forward log of this server, whatever its role is: name and how it stands.
    pub(crate) fn on_this_log(
        environment: &Environment,
    ) -> Result<Vec<(String, Standing)>, EngineError> {
        let mut slaves = if environment.slave().is_none() {
            let all = Self::all(environment)?.into_iter();
            all.map(|slave| (slave.slave, slave.state.0)).collect()
        } else if let Some(location) = forward_log(environment)? {
            let known = reports(&location)?.into_iter();
            known
                .map(|(_, report)| (report.instance, report.standing))
                .collect()
        } else {
            Vec::new()
        };
        slaves.retain(|(_, standing)| standing.lives_on_the_log());
        Ok(slaves)
    }

    /// Where dbrepl has reached a slave of this server, by its instance.
    pub(crate) fn address_of(
        environment: &Environment,
        instance: &str,
    ) -> Result<Option<String>, EngineError> {
        let Some(location) = forward_log(environment)? else {
            return Ok(None);
        };
        let known = reports(&location)?.into_iter();
        let mut named = known.filter(|(_, report)| report.instance == instance);
        Ok(named.next().map(|(_, report)| report.address))
    }

    /// Where the two logs are no one history, nobody knows what the slave lacks.
    fn forget_lag(&mut self) {
        if !self.state.0.has_lag() {
            self.lag_in_bytes = None;
            self.lag_in_commits = None;
            self.lag_in_seconds = None;
        }
    }

    /// A slave as it knows itself; `silent`: nothing has come for a while.
    fn of_slave(progress: &SlaveProgress, silent: bool, now: Timestamp) -> Self {
        let feed = &progress.feed;
        let connected = feed.source.is_some();
        let state = feed.source_state.map(|(state, at)| (state, at.elapsed()));
        // What is new on a source that does not live, dbrepl can't say.
        // One that was stopped has nothing new.
        let lives = state.is_none_or(|(state, _)| state.silent_since.is_none() || state.stopped);
        let hears = connected && !silent && lives;
        let (standing, since, reason) = standing(progress, silent, now);
        let applied = progress.applied;
        let lag =
            state.map(|(state, age)| lag_behind(&state, micros(age), applied.as_ref(), hears));
        Self {
            slave: String::new(),
            source: feed.source_name.clone(),
            address: feed.address.map(|address| address.to_string()),
            state: Shown(standing),
            since: Time(since),
            reason,
            suspended_by: progress.held_back.as_ref().map(SuspendedBy::from),
            last_heard_of: (connected || feed.source_name.is_some()).then_some(Time(now)),
            source_durable: state.map(|(state, _)| PointStatus::from(&state.durable)),
            received: progress.received.as_ref().map(PointStatus::from),
            durable: progress.durable.as_ref().map(PointStatus::from),
            applied: applied.as_ref().map(PointStatus::from),
            lag_in_bytes: None,
            lag_in_commits: lag.and_then(|lag| lag.0),
            lag_in_seconds: lag.and_then(|lag| lag.1).map(Micros),
            delay_in_seconds: delay(state.map_or(Duration::ZERO, |(state, _)| state.brake.delay)),
            partial: false,
            archive: false,
            verified: None,
            is_fresh: feed.role_has_changed && !connected && !silent,
        }
    }

    /// The source's bytes of log, where they mean something.
    fn source_log_bytes(&self, progress: &SlaveProgress) -> Option<u64> {
        let (state, _) = progress.feed.source_state?;
        (state.log_bytes > 0 && self.lag_in_commits.is_some()).then_some(state.log_bytes)
    }
}

/// How a slave stands, since when, and why.
fn standing(
    progress: &SlaveProgress,
    silent: bool,
    now: Timestamp,
) -> (Standing, Timestamp, Option<String>) {
    let feed = &progress.feed;
    if let Some(copying) = &progress.copying {
        let why = Some(copying.to_string());
        return (Standing::Copying, copying.since, why);
    }
    if let Some(why) = progress.why_suspended() {
        return (Standing::Suspended, progress.suspended_since, Some(why));
    }
    if feed.source.is_none() {
        let (standing, why) = feed.ended.clone().unwrap_or((
            Standing::NotConnected,
            "no dbrepl has connected since the server was started; start one beside the master"
                .to_owned(),
        ));
        return (standing, feed.since, Some(why));
    }
    let state = feed.source_state.map(|(state, _)| state);
    if silent {
        let since = feed.source_state.map_or(feed.since, |(_, at)| {
            Timestamp::from_micros(now.micros().saturating_sub(micros(at.elapsed())))
        });
        let why = "dbrepl gives no sign of life; look after it and the line to it".to_owned();
        return (Standing::NotConnected, since, Some(why));
    }
    match state {
        Some(SourceState {
            silent_since: None,
            durable,
            ..
        }) if feed.behind_since.is_some() => {
            let why = format!(
                "the log of its source ends at {}, before what this slave has; {KEEP_THE_SLAVE}",
                durable.point.position
            );
            (Standing::Ahead, feed.behind_since.unwrap_or(now), Some(why))
        }
        Some(SourceState {
            silent_since: Some(at),
            stopped: true,
            ..
        }) => {
            let why = format!("the master was stopped at {at}; start it to go on");
            (Standing::SourceStopped, at, Some(why))
        }
        Some(SourceState {
            silent_since: Some(since),
            ..
        }) => {
            let why = "the source's server gives no sign of life to its dbrepl; look after it";
            (Standing::SourceSilent, since, Some(why.to_owned()))
        }
        Some(state) if state.brake.held.is_some() => {
            (Standing::Held, feed.since, state.brake.in_words())
        }
        Some(state) if state.caught_up => (Standing::Following, feed.since, state.brake.in_words()),
        _ => (Standing::CatchingUp, feed.since, None),
    }
}

fn delay(time: Duration) -> Option<Micros> {
    (!time.is_zero()).then(|| Micros(micros(time)))
}

/// Commits and microseconds that a slave lags, where they are known. `age`: microseconds since the source
/// has said how it is.
fn lag_behind(
    state: &SourceState,
    age: u64,
    applied: Option<&Progress>,
    hears: bool,
) -> (Option<u64>, Option<u64>) {
    let has = applied.map_or(0, |applied| applied.commit.get());
    let commits = state.durable.commit.get().saturating_sub(has);
    if commits == 0 {
        // What the source has done since is not known to a slave that does not hear it.
        return (hears.then_some(0), hears.then_some(0));
    }
    let oldest = state.oldest_outstanding.unwrap_or(state.durable.time);
    let oldest = oldest.max(applied.map_or(Timestamp::ZERO, |applied| applied.time));
    let now = state.now.micros().saturating_add(age);
    (Some(commits), Some(now.saturating_sub(oldest.micros())))
}

/// Bytes between a source's end and what is on this slave's disk.
fn behind(environment: &Environment, bytes: u64, durable: Option<&PointStatus>) -> Option<u64> {
    let Some(durable) = durable else {
        return Some(bytes);
    };
    let location = environment.core().log_location().ok()?;
    let directory = LogDirectory::scan(&location).ok()?;
    Some(bytes.saturating_sub(bytes_up_to(&directory, durable.position.0)?))
}

/// Bytes of log up to a position.
pub(super) fn bytes_up_to(directory: &LogDirectory, position: Position) -> Option<u64> {
    let segment = directory.get(position.segment)?;
    Some(segment.header.log_bytes.saturating_add(position.offset))
}

/// That a slave leaves databases out, which its log does not show.
pub(super) fn partial_in_words(report: &SlaveReport) -> Option<String> {
    const WORDS: &str = "it leaves databases out (Apply, ApplyNot): it can't be the root";
    report.partial.then(|| WORDS.to_owned())
}

/// What a master knows of itself.
struct Source {
    instance: String,
    durable: Option<fwlog::Durable>,
    directory: LogDirectory,
    look: Look,
    /// When it became the root while it ran, if it did.
    root_since: Option<Timestamp>,
}

impl Source {
    fn of(environment: &Environment, location: &LogLocation) -> Result<Self, EngineError> {
        let core = environment.core();
        let durable = environment.durable();
        Ok(Self {
            instance: core.config().server.instance.clone(),
            directory: LogDirectory::scan(location)
                .map_err(|error| EngineError::Corrupt(error.to_string()))?,
            look: Look::now(core, durable.map(|durable| durable.time)),
            durable,
            root_since: core.root_since(),
        })
    }

    fn status(&self, report: SlaveReport, slot: Option<&Slot>) -> ReplicationStatus {
        let (standing, since, reason) = self.look.standing(&report);
        let reason = reason.or_else(|| partial_in_words(&report));
        let first = self.directory.segments().first().map(|segment| segment.id);
        // Once it is connected, its own state says how it comes right.
        let lost = slot.filter(|_| !self.look.off && !standing.is_connected());
        let lost = lost.and_then(|slot| Some((slot.since, lost_text(slot, first)?)));
        let (standing, since, reason) = match lost {
            Some((since, why)) => (Standing::LogMissing, since, Some(why)),
            None => (standing, since, reason),
        };
        let applied = report.applied;
        let commits = self.durable.map(|it| {
            let has = applied.map_or(0, |applied| applied.commit.get());
            it.commit.get().saturating_sub(has)
        });
        ReplicationStatus {
            source: Some(self.instance.clone()),
            address: Some(report.address.clone()).filter(|address| !address.is_empty()),
            state: Shown(standing),
            since: Time(since),
            reason,
            suspended_by: None,
            last_heard_of: (report.heard != Timestamp::ZERO).then_some(Time(report.heard)),
            source_durable: self
                .durable
                .map(|it| PointStatus::from(&Progress::from(&it))),
            received: None,
            durable: report.durable.as_ref().map(PointStatus::from),
            applied: applied.as_ref().map(PointStatus::from),
            lag_in_bytes: self.bytes_behind(report.durable.as_ref()),
            lag_in_commits: commits,
            lag_in_seconds: commits.and_then(|commits| self.age(commits, applied.as_ref())),
            delay_in_seconds: delay(report.delay),
            partial: report.partial,
            archive: is_archive(&report),
            verified: None,
            is_fresh: self.is_of_before(&report),
            slave: report.instance,
        }
    }

    /// What dbrepl has found while this server was no root says nothing of now; that is over once it had time to ask again.
    fn is_of_before(&self, report: &SlaveReport) -> bool {
        let passes = matches!(report.standing, Standing::Refused | Standing::NotConnected);
        let is_recent =
            |began| report.since <= began && apart(self.look.now, began) <= micros(SILENT);
        passes && self.root_since.is_some_and(is_recent)
    }

    fn bytes_behind(&self, durable: Option<&Progress>) -> Option<u64> {
        let end = self.durable.filter(|_| !self.look.off)?.log_bytes;
        let has = match durable {
            Some(durable) => bytes_up_to(&self.directory, durable.point.position)?,
            None => 0,
        };
        Some(end.saturating_sub(has))
    }

    /// How old the oldest commit is that the slave has not applied; unknown where its segment is gone.
    fn age(&self, commits: u64, applied: Option<&Progress>) -> Option<Micros> {
        if commits == 0 {
            return Some(Micros(0));
        }
        let from = match applied {
            Some(applied) => applied.point.position,
            None => Position::new(self.directory.segments().first()?.id, 0),
        };
        let end = match self.durable {
            Some(durable) if !self.look.off => durable.point.position,
            _ => Position::new(from.segment, u64::MAX),
        };
        let oldest = self.directory.commit_time_behind(from, end).ok()??;
        Some(Micros(
            self.look.now.micros().saturating_sub(oldest.micros()),
        ))
    }
}

/// Where the forward log of this server is or was, if it is configured.
pub(super) fn forward_log(environment: &Environment) -> Result<Option<LogLocation>, EngineError> {
    forward_log_of(environment.core())
}

/// The same, whatever its role is.
pub(super) fn forward_log_of(core: &Core) -> Result<Option<LogLocation>, EngineError> {
    let log = &core.config().forward_log;
    if log.location.is_none() || log.audit_only {
        return Ok(None);
    }
    log::location(core.config(), core.layout(), LogPlace::ForwardLog).map(Some)
}

/// A slot alone has no place, but a name that `dbrepl` gives to archives.
fn is_archive(report: &SlaveReport) -> bool {
    report.is_archive() || report.address.is_empty() && report.instance.starts_with(ARCHIVE_NAMES)
}

/// What a slot says of a slave whose note is gone.
fn report_of(slot: &Slot) -> SlaveReport {
    SlaveReport {
        instance: slot.name.clone(),
        speaker: None,
        address: String::new(),
        rival: None,
        standing: Standing::NotConnected,
        since: slot.heard,
        reason: Some(
            "there is a slot for it, and no note of its dbrepl beside the log; start that, or 'dbctl slot drop' where the slave is gone for good"
                .to_owned(),
        ),
        connected: slot.heard,
        written: slot.heard,
        heard: slot.heard,
        durable: None,
        applied: None,
        delay: Duration::ZERO,
        partial: false,
    }
}

/// A slave that has got a name of its own is no rival any more.
pub(super) fn forget_renamed(reports: &mut [SlaveReport]) {
    let known = |report: &SlaveReport| (report.address.clone(), report.written);
    let known: Vec<_> = reports.iter().map(known).collect();
    let is_renamed = |(rival, since): &mut (String, Timestamp)| {
        let mut others = known.iter();
        others.any(|(address, written)| address == rival && written > since)
    };
    for report in reports {
        report.rival.take_if(is_renamed);
    }
}

pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
