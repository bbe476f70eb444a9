//! Trees of instances: whoever has a log feeds whoever is told to, and dbrepl carries what both are told of the tree.

mod cascade;

pub use cascade::{WentBack, go_back_in_turn};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbconfig::Role;
use dbproto::{Below, Refuse, SlaveReport, Standing};
use dbserver::environment::Environment;
use dbserver::environment::tree::TreeStatus;
use dbserver::feed::look_at_own_log;
use dbserver::system::lost_forks;
use dbserver::system::lost_news;
use disk::Disk;
use disk::testing::Process;
use fwlog::{
    Generation, InstanceId, LogDirectory, LogPoint, LostFork, LostForks, ReadItem, SegmentReader,
    SimulatedTime, Timestamp,
};

use crate::line::{Broken, Line};
use crate::server::Server;
use crate::settings::Settings;

/// Steps in which everything that is on its way has arrived.
const STEPS: usize = 2000;
/// How long one side waits for the other one, until it looks again.
const A_WHILE: Duration = Duration::from_millis(10);

/// The dbrepl that feeds one slave.
struct Feed {
    source: String,
    process: Process,
    line: Line,
    /// What its note says.
    note: SlaveReport,
}

/// Instances by their names; the first one is the root.
pub struct Tree {
    settings: Settings,
    time: SimulatedTime,
    /// Clocks of machines that do not show what the others show.
    others: Vec<SimulatedTime>,
    began: Instant,
    servers: BTreeMap<String, Server>,
    /// By the name by which the slave is known here.
    feeds: BTreeMap<String, Feed>,
}

impl Tree {
    /// Starts all of them.
    pub fn new(seed: u64, names: &[&str]) -> Result<Self, String> {
        Self::of(Settings::calm(seed), names)
    }

    fn of(settings: Settings, names: &[&str]) -> Result<Self, String> {
        let mut tree = Self {
            settings,
            time: SimulatedTime::new(Timestamp::from_micros(1_800_000_000_000_000)),
            others: Vec::new(),
            began: Instant::now(),
            servers: BTreeMap::new(),
            feeds: BTreeMap::new(),
        };
        for (number, name) in names.iter().enumerate() {
            let role = [Role::Slave, Role::Master][usize::from(number == 0)];
            tree.add(name, name, role)?;
        }
        Ok(tree)
    }

    /// One more, known here as `key`, which calls itself `name`.
    pub fn add(&mut self, key: &str, name: &str, role: Role) -> Result<(), String> {
        let time = self.time.clone();
        self.add_with(key, name, role, &time)
    }

    /// A slave whose clock is so far behind the others'.
    pub fn add_late(&mut self, name: &str, behind: Duration) -> Result<(), String> {
        let behind = u64::try_from(behind.as_micros()).unwrap_or(u64::MAX);
        let shown = self.time.clock().now().micros().saturating_sub(behind);
        let time = SimulatedTime::new(Timestamp::from_micros(shown));
        self.others.push(time.clone());
        self.add_with(name, name, Role::Slave, &time)
    }

    fn add_with(
        &mut self,
        key: &str,
        name: &str,
        role: Role,
        time: &SimulatedTime,
    ) -> Result<(), String> {
        self.pass(Duration::from_millis(7));
        let mut server = Server::create(&self.settings, name, role, time)?;
        let started = server.start();
        started.map_err(|error| format!("{key}: {error}"))?;
        self.servers.insert(key.to_owned(), server);
        Ok(())
    }

    fn pass(&self, time: Duration) {
        for clock in std::iter::once(&self.time).chain(&self.others) {
            clock.pass(time);
        }
    }

    /// A slave becomes the root.
    pub fn promote(&self, key: &str) -> Result<(), String> {
        let promoted = self.environment(key)?.promote(false);
        promoted.map_err(|error| error.to_string())
    }

    /// The time of each block of its log, with its generation, in the order of the log.
    pub fn times(&self, key: &str) -> Result<Vec<(Generation, Timestamp)>, String> {
        let server = self.servers.get(key).ok_or("no such server")?;
        let process = server.machine.copy().process();
        let location = Server::source(&process)?.location;
        let directory = LogDirectory::scan(&location).map_err(|error| error.to_string())?;
        let mut times = Vec::new();
        for segment in directory.segments() {
            let reader = SegmentReader::open(&location.disk, &segment.path);
            let mut reader = reader.map_err(|error| error.to_string())?;
            while let ReadItem::Block(block) =
                reader.next(None).map_err(|error| error.to_string())?
            {
                times.push((segment.id.generation, block.head.time));
            }
        }
        Ok(times)
    }

    fn environment(&self, key: &str) -> Result<Arc<Environment>, String> {
        let server = self.servers.get(key).ok_or("no such server")?;
        server
            .environment()
            .cloned()
            .ok_or(format!("{key} is down"))
    }

    /// The machine of a server ends, and all lines that begin or end there.
    pub fn kill(&mut self, key: &str) {
        let of_it = |slave: &String, feed: &Feed| slave == key || feed.source == key;
        let ended: Vec<_> = self
            .feeds
            .iter()
            .filter(|(slave, feed)| of_it(slave, feed))
            .map(|(slave, _)| slave.clone())
            .collect();
        for slave in ended {
            self.stop_feeding(&slave);
        }
        if let Some(server) = self.servers.get_mut(key) {
            server.kill();
        }
    }

    /// The dbrepl of a slave is stopped.
    pub fn stop_feeding(&mut self, slave: &str) {
        if let Some(feed) = self.feeds.remove(slave) {
            feed.process.kill();
        }
    }

    /// Something is committed.
    pub fn commit(&self, root: &str, database: &str) -> Result<(), String> {
        let made = self.environment(root)?.create_database(database);
        made.map_err(|error| error.to_string())
    }

    /// A dbrepl of `source` begins to feed `slave`.
    ///
    /// Errors: why one of both, or dbrepl, has refused it.
    pub fn feed(&mut self, source: &str, slave: &str) -> Result<(), Refuse> {
        let process = self.servers[source].machine.process();
        let location = Server::source(&process).map_err(internal)?;
        let environment = self.environment(slave).map_err(internal)?;
        // As a server does before it lets dbrepl in.
        look_at_own_log(&environment)?;
        let line = Line::open(location, false, &environment).map_err(refusal)?;
        let now = self.time.clock().now();
        let note = SlaveReport {
            instance: self.servers[slave].name.clone(),
            speaker: None,
            address: format!("{slave}:8102"),
            rival: None,
            standing: Standing::CatchingUp,
            since: now,
            reason: None,
            connected: now,
            written: now,
            heard: now,
            durable: None,
            applied: None,
            delay: Duration::ZERO,
            partial: false,
        };
        let source = source.to_owned();
        let feed = Feed {
            source,
            process,
            line,
            note,
        };
        self.feeds.insert(slave.to_owned(), feed);
        self.run(slave)
    }

    /// Everything that is on its way to and from a slave arrives. Where both sides wait, time passes: a slave tells how far it
    /// is from time to time.
    fn run(&mut self, slave: &str) -> Result<(), Refuse> {
        let environment = self.environment(slave).map_err(internal)?;
        for _ in 0..STEPS {
            let now = self.began + Duration::from_micros(self.time.clock().now().micros());
            let Some(feed) = self.feeds.get_mut(slave) else {
                return Ok(());
            };
            let moved = match step(&mut feed.line, &environment, now) {
                Ok(moved) => moved,
                Err(broken) => return Err(self.broken(slave, broken)),
            };
            match (moved, feed.line.is_idle()) {
                (true, _) => {}
                (false, true) => return Ok(()),
                (false, false) => self.pass(A_WHILE),
            }
        }
        Err(internal(format!("{slave} is still busy")))
    }

    /// Its dbrepl leaves a note of why, as far as that says something of the slave.
    fn broken(&mut self, slave: &str, broken: Broken) -> Refuse {
        let refuse = refusal(broken);
        let standing = Standing::of_refusal(&refuse);
        if let (Some(feed), Some(standing)) = (self.feeds.get_mut(slave), standing) {
            (feed.note.standing, feed.note.reason) = (standing, Some(refuse.in_full()));
        }
        self.write_notes(slave);
        self.stop_feeding(slave);
        refuse
    }

    /// A second passes: servers look, and what they and their dbrepl have to tell goes along. Gives whose feed has ended, and
    /// why.
    pub fn beat(&mut self) -> Result<Vec<(String, Refuse)>, String> {
        self.pass(Duration::from_secs(1));
        for server in self.servers.values() {
            if let Some(driver) = server.environment().and_then(|it| it.driver()) {
                driver.look_after_tree();
            }
            if let Some(environment) = server.environment() {
                lost_news::look(environment).map_err(|error| error.to_string())?;
            }
        }
        let mut ended = Vec::new();
        let slaves: Vec<String> = self.feeds.keys().cloned().collect();
        for slave in slaves {
            if let Err(refuse) = self.beat_of(&slave) {
                ended.push((slave, refuse));
            }
        }
        Ok(ended)
    }

    fn beat_of(&mut self, slave: &str) -> Result<(), Refuse> {
        let Some(feed) = self.feeds.get_mut(slave) else {
            return Ok(());
        };
        if let Err(broken) = feed.line.tell_above() {
            return Err(self.broken(slave, broken));
        }
        feed.line.report_below();
        feed.line.report_lost();
        self.run(slave)?;
        self.write_notes(slave);
        Ok(())
    }

    fn write_notes(&mut self, slave: &str) {
        let now = self.time.clock().now();
        let Some(Feed {
            line,
            note,
            process,
            ..
        }) = self.feeds.get_mut(slave)
        else {
            return;
        };
        if let Some((identity, status)) = line.slave() {
            let speaker = identity.greeting.as_ref().map(|it| &it.speaker);
            note.speaker = speaker.map(|speaker| (speaker.id, speaker.boot));
            note.durable = status.map(|it| it.durable).or(identity.durable);
            note.applied = status.map(|it| it.applied).or(identity.applied);
        }
        if note.standing == Standing::CatchingUp && line.is_idle() {
            note.standing = Standing::Following;
        }
        (note.written, note.heard) = (now, now);
        let name = &note.instance;
        let files = [
            (SlaveReport::file_name(name), note.encode()),
            (Below::file_name(name), line.below().to_file()),
        ];
        for (file, content) in files {
            let path = format!("/fwlog/{file}");
            let written = process.disk().write_atomic(path.as_ref(), &content, 0o600);
            written.expect("no disk fails here");
        }
        let path = format!("/fwlog/{}", LostForks::file_name(name));
        leave_lost(&process.disk(), path.as_ref(), line.lost()).expect("no disk fails here");
    }

    /// A slave of this instance, which is no part of the tree here, has told that it has lost so many transactions behind
    /// the end of the log.
    pub fn tell_lost(&self, key: &str, instance: &str, transactions: u64) -> Result<(), String> {
        let environment = self.environment(key)?;
        let end = environment.slave().and_then(|it| it.progress().durable);
        let end = end.ok_or_else(|| format!("{key} has no log"))?;
        self.tell_lost_behind(key, instance, (end.point, transactions))
    }

    /// The same behind this point.
    pub fn tell_lost_behind(
        &self,
        key: &str,
        instance: &str,
        (fork, transactions): (LogPoint, u64),
    ) -> Result<(), String> {
        let fork = LostFork {
            id: InstanceId::from_bytes([9; 16]),
            instance: instance.to_owned(),
            was_root: true,
            fork,
            commit: fwlog::CommitNumber::new(1),
            transactions,
            generations: Vec::new(),
        };
        let server = self.servers.get(key).ok_or("no such server")?;
        let process = server.machine.process();
        let path = format!("/fwlog/{}", LostForks::file_name(instance));
        let written = leave_lost(&process.disk(), path.as_ref(), &LostForks::of([fork]));
        process.kill();
        written
    }

    /// What an instance knows of lost transactions: `east 7`, and whether they are settled.
    pub fn known_lost(&self, key: &str) -> Result<Vec<(String, bool)>, String> {
        let environment = self.environment(key)?;
        let forks = lost_forks::LostForks::of(&environment).all();
        let forks = forks.map_err(|error| error.to_string())?.into_iter();
        let shown = forks.map(|fork| {
            let text = format!("{} {}", fork.instance, fork.transactions);
            (text, fork.settled.is_some())
        });
        Ok(shown.collect())
    }

    /// A person says at the root that all is done.
    pub fn complete_lost(&self, root: &str) -> Result<usize, String> {
        let environment = self.environment(root)?;
        let settled = lost_forks::LostForks::of(&environment).complete();
        settled.map_err(|error| error.to_string())
    }

    /// The newest commit of a log.
    pub fn commits(&self, root: &str) -> Result<u64, String> {
        let durable = self.environment(root)?.durable();
        Ok(durable.ok_or("it does not write")?.commit.get())
    }

    /// A server that was killed is there again.
    pub fn start(&mut self, key: &str) -> Result<(), String> {
        let server = self.servers.get_mut(key).ok_or("no such server")?;
        let started = server.start();
        started.map(drop).map_err(|error| error.to_string())
    }

    /// The tree as one instance shows it: `north; south 1 following`.
    pub fn shown(&self, key: &str) -> Result<String, String> {
        let status = TreeStatus::of(&*self.environment(key)?);
        let status = status.map_err(|error| error.to_string())?;
        let lines = status.instances.iter().map(|it| {
            let state = it
                .state
                .map_or_else(String::new, |state| format!(" {state}"));
            format!("{} {}{state}", it.level, it.instance)
        });
        let root = status.root.unwrap_or_else(|| "?".to_owned());
        Ok(format!("{root}: {}", lines.collect::<Vec<_>>().join(", ")))
    }

    /// Whether two have the same log, to the last byte.
    pub fn are_equal(&self, one: &str, other: &str) -> Result<bool, String> {
        let end = |key: &str| {
            let environment = self.environment(key)?;
            let slave = environment.slave().and_then(|it| it.progress().applied);
            let own = environment.durable().map(|it| it.point);
            Ok::<_, String>(own.or(slave.map(|it| it.point)))
        };
        let (one, other) = (end(one)?, end(other)?);
        Ok(one.is_some() && one == other)
    }
}

/// As dbrepl leaves it beside the log.
fn leave_lost(disk: &Disk, path: &Path, forks: &LostForks) -> Result<(), String> {
    if forks.all().is_empty() {
        return disk
            .remove_if_there(path)
            .map_err(|error| error.to_string());
    }
    let written = forks.write(disk, path, 0o600);
    written.map_err(|error| error.to_string())
}

/// `false`: nothing has moved.
fn step(line: &mut Line, slave: &Environment, now: Instant) -> Result<bool, Broken> {
    let mut moved = line.ship()?;
    moved |= line.deliver_to_slave();
    line.hand_on();
    while slave.driver().is_some_and(|driver| driver.apply()) {
        moved = true;
    }
    line.sync(now);
    moved |= line.deliver_to_source()?;
    Ok(moved)
}

fn refusal(broken: Broken) -> Refuse {
    match broken {
        Broken::Refused(refuse) => refuse,
        Broken::Source(error) => internal(error.in_full()),
    }
}

fn internal(what: String) -> Refuse {
    Refuse::new(dbproto::state::IO_ERROR, what)
}
