//! A dbrepl that a server runs: which slaves it feeds, and how, comes as orders; how it goes is told.
//!
//! Its life is its server's: when the pipe that the orders come by is closed, which the system does however the server
//! ends, it ends, too. A signal to stop does not end it: the server's own stop is still to be sent.

mod orders;
mod reports;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dbconfig::{Config, ConnectParams};
use dbproto::managed::{Order, Report, Run, Ship, Stats as StatsWish, TaskState};
use signals::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::archive::{self, ArchiveTarget, Archiving};
use crate::attempts::attempts;
use crate::cli::RawArguments;
use crate::error::{ExitCode, ShipError};
use crate::options::Options;
use crate::peers::Peers;
use crate::report::Reporter;
use crate::served_log::not_configured;
use crate::ship::Destination;
use crate::shutdown::{self, ShutdownRequest, Switch};
use crate::source::SharedLog;
use crate::stats::Stats;

use orders::Orders;
pub use reports::{Reports, Teller};

/// What a task that is to stop may still do takes no longer.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// Runs until the server says so, or is gone.
pub fn run(options: &Options, reports: Reports) -> Result<(), ShipError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ShipError::new(ExitCode::Error, format!("can't start: {error}")))?;
    let result = runtime.block_on(async {
        let reporter = Reporter::to_server(&reports, options.verbose);
        let told = reporter.clone();
        shutdown::listen(move |signal, from| match signal {
            Signal::Terminate | Signal::Interrupt => told.state(&format!(
                "{from}: this dbrepl ends with its server; 'dbctl source shutdown' ends its sources"
            )),
            Signal::HangUp => {}
        })?;
        let orders = orders::listen()?;
        Managed::new(options, reports, reporter).run(orders).await
    });
    // A thread may still look something up; nobody waits for it.
    runtime.shutdown_background();
    result
}

/// The sources, each with its task.
struct Managed {
    options: Arc<Options>,
    log: Arc<SharedLog>,
    peers: Peers,
    reports: Reports,
    reporter: Reporter,
    tasks: JoinSet<(Run, Result<(), ShipError>)>,
    sources: HashMap<Run, Source>,
    /// It ends as soon as no task is left.
    ends: bool,
}

/// A source that runs.
struct Source {
    name: String,
    teller: Teller,
    reporter: Reporter,
    stats: Stats,
    switch: Switch,
    /// Then it is stopped, whatever its slave lacks.
    stop_at: Option<Instant>,
}

impl Managed {
    fn new(options: &Options, reports: Reports, reporter: Reporter) -> Self {
        Self {
            options: Arc::new(options.clone()),
            // Others may come at any time.
            log: SharedLog::new(&options.source.location, usize::MAX, reporter.clone()),
            peers: Peers::default(),
            reports,
            reporter,
            tasks: JoinSet::new(),
            sources: HashMap::new(),
            ends: false,
        }
    }

    async fn run(mut self, mut orders: Orders) -> Result<(), ShipError> {
        self.reports.send(&Report::Ready);
        while !self.ends || !self.tasks.is_empty() {
            let stop_at = self.sources.values().filter_map(|it| it.stop_at).min();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Ok(order)) => self.carry_out(order),
                    Some(Err(why)) => {
                        let failure = ShipError::new(ExitCode::Error, format!("an order can't be read: {why}"));
                        return Err(failure.hint("use dbrepl and dbserver of the same release"));
                    }
                    // The server is gone.
                    None => break,
                },
                Some(ended) = self.tasks.join_next() => self.has_ended(ended),
                () = until(stop_at) => self.stop_late(),
            }
        }
        self.stop_all().await;
        Ok(())
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Ship(ship) => {
                let run = ship.run;
                let begun = if repository::is_url(&ship.address) {
                    self.archive(ship)
                } else {
                    self.ship(ship)
                };
                if let Err(why) = begun {
                    self.reports.send(&Report::State {
                        run,
                        state: TaskState::Refused,
                        reason: Some(why.in_full()),
                    });
                }
            }
            Order::Stop {
                run,
                because,
                at_most_ms,
            } => {
                if let Some(source) = self.sources.get_mut(&run) {
                    source.teller.is_to_stop(because);
                    source.end(Duration::from_millis(at_most_ms));
                }
            }
            Order::Log { run, file } => self.with(run, |source, reports| {
                source
                    .reporter
                    .go_on_in(reports, &source.name, file.as_deref())
            }),
            Order::Stats { run, stats } => {
                self.with(run, |source, reports| source.count(stats.as_ref(), reports));
            }
            Order::Prompt { run, prompt } => {
                if let Some(source) = self.sources.get(&run) {
                    source.teller.set_prompt(prompt);
                }
                self.settle_prompt();
            }
            Order::Finish { at_most_ms } => {
                self.ends = true;
                for source in self.sources.values_mut() {
                    source.end(Duration::from_millis(at_most_ms));
                }
            }
        }
    }

    /// Changes something of a source; what fails is told.
    fn with(
        &mut self,
        run: Run,
        change: impl FnOnce(&mut Source, &Reports) -> Result<(), ShipError>,
    ) {
        let Some(source) = self.sources.get_mut(&run) else {
            return;
        };
        if let Err(failure) = change(source, &self.reports) {
            self.reports.send(&Report::Failed {
                run,
                reason: failure.in_full(),
            });
        }
    }

    fn ship(&mut self, ship: Ship) -> Result<(), ShipError> {
        let Ship { run, name, .. } = ship;
        let slave = ship.address.parse();
        let slave =
            slave.map_err(|why: String| ShipError::usage(format!("{}: {why}", ship.address)))?;
        self.options.source.refuse_itself(&slave)?;
        let connect = match &ship.connect {
            Some(text) => text.parse::<ConnectParams>().map_err(ShipError::usage)?,
            None => self.options.connect,
        };
        let (source, mut stop) = self.source(run, name, ship.log_file.as_deref())?;
        let mut to = Destination {
            options: Arc::clone(&self.options),
            slave,
            credentials: self.options.credentials.clone(),
            connect,
            reporter: source.reporter.clone(),
            log: Arc::clone(&self.log),
            peers: self.peers.clone(),
            teller: source.teller.clone(),
            stats: source.stats.clone(),
        };
        source.count(ship.stats.as_ref(), &self.reports)?;
        self.sources.insert(run, source);
        let task = async move { (run, attempts(&mut to, &mut stop).await) };
        self.tasks.spawn(task);
        Ok(())
    }

    /// The log goes to the repository that the configuration has for it.
    fn archive(&mut self, ship: Ship) -> Result<(), ShipError> {
        let config = Config::load(&self.options.source.config);
        let config = config.map_err(|error| not_configured(&error))?;
        let named = |it: &&dbconfig::Archive| it.among_slaves() == ship.name;
        let name = config.archives.iter().find(named).map(|it| it.name.clone());
        let name = name.unwrap_or_else(|| ship.name.clone());
        let raw = RawArguments::default();
        let target = ArchiveTarget::of_section(&config, &name, &raw, None)?;
        let (source, mut stop) = self.source(ship.run, ship.name, ship.log_file.as_deref())?;
        let archiving = Archiving {
            target,
            options: Arc::clone(&self.options),
            reporter: source.reporter.clone(),
            teller: source.teller.clone(),
        };
        let log = Arc::clone(&self.log);
        self.sources.insert(ship.run, source);
        let task = async move {
            let ended = archive::run(&archiving, &log, &mut stop).await;
            (ship.run, ended)
        };
        self.tasks.spawn(task);
        Ok(())
    }

    /// One that is about to run.
    fn source(
        &self,
        run: Run,
        name: String,
        log_file: Option<&Path>,
    ) -> Result<(Source, ShutdownRequest), ShipError> {
        let reporter = self.reporter.of_source(&self.reports, &name, log_file)?;
        let stats = Stats::default();
        let teller = Teller::new(run, &name, &self.reports, &stats);
        let (switch, stop) = ShutdownRequest::by_hand();
        let source = Source {
            name,
            teller,
            reporter,
            stats,
            switch,
            stop_at: None,
        };
        Ok((source, stop))
    }

    fn has_ended(&mut self, ended: Result<(Run, Result<(), ShipError>), tokio::task::JoinError>) {
        let (run, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // A panic was told where it happened, and which source it was nobody knows: the server begins anew.
                self.reporter.failure(&ShipError::new(
                    ExitCode::Error,
                    format!("the task of a source has ended: {error}"),
                ));
                self.ends = true;
                self.sources
                    .values_mut()
                    .for_each(|it| it.end(Duration::ZERO));
                return;
            }
        };
        let Some(source) = self.sources.remove(&run) else {
            return;
        };
        self.settle_prompt();
        match result {
            Ok(()) => source.teller.state(TaskState::Ended, None),
            Err(failure) => {
                source.reporter.failure(&failure);
                let why = failure.in_full();
                source.teller.state(TaskState::Refused, Some(&why));
            }
        }
    }

    /// The log is read without a pause as long as commits wait for one of the slaves.
    fn settle_prompt(&self) {
        let is_any = self.sources.values().any(|it| it.teller.is_prompt());
        self.log.set_prompt(is_any);
    }

    /// Stops those whose time is over.
    fn stop_late(&mut self) {
        let now = Instant::now();
        for source in self.sources.values_mut() {
            if source.stop_at.is_some_and(|at| at <= now) {
                source.stop_at = None;
                source.switch.stop();
            }
        }
    }

    /// Stops all at once.
    async fn stop_all(&mut self) {
        self.sources.values().for_each(|it| it.switch.stop());
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                self.has_ended(ended);
            }
        };
        // A task that hangs ends with the process.
        drop(tokio::time::timeout(LAST_STEPS, all).await);
    }
}

impl Source {
    fn end(&mut self, at_most: Duration) {
        if at_most.is_zero() {
            self.switch.stop();
        } else {
            self.switch.leave();
            self.stop_at = Some(Instant::now() + at_most);
        }
    }

    fn count(&self, wish: Option<&StatsWish>, reports: &Reports) -> Result<(), ShipError> {
        let reporter = match wish {
            None => None,
            Some(StatsWish { file: None }) => Some(self.reporter.clone()),
            Some(StatsWish { file }) => Some(self.reporter.of_source(
                reports,
                &self.name,
                file.as_deref(),
            )?),
        };
        self.stats.set(reporter);
        Ok(())
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
