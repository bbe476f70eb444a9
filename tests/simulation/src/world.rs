//! Servers, lines and clients, and all that can happen to them, one step at a time.

use crate::draw::Draw as _;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbconfig::Role;
use dbserver::environment::Environment;
use disk::testing::{Fault, Kind, Process, Random};
use fwlog::{SimulatedTime, Timestamp};

use crate::alone::Own;
use crate::clients::Clients;
use crate::databases::names_of;
use crate::handover::Couriers;
use crate::hooks::Hooks;
use crate::line::Line;
use crate::resync::{Copying, Expected};
use crate::server::Server;
use crate::settings::Settings;
use crate::tally::Tally;

/// A line, and dbrepl's process.
pub(crate) struct Shipping {
    pub(crate) process: Process,
    pub(crate) line: Line,
}

/// What was promised for a slave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promised {
    /// The newest commit that it has reported as durable.
    pub(crate) commit: u64,
}

/// Everything.
pub struct World {
    pub(crate) settings: Settings,
    pub(crate) random: Random,
    pub(crate) servers: Vec<Server>,
    /// By the number of the slave.
    pub(crate) lines: Vec<Option<Shipping>>,
    pub(crate) promised: Vec<Promised>,
    /// What each has in a database of its own.
    pub(crate) own: Vec<Own>,
    /// A copy over the base conversation.
    pub(crate) copying: Option<Copying>,
    /// By server: what it may begin with at its next start.
    pub(crate) arriving: Vec<Option<Expected>>,
    pub(crate) master: usize,
    pub(crate) couriers: Couriers,
    pub(crate) clients: Arc<Mutex<Clients>>,
    pub(crate) hooks: Arc<Hooks>,
    /// Databases that the master has.
    pub(crate) names: BTreeMap<u32, String>,
    /// A database was being made, dropped or renamed when something broke.
    pub(crate) uncertain: bool,
    /// Forward logging was off for a while: slaves must be made anew.
    pub(crate) gap: bool,
    pub(crate) tally: Tally,
    /// What the clocks of all machines show.
    pub(crate) time: SimulatedTime,
    pub(crate) began: Instant,
    pub(crate) elapsed: Duration,
    /// Lines for a person who replays the seed.
    pub(crate) story: Option<Vec<String>>,
    next_name: u32,
}

impl World {
    /// A master with two databases, and its empty slaves.
    pub fn new(settings: Settings, tell: bool) -> Result<Self, String> {
        let count = 1 + settings.slaves;
        let clients = Arc::new(Mutex::new(Clients::new(&settings, count)));
        let hooks = Hooks::new(Arc::clone(&clients), settings.seed);
        let time = SimulatedTime::new(Timestamp::from_micros(1_800_000_000_000_000));
        let mut servers = Vec::new();
        for number in 0..count {
            let role = if number == 0 {
                Role::Master
            } else {
                Role::Slave
            };
            let server = Server::create(&settings, &format!("s{number}"), role, &time)?;
            if tell {
                server.machine.trace(400);
            }
            hooks.attach(number, &server.machine);
            servers.push(server);
        }
        let mut world = Self {
            random: Random::new(settings.seed.rotate_left(17) ^ 0x57E9),
            settings,
            lines: (0..count).map(|_| None).collect(),
            promised: vec![Promised::default(); count],
            own: vec![Own::default(); count],
            copying: None,
            arriving: vec![None; count],
            servers,
            master: 0,
            couriers: Couriers::default(),
            clients,
            hooks,
            names: BTreeMap::new(),
            uncertain: false,
            gap: false,
            tally: Tally::default(),
            time,
            began: Instant::now(),
            elapsed: Duration::ZERO,
            story: tell.then(Vec::new),
            next_name: 0,
        };
        for number in 0..count {
            world.start(number)?;
        }
        for _ in 0..2 {
            world.create_database()?;
        }
        Ok(world)
    }

    /// Makes the steps of the seed, then mends all and compares.
    pub fn run(&mut self) -> Result<(), String> {
        let settings = format!("{:?}", self.settings);
        self.tell(|| settings);
        for step in 0..self.settings.steps {
            self.tell(|| format!("step {step}"));
            let passed = Duration::from_millis(self.random.below(40));
            self.pass(passed);
            self.step()?;
            self.after_step()?;
        }
        self.finale()
    }

    /// What has happened so far.
    pub fn tally(&self) -> Tally {
        let clients = self.clients();
        Tally {
            transactions: clients.transactions,
            compared: clients.compared,
            operations: self
                .servers
                .iter()
                .map(|server| server.machine.operations())
                .sum(),
            ..self.tally
        }
    }

    /// The story, and the last operations of all disks.
    pub fn story(&self) -> Vec<String> {
        let mut lines = self.story.clone().unwrap_or_default();
        for server in &self.servers {
            lines.push(format!(
                "files of {}: {:?}",
                server.name,
                server.machine.files()
            ));
            lines.push(format!("last operations of the disk of {}:", server.name));
            lines.extend(server.machine.traced());
        }
        lines
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }

    pub(crate) fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.random.index(bound)
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.random.below(chances) == 0
    }

    pub(crate) fn now(&self) -> Instant {
        self.began + self.elapsed
    }

    pub(crate) fn environment(&self, server: usize) -> Option<Arc<Environment>> {
        self.servers[server].environment().cloned()
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.elapsed += time;
        self.time.pass(time);
    }

    /// Somebody sets the clock of all machines.
    fn set_clock(&mut self) {
        let now = self.time.clock().now().micros();
        let hours = 3_600_000_000 * (1 + self.random.below(24));
        let shown = if self.random.coin() {
            now + hours * 365
        } else {
            now - hours
        };
        self.tell(|| format!("  the clock jumps from {now} to {shown}"));
        self.time.set(Timestamp::from_micros(shown));
        self.tally.clock_jumps += 1;
    }

    fn step(&mut self) -> Result<(), String> {
        if self.settings.interrupts && self.one_in(12) {
            return self.interrupt_log();
        }
        if self.settings.state_cuts && self.one_in(7) {
            return self.go_on_with_cut();
        }
        if self.settings.base_copies && self.is_turn_of_copy() {
            return self.go_on_with_copy();
        }
        if self.settings.retention && self.one_in(8) {
            return self.remove_log();
        }
        if self.settings.alone && self.one_in(5) {
            return self.work_alone();
        }
        if self.settings.handovers && self.one_in(9) {
            return self.hand_over();
        }
        match self.random.below(100) {
            0..=24 => self.transact(),
            25..=39 => self.write_log(),
            40..=61 => self.ship(),
            62..=69 => self.apply(),
            70..=74 => self.read(),
            75..=79 => self.checkpoint(),
            80..=81 => self.switch_segment(),
            82..=84 if self.settings.databases => self.change_databases(),
            85..=90 => self.crash_somebody(),
            91..=93 if self.settings.cuts => {
                self.cut_line();
                Ok(())
            }
            94..=95 if self.settings.errors || self.settings.full => {
                self.hurt_somebody();
                Ok(())
            }
            96 if self.random.coin() => {
                self.look_after_files();
                Ok(())
            }
            96 => self.repair(),
            97..=98 if self.settings.moves => self.move_log(),
            97 if self.settings.roles && self.random.coin() => self.renew_slave(),
            97..=98 if self.settings.roles => self.switch_roles(),
            99 if self.settings.clock => {
                self.set_clock();
                Ok(())
            }
            _ => self.start_somebody(),
        }
    }

    /// What holds after every step.
    pub(crate) fn after_step(&mut self) -> Result<(), String> {
        self.clear_away();
        self.note_acknowledged();
        if let Some(violation) = self.clients().violation.take() {
            return Err(violation);
        }
        Ok(())
    }

    /// Commits that the master's clients were answered for.
    pub(crate) fn note_acknowledged(&mut self) {
        let durable = self.environment(self.master).and_then(|env| env.durable());
        if let Some(durable) = durable {
            self.clients().model.acknowledge(durable.commit.get());
        }
    }

    pub(crate) fn write_log(&mut self) -> Result<(), String> {
        let Some(environment) = self.environment(self.master) else {
            return Ok(());
        };
        let Some(driver) = environment.driver() else {
            return Ok(());
        };
        let wrote = self.nested(|| driver.write_log());
        let result = match driver.log_failure() {
            Some(failure) if !wrote => Err(format!("the log is not written: {failure}")),
            _ => Ok(()),
        };
        self.unless_hurt(self.master, result)
    }

    /// What a server does each second.
    pub(crate) fn look_after_files(&mut self) {
        for server in 0..self.servers.len() {
            let environment = self.environment(server);
            if let Some(driver) = environment.as_ref().and_then(|it| it.driver()) {
                driver.look_after_files();
            }
        }
    }

    pub(crate) fn apply(&mut self) -> Result<(), String> {
        let server = self.below(self.servers.len());
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        let Some(driver) = environment.driver() else {
            return Ok(());
        };
        for _ in 0..=self.random.below(3) {
            self.nested(|| driver.apply());
        }
        let followed = self.nested(|| driver.follow_checkpoint());
        self.unless_hurt(
            server,
            followed.map_err(|error| format!("a slave's checkpoint: {error}")),
        )
    }

    fn read(&mut self) -> Result<(), String> {
        let mut clients = self.clients();
        clients.read()?;
        clients.hold()
    }

    fn checkpoint(&mut self) -> Result<(), String> {
        let server = if self.one_in(4) {
            self.below(self.servers.len())
        } else {
            self.master
        };
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        self.tell(|| format!("  checkpoint of server {server}"));
        self.tally.checkpoints += 1;
        let made = self.nested(|| environment.checkpoint());
        self.unless_hurt(server, made.map_err(|error| format!("checkpoint: {error}")))
    }

    /// An error is a violation unless something is broken there on purpose.
    pub(crate) fn unless_hurt(
        &mut self,
        server: usize,
        result: Result<(), String>,
    ) -> Result<(), String> {
        match result {
            Err(error) if !self.servers[server].hurt && !self.is_struck(server) => {
                Err(format!("server {server}: {error}"))
            }
            Err(error) => {
                self.tell(|| format!("  server {server}: {error}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether a planned crash has just ended the server.
    pub(crate) fn is_struck(&self, server: usize) -> bool {
        self.hooks.is_struck(server)
    }

    fn change_databases(&mut self) -> Result<(), String> {
        match self.random.below(4) {
            0 if self.names.len() > 1 => self.drop_database(),
            1 => self.rename_database(),
            _ if self.names.len() < 5 => self.create_database(),
            _ => Ok(()),
        }
    }

    fn create_database(&mut self) -> Result<(), String> {
        let Some(environment) = self.environment(self.master) else {
            return Ok(());
        };
        self.next_name += 1;
        let name = format!("d{}", self.next_name);
        self.tell(|| format!("  create database {name}"));
        let made = self.nested(|| environment.create_database(&name));
        self.changed_databases(made)
    }

    fn drop_database(&mut self) -> Result<(), String> {
        let Some((environment, name)) = self.some_database() else {
            return Ok(());
        };
        self.tell(|| format!("  drop database {name}"));
        // It takes the permit, which a client in the middle of it would wait for.
        let id = environment.database(&name).map(|it| it.id().get());
        self.clients().busy = id.ok();
        let dropped = self.nested(|| environment.drop_database(&name));
        self.clients().busy = None;
        self.changed_databases(dropped)
    }

    fn rename_database(&mut self) -> Result<(), String> {
        let Some((environment, name)) = self.some_database() else {
            return Ok(());
        };
        self.next_name += 1;
        let new_name = format!("d{}", self.next_name);
        self.tell(|| format!("  rename database {name} to {new_name}"));
        let renamed = self.nested(|| environment.rename_database(&name, &new_name));
        self.changed_databases(renamed)
    }

    fn some_database(&mut self) -> Option<(Arc<Environment>, String)> {
        let environment = self.environment(self.master)?;
        let index = self.below(self.names.len().max(1));
        let name = self.names.values().nth(index)?.clone();
        Some((environment, name))
    }

    fn changed_databases(
        &mut self,
        result: Result<(), dbserver::error::EngineError>,
    ) -> Result<(), String> {
        let master = self.master;
        self.uncertain |= result.is_err();
        self.note_databases();
        self.unless_hurt(
            master,
            result.map_err(|error| format!("databases: {error}")),
        )
    }

    /// Takes over the master's list of databases.
    pub(crate) fn note_databases(&mut self) {
        let Some(environment) = self.environment(self.master) else {
            return;
        };
        let now = names_of(&environment);
        let gone: Vec<u32> = self
            .names
            .keys()
            .filter(|id| !now.contains_key(id))
            .copied()
            .collect();
        for id in gone {
            self.clients().model.drop_database(id);
        }
        self.names = now;
    }

    fn hurt_somebody(&mut self) {
        let server = self.below(self.servers.len());
        self.hurt(server);
    }

    pub(crate) fn hurt(&mut self, server: usize) {
        let machine = self.servers[server].machine.clone();
        self.servers[server].hurt = true;
        self.clients().servers[server].hurt = true;
        if self.settings.full && (!self.settings.errors || self.random.coin()) {
            let directory = ["/fwlog", "/data", "/tmp"][self.below(3)];
            let room = machine.used(directory) + self.random.below(20_000);
            self.tell(|| format!("  {directory} of server {server} has room for {room} bytes"));
            machine.set_room(directory, Some(room));
            self.tally.full_disks += 1;
            return;
        }
        let kinds: &[Kind] = match self.random.below(4) {
            0 => &[Kind::Sync],
            1 => &[Kind::Write],
            2 => &[Kind::Read, Kind::Open],
            _ => Kind::CHANGES,
        };
        let fault = if self.random.coin() {
            Fault::after(self.random.below(30))
        } else {
            Fault::one_in(3 + self.random.below(40))
        };
        let error = [io::ErrorKind::Other, io::ErrorKind::StorageFull][usize::from(self.one_in(5))];
        self.tell(|| format!("  {kinds:?} of server {server} fail: {fault:?}"));
        machine.fail(fault.of(kinds).with(error));
        self.tally.failing_disks += 1;
    }
}

/// Disks hold their hook, it holds the clients, and they hold servers on those disks.
impl Drop for World {
    fn drop(&mut self) {
        self.copying = None;
        for (number, server) in self.servers.iter().enumerate() {
            server.machine.clear_hook();
            self.clients().forget(number);
        }
    }
}
