//! One run of an archiver: what the log has next becomes parts.

use std::sync::Arc;
use std::time::Duration;

use dbproto::managed::Backlog;
use dbproto::{Progress, Role, Standing};
use fwlog::{Durable, Follow, Timestamp};
use repository::{Archiver, ArchiverError, Border, Stored};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::failure::{failed, switched_off};
use super::{ArchiveTarget, Archiving};
use crate::bandwidth;
use crate::error::ShipError;
use crate::managed::Teller;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Ending, blocking};
use crate::shutdown::ShutdownRequest;
use crate::source::{SharedLog, Sign, TailItem, Tailer};

/// How often the master's operator is told how far the archive is.
const TICK: Duration = Duration::from_secs(1);

/// How often the archive says that nothing is missing, while there is nothing to archive.
const BEAT: Duration = Duration::from_mins(1);

/// How the log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Reached,
    SwitchedOff,
}

/// One run of an archiver.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something else that has happened or is wished"
)]
pub(super) struct Feed<'a> {
    options: &'a Options,
    target: &'a ArchiveTarget,
    log: &'a Arc<SharedLog>,
    note: &'a mut SlaveNote,
    reporter: &'a Reporter,
    teller: &'a Teller,
    tailer: Tailer,
    /// `None` while it stores something.
    archiver: Option<Box<Archiver>>,
    archived: Progress,
    /// When what is not archived is old enough.
    due: Option<Instant>,
    /// The log goes no further than this.
    at_end: Option<Durable>,
    end: Option<End>,
    /// Before this nothing more is written, by the limit of `-b`.
    free_at: Instant,
    beat: Option<Instant>,
    told_up_to_date: bool,
    /// It is to end once the archive has all that there is.
    leaves: bool,
    /// Something was stored, or there was nothing to store: a failure behind that is another one.
    pub(super) was_well: bool,
    /// The operator knows of trouble that is over once this is well.
    pub(super) is_after_trouble: bool,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        archiving: &'a Archiving,
        log: &'a Arc<SharedLog>,
        (archiver, follow): (Box<Archiver>, Box<Follow>),
        note: &'a mut SlaveNote,
    ) -> Self {
        let Archiving {
            options,
            target,
            reporter,
            teller,
        } = archiving;
        let (_, path) = follow.segment();
        reporter.progress(&format!("processing forward-log file: {}", path.display()));
        reporter.progress("found the end of the archive in the log");
        let piece = bandwidth::piece(target.bandwidth);
        Self {
            options,
            target,
            log,
            note,
            reporter,
            teller,
            tailer: Tailer::new(log, follow, options.goal, piece),
            archived: progress(archiver.archived()),
            archiver: Some(archiver),
            due: None,
            at_end: None,
            end: None,
            free_at: Instant::now(),
            beat: None,
            told_up_to_date: false,
            leaves: false,
            was_well: false,
            is_after_trouble: false,
        }
    }

    fn is_well(&mut self) {
        self.was_well = true;
        if std::mem::take(&mut self.is_after_trouble) {
            self.reporter.state("the archive goes on");
        }
    }

    pub(super) async fn run(&mut self, stop: &mut ShutdownRequest) -> Result<Ending, ShipError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut leave = stop.clone();
        loop {
            if self.is_due()? && !self.store_at_pace(stop).await? {
                return self.stopped().await;
            }
            if let Some(end) = self.end {
                return self.ended(end).await;
            }
            if self.leaves && self.is_at_end()? {
                return self.stopped().await;
            }
            let due = self.due.unwrap_or_else(Instant::now);
            tokio::select! {
                item = self.tailer.next() => self.take(item)?,
                () = sleep_until(due), if self.due.is_some() => {}
                _ = tick.tick() => self.tell().await?,
                () = leave.requested(), if !self.leaves => self.leaves = true,
                () = stop.requested_at_once() => return self.stopped().await,
            }
        }
    }

    fn is_at_end(&self) -> Result<bool, ShipError> {
        let archiver = self.archiver.as_ref().ok_or_else(broken)?;
        Ok(archiver.is_settled() && self.at_end.is_some())
    }

    /// Takes what the log has next.
    fn take(&mut self, item: Option<TailItem>) -> Result<(), ShipError> {
        let archiver = self.archiver.as_mut().ok_or_else(broken)?;
        let taken = match item {
            None => return Err(broken()),
            Some(TailItem::Failed(failure)) => return Err(failure),
            Some(TailItem::UpToDate(durable)) => {
                self.at_end = Some(durable);
                return Ok(());
            }
            Some(TailItem::Reached) => {
                self.end = Some(End::Reached);
                return Ok(());
            }
            Some(TailItem::SwitchedOff) => {
                self.end = Some(End::SwitchedOff);
                return Ok(());
            }
            Some(TailItem::Segment { path, header, .. }) => {
                let path = path.display();
                self.reporter
                    .progress(&format!("processing forward-log file: {path}"));
                archiver.take_header(&header)
            }
            Some(TailItem::Blocks { bytes, .. }) => {
                let old_enough = Instant::now() + self.target.interval;
                self.due.get_or_insert(old_enough);
                archiver.take_blocks(bytes)
            }
            Some(TailItem::Seal { bytes }) => archiver.take_seal(bytes),
        };
        self.at_end = None;
        taken.map_err(failed)
    }

    /// Whether there is something that should be stored now.
    fn is_due(&self) -> Result<bool, ShipError> {
        let archiver = self.archiver.as_ref().ok_or_else(broken)?;
        let is_old = self.due.is_some_and(|due| due <= Instant::now());
        let is_last = self.end.is_some() || self.leaves && !archiver.is_settled();
        Ok(archiver.is_part_due(self.target.part_size) || is_old || is_last)
    }

    /// Stores what is due, under the limit of `-b`. `false`: this is to stop.
    async fn store_at_pace(&mut self, stop: &mut ShutdownRequest) -> Result<bool, ShipError> {
        while self.is_due()? {
            tokio::select! {
                () = sleep_until(self.free_at) => {}
                () = stop.requested_at_once() => return Ok(false),
            }
            if !self.store().await? {
                // What is there can't be stored before more of the log has come.
                self.due = None;
                break;
            }
        }
        Ok(true)
    }

    /// Stores one part; `false`: there is none, for now.
    async fn store(&mut self) -> Result<bool, ShipError> {
        let part_size = self.target.part_size;
        let stored = self.with(move |archiver| archiver.store(part_size)).await?;
        let archiver = self.archiver.as_ref().ok_or_else(broken)?;
        let end = archiver.archived();
        self.archived = progress(end);
        // What is left has come since.
        let old_enough = Instant::now() + self.target.interval;
        self.due = (!archiver.is_settled()).then_some(old_enough);
        if stored.is_some() {
            self.is_well();
        }
        match stored {
            None => return Ok(false),
            Some(Stored::Others) => self.reporter.progress(&format!(
                "another archiver has stored what is before {}",
                end.point.position
            )),
            Some(Stored::Part(bytes)) => {
                self.keep_pace(bytes);
                self.reporter
                    .progress(&format!("archived up to {}", place(end)));
            }
        }
        Ok(true)
    }

    fn keep_pace(&mut self, bytes: usize) {
        let Some(bits) = self.target.bandwidth else {
            return;
        };
        let micros = bytes as u128 * 8 * 1_000_000 / u128::from(bits.max(1));
        let time = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(Instant::now()) + time;
    }

    /// Each second: the note; and each minute that nothing is missing, where that is so.
    async fn tell(&mut self) -> Result<(), ShipError> {
        // Before the log is looked at: what is committed later is not spoken of.
        let now = Timestamp::now();
        let (sign, seen) = self.log.look_at_master();
        let archiver = self.archiver.as_ref().ok_or_else(broken)?;
        let is_at_end = self.is_at_end()?;
        let read = archiver.read().point;
        let standing = match sign {
            Sign::Lives if is_at_end || self.due.is_some() => Standing::Following,
            Sign::Lives => Standing::CatchingUp,
            Sign::Silent(_) => Standing::SourceSilent,
            Sign::Stopped(_) => Standing::SourceStopped,
        };
        self.note.archived(self.archived);
        self.note.write(standing, None);
        let archived = Some(self.archived.into());
        self.teller.backlog(Backlog {
            sent: archived,
            durable: archived,
            applied: archived,
            up_to_date: is_at_end,
        });
        if !is_at_end {
            return Ok(());
        }
        self.is_well();
        if !self.told_up_to_date && self.options.goal == Goal::Follow {
            self.told_up_to_date = true;
            self.reporter.progress(&self.up_to_date());
        }
        let is_all = seen.is_some_and(|seen| seen.point == read);
        let is_known = is_all && self.is_end_known(sign);
        let is_due = self.beat.is_none_or(|beat| beat.elapsed() >= BEAT);
        if is_known && is_due {
            self.beat = Some(Instant::now());
            self.with(move |archiver| archiver.beat(now)).await?;
        }
        Ok(())
    }

    /// All that the goal asks for was read.
    async fn ended(&mut self, end: End) -> Result<Ending, ShipError> {
        self.say_last().await?;
        if end == End::SwitchedOff {
            return Err(switched_off());
        }
        self.note.archived(self.archived);
        self.reporter.result(&self.up_to_date());
        Ok(Ending::Reached)
    }

    /// What has been read is archived before this goes, whatever its age.
    async fn stopped(&mut self) -> Result<Ending, ShipError> {
        while self.store().await? {}
        self.say_last().await?;
        if self.options.goal == Goal::Follow {
            self.note.archived(self.archived);
            return Ok(Ending::Stopped);
        }
        Err(ShipError::new(
            crate::error::ExitCode::Error,
            "interrupted before all was archived",
        )
        .hint("start dbrepl again: it goes on where the archive ends"))
    }

    /// Up to now nothing is missing, where the log has ended with what is archived.
    async fn say_last(&mut self) -> Result<(), ShipError> {
        let now = Timestamp::now();
        let (sign, seen) = self.log.look_at_master();
        let read = self.archiver.as_ref().ok_or_else(broken)?.read().point;
        let is_all = seen.is_some_and(|seen| seen.point == read);
        if is_all && self.is_end_known(sign) {
            self.with(move |archiver| archiver.beat(now)).await?;
        }
        Ok(())
    }

    /// Whether the log that is read has all that is committed: a slave's may lack something, and a server that has crashed
    /// may find more of its log than it has told of.
    fn is_end_known(&self, sign: Sign) -> bool {
        self.options.source.role != Role::Slave && !matches!(sign, Sign::Silent(_))
    }

    fn up_to_date(&self) -> String {
        let time = self.archived.time.to_string();
        // To the second: the fraction is of no use to a person here.
        let time = time.get(..19).unwrap_or(&time);
        let (position, commit) = (self.archived.point.position, self.archived.commit);
        format!("archive is up-to-date until {time}Z ({position}, commit {commit})")
    }

    /// Has the archiver do something that may wait for a disk.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Archiver) -> Result<T, ArchiverError> + Send + 'static,
    ) -> Result<T, ShipError> {
        let mut archiver = self.archiver.take().ok_or_else(broken)?;
        let (archiver, done) = blocking(move || {
            let done = work(&mut archiver);
            Ok((archiver, done))
        })
        .await?;
        self.archiver = Some(archiver);
        done.map_err(failed)
    }
}

fn progress(end: Border) -> Progress {
    Progress {
        point: end.point,
        commit: end.commit,
        time: end.time,
    }
}

/// `12-3:184320 (commit 70412, 2026-11-28 11:59:03Z), 2 s behind`
fn place(end: Border) -> String {
    let time = end.time.to_string();
    let behind = Timestamp::now().micros().saturating_sub(end.time.micros()) / 1_000_000;
    format!(
        "{} (commit {}, {}Z), {behind} s behind",
        end.point.position,
        end.commit,
        time.get(..19).unwrap_or(&time)
    )
}

/// After an error nothing more is asked of it.
fn broken() -> ShipError {
    ShipError::passing("archiving ended without a reason")
}
