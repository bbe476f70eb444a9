//! The steady part of a connection: pieces of log out, progress in.

mod telling;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dbproto::{Progress, Reached, SILENT, Shipper, ShipperAction, Status};
use fwlog::{BlockHead, CommitNumber, Compression, Durable, Follow, Position, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::backlog::Sent;
use super::beat::Beat;
use super::handshake::told;
use super::outstanding::Outstanding;
use super::{Destination, Ending, stopped};
use crate::bandwidth;
use crate::connection::{Connection, Incoming, Outgoing};
use crate::error::ShipError;
use crate::gate::Gate;
use crate::managed::Teller;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::shutdown::ShutdownRequest;
use crate::source::{self, SharedLog, TailItem, Tailer};
use crate::stats::Stats;

/// The note is written this often, and the bar moves; a sign of life goes out with it, unless that is wanted otherwise.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// How long after a seal it is looked whether that is the end of the log.
const SEALED: Duration = Duration::from_millis(200);

/// A slave that lags longer than this has to catch up again, and the log says when it has.
const LAGGING: Duration = Duration::from_secs(10);

/// Whether the slave has what the master has.
#[derive(Default)]
struct Lag {
    /// It has had everything, and has not fallen behind since.
    caught_up: bool,
    /// The operator has been told that it is up-to-date.
    told_up_to_date: bool,
    /// Since when it has not had everything.
    behind_since: Option<Instant>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, which nothing else tells"
)]
pub(super) struct LogStream<'a> {
    options: &'a Options,
    reporter: &'a mut Reporter,
    shipper: Shipper,
    /// `None` once the goal is reached.
    tailer: Option<Tailer>,
    /// What lies between the two.
    gate: Gate,
    /// The commit that the operator was told is held.
    told_held: Option<CommitNumber>,
    /// Forward logging was switched off on the master: there is no more, whatever the goal.
    switched_off: bool,
    /// Taken from the tailer, waits for the socket.
    pending: Option<Outgoing>,
    tick: Interval,
    /// File that the operator was told of last.
    announced: PathBuf,
    /// The master's durable end as it was last seen.
    durable: Progress,
    /// Time of the newest block shipped.
    shipped_time: Option<Timestamp>,
    /// The log's end as it was reached, where nothing came since.
    at_end: Option<Durable>,
    lag: Lag,
    suspended: Option<String>,
    /// When the slave was last heard, and whether the log has it that it is silent.
    heard: (Instant, Timestamp),
    /// It has spoken since the log began to be shipped: it would have refused that.
    agrees: bool,
    told_silent: bool,
    outstanding: Outstanding,
    /// Tells the master's operator how far the slave is.
    note: &'a mut SlaveNote,
    /// What to tell the operator once the slave has taken something.
    pub(super) again: Option<String>,
    log: Arc<SharedLog>,
    beat: Beat,
    /// Up to where the log was sent.
    sent: Sent,
    /// It stops once the slave has all.
    leaving: bool,
    teller: Teller,
    /// Tells when commits begin to wait for the slave.
    prompt: Option<watch::Receiver<bool>>,
    stats: Stats,
    /// Bytes of log before this connection's first piece, and up to the durable end.
    bytes: (u64, u64),
}

impl<'a> LogStream<'a> {
    pub(super) fn start(
        to: &'a mut Destination,
        shipper: Shipper,
        follow: Box<Follow>,
        note: &'a mut SlaveNote,
    ) -> Self {
        let options = &to.options;
        let durable = follow.durable();
        let announced = follow.segment().1.to_owned();
        let piece = bandwidth::piece(options.bandwidth);
        let tailer = Tailer::new(&to.log, follow, options.goal, piece);
        let mut tick = interval(TICK.min(to.connect.heartbeat));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let has = shipper.slave().and_then(|slave| slave.durable);
        Self {
            options,
            reporter: &mut to.reporter,
            shipper,
            tailer: Some(tailer),
            gate: Gate::open(&options.gate, &options.source.data_dir),
            told_held: None,
            switched_off: false,
            pending: None,
            tick,
            announced,
            durable: Progress::from(&durable),
            shipped_time: None,
            at_end: None,
            lag: Lag::default(),
            suspended: None,
            heard: (Instant::now(), Timestamp::now()),
            agrees: false,
            told_silent: false,
            outstanding: Outstanding::default(),
            note,
            again: None,
            log: Arc::clone(&to.log),
            beat: Beat::new(to.connect.heartbeat),
            sent: Sent::begin(has),
            leaving: false,
            prompt: to.teller.prompt(),
            teller: to.teller.clone(),
            stats: to.stats.clone(),
            bytes: (durable.log_bytes, durable.log_bytes),
        }
    }

    pub(super) fn end(&mut self) {
        self.reporter.end_catch_up();
    }

    /// Whether the operator was told that the slave does not answer.
    pub(super) fn slave_is_silent(&self) -> bool {
        self.told_silent
    }

    pub(super) async fn run(
        &mut self,
        connection: &mut Connection,
        stop: &mut ShutdownRequest,
    ) -> Result<Ending, ShipError> {
        loop {
            self.tell_held()?;
            let is_over = self.tailer.is_none() && self.pending.is_none() && self.agrees;
            if is_over && self.goal_reached() {
                return if self.switched_off {
                    Err(source::switched_off())
                } else {
                    Ok(Ending::Reached)
                };
            }
            if self.leaving && self.slave_has_all() {
                self.say_last(connection).await?;
                return stopped(self.options.goal);
            }
            let leaving = self.leaving;
            let wants = self.pending.is_none() && self.shipper.room() > 0;
            tokio::select! {
                () = wish(stop, leaving) => {
                    if leaving || stop.is_at_once() {
                        return stopped(self.options.goal);
                    }
                    self.leaving = true;
                }
                incoming = connection.incoming.recv() => {
                    self.take(connection, incoming).await?;
                }
                permit = connection.out.reserve(), if self.pending.is_some() => {
                    let permit = permit.map_err(|_| ShipError::unreachable("the connection to the slave was lost"));
                    if let (Ok(permit), Some(outgoing)) = (permit, self.pending.take()) {
                        permit.send(outgoing);
                    }
                }
                item = next(&mut self.gate, &mut self.tailer), if wants => self.prepare(item)?,
                () = changed(&mut self.prompt) => self.say_news(),
                _ = self.tick.tick() => {
                    self.tell_above(connection).await?;
                    self.beat(connection);
                }
            }
        }
    }

    /// Handles what the slave sent.
    async fn take(
        &mut self,
        connection: &Connection,
        incoming: Option<Incoming>,
    ) -> Result<(), ShipError> {
        let message = match incoming {
            Some(Incoming::Message(message)) => *message,
            Some(Incoming::Lost(failure)) => return Err(failure),
            Some(Incoming::Done) | None => {
                return Err(ShipError::unreachable("the slave ended replication"));
            }
        };
        self.hear_slave();
        self.agrees = true;
        self.stats.received(&message);
        let result = self.shipper.handle(message);
        for action in told(connection, result).await? {
            match action {
                ShipperAction::Send(message) => connection.send(&message).await?,
                ShipperAction::Acknowledged(status) => self.acknowledged(&status),
                ShipperAction::Below(below) => self.note.hear_below(&below),
                ShipperAction::Lost(forks) => self.note.hear_lost(&forks),
                ShipperAction::Locate(_) | ShipperAction::Borders { .. } => {}
            }
        }
        Ok(())
    }

    fn hear_slave(&mut self) {
        self.heard = (Instant::now(), Timestamp::now());
        if std::mem::take(&mut self.told_silent) {
            self.reporter.state("slave server answers again");
        }
    }

    /// Says once that the slave is silent, long before the connection is given up.
    fn watch_slave(&mut self) {
        let (heard, at) = self.heard;
        if heard.elapsed() > SILENT && !self.told_silent {
            self.told_silent = true;
            self.reporter.warning(&format!(
                "slave server has not answered since {at}: look after it and the line to it"
            ));
        }
    }

    fn acknowledged(&mut self, status: &Status) {
        tracing::trace!(
            durable = %status.durable.point.position,
            applied = %status.applied.point.position,
            "the slave says how far it is"
        );
        self.note.hear(status);
        self.teller.acknowledged(status);
        self.outstanding.applied(status.applied.point.position);
        let before = self.shipper.slave().and_then(|slave| slave.durable);
        let before = before.map_or(Position::ORIGIN, |durable| durable.point.position);
        if status.durable.point.position > before {
            self.tell_again();
        }
        if status.suspended != self.suspended {
            match &status.suspended {
                Some(why) => self
                    .reporter
                    .warning(&format!("slave server has suspended applying: {why}")),
                None => self.reporter.state("slave server goes on applying"),
            }
            self.suspended.clone_from(&status.suspended);
        }
        self.watch_lag();
    }

    /// The slave has taken something, or has all: the trouble before this connection is over.
    fn tell_again(&mut self) {
        if let Some(line) = self.again.take() {
            self.reporter.state(&line);
        }
    }

    /// Tells once when the slave has caught up, and again after it had fallen behind.
    fn watch_lag(&mut self) {
        let at_end = self.at_end.is_some() || self.gate.delays() && self.pending.is_none();
        let has_all = at_end && self.shipper.reached() != Reached::No;
        if !has_all {
            let since = *self.lag.behind_since.get_or_insert_with(Instant::now);
            if since.elapsed() > LAGGING {
                self.lag.caught_up = false;
                self.lag.told_up_to_date = false;
            }
            return;
        }
        self.tell_again();
        self.lag.behind_since = None;
        if !self.lag.caught_up {
            self.lag.caught_up = true;
            // The slave shows it at once.
            self.say_news();
        }
        if !self.lag.told_up_to_date && self.options.goal == Goal::Follow {
            self.lag.told_up_to_date = true;
            self.reporter.end_catch_up();
            self.reporter.progress(&self.up_to_date());
        }
    }

    fn up_to_date(&self) -> String {
        let of_log = self.durable.time;
        let of_slave = self.shipper.status().map(|status| status.durable.time);
        let time = match self.options.goal {
            Goal::Follow | Goal::Synchronize if !self.gate.delays() => of_log,
            Goal::Follow | Goal::Synchronize | Goal::Generation | Goal::Until(_) => {
                self.shipped_time.or(of_slave).unwrap_or(of_log)
            }
        };
        let text = time.to_string();
        // To the second: the fraction is of no use to a person here.
        format!(
            "slave server is up-to-date until {}Z",
            text.get(..19).unwrap_or(&text)
        )
    }

    /// Turns what the log has next into a message.
    fn prepare(&mut self, item: Option<TailItem>) -> Result<(), ShipError> {
        let message = match item {
            None => {
                return Err(ShipError::passing("reading the log ended without a reason"));
            }
            Some(TailItem::Failed(failure)) => return Err(failure),
            Some(end @ (TailItem::Reached | TailItem::SwitchedOff)) => {
                self.switched_off = matches!(end, TailItem::SwitchedOff);
                self.tailer = None;
                self.say_news();
                return Ok(());
            }
            Some(TailItem::UpToDate(durable)) => {
                self.at_end = Some(durable);
                self.durable = Progress::from(&durable);
                self.watch_lag();
                if durable.sealed {
                    self.beat.has_news();
                    // Either a segment follows at once, or the master was stopped: soon it says so.
                    self.tick.reset_after(SEALED);
                }
                return Ok(());
            }
            Some(TailItem::Segment { id, path, header }) => {
                if path != self.announced {
                    self.reporter
                        .progress(&format!("processing forward-log file: {}", path.display()));
                    self.announced = path;
                }
                let offset = u64::try_from(header.len()).unwrap_or(u64::MAX);
                self.shipper.segment(header, Position::new(id, offset))
            }
            Some(TailItem::Seal { bytes }) => self.shipper.seal(bytes),
            Some(TailItem::Blocks {
                start,
                end,
                bytes,
                time,
                log_bytes,
            }) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                tracing::trace!(%start, %end, bytes = length, "blocks are shipped");
                self.show_catch_up(log_bytes, length);
                self.shipped_time = Some(time);
                self.outstanding.ship(end, &bytes);
                self.sent.ship(end, time, &bytes);
                self.shipper.blocks(start, end, bytes)
            }
        };
        self.at_end = None;
        let stored = |bytes: &[u8]| {
            BlockHead::decode(bytes).is_ok_and(|head| head.compression == Compression::None)
        };
        let pack = self.shipper.packs()
            && matches!(&message, dbproto::Message::Blocks { bytes, .. } if stored(bytes));
        let outgoing = Outgoing::message(&message, pack);
        self.stats.sent(&message, outgoing.bytes());
        self.pending = Some(outgoing);
        Ok(())
    }

    fn show_catch_up(&mut self, log_bytes: u64, length: u64) {
        let (before, end) = &mut self.bytes;
        if self.shipped_time.is_none() {
            *before = log_bytes.saturating_sub(length);
            self.reporter.begin_catch_up(end.saturating_sub(*before));
        }
    }

    /// The tailer has given all; whether the slave has it, too.
    fn goal_reached(&mut self) -> bool {
        match self.shipper.reached() {
            Reached::No => return false,
            Reached::Applied => {}
            Reached::Durable { suspended } => self.reporter.warning(&format!(
                "slave server has everything on disk, but has suspended applying: {suspended}"
            )),
        }
        self.reporter.end_catch_up();
        self.write_note();
        self.reporter.result(&self.up_to_date());
        true
    }
}

/// Returns when this is to stop; where that was said already, when it is to stop at once.
async fn wish(stop: &mut ShutdownRequest, leaving: bool) {
    if leaving {
        stop.requested_at_once().await;
    } else {
        stop.requested().await;
    }
}

/// Returns when commits begin to wait for the slave, or no longer do.
async fn changed(wish: &mut Option<watch::Receiver<bool>>) {
    if let Some(wish) = wish
        && wish.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// The next item of a tailer that is there, once it may go.
async fn next(gate: &mut Gate, tailer: &mut Option<Tailer>) -> Option<TailItem> {
    match tailer {
        Some(tailer) => gate.next(tailer).await,
        None => std::future::pending().await,
    }
}
